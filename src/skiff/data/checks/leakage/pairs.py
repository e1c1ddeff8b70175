"""An outcome worked out from two columns: delivered later than promised, spent more than earned, answer equal to key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.finding import Severity
from skiff.data.checks.leakage.accomplices import choose_guilty, say_left_out
from skiff.data.checks.leakage.case import Case, Outcome
from skiff.data.checks.leakage.columns import encode_ordered
from skiff.data.checks.leakage.copies import Rule, count_rule, find_cut
from skiff.data.checks.leakage.derived import rank_candidates
from skiff.data.checks.leakage.power import Power
from skiff.data.checks.leakage.proof import measure_share
from skiff.data.checks.leakage.sentences import REMEDY_ASK, WHY_LEAK, name_outcome
from skiff.data.checks.leakage.suspicion import Suspicion
from skiff.data.checks.leakage.witness import Bench, call_witness, is_explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

SEARCH_ROWS = 1_500
"""Rows, half of them with the outcome where there are that many, on which combinations are tried."""

MAX_COLUMNS = 20
"""Columns combined with each other; in a wider table those that matter most, see `derived.rank_candidates`."""

RULING_AUC = 0.9995
"""AUC of a combination that is looked at more closely."""

FAILURE_RATE = 0.002
"""Failures a rule may have, on each side: clerks round and mistype."""

MIN_ROWS = 100
"""With fewer rows one of a thousand combinations separates them by chance."""

MAX_ALIKE = 40
MAX_LEVELS = 1_000
"""Categories that are compared with each other, and their levels."""

Join: TypeAlias = "Callable[[Float, Float], Float]"
"""Two columns made one."""

JOINED: Mapping[str, Join] = {
    "difference": lambda x, z: x - z,
    "sum": lambda x, z: x + z,
    "distance": lambda x, z: np.abs(x - z),
    "product": lambda x, z: x * z,
    "ratio": lambda x, z: x / np.where(z == 0, np.nan, z),
}

EQUAL: Mapping[str, Join] = {
    "agreement": lambda x, z: np.where(np.isnan(x) | np.isnan(z), np.nan, (x == z).astype(np.float64))
}
"""What two categories can be asked: whether they say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """Two columns whose combination, cut at a threshold, is the outcome."""

    columns: tuple[str, str]
    how: str
    rule: Rule


def find_pair_rules(case: Case, powers: Mapping[str, Power], *, without: Collection[str]) -> list[PairRule]:
    """Return the pairs of columns that settle an outcome together though neither does alone (classification)."""
    if case.is_regression or case.n_rows < MIN_ROWS:
        return []
    kinds = {name: power.column.kind for name, power in powers.items() if name not in without}
    ordered = {
        name: encode_ordered(case.frame[name][case.sample])
        for name, kind in kinds.items()
        if kind in ("number", "date", "boolean")
    }
    ordered = {name: values for name, values in ordered.items() if np.isfinite(values).any()}
    named = _encode_alike(case, [name for name, kind in kinds.items() if kind == "category"])
    labels = case.labels[case.sample]
    found: list[PairRule] = []
    for outcome in case.outcomes[:6]:
        truth = labels == outcome.code
        rows = _choose_rows(truth, seed=case.seed)
        tried = ((_choose_columns(ordered, truth), JOINED), (named, EQUAL))
        for values, joins in tried:
            for one, two in combinations(values, 2):
                how = _try_pair(values[one][rows], values[two][rows], truth[rows], joins=joins)
                rule = (
                    _confirm(powers, (one, two), joins[how](values[one], values[two]), truth, outcome) if how else None
                )
                if how and rule is not None:
                    found.append(PairRule(columns=(one, two), how=how, rule=rule))
    return _keep_disjoint(found)


def _encode_alike(case: Case, names: Sequence[str]) -> dict[str, Float]:
    """Return categories as codes that are the same wherever the level is, only those that share levels with another."""
    texts = {name: case.frame[name][case.sample].cast(pl.String) for name in names}
    levels = {name: set(text.drop_nulls().unique().to_list()) for name, text in texts.items()}
    levels = {name: found for name, found in levels.items() if len(found) <= MAX_LEVELS}
    alike = [
        name
        for name in levels
        if any(
            len(levels[name] & levels[other]) > 1 for other in levels if other != name
        )  # one shared level is "other"
    ][:MAX_ALIKE]
    codes = {level: float(code) for code, level in enumerate(sorted(set().union(*(levels[name] for name in alike))))}
    return {
        name: texts[name]
        .replace_strict(codes, default=None, return_dtype=pl.Float64)
        .fill_null(float("nan"))
        .to_numpy()
        for name in alike
    }


