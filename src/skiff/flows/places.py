"""Every place of a workspace that may hold a person's data, each able to find, export and erase it.

One `Place` for each kind of store, all in `PLACES`: whoever adds a store adds a place, and access, erasure, retention and restored
backups reach it at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.personal import find_personal_columns
from skiff.flows.candidates import pack_rows, unpack_rows
from skiff.flows.feedback import cast_logged
from skiff.secure.subjects import (
    blank_json,
    blank_text,
    choose_columns,
    collect_values,
    list_forms,
    mark_copies,
    mark_rows,
    name_subject,
    trim,
)
from skiff.store.bytesearch import Wanted, holds
from skiff.store.destroying import destroy_file
from skiff.store.erasures import Gone
from skiff.store.keys import FOLDER as KEYS
from skiff.store.keys import PSEUDONYM_FILE
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.keeping import hash_cell, read_kept
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import INPUT_PREFIX, build_frame
from skiff.store.predictions.records import LoggedRow
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace

BUNDLE = re.compile(r"handover-.*-(\d+)\.zip")


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom it is about.

    Parameters
    ----------
    name : str
        As it was given, trimmed. Never written anywhere.
    hash : str
        What stands for it in records.
    columns : tuple of str
        Columns in which a cell stands for one person.
    values : tuple of str
        All that names the person: the name, and the cells of their rows in those columns that nobody else has.
    named : str or None
        The one column to look in, where it was given.
    """

    name: str
    hash: str
    columns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    named: str | None = None

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """Return what to look for in bytes."""
        return tuple(Wanted(value=value, forms=list_forms(value)) for value in self.values)


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


# ---- datasets --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A dataset with the person's rows marked."""

    record: DatasetRecord
    frame: pl.DataFrame
    rows: pl.Series
    columns: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """Return how many rows are the person's."""
        return int(self.rows.sum())


def list_columns(workspace: Workspace, frame: pl.DataFrame, *, named: str | None) -> tuple[str, ...]:
    """Return the columns of a table in which a cell stands for one person."""
    if named is not None:
        return (named,) if named in frame.columns else ()
    said = workspace.settings.privacy
    found = find_personal_columns(frame, personal=said.personal, not_personal=said.not_personal)
    return choose_columns(found, answered=said.personal)


def read_frame(workspace: Workspace, record: DatasetRecord) -> pl.DataFrame:
    """Return a dataset as a frame."""
    return pl.read_parquet(io.BytesIO(workspace.objects.get(record.sha256)))


def is_nameless(record: DatasetRecord) -> bool:
    """Return whether a dataset was made by retraining: rows of others and of the log, without the columns that name anybody."""
    return record.reading.get("format") == "log"


def mark_datasets(workspace: Workspace, person: Person) -> list[Marked]:
    """Return the datasets that hold rows of the person; those without names first, which are known by the others."""
    own: list[Marked] = []
    nameless: list[DatasetRecord] = []
    for record in workspace.datasets.list():
        if is_nameless(record):
            nameless.append(record)
            continue
        frame = read_frame(workspace, record)
        columns = list_columns(workspace, frame, named=person.named)
        rows = mark_rows(frame, columns, person.name)
        if rows.any():
            own.append(Marked(record=record, frame=frame, rows=rows, columns=columns))
    copies = []
    logged = find_logged(workspace, person) if nameless else []
    for record in nameless:
        frame = read_frame(workspace, record)
        gone = [item.frame.filter(item.rows) for item in own] + ([_like(logged, frame)] if logged else [])
        rows = pl.Series([False] * frame.height, dtype=pl.Boolean)
        for theirs in gone:
            rows |= mark_copies(frame, theirs)
        if rows.any():
            copies.append(Marked(record=record, frame=frame, rows=rows, columns=()))
    return [*copies, *own]


def _like(logged: Sequence[LoggedRow], frame: pl.DataFrame) -> pl.DataFrame:
    """Return logged rows as rows of a table that was made of the log: inputs and what really happened."""
    table = build_frame(logged)
    made = []
    for name, dtype in frame.schema.items():
        source = f"{INPUT_PREFIX}{name}"
        column = table[source] if source in table.columns else table["outcome"]
        made.append(cast_logged(column, dtype).alias(name))
    return pl.DataFrame(made)


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


def replace_table(
    workspace: Workspace,
    record: DatasetRecord,
    frame: pl.DataFrame,
    *,
    kept: pl.Series,
    note: str,
    at: Callable[[], str],
    why: str = "erasure",
) -> DatasetRecord:
    """Put a table in place of a dataset, with a tombstone for the old one, and destroy the old file.

    Parameters
    ----------
    frame : DataFrame
        What is left.
    kept : Series
        Which rows of the old table are left: positions of sealed rows follow.
    """
    stream = io.BytesIO()
    frame.write_parquet(stream, compression="zstd", statistics=False)
    data = stream.getvalue()
    new = hashlib.sha256(data).hexdigest()
    place = (kept.cast(pl.Int64).cum_sum() - 1).to_numpy()
    is_kept = kept.to_numpy()
    splits = {}
    for sha256 in workspace.runs.list_sealed(record.sha256):
        if workspace.objects.has(sha256):
            rows = unpack_rows(workspace.objects.get(sha256))
            splits[sha256] = workspace.objects.put(pack_rows(place[rows[is_kept[rows]]]))
    workspace.erasures.bury_dataset(record.sha256, Gone(at=at(), why=why, successor=new, hash=record.sha256))
    made = workspace.datasets.replace(
        record.sha256, data, rows=frame.height, splits=splits, note=f"{note} ({at()[:10]})"
    )
    workspace.objects.destroy(record.sha256)
    workspace.ledger.append(
        f"data.{why}",
        subject=new,
        result={"before": record.sha256, "rows_before": record.rows, "rows": frame.height, "note": note},
        at=at(),
    )
    return made


