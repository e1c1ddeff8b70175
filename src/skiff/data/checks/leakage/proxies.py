"""One column alone nearly fixes the target, in a way honest columns do not; or the whole score rests on it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skiff.core.finding import Severity
from skiff.core.measurement import Measurement
from skiff.data.checks.leakage.case import Case
from skiff.data.checks.leakage.header_words import speaks_of_before
from skiff.data.checks.leakage.power import Power, find_telling_rows
from skiff.data.checks.leakage.proof import rank_with_ties
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, WHY_LEAK, ask_when, name_outcome
from skiff.data.checks.leakage.states import FEW_LEVELS
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness, is_explained

BLOCK_AUC = 0.99
BLOCK_AUC_LOW = 0.985
"""AUC alone, and the low end of its interval, above which a column nearly fixes an outcome. Honest columns are promised
acquittal up to 0.97 (`benchmarks/leak_court.py` measures how often that promise is kept)."""

ASK_AUC = 0.98
"""AUC alone from which the client is asked."""

BLOCK_R2 = 0.99
DOMINANT_AUC = 0.8
DOMINANT_R2 = 0.6
"""What a finely graded column on which the score rests must tell alone before the client is asked about it."""

ASK_R2 = 0.975
"""The same for the share of a number's rank order that one column fixes: noise of 2.9 % and 4.6 % of its range."""

KNOWN_BUT_ASKED = 0.995
"""Where the rest of the table tells as much, only a column above this is asked about."""

MIN_ROWS = 200
"""Rows below which near-certainty cannot be told from luck; the column is asked about instead."""


def measure_certainty(case: Case, power: Power) -> float:
    """Return how nearly a column alone fixes the target: AUC, or the share of the rank order explained."""
    if not case.is_regression:
        return power.score.value
    fitted = power.out_of_fold
    if float(np.std(fitted)) == 0.0:
        return power.determinism
    y_rank = rank_with_ties(case.y[case.sample])
    return max(power.determinism, float(np.corrcoef(y_rank, rank_with_ties(fitted))[0, 1] ** 2))


def accuse_proxies(case: Case, powers: Mapping[str, Power]) -> Mapping[str, Power]:
    """Return the columns whose certainty alone deserves a hearing."""
    bar = ASK_R2 if case.is_regression else ASK_AUC
    return {
        name: power
        for name, power in powers.items()
        if power.column.kind != "text" and measure_certainty(case, power) >= bar
    }


def judge_proxies(case: Case, witness: Witness, accused: Mapping[str, Power]) -> list[Suspicion]:
    """Block near-certainty that nothing else in the table shares; ask about the rest."""
    found: list[Suspicion] = []
    for name, power in accused.items():
        certainty = measure_certainty(case, power)
        known = is_explained(case, witness, power.code)
        if known and certainty < KNOWN_BUT_ASKED:
            continue
        severity: Severity = "block" if _is_proven(case, power, certainty) and not known else "warn"
        found.append(_build_suspicion(case, name, power, certainty=certainty, severity=severity))
    return found


def _is_proven(case: Case, power: Power, certainty: float) -> bool:
    """Whether the certainty is beyond what honest columns reach, with enough rows to be sure."""
    if len(case.sample) < MIN_ROWS or power.column.kind == "date":
        return False
    if case.is_regression:
        return certainty >= BLOCK_R2
    return certainty >= BLOCK_AUC and (power.score.low or 0.0) >= BLOCK_AUC_LOW


def _build_suspicion(case: Case, name: str, power: Power, *, certainty: float, severity: Severity) -> Suspicion:
    """Return the suspicion that one column nearly fixes the target."""
    told = f"whether {name_outcome(case, power.label)}" if power.label else f"'{case.target}'"
    measured = (
        f"area under the curve {certainty:.3f}"
        if not case.is_regression
        else f"{100 * certainty:.1f} % of the order of its values"
    )
    return Suspicion(
        code="leakage.target_proxy",
        columns=(name,),
        severity=severity,
        rows=case.n_rows,
        sample_rows=find_telling_rows(case, power),
        evidence={"score_alone": power.score, "certainty_alone": certainty},
        what=f"'{name}' alone nearly settles {told} ({measured}).",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when(case, name),
        strength=certainty,
    )


def build_dominance(
    case: Case, name: str, power: Power, *, share: float, score_with: Measurement, score_without: Measurement
) -> Suspicion:
    """Return the question about a column on which most of the score rests: suspicious, not provable.

    A finely graded column this strong (a duration, an amount, a count) is worth a question; a plain category or yes/no is
    only told, for those are seldom filled in later and always dominate simple tables, and so is last year's number.
    """
    bar = DOMINANT_R2 if case.is_regression else DOMINANT_AUC
    is_graded = power.column.kind == "number" and power.n_distinct > FEW_LEVELS
    is_asked = power.score.value >= bar and is_graded and not speaks_of_before(name)
    return Suspicion(
        code="leakage.target_proxy",
        columns=(name,),
        severity="warn" if is_asked else "info",
        rows=case.n_rows,
        sample_rows=find_telling_rows(case, power),
        evidence={
            "score_alone": power.score,
            "share_of_skill": share,
            "score_with": score_with,
            "score_without": score_without,
        },
        what=f"Most of what can be foretold about '{case.target}' rests on '{name}' alone: without it {round(100 * share)} % of the model's advantage over guessing is gone.",
        why_it_matters="A single column this strong is either the best sign there is, or is filled in once the answer is known. The numbers cannot tell which; the client can.",
        remedy=REMEDY_ASK if is_asked else "Nothing to do if it is known beforehand.",
        question=ask_when(case, name) if is_asked else "",
        strength=share,
    )
