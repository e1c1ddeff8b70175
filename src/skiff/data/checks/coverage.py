"""Groups with so few rows that the model is a guess for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from skiff.core.finding import EvidenceValue, Finding
from skiff.data.facts import ColumnFacts
from skiff.data.kinds import take_top_levels
from skiff.data.profile import MIN_SHARED
from skiff.data.sentences import name_columns

SMALL_GROUP = 30
"""Rows below which a rate is known to no better than ±18 points (Wilson 1927, n = 30, rate ½)."""

MAX_LEVELS = 12
"""Columns with more levels are lists of things rather than groups."""

MAX_SMALL_SHARE = 0.02
"""Share of the rows below which a level is small next to the others: in a tiny table everything is."""


def find_small_groups(
    facts: Mapping[str, ColumnFacts], *, among: Collection[str], protected: Collection[str] = ()
) -> list[Finding]:
    """Find levels with fewer than 30 rows: a warning for protected columns, one line for all others together.

    Parameters
    ----------
    facts : mapping of str to ColumnFacts
    among : collection of str
        Columns to look at: those that the model uses.
    protected : collection of str
        Columns by which the model is judged for fairness.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"shop": ["Rome"] * 990 + ["Oslo"] * 10})
    >>> [(finding.severity, finding.columns) for finding in find_small_groups(gather_facts(table), among=["shop"])]
    [('info', ('shop',))]
    """
    looked_at = {*among, *protected}
    small = {name: _list_small(fact) for name, fact in facts.items() if name in looked_at and fact.kind == "category"}
    warned = [
        _tell_protected(name, small[name]) for name in protected if small.get(name) is not None and small[name].height
    ]
    rest = {name: levels for name, levels in small.items() if levels.height and name not in protected}
    return [*warned, _tell_rest(rest)] if rest else warned


def _list_small(fact: ColumnFacts) -> pl.DataFrame:
    """Return the small levels, the largest first."""
    empty = pl.DataFrame(schema={"level": pl.String, "n": pl.Int64})
    if not 2 <= fact.n_distinct <= MAX_LEVELS:  # noqa: PLR2004  a single level is no group
        return empty
    limit = min(SMALL_GROUP, MAX_SMALL_SHARE * fact.n_known)
    return take_top_levels(fact.levels.filter(pl.col("n") < limit), MAX_LEVELS)


def _tell_protected(name: str, levels: pl.DataFrame) -> Finding:
    named = levels.filter(pl.col("n") >= MIN_SHARED)
    evidence: dict[str, EvidenceValue] = dict(named.iter_rows())
    return Finding(
        code="coverage.small_group",
        severity="warn",
        columns=(name,),
        rows=int(levels["n"].sum()),
        evidence=evidence,
        what=f"{levels.height} of the groups of '{name}' have fewer than {SMALL_GROUP} rows.",
        why_it_matters="Whether the model treats them fairly cannot be seen from so few.",
        remedy="Collect more rows of these groups, or say that the model was not judged for them.",
    )


def _tell_rest(small: dict[str, pl.DataFrame]) -> Finding:
    names = list(small)
    smallest = {name: int(levels["n"].sum()) for name, levels in small.items()}
    evidence: dict[str, EvidenceValue] = dict(list(smallest.items())[:20])
    return Finding(
        code="coverage.small_group",
        severity="info",
        columns=tuple(names),
        rows=max(smallest.values()),
        evidence=evidence,
        what=f"{name_columns(names)} {'has' if len(names) == 1 else 'have'} values with fewer than {SMALL_GROUP} rows.",
        why_it_matters="For them the model's answer rests on very little.",
        remedy="Nothing has to be done; do not rely on single answers there.",
    )
