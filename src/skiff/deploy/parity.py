"""Prove that the compiled graph gives the fitted model's answers, on real rows and on hostile ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.pipeline import LEQ, FeatureMatrix, Pipeline, Trees
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_featurizer, list_used_inputs
from skiff.deploy.featurizer import featurize
from skiff.deploy.runtime import Predictor

HOSTILE_NUMBERS = (0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e308, -1e308, 5e-324, 2.0**53 + 2, np.nan)
HOSTILE_TEXTS = (
    "",
    " ",
    "never seen before",
    "Ünïcödé ☃ 日本語",
    "a" * 5_000,
    "'; --",
    "\u202eright to left",
    "NaN",
    "0",
)
HOSTILE_DATES = (
    dt.datetime(1, 1, 1),  # noqa: DTZ001  frames hold naive UTC
    dt.datetime(1900, 2, 28, 23, 59, 59),  # noqa: DTZ001
    dt.datetime(1969, 12, 31, 23, 59, 59),  # noqa: DTZ001
    dt.datetime(2000, 2, 29),  # noqa: DTZ001
    dt.datetime(9999, 12, 31, 23, 59, 59),  # noqa: DTZ001
    None,
)
MAX_THRESHOLDS = 60
"""Thresholds tried for each column: at the threshold, and one representable number below and above."""
BASE_ROWS = 5
"""Real rows that hostile cells are put into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How far the graph is from the fitted model.

    Parameters
    ----------
    rows, hostile_rows : int
        Real and made-up rows that were compared.
    max_abs_diff : float
        Largest difference in probability; for values ``|a - b| / max(1, |b|)``.
    label_mismatches : int
        Rows whose label differs although their probability is not within `tolerance` of the threshold.
    tolerance : float
    is_equal : bool
    """

    rows: int
    hostile_rows: int
    max_abs_diff: float
    label_mismatches: int
    tolerance: float
    is_equal: bool


def measure_parity(
    pipeline: Pipeline,
    model: bytes,
    frame: pl.DataFrame,
    *,
    hostile: pl.DataFrame,
    predict_native: Callable[[FeatureMatrix], NDArray[np.float64]],
    tolerance: float = 1e-9,
) -> Parity:
    """Compare the graph with the fitted libraries on every row of `frame` and of `hostile`.

    Parameters
    ----------
    predict_native : callable
        The fitted library objects on the features of the emitted graph: probabilities (n, K) or values (n,).
    """
    predictor = Predictor(model)
    worst, mismatches = 0.0, 0
    for rows in (frame, hostile):
        if rows.height == 0:
            continue
        expected = predict_native(featurize(pipeline.inputs, pipeline.encoders, rows))
        found = predictor.predict_columns(rows)
        given = found.values if pipeline.kind == "regression" else found.probabilities
        scale = np.maximum(1.0, np.abs(expected)) if pipeline.kind == "regression" else 1.0
        both_nan = np.isnan(expected) & np.isnan(given)
        gap = np.where(both_nan | (expected == given), 0.0, np.abs(expected - given) / scale)
        worst = max(worst, float(np.nan_to_num(gap, nan=np.inf).max()))
        if pipeline.kind != "regression":
            mismatches += _count_mismatches(pipeline, expected, found.labels, tolerance)
    return Parity(
        rows=frame.height,
        hostile_rows=hostile.height,
        max_abs_diff=worst,
        label_mismatches=mismatches,
        tolerance=tolerance,
        is_equal=worst <= tolerance and mismatches == 0,
    )


def _count_mismatches(pipeline: Pipeline, expected: NDArray[np.float64], labels: NDArray[Any], tolerance: float) -> int:
    if pipeline.kind == "binary":
        places = (expected[:, 1] >= pipeline.threshold).astype(int)
        is_close = np.abs(expected[:, 1] - pipeline.threshold) <= tolerance
    else:
        places = expected.argmax(axis=1)
        ranked = np.sort(expected, axis=1)
        is_close = ranked[:, -1] - ranked[:, -2] <= tolerance
    named = np.array(pipeline.classes, dtype=object)[places]
    return int(((named != labels) & ~is_close).sum())


def build_hostile_rows(pipeline: Pipeline, frame: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Return rows made to break a graph: missing, unseen, empty, infinite, huge, and one step around tree thresholds.

    Parameters
    ----------
    frame : DataFrame
        Training rows; a few are copied and one cell of each copy replaced.
    seed : int
        Chooses among the thresholds where there are many.
    """
    inputs = list_used_inputs(pipeline.inputs, pipeline.encoders)
    base = frame.select([_cast(frame[column.name], column) for column in inputs]).head(BASE_ROWS)
    thresholds = _find_thresholds(pipeline, seed=seed)
    pieces = [pl.DataFrame({column.name: pl.Series([None], dtype=base.schema[column.name]) for column in inputs})]
    for column in inputs:
        cells = _hostile_cells(column, thresholds.get(column.name, ()))
        copies = pl.concat([base] * (len(cells) // max(base.height, 1) + 1)).head(len(cells)) if base.height else base
        replaced = pl.Series(column.name, cells[: copies.height], dtype=base.schema[column.name], strict=False)
        pieces.append(copies.with_columns(replaced))
    return pl.concat(pieces)


def _cast(series: pl.Series, column: InputColumn) -> pl.Series:
    kinds: dict[str, Any] = {
        "date": pl.Datetime("us"),
        "number": pl.Float64,
        "boolean": pl.Float64,
    }  # Any: Polars types
    return series.cast(kinds.get(column.kind, pl.String))


def _hostile_cells(column: InputColumn, thresholds: Sequence[float]) -> list[Any]:
    if column.kind == "date":
        return list(HOSTILE_DATES)
    if column.kind in {"category", "text"}:
        return [*HOSTILE_TEXTS, None]
    around = [
        step for value in thresholds for step in (np.nextafter(value, -np.inf), value, np.nextafter(value, np.inf))
    ]
    return [*HOSTILE_NUMBERS, None, *around]


def _find_thresholds(pipeline: Pipeline, *, seed: int) -> dict[str, list[float]]:
    """Return, for each number column, the thresholds its trees compare with."""
    _, views = compile_featurizer(pipeline.inputs, pipeline.encoders)
    found: dict[str, set[float]] = {}
    for member in pipeline.members:
        if isinstance(member.part, Trees):
            for feature, mode, split in zip(member.part.feature, member.part.mode, member.part.split, strict=True):
                name, column = views.tree_names[feature]
                if mode == LEQ and name == column:
                    found.setdefault(column, set()).add(float(split))
    random = np.random.default_rng(seed)
    return {
        column: [float(value) for value in random.permutation(sorted(values))[:MAX_THRESHOLDS]]
        for column, values in found.items()
    }
