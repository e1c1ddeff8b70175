"""What was promised at release and what was delivered, once outcomes are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.bins import place_rows
from skiff.evaluate.intervals import find_wilson_interval
from skiff.evaluate.metrics import find_auc, measure_classification, measure_regression
from skiff.evaluate.naive import find_usual_value
from skiff.evaluate.ranking import find_auc_interval
from skiff.evaluate.scores import decide_labels
from skiff.monitor.chances import find_worse_chance
from skiff.monitor.harm import Z
from skiff.monitor.reference import Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MIN_OUTCOMES = 50
"""Outcomes a window needs before quality is delivered in numbers."""

MIN_OF_EACH = 10
"""Rows of each answer below which a ranking is not measured (as at release, `skiff.evaluate.metrics`)."""

MIN_SLICE = 30
"""Outcomes a group needs, as for groups at release (`skiff.evaluate.slices`)."""

MAX_ROWS = 50_000
"""Newest outcomes that are measured: their interval is narrower than any promise, and more would only cost time."""

N_BOOT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Promise and outcome of one metric.

    Parameters
    ----------
    name : str
    n_outcomes : int
    promised, delivered, expected : Measurement or None
        At release; on the window's outcomes; estimated on the very rows that have outcomes, without looking at them.
    chance_worse : float
        How often chance alone would deliver this much less than was promised.
    chance_concept : float
        How often it would deliver this much less than the answers themselves led to expect.
    metrics : mapping of str to Measurement
    """

    name: str
    n_outcomes: int
    promised: Measurement | None = None
    delivered: Measurement | None = None
    expected: Measurement | None = None
    chance_worse: float = 1.0
    chance_concept: float = 1.0
    metrics: Mapping[str, Measurement] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseGroup:
    """A group of rows: its errors in the window beside those of the same group at release."""

    column: str
    level: str
    n: int
    wrong: float
    wrong_before: float
    chance: float


def compare_promise(
    name: str,
    promised: Measurement | None,
    metrics: Mapping[str, Measurement],
    *,
    n_outcomes: int,
    expected: Measurement | None = None,
) -> Delivered:
    """Hold what was delivered against what was promised, and against what the answers led to expect.

    Examples
    --------
    >>> promised = Measurement(name="roc_auc", value=0.81, low=0.77, high=0.85, n=412, higher_is_better=True)
    >>> now = Measurement(name="roc_auc", value=0.74, low=0.70, high=0.78, n=500, higher_is_better=True)
    >>> made = compare_promise("roc_auc", promised, {"roc_auc": now}, n_outcomes=500)
    >>> say_promise(made), made.chance_worse < 0.01
    ('promised 0.81 (0.77–0.85), delivered 0.74 (0.70–0.78)', True)
    """
    found = metrics.get(name)
    made = Delivered(
        name=name, n_outcomes=n_outcomes, promised=promised, delivered=found, expected=expected, metrics=metrics
    )
    if found is None:
        return made
    return replace(
        made,
        chance_worse=find_shortfall_chance(found, promised) if promised else 1.0,
        # The expectation's interval holds the chance of the outcomes already.
        chance_concept=find_shortfall_chance(replace(found, low=found.value, high=found.value), expected)
        if expected
        else 1.0,
    )


def find_shortfall_chance(now: Measurement, before: Measurement) -> float:
    """Return the one-sided chance that `now` is this much worse than `before`, from both intervals.

    The half of each interval that faces the other is taken as 1.96 standard errors.
    """
    if None in (now.low, now.high, before.low, before.high) or not math.isfinite(now.value):
        return 1.0
    sign = -1.0 if now.higher_is_better else 1.0
    gap = sign * (now.value - before.value)
    if now.higher_is_better:
        errors = ((now.high or 0.0) - now.value, before.value - (before.low or 0.0))
    else:
        errors = (now.value - (now.low or 0.0), (before.high or 0.0) - before.value)
    return find_worse_chance(gap, math.hypot(*errors) / Z)


def say_promise(made: Delivered) -> str:
    """Return promise and delivery in one line; what is not known yet is said to be unknown."""
    promised = "no promise was made" if made.promised is None else f"promised {say_number(made.promised)}"
    if made.delivered is None:
        return f"{promised}, not enough outcomes yet ({made.n_outcomes:,} of {MIN_OUTCOMES})"
    return f"{promised}, delivered {say_number(made.delivered)}"


MIN_SHOWN_WIDTH = 0.01
"""A narrower interval is written with more than two decimals."""


