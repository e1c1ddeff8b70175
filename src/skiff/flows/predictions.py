"""The prediction log of a workspace: opened for reading, counted, exported."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import polars as pl

from skiff.store.files import write_atomic
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.workspace import Workspace


def open_predictions(workspace: Workspace) -> PredictionReader:
    """Return a reader of the workspace's log; close it, or use it in a ``with`` block."""
    own = workspace.root / SKIFF_FOLDER
    database = workspace.settings.store.database
    return PredictionReader(open_store(own, database=database, is_read_only=workspace.is_read_only, box=workspace.box))


def count_predictions(folder: Path) -> dict[str, int]:
    """Return how many predictions and outcomes the log holds."""
    with Workspace.open(folder) as workspace, open_predictions(workspace) as reader:
        return {"predictions": reader.count(), "outcomes": reader.count_outcomes()}


def export_predictions(
    folder: Path,
    output: Path,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    release: int | None = None,
) -> int:
    """Write a window of the log as Parquet and return its rows: see `PredictionReader.read_window`; times are UTC and say so.

    ``outcome_by`` names the reviewer where the outcome is what a person decided under review (`skiff.flows.review`).
    """
    with Workspace.open(folder) as workspace, open_predictions(workspace) as reader:
        rows = reader.read_window(since, until, release=release)
        deciders = name_deciders(workspace, rows)
    buffer = io.BytesIO()
    rows.insert_column(rows.columns.index("outcome_at") + 1, deciders)
    rows.with_columns(pl.col("at", "outcome_at").dt.replace_time_zone("UTC")).write_parquet(buffer)
    write_atomic(output.absolute(), buffer.getvalue())
    return rows.height


def name_deciders(workspace: Workspace, rows: pl.DataFrame) -> pl.Series:
    """Return who decided each outcome under review, null where it is what happened: a column ``outcome_by``."""
    decided = {record.item: record for record in workspace.reviews.list(state="done", source="log")}
    named = [
        decided[id_].reviewer if id_ in decided and decided[id_].final == outcome else None
        for id_, outcome in rows.select("id", "outcome").iter_rows()
    ]
    return pl.Series("outcome_by", named, dtype=pl.String)


def set_aside_decisions(workspace: Workspace, rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return rows without the outcomes that reviewers decided, and how many those were.

    People are given the rows that the model is least sure of: judged by those alone, it would look worse than it is. Rows of the
    random control share stay, because they were chosen by nothing.
    """
    is_decided = name_deciders(workspace, rows).is_not_null() & ~rows["is_control"].fill_null(value=False)
    n_decided = int(is_decided.sum())
    if not n_decided:
        return rows, 0
    return rows.with_columns(outcome=pl.when(is_decided).then(None).otherwise(pl.col("outcome"))), n_decided
