"""A text that names the answer: "refund approved" in the notes of an approved refund."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import Severity
from skiff.core.signature import InputColumn
from skiff.data.checks.leakage.case import Case, Outcome
from skiff.data.checks.leakage.columns import split_words
from skiff.data.checks.leakage.header_words import split_header
from skiff.data.checks.leakage.missingness import MIN_DOUBT
from skiff.data.checks.leakage.proof import bound_errors, measure_share
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, ask_when, name_outcome
from skiff.data.checks.leakage.suspicion import Suspicion

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_WORD_ROWS = 20
"""Rows that must share a word before it is looked at; it also keeps names of persons out of sentences."""

MIN_NAME_ROWS = 11
"""The same for the name of the outcome: 11 rows without an error leave a rate of 24 % possible."""

SETTLING_SHARE = 0.97
"""A single word found in this share of the rows with an outcome, and in as few others, settles it."""

NAMED_UPPER = 0.10
"""Largest error rate still possible (95 %) for a word that is also the name of the outcome."""

ASK_UPPER = 0.25
"""The same for asking: 11 rows without an error."""

NAMED_REACH = 0.2
"""Share of the rows with an outcome in which its name must appear."""

MIN_STEM = 4
"""Letters of a stem: shorter ones are "yes", "no" and "bad", which texts use for other things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordClaim:
    """Words, one or the forms of one, whose presence goes with an outcome."""

    column: InputColumn
    words: tuple[str, ...]
    outcome: Outcome
    n: int
    hits: int
    is_name: bool


def find_naming_texts(case: Case) -> list[Suspicion]:
    """Return text columns in which a word names the outcome or settles it alone.

    Notes
    -----
    Words that merely go with an outcome ("prize" in spam) are what texts are for: only the name of the outcome itself, or a
    word that is present exactly when the outcome is, counts as a leak.
    """
    found: list[Suspicion] = []
    if case.is_regression:
        return found
    for column in case.inputs:
        if column.kind == "text" or (column.kind == "category" and _is_wordy(case, column)):
            suspicion = _judge_text(case, column)
            if suspicion is not None:
                found.append(suspicion)
    return found


def _is_wordy(case: Case, column: InputColumn) -> bool:
    """Whether a category reads like text: many levels of several words."""
    levels = case.frame[column.name][case.sample].cast(pl.String).drop_nulls().unique()
    return len(levels) > 50 and float(levels.str.count_matches(" ").mean() or 0) >= 2  # type: ignore[arg-type]  # noqa: PLR2004  three words on average


def _judge_text(case: Case, column: InputColumn) -> Suspicion | None:
    """Try the names of every outcome in a text column, then every frequent word."""
    labels = case.labels[case.sample]
    words = split_words(case.frame[column.name][case.sample].cast(pl.String)).list.unique()
    table = pl.DataFrame({"word": words, "label": labels}).explode("word").drop_nulls()
    counted = table.group_by("word", "label").len().sort("word", "label")
    heard = [*_claim_names(case, column, words, counted), *_claim_words(case, column, counted)]
    for claim in heard:
        reach = claim.hits / (claim.outcome.base * len(labels))
        severity = _judge_word(claim, reach=reach)
        if severity is not None:
            mask = np.zeros(case.n_rows, dtype=np.bool_)
            mask[case.sample[_find_rows(words, claim.words)]] = True
            return _build_suspicion(case, claim, severity=severity, reach=reach, rows=case.proof_rows(mask))
    return None


def _find_rows(words: pl.Series, wanted: Sequence[str]) -> NDArray[np.bool_]:
    """Return which lists of words hold any of the wanted ones."""
    counts = words.list.len().fill_null(0).to_numpy()
    row = np.repeat(np.arange(len(words)), counts)
    flat = words.filter(pl.Series(counts > 0)).list.explode()
    found = np.zeros(len(words), dtype=np.bool_)
    found[row[flat.is_in(list(wanted)).to_numpy()]] = True
    return found


