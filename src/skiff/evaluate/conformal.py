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
from skiff.evaluate.intervals import find_wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

COVERAGE = 0.9
"""Share of rows whose truth the interval or set contains, unless said otherwise."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalSet:
    """From which cumulated probability on no more classes are added to a set of answers.

    Parameters
    ----------
    threshold : float
        A class is in the set while the probability of the classes before it is at most this (0 to 1).
    coverage : float
    n : int
    """

    threshold: float
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


def fit_set(y: Int, prob: Float, *, coverage: float = COVERAGE) -> ConformalSet:
    """Read off how far down the ranking of classes a set must go to contain the truth.

    Adaptive prediction sets without randomisation: easy rows get one class, hard rows several, and coverage is at least
    what is promised (often a little more).

    Parameters
    ----------
    y : ndarray of int64, shape (n_rows,)
    prob : ndarray of shape (n_rows, n_classes)
        Out-of-fold or held-out probabilities.
    coverage : float

    References
    ----------
    Romano, Y., Sesia, M. and Candès, E. (2020). Classification with valid and adaptive coverage. NeurIPS. arXiv:2006.02544

    Examples
    --------
    >>> fit_set(np.zeros(40, dtype=np.int64), np.tile([0.7, 0.2, 0.1], (40, 1))).threshold
    0.0
    """
    n = len(y)
    before = _sum_more_probable(prob)[np.arange(n), y]
    place = math.ceil(round((n + 1) * coverage, 9))
    threshold = 1.0 if place > n else float(np.sort(before)[place - 1])
    return ConformalSet(threshold=threshold, coverage=coverage, n=n)


def predict_sets(fitted: ConformalSet, prob: Float) -> NDArray[np.bool_]:
    """Return which classes are in the set of each row, shape (n_rows, n_classes); never none.

    Examples
    --------
    >>> predict_sets(ConformalSet(threshold=0.75, coverage=0.9, n=99), np.array([[0.7, 0.2, 0.1], [0.9, 0.06, 0.04]])).tolist()
    [[True, True, False], [True, False, False]]
    """
    return np.asarray(_sum_more_probable(prob) <= fitted.threshold + 1e-12)


def measure_coverage(is_inside: NDArray[np.bool_], *, promised: float, name: str = "coverage") -> Measurement:
    """Measure how often the truth lay inside on other rows; compare with what was promised, also per group.

    Examples
    --------
    >>> measure_coverage(np.array([True] * 9 + [False]), promised=0.9).value
    0.9
    """
    n, hits = len(is_inside), int(np.sum(is_inside))
    low, high = find_wilson_interval(hits, n) if n else (None, None)
    return Measurement(
        name=name,
        value=hits / n if n else math.nan,
        low=low,
        high=high,
        n=n,
        higher_is_better=None,
        method="Wilson 1927" if n else "no value: no rows",
        baseline=promised,
    )


def _sum_more_probable(prob: Float) -> Float:
    """Return, for each class, the probability of all classes ranked before it (ties by position)."""
    order = np.argsort(-prob, axis=1, kind="stable")
    ranked = np.take_along_axis(prob, order, axis=1)
    before = np.cumsum(ranked, axis=1) - ranked
    found = np.empty_like(prob)
    np.put_along_axis(found, order, before, axis=1)
    return found
