"""The prediction log of a workspace: opened for reading, counted, exported."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

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
    """Write a window of the log as Parquet and return its rows: see `PredictionReader.read_window`."""
    with Workspace.open(folder) as workspace, open_predictions(workspace) as reader:
        return reader.export_parquet(output.absolute(), since, until, release=release)
