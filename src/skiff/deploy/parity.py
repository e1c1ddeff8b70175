"""Prove that the compiled graph gives the fitted model's answers, on real rows and on hostile ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.pipeline import LEQ, DateEncoder, FeatureMatrix, Pipeline, Trees
from skiff.core.signature import MISSING_DATE_S, InputColumn
from skiff.deploy.answers import Answers
from skiff.deploy.compiler import compile_featurizer, list_used_inputs
from skiff.deploy.dates import DAY_S
from skiff.deploy.exposure import read_exposure
from skiff.deploy.featurizer import Featurizer
from skiff.deploy.predictor import Predictor
from skiff.deploy.reasoner import Reasoner
from skiff.deploy.tensors import build_tensors
from skiff.evaluate.abstain import find_reviewed
from skiff.evaluate.conformal import find_floors, predict_ranges, predict_sets

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
HOSTILE_SECONDS = (
    -62_135_596_800,  # 0001-01-01, the first day most calendars know
    -2_203_891_201,  # 1900-02-28, 23:59:59: 1900 was no leap year
    -1,  # the last second before 1970
    0,
    951_782_400,  # 2000-02-29
    253_402_300_799,  # the last second of 9999
    4_000_000_000_000,  # beyond the year 100,000
    -4_000_000_000_000,
)
"""Dates in seconds since 1970."""
MAX_THRESHOLDS = 60
"""Thresholds tried for each column: at the threshold, and one representable number below and above."""
BASE_ROWS = 5
"""Real rows that hostile cells are put into."""
ELAPSED = ": elapsed days"
"""How a date's elapsed days are named in the tree view (skiff.deploy.encoders)."""
MIXED_ROWS = 50
"""Rows of which every cell is drawn from real and hostile cells of its column."""

MOST_PAIRS = 100_000
LEAST_ATTACKED = 10
"""In very wide tables not every column is attacked alone (work grows with the square of the columns); the mixed rows, which put
hostile cells into all columns at once, still reach each of them."""


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
        Rows whose label, range, set or decision differs although their answer is not within `tolerance` of an edge.
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
    predict_second: Callable[[pl.DataFrame], NDArray[np.float64]] | None = None,
    tolerance: float = 1e-9,
) -> Parity:
    """Compare the graph with the fitted libraries on every row of `frame` and of `hostile`.

    Parameters
    ----------
    pipeline : Pipeline
    model : bytes
        What `skiff.deploy.compiler.compile_pipeline` made of it.
    frame, hostile : DataFrame
        Real rows, and what `build_hostile_rows` made of some.
    predict_native : callable
        The fitted library objects on the features of the emitted graph: probabilities (n, K) or values (n,).
    predict_second : callable, optional
        A second twin from the raw rows, such as `skiff.deploy.reference.predict_reference`, which reads the encoders for
        itself; slow.
    tolerance : float
    """
    predictor = Predictor(model)
    featurizer = Featurizer(pipeline.inputs, pipeline.encoders)
    worst, mismatches = 0.0, 0
    for rows in (frame, hostile):
        if rows.height == 0:
            continue
        found = predictor.answer(rows)
        twins = [predict_native(featurizer(rows))]
        if pipeline.exposure:
            with np.errstate(over="ignore"):  # an exposure may be as large as a double goes, as in the graph
                twins[0] = twins[0] * read_exposure(rows, pipeline.exposure)
        if predict_second is not None:
            twins.append(predict_second(rows))
        for expected in twins:
            worst = max(worst, _measure_gap(pipeline, expected, found))
            mismatches += _count_broken_promises(pipeline, expected, found, tolerance)
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


def measure_reasons_gap(model: bytes, companion: bytes, frame: pl.DataFrame) -> float:
    """Return the largest difference between a model's answers and the sums of its companion's contributions.

    For values ``|a - b| / max(1, |b|)``, as parity has it.
    """
    if frame.height == 0:
        return 0.0
    predictor, reasoner = Predictor(model), Reasoner(companion)
    feed = predictor.build_feed(frame)
    answers = predictor.answer_tensors(feed)
    columns = (column.name for column in predictor.signature.inputs)
    summed = reasoner.add_up(dict(zip(columns, feed.values(), strict=True)))
    served = answers.values.reshape(-1, 1) if answers.kind == "regression" else answers.probabilities
    served = served[:, 1:] if answers.kind == "binary" else served
    gap = np.abs(summed - served) / np.maximum(1.0, np.abs(served))
    return float(np.nan_to_num(np.where(summed == served, 0.0, gap), nan=np.inf, posinf=np.inf).max())


