"""How well scores rank: ROC AUC with its variance, and the curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import expit, logit, ndtri

from skiff.evaluate.intervals import LEVEL, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Bool: TypeAlias = NDArray[np.bool_]

DELONG = "DeLong et al. 1988 (fast form of Sun and Xu 2014), on the logit scale"
OBUCHOWSKI = "Obuchowski 1997 (DeLong over groups), on the logit scale"


def rank_midpoints(values: Float) -> Float:
    """Return the ranks from 1, ties sharing the middle of theirs.

    Examples
    --------
    >>> rank_midpoints(np.array([0.2, 0.7, 0.2])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    return np.asarray((ends - (count - 1) / 2)[place], dtype=np.float64)


def split_auc(is_positive: NDArray[np.bool_], score: Float) -> tuple[float, Float]:
    """Return the ROC AUC and each row's part in its error.

    The parts are DeLong's structural components around the AUC, scaled so that the sum of their squares is DeLong's
    variance. Differences of two models' parts give the variance of the difference, sums over groups that of
    grouped rows. Time O(n log n), memory O(n).

    Parameters
    ----------
    is_positive : ndarray of bool, shape (n_rows,)
        At least one of each kind; a kind with a single row contributes no variance.
    score : ndarray of shape (n_rows,)

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44, 837-845. https://doi.org/10.2307/2531595
    Sun, X. and Xu, W. (2014). Fast implementation of DeLong's algorithm. IEEE Signal Processing Letters 21, 1389-1393.
    https://doi.org/10.1109/LSP.2014.2337313

    Examples
    --------
    >>> auc, _ = split_auc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8]))
    >>> auc
    0.75
    """
    m = int(is_positive.sum())
    n = len(score) - m
    if m == 0 or n == 0:
        return math.nan, np.zeros(len(score))
    overall = rank_midpoints(score)
    placement = np.empty(len(score))
    placement[is_positive] = (overall[is_positive] - rank_midpoints(score[is_positive])) / n
    placement[~is_positive] = 1 - (overall[~is_positive] - rank_midpoints(score[~is_positive])) / m
    auc = float(placement[is_positive].mean())
    scale = np.where(is_positive, math.sqrt(m * max(m - 1, 1)), math.sqrt(n * max(n - 1, 1)))
    return auc, (placement - auc) / scale


def find_standard_error(parts: Float, groups: Int | None = None) -> float:
    """Return the standard error from each row's part, rows of one group counted as one.

    References
    ----------
    Obuchowski, N. A. (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578.
    https://doi.org/10.2307/2533958

    Examples
    --------
    >>> find_standard_error(np.array([0.3, -0.4]))
    0.5
    """
    if groups is None:
        return math.sqrt(float(np.sum(parts**2)))
    _, place = np.unique(groups, return_inverse=True)
    sums = np.bincount(place, weights=parts)
    n_groups = len(sums)
    return math.sqrt(float(np.sum(sums**2)) * n_groups / max(n_groups - 1, 1))


def find_effective_size(hits: Bool, groups: Int | None) -> float:
    """Return how many independent rows would say as much of a share as these do; at most as many as there are.

    The variance of the share, rows of one group counted as one, is set against that of independent rows (the design effect).

    References
    ----------
    Korn, E. L. and Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data. Survey Methodology 24, 193-201 (effective sample size in an interval for independent rows).

    Examples
    --------
    >>> hits = np.repeat([True, False, True, True], 5)
    >>> round(find_effective_size(hits, np.repeat([1, 2, 3, 4], 5)), 1), find_effective_size(hits, None)
    (3.0, 20.0)
    """
    n, share = len(hits), float(np.mean(hits)) if len(hits) else 0.0
    if groups is None or not 0 < share < 1:
        return float(n) if groups is None else float(len(np.unique(groups)))
    error = find_standard_error((hits - share) / n, groups)
    return float(min(n, share * (1 - share) / error**2)) if error > 0 else float(n)


def find_auc_interval(auc: float, error: float, *, n_positive: int, n_negative: int, level: float = LEVEL) -> Interval:
    """Return the interval of an AUC on the logit scale; where ranking is perfect, Newcombe's score interval.

    The plain normal interval of DeLong covers too rarely near 1 and can leave [0, 1]; the logit keeps both in order.

    References
    ----------
    Pepe, M. S. (2003). The Statistical Evaluation of Medical Tests for Classification and Prediction, §5.2.4. Oxford.
    Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    Part 2. Statistics in Medicine 25, 559-573 (method 5). https://doi.org/10.1002/sim.2324

    Examples
    --------
    >>> low, high = find_auc_interval(0.8, 0.03, n_positive=80, n_negative=90)
    >>> round(low, 3), round(high, 3)
    (0.735, 0.852)
    """
    if error <= 0 or not 0 < auc < 1:
        return _find_newcombe_interval(auc, n_positive, n_negative, level)
    z = float(ndtri(0.5 + level / 2))
    centre, half = float(logit(auc)), z * error / (auc * (1 - auc))
    return float(expit(centre - half)), float(expit(centre + half))


def _find_newcombe_interval(auc: float, m: int, n: int, level: float) -> Interval:
    """Solve |auc - t| = z sqrt(V(t)) by bisection, V(t) the variance of exponential scores (Newcombe's method 5)."""
    z = float(ndtri(0.5 + level / 2))
    extra = (m + n) / 2 - 1

    def miss(t: float) -> float:
        spread = t * (1 - t) * (1 + extra * ((1 - t) / (2 - t) + t / (1 + t))) / (m * n)
        return abs(auc - t) - z * math.sqrt(max(spread, 0.0))

    def solve(inside: float, outside: float) -> float:
        if miss(outside) <= 0:
            return outside
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if miss(middle) <= 0 else (inside, middle)
        return inside

    # The limits 0 and 1 have no variance in the formula: they bound the interval only where the AUC lies on them.
    nearly_zero, nearly_one = 1e-9, 1 - 1e-9
    low = 0.0 if auc <= 0 else solve(auc, nearly_zero)
    high = 1.0 if auc >= 1 else solve(auc, nearly_one)
    return low, high


def find_roc_points(
    is_positive: NDArray[np.bool_], score: Float, *, max_points: int = 200
) -> tuple[tuple[float, float], ...]:
    """Return (false positive rate, true positive rate) from (0, 0) to (1, 1), thinned to `max_points`.

    Examples
    --------
    >>> find_roc_points(np.array([False, True]), np.array([0.1, 0.9]))
    ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    """
    hits, alarms = _count_from_top(is_positive, score)
    rates = np.stack([alarms / max(alarms[-1], 1), hits / max(hits[-1], 1)], axis=1)
    return _thin(np.concatenate([[[0.0, 0.0]], rates]), max_points)


def find_precision_recall_points(
    is_positive: NDArray[np.bool_], score: Float, *, max_points: int = 200
) -> tuple[tuple[float, float], ...]:
    """Return (recall, precision) from the strictest threshold to the loosest, thinned to `max_points`.

    Examples
    --------
    >>> find_precision_recall_points(np.array([False, True]), np.array([0.1, 0.9]))
    ((1.0, 1.0), (1.0, 0.5))
    """
    hits, alarms = _count_from_top(is_positive, score)
    points = np.stack([hits / max(hits[-1], 1), hits / np.maximum(hits + alarms, 1)], axis=1)
    return _thin(points, max_points)


def _count_from_top(is_positive: NDArray[np.bool_], score: Float) -> tuple[Float, Float]:
    """Count positives and negatives at or above each distinct score, highest score first."""
    order = np.argsort(-score, kind="stable")
    ranked, truth = score[order], is_positive[order]
    last = np.append(ranked[1:] != ranked[:-1], True)
    hits = np.cumsum(truth)[last].astype(np.float64)
    return hits, np.flatnonzero(last) + 1.0 - hits


def _thin(points: Float, max_points: int) -> tuple[tuple[float, float], ...]:
    """Keep both ends and points at even steps along the curve's length."""
    if len(points) > max_points:
        steps = np.abs(np.diff(points, axis=0)).sum(axis=1)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0, along[-1], max_points)
        keep = np.unique(np.clip(np.searchsorted(along, wanted), 0, len(points) - 1))
        points = points[keep]
    return tuple((round(float(x), 6), round(float(y), 6)) for x, y in points)
