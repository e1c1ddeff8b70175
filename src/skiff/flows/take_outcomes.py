"""Take outcomes from a file of any size and join them with the prediction log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from skiff.core.errors import SkiffError
from skiff.flows.outcomes import read_moment, read_question, write_outcome
from skiff.flows.pieces import read_pieces
from skiff.flows.standing import refuse_none
from skiff.store.clock import now_utc
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.predictions.records import Outcome, OutcomeState
from skiff.store.workspace import Workspace

MOST_SHOWN = 20
"""Row numbers that are told of a kind."""

ROWS_A_CALL = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeColumns:
    """Which column of the file is what; None where it is to be found by its name."""

    id: str | None = None
    key: str | None = None
    value: str | None = None
    at: str | None = None


@dataclass(slots=True, kw_only=True)
class OutcomeSummary:
    """What became of a file of outcomes.

    Parameters
    ----------
    rows : int
    counts : dict
        Outcomes by state: new, corrected, duplicate, unknown (no such prediction), refused (no possible value), empty.
    shown : dict
        The first row numbers of those that were unknown or refused.
    """

    rows: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("new", "corrected", "duplicate", "unknown", "refused", "empty"), 0)
    )
    shown: dict[str, list[int]] = field(default_factory=dict)

    def note(self, state: str, row: int) -> None:
        """Count one outcome."""
        self.counts[state] += 1
        if state in ("unknown", "refused") and len(self.shown.setdefault(state, [])) < MOST_SHOWN:
            self.shown[state].append(row)

    def as_result(self) -> dict[str, object]:
        """Return the summary for ``--json``."""
        return {"rows": self.rows, **self.counts, "sample_rows": self.shown}


def take_outcomes(folder: Path, source: Path, *, columns: OutcomeColumns | None = None) -> OutcomeSummary:
    """Join every row of `source` with the prediction it is about, by the prediction's id or by your key.

    Parameters
    ----------
    folder : Path
        The workspace.
    source : Path
        A file with a column that names the prediction (``id``, ``skiff_id`` or ``key``) and one with what happened
        (``value``, ``outcome`` or the name of the target); ``at`` says when, if it is there.
    columns : OutcomeColumns, optional

    Raises
    ------
    SkiffError
        ``column_not_found``, ``no_release``, and what reading and the disk say.
    """
    summary = OutcomeSummary()
    with Workspace.open(folder) as workspace:
        number = refuse_none(workspace.releases.champion(), str(workspace.root))
        manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))  # Any: a JSON document
        classes, is_number = read_question(manifest)
        target = str(manifest["task"]["target"])
        store = open_store(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box)
        with PredictionLog(store, clock=lambda: time.time_ns() // 1000) as log:
            wish = columns or OutcomeColumns()
            names = ("id", "skiff_id", "key", "value", "outcome", "at", target)
            given = (wish.id, wish.key, wish.value, wish.at)
            wanted = [*names, *(name for name in given if name)]
            for read in read_pieces(source, keep_text=wanted, keep_words=wanted, private=workspace.objects.private):
                found = _find_columns(read.frame, wish, target)
                for piece in read.frame.iter_slices(ROWS_A_CALL):
                    _take_piece(log, piece, found, summary, classes=classes, is_number=is_number)
        workspace.ledger.append(
            "outcomes", subject=source.name, result={"rows": summary.rows, **summary.counts}, at=now_utc()
        )
    return summary


def _take_piece(
    log: PredictionLog,
    frame: pl.DataFrame,
    columns: OutcomeColumns,
    summary: OutcomeSummary,
    *,
    classes: tuple[str, ...],
    is_number: bool,
) -> None:
    outcomes: list[Outcome] = []
    rows: list[int] = []
    for row, cells in enumerate(frame.iter_rows(named=True), start=summary.rows + 1):
        id_ = cells[columns.id] if columns.id else None
        key = cells[columns.key] if columns.key and id_ is None else None
        value = cells[columns.value or ""]
        if value is None or (id_ is None and key is None):
            summary.note("empty", row)
            continue
        try:
            written = write_outcome(value, classes=classes, is_number=is_number)
            moment = cells[columns.at] if columns.at else None
            at = read_moment(None if moment is None else str(moment))
        except SkiffError:
            summary.note("refused", row)
            continue
        outcomes.append(
            Outcome(value=written, id=None if id_ is None else str(id_), key=None if key is None else str(key), at=at)
        )
        rows.append(row)
    summary.rows += frame.height
    states: tuple[OutcomeState, ...] = log.add_outcomes(outcomes).states
    for row, state in zip(rows, states, strict=True):
        summary.note(state, row)


def _find_columns(frame: pl.DataFrame, wish: OutcomeColumns, target: str) -> OutcomeColumns:
    """Return which columns are what: those that were named, or those with a telling name."""
    for name in (wish.id, wish.key, wish.value, wish.at):
        if name is not None and name not in frame.columns:
            raise SkiffError.column_not_found(name, columns=frame.columns)

    def first(*names: str) -> str | None:
        return next((name for name in names if name in frame.columns), None)

    is_named = wish.id is not None or wish.key is not None
    found = OutcomeColumns(
        id=wish.id if is_named else first("id", "skiff_id"),
        key=wish.key if is_named else first("key"),
        value=wish.value or first("value", "outcome", target),
        at=wish.at or first("at"),
    )
    if found.value is None or (found.id is None and found.key is None):
        missing, option = ("value", "--value") if found.value is None else ("id", "--id or --key")
        raise SkiffError(
            "column_not_found",
            what=f"It is not clear which column of the file holds the {'outcome' if missing == 'value' else 'prediction'}.",
            where={"column": missing},
            fix=f"Name it with {option}. The columns are: {', '.join(frame.columns[:20])}.",
        )
    return found
