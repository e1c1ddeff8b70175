"""Where the model is worse: groups of test rows against all the others, with the number of looks accounted for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.baselines import view_as_number
from skiff.evaluate.intervals import LEVEL, find_wilson_interval
from skiff.evaluate.metrics import find_auc
from skiff.evaluate.ranking import find_auc_interval, find_standard_error
from skiff.evaluate.results import Slice
from skiff.evaluate.scores import HIGHER_IS_BETTER, build_score, decide_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

MIN_ROWS = 30
"""Rows a group needs: the usual floor of the normal approximation to a mean."""

MIN_OF_EACH = 5
"""Rows of each class a group needs for its ranking to be judged (binary)."""

MIN_NAMED = 5
"""A level shared by fewer rows is never named: it could point at a person."""

MAX_LEVELS = 20
MAX_SHOWN = 15
N_QUARTILES = 4
BINARY = 2
MOST_DIGITS = 17
"""As many as a double has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A named set of test rows."""

    column: str
    level: str
    rows: Mask
    is_protected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The truths and answers that groups are compared on."""

    task: Task
    y: Float | Int
    prediction: Float
    threshold: float
    groups: Int | None


def measure_slices(
    task: Task,
    y: Float | Int,
    prediction: Float,
    frame: pl.DataFrame,
    inputs: Sequence[InputColumn],
    *,
    threshold: float,
    groups: Int | None = None,
) -> tuple[Slice, ...]:
    """Compare every group with all other test rows.

    Groups are the levels of categories, yes and no, and the quarters of numbers and dates, of the model's columns and of
    the protected ones. The metric is ROC AUC (binary: it does not depend on how common the positives are in a group),
    accuracy (several classes) or the mean absolute error (numbers).

    Parameters
    ----------
    task, y, prediction, threshold
        As for `skiff.evaluate.judge.judge`.
    frame : polars.DataFrame
        Test rows.
    inputs : sequence of InputColumn
    groups : ndarray of int64, optional
        Rows that belong together count as one in the errors.

    Returns
    -------
    tuple of Slice
        All groups, worst first. The intervals of gaps keep the false coverage rate at 5 % over all groups: those of
        groups that stand out (Benjamini-Hochberg) and of the others are widened accordingly.

    References
    ----------
    Benjamini, Y. and Yekutieli, D. (2005). False discovery rate-adjusted multiple confidence intervals for selected
    parameters. JASA 100, 71-81. https://doi.org/10.1198/016214504000001907

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"shop": ["north", "south"] * 200})
    >>> y = rng.normal(size=400)
    >>> off = np.where(np.arange(400) % 2 == 0, 3.0, 0.5) * rng.normal(size=400)
    >>> found = measure_slices(Task(kind="regression", target="sold"), y, y + off, frame,
    ...                        [InputColumn(name="shop", kind="category")], threshold=0.5)
    >>> found[0].level, found[0].is_worse
    ('north', True)
    """
    judged = Judged(task=task, y=y, prediction=prediction, threshold=threshold, groups=groups)
    compared: list[tuple[Slice, float]] = []
    too_small: list[Slice] = []
    for group in find_groups(frame, inputs, protected=task.protected):
        slice_, error = _compare_group(judged, group)
        if slice_.is_too_small:
            too_small.append(slice_)
        else:
            compared.append((slice_, error))
    corrected = _correct_intervals([slice_ for slice_, _ in compared], [error for _, error in compared])
    return (*sorted(corrected, key=_find_badness, reverse=True), *too_small)


def select_slices(
    slices: Sequence[Slice], *, protected: Sequence[str], max_shown: int = MAX_SHOWN
) -> tuple[Slice, ...]:
    """Return the slices worth showing: the worst, every protected group, and the other half of a column of two, worst first.

    Where a group that does worse is one of two levels, the other one is shown beyond `max_shown`: nobody can read "no" without
    "yes".

    Examples
    --------
    >>> made = [Slice(column="age", level=str(n), n=40, metric=None, gap=None) for n in range(20)]
    >>> len(select_slices(made, protected=("age",), max_shown=3)), len(select_slices(made, protected=(), max_shown=3))
    (3, 3)
    """
    first = [place for place, slice_ in enumerate(slices) if slice_.column in protected][:max_shown]
    rest = [place for place in range(len(slices)) if place not in set(first)]
    kept = {*first, *rest[: max_shown - len(first)]}
    worse = {slices[place].column for place in kept if slices[place].is_worse}
    levels = Counter(slice_.column for slice_ in slices)
    partners = {
        place for place, slice_ in enumerate(slices) if slice_.column in worse and levels[slice_.column] == BINARY
    }
    return tuple(slices[place] for place in sorted(kept | partners))


