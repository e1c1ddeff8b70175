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
from skiff.data.checks.leakage.derived import Formula
from skiff.data.checks.leakage.header_words import is_akin, speaks_of_after, speaks_of_before
from skiff.data.checks.leakage.proof import rank_with_ties
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, WHY_LEAK
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Bench, call_witness
from skiff.data.sentences import name_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]


def choose_guilty(case: Case, columns: Sequence[str], *, surprise: Float, innocent: Collection[str] = ()) -> str:
    """Return the column that most probably came after the answer, of several that give it only together.

    Of two dates the one that depends on how long it took; else one whose header speaks of the target or of what comes
    after, rather than of what was before; else the one that goes most with what nobody could foresee.

    Parameters
    ----------
    surprise : ndarray of float64
        `measure_surprise`, one a row of the sample.
    innocent : collection of str
        Columns that were there before: the time column, earlier values of the target.
    """
    late = _find_later_dates(case, columns)

    def weigh(name: str) -> tuple[int, int, int, float, str]:
        is_before = name in innocent or name == case.task.time
        speaks = bool(speaks_of_after(name) or is_akin(name, case.target)) - bool(speaks_of_before(name))
        strength = round(_correlate(encode_ordered(case.frame[name][case.sample]), surprise), 6)
        return (-int(is_before), int(name in late), int(speaks), strength, name)

    return max(columns, key=weigh)


def _correlate(values: Float, surprise: Float) -> float:
    """Return the absolute rank correlation over the filled cells."""
    known = np.isfinite(values)
    if known.sum() < 3 or float(np.ptp(values[known])) == 0.0 or float(np.ptp(surprise[known])) == 0.0:  # noqa: PLR2004  two points always lie on a line
        return 0.0
    return abs(float(np.corrcoef(rank_with_ties(values[known]), rank_with_ties(surprise[known]))[0, 1]))


def measure_surprise(case: Case, bench: Bench, others: Collection[str], *, code: int = -1) -> Float:
    """Return what happened minus what the columns `others` foresaw, one a row of the sample.

    What was there before the answer has nothing to do with it, unless it adds a sign of its own; what was worked out from
    the answer contains it.
    """
    foreseen = call_witness(case, bench, others).out_of_fold
    y = case.y[case.sample]
    surprise: Float = y - foreseen if case.is_regression else (y == code) - foreseen[:, code]
    return surprise


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
        surprise = measure_surprise(case, bench, [name for name in others if name not in columns])
        guilty = (choose_guilty(case, columns, surprise=surprise, innocent=innocent),)
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
            "formula": kind,
            "together_with": partners,
            "error_in_standard_deviations": formula.error,
            "rows_confirmed": formula.n,
            "terms": len(formula.terms),
        },
        what=f"'{case.target}' is {kind} of {name_columns(columns)}: it can be worked out from {'it' if is_copy else 'them'} without any model.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if is_whole else say_left_out(guilty[0]),
        question=f"Is '{columns[0]}' known before '{case.target}' is?"
        if is_copy
        else f"Which of {name_columns(columns)} {'is' if len(columns) == 2 else 'are'} known before '{case.target}' is?",  # noqa: PLR2004  one of two is singular
        strength=2.5,
    )


def _name_kind(formula: Formula) -> str:
    """Return in words how the target is worked out."""
    signs = {term[1] for term in formula.terms if len(term) > 2}  # noqa: PLR2004  a column, a sign, a column
    if signs == {"-"} and len(formula.terms) == 1:
        return "the time between two dates, that"
    if formula.is_product or signs & {"*", "/"}:
        return "a product or ratio"
    if formula.is_total:
        return "the total"
    return "a sum or difference, with weights,"


def say_left_out(name: str) -> str:
    """Return the remedy where one of several columns is left out."""
    return f"'{name}' is left out, without which the others do not give it away. If another one comes later instead, use --keep {name} and --drop."


def ask_about_partners(case: Case, proven: Sequence[Suspicion], *, innocent: Collection[str]) -> list[Suspicion]:
    """Return the questions about columns that gave the answer together with one that is now left out."""
    guilty = {name for suspicion in proven for name in suspicion.columns}
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