def _choose_columns(columns: Mapping[str, Float], truth: Bool) -> dict[str, Float]:
    """Return the columns to combine."""
    if len(columns) <= MAX_COLUMNS:
        return dict(columns)
    return {name: columns[name] for name in rank_candidates(columns, truth.astype(np.float64))[:MAX_COLUMNS]}


def _choose_rows(truth: Bool, *, seed: int) -> NDArray[np.int64]:
    """Return rows of both kinds, as even as there are rows."""
    rng = np.random.default_rng(seed)
    parts = [np.flatnonzero(truth == side) for side in (True, False)]
    return np.concatenate([rng.permutation(part)[: SEARCH_ROWS // 2] for part in parts])


def _try_pair(x: Float, z: Float, truth: Bool, *, joins: Mapping[str, Join]) -> str:
    """Return the combination of two columns that orders the outcome nearly perfectly, or ""."""
    for how, join in joins.items():
        joined = join(x, z)
        known = np.isfinite(joined)
        if known.mean() >= 0.8 and abs(_order(joined[known], truth[known]) - 0.5) >= RULING_AUC - 0.5:  # noqa: PLR2004  four fifths of the rows can be combined
            return how
    return ""


def _order(score: Float, truth: Bool) -> float:
    """Return the AUC without its interval; ties broken by position, which the confirmation puts right."""
    n_true = int(truth.sum())
    if n_true in (0, len(truth)):
        return 0.5
    ranks = np.empty(len(score))
    ranks[np.argsort(score, kind="stable")] = np.arange(1, len(score) + 1)
    return float((ranks[truth].sum() - n_true * (n_true + 1) / 2) / (n_true * (len(score) - n_true)))


def _confirm(
    powers: Mapping[str, Power], names: tuple[str, str], joined: Float, truth: Bool, outcome: Outcome
) -> Rule | None:
    """Return the rule over the whole sample if it holds there and neither column carries it alone."""
    known = np.isfinite(joined)
    cut = find_cut(joined[known], truth[known])
    if cut is None or max(powers[name].score.value for name in names) >= RULING_AUC - 0.01:
        return None
    told = (joined[known] > cut[0]) == cut[1]
    rule = count_rule(powers[names[0]].column, outcome, told=told, truth=truth[known], threshold=cut[0])
    if rule is None or min(rule.n_in, rule.n_out) < 12:  # noqa: PLR2004  `MIN_OUTCOME_ROWS`
        return None
    holds = rule.errors_in <= FAILURE_RATE * rule.n_in and rule.errors_out <= FAILURE_RATE * rule.n_out
    return rule if holds else None


def _keep_disjoint(found: list[PairRule]) -> list[PairRule]:
    """Return the tightest rules that share no column."""
    kept: list[PairRule] = []
    for pair in sorted(found, key=lambda pair: (pair.rule.errors_in + pair.rule.errors_out, pair.columns)):
        if not any(set(pair.columns) & set(other.columns) for other in kept):
            kept.append(pair)
    return kept


def judge_pair_rule(case: Case, bench: Bench, pair: PairRule, *, others: Collection[str]) -> Suspicion:
    """Block the later of two columns that settle an outcome together, unless the rest of the table tells it as well."""
    rest = [name for name in others if name not in pair.columns]
    witness = call_witness(case, bench, rest)
    code = pair.rule.outcome.code
    severity: Severity = "warn" if is_explained(case, witness, code) else "block"
    one, two = pair.columns
    rule = pair.rule
    guilty = choose_guilty(case, bench, pair.columns, others=rest, code=code)
    is_block = severity == "block"
    right = rule.n_in + rule.n_out - rule.errors_in - rule.errors_out
    return Suspicion(
        code="leakage.derived_target",
        columns=(guilty,) if is_block else pair.columns,
        partners=tuple(name for name in pair.columns if name != guilty) if is_block else (),
        severity=severity,
        rows=case.n_rows,
        sample_rows=case.proof_rows(case.labels == code),
        evidence={
            "agreement": measure_share("agreement", hits=right, n=rule.n_in + rule.n_out),
            "combination": pair.how,
            "threshold": rule.threshold,
        },
        what=f"The {pair.how} of '{one}' and '{two}' decides whether {name_outcome(case, rule.outcome.label)}: it agrees in {right:,} of {rule.n_in + rule.n_out:,} rows.",
        why_it_matters=WHY_LEAK,
        remedy=say_left_out(guilty) if is_block else REMEDY_ASK,
        question=f"Which of '{one}' and '{two}' is known before '{case.target}' is?",
        strength=2.4,
    )