def find_groups(frame: pl.DataFrame, inputs: Sequence[InputColumn], *, protected: Sequence[str]) -> Iterator[Group]:
    """Yield the groups of each column: levels that at least five rows share, or quarters.

    Examples
    --------
    >>> frame = pl.DataFrame({"age": list(range(100)), "plan": ["a"] * 96 + ["b"] * 4})
    >>> columns = [InputColumn(name="age", kind="number"), InputColumn(name="plan", kind="category")]
    >>> [(group.level, int(group.rows.sum())) for group in find_groups(frame, columns, protected=())]
    [('up to 24', 25), ('24 to 49', 25), ('49 to 74', 25), ('above 74', 25), ('a', 96)]
    """
    kinds = {column.name: column.kind for column in inputs if column.kind != "text"}
    names = [*(name for name in protected if name in frame.columns), *(name for name in kinds if name not in protected)]
    for name in names:
        series = frame[name]
        is_quantity = kinds.get(name) in {"number", "date"} or (
            name not in kinds and (series.dtype.is_numeric() or series.dtype.is_temporal())
        )
        found = _find_quarters(series) if is_quantity and series.n_unique() > N_QUARTILES + 1 else _find_levels(series)
        for level, rows in found:
            if not rows.all():
                yield Group(column=name, level=level, rows=rows, is_protected=name in protected)


def _find_levels(series: pl.Series) -> Iterator[tuple[str, Mask]]:
    text = series.cast(pl.String).alias("level")  # a client's column may be called like the counts
    counts = text.value_counts(sort=True)
    shared = counts.filter(pl.col("count") >= MIN_NAMED).head(MAX_LEVELS)["level"].to_list()
    for level in sorted(level for level in shared if level is not None):
        yield level, (text == level).fill_null(value=False).to_numpy()
    if None in shared:
        yield "(missing)", text.is_null().to_numpy()


def _find_quarters(series: pl.Series) -> Iterator[tuple[str, Mask]]:
    values = view_as_number(series)
    known = np.isfinite(values)
    edges = np.unique(np.quantile(values[known], [0.25, 0.5, 0.75], method="lower"))
    words = _say_edges(edges, series)
    place = np.searchsorted(edges, values, side="left")
    for code in range(len(edges) + 1):
        if code == 0:
            level = f"up to {words[0]}"
        else:
            level = f"above {words[-1]}" if code == len(edges) else f"{words[code - 1]} to {words[code]}"
        yield level, known & (place == code)
    if not known.all():
        yield "(missing)", ~known


def _say_edges(edges: Float, series: pl.Series) -> list[str]:
    """Return edges in words: as few digits as tell them apart, three at least."""
    if series.dtype.is_temporal():
        return [_say_moment(edge, series) for edge in edges]
    words = [_say_number(edge, 3) for edge in edges]
    digits = 3
    while len(set(words)) < len(words) and digits < MOST_DIGITS:
        digits += 1
        words = [_say_number(edge, digits) for edge in edges]
    return words


def _say_moment(edge: float, series: pl.Series) -> str:
    moment = pl.Series([round(edge)], dtype=pl.Int64).cast(series.to_physical().dtype).cast(series.dtype)
    return str(moment.dt.to_string("%Y-%m-%d")[0]) if series.dtype != pl.Time else str(moment[0])


def _say_number(edge: float, digits: int) -> str:
    if abs(edge) < 10**digits:
        return f"{edge:.{digits}g}"
    return f"{edge:.0f}" if abs(edge) < 10_000 else f"{edge:,.0f}"  # noqa: PLR2004  a year has no separator


def _compare_group(judged: Judged, group: Group) -> tuple[Slice, float]:
    inside = group.rows
    n = int(inside.sum())
    name = _name_metric(judged.task)
    small = Slice(column=group.column, level=group.level, n=n, metric=None, gap=None, is_too_small=True)
    if _is_too_small(judged, inside) or _is_too_small(judged, ~inside):
        return small, math.nan
    metric, error = _measure_part(judged, inside, name)
    rest, rest_error = _measure_part(judged, ~inside, name)
    value = metric.value - rest.value
    if not math.isfinite(value):
        return small, math.nan
    gap = Measurement(
        name=f"{name}_gap",
        value=value,
        n=n,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        baseline=0.0,
        method="group minus all other rows; false coverage rate over all groups 5 % (Benjamini and Yekutieli 2005)",
    )
    made = replace(small, metric=metric, gap=gap, is_too_small=False, metrics=_measure_others(judged, inside, metric))
    return made, math.hypot(error, rest_error)


def _name_metric(task: Task) -> str:
    if task.quantile is not None:
        return "pinball_loss"
    return {"binary": "roc_auc", "multiclass": "accuracy", "regression": "mae"}[task.kind]


def _is_too_small(judged: Judged, rows: Mask) -> bool:
    n = int(rows.sum())
    if n < MIN_ROWS:
        return True
    if judged.task.kind != "binary":
        return False
    positives = int(np.sum(judged.y[rows] == 1))
    return min(positives, n - positives) < MIN_OF_EACH


