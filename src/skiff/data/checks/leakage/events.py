"""After the event: dates later than the moment of prediction, tomorrow's target, and columns that a decision leaves behind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skiff.core.finding import EvidenceValue, Severity
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.clock import choose_later
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.copies import count_rule, find_cut
from skiff.data.checks.leakage.header_words import shares_word, speaks_of_after, speaks_of_before
from skiff.data.checks.leakage.power import Power, find_telling_rows
from skiff.data.checks.leakage.proof import measure_auc, measure_share
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, WHY_LEAK, ask_when, name_outcome
from skiff.data.checks.leakage.states import State
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.sentences import name_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

LATER_SHARE = 0.05
"""Share of rows dated after the time column from which the client is asked: typing errors stay below."""

MANY_LATE = 3
"""Late dates that get a question each; more share one."""

DAY_S = 86_400.0

TELLING_AUC = 0.98
"""AUC of the time between two dates from which it betrays the target."""

LIFT_ODDS = 8.0
"""Odds of an outcome where a column is set, over the odds elsewhere, at the low end of their interval, from which a telling
header is worth a question; large effects in medicine start at 5 (Chen et al. 2010, doi:10.1080/03610911003650383, give 6.7)."""

SUPPORTED_AUC = 0.65
"""AUC alone from which a telling header is worth a question: a weak feature is no reason to disturb a client."""

VOCABULARY_SHARE = 0.15
"""Share of the headers that may share a word with the target before the word only says what the table is about."""

LEAD_STEPS = (1, 2, 3, 4, 5, 6, 7, 12, 14, 24, 28, 30, 48, 52, 60, 90, 168, 365)
"""Steps ahead that people shift a series by: hours, days, weeks, months, quarters, a year."""


class _Late(NamedTuple):
    """A date that lies after the moment of prediction: its rows that do, and the rows that have both."""

    name: str
    n_late: int
    n_known: int
    proof_rows: tuple[int, ...]


def find_late_dates(case: Case) -> list[Suspicion]:
    """Return dates that lie after the time column: at that moment they were not known, or were plans."""
    time = case.task.time
    if time is None or time not in case.frame.columns or not case.frame[time].dtype.is_temporal():
        return []
    moment = encode_ordered(case.frame[time])
    found: list[_Late] = []
    for column in case.inputs:
        if column.kind != "date" or column.name == time:
            continue
        gap = encode_ordered(case.frame[column.name]) - moment
        known = np.isfinite(gap)
        # A date without a clock time is midnight: within one day nothing is later.
        late = known & (gap >= DAY_S)
        if known.sum() >= 20 and late.sum() >= max(10, LATER_SHARE * known.sum()):  # noqa: PLR2004  fewer dates show no habit
            found.append(_Late(column.name, int(late.sum()), int(known.sum()), tuple(case.proof_rows(late))))
    found.sort(key=lambda item: -item.n_late / item.n_known)
    if len(found) > MANY_LATE:  # one question about a wide table's dates, not hundreds
        return [_build_late(case, found)]
    return [_build_late(case, [item]) for item in found]


def _build_late(case: Case, late: list[_Late]) -> Suspicion:
    """Return the question about dates that lie after the moment of prediction, the latest named first."""
    names = [item.name for item in late]
    first = late[0]
    is_one = len(late) == 1
    return Suspicion(
        code="leakage.after_the_event",
        columns=tuple(names),
        severity="warn",
        rows=first.n_late,
        sample_rows=first.proof_rows,
        evidence={"later": measure_share("later", hits=first.n_late, n=first.n_known)},
        what=f"{name_columns(names)} {'lies' if is_one else 'lie'} after '{case.task.time}' in "
        f"{'' if is_one else 'up to '}{first.n_late:,} of {first.n_known:,} rows.",
        why_it_matters="What happens later cannot be known when the prediction is made, unless it is a plan such as a due date.",
        remedy=REMEDY_ASK,
        question=f"{'Is' if is_one else 'Are'} {name_columns(names)} already known at '{case.task.time}', as "
        f"{'a plan, or is it' if is_one else 'plans, or are they'} written down when {'it happens' if is_one else 'they happen'}?",
        strength=0.5,
    )


def find_telling_gaps(case: Case, powers: Mapping[str, Power], *, without: Collection[str]) -> list[Suspicion]:
    """Return pairs of dates whose order or distance nearly fixes an outcome, though neither date does alone."""
    names = [column.name for column in case.inputs if column.kind == "date" and column.name not in without]
    if case.task.time in case.frame.columns and case.task.time not in names and case.task.time is not None:
        names.append(case.task.time)
    if case.is_regression or len(names) < 2 or not case.outcomes:  # noqa: PLR2004  a gap needs two dates
        return []
    moments = {name: encode_ordered(case.frame[name][case.sample]) for name in names[:12]}
    found: list[Suspicion] = []
    for one, two in combinations(moments, 2):
        suspicion = _judge_gap(case, powers, one, two, gap=(moments[two] - moments[one]) / DAY_S)
        if suspicion is not None:
            found.append(suspicion)
    return found


def _judge_gap(case: Case, powers: Mapping[str, Power], one: str, two: str, *, gap: Float) -> Suspicion | None:
    """Try the distance of two dates for every outcome."""
    known = np.isfinite(gap)
    if known.sum() < 60 or known.mean() < 0.5:  # noqa: PLR2004  half of the rows, and enough of them for an interval
        return None
    labels = case.labels[case.sample][known]
    alone = max((powers[name].score.value for name in (one, two) if name in powers), default=0.5)
    for outcome in case.outcomes:
        truth = labels == outcome.code
        if not 12 <= truth.sum() <= len(truth) - 12 or alone >= TELLING_AUC:  # noqa: PLR2004  `MIN_OUTCOME_ROWS`
            continue
        score = measure_auc(truth, gap[known], method="days between the two dates")
        turned = max(score.value, 1.0 - score.value)
        cut = find_cut(gap[known], truth)
        if turned < TELLING_AUC or cut is None:
            continue
        column = next(column for column in case.inputs if column.name in (one, two))
        rule = count_rule(column, outcome, told=(gap[known] > cut[0]) == cut[1], truth=truth, threshold=cut[0])
        is_proven = rule is not None and (rule.is_exact or rule.is_tight)
        return _build_gap(case, one, two, score=turned, label=outcome.label, severity="block" if is_proven else "warn")
    return None


def _build_gap(case: Case, one: str, two: str, *, score: float, label: str, severity: Severity) -> Suspicion:
    """Return the suspicion against the later of two dates (or the one that is not the time column)."""
    suspects = tuple(name for name in (one, two) if name != case.task.time)
    if len(suspects) == 2:  # noqa: PLR2004  both are suspects: the one filled in later is the one that betrays
        suspects = (choose_later(case, suspects[0], suspects[1]),)
    return Suspicion(
        code="leakage.after_the_event",
        columns=suspects,
        severity=severity,
        rows=case.n_rows,
        sample_rows=case.proof_rows(case.labels == case.outcomes[0].code),
        evidence={"gap_auc": score, "other_date": two if suspects[0] == one else one},
        what=f"The days between '{one}' and '{two}' nearly settle whether {name_outcome(case, label)} (area under the curve {score:.3f}).",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when(case, suspects[0]),
        strength=score,
    )


def find_leads(case: Case) -> Mapping[str, int]:
    """Return the columns that are a number target moved in time: by name, steps ahead (positive) or behind (negative).

    Rows are taken in the order of the group and time columns, else of the file. A target with few values matches itself by
    chance, so it must have many.
    """
    if not case.is_regression or len(np.unique(case.y)) < 0.1 * case.n_rows or case.n_rows < 60:  # noqa: PLR2004  enough rows to be shifted
        return {}
    keys = [np.arange(case.n_rows, dtype=np.float64)]
    if (
        case.task.time in case.frame.columns
        and case.task.time is not None
        and case.frame[case.task.time].dtype.is_temporal()
    ):
        keys.append(encode_ordered(case.frame[case.task.time]))
    if case.entity is not None:
        keys.append(case.entity.astype(np.float64))
    order = np.lexsort(keys)[:5_000]
    y = case.y[order]
    found: dict[str, int] = {}
    for column in case.inputs:
        if column.kind == "number":
            steps = _match_shift(encode_ordered(case.frame[column.name])[order], y)
            if steps:
                found[column.name] = steps
    return found


def _match_shift(x: Float, y: Float) -> int:
    """Return by how many steps `x` runs ahead of `y`, 0 for none."""
    for steps in LEAD_STEPS:
        if steps < len(y) // 2:
            if float((x[:-steps] == y[steps:]).mean()) >= 0.8:  # noqa: PLR2004  the ends of groups do not match
                return steps
            if float((x[steps:] == y[:-steps]).mean()) >= 0.8:  # noqa: PLR2004
                return -steps
    return 0


def build_lead(case: Case, name: str, steps: int) -> Suspicion:
    """Return the suspicion that a column is the target of later rows."""
    return Suspicion(
        code="leakage.after_the_event",
        columns=(name,),
        severity="block",
        rows=case.n_rows,
        sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
        evidence={"steps_ahead": steps},
        what=f"'{name}' holds the '{case.target}' of {steps} row{'s' if steps > 1 else ''} later.",
        why_it_matters="A value from the future is not there when the prediction is made.",
        remedy=REMEDY_LEFT_OUT,
        question=f"Is '{name}' a value of later rows, moved up by mistake?",
        strength=3.0,
    )


def find_supported(
    case: Case, powers: Mapping[str, Power], states: Mapping[str, tuple[State, ...]]
) -> Mapping[str, str]:
    """Return the columns whose header speaks of what comes after and that show a sign of it, with the telling word."""
    found: dict[str, str] = {}
    related = {name: shares_word(name, case.target) for name in powers}
    # A word in many headers is the vocabulary of the table, not a trace of the event.
    is_vocabulary = sum(1 for word in related.values() if word) > max(2, VOCABULARY_SHARE * len(powers))
    for name, power in powers.items():
        word = speaks_of_after(name) or ("" if is_vocabulary else related[name])
        if (
            word
            and not speaks_of_before(name)
            and power.column.kind != "text"
            and (_is_telling(case, power) or measure_lift(case, states.get(name, ())) >= LIFT_ODDS)
        ):
            found[name] = word
    return found


def _is_telling(case: Case, power: Power) -> bool:
    """Whether a column alone tells a fair part of the target; a date may need the others to tell anything."""
    if power.column.kind == "date":
        return True
    if case.is_regression:
        return (power.score.low or 0.0) >= 0.3  # noqa: PLR2004  three tenths of the spread, a strong single column
    return (power.score.low or 0.0) >= SUPPORTED_AUC


def measure_lift(case: Case, states: tuple[State, ...]) -> float:
    """Return the lowest plausible odds ratio of an outcome where a column is rarely set, against all other rows."""
    best = 0.0
    for state in states:
        if state.kind == "unset" or state.n > 0.1 * case.n_rows:
            continue
        for outcome in case.outcomes:
            hits = state.hits[outcome.code]
            total = outcome.base * case.n_rows
            cells = np.array([hits, state.n - hits, total - hits, case.n_rows - state.n - total + hits]) + 0.5
            ratio = float(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
            best = max(best, float(np.exp(abs(ratio) - 1.96 * np.sqrt((1.0 / cells).sum()))))
    return best


def build_supported(
    case: Case, name: str, word: str, power: Power, *, evidence: Mapping[str, EvidenceValue]
) -> Suspicion:
    """Return the question about a column that sounds and behaves like the trace of a decision."""
    return Suspicion(
        code="leakage.after_the_event",
        columns=(name,),
        severity="warn",
        rows=case.n_rows,
        sample_rows=find_telling_rows(case, power),
        evidence={"score_alone": power.score, "word_in_header": word, **evidence},
        what=f"'{name}' tells much about '{case.target}', and its name suggests that it is filled in afterwards.",
        why_it_matters="If it is only known once the answer is, the model will look better than it can ever be in use.",
        remedy=REMEDY_ASK,
        question=ask_when(case, name),
        strength=power.score.value,
    )
