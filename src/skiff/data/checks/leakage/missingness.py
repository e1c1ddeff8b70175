"""Being filled or blank tells the answer: a lifeboat number that only the saved have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skiff.core.finding import EvidenceValue, Severity
from skiff.data.checks.leakage.case import Case, Outcome
from skiff.data.checks.leakage.proof import measure_share, rank_with_ties
from skiff.data.checks.leakage.sentences import (
    REMEDY_ASK,
    REMEDY_LEFT_OUT,
    WHY_LEAK,
    ask_when,
    ask_when_event,
    say_claim,
)
from skiff.data.checks.leakage.states import State, Weight, ask_witness, build_mask, weigh
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness

BOTH_SIDES_RATIO = 0.15
"""Errors of "filled means yes, blank means no", on each side, as a share of what guessing makes there. Blanks of honest
columns stay far above (the best of the leak-free tables we measured reach 0.5)."""

ONE_SIDE_UPPER = 0.10
"""Largest error rate still possible (95 %) for "filled, hence always": 29 rows without an error reach it."""

ASK_UPPER = 0.32
"""The same for asking the client: 8 rows without an error reach it, which is news only of a rare outcome."""

MIN_DOUBT = 0.2
"""The other columns must leave at least this doubt: where nearly every row has the outcome anyway, always is no news."""

PROVEN_SHARE = 0.9
SUSPECT_SHARE = 0.6
"""Share of a number's spread that filled-or-blank alone explains, for blocking and for asking. The blanks of honest
columns explain under 0.2 in the tables we measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankClaim:
    """The heaviest claim of a column's blanks."""

    state: State
    weight: Weight
    other: Weight


def accuse_blanks(case: Case, blanks: Mapping[str, tuple[State, State]]) -> Mapping[str, BlankClaim]:
    """Return, by column, the claims of blanks or filled cells that deserve a hearing."""
    claims: dict[str, BlankClaim] = {}
    for name, (blank, filled) in blanks.items():
        found = [
            BlankClaim(
                state=state,
                weight=weigh(case, [state], outcome=outcome, is_always=is_always),
                other=weigh(case, [other], outcome=outcome, is_always=not is_always),
            )
            for state, other in ((filled, blank), (blank, filled))
            for outcome in case.outcomes
            # Of a number many rows share only "always" is news: nearly every state is without it.
            for is_always in ((True,) if case.is_regression else (True, False))
        ]
        heard = [claim for claim in found if _is_two_sided(claim) or _is_one_sided(claim)]
        if heard:
            claims[name] = min(
                heard, key=lambda claim: (not _is_two_sided(claim), claim.weight.upper / claim.weight.base)
            )
    return claims


def _is_two_sided(claim: BlankClaim) -> bool:
    """Whether filled and blank each tell the outcome."""
    one, two = claim.weight, claim.other
    return max(one.upper / one.base, two.upper / two.base) <= BOTH_SIDES_RATIO


def _is_one_sided(claim: BlankClaim) -> bool:
    """Whether one of the two nearly always goes with the outcome."""
    weight = claim.weight
    return weight.upper <= min(ASK_UPPER, 0.35 * weight.base) and weight.chance <= 1e-6  # noqa: PLR2004  `IMPOSSIBLE_CHANCE`


def judge_missingness(
    case: Case, witness: Witness, claims: Mapping[str, BlankClaim], blanks: Mapping[str, tuple[State, State]]
) -> list[Suspicion]:
    """Return what is proven or probable about blanks, after asking the other columns."""
    found = [_judge_claim(case, witness, claim) for claim in claims.values()]
    if case.is_regression:
        found += [_judge_spread(case, pair) for name, pair in blanks.items() if name not in claims]
    return [suspicion for suspicion in found if suspicion is not None]


def _judge_claim(case: Case, witness: Witness, claim: BlankClaim) -> Suspicion | None:
    """Block what nothing else explains; ask where the proof is thin; say nothing where the rest of the table knew."""
    mask = build_mask(case, [claim.state])
    weight = ask_witness(case, witness, claim.weight, mask)
    is_proven = weight.is_unexplained and weight.upper <= ONE_SIDE_UPPER and weight.expected >= MIN_DOUBT
    is_trace = claim.state.kind == "filled" and weight.is_telltale
    if not (_is_two_sided(claim) or weight.is_doubtful or is_trace):
        return None
    severity: Severity = "block" if _is_two_sided(claim) or is_proven else "warn"
    return build_claim_suspicion(
        case, (claim.state,), weight, code="leakage.missingness", severity=severity, extra=_tell_other(claim), mask=mask
    )


def _tell_other(claim: BlankClaim) -> dict[str, EvidenceValue]:
    """Return the share on the other side of the claim."""
    other = claim.other
    kind = "blank" if claim.state.kind == "filled" else "filled"
    return {
        f"purity_{kind}": measure_share(
            f"purity_{kind}", hits=other.n - other.errors, n=other.n, baseline=1.0 - other.base
        )
    }


def build_claim_suspicion(
    case: Case,
    states: tuple[State, ...],
    weight: Weight,
    *,
    code: str,
    severity: Severity,
    extra: Mapping[str, EvidenceValue],
    mask: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Suspicion:
    """Return the suspicion that a state of a column betrays an outcome."""
    name = states[0].column.name
    evidence: dict[str, EvidenceValue] = {
        "purity": measure_share("purity", hits=weight.n - weight.errors, n=weight.n, baseline=1.0 - weight.base),
        "expected_by_other_columns": 1.0 - weight.expected,
        "chance": weight.chance,
        "state": states[0].kind,
        **extra,
    }
    return Suspicion(
        code=code,
        columns=(name,),
        severity=severity,
        rows=int(mask.sum()),
        sample_rows=case.proof_rows(mask),
        evidence=evidence,
        what=say_claim(case, states, weight),
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when_event(case, name, weight.outcome.label),
        # Where a level and the blanks tell the same story, "it is filled in at all" is the simpler one.
        strength=1.0 - weight.upper / max(weight.base, 1e-9) + (1.0 if code == "leakage.missingness" else 0.0),
    )


def _judge_spread(case: Case, pair: tuple[State, State]) -> Suspicion | None:
    """Return whether filled-or-blank alone explains most of a number's spread."""
    blank, filled = pair
    mask = build_mask(case, [blank])
    share = min(_explained(case.y, mask), _explained(rank_with_ties(case.y), mask))
    if share < SUSPECT_SHARE:
        return None
    severity: Severity = "block" if share >= PROVEN_SHARE else "warn"
    name = blank.column.name
    return Suspicion(
        code="leakage.missingness",
        columns=(name,),
        severity=severity,
        rows=filled.n,
        sample_rows=case.proof_rows(~mask),
        evidence={"share_explained": share, "rows_filled": filled.n, "rows_blank": blank.n},
        what=f"Whether '{name}' is filled in or blank explains {round(100 * share)} % of all differences in '{case.target}'.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when(case, name),
        strength=share,
    )


def _explained(
    values: np.ndarray[tuple[int], np.dtype[np.float64]], mask: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> float:
    """Return the share of variance between the rows in and outside `mask`."""
    total = float(values.var())
    if total == 0.0:
        return 0.0
    share = float(mask.mean())
    return share * (1.0 - share) * float(values[mask].mean() - values[~mask].mean()) ** 2 / total


def list_accused_outcomes(claims: Mapping[str, BlankClaim]) -> set[tuple[str, Outcome]]:
    """Return which column is accused of betraying which outcome."""
    return {(name, claim.weight.outcome) for name, claim in claims.items()}
