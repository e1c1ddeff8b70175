"""Words for one thing written in several ways, and numbers that became words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue, Finding
from skiff.data.facts import ColumnFacts
from skiff.data.profile import MIN_SHARED
from skiff.data.rows import number_rows
from skiff.data.sentences import count_rows, say_rows

MAX_LEVELS = 5_000
"""More levels than that are names, where spelling is the owner's business."""

MAX_DISTINCT_SHARE = 0.5
"""The same as a share of the rows."""

MOST_NUMBERS = 0.8
"""Share of cells that read as numbers from which the others made the column text."""

_GAPS = re.compile(r"(?<=[^\W_])[\s_.'’-]+(?=[^\W_])")
"""Blanks and joints between letters; other signs and signs at the end can mean something (A-, C++)."""


def find_inconsistent_categories(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find levels that differ only by capitals, blanks, punctuation or accents.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"city": ["Rome"] * 20 + ["rome "] * 6 + ["Oslo"] * 9})
    >>> [(finding.rows, finding.evidence["spellings"]) for finding in find_inconsistent_categories(gather_facts(table))]
    [(6, ('Rome', 'rome '))]
    """
    findings = []
    for name, fact in facts.items():
        if name in without or fact.kind != "category" or not 2 <= fact.n_distinct <= MAX_LEVELS:  # noqa: PLR2004  one level cannot differ
            continue
        if fact.n_distinct > MAX_DISTINCT_SHARE * fact.n_known:
            continue
        variants = _group_spellings(fact)
        if variants:
            findings.append(_tell_spellings(fact, variants))
    return findings


def normalise(level: str) -> str:
    """Return a level without regard to capitals, blanks, joints and accents.

    Examples
    --------
    >>> normalise(" São-Paulo"), normalise("SAO PAULO"), normalise("<=50K"), normalise("+"), normalise("3.5")
    ('sao paulo', 'sao paulo', '<=50k', '+', '3.5')
    """
    plain = unicodedata.normalize("NFKD", level.strip().casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if not plain[:1].isalpha() or any(mark.isdigit() for mark in plain):
        return " ".join(plain.split())  # signs around figures mean something: <5, >5, 1.5
    return _GAPS.sub(" ", plain).rstrip(" .")


def _group_spellings(fact: ColumnFacts) -> list[list[tuple[str, int]]]:
    spellings: dict[str, list[tuple[str, int]]] = {}
    for level, n in fact.levels.sort(["n", "level"], descending=[True, False]).iter_rows():
        spellings.setdefault(normalise(level), []).append((level, n))
    return [group for group in spellings.values() if len(group) > 1]


def _tell_spellings(fact: ColumnFacts, variants: list[list[tuple[str, int]]]) -> Finding:
    rarer = [level for group in variants for level, _ in group[1:]]
    is_rarer = fact.series.cast(pl.String).is_in(rarer).fill_null(value=False).to_numpy()
    shown = next((group for group in variants if group[1][1] >= MIN_SHARED), None)
    evidence: dict[str, EvidenceValue] = {"groups": len(variants)}
    if shown:
        evidence["spellings"] = tuple(level for level, n in shown if n >= MIN_SHARED)
    example = f", for example '{shown[0][0]}' and '{shown[1][0]}'" if shown else ""
    things = "one level" if len(variants) == 1 else f"{len(variants)} levels"
    return Finding(
        code="quality.inconsistent_categories",
        severity="warn",
        columns=(fact.name,),
        rows=int(is_rarer.sum()),
        sample_rows=number_rows(is_rarer),
        evidence=evidence,
        what=f"'{fact.name}' writes {things} in several ways{example}.",
        why_it_matters="The model takes each spelling for a thing of its own and learns less about each.",
        remedy="Choose one spelling in the export.",
        action="kept",
        question=f"Are the spellings in '{fact.name}' the same thing?",
    )


def find_mixed_types(facts: Mapping[str, ColumnFacts], *, without: Collection[str] = ()) -> list[Finding]:
    """Find text columns in which nearly every cell is a number.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> table = pl.DataFrame({"price": [str(price) for price in range(40)] + ["ask", "ask"]})
    >>> [(finding.columns, finding.rows) for finding in find_mixed_types(gather_facts(table))]
    [(('price',), 2)]
    """
    findings = []
    for name, fact in facts.items():
        if name in without or fact.series.dtype != pl.String or fact.n_known == 0:
            continue
        first = fact.series.drop_nulls().head(200).str.strip_chars()
        if first.cast(pl.Float64, strict=False).is_not_null().mean() in (None, 0.0):
            continue
        is_number = fact.series.str.strip_chars().cast(pl.Float64, strict=False).is_not_null().to_numpy()
        share = float(is_number.sum() / fact.n_known)
        is_word = fact.filled & ~is_number
        if MOST_NUMBERS <= share < 1.0 and not _are_codes(fact):
            findings.append(_tell_mixed(fact, is_word, share))
    return findings


def _are_codes(fact: ColumnFacts) -> bool:
    """Whether numbers are written with leading zeros: then they are codes and text is right."""
    return bool(fact.series.head(10_000).str.contains(r"^0\d").fill_null(value=False).any())


def _tell_mixed(fact: ColumnFacts, is_word: np.ndarray[tuple[int], np.dtype[np.bool_]], share: float) -> Finding:
    n = int(is_word.sum())
    return Finding(
        code="quality.mixed_types",
        severity="warn",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(is_word),
        evidence={"share_of_numbers": share},
        what=f"'{fact.name}' holds numbers in {say_rows(share)} and words in {count_rows(n)}, so it was read as text.",
        why_it_matters="As text every number is a different word: the model cannot see that 10 is more than 9.",
        remedy="Empty or correct those cells, or put the words in a column of their own.",
        action="kept",
        question=f"What do the words in '{fact.name}' mean?",
    )
