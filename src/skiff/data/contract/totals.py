"""Columns that are worked out from others in the same row: sums, products, and days between two dates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from skiff.data.contract.chance import MIN_ROWS
from skiff.data.contract.rules import DAY_S, Rule
from skiff.data.facts import ColumnFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

MAX_COLUMNS = 60
"""Numbers searched for sums; of wider tables the first."""

MAX_FACTORS = 24
"""The same for products, whose number grows with the cube."""

SEARCH_ROWS = 2_000
"""Rows on which a formula is sought; it is then proved on all."""

MIN_FILLED = 0.5
"""Share of filled cells below which a column is no part of what every row adds up."""

MIN_PARTS, MAX_PARTS = 2, 12
"""Parts of a sum: with one it is a copy, with very many a coincidence of the equations."""

MIN_VALUES = 10
"""Different values of a total."""

MIN_NONZERO = 5
"""Rows in which a part must not be zero to be seen to belong."""

MAX_TOLERANCE = 0.01
"""Largest error that rounding of the parts may leave, in standard deviations of the total."""

WEIGHT_ERROR = 0.05
"""How far the weight of a part may be from one while the equations are not yet exact."""

DIGITS = (0, 1, 2, 3, 4)
"""Decimals that amounts are written with."""


def learn_totals(facts: Mapping[str, ColumnFacts], names: Sequence[str]) -> Iterator[Rule]:
    """Yield which number is always the sum or product of others, or the days between two dates.

    Parameters
    ----------
    facts : mapping of str to ColumnFacts
    names : sequence of str
        Columns to look at: numbers and dates.
    """
    numbers = [
        name
        for name in names
        if facts[name].kind == "number"
        and facts[name].n_known >= max(MIN_ROWS, MIN_FILLED * facts[name].n_rows)
        and facts[name].n_distinct > 1
    ]
    columns = {name: facts[name].floats() for name in numbers[:MAX_COLUMNS]}
    totals = [name for name in columns if facts[name].n_distinct >= MIN_VALUES]
    yield from _learn_sums(columns, totals)
    factors = list(columns)[:MAX_FACTORS]
    yield from _learn_products({name: columns[name] for name in factors}, [name for name in totals if name in factors])
    dates = {name: facts[name].floats() for name in names if facts[name].kind == "date"}
    yield from _learn_days(columns, dates)


def _learn_sums(columns: Mapping[str, Float], totals: Sequence[str]) -> Iterator[Rule]:
    """Yield sums, the smallest totals first: what is itself a sum then counts as one part of a larger."""
    hidden: set[str] = set()
    middle = {name: float(np.nanmean(np.abs(columns[name]))) for name in totals}
    for total in sorted(totals, key=lambda name: middle[name]):
        others = [name for name in columns if name != total and name not in hidden]
        parts = _find_parts(columns, total, others)
        if not parts:
            continue
        tolerance = find_tolerance([columns[name] for name in (total, *parts)])
        n = _count_exact(columns[total], sum_parts([columns[name] for name in parts]), tolerance)
        if n:
            hidden.update(parts)
            yield Rule(kind="sum", columns=(total, *parts), high=tolerance, n=n)


def _find_parts(columns: Mapping[str, Float], total: str, others: Sequence[str]) -> tuple[str, ...]:
    """Return the columns whose sum is the total in the first rows, in the order of the table."""
    whole = columns[total][:SEARCH_ROWS]
    candidates = [name for name in others if _can_be_part(columns[name][:SEARCH_ROWS], whole)]
    if len(candidates) < MIN_PARTS:
        return ()
    table = np.stack([columns[name][:SEARCH_ROWS] for name in candidates], axis=1)
    rows = np.isfinite(table).all(axis=1) & np.isfinite(whole)
    if rows.sum() < max(MIN_ROWS, 3 * len(candidates)):  # with fewer rows the equations can always be solved
        return ()
    table, whole = table[rows], whole[rows]
    scale = np.abs(table).max(axis=0)
    scale[scale == 0.0] = 1.0
    weights = np.linalg.lstsq(table / scale, whole, rcond=1e-10)[0] / scale
    parts = list(np.flatnonzero(np.abs(weights - 1.0) <= WEIGHT_ERROR))
    parts = [place for place in parts if (table[:, place] != 0.0).sum() >= MIN_NONZERO]
    if not MIN_PARTS <= len(parts) <= MAX_PARTS:
        return ()
    return tuple(candidates[place] for place in parts)


def _can_be_part(part: Float, whole: Float) -> bool:
    """Whether a column is never negative and never more than the whole, and neither all zero nor all of it."""
    known = np.isfinite(part) & np.isfinite(whole)
    if not known.any():
        return False
    part, whole = part[known], whole[known]
    is_within = bool((part >= 0.0).all() and (part <= whole * (1.0 + 1e-9) + 1e-9).all())
    return is_within and bool((part != 0.0).any()) and bool((part != whole).any())


def sum_parts(parts: Sequence[Float]) -> Float:
    """Return the sum of columns, an empty cell counting as nothing; NaN only where all are empty.

    Examples
    --------
    >>> sum_parts([np.array([1.0, np.nan]), np.array([2.0, np.nan])]).tolist()
    [3.0, nan]
    """
    table = np.stack(parts)
    made: Float = np.nansum(table, axis=0)
    made[np.isnan(table).all(axis=0)] = np.nan
    return made


def find_tolerance(columns: Sequence[Float]) -> float:
    """Return by how much a total may differ from its parts because each is rounded to its own last digit.

    Examples
    --------
    >>> find_tolerance([np.array([3.75]), np.array([1.5]), np.array([2.25])])
    0.0601
    """
    return round(
        0.5 * sum(10.0 ** -_count_decimals(column) for column in columns if _count_decimals(column)) + 1e-4, 10
    )


def _count_decimals(column: Float) -> int:
    known = column[: 4 * SEARCH_ROWS]
    known = known[np.isfinite(known)][:SEARCH_ROWS]
    return next(
        (digits for digits in DIGITS if np.allclose(known, known.round(digits), rtol=0, atol=1e-9)), DIGITS[-1] + 1
    )


def _count_exact(total: Float, made: Float, tolerance: float) -> int:
    """Return in how many rows a total is what was made of its parts; 0 unless in all of them, and not by width alone."""
    known = np.isfinite(total) & np.isfinite(made)
    total, made = total[known], made[known]
    if len(total) < MIN_ROWS or tolerance > MAX_TOLERANCE * float(total.std()):
        return 0
    dust = 1e-9 * np.abs(total)
    return len(total) if bool((np.abs(total - made) <= tolerance + dust).all()) else 0


def _learn_products(columns: Mapping[str, Float], totals: Sequence[str]) -> Iterator[Rule]:
    for total in totals:
        whole = columns[total]
        tolerance = _find_product_tolerance(whole)
        for first, second in combinations([name for name in columns if name != total], 2):
            few = slice(0, MIN_ROWS)
            if not _is_near(whole[few], columns[first][few] * columns[second][few], tolerance):
                continue
            a, b = columns[first], columns[second]
            is_telling = np.isfinite(a) & np.isfinite(b) & (a != 0.0) & (b != 0.0) & (a != 1.0) & (b != 1.0)
            n = _count_exact(whole, a * b, tolerance)
            if n and is_telling.sum() >= MIN_ROWS:
                yield Rule(kind="product", columns=(total, first, second), high=tolerance, n=n)
                break


def _find_product_tolerance(whole: Float) -> float:
    digits = _count_decimals(whole)
    return 1e-4 if digits == 0 else round(0.5 * 10.0**-digits + 1e-4, 10)


def _is_near(total: Float, made: Float, tolerance: float) -> bool:
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(total - made)
        return not bool((gap > tolerance + 1e-9 * np.abs(total)).any()) and bool(np.isfinite(gap).any())


def _learn_days(columns: Mapping[str, Float], dates: Mapping[str, Float]) -> Iterator[Rule]:
    for first, second in combinations(dates, 2):
        for start, end in ((first, second), (second, first)):
            days = np.floor(dates[end] / DAY_S) - np.floor(dates[start] / DAY_S)
            for name, column in columns.items():
                if _is_near(column[:MIN_ROWS], days[:MIN_ROWS], 0.0):
                    n = _count_exact(column, days, 0.0)
                    if n:
                        yield Rule(kind="days", columns=(name, start, end), high=0.0, n=n)
