"""What comes first: starts that are never after their ends, parts that are never more than their whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from skiff.data.contract.chance import MIN_ROWS, measure_disorder
from skiff.data.contract.rules import Rule
from skiff.data.facts import ColumnFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

MAX_COLUMNS = 60
"""Numbers and dates compared with each other; of wider tables the first."""

SEARCH_ROWS = 2_000
"""Rows on which an order is sought; it is then proved on all."""

MIN_DISORDER = 0.05
"""How often two cells drawn from different rows are the other way round: where they never are, the order says nothing
about a row (a person's age is below any year)."""

MIN_EQUAL = 5
"""Rows in which two numbers must be the same, zero aside, to be in one unit and so be comparable at all."""

MIN_VALUES = 10
"""Different values of a number that is compared: a few steps are no amount."""


def learn_orders(facts: Mapping[str, ColumnFacts], names: Sequence[str]) -> Iterator[Rule]:
    """Yield which column is never more, or never later, than another.

    Only pairs that could be the other way round: in different rows they are, in one row they never are. An order that
    follows from two others is not told.

    Parameters
    ----------
    facts : mapping of str to ColumnFacts
    names : sequence of str
        Columns to compare: numbers and dates that are amounts or moments.
    """
    for kind in ("date", "number"):
        chosen = [name for name in names if facts[name].kind == kind and facts[name].n_distinct >= MIN_VALUES]
        columns = {name: facts[name].floats() for name in chosen[:MAX_COLUMNS]}
        found = {pair: n for pair in _propose(columns) if (n := _prove(columns, *pair, has_units=kind == "number"))}
        for first, second in drop_implied(list(found)):
            word = "date" if kind == "date" else ""
            yield Rule(kind="order", columns=(first, second), word=word, n=found[first, second])


def _propose(columns: Mapping[str, Float]) -> list[tuple[str, str]]:
    """Return the pairs that are in order in the first rows."""
    if len(columns) < 2:  # noqa: PLR2004  a pair
        return []
    names = list(columns)
    sample = np.stack([columns[name][:SEARCH_ROWS] for name in names])
    pairs = []
    for place, name in enumerate(names):
        is_kept = ~(sample[place] > sample).any(axis=1)  # NaN compares false, as it should
        pairs += [(name, names[other]) for other in np.flatnonzero(is_kept) if other != place]
    return pairs


def _prove(columns: Mapping[str, Float], first: str, second: str, *, has_units: bool) -> int:
    """Return in how many rows the order holds and means something; 0 where it is not proved."""
    a, b = columns[first], columns[second]
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    differ = a != b
    n = int(differ.sum())
    if n < MIN_ROWS or bool((a > b).any()):
        return 0
    if has_units and int((~differ & (a != 0.0)).sum()) < MIN_EQUAL:
        return 0
    step = max(1, len(a) // SEARCH_ROWS)
    return len(a) if measure_disorder(a[::step], b[::step]) >= MIN_DISORDER else 0


def drop_implied(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs without those that follow from two others.

    Examples
    --------
    >>> drop_implied([("ordered", "packed"), ("packed", "sent"), ("ordered", "sent")])
    [('ordered', 'packed'), ('packed', 'sent')]
    """
    after: dict[str, set[str]] = {}
    for first, second in pairs:
        after.setdefault(first, set()).add(second)
    return [
        (first, second)
        for first, second in pairs
        if not any(second in after.get(between, ()) for between in after[first] - {second})
    ]
