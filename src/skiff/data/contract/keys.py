"""Columns that together name a row: one row for each shop and day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import log

import numpy as np
import polars as pl

from skiff.data.contract.chance import MIN_EXPECTED, expect_collisions
from skiff.data.contract.columns import name_type
from skiff.data.contract.rules import Rule
from skiff.data.facts import ColumnFacts
from skiff.data.headers import DAY, ENTITY, HOUR, IDENTIFIER, MONTH, YEAR, says

MAX_COLUMNS = 12
"""Columns tried in pairs, those with most different values."""

SEARCH_ROWS = 20_000
"""Rows in which a pair that repeats shows itself."""

NAMING = IDENTIFIER | ENTITY | YEAR | MONTH | DAY | HOUR
"""Header words of whole numbers that name something rather than measure it."""


def learn_keys(
    frame: pl.DataFrame, facts: Mapping[str, ColumnFacts], *, semantics: Mapping[str, str]
) -> Iterator[Rule]:
    """Yield the pairs of columns that never come together twice, where chance would have made them do so.

    Parameters
    ----------
    frame : polars.DataFrame
    facts : mapping of str to ColumnFacts
    semantics : mapping of str to str
        Meaning of each column (`skiff.data.semantics.guess_semantic`).
    """
    names = [name for name, fact in facts.items() if _can_name(fact, semantic=semantics.get(name, ""))]
    names = sorted(names, key=lambda name: -facts[name].n_distinct)[:MAX_COLUMNS]
    chances = {name: measure_sameness(facts[name]) for name in names}
    enough = MIN_EXPECTED + log(max(1, len(names) * (len(names) - 1) // 2))  # as many pairs are tried
    for pair in combinations([name for name in facts if name in names], 2):
        expected = expect_collisions(frame.height, *(chances[name] for name in pair))
        if expected >= enough and _is_key(frame, pair):
            yield Rule(kind="unique", columns=pair, n=frame.height)


def measure_sameness(fact: ColumnFacts) -> float:
    """Return the chance that two rows have the same value.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> measure_sameness(gather_facts(pl.DataFrame({"shop": ["Rome", "Rome", "Oslo", "Oslo"]}))["shop"])
    0.5
    """
    counts = fact.levels["n"].to_numpy() if fact.kind == "category" else fact.runs[1]
    return float(np.square(counts / max(1, fact.n_known)).sum())


def _can_name(fact: ColumnFacts, *, semantic: str) -> bool:
    """Whether a filled column can be a part of what names a row: a day, a code, a category, not a measurement."""
    if fact.n_missing or not 1 < fact.n_distinct < fact.n_rows:
        return False
    if fact.kind in ("date", "category"):
        return True
    return (
        fact.kind == "number" and name_type(fact) == "whole" and (semantic in ("id", "year") or says(fact.name, NAMING))
    )


def _is_key(frame: pl.DataFrame, names: Sequence[str]) -> bool:
    first = frame.select(names).head(SEARCH_ROWS)
    if first.n_unique() < first.height:
        return False
    return frame.height <= SEARCH_ROWS or frame.select(names).n_unique() == frame.height
