"""The target under another name: the same content recoded, rescaled, rounded, or cut into ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.finding import EvidenceValue, Severity
from skiff.core.signature import InputColumn
from skiff.data.checks.leakage.case import MIN_OUTCOME_ROWS, Case, Outcome
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import bound_errors, measure_share
from skiff.data.checks.leakage.sentences import REMEDY_ASK, REMEDY_LEFT_OUT, WHY_LEAK, ask_when, name_outcome
from skiff.data.checks.leakage.states import State
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Witness, is_explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

SIDE_RATIO = 0.04
"""Errors still possible (95 %) on each side of a rule, as a share of guessing. A yes/no column with an honest AUC of 0.97
errs in 0.06 of what guessing does."""

MIN_COVERED = 0.8
"""A rule must speak about this share of the rows."""

EXACT = 0.9999
"""`estimate_determinism` of a copy: a rounding to two or three digits still reaches it."""

MIN_ROWS_NUMBER = 60
"""Rows with which neighbours are close enough for `estimate_determinism` to reach `EXACT` for a smooth function."""

MISPLACED = 0.01
"""Share of rows out of place if the levels are ranges of the target; honest levels overlap by a tenth and more."""

PROMISING_AUC = 0.96
"""A column that tells an outcome less well alone is not searched for a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule "where the column is so, the outcome happens; elsewhere it does not", and where it fails.

    Parameters
    ----------
    column : InputColumn
    outcome : Outcome
    rows : int
        Rows it speaks about.
    errors_in, n_in : int
        Failures and rows where it says yes.
    errors_out, n_out : int
        Failures and rows where it says no.
    n_levels : int
        Levels it sorts; 0 for a threshold.
    threshold : float
        NaN for levels.
    """

    column: InputColumn
    outcome: Outcome
    errors_in: int
    n_in: int
    errors_out: int
    n_out: int
    n_levels: int
    threshold: float = float("nan")

    @property
    def is_exact(self) -> bool:
        """Whether it never fails, with enough rows on both sides for that to mean something."""
        return self.errors_in + self.errors_out == 0 and min(self.n_in, self.n_out) >= MIN_OUTCOME_ROWS

    @property
    def is_tight(self) -> bool:
        """Whether it hardly fails on either side."""
        base = self.outcome.base
        one = bound_errors(self.errors_in, self.n_in) / (1.0 - base)
        two = bound_errors(self.errors_out, self.n_out) / base
        return max(one, two) <= SIDE_RATIO


def accuse_rules(
    case: Case, powers: Mapping[str, Power], states: Mapping[str, tuple[State, ...]]
) -> Mapping[str, Rule]:
    """Return, by column, the rule of a level or a threshold that fixes an outcome (classification)."""
    if case.is_regression:
        return {}
    found: dict[str, Rule] = {}
    for name, power in powers.items():
        if power.score.value < PROMISING_AUC:
            continue
        outcome = next(outcome for outcome in case.outcomes if outcome.code == power.code)
        rule = _find_rule(case, power, states.get(name, ()), outcome)
        if rule is not None and (rule.is_exact or rule.is_tight):
            found[name] = rule
    return found


def _find_rule(case: Case, power: Power, states: Sequence[State], outcome: Outcome) -> Rule | None:
    """Return the rule of a column: a threshold where its values have an order and are finer than the classes, else levels."""
    levels = [level for level in states if level.kind == "level"]
    if power.column.kind == "number" and power.n_distinct > len(case.classes):
        cut = _find_threshold(case, power, outcome)
        if cut is not None and (cut.is_exact or cut.is_tight or not levels):
            return cut
    return _sort_levels(case, power, levels, outcome) if levels else _find_threshold(case, power, outcome)


def _sort_levels(case: Case, power: Power, levels: Sequence[State], outcome: Outcome) -> Rule | None:
    """Sort levels by whether the outcome happens in most of their rows."""
    if sum(level.n for level in levels) < MIN_COVERED * case.n_rows:
        return None
    yes = [level for level in levels if level.hits[outcome.code] > level.n / 2]
    no = [level for level in levels if level.hits[outcome.code] <= level.n / 2]
    if not yes or not no:
        return None
    return Rule(
        column=power.column,
        outcome=outcome,
        errors_in=sum(level.n - level.hits[outcome.code] for level in yes),
        n_in=sum(level.n for level in yes),
        errors_out=sum(level.hits[outcome.code] for level in no),
        n_out=sum(level.n for level in no),
        n_levels=len(levels),
    )


def _find_threshold(case: Case, power: Power, outcome: Outcome) -> Rule | None:
    """Find the best cut of an ordered column on the sample and count its failures over all rows."""
    if power.column.kind in ("category", "text"):
        return None
    values = encode_ordered(case.frame[power.column.name])
    known = np.isfinite(values)
    if known.mean() < MIN_COVERED:
        return None
    sampled = known[case.sample]
    cut = find_cut(values[case.sample][sampled], case.labels[case.sample][sampled] == outcome.code)
    if cut is None:
        return None
    threshold, is_above = cut
    told = (values[known] > threshold) == is_above
    return count_rule(power.column, outcome, told=told, truth=case.labels[known] == outcome.code, threshold=threshold)


def count_rule(column: InputColumn, outcome: Outcome, *, told: Bool, truth: Bool, threshold: float) -> Rule | None:
    """Return the rule whose answers are `told`, with its failures; None where it always says the same."""
    n_in = int(told.sum())
    if n_in in (0, len(told)):
        return None
    return Rule(
        column=column,
        outcome=outcome,
        errors_in=int((told & ~truth).sum()),
        n_in=n_in,
        errors_out=int((~told & truth).sum()),
        n_out=len(told) - n_in,
        n_levels=0,
        threshold=threshold,
    )


def find_cut(values: Float, truth: Bool) -> tuple[float, bool] | None:
    """Return the threshold that separates `truth` best, and whether it is true above it.

    Examples
    --------
    >>> find_cut(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True]))
    (2.5, True)
    """
    order = np.argsort(values, kind="stable")
    x, y = values[order], truth[order].astype(np.float64)
    n_true, n_false = y.sum(), len(y) - y.sum()
    ends = np.flatnonzero(np.diff(x) > 0)
    if n_true == 0 or n_false == 0 or len(ends) == 0:
        return None
    true_below = np.cumsum(y)[ends] / n_true
    false_below = (np.arange(1, len(y) + 1) - np.cumsum(y))[ends] / n_false
    best = int(np.argmax(np.abs(false_below - true_below)))
    middle = float((x[ends[best]] + x[ends[best] + 1]) / 2.0)
    return middle, bool(false_below[best] >= true_below[best])


def judge_rules(case: Case, witness: Witness, rules: Mapping[str, Rule]) -> list[Suspicion]:
    """Block columns that are the target recoded; ask where the rest of the table tells it nearly as well."""
    return [_judge_rule(case, witness, rule) for rule in rules.values()]


def _judge_rule(case: Case, witness: Witness, rule: Rule) -> Suspicion:
    """Return the suspicion that a rule betrays its outcome."""
    is_recoding = rule.is_exact and 0 < rule.n_levels == len(case.classes)
    severity: Severity = "block" if is_recoding or not is_explained(case, witness, rule.outcome.code) else "warn"
    name = rule.column.name
    right = rule.n_in + rule.n_out - rule.errors_in - rule.errors_out
    exactly = "exactly" if rule.errors_in + rule.errors_out == 0 else "almost exactly"
    how = f"above or below {rule.threshold:g}" if rule.n_levels == 0 else "sorted by its values"
    is_ranges = rule.n_levels > 2 * len(case.classes)
    code = (
        "leakage.derived_target"
        if rule.n_levels == 0
        else ("leakage.target_proxy" if is_ranges else "leakage.target_copy")
    )
    evidence: dict[str, EvidenceValue] = {
        "agreement": measure_share(
            "agreement", hits=right, n=rule.n_in + rule.n_out, baseline=max(rule.outcome.base, 1 - rule.outcome.base)
        ),
        "failures": rule.errors_in + rule.errors_out,
        "levels": rule.n_levels,
    }
    if rule.n_levels == 0:
        evidence["threshold"] = rule.threshold
    return Suspicion(
        code=code,
        columns=(name,),
        severity=severity,
        rows=rule.n_in + rule.n_out,
        sample_rows=case.proof_rows(case.labels == rule.outcome.code),
        evidence=evidence,
        what=f"'{name}', {how}, tells {exactly} whether {name_outcome(case, rule.outcome.label)}: it agrees in {right:,} of {rule.n_in + rule.n_out:,} rows.",
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT if severity == "block" else REMEDY_ASK,
        question=ask_when(case, name),
        strength=2.0,
    )


def judge_number_copies(case: Case, powers: Mapping[str, Power]) -> list[Suspicion]:
    """Return the columns that are a regression target rescaled, rounded, bent or cut into ranges."""
    if not case.is_regression or len(case.sample) < MIN_ROWS_NUMBER:
        return []
    found: list[Suspicion] = []
    for name, power in powers.items():
        if power.determinism >= EXACT and power.n_distinct > 0.02 * len(case.sample):
            what = f"'{name}' is '{case.target}' under another name: from one the other can be worked out."
            found.append(_build_copy(case, power, what=what, evidence={"determinism": power.determinism}))
        elif (misplaced := _measure_misplaced(case, power)) <= MISPLACED:
            what = f"The values of '{name}' are ranges of '{case.target}': {round(100 * (1 - misplaced), 1):g} % of the rows lie in the range of their own value."
            found.append(
                _build_copy(case, power, what=what, evidence={"misplaced": misplaced, "levels": power.n_distinct})
            )
    return found


def _measure_misplaced(case: Case, power: Power) -> float:
    """Return the share of rows that are out of place if each level of a column were a range of the target.

    Levels are laid end to end in the order of their means; a row is misplaced if another level is expected where it
    stands in the order of the target.
    """
    levels, place, counts = np.unique(power.bins, return_inverse=True, return_counts=True)
    is_few = 2 <= len(levels) <= len(power.bins) / (2 * MIN_OUTCOME_ROWS)  # noqa: PLR2004  one level has no order
    if not is_few or power.n_distinct > len(levels) or power.column.kind == "text" or counts.max() > 0.9 * len(place):
        return 1.0
    y = case.y[case.sample]
    rank = np.argsort(np.argsort(np.bincount(place, weights=y) / counts))
    is_tie = len(np.unique(y)) <= len(levels)
    if is_tie and len(levels) < 3:  # noqa: PLR2004  two values for two levels are no ranges
        return 1.0
    expected = np.repeat(np.argsort(rank), counts[np.argsort(rank)])
    actual = place[np.lexsort((rank[place], y))]
    return float((expected != actual).mean())


def _build_copy(case: Case, power: Power, *, what: str, evidence: dict[str, EvidenceValue]) -> Suspicion:
    """Return the suspicion that a column is the target itself."""
    return Suspicion(
        code="leakage.target_copy",
        columns=(power.column.name,),
        severity="block",
        rows=case.n_rows,
        sample_rows=tuple(int(row) + 1 for row in case.rows[:10]),
        evidence={**evidence, "score_alone": power.score},
        what=what,
        why_it_matters=WHY_LEAK,
        remedy=REMEDY_LEFT_OUT,
        question=ask_when(case, power.column.name),
        strength=3.0,
    )
