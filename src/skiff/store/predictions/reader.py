"""Windows of the prediction log as frames, for monitoring, retraining and export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec
import polars as pl

from skiff.store.predictions.ids import to_micros
from skiff.store.predictions.keeping import read_kept
from skiff.store.predictions.log import EVER
from skiff.store.predictions.records import LoggedRow, OutcomeRecord, Store

INPUT_PREFIX = "in."
"""How the columns of kept inputs begin."""

_decode = msgspec.json.Decoder(list[float]).decode
_MOMENT = pl.Datetime("us")  # naive UTC, as all frames here
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "at": _MOMENT,
    "release": pl.Int32,
    "role": pl.String,
    "key": pl.String,
    "subject": pl.String,
    "label": pl.String,
    "value": pl.Float64,
    "probabilities": pl.List(pl.Float64),
    "low": pl.Float64,
    "high": pl.Float64,
    "decision": pl.String,
    "is_control": pl.Boolean,
    "latency_us": pl.Int64,
    "outcome": pl.String,
    "outcome_at": _MOMENT,
}
"""The columns of `PredictionReader.read_window`, before those of the inputs."""


class PredictionReader:
    """Reads the log while others write it.

    Parameters
    ----------
    store : Store
        See `skiff.store.predictions.log.open_store`.
    """

    def __init__(self, store: Store) -> None:
        """Keep the store."""
        self._store = store

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the files."""
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()

    def read_window(
        self, since: dt.datetime | None = None, until: dt.datetime | None = None, *, release: int | None = None
    ) -> pl.DataFrame:
        """Return the predictions from `since` on and before `until`, each with its latest outcome, in the order of time.

        Parameters
        ----------
        since, until : datetime or None
            None leaves that end open; a time without a zone is UTC.
        release : int or None
            Only the answers of this release.

        Returns
        -------
        DataFrame
            The columns of `SCHEMA`, then one ``in.<name>`` for each kept input. ``value`` is the probability of the
            positive class (two classes) or of the label, or the predicted number; ``probabilities`` are in the order of
            the release's classes, null for a regression; ``outcome`` is text, also where it is a number. Times are UTC
            without a zone. ``id`` of a shadow's row is the id of the answer given, followed by ``s``.
        """
        return build_frame(self._store.read(*_bounds(since, until), release=release))

    def count(
        self, since: dt.datetime | None = None, until: dt.datetime | None = None, *, release: int | None = None
    ) -> int:
        """Return how many predictions there are from `since` on and before `until`."""
        return self._store.count(*_bounds(since, until), release=release)

    def count_outcomes(self, since: dt.datetime | None = None) -> int:
        """Return how many outcomes, corrections included, were received from `since` on."""
        return self._store.count_outcomes(_bounds(since, None)[0])

    def read_history(self, prediction: str) -> list[OutcomeRecord]:
        """Return every outcome received for a prediction, oldest first; the last one counts."""
        return self._store.read_history(prediction)


def build_frame(rows: Sequence[LoggedRow]) -> pl.DataFrame:
    """Return rows of the log as a frame: see `PredictionReader.read_window`."""
    predictions = [row.prediction for row in rows]
    columns = dict(zip(predictions[0]._fields, zip(*predictions, strict=True), strict=True)) if rows else {}
    values: dict[str, Sequence[object]] = {name: columns.get(name, ()) for name in SCHEMA}
    values["outcome"] = [row.outcome for row in rows]
    values["outcome_at"] = [row.outcome_at for row in rows]
    values["is_control"] = [bool(flag) for flag in columns.get("is_control", ())]
    values["probabilities"] = [
        _read_list(row.probabilities, row.value) if row.label is not None else None for row in predictions
    ]
    frame = pl.DataFrame(
        {name: pl.Series(name, values[name], dtype=dtype, strict=False) for name, dtype in SCHEMA.items()}
    )
    return frame.hstack(_build_inputs([row.inputs for row in predictions]))


def _read_list(probabilities: str | None, value: float | None) -> list[float] | None:
    """Return the probabilities of all classes; for two classes only that of the positive one is kept."""
    if probabilities is not None:
        return _decode(probabilities)
    return None if value is None else [1.0 - value, value]


def _build_inputs(kept: Sequence[str | None]) -> list[pl.Series]:
    """Return the kept inputs as columns; a column whose cells are of several kinds becomes text."""
    rows = [read_kept(item) if item is not None else {} for item in kept]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [_build_series(name, [row.get(name) for row in rows]) for name in names]


def _build_series(name: str, cells: Sequence[object]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {int, float}:
        return pl.Series(f"{INPUT_PREFIX}{name}", cells, dtype=pl.Float64, strict=False)
    if kinds == {bool}:
        return pl.Series(f"{INPUT_PREFIX}{name}", cells, dtype=pl.Boolean)
    texts = [cell if cell is None or isinstance(cell, str) else _write_cell(cell) for cell in cells]
    return pl.Series(f"{INPUT_PREFIX}{name}", texts, dtype=pl.String)


def _write_cell(cell: object) -> str:
    """Write a cell as the model reads it as text: true and false as JSON has them, whole numbers without a point."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _bounds(since: dt.datetime | None, until: dt.datetime | None) -> tuple[int, int]:
    return (0 if since is None else to_micros(since), EVER if until is None else to_micros(until))
