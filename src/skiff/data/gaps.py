"""Which columns are empty together: a form that was skipped, a file that was joined on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from skiff.data.facts import ColumnFacts

MAX_COLUMNS = 60
"""Columns with gaps that are compared; of wider tables those with most."""

SHOWN = 8
"""Patterns told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapPattern:
    """Columns that are empty in the same rows, all others filled; `rows` have exactly this pattern."""

    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """The empty cells of a table.

    Parameters
    ----------
    cells : int
    complete_rows : int
        Rows without a gap.
    together : tuple of tuple of str
        Columns that are always empty in the same rows.
    patterns : tuple of GapPattern
        The most frequent, by rows.
    """

    cells: int
    complete_rows: int
    together: tuple[tuple[str, ...], ...]
    patterns: tuple[GapPattern, ...]


def find_gaps(facts: Mapping[str, ColumnFacts], n_rows: int) -> Gaps:
    """Return where cells are empty, and which columns are empty together.

    Notes
    -----
    Exact. One pass over the columns that have gaps.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"street": ["A", None, None], "town": ["B", None, None], "age": [1, 2, None]})
    >>> gaps = find_gaps(gather_facts(table), 3)
    >>> gaps.complete_rows, gaps.together, gaps.patterns[0]
    (1, (('street', 'town'),), GapPattern(columns=('street', 'town'), rows=1))
    """
    gappy = sorted((fact for fact in facts.values() if fact.n_missing), key=lambda fact: -fact.n_missing)
    cells = sum(fact.n_missing for fact in gappy)
    chosen = {fact.name: fact for fact in gappy[:MAX_COLUMNS]}
    names = [name for name in facts if name in chosen]
    if not names:
        return Gaps(cells=0, complete_rows=n_rows, together=(), patterns=())
    masks = pl.DataFrame({str(place): ~chosen[name].filled for place, name in enumerate(names)})
    counted = masks.group_by(pl.all()).len("n").sort("n", descending=True)
    rows = sorted(counted.rows(), key=lambda row: (-row[-1], sum(row[:-1]), [not is_empty for is_empty in row[:-1]]))
    complete = next((row[-1] for row in rows if not any(row[:-1])), 0)
    patterns = [  # of patterns as frequent, the smallest first: the order of groups is not fixed
        GapPattern(columns=tuple(name for name, is_empty in zip(names, row, strict=False) if is_empty), rows=row[-1])
        for row in rows
        if any(row[:-1])
    ]
    return Gaps(
        cells=cells,
        complete_rows=complete if len(gappy) <= MAX_COLUMNS else 0,
        together=_find_together(names, counted),
        patterns=tuple(patterns[:SHOWN]),
    )


def _find_together(names: list[str], counted: pl.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return the columns whose gaps are the same in every pattern, and so in every row."""
    alike: dict[tuple[bool, ...], list[str]] = {}
    for place, name in enumerate(names):
        alike.setdefault(tuple(counted[str(place)].to_list()), []).append(name)
    return tuple(tuple(group) for group in alike.values() if len(group) > 1)
