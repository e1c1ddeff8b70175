"""Whom a name is about, and which rows are theirs: in tables, in the prediction log, and in what a release learned from."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.personal import find_personal_columns
from skiff.flows.feedback import cast_logged
from skiff.flows.learned import find_split, list_unseen
from skiff.secure.subjects import (
    choose_columns,
    collect_values,
    list_forms,
    mark_copies,
    mark_rows,
    name_subject,
    trim,
)
from skiff.store.bytesearch import Wanted
from skiff.store.keys import FOLDER as KEYS
from skiff.store.keys import PSEUDONYM_FILE
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.manifests import MANIFEST
from skiff.store.predictions.keeping import hash_cell, read_kept
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import INPUT_PREFIX, build_frame
from skiff.store.predictions.records import LoggedRow
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace

FROM_LOG = " and outcomes"
"""Ends the name of a table that a challenger was trained on: rows of another table and of the log."""


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


def find_logged(workspace: Workspace, person: Person) -> list[LoggedRow]:
    """Return the person's rows of the prediction log: by subject, by key, or by an input that stands for one person."""
    own = workspace.root / SKIFF_FOLDER
    store = open_store(own, database=workspace.settings.store.database, is_read_only=True, box=workspace.box)
    pseudonym = own / KEYS / PSEUDONYM_FILE
    hashed = (
        hash_cell(person.name, workspace.box.read(pseudonym, f"{KEYS}/{PSEUDONYM_FILE}"))
        if pseudonym.is_file()
        else None
    )
    pieces = []
    if _may_keep(workspace, person.columns):
        pieces = [json.dumps(person.name, ensure_ascii=False)[1:-1], *([hashed] if hashed else [])]
    try:
        rows = store.find_person([person.name], pieces)
    finally:
        store.close()
    return [row for row in rows if _is_about(row, person, hashed)]


def _may_keep(workspace: Workspace, columns: Sequence[str]) -> bool:
    """Return whether the log may keep cells of these columns: of a row it keeps what its release takes in, and nothing else.

    Where a release can no longer say what it took in, it may.
    """
    if not columns:
        return False
    for release in workspace.releases.list():
        path = release.path / MANIFEST
        try:
            inputs = json.loads(workspace.read_kept(path))["inputs"] if path.is_file() else None
        except (SkiffError, ValueError, KeyError):
            inputs = None
        if inputs is None or {column["name"] for column in inputs} & {*columns}:
            return True
    return False


def _is_about(row: LoggedRow, person: Person, hashed: str | None) -> bool:
    found = row.prediction
    if any(trim(name) == person.name for name in (found.subject, found.key) if name is not None):
        return True
    cells = read_kept(found.inputs) if found.inputs else {}
    known = [cells.get(name) for name in person.columns]
    return any(cell is not None and (trim(_say(cell)) == person.name or cell == hashed) for cell in known)


def _say(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def count_learned(workspace: Workspace, marked: Sequence[Marked]) -> dict[int, int]:
    """Return each release whose dataset holds rows of the person, with how many of them it learned from.

    0 where it learned from none: it was judged on them, or they were left out, as rows without a label are.
    """
    rows = {item.record.sha256: item for item in marked}
    gone = workspace.erasures.read().releases
    found = {}
    for release in workspace.releases.list():
        item = rows.get(workspace.erasures.follow(release.dataset_sha256))
        if item is None or str(release.number) in gone:
            continue
        split = find_split(workspace, release.number)
        if split is not None:
            found[release.number] = int(item.rows.gather(split[0]).sum())
        else:
            learned = item.rows.scatter(list_unseen(workspace, release.dataset_sha256), values=False)
            found[release.number] = int(learned.sum())
    return found


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
