"""Intervals and sets of answers that contain the truth as often as they say, whatever the model.

The price of the promise: rows to come must be like the rows calibrated on (exchangeable). Where time moves on, coverage
drifts with it; look at `measure_coverage` per group and over time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.pipeline import AnswerSet, ValueRange
from skiff.evaluate.intervals import find_wilson_interval
from skiff.evaluate.ranking import find_effective_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

COVERAGE = 0.9
"""Share of rows whose truth the interval or set contains, unless said otherwise."""

MAX_BINS = 5
MIN_BIN_ROWS = 100
"""Rows of a bin of predictions: the promise of a bin with n rows varies by about sqrt(0.9 * 0.1 / n), 3 in 100 here (Vovk 2012,
https://doi.org/10.1007/s10994-013-5355-6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalInterval:
    """What is subtracted from and added to a predicted number.

    Parameters
    ----------
    below, above : float
        Both finite and at least 0 unless the errors all lie on one side.
    coverage : float
        Promised share of rows to come whose truth lies inside.
    n : int
        Rows calibrated on.
    """

    below: float
    above: float
    coverage: float
    n: int


def fit_interval(y: Float, pred: Float, *, coverage: float = COVERAGE) -> ConformalInterval:
    """Read the interval off the errors of rows the model was not fitted on.

    Each tail gets half of what is not covered, so that the interval may lie unevenly around the prediction.

    Parameters
    ----------
    y, pred : ndarray of shape (n_rows,)
        Out-of-fold or held-out predictions.
    coverage : float

    Raises
    ------
    SkiffError
        ``too_few_rows``: below ``2 / (1 - coverage) - 1`` rows no finite interval keeps the promise.

    References
    ----------
    Lei, J. et al. (2018). Distribution-free predictive inference for regression. JASA 113, 1094-1111, Theorem 2.2.
    https://doi.org/10.1080/01621459.2017.1307116
    Romano, Y., Patterson, E. and Candès, E. (2019). Conformalized quantile regression. NeurIPS (two-sided form, Theorem 2).

    Examples
    --------
    >>> found = fit_interval(np.arange(99.0), np.arange(99.0) - np.tile([-1.0, 0.0, 3.0], 33), coverage=0.9)
    >>> found.below, found.above
    (1.0, 3.0)
    """
    error = np.sort(np.asarray(y - pred, dtype=np.float64))
    n = len(error)
    tail = (1 - coverage) / 2
    # The k-th smallest of n errors with k = ceil((n + 1)(1 - tail)) bounds the next error with probability 1 - tail.
    place = math.ceil(round((n + 1) * (1 - tail), 9))
    if place > n:
        raise SkiffError(
            "too_few_rows",
            what=f"{n} rows are too few for a range that holds {coverage * 100:g} times in 100.",
            fix=f"At least {math.ceil(round(1 / tail, 9)) - 1} rows are needed.",
        )
    return ConformalInterval(below=float(-error[n - place]), above=float(error[place - 1]), coverage=coverage, n=n)


def fit_range(y: Float, pred: Float, *, coverage: float = COVERAGE, max_bins: int = MAX_BINS) -> ValueRange:
    """Read ranges off the errors of rows the model was not fitted on, apart for small and large predictions.

    Errors usually grow with the size of what is predicted: one width for all would be too wide for small predictions and too
    narrow for large ones, although right on average. Within each bin of predictions the promise holds by itself (Mondrian).

    Parameters
    ----------
    y, pred : ndarray of shape (n_rows,)
        Out-of-fold or held-out predictions.
    coverage : float
    max_bins : int
        Bins of equal numbers of rows, fewer where rows are few.

    Raises
    ------
    SkiffError
        ``too_few_rows``, as `fit_interval`.

    References
    ----------
    Vovk, V., Gammerman, A. and Shafer, G. (2005). Algorithmic Learning in a Random World, §4.5 (Mondrian predictors). Springer.
    Boström, H. and Johansson, U. (2020). Mondrian conformal regressors. PMLR 128, 114-133 (bins of the prediction).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pred = rng.uniform(0, 100, size=2000)
    >>> found = fit_range(pred + pred * 0.1 * rng.normal(size=2000), pred)
    >>> len(found.above), found.above[0] < found.above[-1] / 4
    (5, True)
    """
    y, pred = np.asarray(y, dtype=np.float64), np.asarray(pred, dtype=np.float64)
    n_bins = min(max_bins, len(y) // MIN_BIN_ROWS)
    edges = np.unique(np.quantile(pred, np.arange(1, n_bins) / n_bins)) if n_bins > 1 else np.empty(0)
    place = find_bins(edges, pred)
    if len(edges) and np.bincount(place, minlength=len(edges) + 1).min() < MIN_BIN_ROWS // 2:
        edges, place = np.empty(0), np.zeros(len(y), dtype=np.int64)  # so many equal predictions that a bin stays empty
    fitted = [fit_interval(y[place == code], pred[place == code], coverage=coverage) for code in range(len(edges) + 1)]
    return ValueRange(
        edges=tuple(edges.tolist()),
        below=tuple(one.below for one in fitted),
        above=tuple(one.above for one in fitted),
        coverage=coverage,
    )


def find_bins(edges: Float | tuple[float, ...], pred: Float) -> Int:
    """Return the bin of each prediction; one that equals an edge is past it.

    Examples
    --------
    >>> find_bins((10.0, 20.0), np.array([5.0, 10.0, 25.0])).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.asarray(edges, dtype=np.float64), pred, side="right").astype(np.int64)


def predict_ranges(fitted: ValueRange, pred: Float, *, is_never_negative: bool = False) -> tuple[Float, Float]:
    """Return the low and high end around each prediction, as the compiled graph gives them.

    Examples
    --------
    >>> made = ValueRange(edges=(10.0,), below=(8.0, 2.0), above=(1.0, 3.0), coverage=0.9)
    >>> [end.tolist() for end in predict_ranges(made, np.array([5.0, 10.0]), is_never_negative=True)]
    [[0.0, 8.0], [6.0, 13.0]]
    """
    place = find_bins(fitted.edges, pred)
    low = pred - np.array(fitted.below)[place]
    return (np.maximum(low, 0.0) if is_never_negative else low), pred + np.array(fitted.above)[place]


def fit_set(y: Int, prob: Float, *, coverage: float = COVERAGE, threshold: float | None = None) -> AnswerSet:
    """Read off from which probability each class must be counted in, so that the sets contain the truth whichever class it is.

    One probability for all classes would hold on average and fail a rare class: with 5 rare rows in 100, sets that never hold it
    are right 95 times in 100. So each class has its own (class-conditional, or Mondrian, conformal prediction).

    Parameters
    ----------
    y : ndarray of int64, shape (n_rows,)
    prob : ndarray of shape (n_rows, n_classes)
        Out-of-fold or held-out probabilities.
    coverage : float
    threshold : float, optional
        For two classes: the second is answered from this probability upwards. The answer is always in its own set.

    Notes
    -----
    A class of so few rows that no probability keeps its promise (fewer than ``coverage / (1 - coverage)``, 9 at 0.9) gets what holds on
    average over all rows: counted in always, it would make every set say nothing.

    References
    ----------
    Vovk, V. (2013). Conditional validity of inductive conformal predictors. Machine Learning 92, 349-376, §3.
    https://doi.org/10.1007/s10994-013-5355-6
    Sadinle, M., Lei, J. and Wasserman, L. (2019). Least ambiguous set-valued classifiers with bounded error levels.
    JASA 114, 223-234, §2.2. https://doi.org/10.1080/01621459.2017.1395341

    Examples
    --------
    >>> y = np.repeat([0, 1], [950, 50])
    >>> p = np.where(y == 1, 0.3, 0.02)
    >>> fit_set(y, np.stack([1 - p, p], axis=1), threshold=0.5).floors
    (0.5, 0.3)
    """
    stated = prob[np.arange(len(y)), y]
    usual = _find_floor(stated, coverage)
    floors = [
        usual if (floor := _find_floor(stated[y == code], coverage)) is None else floor for code in range(prob.shape[1])
    ]
    found = [0.0 if floor is None else floor for floor in floors]
    if threshold is not None:
        found = [min(found[0], 1.0 - threshold), min(found[1], threshold)]
    return AnswerSet(floors=tuple(found), coverage=coverage)


def _find_floor(stated: Float, coverage: float) -> float | None:
    """Return the probability that the next truth reaches with probability `coverage`; None where there are too few rows."""
    ranked = np.sort(stated)[::-1]
    # The k-th largest of n stated probabilities with k = ceil((n + 1) coverage) is reached by the next truth that often.
    place = math.ceil(round((len(ranked) + 1) * coverage, 9))
    return None if place > len(ranked) else float(ranked[place - 1])


def predict_sets(fitted: AnswerSet, prob: Float) -> NDArray[np.bool_]:
    """Return which classes are in the set of each row, shape (n_rows, n_classes).

    Examples
    --------
    >>> made = AnswerSet(floors=(0.15, 0.15, 0.05), coverage=0.9)
    >>> predict_sets(made, np.array([[0.7, 0.2, 0.1], [0.94, 0.03, 0.03]])).tolist()
    [[True, True, True], [True, False, False]]
    """
    return np.asarray(prob >= find_floors(fitted, prob))


def find_floors(fitted: AnswerSet, prob: Float) -> Float:
    """Return the probability from which each class of each row is in the set, shape (n_rows, n_classes)."""
    floors = np.broadcast_to(np.array(fitted.floors), prob.shape)
    if len(fitted.floors) == 2 or not prob.size:  # noqa: PLR2004  of two classes the floors see to it that one is in
        return np.asarray(floors)
    return np.asarray(np.minimum(floors, prob.max(axis=1, keepdims=True)))


def measure_coverage(
    is_inside: NDArray[np.bool_], *, promised: float, name: str = "coverage", groups: Int | None = None
) -> Measurement:
    """Measure how often the truth lay inside on other rows; compare with what was promised, also per group.

    Parameters
    ----------
    is_inside : ndarray of bool, shape (n_rows,)
    promised : float
    name : str
    groups : ndarray of int64, shape (n_rows,), optional
        Rows that belong together: the interval then counts as many rows as would say so much independently.

    Examples
    --------
    >>> measure_coverage(np.array([True] * 9 + [False]), promised=0.9).value
    0.9
    """
    n, hits = len(is_inside), int(np.sum(is_inside))
    n_alone = find_effective_size(is_inside, groups)
    low, high = find_wilson_interval(hits / n * n_alone, n_alone) if n else (None, None)
    method = "Wilson 1927" if groups is None else "Wilson 1927, rows of one group counted as one"
    return Measurement(
        name=name,
        value=hits / n if n else math.nan,
        low=low,
        high=high,
        n=n,
        higher_is_better=None,
        method=method if n else "no value: no rows",
        baseline=promised,
    )
