"""Which columns go together, how strongly, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import chndtr, fdtrc, gammaincc, ncfdtr, ndtri, stdtr

from skiff.core.measurement import Measurement
from skiff.data.facts import ColumnFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

MAX_ROWS = 5_000
"""Rows looked at, evenly spaced: a correlation is then known to ±0.03 (1.96/√5,000), which its interval says."""

MAX_COLUMNS = 40
"""Columns compared: 780 pairs; of wider tables the first."""

MAX_LEVELS = 50
"""Levels of a category that is compared; names and codes go together with everything."""

MIN_ROWS = 30
"""Rows with both values below which nothing is said."""

MIN_STRENGTH = 0.3
"""A medium association (Cohen 1988, Statistical power analysis, p. 80); weaker ones are not listed."""

NOTHING_LEFT = 1e-6
"""Share of the variance within levels up to which the category tells the number: its interval is then narrower than 1e-6, and
SciPy has no non-central F that far out."""

ALPHA = 0.05
"""Chance of telling any association where no two columns of the table have to do with each other (Bonferroni)."""

MAX_SHIFT_ERROR = 1e-3
"""How nearly the ends of an interval are found, as a shift of the non-central distribution; of shifts in the tens and above."""

LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """How strongly two columns go together.

    Parameters
    ----------
    columns : (str, str)
    measure : Measurement
        ``spearman`` (−1 to 1), ``cramers_v`` or ``correlation_ratio`` (0 to 1) with its 95 % interval and the rows it rests on.
    p : float
        Chance that columns which have nothing to do with each other go together as closely: by Student's t of the ranks, by
        `measure_chance_of_table`, or by F.
    pearson : Measurement or None
        Of two numbers also the correlation along a straight line.
    """

    columns: tuple[str, str]
    measure: Measurement
    p: float
    pearson: Measurement | None = None


def find_associations(facts: Mapping[str, ColumnFacts], *, limit: int = 15) -> tuple[Association, ...]:
    """Return the strongest associations between columns, the strongest first.

    Two numbers are compared by their ranks (Spearman), two categories by Cramér's V without its bias, a number and a
    category by the correlation ratio. Only pairs are told that chance would not have made among so many pairs.

    Parameters
    ----------
    facts : mapping of str to ColumnFacts
    limit : int

    Notes
    -----
    On `MAX_ROWS` rows and `MAX_COLUMNS` columns at most: about 0.2 s whatever the size of the table. With forty columns one
    pair in twenty of 780 would look sure by chance; so a pair counts only where its p-value times the number of pairs is below
    0.05 (Bonferroni). F takes numbers as bell-shaped within a category: one far value in a rare one can look like a tie.

    References
    ----------
    Dunn 1961, Multiple comparisons among means, doi:10.1080/01621459.1961.10482090.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"nights": range(100), "price": [80 * night + 5 for night in range(100)]})
    >>> (found,) = find_associations(gather_facts(table))
    >>> found.columns, found.measure.name, round(found.measure.value, 6)
    (('nights', 'price'), 'spearman', 1.0)
    """
    numbers, categories = _take_columns(facts)
    found = [
        *_compare_numbers(numbers),
        *_compare_categories(categories),
        *_compare_mixed(numbers, categories),
    ]
    sure = ALPHA / max(1, comb(len(numbers) + len(categories), 2))
    told = [item for item in found if abs(item.measure.value) >= MIN_STRENGTH and item.p <= sure]
    return tuple(sorted(told, key=lambda item: (-abs(item.measure.value), item.columns))[:limit])


def _take_columns(facts: Mapping[str, ColumnFacts]) -> tuple[dict[str, Float], dict[str, Int]]:
    numbers: dict[str, Float] = {}
    categories: dict[str, Int] = {}
    for name, fact in facts.items():
        if len(numbers) + len(categories) == MAX_COLUMNS:
            break
        step = max(1, -(-fact.n_rows // MAX_ROWS))
        if fact.is_quantity and fact.n_distinct > 2:  # noqa: PLR2004  yes and no is a category
            sample = ColumnFacts(series=fact.series.gather_every(step), kind=fact.kind)
            numbers[name] = sample.floats()
        elif fact.kind != "text" and 2 <= fact.n_distinct <= MAX_LEVELS:  # noqa: PLR2004  one level goes with nothing
            words = fact.series.gather_every(step).cast(pl.String)
            ranked = words.rank("dense").to_numpy()  # null stays null: NaN
            categories[name] = np.nan_to_num(ranked, nan=0.0).astype(np.int64) - 1
    return numbers, categories


def _compare_numbers(numbers: Mapping[str, Float]) -> Iterator[Association]:
    # Ranking is what costs: once for each column without gaps, again only for pairs with gaps.
    ranks = {name: _rank(column) for name, column in numbers.items() if np.isfinite(column).all()}
    for first, second in combinations(numbers, 2):
        known = np.isfinite(numbers[first]) & np.isfinite(numbers[second])
        n = int(known.sum())
        if n < MIN_ROWS:
            continue
        a, b = numbers[first][known], numbers[second][known]
        is_whole = first in ranks and second in ranks
        value = correlate(ranks[first], ranks[second]) if is_whole else correlate(_rank(a), _rank(b))
        if not abs(value) >= MIN_STRENGTH:  # NaN where one is constant here
            continue
        # Bonett and Wright 2000, doi:10.1007/BF02294183, eq. 2; Fisher 1921 for the straight line.
        yield Association(
            columns=(first, second),
            measure=_measure("spearman", value, _span_correlation(value, n, (1.0 + value**2 / 2.0) / (n - 3)), n),
            p=_chance_of_correlation(value, n),
            pearson=_measure("pearson", line := correlate(a, b), _span_correlation(line, n, 1.0 / (n - 3)), n),
        )


def _rank(column: Float) -> Float:
    """Return ranks from 1, equal values sharing the mean of their ranks."""
    ranks: Float = pl.Series(column).rank("average").to_numpy()
    return ranks


def correlate(a: Float, b: Float) -> float:
    """Return Pearson's correlation of two columns, NaN where one is constant.

    Examples
    --------
    >>> round(correlate(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 12)
    1.0
    """
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if np.isfinite(scale) and scale > 0.0 else float("nan")


def _chance_of_correlation(value: float, n: int) -> float:
    left = max(1.0 - value**2, 1e-300)
    return 2.0 * float(stdtr(n - 2, -abs(value) * np.sqrt((n - 2) / left)))


def _span_correlation(value: float, n: int, variance: float) -> tuple[float, float]:
    if not np.isfinite(value) or n < 4:  # noqa: PLR2004  Fisher's variance is 1 / (n − 3)
        return -1.0, 1.0
    centre = float(np.arctanh(np.clip(value, -1.0 + 1e-12, 1.0 - 1e-12)))
    reach = Z * float(np.sqrt(variance))
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


def _compare_categories(categories: Mapping[str, Int]) -> Iterator[Association]:
    for first, second in combinations(categories, 2):
        known = (categories[first] >= 0) & (categories[second] >= 0)
        if int(known.sum()) < MIN_ROWS:
            continue
        table = count_pairs(categories[first][known], categories[second][known])
        if min(table.shape) > 1:
            yield Association(
                columns=(first, second), measure=measure_cramers_v(table), p=measure_chance_of_table(table)
            )


def count_pairs(first: Int, second: Int) -> Int:
    """Return how often each pair of codes occurs, codes that never occur left out.

    Examples
    --------
    >>> count_pairs(np.array([0, 0, 2]), np.array([1, 1, 0])).tolist()
    [[0, 2], [1, 0]]
    """
    width = int(second.max()) + 1
    flat = np.bincount(first * width + second, minlength=(int(first.max()) + 1) * width).reshape(-1, width)
    made: Int = flat[flat.sum(axis=1) > 0][:, flat.sum(axis=0) > 0]
    return made


def measure_cramers_v(table: Int) -> Measurement:
    """Return Cramér's V of a table of counts, without its bias, with the interval of the non-central chi-square.

    References
    ----------
    Bergsma 2013, A bias-correction for Cramér's V and Tschuprow's T, doi:10.1016/j.jkss.2012.10.002. Interval: Smithson 2003,
    Confidence intervals, doi:10.4135/9781412983761, ch. 4.

    Examples
    --------
    >>> found = measure_cramers_v(np.array([[40, 10], [10, 40]]))
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.595, 0.4, 0.8)
    """
    n = int(table.sum())
    rows, columns = table.shape
    chi2 = _measure_chi2(table)
    freedom = (rows - 1) * (columns - 1)
    phi2 = max(0.0, chi2 / n - freedom / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    value = min(1.0, float(np.sqrt(phi2 / least))) if least > 0 else 0.0
    low, high = _invert(lambda shift: float(chndtr(chi2, freedom, shift)), top=4.0 * chi2 + 50.0)
    width = n * (min(rows, columns) - 1)
    span = (float(np.sqrt(low / width)), min(1.0, float(np.sqrt(high / width))))
    return _measure("cramers_v", value, (min(span[0], value), max(span[1], value)), n)


def _measure_chi2(table: Int) -> float:
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def measure_chance_of_table(table: Int) -> float:
    """Return how often chance would make so large a chi-square of the same margins.

    The gamma distribution with the exact mean and variance of chi-square given the margins: where levels are rare, the
    common one with (rows − 1)(columns − 1) degrees of freedom calls far too much sure.

    References
    ----------
    Haldane 1940, The mean and variance of χ², when used as a test of homogeneity, when expectations are small,
    doi:10.1093/biomet/31.3-4.346; Dawson 1954, doi:10.1080/01621459.1954.10501239.

    Examples
    --------
    >>> measure_chance_of_table(np.array([[40, 10], [10, 40]])) < 1e-8
    True
    >>> round(measure_chance_of_table(np.array([[1, 2], [2, 75]])), 2)  # two rare levels meet once: an accident
    0.03
    """
    n = float(table.sum())
    mean = n / (n - 1.0)
    spreads = []
    for margin in (table.sum(axis=1), table.sum(axis=0)):
        levels = len(margin)
        mean *= levels - 1
        odd = (n * float((1.0 / margin).sum()) - levels**2) / (n - 2.0)
        spreads.append(((n - levels) * (levels - 1) / (n - 1.0), odd))
    (even, odd), (other_even, other_odd) = spreads
    variance = 2.0 * n / (n - 3.0) * (even - odd) * (other_even - other_odd) + n**2 / (n - 1.0) * odd * other_odd
    if not variance > 0.0:
        return 1.0
    return float(gammaincc(mean**2 / variance, _measure_chi2(table) * mean / variance))


def _compare_mixed(numbers: Mapping[str, Float], categories: Mapping[str, Int]) -> Iterator[Association]:
    for name, codes in categories.items():
        for number, column in numbers.items():
            known = np.isfinite(column) & (codes >= 0)
            if int(known.sum()) >= MIN_ROWS:
                measure = measure_correlation_ratio(column[known], codes[known])
                if measure is not None and measure.value >= MIN_STRENGTH:
                    chance = _chance_of_ratio(column[known], codes[known])
                    yield Association(columns=(name, number), measure=measure, p=chance)


def measure_correlation_ratio(numbers: Float, codes: Int) -> Measurement | None:
    """Return the correlation ratio: how far a category tells a number; None where it cannot be said.

    The square is the share of the number's variance between the levels, without its bias (ε²).

    References
    ----------
    Pearson 1905; Kelley 1935, doi:10.1073/pnas.21.9.554 (ε²). Interval: Steiger 2004, doi:10.1037/1082-989X.9.2.164, by the
    non-central F distribution.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> codes = np.repeat([0, 1], 100)
    >>> found = measure_correlation_ratio(random.normal(codes * 2.0, 1.0), codes)
    >>> found.low < found.value < found.high
    True
    """
    spread = _split_spread(numbers, codes)
    if spread is None:
        return None
    groups, total, within = spread
    n = len(numbers)
    epsilon2 = 1.0 - (within / (n - groups)) / (total / (n - 1))
    value = float(np.sqrt(min(1.0, max(0.0, epsilon2))))
    if value < MIN_STRENGTH:  # not listed, so its interval need not be worked out
        return _measure("correlation_ratio", value, (0.0, 1.0), n)
    if within <= NOTHING_LEFT * total:
        return _measure("correlation_ratio", value, (value, 1.0), n)
    ratio = ((total - within) / (groups - 1)) / (within / (n - groups))
    low, high = _invert(
        lambda shift: float(ncfdtr(groups - 1, n - groups, shift, ratio)), top=4.0 * ratio * (groups - 1) + 50.0
    )
    span = (float(np.sqrt(low / (low + n))), float(np.sqrt(high / (high + n))))
    return _measure("correlation_ratio", value, (min(span[0], value), max(span[1], value)), n)


def _split_spread(numbers: Float, codes: Int) -> tuple[int, float, float] | None:
    """Return how many levels there are, the squares about the mean of all and about the mean of each level."""
    counts = np.bincount(codes)
    groups = int((counts > 0).sum())
    if groups < 2 or len(numbers) - groups < 2:  # noqa: PLR2004  two groups, and something left to vary
        return None
    middle = np.bincount(codes, weights=numbers) / np.maximum(counts, 1)
    total = float(((numbers - numbers.mean()) ** 2).sum())
    within = float(((numbers - middle[codes]) ** 2).sum())
    return (groups, total, within) if np.isfinite(total) and total > 0.0 else None


def _chance_of_ratio(numbers: Float, codes: Int) -> float:
    spread = _split_spread(numbers, codes)
    if spread is None:
        return 1.0
    groups, total, within = spread
    between, left = groups - 1, len(numbers) - groups
    return float(fdtrc(between, left, (total - within) / between / max(within / left, 1e-300)))


def _invert(cdf: Callable[[float], float], *, top: float) -> tuple[float, float]:
    """Return the shifts at which what was seen lies at the upper and lower end of what is likely.

    SciPy has no number for chances below 1e-70 or so, far out in the tail: they count as none.
    """
    tail = (1.0 - LEVEL) / 2.0

    def miss(shift: float, wanted: float) -> float:
        return float(np.nan_to_num(cdf(shift), nan=0.0)) - wanted

    def solve(wanted: float) -> float:
        if not miss(0.0, wanted) > 0.0:
            return 0.0
        if not miss(top, wanted) < 0.0:
            return top
        low, high = 0.0, top
        while high - low > MAX_SHIFT_ERROR:  # the larger the shift, the smaller the probability
            middle = 0.5 * (low + high)
            low, high = (middle, high) if miss(middle, wanted) > 0.0 else (low, middle)
        return 0.5 * (low + high)

    return solve(1.0 - tail), solve(tail)


def _measure(name: str, value: float, span: Sequence[float], n: int) -> Measurement:
    methods = {
        "spearman": "Bonett and Wright 2000",
        "pearson": "Fisher 1921",
        "cramers_v": "Bergsma 2013; Smithson 2003",
        "correlation_ratio": "Kelley 1935; Steiger 2004",
    }
    return Measurement(name=name, value=value, low=span[0], high=span[1], n=n, method=methods[name])
