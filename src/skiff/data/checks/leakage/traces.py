"""What is suspicious though not provable: late dates, telling headers, a score that rests on one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skiff.data.checks.leakage.docket import Docket
from skiff.data.checks.leakage.events import build_supported, find_late_dates, find_supported
from skiff.data.checks.leakage.proxies import build_dominance
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness, call_witness, gains, measure_score, measure_skill, tell_scores

DOMINANT_SHARE = 0.5
"""Share of the model's advantage over guessing that must rest on one column before the client is asked about it."""

DOMINANT_AUC = 0.75
DOMINANT_R2 = 0.4
"""What such a column must tell alone."""

SKILL_LEFT = 0.05
"""A model that saves less of the loss than this has no score that could rest on anything."""


def find_traces(docket: Docket, free: Sequence[str]) -> list[Suspicion]:
    """Return what is suspicious though not provable: late dates, telling headers, a score that rests on one column."""
    case = docket.case
    found = [suspicion for suspicion in find_late_dates(case) if suspicion.columns[0] in free]
    found += [suspicion for suspicion in docket.told if set(suspicion.columns) <= set(free)]
    whole = call_witness(case, docket.bench, free)
    supported = find_supported(
        case, {name: docket.powers[name] for name in free if name not in docket.lags}, docket.states
    )
    found += _hear_supported(docket, free, supported, whole)
    return found + _find_dominant(docket, free, whole)


def _hear_supported(
    docket: Docket, free: Sequence[str], supported: Mapping[str, str], whole: Witness
) -> list[Suspicion]:
    """Return the columns with a telling header whose absence, all together, costs a real part of the score."""
    if not supported:
        return []
    case = docket.case
    without = call_witness(case, docket.bench, [name for name in free if name not in supported])
    heard = {
        name: whole if len(supported) == 1 else call_witness(case, docket.bench, [*without.columns, name])
        for name in supported
    }
    gained = {name for name, witness in heard.items() if gains(case, witness, without)}
    # Columns that share the telling word of one that gains are parts of one story (cost of repair, other cost, total).
    words = {supported[name] for name in gained}
    return [
        build_supported(case, name, word, docket.powers[name], evidence=tell_scores(case, heard[name], without))
        for name, word in supported.items()
        if word in words
    ]


def _find_dominant(docket: Docket, free: Sequence[str], whole: Witness) -> list[Suspicion]:
    """Return the one column without which most of the model's advantage is gone, if there is one."""
    case = docket.case
    skill = measure_skill(case, whole)
    bar = DOMINANT_R2 if case.is_regression else DOMINANT_AUC
    strong = sorted(
        (docket.powers[name] for name in free if name not in docket.lags), key=lambda power: -power.score.value
    )[:2]
    if skill < SKILL_LEFT or len(free) < 3:  # noqa: PLR2004  with two columns one of them always dominates
        return []
    for power in strong:
        if power.score.value < bar:
            continue
        name = power.column.name
        without = call_witness(case, docket.bench, [other for other in free if other != name])
        share = 1.0 - max(0.0, measure_skill(case, without)) / skill
        if share >= DOMINANT_SHARE and gains(case, whole, without):
            scores = [measure_score(case, whole, "with"), measure_score(case, without, "without")]
            return [build_dominance(case, name, power, share=share, score_with=scores[0], score_without=scores[1])]
    return []
