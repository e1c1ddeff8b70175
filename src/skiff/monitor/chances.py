"""How often chance alone would show as much: exact where counts are small, so that eight rows raise no alarm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import chdtrc, gammaln, kolmogorov, ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MAX_EXACT = 20_000
"""Largest number of hits whose probabilities are summed one by one; above, the normal curve is right to four digits."""

MIN_EXPECTED = 5.0
"""Expected rows a cell of a chi-squared test needs (Cochran 1954, https://doi.org/10.2307/3001616)."""


def find_ks_chance(distance: float, n: int, m: int) -> float:
    """Return the chance of a two-sample Kolmogorov-Smirnov distance this large if both come from one source.

    References
    ----------
    Stephens, M. A. (1970). Use of the Kolmogorov-Smirnov … without extensive tables. JRSS B 32, 115-122: the factor that
    makes the limit law good from n = 5 on. Where values repeat the true chance is smaller: the test errs to the quiet side.

    Examples
    --------
    >>> round(find_ks_chance(0.1, 400, 400), 3)
    0.034
    """
    if not n or not m:
        return 1.0
    root = math.sqrt(n * m / (n + m))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def find_rate_chance(hits: int, n: int, hits_before: int, n_before: int) -> float:
    """Return the two-sided chance that two shares differ this much: Fisher's exact test, the smaller tail doubled.

    Examples
    --------
    >>> round(find_rate_chance(3, 8, 10, 1000), 6)
    0.000181
    >>> find_rate_chance(0, 8, 0, 1000)
    1.0
    """
    total = hits + hits_before
    if not n or not n_before or not total or total == n + n_before:
        return 1.0
    if total > n + n_before - total:  # count the rarer side
        hits, hits_before = n - hits, n_before - hits_before
        total = hits + hits_before
    if total > MAX_EXACT:
        rate = total / (n + n_before)
        spread = math.sqrt(rate * (1 - rate) * (1 / n + 1 / n_before))
        gap = max(0.0, abs(hits / n - hits_before / n_before) - 0.5 * (1 / n + 1 / n_before))
        return float(2 * ndtr(-gap / spread))
    k = np.arange(max(0, total - n_before), min(total, n) + 1)
    logs = (
        _log_choose(n, k)
        + _log_choose(n_before, total - k)
        - _log_choose(n + n_before, np.array([total], dtype=np.float64))
    )
    chances = np.exp(logs)
    upper, lower = float(chances[k >= hits].sum()), float(chances[k <= hits].sum())
    return min(1.0, 2 * min(upper, lower))


def find_beyond_chance(beyond: int, n: int, n_before: int) -> float:
    """Return the chance that this many of `n` rows lie beyond the extreme of `n_before` rows of the same source.

    All orders of the pooled rows are equally likely, so that the top `beyond` of them are all new with the chance
    ``C(n, beyond) / C(n + n_before, beyond)`` (Wilks 1942, https://doi.org/10.1214/aoms/1177731537).

    Examples
    --------
    >>> round(find_beyond_chance(1, 100, 100), 7), round(find_beyond_chance(5, 100, 1000), 7)
    (0.5, 5.7e-06)
    """
    if beyond <= 0:
        return 1.0
    k = np.array([beyond], dtype=np.float64)
    return float(min(1.0, np.exp(_log_choose(n, k) - _log_choose(n + n_before, k))[0]))


def find_table_chance(rows: Float, before: Float) -> tuple[float, float]:
    """Return chi-squared and its chance for two lists of counts; cells too thin to judge are joined.

    Examples
    --------
    >>> chi2, p = find_table_chance(np.array([30.0, 70.0]), np.array([500.0, 500.0]))
    >>> round(chi2, 2), p < 0.001
    (14.56, True)
    """
    n, m = float(rows.sum()), float(before.sum())
    if not n or not m:
        return 0.0, 1.0
    share = min(n, m) / (n + m)
    together = rows + before
    is_thin = together * share < MIN_EXPECTED
    if is_thin.any():
        rows = np.append(rows[~is_thin], rows[is_thin].sum())
        before = np.append(before[~is_thin], before[is_thin].sum())
        together = rows + before
        if len(rows) > 1 and together[-1] * share < MIN_EXPECTED:  # what is left over joins its smallest neighbour
            least = int(np.argmin(together[:-1]))
            rows[least] += rows[-1]
            before[least] += before[-1]
            rows, before = rows[:-1], before[:-1]
            together = rows + before
    expected = together * n / (n + m)
    expected_before = together * m / (n + m)
    keep = together > 0
    if keep.sum() < 2:  # noqa: PLR2004  one cell has nothing to differ from
        return 0.0, 1.0
    chi2 = float((((rows - expected)[keep] ** 2) / expected[keep]).sum())
    chi2 += float((((before - expected_before)[keep] ** 2) / expected_before[keep]).sum())
    return chi2, float(chdtrc(keep.sum() - 1, chi2))


def find_worse_chance(gap: float, error: float) -> float:
    """Return the one-sided chance of a gap this bad (larger is worse) from a normal error.

    Examples
    --------
    >>> round(find_worse_chance(1.96, 1.0), 3), find_worse_chance(1.0, 0.0)
    (0.025, 1.0)
    """
    return float(ndtr(-gap / error)) if error > 0 and math.isfinite(gap) else 1.0


def _log_choose(n: float, k: NDArray[np.float64] | NDArray[np.int64]) -> Float:
    chosen: Float = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return chosen
