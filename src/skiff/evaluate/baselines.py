"""Predictors anyone could write, judged on the same rows: the class shares, and the best single column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.naive import (
    find_class_shares,
    find_usual_value,
    score_naive_classes,
    score_naive_values,
)
from skiff.evaluate.results import Baseline
from skiff.evaluate.scores import HIGHER_IS_BETTER, measure_row_log_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MAX_ROWS = 20_000
"""Training rows on which single columns are compared: enough to tell the best, quick for 5,000 columns."""

MAX_COLUMNS = 300
"""Columns tried; of more, this many drawn by the seed."""

N_BINS = 8
"""Quantile bins of a number: about what a person would read off a bar chart."""

N_LEVELS = 20
"""Levels of a category kept apart; the rest share one bin."""

PRIOR_ROWS = 20.0
"""Rows of the overall mean mixed into each bin, so that small bins do not shout (m-estimate, Cestnik 1990)."""

N_BOOT_BASELINE = 200
"""Resamples for a baseline's intervals: they are shown, not decided on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnModel:
    """A table of answers by the bins of one column: `edges` for a quantity, else `levels`; bin 0 is missing."""

    column: str
    edges: tuple[float, ...] | None
    levels: tuple[str, ...]
    answers: Float

    def predict(self, frame: pl.DataFrame) -> Float:
        """Return the answer of each row, shape (n_rows, n_outputs)."""
        return np.asarray(self.answers[_find_bins(frame[self.column], self.edges, self.levels)])


def judge_baselines(  # noqa: PLR0917  train and test come in pairs, always in this order
    task: Task,
    y_train: Float | Int,
    y_test: Float | Int,
    frame_train: pl.DataFrame,
    frame_test: pl.DataFrame,
    inputs: Sequence[InputColumn],
    seed: int,
) -> tuple[Baseline, ...]:
    """Measure the naive and the simple predictor on the test rows.

    Parameters
    ----------
    task : Task
    y_train, y_test : ndarray of shape (n_rows,)
    frame_train, frame_test : polars.DataFrame
    inputs : sequence of InputColumn
        Columns the model may use; only these are tried.
    seed : int

    Returns
    -------
    tuple of Baseline
        ``naive``, then ``simple`` where any column can be used and a mean or a class is asked for, not a quantile.

    Examples
    --------
    >>> frame = pl.DataFrame({"age": [20.0, 30.0, 60.0, 70.0] * 25})
    >>> y = np.array([0, 0, 1, 1] * 25)
    >>> task = Task(kind="binary", target="bought", classes=("no", "yes"), positive="yes")
    >>> found = judge_baselines(task, y, y, frame, frame, [InputColumn(name="age", kind="number")], 0)
    >>> [baseline.name for baseline in found], found[1].metrics["roc_auc"].value
    (['naive', 'simple'], 1.0)
    """
    naive = _judge_naive(task, y_train, y_test)
    if task.quantile is not None:
        return (naive,)
    simple = _judge_simple(task, y_train, y_test, (frame_train, frame_test), inputs=inputs, seed=seed)
    return (naive,) if simple is None else (naive, simple)


def _judge_naive(task: Task, y_train: Float | Int, y_test: Float | Int) -> Baseline:
    if task.kind == "regression":
        usual = find_usual_value(y_train, task.quantile)
        values = score_naive_values(y_test, usual)
        description = (
            "Always gives the usual value of the training rows (their mean; for absolute errors their median)."
            if task.quantile is None
            else f"Always gives the value that {task.quantile:.0%} of the training rows stay at or under."
        )
    else:
        codes = y_test.astype(np.int64)
        shares = find_class_shares(y_train.astype(np.int64), len(task.classes))
        values = score_naive_classes(codes, shares, flagged=float(shares[-1]))
        description = "Looks at nothing: always states how common each answer was in the training rows."
    metrics = {
        name: Measurement(
            name=name,
            value=value,
            n=len(y_test),
            unit=task.unit if name in {"rmse", "mae", "median_absolute_error", "pinball_loss"} else "",
            higher_is_better=HIGHER_IS_BETTER[name],
            method="a constant guess; no interval",
        )
        for name, value in values.items()
        if math.isfinite(value)
    }
    return Baseline(name="naive", description=description, metrics=metrics)


def _judge_simple(
    task: Task,
    y_train: Float | Int,
    y_test: Float | Int,
    frames: tuple[pl.DataFrame, pl.DataFrame],
    *,
    inputs: Sequence[InputColumn],
    seed: int,
) -> Baseline | None:
    frame_train, frame_test = frames
    best = find_best_column(task, y_train, frame_train, inputs, seed=seed)
    if best is None:
        return None
    answer = best.predict(frame_test)
    if task.kind == "regression":
        metrics = measure_regression(y_test, answer[:, 0], seed=seed, n_boot=N_BOOT_BASELINE, unit=task.unit)
    else:
        shares = find_class_shares(y_train.astype(np.int64), len(task.classes))
        metrics = measure_classification(
            y_test,
            answer,
            classes=task.classes,
            threshold=float(shares[-1]),
            seed=seed,
            n_boot=N_BOOT_BASELINE,
            shares=shares,
        )
    known = {name: item for name, item in metrics.items() if math.isfinite(item.value)}
    return Baseline(name="simple", description=f"Looks at '{best.column}' alone, in a few bins.", metrics=known)


