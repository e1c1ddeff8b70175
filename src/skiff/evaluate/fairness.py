"""How the answers fall on the groups of protected columns: rates with intervals, what cannot hold at once, and proxies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from scipy.special import ndtri
from scipy.stats import t as student

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.associations import count_pairs, measure_correlation_ratio, measure_cramers_v
from skiff.evaluate.conformal import measure_coverage
from skiff.evaluate.intervals import LEVEL
from skiff.evaluate.ranking import find_standard_error
from skiff.evaluate.results import Fairness, GroupRates, Proxy, Tradeoff
from skiff.evaluate.scores import decide_labels
from skiff.evaluate.slices import find_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

MIN_ROWS = 30
"""Rows of a group, and rows behind a rate, from which it is told: below, a rate's interval is wider than 35 points
(Wilson 1927, at one half)."""

MAX_PROXY_ROWS = 20_000
MAX_PROXY_LEVELS = 50
MIN_PROXY = 0.2
"""Strength from which a column is told as a proxy: it shares 4 % of the variation with the protected one; Cohen (1988,
Statistical power analysis, ch. 7) calls 0.1 small and 0.3 medium."""

MOST_PROXIES = 5


def measure_fairness(
    task: Task,
    y: Float | Int,
    prediction: Float,
    *,
    frame_test: pl.DataFrame,
    frame_train: pl.DataFrame,
    inputs: Sequence[InputColumn],
    threshold: float,
    together: Int | None = None,
) -> Fairness | None:
    """Measure what the model does to the groups of each protected column; None where none is named.

    Parameters
    ----------
    task : Task
        Names the protected columns, which the model has not learned from.
    y : ndarray of shape (n_rows,)
        Class codes or values of the sealed rows.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
    frame_test, frame_train : polars.DataFrame
        The sealed rows, and those the model learned from (proxies are looked for there).
    inputs : sequence of InputColumn
        Columns the model takes.
    threshold : float
    together : ndarray of int64, shape (n_rows,), optional
        Rows that belong together: they count as one in the ranges.

    Returns
    -------
    Fairness or None
        With two classes, each group has ``base_rate``, ``selection_rate``, ``recall``, ``false_positive_rate`` and
        ``precision``; with several classes ``accuracy``; with numbers ``mean_error`` (positive: predicted too high) and
        ``mae``. A rate of fewer than 30 rows is left out.

    Notes
    -----
    Proportions have Wilson intervals, mean errors Student's. Nothing here says whether a difference is right or wrong:
    that is for people who know what the answers are for.

    References
    ----------
    Chouldechova, A. (2017). Fair prediction with disparate impact. Big Data 5(2), https://doi.org/10.1089/big.2016.0047.
    Kleinberg, J., Mullainathan, S. and Raghavan, M. (2017). Inherent trade-offs in the fair determination of risk scores.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"sex": ["f", "m"] * 300})
    >>> y = (rng.uniform(size=600) < np.where(np.arange(600) % 2, 0.6, 0.3)).astype(np.int64)
    >>> p = np.clip(0.2 + 0.5 * y + rng.uniform(-0.2, 0.2, size=600), 0, 1)
    >>> task = Task(kind="binary", target="hired", classes=("no", "yes"), positive="yes", protected=("sex",))
    >>> found = measure_fairness(task, y, np.stack([1 - p, p], axis=1), frame_test=frame, frame_train=frame, inputs=(),
    ...                          threshold=0.5)
    >>> [(group.level, group.n, round(group.rates["base_rate"].value, 2)) for group in found.groups]
    [('f', 300, 0.26), ('m', 300, 0.6)]
    """
    named = [name for name in task.protected if name in frame_test.columns]
    if not named:
        return None
    groups: list[GroupRates] = []
    for group in find_groups(frame_test.select(named), (), protected=named):
        n = int(group.rows.sum())
        rates = (
            {}
            if n < MIN_ROWS
            else _measure_rates(
                task,
                y[group.rows],
                prediction[group.rows],
                threshold,
                None if together is None else together[group.rows],
            )
        )
        groups.append(GroupRates(column=group.column, level=group.level, n=n, rates=rates))
    return Fairness(
        groups=tuple(groups),
        ratios={name: ratio for name in named if (ratio := _compare_selection(name, groups)) is not None},
        tradeoffs=tuple(
            found
            for name in named
            if (found := find_tradeoff([one for one in groups if one.column == name])) is not None
        ),
        proxies=tuple(find_proxies(frame_train, named, [column.name for column in inputs])),
    )


def find_tradeoff(groups: Sequence[GroupRates]) -> Tradeoff | None:
    """Return what equal precision and recall would ask of the groups with the lowest and the highest base rate.

    With base rate p, recall r and precision v, the false positive rate must be ``p / (1 - p) * (1 - v) / v * r``
    (Chouldechova 2017, eq. 2.6): at equal r and v it differs wherever p does. None where fewer than two groups have all
    three, or where the ranges of their base rates touch.

    Examples
    --------
    >>> def rate(name, value):
    ...     return Measurement(name=name, value=value, low=value - 0.01, high=value + 0.01, n=500)
    >>> def group(level, base):
    ...     rates = {"base_rate": base, "recall": 0.7, "precision": 0.7}
    ...     return GroupRates(column="sex", level=level, n=500, rates={name: rate(name, v) for name, v in rates.items()})
    >>> found = find_tradeoff([group("f", 0.1), group("m", 0.3)])
    >>> round(found.false_positive_rates[0], 3), round(found.false_positive_rates[1], 3)
    (0.033, 0.129)
    """
    whole = [group for group in groups if {"base_rate", "recall", "precision"} <= set(group.rates)]
    if len(whole) < 2:  # noqa: PLR2004  a difference needs two
        return None
    low = min(whole, key=lambda group: group.rates["base_rate"].value)
    high = max(whole, key=lambda group: group.rates["base_rate"].value)
    base = [group.rates["base_rate"] for group in (low, high)]
    if base[0].high is None or base[1].low is None or base[0].high >= base[1].low:
        return None
    weights = [group.n for group in (low, high)]
    recall, precision = (
        float(np.average([group.rates[name].value for group in (low, high)], weights=weights))
        for name in ("recall", "precision")
    )
    if not 0 < precision < 1 or not recall:
        return None
    odds = [found.value / (1 - found.value) if found.value < 1 else math.inf for found in base]
    implied = tuple(one * (1 - precision) / precision * recall for one in odds)
    return Tradeoff(
        column=low.column,
        levels=(low.level, high.level),
        base_rates=(base[0].value, base[1].value),
        recall=recall,
        precision=precision,
        false_positive_rates=(implied[0], implied[1]),
    )


def find_proxies(frame: pl.DataFrame, protected: Sequence[str], inputs: Sequence[str]) -> Iterator[Proxy]:
    """Yield the columns of the model that tell most of a protected one, the strongest first, five for each.

    Two categories are compared by Cramér's V without its bias, a number by the correlation ratio, on 20,000 rows at most.

    Examples
    --------
    >>> frame = pl.DataFrame({"sex": ["f", "m"] * 100, "title": ["Ms", "Mr"] * 100, "shoe": [38, 43] * 100, "day": [1, 2, 3, 4] * 50})
    >>> [(found.by, round(found.strength.value, 2)) for found in find_proxies(frame, ["sex"], ["title", "shoe"])]
    [('shoe', 1.0), ('title', 1.0)]
    """
    sample = frame.gather_every(max(1, -(-frame.height // MAX_PROXY_ROWS)))
    for name in protected:
        if name not in sample.columns:
            continue
        codes = _code(sample[name])
        if codes is None:
            continue
        found = [
            Proxy(column=name, by=other, strength=strength)
            for other in inputs
            if other != name
            and other in sample.columns
            and (strength := _measure_strength(codes, sample[other])) is not None
            and strength.value >= MIN_PROXY
            and (strength.low or 0.0) > 0
        ]
        yield from sorted(found, key=lambda proxy: (-proxy.strength.value, proxy.by))[:MOST_PROXIES]


def _code(series: pl.Series) -> Int | None:
    """Return levels as codes, -1 where missing; quarters of a quantity; None where there are too many, or one."""
    if series.dtype.is_nested():
        return None
    if series.n_unique() > MAX_PROXY_LEVELS and (series.dtype.is_numeric() or series.dtype.is_temporal()):
        series = series.to_physical().cast(pl.Float64).qcut(4, allow_duplicates=True)
    levels = series.drop_nulls().n_unique()
    if not 2 <= levels <= MAX_PROXY_LEVELS:  # noqa: PLR2004  one level goes with everything
        return None
    ranked = series.cast(pl.String).rank("dense").to_numpy()  # null stays null: NaN
    codes: Int = np.nan_to_num(ranked, nan=0.0).astype(np.int64) - 1
    return codes


def _measure_strength(codes: Int, series: pl.Series) -> Measurement | None:
    if series.dtype.is_numeric() and series.n_unique() > 2:  # noqa: PLR2004  yes and no is a category
        numbers = series.cast(pl.Float64).to_numpy()
        known = np.isfinite(numbers) & (codes >= 0)
        return None if int(known.sum()) < MIN_ROWS else measure_correlation_ratio(numbers[known], codes[known])
    other = _code(series)
    if other is None:
        return None
    known = (codes >= 0) & (other >= 0)
    if int(known.sum()) < MIN_ROWS:
        return None
    table = count_pairs(codes[known], other[known])
    return measure_cramers_v(table) if min(table.shape) > 1 else None


def _measure_rates(
    task: Task, y: Float | Int, prediction: Float, threshold: float, together: Int | None
) -> Mapping[str, Measurement]:
    if task.kind == "regression":
        errors = np.asarray(prediction - y, dtype=np.float64)
        return {
            "mean_error": _measure_mean("mean_error", errors, task.unit, together),
            "mae": _measure_mean("mae", np.abs(errors), task.unit, together),
        }
    flagged = decide_labels(prediction, threshold)
    if task.kind == "multiclass":
        return {"accuracy": _measure_share("accuracy", flagged == y, together)}
    is_true, is_flagged = y == 1, flagged == 1
    every = np.ones(len(is_true), dtype=bool)
    parts = {
        "base_rate": (is_true, every),
        "selection_rate": (is_flagged, every),
        "recall": (is_flagged, is_true),
        "false_positive_rate": (is_flagged, ~is_true),
        "precision": (is_true, is_flagged),
    }
    return {
        name: _measure_share(name, hits[among], None if together is None else together[among])
        for name, (hits, among) in parts.items()
        if int(among.sum()) >= MIN_ROWS
    }


def _measure_share(name: str, hits: Mask, together: Int | None) -> Measurement:
    found = measure_coverage(hits, promised=0.0, name=name, groups=together)
    return replace(found, unit="rate", baseline=None)


def _measure_mean(name: str, values: Float, unit: str, together: Int | None) -> Measurement:
    n, mean = len(values), float(values.mean())
    n_alone = n if together is None else len(np.unique(together))
    error = find_standard_error((values - mean) / math.sqrt(n * max(n - 1, 1)), together)
    half = float(student.ppf(0.5 + LEVEL / 2, max(n_alone - 1, 1))) * error
    return Measurement(name=name, value=mean, low=mean - half, high=mean + half, n=n, unit=unit, method="Student's t")


def _compare_selection(column: str, groups: Sequence[GroupRates]) -> Measurement | None:
    """Return the lowest selection rate of a column's groups over the highest, with the interval of the log ratio.

    References
    ----------
    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474. The picked groups are the extremes, so the ratio errs to the low side.
    """
    found = [
        group.rates["selection_rate"] for group in groups if group.column == column and "selection_rate" in group.rates
    ]
    if len(found) < 2:  # noqa: PLR2004  a ratio needs two
        return None
    low, high = min(found, key=lambda one: one.value), max(found, key=lambda one: one.value)
    if not high.value or low.n is None or high.n is None:
        return None  # nobody is flagged at all
    ratio = low.value / high.value
    if not low.value:  # the logarithm has no end here: the ends of both rates' ranges are the widest the ratio can be
        return Measurement(
            name="selection_ratio", value=0.0, low=0.0, high=min(1.0, (low.high or 0.0) / (high.low or 1.0)), n=low.n + high.n,
            unit="rate", method="ends of both Wilson ranges",
        )  # fmt: skip
    spread = math.sqrt((1 - low.value) / (low.value * low.n) + (1 - high.value) / (high.value * high.n))
    reach = math.exp(float(ndtri(0.5 + LEVEL / 2)) * spread)
    return Measurement(
        name="selection_ratio", value=ratio, low=ratio / reach, high=min(1.0, ratio * reach), n=low.n + high.n,
        unit="rate", method="Katz et al. 1978",
    )  # fmt: skip
