"""From suspicions to findings: the strongest of each column, its score with and without, and what is done about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from skiff.core.finding import SEVERITY_ORDER, Finding
from skiff.core.measurement import Measurement
from skiff.data.checks.leakage.docket import Docket
from skiff.data.checks.leakage.sentences import say_scores
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness, call_witness, tell_scores

MAX_SCORED, MIN_SCORED = 24, 3
"""Suspects for which the score with and without is measured, strongest first; each costs one cross-fit."""

CHEAP_FEATURES = 100
"""Features up to which a cross-fit is cheap; of a wider table accordingly fewer suspects are measured, but `MIN_SCORED`."""

ANSWERED = "Answered: you said that it is known in time, so it is used."


def keep_strongest(found: Sequence[Suspicion]) -> list[Suspicion]:
    """Return one suspicion for each set of columns: the most severe, then the strongest; the others are named in it."""
    kept: dict[tuple[str, ...], Suspicion] = {}
    ordered = sorted(found, key=lambda item: (SEVERITY_ORDER[item.severity], -item.strength, item.code))
    for suspicion in ordered:
        first = kept.get(suspicion.columns)
        if first is None:
            kept[suspicion.columns] = suspicion
        elif suspicion.code != first.code:
            also = first.evidence.get("also", ())
            codes = also if isinstance(also, tuple) else ()
            kept[suspicion.columns] = replace(first, evidence={**first.evidence, "also": (*codes, suspicion.code)})
    return list(kept.values())


def score_suspects(docket: Docket, suspicions: Sequence[Suspicion], *, guilty: set[str]) -> list[Suspicion]:
    """Add the score with and without each suspect, all proven leaks but itself left out."""
    case = docket.case
    free = docket.list_free(guilty)
    base: Witness | None = None
    scored: list[Suspicion] = []
    wide = max(1.0, len(docket.bench.owners) / CHEAP_FEATURES)
    limit = max(MIN_SCORED, int(MAX_SCORED / wide))
    for place, suspicion in enumerate(suspicions):
        if place >= limit or not suspicion.columns or "score_with" in suspicion.evidence:
            scored.append(suspicion)
            continue
        base = base or call_witness(case, docket.bench, free)
        if suspicion.severity == "block":
            better, worse = call_witness(case, docket.bench, [*free, *suspicion.columns]), base
        else:
            better, worse = (
                base,
                call_witness(case, docket.bench, [name for name in free if name not in suspicion.columns]),
            )
        scored.append(replace(suspicion, evidence={**suspicion.evidence, **tell_scores(case, better, worse)}))
    return scored


def pronounce(suspicion: Suspicion, *, keep: Collection[str]) -> list[Finding]:
    """Return the finding, or two where the user keeps only some of its columns; a question that was answered is none.

    Parameters
    ----------
    keep : collection of str
        Columns of which the user said that they are known in time.
    """
    action = suspicion.action or {"block": "left_out", "warn": "asked", "info": "none"}[suspicion.severity]
    if action == "asked" and suspicion.columns and set(suspicion.columns) <= set(keep):
        return [replace(_build_finding(suspicion, suspicion.columns, action="kept"), severity="info", remedy=ANSWERED)]
    if action != "left_out" or not suspicion.columns:
        return [_build_finding(suspicion, suspicion.columns, action=action)]
    out = tuple(name for name in suspicion.columns if name not in keep)
    kept = tuple(name for name in suspicion.columns if name in keep)
    parts = [(out, "left_out"), (kept, "kept")]
    return [_build_finding(suspicion, columns, action=doing) for columns, doing in parts if columns]


def _build_finding(suspicion: Suspicion, columns: tuple[str, ...], *, action: str) -> Finding:
    """Return the finding of one suspicion."""
    remedy = (
        "You said that it is known in time, so it is kept: if it is not, the scores promise too much."
        if action == "kept"
        else suspicion.remedy
    )
    with_it, without = (suspicion.evidence.get(name) for name in ("score_with", "score_without"))
    scores = ""
    if isinstance(with_it, Measurement) and isinstance(without, Measurement):
        scores = f" {say_scores(with_it, without)}"
    return Finding(
        code=suspicion.code,
        severity=suspicion.severity,
        columns=columns,
        rows=suspicion.rows,
        sample_rows=suspicion.sample_rows,
        evidence=dict(suspicion.evidence),
        what=suspicion.what,
        why_it_matters=f"{suspicion.why_it_matters}{scores}",
        remedy=remedy,
        action=action,  # type: ignore[arg-type]  # one of the three words above
        question="" if action == "kept" else suspicion.question,
    )
