"""Does a later table still fit what was agreed on: the columns that a model takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue, Finding
from skiff.core.signature import InputColumn
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.rows import number_rows
from skiff.data.sentences import count_rows, name_columns, say_share

FAR_OUTSIDE = 0.5
"""How far beyond the range seen in training a number may lie, as a part of that range, before it is worth a word."""

MANY_NEW = 0.05
"""Share of rows with unknown levels from which the answers suffer noticeably."""


def find_schema_changes(
    frame: pl.DataFrame, inputs: Sequence[InputColumn], *, known: Sequence[str] = ()
) -> list[Finding]:
    """Compare a table with the columns that a model takes.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed table.
    inputs : sequence of InputColumn
        What the model takes.
    known : sequence of str
        Columns that may be there without a word: the target, those left out.

    Returns
    -------
    list of Finding
        ``schema.missing_column`` and ``schema.kind_changed`` block; ``schema.new_levels``, ``schema.out_of_range`` and
        ``schema.new_missing`` warn or inform; ``schema.extra_column`` informs.

    Examples
    --------
    >>> from skiff.data.kinds import infer_inputs
    >>> agreed = infer_inputs(pl.DataFrame({"nights": [1, 2, 7], "city": ["Rome", "Oslo", "Rome"]}))
    >>> [(finding.code, finding.columns) for finding in find_schema_changes(pl.DataFrame({"nights": [2, 70]}), agreed)]
    [('schema.missing_column', ('city',)), ('schema.out_of_range', ('nights',))]
    """
    names = {column.name for column in inputs}
    absent = [column.name for column in inputs if column.name not in frame.columns]
    extra = [name for name in frame.columns if name not in names and name not in known]
    facts = gather_facts(frame.select([column.name for column in inputs if column.name in frame.columns]))
    changes = [finding for column in inputs if column.name in facts for finding in _compare(facts[column.name], column)]
    return [*_tell_absent(absent, frame.height), *changes, *_tell_extra(extra)]


def _compare(fact: ColumnFacts, column: InputColumn) -> Iterator[Finding]:
    if fact.n_known == 0:
        if fact.n_rows and not column.nullable:
            yield _tell_gaps(fact)
        return
    if not _fits(fact, column):
        yield _tell_kind(fact, column)
        return
    if fact.n_missing and not column.nullable:
        yield _tell_gaps(fact)
    if column.kind == "category" and column.levels and len(column.levels) < 1_000:  # noqa: PLR2004  a list cut there says nothing about new ones
        yield from _compare_levels(fact, column)
    if column.kind in ("number", "date") and column.low is not None and column.high is not None:
        yield from _compare_range(fact, column, low=column.low, high=column.high)


def _fits(fact: ColumnFacts, column: InputColumn) -> bool:
    """Whether the column can be fed to the model: words are words, and yes/no is a number."""
    words, numbers = {"category", "text"}, {"number", "boolean"}
    return fact.kind == column.kind or {fact.kind, column.kind} <= words or {fact.kind, column.kind} <= numbers


def _compare_levels(fact: ColumnFacts, column: InputColumn) -> Iterator[Finding]:
    new = fact.levels.filter(~pl.col("level").is_in(list(column.levels)))
    if not new.height:
        return
    is_new = fact.series.cast(pl.String).is_in(new["level"].to_list()).fill_null(value=False).to_numpy()
    n = int(is_new.sum())
    yield Finding(
        code="schema.new_levels",
        severity="warn" if n >= MANY_NEW * fact.n_rows else "info",
        columns=(fact.name,),
        rows=n,
        sample_rows=number_rows(is_new),
        evidence={"new_levels": new.height, "share": n / fact.n_rows},
        what=f"'{fact.name}' has {new.height:,} value{'s' if new.height > 1 else ''} that the model has never met, in "
        f"{count_rows(n)} ({say_share(n / fact.n_rows)}).",
        why_it_matters="The model treats them all as 'something else'.",
        remedy="Check the spelling; if they are really new, train again once their outcomes are known.",
    )


def _compare_range(fact: ColumnFacts, column: InputColumn, *, low: float, high: float) -> Iterator[Finding]:
    slack = FAR_OUTSIDE * (high - low)
    numbers = fact.floats()
    is_out = np.nan_to_num(numbers, nan=low) < low - slack
    is_out |= np.nan_to_num(numbers, nan=low) > high + slack
    if column.kind == "date":
        return  # later dates are what a model in use is for
    if is_out.any():
        n = int(is_out.sum())
        yield Finding(
            code="schema.out_of_range",
            severity="warn",
            columns=(fact.name,),
            rows=n,
            sample_rows=number_rows(is_out),
            evidence={"low": low, "high": high},
            what=f"'{fact.name}' lies far outside what the model was trained on in {count_rows(n)}.",
            why_it_matters="There the model can only answer as it does at the edge of what it knows.",
            remedy="Check the unit and the decimal sign; if the values are right, do not rely on these answers.",
        )


def _tell_absent(absent: list[str], n_rows: int) -> list[Finding]:
    if not absent:
        return []
    return [
        Finding(
            code="schema.missing_column",
            severity="block",
            columns=tuple(absent),
            rows=n_rows,
            what=f"{name_columns(absent)} {'is' if len(absent) == 1 else 'are'} missing from the table.",
            why_it_matters="The model was trained with it and would have to guess.",
            remedy="Export the table with the same columns as for training, with the same headers.",
        )
    ]


def _tell_extra(extra: list[str]) -> list[Finding]:
    if not extra:
        return []
    return [
        Finding(
            code="schema.extra_column",
            severity="info",
            columns=tuple(extra),
            what=f"{name_columns(extra)} {'is' if len(extra) == 1 else 'are'} not used by the model.",
            why_it_matters="Nothing is lost, but a renamed column would show up here.",
            remedy="Nothing has to be done.",
        )
    ]


def _tell_kind(fact: ColumnFacts, column: InputColumn) -> Finding:
    words = {"number": "numbers", "boolean": "yes or no", "category": "words", "text": "text", "date": "dates"}
    evidence: dict[str, EvidenceValue] = {"expected": column.kind, "found": fact.kind}
    return Finding(
        code="schema.kind_changed",
        severity="block",
        columns=(fact.name,),
        rows=fact.n_known,
        evidence=evidence,
        what=f"'{fact.name}' holds {words[fact.kind]}, and the model expects {words[column.kind]}.",
        why_it_matters="Every answer would rest on a misread column.",
        remedy="Export it in the same form as for training; one stray word is enough to turn numbers into text.",
    )


def _tell_gaps(fact: ColumnFacts) -> Finding:
    return Finding(
        code="schema.new_missing",
        severity="warn",
        columns=(fact.name,),
        rows=fact.n_missing,
        sample_rows=number_rows(~fact.filled),
        evidence={"share": fact.n_missing / fact.n_rows},
        what=f"'{fact.name}' is empty in {count_rows(fact.n_missing)}; in training it never was.",
        why_it_matters="The model has not learned what an empty cell means there.",
        remedy="Fill the cells in, or find out why they are empty now.",
    )