def _count_broken_promises(
    pipeline: Pipeline, expected: NDArray[np.float64], answers: Answers, tolerance: float
) -> int:
    """Count rows whose range, set or decision is not what the fitted answer gives, unless it is within `tolerance` of an edge."""
    broken = np.zeros(len(answers), dtype=bool)
    sure = expected
    if pipeline.value_range is not None and answers.low is not None and answers.high is not None:
        low, high = predict_ranges(pipeline.value_range, expected, is_never_negative=pipeline.value_low >= 0)
        room = tolerance * np.maximum(1.0, np.abs(expected))
        is_edge = np.zeros(len(expected), dtype=bool)
        for edge in pipeline.value_range.edges:
            is_edge |= np.abs(expected - edge) <= room
        with np.errstate(invalid="ignore"):
            far = (np.abs(low - answers.low) > room * 4) | (np.abs(high - answers.high) > room * 4)
        broken |= far & ~is_edge
        sure = high - low
    if pipeline.answer_set is not None and answers.in_set is not None:
        floors = find_floors(pipeline.answer_set, expected)
        is_edge = np.asarray((np.abs(expected - floors) <= tolerance).any(axis=1))
        broken |= (predict_sets(pipeline.answer_set, expected) != answers.in_set).any(axis=1) & ~is_edge
    if pipeline.review is not None and answers.decisions is not None:
        review = pipeline.review
        said = sure[:, 1] if pipeline.kind == "binary" else sure.max(axis=1) if pipeline.kind == "multiclass" else sure
        scale = np.abs(expected) * 4 if pipeline.kind == "regression" else np.ones(len(expected))
        is_edge = np.minimum(np.abs(said - review.low), np.abs(said - review.high)) <= tolerance * np.maximum(
            1.0, scale
        )
        expects = np.where(find_reviewed(review, pipeline.kind, sure), "review", "act")
        broken |= (expects != answers.decisions.astype(str)) & ~is_edge
    return int(broken.sum())


def _measure_gap(pipeline: Pipeline, expected: NDArray[np.float64], found: Answers) -> float:
    """Return the largest difference; infinite where one side has no number and the other has."""
    given = found.values if pipeline.kind == "regression" else found.probabilities
    is_same = (np.isnan(expected) & np.isnan(given)) | (expected == given)
    with np.errstate(invalid="ignore"):  # infinity less infinity, where both sides agree
        gap = np.abs(expected - given)
        if pipeline.kind == "regression":
            gap = gap / np.maximum(1.0, np.abs(expected))
    return float(np.nan_to_num(np.where(is_same, 0.0, gap), nan=np.inf, posinf=np.inf).max())


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
    inputs = list_used_inputs(pipeline.inputs, pipeline.encoders, also=pipeline.exposure)
    tensors = build_tensors(inputs, frame.head(BASE_ROWS))
    real = {column.name: tensors[column.name].ravel().tolist() for column in inputs}
    thresholds = _find_thresholds(pipeline, seed=seed)
    hostile = {column.name: _list_hostile(column, thresholds.get(column.name, [])) for column in inputs}
    n_real = min(BASE_ROWS, frame.height)

    rows: dict[str, list[Any]] = {column.name: [_MISSING[column.kind]] for column in inputs}  # Any: cells of one kind
    random = np.random.default_rng(seed)
    n_attacked = min(len(inputs), max(LEAST_ATTACKED, MOST_PAIRS // max(len(inputs), 1)))
    attacked = sorted(random.permutation(len(inputs))[:n_attacked].tolist()) if inputs else []
    for column in (inputs[place] for place in attacked):
        cells = hostile[column.name] if n_real else []
        for other in inputs:
            copied = [real[other.name][place % n_real] for place in range(len(cells))]
            rows[other.name] += cells if other is column else copied
    for column in inputs:
        cells = [*real[column.name], *hostile[column.name]]
        rows[column.name] += [cells[place] for place in random.integers(0, len(cells), MIXED_ROWS)]
    return pl.DataFrame([_build_series(column, rows[column.name]) for column in inputs])


_MISSING: dict[str, Any] = {"number": math.nan, "boolean": math.nan, "category": "", "text": "", "date": MISSING_DATE_S}


def _build_series(column: InputColumn, cells: list[Any]) -> pl.Series:  # Any: doubles, texts or seconds
    if column.kind in {"number", "boolean"}:
        return pl.Series(column.name, cells, dtype=pl.Float64)
    if column.kind in {"category", "text"}:
        return pl.Series(column.name, cells, dtype=pl.String)
    microseconds = [None if second == MISSING_DATE_S else second * 1_000_000 for second in cells]
    return pl.Series(column.name, microseconds, dtype=pl.Int64).cast(pl.Datetime("us"))


def _list_hostile(column: InputColumn, thresholds: Sequence[float]) -> list[Any]:  # Any: doubles, texts or seconds
    missing = _MISSING[column.kind]
    if column.kind in {"category", "text"}:
        return [*HOSTILE_TEXTS, missing]
    if column.kind == "date":
        around = [math.floor(value) + step for value in thresholds for step in (-1, 0, 1)]
        return [*HOSTILE_SECONDS, missing, *around]
    around_number = [
        step
        for value in thresholds
        for step in (math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf))
    ]
    return [*HOSTILE_NUMBERS, missing, *around_number]


def _find_thresholds(pipeline: Pipeline, *, seed: int) -> dict[str, list[float]]:
    """Return, for each column of numbers, the thresholds its trees compare with; for dates, in seconds since 1970."""
    _, views = compile_featurizer(pipeline.inputs, pipeline.encoders)
    origins = {encoder.column: encoder.origin_s for encoder in pipeline.encoders if isinstance(encoder, DateEncoder)}
    found: dict[str, set[float]] = {}
    for member in pipeline.members:
        if not isinstance(member.part, Trees) or member.view == "linear":  # there, columns are scaled or words
            continue
        for feature, mode, split in zip(member.part.feature, member.part.mode, member.part.split, strict=True):
            name, column = views.tree_names[feature]
            if mode == LEQ and name == column:
                found.setdefault(column, set()).add(float(split))
            elif column in origins and name.endswith(ELAPSED):
                found.setdefault(column, set()).add(origins[column] + float(split) * DAY_S)
    random = np.random.default_rng(seed)
    return {
        column: [float(value) for value in random.permutation(sorted(values))[:MAX_THRESHOLDS]]
        for column, values in found.items()
    }