def say_number(found: Measurement) -> str:
    """Return a number with its interval, in as many digits as the interval allows.

    Examples
    --------
    >>> say_number(Measurement(name="mae", value=1234.5, low=1200.0, high=1270.0, unit="EUR"))
    '1,234 EUR (1,200–1,270)'
    >>> say_number(Measurement(name="rmse", value=0.0312, low=0.0301, high=0.0325))
    '0.031 (0.030–0.033)'
    """
    digits = 2 if abs(found.value) < 10 else 1 if abs(found.value) < 100 else 0  # noqa: PLR2004  three figures tell enough
    if found.low is not None and found.high is not None and 0 < found.high - found.low < MIN_SHOWN_WIDTH:
        digits = math.ceil(-math.log10(found.high - found.low))  # two ends that are not the same must not look the same
    unit = f" {found.unit}" if found.unit else ""
    between = "" if found.low is None or found.high is None else f" ({found.low:,.{digits}f}–{found.high:,.{digits}f})"
    return f"{found.value:,.{digits}f}{unit}{between}"


def measure_delivered(
    task: Task, y: Float | Int, prediction: Float, *, threshold: float, seed: int, headline: str = ""
) -> dict[str, Measurement]:
    """Measure the newest outcomes; nothing with fewer than `MIN_OUTCOMES`.

    Where the ranking leads, only it and the share of right answers are measured: both have intervals in closed form.
    """
    if len(y) < MIN_OUTCOMES:
        return {}
    y, prediction = y[-MAX_ROWS:], prediction[-MAX_ROWS:]
    if task.kind == "binary" and headline == "roc_auc":
        return _measure_ranking(y.astype(np.int64), prediction, threshold)
    if task.kind == "regression":
        usual = find_usual_value(y, task.quantile)
        return measure_regression(
            y.astype(np.float64), prediction, unit=task.unit, seed=seed, n_boot=N_BOOT, usual=usual
        )
    return measure_classification(
        y.astype(np.int64), prediction, classes=task.classes, threshold=threshold, seed=seed, n_boot=N_BOOT
    )


def _measure_ranking(y: Int, prob: Float, threshold: float) -> dict[str, Measurement]:
    n, positives = len(y), int((y == 1).sum())
    right = int((decide_labels(prob, threshold) == y).sum())
    low, high = find_wilson_interval(right, n)
    found = {
        "accuracy": Measurement(
            name="accuracy", value=right / n, low=low, high=high, n=n, higher_is_better=True, method="Wilson 1927"
        )
    }
    if min(positives, n - positives) >= MIN_OF_EACH:
        auc, error, _ = find_auc(y, prob)
        low, high = find_auc_interval(auc, error, n_positive=positives, n_negative=n - positives)
        found["roc_auc"] = Measurement(
            name="roc_auc",
            value=auc,
            low=low,
            high=high,
            n=n,
            higher_is_better=True,
            method="DeLong et al. 1988",
            baseline=0.5,
        )
    return found


def find_worse_groups(
    frame: pl.DataFrame, y: Float | Int, prediction: Float, reference: Reference, *, kind: str, threshold: float
) -> tuple[WorseGroup, ...]:
    """Compare the errors of every group with those of the same group on the sealed rows.

    Groups are the bins of the release: tenths of numbers, levels that at least five rows shared.

    Returns
    -------
    tuple of WorseGroup
        All groups that could be judged, the least likely first; `chance` is one-sided and not corrected for their number.
    """
    wrong = np.abs(y - prediction) if kind == "regression" else (decide_labels(prediction, threshold) != y) * 1.0
    found = []
    for column in reference.columns:
        if column.bins is None or column.name not in frame.columns or not len(column.test):
            continue
        bins = column.bins
        places = place_rows(frame[column.name], bins)
        rows = np.bincount(places, minlength=bins.n_bins)
        sums = np.bincount(places, weights=wrong, minlength=bins.n_bins)
        squares = np.bincount(places, weights=wrong**2, minlength=bins.n_bins)
        for place in np.flatnonzero((rows >= MIN_SLICE) & (column.test >= MIN_SLICE)):
            n, m = float(rows[place]), float(column.test[place])
            mean, before = float(sums[place] / n), float(column.wrong[place])
            spread = max(float(squares[place] / n - mean**2), 0.0)
            spread_before = float(column.wrong_sd[place]) ** 2
            if kind != "regression":
                # The variance of both together, with a row of each answer added (Agresti and Caffo 2000).
                pooled = (mean * n + before * m + 1) / (n + m + 2)
                spread = spread_before = pooled * (1 - pooled)
            error = math.sqrt(spread / n + spread_before / m)
            found.append(
                WorseGroup(
                    column=column.name,
                    level=bins.name(int(place)),
                    n=int(n),
                    wrong=mean,
                    wrong_before=before,
                    chance=find_worse_chance(mean - before, error),
                )
            )
    return tuple(sorted(found, key=lambda item: item.chance))
