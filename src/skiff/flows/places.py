"""Every place of a workspace that may hold a person's data, each able to find, export and erase it.

One `Place` for each kind of store, all in `PLACES`: whoever adds a store adds a place, and access, erasure, retention and restored
backups reach it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import polars as pl

from skiff.core.errors import SkiffError
from skiff.flows.fixes import FIX_LIST
from skiff.flows.persons import Person, find_logged, is_nameless, mark_datasets
from skiff.flows.removal import replace_table
from skiff.secure.subjects import blank_json, blank_text
from skiff.store.bytesearch import holds
from skiff.store.destroying import destroy_file
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import build_frame
from skiff.store.reviews import ReviewRecord
from skiff.store.workspace import Workspace


class Place(Protocol):
    """One kind of store. `find` counts, `export` copies, `erase` removes; each may be called again after a crash."""

    name: str
    unit: str

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many rows, records or files of the person it holds."""

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return what it holds of the person as tables, by name."""

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Remove what it holds of the person, and return how many rows, records or files that were."""


class DatasetPlace:
    """The tables: a new version without the person's rows takes the place of each, the old file is destroyed."""

    name, unit = "datasets", "rows"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many rows of all datasets are the person's."""
        return sum(item.n_rows for item in mark_datasets(workspace, person)) + len(_list_left(workspace))

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return the person's rows of each dataset."""
        return {
            f"dataset {item.record.id}": item.frame.filter(item.rows)
            for item in mark_datasets(workspace, person)
            if not is_nameless(item.record)
        }

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Put cleaned tables in place; looks at sealed rows go on being counted on the same rows."""
        done = 0
        for item in mark_datasets(workspace, person):
            left = item.frame.filter(~item.rows)
            replace_table(workspace, item.record, left, kept=~item.rows, note="rows of an erased person removed", at=at)
            done += item.n_rows
        for sha256 in _list_left(workspace):
            workspace.objects.destroy(sha256)
        return done


def _list_left(workspace: Workspace) -> list[str]:
    """Return files of datasets that were replaced, which a killed erasure left."""
    current = {record.sha256 for record in workspace.datasets.list()}
    return [sha for sha in workspace.erasures.read().datasets if sha not in current and workspace.objects.has(sha)]


class LogPlace:
    """The prediction log with its outcomes and kept inputs."""

    name, unit = "prediction log", "predictions"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many predictions are about the person."""
        return len(find_logged(workspace, person))

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return the person's predictions with inputs and outcomes."""
        rows = find_logged(workspace, person)
        if not rows:
            return {}
        table = build_frame(rows)
        listed = [pl.col(name).list.eval(pl.element().cast(pl.String)).list.join(" ") for name in ("probabilities",)]
        return {"predictions": table.with_columns(listed)}

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Remove the predictions with their outcomes, and overwrite where they stood."""
        del at
        ids = [row.prediction.id for row in find_logged(workspace, person)]
        if not ids:
            return 0
        store = open_store(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box)
        try:
            return store.erase_rows(ids)
        finally:
            store.close()


class ReviewPlace:
    """The review queue: rows about the person, those of their predictions, and any that repeat a value that names them."""

    name, unit = "review queue", "rows"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many queued and decided rows are about the person."""
        return len(_list_reviews(workspace, person))

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return the rows, with what people decided about them."""
        rows = [asdict(record) for record in _list_reviews(workspace, person)]
        return {"reviews": pl.DataFrame(rows, infer_schema_length=None)} if rows else {}

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Remove them, and rows that wait for a label in a table that is no longer there: their numbers are others' by now."""
        del at
        known = {None, *(record.sha256 for record in workspace.datasets.list())}
        waiting = [record for record in workspace.reviews.list() if record.state != "done"]
        workspace.reviews.erase_items(record.item for record in waiting if record.dataset_sha256 not in known)
        return workspace.reviews.erase_items(record.item for record in _list_reviews(workspace, person))


def _list_reviews(workspace: Workspace, person: Person) -> list[ReviewRecord]:
    logged = {row.prediction.id for row in find_logged(workspace, person)}
    return [
        record
        for record in workspace.reviews.list()
        if record.item in logged or (record.subject or "").strip() == person.name or _names(record, person)
    ]


def _names(record: ReviewRecord, person: Person) -> bool:
    texts = (
        record.key,
        record.inputs,
        record.rule,
        record.advice,
        record.truth,
        record.first,
        record.final,
        record.why,
    )
    return any(text is not None and blank_text(text, person.values) != text for text in texts)