# ---- the prediction log ----------------------------------------------------------------------------------------------------


def find_logged(workspace: Workspace, person: Person) -> list[LoggedRow]:
    """Return the person's rows of the prediction log: by subject, by key, or by an input that stands for one person."""
    own = workspace.root / SKIFF_FOLDER
    store = open_store(own, database=workspace.settings.store.database, is_read_only=True)
    pseudonym = own / KEYS / PSEUDONYM_FILE
    hashed = hash_cell(person.name, pseudonym.read_bytes()) if pseudonym.is_file() else None
    pieces = (
        [json.dumps(person.name, ensure_ascii=False)[1:-1], *([hashed] if hashed else [])] if person.columns else []
    )
    try:
        rows = store.find_person([person.name], pieces)
    finally:
        store.close()
    return [row for row in rows if _is_about(row, person, hashed)]


def _is_about(row: LoggedRow, person: Person, hashed: str | None) -> bool:
    found = row.prediction
    if any(trim(name) == person.name for name in (found.subject, found.key) if name is not None):
        return True
    cells = read_kept(found.inputs) if found.inputs else {}
    known = [cells.get(name) for name in person.columns]
    return any(cell is not None and (trim(_say(cell)) == person.name or cell == hashed) for cell in known)


def _say(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


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
        store = open_store(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database)
        try:
            return store.erase_rows(ids)
        finally:
            store.close()


# ---- what was derived ------------------------------------------------------------------------------------------------------


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
    """What lies in ``reports/``: pages that hold a value go, with the paper made of them; so does a list of rows of an old table."""

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


PLACES: tuple[Place, ...] = (DatasetPlace(), LogPlace(), RecordPlace(), FilePlace(), ReportPlace())
"""In the order of erasing: tables without names are cleaned while the rows they were made of are still known. A new store that holds
rows about persons (a queue of reviews) adds its own place here, before `RecordPlace`."""


# ---- models ----------------------------------------------------------------------------------------------------------------


def count_learned(workspace: Workspace, marked: Sequence[Marked]) -> dict[int, int]:
    """Return each release whose dataset holds rows of the person, with how many of them it learned from (0: only judged on them)."""
    rows = {item.record.sha256: item for item in marked}
    gone = workspace.erasures.read().releases
    found = {}
    for release in workspace.releases.list():
        item = rows.get(workspace.erasures.follow(release.dataset_sha256))
        if item is None or str(release.number) in gone:
            continue
        learned = item.rows.clone()
        sealed = workspace.sealed_rows(release.dataset_sha256)
        if sealed is not None:
            learned = learned.scatter(unpack_rows(sealed), values=False)
        found[release.number] = int(learned.sum())
    return found


def destroy_candidates(workspace: Workspace, old: Sequence[str]) -> int:
    """Destroy the models, and what describes them, of every candidate trained on a dataset that went; return how many candidates."""
    ids = {f"ds_{sha256[:12]}" for sha256 in old}
    done = 0
    for record in workspace.ledger.records():
        document = str(record.result.get("candidate", ""))
        if record.action != "train" or record.result.get("dataset") not in ids or not document:
            continue
        if workspace.objects.has(document):
            described: dict[str, Any] = msgspec.json.decode(workspace.objects.get(document))  # Any: a JSON document
            small = described.get("small") or {}
            for sha256 in (described.get("companion_sha256"), small.get("model_sha256")):
                if sha256:
                    workspace.objects.destroy(str(sha256))
            workspace.objects.destroy(document)
            done += 1
        workspace.objects.destroy(record.subject)
    return done


def find_person(
    workspace: Workspace, subject: str, *, column: str | None = None, known: Sequence[str] = ()
) -> tuple[Person, list[Marked]]:
    """Return whom a name is about, with all that names them, and the datasets that hold their rows.

    Parameters
    ----------
    subject : str
    column : str, optional
        Look in this column only.
    known : sequence of str
        Values known from before, as when an erasure goes on after a crash.

    Raises
    ------
    SkiffError
        ``subject_empty``; ``column_not_found`` where no dataset has the column.
    """
    name = trim(subject)
    if not name:
        raise SkiffError(
            "subject_empty",
            what="Nothing says whom it is about.",
            where={"option": "--subject"},
            fix="Give the name or number as it stands in the data:  --subject ID",
        )
    hashed = name_subject(name, key=workspace.erasures.read_key())
    columns: list[str] = [column] if column else []
    every: list[str] = []
    for record in workspace.datasets.list():
        names = list(record.kinds)
        every += names
        if column is None and not is_nameless(record):
            columns += list_columns(workspace, read_frame(workspace, record), named=None)
    if column is not None and column not in every:
        raise SkiffError.column_not_found(
            column, columns=list(dict.fromkeys(every)), file="the datasets", option="--column"
        )
    person = Person(name=name, hash=hashed, columns=tuple(dict.fromkeys(columns)), values=(name,), named=column)
    marked = mark_datasets(workspace, person)
    values = [name, *known]
    for item in marked:
        if item.columns:
            names_too = (*item.columns, *list_columns(workspace, item.frame, named=None))
            values += collect_values(item.frame, item.rows, dict.fromkeys(names_too))
    return (
        Person(
            name=name,
            hash=hashed,
            columns=person.columns,
            values=tuple(dict.fromkeys(trim(value) for value in values)),
            named=column,
        ),
        marked,
    )
