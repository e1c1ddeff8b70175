"""A value rarely set but always right: a flag that appears only once the answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skiff.core.finding import Severity
from skiff.data.checks.leakage.case import Case, Outcome
from skiff.data.checks.leakage.missingness import build_claim_suspicion
from skiff.data.checks.leakage.states import FEW_LEVELS, State, Weight, ask_witness, build_mask, measure_spectrum, weigh
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness

RARE_SHARE = 0.5
"""A state in more rows than this is the rule, not a flag."""

BLOCK_UPPER = 0.06
"""Largest error rate still possible (95 %) for blocking: 49 rows without an error reach it."""

MAX_FAILURES = 0.003
"""Share of failures a flag may have and still be "always right": clerks' slips. A policy that nearly always ends one way
(a deposit that is never refunded) fails more often than that, and is known in time."""

ASK_UPPER = 0.32
"""The same for asking: 8 rows without an error reach it, which is news only of a rare outcome."""

SILENT_SPECTRUM = 0.75
"""AUC over the column's other levels above which it is graded, as honest features are, and not a flag."""

MIN_DOUBT = 0.2
"""The other columns must expect at least this rate of failures, see `missingness.MIN_DOUBT`."""

ASK_DOUBT = 0.1
"""The same before the client is asked about a level: "customers of this kind never" is everyday news where hardly any do.
A number that is set or not is asked about all the same: it was filled in by something that happened."""

MANY_LEVELS_UPPER = 0.10
"""In a column of more than `FEW_LEVELS` levels each must prove itself (29 rows without an error): the rows of a small level
are often one case seen several times, and among hundreds of small levels some are pure by chance."""

LEVEL_CHANCE = 1e-4
"""A single level joins the flag if it would be this pure by chance this rarely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagClaim:
    """Levels of one column in which an outcome always, or never, happens."""

    states: tuple[State, ...]
    weight: Weight
    spectrum: float


def accuse_flags(case: Case, states: Mapping[str, tuple[State, ...]]) -> Mapping[str, FlagClaim]:
    """Return, by column, the purest claim of its levels that deserves a hearing."""
    claims: dict[str, FlagClaim] = {}
    for name, levels in states.items():
        found = [
            claim
            for outcome in case.outcomes
            for is_always in ((True,) if case.is_regression else (True, False))
            if (claim := _build_claim(case, levels, outcome=outcome, is_always=is_always)) is not None
        ]
        if found:
            claims[name] = min(found, key=lambda claim: claim.weight.upper / claim.weight.base)
    return claims


def _build_claim(case: Case, levels: tuple[State, ...], *, outcome: Outcome, is_always: bool) -> FlagClaim | None:
    """Join the pure levels of a column into one claim, if they are rare and the other levels are silent."""
    limit = 1.0 if len(levels) <= FEW_LEVELS else MANY_LEVELS_UPPER
    pure = tuple(level for level in levels if _is_pure(case, level, outcome=outcome, is_always=is_always, limit=limit))
    if not pure or sum(level.n for level in pure) > RARE_SHARE * case.n_rows:
        return None
    weight = weigh(case, pure, outcome=outcome, is_always=is_always)
    if weight.upper > min(ASK_UPPER, 0.35 * weight.base):
        return None
    others = [level for level in levels if level not in pure]
    spectrum = measure_spectrum(others, outcome=outcome)
    return FlagClaim(states=pure, weight=weight, spectrum=spectrum) if spectrum < SILENT_SPECTRUM else None


def _is_pure(case: Case, level: State, *, outcome: Outcome, is_always: bool, limit: float) -> bool:
    """Whether one level alone is purer than chance allows, and its error rate surely at most `limit`."""
    weight = weigh(case, [level], outcome=outcome, is_always=is_always)
    return weight.errors <= 0.1 * weight.n and weight.chance <= LEVEL_CHANCE and weight.upper <= limit


def _is_mark(claim: FlagClaim) -> bool:
    """Whether the column says yes or no, or is set or not: a level among several describes, a mark is left by something."""
    return claim.states[0].kind == "set" or (claim.states[0].column.kind == "boolean" and claim.states[0].value == 1.0)


def judge_purity(case: Case, witness: Witness, claims: Mapping[str, FlagClaim]) -> list[Suspicion]:
    """Return the flags that know what nothing else in the table knows."""
    found: list[Suspicion] = []
    for claim in claims.values():
        mask = build_mask(case, claim.states)
        weight = ask_witness(case, witness, claim.weight, mask)
        is_small_doubt = claim.states[0].kind == "level" and weight.expected < ASK_DOUBT
        if (not weight.is_doubtful or is_small_doubt) and not (_is_mark(claim) and weight.is_telltale):
            continue
        is_always = weight.errors <= MAX_FAILURES * weight.n
        # A level of people to whom the usual thing always happens is nothing special; a level of the unusual thing is.
        # Only numbers many rows share are outcomes of a regression, and the witness cannot be asked about them.
        is_event = claim.states[0].kind == "set" or weight.base >= 0.5  # noqa: PLR2004  the rarer outcome of two
        if not is_always and (case.is_regression or not is_event):
            continue  # nothing sold yesterday, seldom anything today: the usual thing is foretold with few exceptions
        is_certain = is_always and weight.is_unexplained and weight.upper <= BLOCK_UPPER
        is_proven = is_certain and weight.expected >= MIN_DOUBT and is_event and not case.is_regression
        severity: Severity = "block" if is_proven else "warn"
        found.append(
            build_claim_suspicion(
                case,
                claim.states,
                weight,
                code="leakage.level_purity",
                severity=severity,
                extra={"other_levels_auc": claim.spectrum},
                mask=mask,
            )
        )
    return found
