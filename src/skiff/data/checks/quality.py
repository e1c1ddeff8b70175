"""Columns that say nothing, say it twice, or mostly say nothing at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue, Finding
from skiff.data.facts import ColumnFacts
from skiff.data.rows import number_rows
from skiff.data.sentences import name_columns, say_rows

MOSTLY_MISSING = 0.5
"""Share of empty cells from which a column deserves a question; below, a model copes by itself."""

NEAR_CONSTANT = 0.99
"""Share of one value from which a column hardly varies."""

MIN_PROOF_ROWS = 10
"""Rows outside the most frequent value needed to call two columns the same: fewer could agree by chance."""

SKETCH_ROWS = 1_000
"""Rows by which columns are sorted into those that may say the same; two different columns rarely agree so long."""

MOSTLY_DIFFERENT = 0.5
"""Different values per row from which two columns match value by value by chance."""

MAX_EVIDENCE = 20
"""Columns listed one by one in the evidence of a finding about many."""


def find_missing(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find empty cells: one finding for the columns that are empty so often that someone should ask, one for the rest.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"email": ["a", None, None, None], "age": [30, 41, 29, 55]})
    >>> [(finding.severity, finding.columns) for finding in find_missing(gather_facts(table))]
    [('warn', ('email',))]
    """
    gaps = [fact for name, fact in facts.items() if name not in without and 0 < fact.n_missing < fact.n_rows]
    gaps.sort(key=lambda fact: -fact.n_missing)
    mostly = [fact for fact in gaps if fact.n_missing >= MOSTLY_MISSING * fact.n_rows]
    partly = gaps[len(mostly) :]
    return [*_tell_mostly(mostly), *_tell_partly(partly)]


def _tell_mostly(gaps: list[ColumnFacts]) -> Iterator[Finding]:
    if not gaps:
        return
    names, worst = [fact.name for fact in gaps], gaps[0]
    them, they_are = ("it", "it is") if len(names) == 1 else ("them", "they are")
    yield Finding(
        code="quality.missing",
        severity="warn",
        columns=tuple(names),
        rows=worst.n_missing,
        sample_rows=number_rows(~worst.filled),
        evidence=_list_rates(gaps),
        what=f"{name_columns(names)} {'is' if len(names) == 1 else 'are'} mostly empty, "
        f"{'in' if len(names) == 1 else 'up to'} {say_rows(worst.n_missing / worst.n_rows)}.",
        why_it_matters=f"What is known in few rows can help only there, and why {they_are} empty may matter more than the value.",
        remedy=f"Nothing has to be done: Skiff treats 'empty' as a value. Leave {them} out with --drop if nobody will fill {them} in.",
        question=f"When is '{worst.name}' filled in, and what does it mean when it is empty?",
    )


def _tell_partly(gaps: list[ColumnFacts]) -> Iterator[Finding]:
    if not gaps:
        return
    names, worst = [fact.name for fact in gaps], gaps[0]
    extent = "in" if len(names) == 1 else "in at most"
    yield Finding(
        code="quality.missing",
        severity="info",
        columns=tuple(names),
        rows=worst.n_missing,
        sample_rows=number_rows(~worst.filled),
        evidence=_list_rates(gaps),
        what=f"{name_columns(names)} {'has' if len(names) == 1 else 'have'} empty cells, {extent} "
        f"{say_rows(worst.n_missing / worst.n_rows)}.",
        why_it_matters="The model learns what an empty cell tells, and must meet empty cells for the same reasons later.",
        remedy="Nothing has to be done.",
    )


def _list_rates(gaps: list[ColumnFacts]) -> dict[str, EvidenceValue]:
    return {fact.name: round(fact.n_missing / fact.n_rows, 4) for fact in gaps[:MAX_EVIDENCE]}


