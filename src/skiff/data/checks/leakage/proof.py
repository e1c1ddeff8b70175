"""The arithmetic of proof: bounds on shares, intervals on scores, and how nearly one column fixes another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr, betaincinv

from skiff.core.measurement import Measurement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

Z_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


def bound_errors(errors: float, n: float, *, level: float = 0.95) -> float:
    """Return the one-sided upper bound on an error rate after `errors` in `n` trials.

    Parameters
    ----------
    errors, n : float
        Counts; fractions are allowed, so that rows of one entity can be counted as fewer than they are.
    level : float
        Confidence, 0 to 1.

    Notes
    -----
    Trials are taken as independent. With no error the bound is ``1 - (1 - level) ** (1 / n)``, about ``3 / n``.

    Examples
    --------
    >>> round(bound_errors(0, 121), 4)
    0.0245

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the
       binomial. Biometrika 26(4), 404-413. doi:10.1093/biomet/26.4.404
    """
    if errors >= n:
        return 1.0
    return float(betaincinv(errors + 1.0, n - errors, level))


def bound_chance(errors: float, n: float, *, error_rate: float) -> float:
    """Return the probability of at most `errors` in `n` trials if each goes wrong with `error_rate` (binomial).

    Examples
    --------
    >>> bound_chance(0, 10, error_rate=0.5) == 0.5 ** 10
    True
    """
    return float(bdtr(np.floor(errors), max(1, round(n)), min(max(error_rate, 0.0), 1.0)))


def measure_share(name: str, *, hits: float, n: float, baseline: float | None = None) -> Measurement:
    """Return `hits` of `n` as a rate with its exact two-sided 95 % interval (Clopper and Pearson 1934).

    Examples
    --------
    >>> print(measure_share("purity", hits=121, n=121))
    purity 1.000 (0.970 to 1.000, n=121)
    """
    low = 1.0 - bound_errors(n - hits, n, level=0.975)
    high = bound_errors(hits, n, level=0.975)
    return Measurement(
        name=name,
        value=hits / n,
        low=low,
        high=high,
        n=round(n),
        unit="rate",
        method="Clopper and Pearson 1934",
        baseline=baseline,
    )


def rank_with_ties(values: Float) -> Float:
    """Return ranks from 1, equal values sharing the mean of their ranks.

    Examples
    --------
    >>> rank_with_ties(np.array([10.0, 20.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Float = (last - (counts - 1) / 2.0)[place]
    return ranks


def measure_auc(is_positive: Bool, score: Float, *, method: str = "") -> Measurement:
    """Return the area under the ROC curve with its 95 % interval.

    Parameters
    ----------
    is_positive : ndarray of bool, shape (n_rows,)
        Both classes must occur.
    score : ndarray of float64, shape (n_rows,)
        Higher means more likely positive.
    method : str
        How `score` was made; the interval's source is appended.

    Notes
    -----
    Where no pair is misordered DeLong's variance is zero; the interval is then the exact binomial one for the smaller
    class, which is conservative.

    Examples
    --------
    >>> truth = np.array([False, False, True, True])
    >>> measure_auc(truth, np.array([0.1, 0.4, 0.35, 0.8])).value
    0.75

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson (1988). Comparing the areas under two or more correlated
       receiver operating characteristic curves. Biometrics 44(3), 837-845. doi:10.2307/2531595
    .. [2] X. Sun, W. Xu (2014). Fast implementation of DeLong's algorithm. IEEE Signal Processing Letters 21(11),
       1389-1393. doi:10.1109/LSP.2014.2337313
    """
    _, place = np.unique(score, return_inverse=True)
    n_true = np.bincount(place, weights=is_positive).astype(np.float64)
    return measure_auc_of_counts(n_true, np.bincount(place) - n_true, method=method)


def measure_auc_of_counts(n_true: Float, n_false: Float, *, method: str = "") -> Measurement:
    """Return what `measure_auc` does, from the rows of each class a score: far fewer numbers than rows.

    Parameters
    ----------
    n_true, n_false : ndarray of float64, shape (n_scores,)
        Positive and negative rows of each different score, in ascending order of the scores.

    Examples
    --------
    >>> measure_auc_of_counts(np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0])).value
    0.75
    """
    n_positive, n_negative = float(n_true.sum()), float(n_false.sum())
    above = (np.cumsum(n_false) - 0.5 * n_false) / n_negative
    below = 1.0 - (np.cumsum(n_true) - 0.5 * n_true) / n_positive
    auc = float(above @ n_true) / n_positive
    variance = _spread(above, n_true) / n_positive + _spread(below, n_false) / n_negative
    half = Z_95 * variance**0.5
    low, high = max(0.0, auc - half), min(1.0, auc + half)
    if not (above[n_true > 0] < 1.0).any():
        auc, low = 1.0, 1.0 - bound_errors(0, min(n_positive, n_negative), level=0.975)
    source = "DeLong et al. 1988"
    return Measurement(
        name="roc_auc",
        value=auc,
        low=low,
        high=high,
        n=round(n_positive + n_negative),
        higher_is_better=True,
        method=f"{method}; {source}" if method else source,
        baseline=0.5,
    )


def _spread(values: Float, counts: Float) -> float:
    """Return the sample variance of values that occur `counts` times, 0 for a single one."""
    n = float(counts.sum())
    mean = float(values @ counts) / n
    return float(((values - mean) ** 2) @ counts) / (n - 1.0) if n > 1 else 0.0


def measure_r2(y: Float, y_pred: Float, *, method: str = "") -> Measurement:
    """Return the share of variance explained with a 95 % interval by the delta method on the ratio of two means.

    Examples
    --------
    >>> y = np.arange(10.0)
    >>> measure_r2(y, y).value
    1.0

    References
    ----------
    .. [1] G. W. Oehlert (1992). A note on the delta method. The American Statistician 46(1), 27-29.
       doi:10.1080/00031305.1992.10475842
    """
    error = (y - y_pred) ** 2
    spread = (y - y.mean()) ** 2
    ratio = float(error.mean() / spread.mean())
    influence = (error - ratio * spread) / spread.mean()
    half = Z_95 * float(influence.std()) / len(y) ** 0.5
    return Measurement(
        name="r2",
        value=1.0 - ratio,
        low=1.0 - ratio - half,
        high=min(1.0, 1.0 - ratio + half),
        n=len(y),
        higher_is_better=True,
        method=f"{method}; delta method, Oehlert 1992" if method else "delta method, Oehlert 1992",
        baseline=0.0,
    )


def measure_log_loss(losses: Float, *, weight: Float, baseline: float, method: str = "") -> Measurement:
    """Return the weighted mean of per-row log losses with its normal 95 % interval.

    Examples
    --------
    >>> measure_log_loss(np.array([0.5, 1.5]), weight=np.ones(2), baseline=1.1).value
    1.0
    """
    mean = float(np.average(losses, weights=weight))
    half = Z_95 * float(np.sqrt(np.sum((weight * (losses - mean)) ** 2))) / float(weight.sum())
    return Measurement(
        name="log_loss",
        value=mean,
        low=max(0.0, mean - half),
        high=mean + half,
        n=len(losses),
        unit="nats",
        higher_is_better=False,
        method=f"{method}; normal approximation" if method else "normal approximation",
        baseline=baseline,
    )


def estimate_determinism(x: Float, y_rank: Float, *, order: Float) -> float:
    """Return how nearly `x` alone fixes the rank of `y`: 1 for any exact function, about 0 for none.

    Rows are sorted by `x`; the mean squared jump of `y_rank` between neighbours estimates the noise that is left once
    `x` is known, whatever the shape of the function, so rescaling, rounding and logarithms do not hide a copy.

    Parameters
    ----------
    x, y_rank : ndarray of float64, shape (n_rows,)
        No missing values; `y_rank` from `rank_with_ties`.
    order : ndarray of float64, shape (n_rows,)
        Random numbers that order rows of equal `x`, so that ties do not flatter.

    Notes
    -----
    Biased downwards by about ``6 / n_rows**2`` for an exact function; needs some hundred rows.

    Examples
    --------
    >>> x = np.linspace(1.0, 2.0, 200)
    >>> estimate_determinism(x, rank_with_ties(np.log(x)), order=np.zeros(200)) > 0.999
    True

    References
    ----------
    .. [1] J. Rice (1984). Bandwidth choice for nonparametric regression. Annals of Statistics 12(4), 1215-1230,
       eq. (2.1). doi:10.1214/aos/1176346788
    """
    spread = float(y_rank.var())
    if spread <= 0.0 or len(x) < 3:  # noqa: PLR2004  two neighbours and one more: below that there is no jump to average
        return 0.0
    by_x = y_rank[np.lexsort((order, x))]
    return 1.0 - float(np.mean(np.diff(by_x) ** 2)) / (2.0 * spread)