class RecordPlace:
    """Texts in the catalog: judged windows, what watching remembers, arguments of runs, names of datasets."""

    name, unit = "records", "records"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many records hold a value that names the person."""
        found = 0

        def look(text: str) -> str:
            nonlocal found
            found += blank_text(text, person.values) != text
            return text

        workspace.blank_records(look)
        return found

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return nothing: what stands there is about many, and named in the datasets."""
        del workspace, person
        return {}

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Put a blank in place of the value."""
        del at
        return workspace.blank_records(lambda text: blank_text(text, person.values))


class FilePlace:
    """Stored files that are no datasets: contracts, candidates, papers of training."""

    name, unit = "stored files", "files"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many stored files hold a value that names the person."""
        return len(_list_holding(workspace, person))

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return nothing: they hold no rows."""
        del workspace, person
        return {}

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Write contracts anew without the value; destroy what else holds it."""
        holding = _list_holding(workspace, person)
        current = {record.sha256: record for record in workspace.contracts.list_current()}
        for sha256 in holding:
            if sha256 in current:
                record = current[sha256]
                body = blank_json(workspace.contracts.read(record), set(person.values))
                made = workspace.contracts.add(record.name, body, dataset_sha256=record.dataset_sha256)  # type: ignore[arg-type]  # a JSON object stays one
                workspace.ledger.append(
                    "contract.erasure", subject=made.sha256, result={"version": made.version}, at=at()
                )
            workspace.objects.destroy(sha256)
        return len(holding)


def _list_holding(workspace: Workspace, person: Person) -> list[str]:
    tables = {record.sha256 for record in workspace.datasets.list()}
    return [
        sha256
        for sha256 in workspace.objects.list()
        if sha256 not in tables and holds(_read_object(workspace, sha256), sha256, person.wanted)
    ]


def _read_object(workspace: Workspace, sha256: str) -> bytes:
    """Return the bytes of a stored file; of a damaged one as they are, so that damage elsewhere stops no erasure."""
    try:
        return workspace.objects.get(sha256)
    except SkiffError:
        return workspace.objects.path(sha256).read_bytes()


class ReportPlace:
    """What lies in ``reports/``: pages that hold a value go, with the paper made of them."""

    name, unit = "reports", "files"

    def find(self, workspace: Workspace, person: Person) -> int:
        """Return how many files hold a value that names the person."""
        return len(list_reports(workspace, person))

    def export(self, workspace: Workspace, person: Person) -> Mapping[str, pl.DataFrame]:
        """Return nothing: reports show what is in the datasets."""
        del workspace, person
        return {}

    def erase(self, workspace: Workspace, person: Person, *, at: Callable[[], str]) -> int:
        """Destroy them."""
        del at
        return sum(destroy_file(path, staging=workspace.reports.root) for path in list_reports(workspace, person))


def list_reports(workspace: Workspace, person: Person) -> list[Path]:
    """Return the files in ``reports/`` that hold a value; letters in a PDF are drawings, so it goes with the page it was made from."""
    root = workspace.reports.root
    paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
    found = {path for path in paths if holds(path.read_bytes(), path.name, person.wanted)}
    found |= {path for path in paths if path.suffix == ".pdf" and path.with_suffix(".html") in found}
    return sorted(found)


def name_reports(workspace: Workspace, person: Person, *, has_rows: bool) -> tuple[str, ...]:
    """Return the names of the files in ``reports/`` that an erasure destroys; one that names the person itself is not repeated.

    Parameters
    ----------
    has_rows : bool
        Whether a dataset holds rows of the person: then the list of answers to look at goes too, for its row numbers are those of the
        old table.
    """
    root = workspace.reports.root
    found = [str(path.relative_to(root)) for path in list_reports(workspace, person)]
    if has_rows and FIX_LIST not in found and (root / FIX_LIST).is_file():
        found.append(FIX_LIST)
    return tuple(
        "a file named after the person" if blank_text(name, person.values) != name else name for name in sorted(found)
    )


PLACES: tuple[Place, ...] = (DatasetPlace(), ReviewPlace(), LogPlace(), RecordPlace(), FilePlace(), ReportPlace())
"""In the order of erasing: tables without names are cleaned while the rows they were made of are still known, and reviews while the
predictions are that they were about. A new store that holds rows about persons adds its own place here, before `RecordPlace`."""
