"""Whether ranges and sets hold what they promise on rows the model has never seen, for each group too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.evaluate.conformal import measure_coverage
from skiff.evaluate.intervals import LEVEL
from skiff.evaluate.ranking import find_effective_size, find_standard_error
from skiff.evaluate.results import GroupCoverage, Kept, SizeBin
from skiff.evaluate.slices import MIN_ROWS, Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

MAX_GROUPS = 20
N_SIZES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What was promised about each test row's answer.

    Parameters
    ----------
    coverage : float
    low, high : ndarray of shape (n_rows,), or None
        Ranges of numbers.
    in_set : ndarray of bool, shape (n_rows, n_classes), or None
        Classes that cannot be ruled out.
    reviewed : ndarray of bool, shape (n_rows,), or None
        Rows that a person should look at.
    """

    coverage: float
    low: Float | None = None
    high: Float | None = None
    in_set: Mask | None = None
    reviewed: Mask | None = None


def judge_promises(
    y: Float,
    promised: Promised,
    groups: Sequence[Group],
    *,
    unit: str = "",
    classes: Sequence[str] = (),
    together: Int | None = None,
) -> Kept:
    """Measure coverage over all rows, for each true class and in each group, how wide ranges or how large sets are, and the share reviewed.

    Groups are those of `skiff.evaluate.slices.find_groups`; those with fewer than 30 rows are named as too small. Whether a group
    falls short is judged at a level corrected for the number of groups (Bonferroni). With `together`, the code of what each row belongs
    to (a customer, a storm), rows of one count as one.

    Examples
    --------
    >>> y = np.arange(100.0)
    >>> found = judge_promises(y, Promised(coverage=0.9, low=y - 1, high=np.where(y < 95, y + 1, y - 0.5)), [])
    >>> found.coverage.value, found.size.value
    (0.95, 1.925)
    """
    inside = _find_inside(y, promised)
    judged = [group for group in groups if int(group.rows.sum()) >= MIN_ROWS]
    level = 1 - (1 - LEVEL) / max(len(judged), 1)
    by_group = [_judge_group(group, inside, promised.coverage, level, together) for group in groups]
    worst = sorted(by_group, key=lambda found: (not found.falls_short, not found.is_too_small, found.coverage.value))
    return Kept(
        coverage=measure_coverage(inside, promised=promised.coverage, groups=together),
        size=_measure_size(promised, unit),
        groups=tuple(worst[:MAX_GROUPS]),
        n_groups=len(by_group),
        classes=_judge_classes(y, classes, inside, promised.coverage, together) if promised.in_set is not None else (),
        review_share=None if promised.reviewed is None else measure_coverage_of(promised.reviewed),
    )


def measure_coverage_of(reviewed: Mask) -> Measurement:
    """Return the share of rows that a person should look at."""
    found = measure_coverage(reviewed, promised=0.0, name="review_share")
    return replace(found, baseline=None)


def measure_sizes(
    y: Float, pred: Float, promised: Promised | None, *, unit: str = "", together: Int | None = None
) -> tuple[SizeBin, ...]:
    """Return errors and coverage by the size of the prediction, in five bins of equal numbers of rows; `together` as in `judge_promises`.

    Examples
    --------
    >>> pred = np.arange(100.0)
    >>> [found.error.value for found in measure_sizes(pred + np.where(pred < 80, 1.0, 5.0), pred, None)]
    [1.0, 1.0, 1.0, 1.0, 5.0]
    """
    edges = np.unique(np.quantile(pred, np.arange(1, N_SIZES) / N_SIZES)) if len(pred) else np.empty(0)
    place = np.searchsorted(edges, pred, side="right")
    inside = None if promised is None or promised.low is None else _find_inside(y, promised)
    found = []
    for code in range(len(edges) + 1):
        rows = place == code
        if int(rows.sum()) < MIN_ROWS // 2:
            continue
        off = np.abs(y - pred)[rows]
        own = None if together is None else together[rows]
        half = 1.96 * find_standard_error((off - off.mean()) / max(len(off) - 1, 1) ** 0.5 / len(off) ** 0.5, own)
        found.append(
            SizeBin(
                low=float(pred[rows].min()),
                high=float(pred[rows].max()),
                error=Measurement(
                    name="mae",
                    value=float(off.mean()),
                    low=max(float(off.mean()) - half, 0.0),
                    high=float(off.mean()) + half,
                    n=len(off),
                    unit=unit,
                    higher_is_better=False,
                    method="normal approximation",
                ),
                bias=float(np.mean(pred[rows] - y[rows])),
                coverage=None
                if inside is None or promised is None
                else measure_coverage(inside[rows], promised=promised.coverage, groups=own),
            )
        )
    return tuple(found)


def _find_inside(y: Float, promised: Promised) -> Mask:
    if promised.low is not None and promised.high is not None:
        return np.asarray((promised.low <= y) & (y <= promised.high))
    if promised.in_set is not None:
        return np.asarray(promised.in_set[np.arange(len(y)), y.astype(np.int64)])
    return np.ones(len(y), dtype=bool)


def _judge_classes(
    y: Float, classes: Sequence[str], inside: Mask, promised: float, together: Int | None
) -> tuple[GroupCoverage, ...]:
    groups = [Group(column="", level=name, rows=y == code, is_protected=False) for code, name in enumerate(classes)]
    present = [group for group in groups if group.rows.any()]
    level = 1 - (1 - LEVEL) / max(sum(int(group.rows.sum()) >= MIN_ROWS for group in present), 1)
    return tuple(_judge_group(group, inside, promised, level, together) for group in present)


def _judge_group(group: Group, inside: Mask, promised: float, level: float, together: Int | None) -> GroupCoverage:
    hits, own = inside[group.rows], None if together is None else together[group.rows]
    found = measure_coverage(hits, promised=promised, groups=own)
    is_small = len(hits) < MIN_ROWS
    return GroupCoverage(
        column=group.column,
        level=group.level,
        coverage=found,
        is_too_small=is_small,
        falls_short=not is_small and _is_surely_below(found.value, find_effective_size(hits, own), promised, level),
    )


def _is_surely_below(share: float, n: float, promised: float, level: float) -> bool:
    """Whether a group's coverage lies below the promise at a level that allows for all groups looked at (Wilson's test)."""
    error = float(np.sqrt(promised * (1 - promised) / n))
    return share - promised < -float(ndtri(0.5 + level / 2)) * error


def _measure_size(promised: Promised, unit: str) -> Measurement | None:
    if promised.low is not None and promised.high is not None:
        widths = promised.high - promised.low
        name, mine = "range_width", unit
    elif promised.in_set is not None:
        widths, name, mine = promised.in_set.sum(axis=1).astype(np.float64), "set_size", "classes"
    else:
        return None
    return Measurement(
        name=name,
        value=round(float(np.mean(widths)), 9) if len(widths) else float("nan"),
        n=len(widths),
        unit=mine,
        higher_is_better=False,
        method="mean over the test rows",
    )