def find_best_column(
    task: Task, y_train: Float | Int, frame_train: pl.DataFrame, inputs: Sequence[InputColumn], *, seed: int
) -> ColumnModel | None:
    """Return the table of the single column that predicts best on training rows it was not fitted on.

    Parameters
    ----------
    task, y_train, frame_train, inputs
        As for `judge_baselines`.
    seed : int
        Draws the rows and halves on which columns are compared.

    Returns
    -------
    ColumnModel or None
        Fitted on all training rows; None where no column can be binned (only free text).

    Examples
    --------
    >>> frame = pl.DataFrame({"noise": [1.0, 2.0] * 50, "age": [20.0, 30.0, 60.0, 70.0] * 25})
    >>> columns = [InputColumn(name="noise", kind="number"), InputColumn(name="age", kind="number")]
    >>> task = Task(kind="regression", target="spent")
    >>> find_best_column(task, np.array([1.0, 1.0, 9.0, 9.0] * 25), frame, columns, seed=0).column
    'age'
    """
    rng = np.random.default_rng(seed)
    usable = [column for column in inputs if column.kind != "text"]
    if len(usable) > MAX_COLUMNS:
        usable = [usable[place] for place in np.sort(rng.choice(len(usable), MAX_COLUMNS, replace=False))]
    rows = rng.permutation(frame_train.height)[:MAX_ROWS]
    if not usable or len(rows) < 2:  # noqa: PLR2004  two halves
        return None
    target = _spread_target(task, y_train)
    half = len(rows) // 2
    ends = (rows[:half], rows[half:])
    losses = []
    for column in usable:
        series = frame_train[column.name]
        loss = 0.0
        for fitting, held in (ends, ends[::-1]):
            fitted = _fit_column(column, series.gather(fitting.tolist()), target[fitting])
            loss += _measure_loss(task, target[held], fitted.predict(series.gather(held.tolist()).to_frame()))
        losses.append(loss)
    best = usable[int(np.argmin(losses))]
    return _fit_column(best, frame_train[best.name], target)


def _spread_target(task: Task, y: Float | Int) -> Float:
    """One column a class (one-hot), or the value."""
    if task.kind == "regression":
        return np.asarray(y, dtype=np.float64)[:, None]
    return np.eye(len(task.classes))[y.astype(np.int64)]


def _measure_loss(task: Task, target: Float, answer: Float) -> float:
    if task.kind == "regression":
        return float(np.sum((target - answer) ** 2))
    return float(measure_row_log_loss(np.argmax(target, axis=1), answer).sum())


def _fit_column(column: InputColumn, series: pl.Series, target: Float) -> ColumnModel:
    edges: tuple[float, ...] | None = None
    levels: tuple[str, ...] = ()
    if column.kind == "category":
        counts = series.cast(pl.String).alias("level").drop_nulls().value_counts(sort=True)
        levels = tuple(sorted(counts["level"].head(N_LEVELS).to_list()))
    else:
        values = view_as_number(series)
        values = values[np.isfinite(values)]
        edges = ()
        if len(values):
            cuts = np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:-1], method="higher")
            edges = tuple(np.unique(cuts).tolist())
    bins = _find_bins(series, edges, levels)
    n_bins = 2 + len(levels if edges is None else edges)
    overall = (target.sum(axis=0) + 0.5) / (len(target) + 0.5 * target.shape[1])
    if target.shape[1] == 1:
        overall = target.mean(axis=0)
    mass = np.bincount(bins, minlength=n_bins).astype(np.float64)[:, None]
    sums = np.stack([np.bincount(bins, weights=part, minlength=n_bins) for part in target.T], axis=1)
    answers = (sums + PRIOR_ROWS * overall) / (mass + PRIOR_ROWS)
    return ColumnModel(column=column.name, edges=edges, levels=levels, answers=answers)


def _find_bins(series: pl.Series, edges: tuple[float, ...] | None, levels: tuple[str, ...]) -> Int:
    """Place each cell: 0 is missing, the last bin of a category is every other level."""
    if edges is None:
        place = {level: code for code, level in enumerate(levels, start=1)}
        text = series.cast(pl.String)
        found = text.replace_strict(place, default=len(levels) + 1, return_dtype=pl.Int64)
        return found.set(text.is_null(), 0).to_numpy().astype(np.int64)
    values = view_as_number(series)
    bins = 1 + np.searchsorted(np.asarray(edges), values, side="right")
    return np.where(np.isnan(values), 0, bins).astype(np.int64)


def view_as_number(series: pl.Series) -> Float:
    """Return a number, boolean, date or duration column as doubles, missing cells as NaN.

    Examples
    --------
    >>> view_as_number(pl.Series([True, None])).tolist()
    [1.0, nan]
    """
    if series.dtype.is_temporal():
        series = series.to_physical()
    return np.asarray(series.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy(), dtype=np.float64)
