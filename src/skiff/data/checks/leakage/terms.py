"""What a formula may be made of: columns, their logarithms, products and ratios of two, the time between two dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

Term: TypeAlias = tuple[str, ...]
"""One term: ``("a",)`` is the column, ``("a", "log")`` its logarithm, ``("a", "log1-")`` that of one minus a rate (``log100-``
for percentages), ``("a", "*", "b")`` and ``("a", "/", "b")`` join two, ``("a", "-", "b")`` are the days between two dates."""

UNIFORM_ERROR = 12**-0.5
"""Root mean squared error of rounding, in units of the last digit (uniform distribution)."""

DIGITS = (1_000.0, 100.0, 10.0, 1.0, 0.1, 0.01, 0.001, 1e-4)
"""Last digits that amounts are rounded to."""

COARSE = 0.03
"""A last digit above this share of the standard deviation is no rounding: whole numbers from 1 to 10 are counts, and a
formula for them always nearly fits."""

MAX_DATES = 12
"""Dates between which times are taken: 66 pairs."""


def list_columns(term: Term) -> tuple[str, ...]:
    """Return the columns of a term.

    Examples
    --------
    >>> list_columns(("area", "*", "price")), list_columns(("rate", "log1-"))
    (('area', 'price'), ('rate',))
    """
    return (term[0], *term[2:])


def evaluate_term(term: Term, columns: Mapping[str, Float]) -> Float:
    """Return the values of a term.

    Examples
    --------
    >>> evaluate_term(("a", "/", "b"), {"a": np.array([6.0]), "b": np.array([3.0])}).tolist()
    [2.0]
    """
    x = columns[term[0]]
    sign = term[1] if len(term) > 1 else ""
    if len(term) > 2:  # noqa: PLR2004  a column, a sign, a column
        z = columns[term[2]]
        return {"*": lambda: x * z, "/": lambda: x / z, "-": lambda: x - z}[sign]()
    if sign.startswith("log"):
        scale = 100.0 if "100" in sign else 1.0
        made: Float = np.log(x) if sign == "log" else np.log1p((-1.0 if sign.endswith("-") else 1.0) * x / scale)
        return made
    return x


def propose_sums(columns: Mapping[str, Float], dates: Sequence[str]) -> list[Term]:
    """Return the columns themselves, and the time between each two dates."""
    gaps = [(later, "-", earlier) for earlier, later in _order_dates(columns, dates)]
    return [*((name,) for name in columns if name not in dates), *gaps]


def _order_dates(columns: Mapping[str, Float], dates: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of dates, the one that is mostly earlier first."""
    pairs = combinations(dates[:MAX_DATES], 2)
    return [(one, two) if np.nanmedian(columns[two] - columns[one]) >= 0 else (two, one) for one, two in pairs]


def propose_logs(columns: Mapping[str, Float], dates: Sequence[str]) -> list[Term]:
    """Return logarithms of what is always positive, and of one plus or minus rates and percentages."""
    terms: list[Term] = []
    for name, values in columns.items():
        if name in dates:
            continue
        if (values > 0).all():
            terms.append((name, "log"))
        size = float(np.abs(values).max())
        scale = 1 if size < 1.0 else 100
        if size < scale and (values >= 0).all() and float(np.ptp(values)) > 0:
            terms += [(name, f"log{scale}-"), (name, f"log{scale}+")]
    return terms


def propose_pairs(columns: Mapping[str, Float], dates: Sequence[str], paired: Sequence[str]) -> list[Term]:
    """Return the columns, and products and ratios of those that are `paired`."""
    terms = propose_sums(columns, dates)
    for one, two in combinations([name for name in paired if name not in dates], 2):
        terms.append((one, "*", two))
        if (columns[two] != 0).all():
            terms.append((one, "/", two))
        if (columns[one] != 0).all():
            terms.append((two, "/", one))
    return terms


def find_last_digit(values: Float) -> float:
    """Return the unit that values are rounded to, 0 where they are not, or so coarsely that they are counts or codes.

    Examples
    --------
    >>> find_last_digit(np.array([120.25, 91.5, 33.75])), find_last_digit(np.array([1.0, 2.0, 5.0]))
    (0.01, 0.0)
    """
    known = values[np.isfinite(values)]
    spread = float(known.std()) if len(known) else 0.0
    for unit in DIGITS:
        if np.allclose(known / unit, np.round(known / unit), rtol=0.0, atol=1e-6):
            return unit if unit <= COARSE * spread else 0.0
    return 0.0


def measure_dust(term: Term, columns: Mapping[str, Float], digits: Mapping[str, float]) -> float:
    """Return the root mean squared error that the rounding of its columns leaves in a term (first-order)."""
    errors = [UNIFORM_ERROR * digits[name] for name in list_columns(term)]
    if not any(errors):
        return 0.0
    x = columns[term[0]]
    sign = term[1] if len(term) > 1 else ""
    parts: list[Float | float] = [1.0]
    if len(term) > 2:  # noqa: PLR2004  a column, a sign, a column
        z = columns[term[2]]
        parts = [z, x] if sign == "*" else [1.0 / z, x / z**2] if sign == "/" else [1.0, 1.0]
    elif sign == "log":
        parts = [1.0 / x]
    elif sign:
        scale = 100.0 if "100" in sign else 1.0
        parts = [1.0 / (scale + (-x if sign.endswith("-") else x))]
    squares = sum(float(np.mean(np.square(part))) * error**2 for part, error in zip(parts, errors, strict=True))
    return float(np.sqrt(squares))
