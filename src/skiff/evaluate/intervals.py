"""Intervals in closed form, and the bootstrap over rows or groups for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.special import betaincinv, ndtr, ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

Interval: TypeAlias = tuple[float, float]

LEVEL = 0.95
"""Confidence level of every interval unless said otherwise."""

N_BOOT = 1000
"""Resamples: enough for the 2.5 % tails (Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 14)."""

MAX_UNITS = 2000
"""Units resampled at most. More rows are pooled at random into this many blocks: the spread between blocks of
independent rows estimates the same variance, with a relative error of its square root of sqrt(1 / 2 / 2000) = 1.6 %."""

MIN_UNITS = 10
"""Fewer rows or groups than this give no interval: the bootstrap has too few distinct values to resample."""

MIN_DEFINED = 0.9
"""Share of the resamples on which a metric must be defined for an interval to be stated."""


def find_wilson_interval(successes: float, n: float, *, level: float = LEVEL) -> Interval:
    """Return the score interval of a proportion, which keeps its coverage near 0, near 1 and for few rows.

    Parameters
    ----------
    successes, n : float
        Count of hits among `n` > 0 independent rows.
    level : float
        Confidence level, 0 to 1.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    https://doi.org/10.1080/01621459.1927.10502953

    Examples
    --------
    >>> low, high = find_wilson_interval(81, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    z = float(ndtri(0.5 + level / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


def find_exact_interval(successes: float, n: float, *, level: float = LEVEL) -> Interval:
    """Return the exact interval of a proportion, which never covers less than `level`: for rare hits that must not be belittled.

    Parameters
    ----------
    successes, n : float
        Count of hits among `n` > 0 independent rows; fractions (of ties that count half) lie between their neighbours.
    level : float
        Confidence level, 0 to 1.

    References
    ----------
    Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the binomial.
    Biometrika 26(4), 404-413. https://doi.org/10.1093/biomet/26.4.404

    Examples
    --------
    >>> low, high = find_exact_interval(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)
    >>> low, high = find_exact_interval(3, 10)
    >>> round(low, 4), round(high, 4)
    (0.0667, 0.6525)
    """
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Resample:
    """Which rows move together, and how often each unit is drawn in each resample.

    Parameters
    ----------
    unit : ndarray of int64, shape (n_rows,)
        Unit of each row: itself, its group, or a random block of either.
    n_units : int
    n_independent : int
        Rows or groups before pooling into blocks.
    weights : ndarray of float64, shape (n_boot, n_units)
        Multinomial counts.
    what : {"rows", "groups"}
    """

    unit: Int
    n_units: int
    n_independent: int
    weights: Float
    what: str

    def sum_cells(self, cell: Int, n_cells: int) -> sparse.csr_matrix:
        """Return how many rows of each unit lie in each cell, shape (n_units, n_cells)."""
        ones = np.ones(len(cell))
        return sparse.csr_matrix((ones, (self.unit, cell)), shape=(self.n_units, n_cells))

    def sum_values(self, values: Float) -> Float:
        """Return the sums of the columns of `values` over each unit, shape (n_units, n_columns)."""
        columns = [np.bincount(self.unit, weights=column, minlength=self.n_units) for column in values.T]
        return np.stack(columns, axis=1)


def build_resample(
    n_rows: int, *, groups: Int | None = None, seed: int, n_boot: int = N_BOOT, max_units: int = MAX_UNITS
) -> Resample:
    """Settle the units of a bootstrap and draw it: whole groups where rows belong together, else rows.

    References
    ----------
    Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, §3.8 (hierarchical data:
    resample the highest level only). https://doi.org/10.1017/CBO9780511802843

    Examples
    --------
    >>> resample = build_resample(5000, seed=0, n_boot=10)
    >>> resample.n_units, resample.n_independent, resample.weights.sum(axis=1)[0]
    (2000, 5000, np.float64(2000.0))
    """
    rng = np.random.default_rng(seed)
    if groups is None:
        unit = np.arange(n_rows, dtype=np.int64)
        n_independent = n_rows
    else:
        _, unit = np.unique(groups, return_inverse=True)
        unit = unit.astype(np.int64)
        n_independent = int(unit.max()) + 1 if n_rows else 0
    n_units = min(n_independent, max_units)
    if n_independent > max_units:
        block = rng.permutation(n_independent) % max_units
        unit = block[unit].astype(np.int64)
    weights = np.zeros((n_boot, 0))
    if n_units:
        # Counting drawn units is the multinomial draw, ten times as fast as the generator's own.
        drawn = rng.integers(n_units, size=(n_boot, n_units)) + n_units * np.arange(n_boot)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=n_boot * n_units).reshape(n_boot, n_units).astype(np.float64)
    return Resample(
        unit=unit,
        n_units=n_units,
        n_independent=n_independent,
        weights=weights,
        what="rows" if groups is None else "groups",
    )


def draw_bootstrap(sums: Float | sparse.csr_matrix, score: Callable[[Float], Float], resample: Resample) -> Float:
    """Return the score of each resample, shape (n_boot,); NaN where a resample leaves it undefined."""
    drawn = (sums.T @ resample.weights.T).T if sparse.issparse(sums) else resample.weights @ sums
    return score(np.ascontiguousarray(drawn))


def find_bca_interval(
    value: float, boot: Float, *, jackknife: Float | None = None, level: float = LEVEL
) -> Interval | None:
    """Return the bias-corrected and accelerated bootstrap interval, or None where too many resamples say nothing.

    Parameters
    ----------
    value : float
        The estimate on all rows.
    boot : ndarray of shape (n_boot,)
        The estimate on each resample; NaN where undefined (at most one in ten).
    jackknife : ndarray of shape (n_units,), optional
        The estimate without each unit; without it the interval is bias-corrected only.
    level : float

    References
    ----------
    Efron, B. (1987). Better bootstrap confidence intervals. JASA 82, 171-185, eq. 6.6 and 6.7.
    https://doi.org/10.1080/01621459.1987.10478410

    Examples
    --------
    >>> find_bca_interval(0.0, np.linspace(-1, 1, 1001))
    (-0.95, 0.95)
    """
    n_drawn = len(boot)
    boot = boot[np.isfinite(boot)]
    if len(boot) == 0 or len(boot) < MIN_DEFINED * n_drawn or not math.isfinite(value):
        return None
    below = (np.sum(boot < value) + 0.5 * np.sum(boot == value)) / len(boot)
    bias = float(ndtri(np.clip(below, 1 / len(boot), 1 - 1 / len(boot))))
    acceleration = 0.0 if jackknife is None else _find_acceleration(jackknife)
    tails = ndtri(np.array([0.5 - level / 2, 0.5 + level / 2]))
    shifted = bias + tails
    places = ndtr(bias + shifted / (1 - acceleration * shifted))
    low, high = np.quantile(boot, np.clip(places, 0, 1))
    return round(float(low), 12), round(float(high), 12)


def _find_acceleration(jackknife: Float) -> float:
    """Skewness of the jackknife over six (Efron 1987, eq. 6.6), kept within the range where the formula holds."""
    spread = jackknife[np.isfinite(jackknife)]
    spread = spread.mean() - spread
    scale = float(np.sum(spread**2)) ** 1.5
    if scale <= 0:
        return 0.0
    return float(np.clip(np.sum(spread**3) / (6 * scale), -0.25, 0.25))
