"""Several columns that give the answer only together: which of them came after it, and what to ask about the others.

A price a square metre and an area give the price, but the area was known before. Where like parts add up to the target all
of them come with it; else one is left out, without which the others give nothing away, and the client is asked about those.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.clock import choose_later
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.derived import LIKE_WEIGHTS, Formula
from skiff.data.checks.leakage.header_words import is_akin, speaks_of_after, speaks_of_before
from skiff.data.checks.leakage.proof import rank_with_ties
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, WHY_LEAK
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Bench
from skiff.data.sentences import name_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

SAME_STORY = 0.95
"""Correlation from which one column says nearly what another says."""

SAME_NUMBER = 1.0 - 1e-6
"""Correlation of one number in two units, each rounded to a few digits."""

MIN_ROWS_ALIKE = 60
"""Rows from which such a correlation is no accident."""

SMALL_PART = 0.05
"""Median share of a stock that is taken from it, below which it is rather a meter that runs on."""

MAX_KNOWN = 100
"""Features that the rest of the table is taken for when its knowledge is taken away."""


def choose_guilty(
    case: Case,
    bench: Bench,
    columns: Sequence[str],
    *,
    others: Collection[str],
    code: int = -1,
    innocent: Collection[str] = (),
) -> str:
    """Return the column that most probably came after the answer, of several that give it only together.

    Of two dates the one that depends on how long it took; else one whose header speaks of the target or of what comes
    after, rather than of what was before; else the one that goes most with what the other columns could not foresee: what
    was there before the answer has nothing to do with that, unless it adds a sign of its own; what was worked out from the
    answer contains it.

    Parameters
    ----------
    others : collection of str
        The other columns of the table.
    code : int
        The outcome, -1 for a number.
    innocent : collection of str
        Columns that were there before: the time column, earlier values of the target.
    """
    late = _find_later_dates(case, columns)
    known = _build_known(case, bench, _find_impartial(case, columns, others))
    y = case.y[case.sample]
    surprise = _take_away(known, y if case.is_regression else (y == code).astype(np.float64))

    def weigh(name: str) -> tuple[int, int, int, float, str]:
        is_before = name in innocent or name == case.task.time
        speaks = bool(speaks_of_after(name) or is_akin(name, case.target)) - bool(speaks_of_before(name))
        values = encode_ordered(case.frame[name][case.sample])
        is_known = np.isfinite(values)
        if not is_known.any():  # words have no order that could go with anything
            return (-int(is_before), int(name in late), int(speaks), 0.0, name)
        news = _take_away(known, np.where(is_known, values, values[is_known].mean()))
        return (-int(is_before), int(name in late), int(speaks), round(_correlate(news, surprise), 6), name)

    return max(columns, key=weigh)


def _find_impartial(case: Case, columns: Sequence[str], others: Collection[str]) -> list[str]:
    """Return the others without those that say nearly the same as one of `columns`: they would testify in its place."""
    accused = [encode_ordered(case.frame[name][case.sample]) for name in columns]
    return [
        name
        for name in others
        if name not in columns
        and not any(_agree(encode_ordered(case.frame[name][case.sample]), values) >= SAME_STORY for values in accused)
    ]


def _agree(one: Float, two: Float) -> float:
    """Return the absolute correlation over the rows where both are known, 0 with too few of them."""
    known = np.isfinite(one) & np.isfinite(two)
    if known.sum() < MIN_ROWS_ALIKE or float(np.ptp(one[known])) == 0.0 or float(np.ptp(two[known])) == 0.0:
        return 0.0
    return abs(float(np.corrcoef(one[known], two[known])[0, 1]))


def find_doubles(case: Case, condemned: Sequence[Suspicion], *, free: Collection[str]) -> list[Suspicion]:
    """Return the numbers among `free` that are a part of a formula once more, in another unit.

    With its part gone the formula no longer holds, so no later sitting would notice them.
    """
    found: dict[str, Suspicion] = {}
    for suspicion in condemned:
        if suspicion.code != "leakage.derived_target":
            continue
        for guilty in suspicion.columns:
            values = encode_ordered(case.frame[guilty][case.sample])
            for name in free:
                if name not in found and case.frame.schema[name].is_numeric():
                    same = _agree(encode_ordered(case.frame[name][case.sample]), values)
                    if same >= SAME_NUMBER:
                        found[name] = _build_double(case, suspicion, guilty=guilty, name=name, same=same)
    return list(found.values())


def _build_double(case: Case, suspicion: Suspicion, *, guilty: str, name: str, same: float) -> Suspicion:
    """Return the suspicion against a column that repeats a proven leak."""
    return Suspicion(
        code=suspicion.code,
        columns=(name,),
        severity="block",
        rows=suspicion.rows,
        sample_rows=suspicion.sample_rows,
        evidence={"correlation": same, "same_as": guilty},
        what=f"'{name}' is '{guilty}' in another unit, and that gives '{case.target}' away.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT,
        question=f"Is '{name}' known before '{case.target}' is?",
        strength=2.4,
    )


def _build_known(case: Case, bench: Bench, others: Collection[str]) -> Float:
    """Return the sampled rows of `others` as a matrix without gaps, a constant first; as many as the rows can bear."""
    room = min(MAX_KNOWN, len(case.sample) // 10)
    places = [place for place, owner in enumerate(bench.owners) if owner in set(others)][:room]
    matrix = bench.matrix[:, places]
    gaps = ~np.isfinite(matrix)
    means = np.where(
        gaps.all(axis=0), 0.0, np.nansum(np.where(gaps, 0.0, matrix), axis=0) / np.maximum(1, (~gaps).sum(axis=0))
    )
    spread = np.where(gaps, means, matrix).std(axis=0)
    scaled = (np.where(gaps, means, matrix) - means) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(matrix)), scaled])


def _take_away(known: Float, values: Float) -> Float:
    """Return what is left of `values` after a linear fit on `known` (R. Frisch, F. V. Waugh 1933, Econometrica 1(4))."""
    left: Float = values - known @ np.linalg.lstsq(known, values, rcond=None)[0]
    return left


def _correlate(one: Float, two: Float) -> float:
    """Return the absolute rank correlation."""
    if len(one) < 3 or float(np.ptp(one)) == 0.0 or float(np.ptp(two)) == 0.0:  # noqa: PLR2004  two points always lie on a line
        return 0.0
    return abs(float(np.corrcoef(rank_with_ties(one), rank_with_ties(two))[0, 1]))


def _find_later_dates(case: Case, columns: Sequence[str]) -> set[str]:
    """Return the dates that another date of `columns` comes before."""
    dates = [name for name in columns if case.frame.schema[name].is_temporal()]
    return {choose_later(case, one, two) for one, two in combinations(dates, 2)}


def build_formula_suspicion(
    case: Case, bench: Bench, formula: Formula, *, others: Collection[str], innocent: Collection[str] = ()
) -> Suspicion:
    """Return the suspicion that the target is worked out from the columns of `formula`; `others` are all free columns."""
    columns = formula.columns
    is_copy = len(columns) == 1
    is_whole = is_copy or formula.is_total
    guilty = columns
    if not is_whole:
        left_over = _find_left_over(case, formula)
        guilty = (left_over or choose_guilty(case, bench, columns, others=others, innocent=innocent),)
    partners = tuple(name for name in columns if name not in guilty)
    kind = _name_kind(formula)
    return Suspicion(
        code="leakage.target_copy" if is_copy else "leakage.derived_target",
        columns=guilty,
        partners=partners,
        severity="block",
        rows=case.n_rows,
        sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
        evidence={
            "formula": kind.removesuffix(" of"),
            "together_with": partners,
            "error_in_standard_deviations": formula.error,
            "rows_confirmed": formula.n,
            "terms": len(formula.terms),
        },
        what=f"'{case.target}' is {kind} {name_columns(columns)}: it can be worked out from {'it' if is_copy else 'them'} without any model.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if is_whole else say_left_out(guilty[0]),
        question=f"Is '{columns[0]}' known before '{case.target}' is?"
        if is_copy
        else f"Which of {name_columns(columns)} {'is' if len(columns) == 2 else 'are'} known before '{case.target}' is?",  # noqa: PLR2004  one of two is singular
        strength=2.5,
    )


def _find_left_over(case: Case, formula: Formula) -> str:
    """Return what is left of a stock after the target was taken from it: never below zero, and no small part of it is taken.

    A difference of two moments or meter readings is small against both, and there the greater one is the later. Headers that
    speak of before and after are better witnesses than this rule.
    """
    ordered = sorted(zip(formula.weights, formula.terms, strict=True))
    is_pair = len(ordered) == 2 and all(len(term) == 1 for term in formula.terms) and not formula.is_product  # noqa: PLR2004  a difference has two sides
    if not is_pair or abs(ordered[0][0] + ordered[1][0]) > LIKE_WEIGHTS * ordered[1][0]:
        return ""
    less, more = ordered[0][1][0], ordered[1][1][0]
    if any(speaks_of_after(name) or speaks_of_before(name) for name in (less, more)):
        return ""
    rest, stock = (encode_ordered(case.frame[name][case.sample]) for name in (less, more))
    taken = case.y[case.sample] / np.where(stock > 0, stock, np.nan)
    is_stock = bool(np.nanmin(rest) >= 0 and case.y[case.sample].min() >= 0 and np.nanmin(stock) >= 0)
    if is_stock and float(np.nanmedian(taken)) >= SMALL_PART:
        return less
    return more if is_stock else ""


def _name_kind(formula: Formula) -> str:
    """Return in words how the target is worked out, up to the names of the columns."""
    signs = {term[1] for term in formula.terms if len(term) > 2}  # noqa: PLR2004  a column, a sign, a column
    if signs == {"-"} and len(formula.terms) == 1:
        return "the time between"
    if formula.is_product or signs & {"*", "/"}:
        return "a product or ratio of"
    if formula.is_total:
        return "the total of"
    return "a weighted sum or difference of"


def say_left_out(name: str) -> str:
    """Return the remedy where one of several columns is left out."""
    return f"'{name}' is left out, without which the others do not give it away. If another one comes later instead, use --keep {name} and --drop."


def ask_about_partners(
    case: Case, proven: Sequence[Suspicion], *, guilty: Collection[str], innocent: Collection[str]
) -> list[Suspicion]:
    """Return the questions about columns that gave the answer together with one that is now left out."""
    asked: dict[str, Suspicion] = {}
    for suspicion in proven:
        for name in suspicion.partners:
            is_known = name in innocent or name == case.task.time or bool(speaks_of_before(name))
            if name not in guilty and name not in asked and not is_known:
                asked[name] = _build_partner(case, suspicion, name)
    return list(asked.values())


def _build_partner(case: Case, suspicion: Suspicion, name: str) -> Suspicion:
    """Return the question about one such column."""
    others = name_columns([*suspicion.columns, *(other for other in suspicion.partners if other != name)])
    return Suspicion(
        code=suspicion.code,
        columns=(name,),
        severity="warn",
        rows=suspicion.rows,
        sample_rows=suspicion.sample_rows,
        evidence={"together_with": suspicion.columns},
        what=f"'{name}' gives '{case.target}' away together with {others}; '{suspicion.columns[0]}' is left out, '{name}' is kept.",
        why_it_matters="If it is written down with the answer it still tells a part of it; if it was known before, all is well.",
        remedy=REMEDY_ASK,
        question=f"Is '{name}' known before '{case.target}' is?",
        strength=1.0,
    )