def find_constant(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find columns with one value, or none, in every row; they are left out.

    A column with one value *and* empty cells is not constant: being filled in is a fact.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> [finding.action for finding in find_constant(gather_facts(pl.DataFrame({"currency": ["EUR"] * 30})))]
    ['left_out']
    """
    return [
        Finding(
            code="quality.constant",
            severity="info",
            columns=(name,),
            rows=fact.n_rows,
            evidence={"different_values": fact.n_distinct, "missing": fact.n_missing},
            what=f"'{name}' is empty in every row." if not fact.n_known else f"'{name}' is the same in every row.",
            why_it_matters="What never varies cannot help to tell rows apart.",
            remedy="It is left out; nothing has to be done.",
            action="left_out",
        )
        for name, fact in facts.items()
        if name not in without and is_constant(fact)
    ]


def is_constant(fact: ColumnFacts) -> bool:
    """Whether a column is the same in every row."""
    if fact.n_rows == 0:
        return False
    return fact.n_known == 0 or (fact.n_missing == 0 and fact.top_count == fact.n_rows)


def find_near_constant(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find columns with the same value in at least 99 of 100 rows: one finding for all of them.

    References
    ----------
    Kuhn and Johnson 2013, Applied Predictive Modeling, section 3.5 (near-zero variance predictors), which uses 95 : 5;
    rarely set flags can be worth much, so they are kept and the limit is stricter.
    """
    found = [
        fact
        for name, fact in facts.items()
        if name not in without and not is_constant(fact) and fact.top_count >= max(1, NEAR_CONSTANT * fact.n_rows)
    ]
    if not found:
        return []
    found.sort(key=lambda fact: -fact.top_count)
    names = [fact.name for fact in found]
    return [
        Finding(
            code="quality.near_constant",
            severity="info",
            columns=tuple(names),
            rows=found[0].n_rows - found[0].top_count,
            evidence={fact.name: round(fact.top_count / fact.n_rows, 5) for fact in found[:MAX_EVIDENCE]},
            what=f"{name_columns(names)} {'has' if len(names) == 1 else 'have'} the same value in at least 99 of 100 rows.",
            why_it_matters="What is said about the few other rows rests on little.",
            remedy="Nothing has to be done; the model uses it where it helps.",
            action="kept",
        )
    ]


def find_duplicate_columns(
    facts: Mapping[str, ColumnFacts], *, without: Collection[str] = (), keep: Collection[str] = ()
) -> list[Finding]:
    """Find columns that say the same as an earlier one, also under other names for the values; the later is left out.

    Notes
    -----
    Two columns say the same if each value of one goes with exactly one value of the other. Where most values are
    different that holds by chance, so there only equal content counts.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"size": ["S", "M", "L"] * 10, "size_code": [1, 2, 3] * 10})
    >>> [finding.columns for finding in find_duplicate_columns(gather_facts(table))]
    [('size_code',)]
    """
    alike: dict[tuple[int, int, int, bytes], list[ColumnFacts]] = defaultdict(list)
    for name, fact in facts.items():
        if name in without or is_constant(fact) or fact.n_rows - fact.top_count < MIN_PROOF_ROWS:
            continue
        alike[fact.n_distinct, fact.n_missing, fact.top_count, _sketch(fact)].append(fact)
    findings = []
    for group in alike.values():
        first: list[ColumnFacts] = []
        for fact in group:
            twin = next((other for other in first if _says_the_same(other, fact)), None)
            if twin is None:
                first.append(fact)
            else:
                loser, stays = (twin, fact) if fact.name in keep and twin.name not in keep else (fact, twin)
                findings.append(_tell_twins(loser, stays, is_kept=loser.name in keep))
    return findings


def _says_the_same(one: ColumnFacts, other: ColumnFacts) -> bool:
    if not np.array_equal(one.filled, other.filled):
        return False
    if one.series.dtype == other.series.dtype and bool(one.series.eq_missing(other.series).all()):
        return True
    if _is_mostly_different(one):
        return False
    pairs = pl.DataFrame([one.series.alias("one"), other.series.alias("other")])
    return pairs.n_unique() == one.series.n_unique() == other.series.n_unique()


def _is_mostly_different(fact: ColumnFacts) -> bool:
    """Whether values go together by chance, because nearly each occurs once."""
    return fact.n_distinct > MOSTLY_DIFFERENT * fact.n_known


def _sketch(fact: ColumnFacts) -> bytes:
    """Return what the first rows of columns that say the same have in common, so that few pairs need comparing.

    That is the content itself, or the order in which the values first appear, whatever they are called.
    """
    first = fact.series.head(SKETCH_ROWS)
    if _is_mostly_different(fact):
        return first.hash(seed=0).to_numpy().tobytes()
    _, places, codes = np.unique(first.rank("dense").fill_null(0).to_numpy(), return_index=True, return_inverse=True)
    appearance = np.argsort(np.argsort(places))[codes]
    return appearance.astype(np.int16).tobytes()


def _tell_twins(loser: ColumnFacts, stays: ColumnFacts, *, is_kept: bool) -> Finding:
    is_equal = loser.kind == stays.kind and loser.series.equals(stays.series, null_equal=True)
    other = "" if is_equal else " in other words: each value of one always stands beside the same value of the other"
    return Finding(
        code="quality.duplicate_columns",
        severity="info",
        columns=(loser.name,),
        rows=loser.n_rows,
        evidence={"same_as": stays.name, "different_values": loser.n_distinct},
        what=f"'{loser.name}' says the same as '{stays.name}'{other or ' in every row'}.",
        why_it_matters="Two columns for one fact make it look half as important as it is, and must agree for ever.",
        remedy="Both are kept, as you asked." if is_kept else f"'{stays.name}' is used and '{loser.name}' is left out.",
        action="kept" if is_kept else "left_out",
    )
