"""Columns that name rows instead of describing them, and columns that only count them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import Severity
from skiff.core.signature import InputColumn
from skiff.data.abreast import map_abreast
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.columns import encode_ordered, find_blanks
from skiff.data.checks.leakage.header_words import names_a_thing
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import rank_with_ties
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.kinds import MAX_LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

MIN_ROWS = 30
"""Fewer rows, and every column looks unique."""

SURELY_DISTINCT = 0.9
"""Share of different values in the sample below which the whole column cannot have `0.98` of them, chance included."""

OWN_VALUE_SHARE = 0.5
"""A category in which more than half of the filled rows have a value of their own names them."""

DISTINCT_SHARE = 0.7
"""The same by distinct values over filled rows."""

NAME_WORDS = 6.0
NAME_LETTERS = 60.0
"""Mean words and letters up to which a text is a name, an address or a code rather than something written."""

EXPECTED_TWINS = 10.0
"""Whole numbers drawn at random from their own range would hold this many equal pairs; having none at all, the numbers are
made to be unique (birthday problem: pairs about n^2 / 2R; ten expected and none seen has probability e^-10)."""

DENSE = 1.5
"""A unique whole number whose range is at most this many times the number of rows counts them."""

ORDERED = 0.999
"""Rank correlation with the row number from which a column repeats the order of the file."""

FILE_SORTED_AUC = 0.9
FILE_SORTED_R2 = 0.8
"""What row order alone may tell before the file itself is sorted by the answer."""

MIN_ROWS_SORTED = 100
"""Rows from which twentieths of a file hold enough rows to compare."""

EPOCH_RANGE_S = (6.0e8, 4.2e9)
"""Whole numbers between these are moments since 1970 in seconds (1989 to 2103); in milliseconds times 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How a column names rows."""

    column: InputColumn
    n_filled: int
    n_distinct: int
    is_row_order: bool
    reason: str


def find_identities(case: Case) -> Mapping[str, Identity]:
    """Return the columns that name or count rows, by name."""
    if case.n_rows < MIN_ROWS:
        return {}
    candidates = [column for column in case.inputs if column.name != case.task.time]
    found = map_abreast(lambda column: _name_rows(case, column), candidates, threads=case.threads)
    return {identity.column.name: identity for identity in found if identity is not None}


def _name_rows(case: Case, column: InputColumn) -> Identity | None:
    """Return how one column names rows, or None."""
    if column.kind in ("category", "text"):
        return _name_by_text(case, column)
    return _name_by_number(case, column) if column.kind == "number" else None


def _name_by_text(case: Case, column: InputColumn) -> Identity | None:
    """Judge a text or category: most rows have a value of their own, and it is short like a name or code."""
    if 0 < len(column.levels) < min(MAX_LEVELS, DISTINCT_SHARE * 0.5 * case.n_rows):
        return None  # the whole table has fewer values than names of half the rows would need
    series = case.frame[column.name].cast(pl.String)
    filled = series.filter(pl.Series(~find_blanks(series)))
    if len(filled) < MIN_ROWS or len(filled) < 0.5 * case.n_rows:
        return None
    # Counted by a 64-bit hash, as in `skiff.data.rows.code_rows`: numbers are counted several times as fast as texts.
    rows_of_value = filled.hash().alias("hash").value_counts()["count"]
    n_distinct = len(rows_of_value)
    if n_distinct < DISTINCT_SHARE * len(filled) or int((rows_of_value == 1).sum()) < OWN_VALUE_SHARE * len(filled):
        return None
    looked = filled.head(2_000)
    words = float(looked.str.split(" ").list.len().mean() or 0)  # type: ignore[arg-type]  # a mean of lengths is a number
    letters = float(looked.str.len_chars().mean() or 0)  # type: ignore[arg-type]  # the same
    if words > NAME_WORDS or letters > NAME_LETTERS:
        return None
    if looked.cast(pl.Float64, strict=False).is_null().mean() == 0 and not names_a_thing(column.name):
        return None  # numbers kept as text are measurements unless their header names things
    return Identity(
        column=column, n_filled=len(filled), n_distinct=n_distinct, is_row_order=False, reason="values of its own"
    )


def _name_by_number(case: Case, column: InputColumn) -> Identity | None:
    """Judge whole numbers: all different although chance would repeat some, or counting the rows, or named so."""
    series = case.frame[column.name]
    if not _may_number_rows(encode_ordered(series[case.sample])):
        return None  # nearly every column ends here, without a look at every row
    values = encode_ordered(series)
    values = values[np.isfinite(values)]
    if len(values) < max(MIN_ROWS, 0.9 * case.n_rows) or (values != np.floor(values)).any():
        return None
    n_distinct = len(np.unique(values))
    if n_distinct < 0.98 * len(values):
        return None
    low, high = float(values.min()), float(values.max())
    spread = high - low + 1.0
    is_epoch = any(EPOCH_RANGE_S[0] * scale <= low and high <= EPOCH_RANGE_S[1] * scale for scale in (1.0, 1e3, 1e6))
    is_order = _follows_rows(values)
    is_unique = n_distinct == len(values)
    if is_unique and spread <= DENSE * case.n_rows:
        reason = "it counts the rows"
    elif is_unique and is_order and not is_epoch:
        reason = "it grows with every row"
    elif is_unique and len(values) ** 2 / (2.0 * spread) >= EXPECTED_TWINS and _is_even(values):
        reason = "no two rows share a number, though chance would repeat some"
    elif names_a_thing(column.name) and not is_epoch:
        reason = "nearly every row has a number of its own, and its name says that it numbers things"
    else:
        return None
    return Identity(column=column, n_filled=len(values), n_distinct=n_distinct, is_row_order=is_order, reason=reason)


def _may_number_rows(sampled: Float) -> bool:
    """Whether sampled values are whole and hardly repeat; a sample repeats at most as often as the whole."""
    known = sampled[np.isfinite(sampled)]
    return bool((known == np.floor(known)).all()) and len(np.unique(known)) >= SURELY_DISTINCT * len(known)


def _follows_rows(values: Float) -> bool:
    """Whether the values rise or fall with the row number."""
    order = np.arange(len(values), dtype=np.float64)
    return abs(float(np.corrcoef(rank_with_ties(values), order)[0, 1])) >= ORDERED


def _is_even(values: Float) -> bool:
    """Whether the values lie evenly in their range: a measured quantity piles up somewhere, issued numbers do not."""
    counts = np.histogram(values, bins=10)[0]
    return bool(counts.min() >= 0.2 * len(values) / 10.0)


def judge_identities(case: Case, identities: Mapping[str, Identity], powers: Mapping[str, Power]) -> list[Suspicion]:
    """Leave out what names rows; block it where it also carries the target."""
    return [_judge_identity(case, identity, powers[name]) for name, identity in identities.items()]


def _judge_identity(case: Case, identity: Identity, power: Power) -> Suspicion:
    """Return the suspicion against one identifier."""
    name = identity.column.name
    bar = FILE_SORTED_R2 if case.is_regression else FILE_SORTED_AUC
    carries = identity.column.kind == "number" and (power.score.low or 0.0) >= bar and case.task.time is None
    severity: Severity = "block" if carries else "warn"
    code = "leakage.row_order" if carries and identity.is_row_order else "leakage.identifier"
    what = (
        f"'{name}' numbers the rows, and its order tells '{case.target}': the list seems to be sorted by the answer."
        if carries
        else f"'{name}' names single rows rather than describing them ({identity.n_distinct:,} different values in {identity.n_filled:,} rows)."
    )
    return Suspicion(
        code=code,
        columns=(name,),
        severity=severity,
        action="left_out",
        rows=identity.n_filled,
        sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
        evidence={
            "distinct": identity.n_distinct,
            "filled": identity.n_filled,
            "reason": identity.reason,
            "follows_row_order": identity.is_row_order,
            "score_alone": power.score,
        },
        what=what,
        why_it_matters="A model can only learn it by heart; the next row has a name it has never seen.",
        remedy="It is left out of the model. Keep it with --keep if its values do describe something.",
        question=f"Does '{name}' say anything about a case, or is it only its number?",
        strength=power.score.value,
    )


def find_sorted_file(case: Case) -> list[Suspicion]:
    """Return whether the order of the rows alone tells the target, in a file without a time column."""
    if case.task.time is not None or case.n_rows < MIN_ROWS_SORTED:
        return []
    if case.is_regression and not _follows_rows(case.y):
        return []  # a series may wander, a sorted list only rises or falls
    y = case.y if case.is_regression else case.labels.astype(np.float64)
    blocks = np.minimum(np.arange(case.n_rows) * 20 // case.n_rows, 19)
    means = np.bincount(blocks, weights=y, minlength=20) / np.bincount(blocks, minlength=20)
    share = float(np.var(means[blocks]) / np.var(y)) if float(np.var(y)) > 0 else 0.0
    if share < 0.8:  # noqa: PLR2004  four fifths of the spread between twentieths of the file: only a sorted list does that
        return []
    return [
        Suspicion(
            code="leakage.row_order",
            columns=(),
            severity="warn",
            rows=case.n_rows,
            sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
            evidence={"share_explained_by_row_order": share},
            what=f"The list is sorted by '{case.target}': where a row stands explains {round(100 * share)} % of it.",
            why_it_matters="Any column that grows with the row number would betray the answer, and a split by row order would be useless.",
            remedy="Nothing to do if the split is random or by time; leave out columns that count rows.",
            question=f"Was the list sorted by '{case.target}' on export, or does its order mean something?",
            action="asked",
        )
    ]