def _measure_part(judged: Judged, rows: Mask, name: str) -> tuple[Measurement, float]:
    """Return the metric on some rows, and a standard error that is never 0."""
    y, prediction = judged.y[rows], judged.prediction[rows]
    groups = None if judged.groups is None else judged.groups[rows]
    n = len(y)
    if name == "roc_auc":
        value, error, n_positive = find_auc(y.astype(np.int64), prediction, groups)
        low, high = find_auc_interval(value, error, n_positive=n_positive, n_negative=n - n_positive)
        error = error or (high - low) / 2 / float(ndtri(0.5 + LEVEL / 2))
        return _build(name, value, (low, high), n=n, method="DeLong et al. 1988"), error
    if name == "accuracy":
        hit = decide_labels(prediction, judged.threshold) == y
        # Two hits and two misses are added to the error, not to the value (Agresti and Caffo 2000).
        share = (float(hit.sum()) + 1) / (n + 2)
        error = math.sqrt(share * (1 - share) / (n + 2))
        if groups is not None:
            error = max(error, find_standard_error((hit - hit.mean()) / n, groups))
            half = float(ndtri(0.5 + LEVEL / 2)) * error
            ends = max(0.0, float(hit.mean()) - half), min(1.0, float(hit.mean()) + half)
            return _build(name, float(hit.mean()), ends, n=n, method="normal approximation over groups"), error
        return _build(
            name, float(hit.mean()), find_wilson_interval(int(hit.sum()), n), n=n, method="Wilson 1927"
        ), error
    off = np.abs(y - prediction)
    if name == "pinball_loss" and judged.task.quantile is not None:
        off = np.where(y > prediction, judged.task.quantile, 1 - judged.task.quantile) * off
    error = find_standard_error((off - off.mean()) / n, groups) * math.sqrt(n / max(n - 1, 1))
    half = float(ndtri(0.5 + LEVEL / 2)) * error
    value = float(off.mean())
    made = _build(name, value, (max(0.0, value - half), value + half), n=n, method="normal approximation")
    return replace(made, unit=judged.task.unit), error


def _build(name: str, value: float, interval: tuple[float, float], *, n: int, method: str) -> Measurement:
    return Measurement(
        name=name,
        value=value,
        low=interval[0],
        high=interval[1],
        n=n,
        higher_is_better=HIGHER_IS_BETTER.get(name),
        method=method,
    )


def _measure_others(judged: Judged, rows: Mask, metric: Measurement) -> dict[str, Measurement]:
    """Measure what criteria may ask of a group: rates of right, caught, clean and flagged rows, or errors."""
    y, prediction = judged.y[rows], judged.prediction[rows]
    found = {metric.name: metric}
    if judged.task.kind == "regression":
        unit = judged.task.unit
        values = {name: build_score(name, y, prediction).value() for name in ("mae", "rmse", "median_absolute_error")}
        plain = "no interval: used by criteria only"
        return found | {
            name: Measurement(name=name, value=value, n=len(y), unit=unit, higher_is_better=False, method=plain)
            for name, value in values.items()
        }
    labels = decide_labels(prediction, judged.threshold)
    hit = labels == y
    counted: dict[str, tuple[Mask, Mask]] = {"accuracy": (hit, np.ones(len(y), dtype=bool))}
    if judged.task.kind == "binary":
        flagged, is_positive = labels == 1, y == 1
        everyone = np.ones(len(y), dtype=bool)
        counted |= {
            "recall": (flagged, is_positive),
            "precision": (is_positive, flagged),
            "false_positive_rate": (flagged, ~is_positive),
            "selection_rate": (flagged, everyone),
        }
    for name, (good, among) in counted.items():
        n, hits = int(among.sum()), int(np.sum(good & among))
        if n >= MIN_OF_EACH:
            found[name] = _build(name, hits / n, find_wilson_interval(hits, n), n=n, method="Wilson 1927")
    return found


def _correct_intervals(slices: list[Slice], errors: list[float]) -> list[Slice]:
    """Widen the gaps' intervals for the number of groups, so that selected groups are right at the stated rate."""
    if not slices:
        return []
    gaps = np.array([slice_.gap.value if slice_.gap else 0.0 for slice_ in slices])
    spread = np.maximum(np.asarray(errors), 1e-12)
    p_values = 2 * ndtr(-np.abs(gaps) / spread)
    m = len(slices)
    alpha = 1 - LEVEL
    ranked = np.sort(p_values)
    passing = np.flatnonzero(ranked <= alpha * np.arange(1, m + 1) / m)
    n_selected = int(passing[-1]) + 1 if len(passing) else 0
    made = []
    for slice_, gap, error, p_value in zip(slices, gaps, spread, p_values, strict=True):
        is_selected = n_selected > 0 and p_value <= ranked[n_selected - 1]
        level = 1 - alpha * (n_selected if is_selected else min(n_selected + 1, m)) / m
        half = float(ndtri(0.5 + level / 2)) * float(error)
        if slice_.gap is None:
            continue
        widened = replace(slice_.gap, low=float(gap) - half, high=float(gap) + half)
        made.append(replace(slice_, gap=widened, is_worse=bool(is_selected and _is_bad(widened))))
    return made


def _is_bad(gap: Measurement) -> bool:
    return gap.value < 0 if gap.higher_is_better else gap.value > 0


def _find_badness(slice_: Slice) -> tuple[bool, float]:
    """Order by whether a group is surely worse, then by how far its interval reaches to the bad side of nothing."""
    gap = slice_.gap
    if gap is None:
        return False, -math.inf
    return slice_.is_worse, -gap.value if gap.higher_is_better else gap.value
