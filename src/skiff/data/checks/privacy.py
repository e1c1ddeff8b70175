"""Columns about persons: those that point at one by themselves are left out, those that do so together are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from skiff.core.finding import Finding
from skiff.data.facts import ColumnFacts
from skiff.data.personal import MEANINGS, PersonalColumn, find_personal_columns
from skiff.data.personal.kinds import NOBODY_ASKED, PersonalAnswers
from skiff.data.personal.risk import measure_reidentification
from skiff.data.sentences import count_rows, name_columns, say_rows, say_share

MIN_DISTINCT_SHARE = 0.2
"""Share of different cells below which a column of names says who handled a row rather than whose row it is …"""

MANY = 200
"""… unless there are this many of them."""

UNIQUE_SHARE = 0.05
"""Share of rows with values of their own from which on traits together are more than a remark (k = 1 for one in twenty)."""


def find_personal_data(
    facts: Mapping[str, ColumnFacts],
    *,
    without: Collection[str] = (),
    keep: Collection[str] = (),
    said: PersonalAnswers = NOBODY_ASKED,
) -> list[Finding]:
    """Find columns about persons: ``privacy.direct_identifier``, ``.personal_text`` and ``.quasi_identifier``.

    Parameters
    ----------
    facts : mapping of str to ColumnFacts
        All columns: the others say whether a table is about persons.
    without : collection of str
        Columns that are not reported: the target and those that say when and whose a row is.
    keep : collection of str
        Columns that the user keeps.
    said : PersonalAnswers
        What a person has said; it wins.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> guests = pl.DataFrame({"contact": [f"guest{number}@example.org" for number in range(30)]})
    >>> [(finding.columns, finding.action) for finding in find_personal_data(gather_facts(guests))]
    [(('contact',), 'left_out')]
    """
    frame = pl.DataFrame([fact.series for fact in facts.values()])
    personal = find_personal_columns(frame, personal=said.yes, not_personal=said.no)
    shown = [column for column in personal if column.is_personal and column.column not in without]
    direct = [column for column in shown if column.risk == "direct" and column.column not in _names_few(facts, shown)]
    quasi = [column for column in shown if column not in direct]
    findings = [
        _tell_text(column, facts[column.column]) if column.type == "FREE_TEXT_WITH_PII" else
        _tell_direct(column, facts[column.column], is_kept=column.column in keep)
        for column in direct
    ]  # fmt: skip
    return [*findings, *([_tell_quasi(quasi, frame)] if quasi else ())]


def find_direct_identifiers(
    facts: Mapping[str, ColumnFacts], *, without: Collection[str] = (), keep: Collection[str] = ()
) -> list[Finding]:
    """Find only the columns that name or reach a person by themselves; they are left out of the model.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> find_direct_identifiers(gather_facts(pl.DataFrame({"nights": [1, 2, 3]})))
    []
    """
    found = find_personal_data(facts, without=without, keep=keep)
    return [finding for finding in found if finding.code == "privacy.direct_identifier"]


def _names_few(facts: Mapping[str, ColumnFacts], columns: Collection[PersonalColumn]) -> set[str]:
    """Return the columns with so few different values that they stand for groups: an agent, a clerk."""
    few = set()
    for column in columns:
        fact = facts[column.column]
        if fact.n_distinct < max(2, min(MANY, MIN_DISTINCT_SHARE * fact.n_known)):
            few.add(column.column)
    return few


def _tell_direct(column: PersonalColumn, fact: ColumnFacts, *, is_kept: bool) -> Finding:
    name, meant = column.column, MEANINGS[column.type]
    return Finding(
        code="privacy.direct_identifier",
        severity="warn",
        columns=(name,),
        rows=fact.n_known,
        evidence={"kind": meant, "type": column.type, "share": column.share, "different_values": fact.n_distinct},
        what=f"'{name}' holds {meant} in {count_rows(fact.n_known)}.",
        why_it_matters="It points at single persons, and a model does not need it to find a pattern.",
        remedy="It is kept, as you asked."
        if is_kept
        else "It is left out of the model. Do not hand the table on with it (skiff pii --mask).",
        action="kept" if is_kept else "left_out",
        question=f"Is '{name}' needed at all?",
    )


def _tell_text(column: PersonalColumn, fact: ColumnFacts) -> Finding:
    name = column.column
    return Finding(
        code="privacy.personal_text",
        severity="warn",
        columns=(name,),
        rows=fact.n_known,
        evidence={"type": column.type, "share": column.share},
        what=f"'{name}' is free text with names, addresses or numbers of persons in it: about {say_share(column.share)} texts.",
        why_it_matters="A model learns words of it, and the table still says who it is about.",
        remedy="It is kept. Mask it first (skiff pii FILE --mask -o OUT), or leave it out with --drop.",
        action="kept",
        question=f"May the texts of '{name}' be used as they are?",
    )


def _tell_quasi(columns: Collection[PersonalColumn], frame: pl.DataFrame) -> Finding:
    names = [column.column for column in columns]
    together = [column.column for column in columns if column.type not in ("CUSTOMER_ID", "FREE_TEXT_WITH_PII")]
    risk = measure_reidentification(frame, together)
    alone = (
        f" Together they are one of a kind in {say_rows(risk.unique_share)}."
        if risk and risk.unique_share > 0 and len(together) > 1
        else ""
    )
    is_loud = risk is not None and len(together) > 1 and risk.unique_share >= UNIQUE_SHARE
    return Finding(
        code="privacy.quasi_identifier",
        severity="warn" if is_loud else "info",
        columns=tuple(names),
        rows=risk.n_unique if risk else 0,
        evidence={"k": risk.k, "unique_rows": risk.n_unique, "unique_share": round(risk.unique_share, 4)}
        if risk
        else {},
        what=f"{name_columns(names)} {'are' if len(names) > 1 else 'is'} about persons.{alone}",
        why_it_matters="Traits, places and numbers lead back to a person once somebody puts them beside another list.",
        remedy="Kept. Coarsen or leave out what the question does not need; `skiff pii` counts what that changes.",
        action="kept",
        question=(
            f"Which of {name_columns(names)} does the question need, and on which legal basis?"
            if len(names) > 1
            else f"Does the question need {name_columns(names)}, and on which legal basis?"
        ),
    )
