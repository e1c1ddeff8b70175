"""Numbers that look wrong: far further from what a model expects than its usual error there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from skiff.data.checks.labels import LabelDoubts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

FAR = 6.0
"""Usual errors from which a number is doubted: beyond it the residuals of the clean tables we measured hold under 3 of 1,000
rows (`benchmarks/label_errors.py`), normal ones 2 in a thousand million."""

MAD_TO_SD = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""

NEIGHBOURS = 20
"""Pieces, by expected value, in each of which the usual error is measured: large amounts are missed by more."""

MIN_NEIGHBOURS = 50
"""Rows a piece has at least."""

MIN_ROWS = 100
"""Fewer rows do not show what error is usual."""

OUTER = 0.1
"""Share of the errors on each side that tells how lopsided they are: wrong numbers are fewer."""


def rank_value_doubts(y: NDArray[np.float64], y_pred: NDArray[np.float64]) -> LabelDoubts:
    """Rank the rows whose number is probably wrong.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Numbers, no missing ones.
    y_pred : ndarray of shape (n_rows,)
        Out-of-fold predictions.

    Notes
    -----
    The error of a row is weighed against the median absolute error of the rows with a similar expected value, which half of
    them being wrong could not move far. Where all numbers are positive and spread over several sizes, errors are taken of
    the logarithm. The confidence is one minus the share of rows that far out that a Laplace tail, fitted to the middle of
    the errors, would make anyway (a local false discovery rate).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> expected = rng.uniform(100.0, 200.0, 400)
    >>> price = expected + rng.normal(0.0, 5.0, 400)
    >>> price[9] = 1_500.0
    >>> rank_value_doubts(price, expected).places.tolist()
    [9]

    References
    ----------
    .. [1] P. J. Rousseeuw, C. Croux (1993). Alternatives to the median absolute deviation. Journal of the American
       Statistical Association 88(424), section 1. doi:10.1080/01621459.1993.10476408
    .. [2] B. Efron (2004). Large-scale simultaneous hypothesis testing: the choice of a null hypothesis. Journal of the
       American Statistical Association 99(465). doi:10.1198/016214504000000089
    """
    nothing = LabelDoubts(places=np.zeros(0, np.int64), suggested=np.zeros(0), confidence=np.zeros(0), clear_share=1.0)
    if len(y) < MIN_ROWS:
        return nothing
    errors = _measure_errors(y, y_pred)
    scaled = np.abs(errors) / _measure_usual(y_pred, errors)
    places = np.flatnonzero(scaled >= FAR)
    if not len(places):
        return nothing
    places = places[np.argsort(-scaled[places], kind="stable")]
    middle, upper = np.quantile(scaled, [0.5, 0.8])
    tail = (upper - middle) / np.log(2.5)  # half and a fifth of a Laplace tail lie beyond these two
    honest = len(y) * 0.5 * np.exp(-(scaled[places] - middle) / max(tail, 1e-12))
    confidence = np.clip(1.0 - honest / np.arange(1, len(places) + 1), 0.5, 0.999)
    return LabelDoubts(places=places.astype(np.int64), suggested=y_pred[places], confidence=confidence, clear_share=1.0)


def _measure_errors(y: Float, y_pred: Float) -> Float:
    """Return how far each number is from the expected one: as an amount, or as a share where that is less lopsided."""
    amounts = y - y_pred
    if float(y.min()) <= 0 or float(y_pred.min()) <= 0:
        return amounts
    shares = np.log(y) - np.log(y_pred)
    return shares if _measure_lopsidedness(shares) < _measure_lopsidedness(amounts) else amounts


def _measure_lopsidedness(errors: Float) -> float:
    """Return the absolute quantile skewness (D. V. Hinkley 1975, On power transformations to symmetry, Biometrika 62(1))."""
    low, middle, high = np.quantile(errors, [OUTER, 0.5, 1.0 - OUTER])
    return float(abs(high + low - 2.0 * middle) / max(high - low, 1e-300))


def _measure_usual(y_pred: Float, errors: Float) -> Float:
    """Return the usual error at each expected value: the median of its neighbours', scaled like a standard deviation."""
    order = np.argsort(y_pred, kind="stable")
    sizes = np.abs(errors)[order]
    n_rows = len(sizes)
    width = min(n_rows, max(MIN_NEIGHBOURS, n_rows // NEIGHBOURS))
    centres = np.arange(0, n_rows, max(1, width // 2))
    starts = np.clip(centres - width // 2, 0, n_rows - width)
    medians = [float(np.median(sizes[start : start + width])) for start in starts]
    usual = np.empty(n_rows)
    usual[order] = MAD_TO_SD * np.interp(np.arange(n_rows), centres, medians)
    overall = MAD_TO_SD * float(np.median(sizes))
    floor: Float = np.maximum(usual, max(0.1 * overall, 1e-12 * max(1.0, float(np.abs(y_pred).max()))))
    return floor