def _list_outcomes(case: Case) -> list[Outcome]:
    """Return the classes with enough sampled rows."""
    labels = case.labels[case.sample]
    counts = [int((labels == code).sum()) for code in range(len(case.classes))]
    return [
        Outcome(label=case.classes[code], code=code, base=count / len(labels))
        for code, count in enumerate(counts)
        if count >= MIN_NAME_ROWS
    ]


def _claim_names(case: Case, column: InputColumn, words: pl.Series, counted: pl.DataFrame) -> list[WordClaim]:
    """Return, by outcome, the claim of all words together that are its name in some form ("fraud", "fraudulent")."""
    labels = case.labels[case.sample]
    known = counted["word"].unique().sort().to_list()
    claims: list[WordClaim] = []
    for outcome in _list_outcomes(case):
        names = tuple(word for word in known if _names(case, word, outcome))
        if not names:
            continue
        is_named = _find_rows(words, names)
        n, hits = int(is_named.sum()), int((is_named & (labels == outcome.code)).sum())
        if n >= MIN_NAME_ROWS:
            claims.append(WordClaim(column=column, words=names, outcome=outcome, n=n, hits=hits, is_name=True))
    return claims


def _claim_words(case: Case, column: InputColumn, counted: pl.DataFrame) -> list[WordClaim]:
    """Return the claims of every frequent word for every outcome."""
    outcomes = {outcome.code: outcome for outcome in _list_outcomes(case)}
    totals = counted.group_by("word").agg(total=pl.col("len").sum()).filter(pl.col("total") >= MIN_WORD_ROWS)
    frequent = counted.join(totals, on="word").sort("word", "label")
    return [
        WordClaim(column=column, words=(word,), outcome=outcomes[label], n=total, hits=hits, is_name=False)
        for word, label, hits, total in frequent.iter_rows()
        if label in outcomes and outcomes[label].base * len(case.sample) >= MIN_WORD_ROWS
    ]


def _names(case: Case, word: str, outcome: Outcome) -> bool:
    """Whether a word is a name of the outcome: its label, or (for a yes) a word of the target's header."""
    names = list(split_header(outcome.label))
    if case.task.kind == "binary" and outcome.code == 1:
        names += [
            name for name in split_header(case.target) if name not in ("target", "label", "class", "outcome", "flag")
        ]
    return any(
        len(name) >= MIN_STEM and len(word) >= MIN_STEM and (word.startswith(name[:6]) or name.startswith(word[:6]))
        for name in names
    )


def _judge_word(claim: WordClaim, *, reach: float) -> Severity | None:
    """Block a word that settles the outcome, or its name where it is nearly always right; ask where it reaches far."""
    purity = claim.hits / claim.n
    if purity >= SETTLING_SHARE and reach >= SETTLING_SHARE and claim.outcome.base <= 1.0 - MIN_DOUBT:
        return "block"
    if not claim.is_name or claim.outcome.base > 1.0 - MIN_DOUBT or reach < NAMED_REACH:
        return None
    upper = bound_errors(claim.n - claim.hits, claim.n)
    if upper <= NAMED_UPPER:
        return "block"
    return "warn" if upper <= ASK_UPPER else None


def _build_suspicion(
    case: Case, claim: WordClaim, *, severity: Severity, reach: float, rows: tuple[int, ...]
) -> Suspicion:
    """Return the suspicion that a text names the answer. The word itself is not quoted: it is the client's."""
    name = claim.column.name
    return Suspicion(
        code="leakage.text_names_target",
        columns=(name,),
        severity=severity,
        rows=claim.n,
        sample_rows=rows,
        evidence={
            "purity": measure_share("purity", hits=claim.hits, n=claim.n, baseline=claim.outcome.base),
            "reach": reach,
            "is_name_of_outcome": claim.is_name,
        },
        what=f"The text in '{name}' gives the answer away: one word in it means that {name_outcome(case, claim.outcome.label)} in {claim.hits:,} of {claim.n:,} rows.",
        why_it_matters="A text written after the decision repeats it; new cases will not have that text yet.",
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when(case, name),
        strength=reach,
    )
