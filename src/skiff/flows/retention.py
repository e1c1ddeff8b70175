"""Let go of what was kept long enough: whole tables, single columns, parts of the prediction log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.settings import Terms
from skiff.flows.datasets import find_dataset
from skiff.flows.persons import FROM_LOG, read_frame
from skiff.flows.provenance import change_terms
from skiff.flows.removal import destroy_candidates, replace_table
from skiff.govern.retention import Due, Kept, list_due
from skiff.store.clock import now_utc
from skiff.store.erasures import Gone
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import Field, PredictionLog, open_store
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """One thing that went: a table's rows, a column's cells, or rows of the log."""

    kind: str
    name: str
    column: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A release that stays for a written reason whose day has come."""

    release: int
    until: str
    why: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionOutcome:
    """What has a day, what went, and which reasons to keep a model have ended."""

    due: tuple[Due, ...]
    gone: tuple[LetGo, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    evidence: str = ""

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return asdict(self)


def show_retention(folder: Path, *, at: Callable[[], str] = now_utc) -> RetentionOutcome:
    """Say what must go when; nothing is changed."""
    with Workspace.open(folder) as workspace:
        return RetentionOutcome(due=_list_due(workspace, now=at()), reminders=list_reminders(workspace, now=at()))


def keep_retention(folder: Path, *, at: Callable[[], str] = now_utc) -> RetentionOutcome:
    """Let go of everything that is past its day, with a record in the ledger where something went."""
    with Workspace.open(folder) as workspace, workspace.lock("retention"):
        return let_go(workspace, at=at)


def let_go(workspace: Workspace, *, at: Callable[[], str]) -> RetentionOutcome:
    """Do the same in a workspace that is open and locked."""
    gone: list[LetGo] = []
    for item in _list_due(workspace, now=at()):
        if item.kind == "dataset" and item.is_due:
            gone.append(_remove_dataset(workspace, item, at=at))
        elif item.kind == "column" and item.is_due:
            made = _empty_column(workspace, item, at=at)
            gone += [made] if made else []
        elif item.kind == "log":
            rows = _forget(workspace, item)
            gone += [LetGo(kind="log", name=item.name, column="", rows=rows)] if rows else []
    evidence = ""
    if gone:
        workspace.compact()
        told: list[Json] = [
            {"kind": one.kind, "name": one.name, "column": one.column, "rows": one.rows} for one in gone
        ]
        noted = workspace.ledger.append("retention", subject=workspace.root.name, result={"gone": told}, at=at())
        evidence = noted.id
    now = at()
    return RetentionOutcome(
        due=_list_due(workspace, now=now),
        gone=tuple(gone),
        reminders=list_reminders(workspace, now=now),
        evidence=evidence,
    )


def list_reminders(workspace: Workspace, *, now: str) -> tuple[Reminder, ...]:
    """Return the releases that stay for a written reason whose day has come."""
    return tuple(
        Reminder(
            release=item.release,
            until=item.until,
            why=item.why,
            sentence=f"Release {item.release} learned from a person whose data was erased and was to stay until {item.until}. "
            f"That day has come: run skiff erase again for that person without --justify. "
            f"(person {item.subject[:16]}, reason given by {item.who} on {item.at[:10]})",
        )
        for item in workspace.erasures.read().kept
        if item.until <= now[:10]
    )


def agree_terms(
    folder: Path,
    name: str | None,
    *,
    column: str | None = None,
    news: dict[str, str | float],
    at: Callable[[], str] = now_utc,
) -> tuple[str, Terms]:
    """Change what was agreed about a table of the workspace, or one column of it, and return all that is agreed now.

    Raises
    ------
    SkiffError
        ``no_dataset``, ``dataset_not_found``, ``column_not_found``, ``settings_not_updated``.
    """
    with Workspace.open(folder) as workspace:
        record = find_dataset(workspace, name)
        if column is not None and column not in record.kinds:
            raise SkiffError.column_not_found(column, columns=record.kinds, file=record.name, option="--column")
        if news and change_terms(workspace.root, record.name, news, column=column):
            told: dict[str, Json] = {"name": record.name, "column": column, **news}
            workspace.ledger.append("data.terms", subject=record.sha256, result=told, at=at())
        terms = workspace.reload_settings().terms.get(record.name, Terms())
    return record.name, terms


def _list_due(workspace: Workspace, *, now: str) -> tuple[Due, ...]:
    terms = workspace.settings.terms
    kept = []
    for record in workspace.datasets.list():
        name = record.name
        while name.endswith(FROM_LOG):  # rows of that table, with those of the log
            name = name.removesuffix(FROM_LOG)
        agreed = terms.get(name)
        empty: tuple[str, ...] = ()
        if agreed is not None and any(own.keep_days is not None for own in agreed.columns.values()):
            frame = read_frame(workspace, record)
            empty = tuple(
                name for name in agreed.columns if name not in frame.columns or frame[name].null_count() == frame.height
            )
        kept.append(Kept(id=record.id, name=name, created=record.created, empty_columns=empty))
    return list_due(kept, terms, workspace.settings.serving, now=now)


def _remove_dataset(workspace: Workspace, item: Due, *, at: Callable[[], str]) -> LetGo:
    record = workspace.datasets.get(item.what)
    workspace.erasures.bury_dataset(record.sha256, Gone(at=at(), why="retention", hash=record.sha256))
    workspace.datasets.remove(record.sha256)
    workspace.objects.destroy(record.sha256)
    destroy_candidates(workspace, [record.sha256])
    told: dict[str, Json] = {"name": record.name, "rows": record.rows, "days": item.days}
    workspace.ledger.append("data.retention", subject=record.sha256, result=told, at=at())
    return LetGo(kind="dataset", name=record.name, column="", rows=record.rows)


def _empty_column(workspace: Workspace, item: Due, *, at: Callable[[], str]) -> LetGo | None:
    record = workspace.datasets.get(item.what)
    frame = read_frame(workspace, record)
    rows = frame.height - frame[item.column].null_count()
    emptied = frame.with_columns(pl.lit(None, dtype=frame.schema[item.column]).alias(item.column))
    everything = pl.Series([True] * frame.height, dtype=pl.Boolean)
    note = f"column '{item.column}' emptied after {item.days:g} days"
    replace_table(workspace, record, emptied, kept=everything, note=note, at=at, why="retention")
    return LetGo(kind="column", name=record.name, column=item.column, rows=rows)


def _forget(workspace: Workspace, item: Due) -> int:
    fields: dict[str, Field] = {"inputs": "inputs", "subject": "subject"}
    store = open_store(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box)
    with PredictionLog(store, clock=lambda: time.time_ns() // 1000) as log:
        return log.forget(field=fields.get(item.what), older_than_days=item.days)
