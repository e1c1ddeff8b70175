"""What judging measured, as the ledger holds it: every number that a report cites, rounded, and not one cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from skiff.core.measurement import Measurement
from skiff.evaluate.prices import MATRIX
from skiff.evaluate.results import Decision, Evaluation, Fairness, Kept, Slice

DIGITS = 6
"""Significant digits: two more than a document prints of any number."""

TENTH = 0.1
"""The share of rows whose catch a report tells."""

Told = dict[str, Any]  # Any: the result of a record, as JSON


def tell_evaluation(evaluation: Evaluation, *, threshold: float, other_sealed: int = 0) -> Told:
    """Return the result of an ``evaluate`` record.

    Parameters
    ----------
    evaluation : Evaluation
    threshold : float
        From which probability on it warns.
    other_sealed : int
        How many other sets of sealed rows of the same table were judged on.

    Notes
    -----
    Curves and the points of charts stay out: they are pictures of what is here. Levels of groups are shared by five rows at least.

    Examples
    --------
    >>> made = Evaluation(headline="mae", metrics={"mae": Measurement(name="mae", value=2 / 3, n=9)}, baselines=())
    >>> told = tell_evaluation(made, threshold=0.5)
    >>> told["metrics"]["mae"]["value"], told["groups"]["looked_at"], told["fairness"]
    (0.6666666666666666, 0, None)
    """
    return {
        "look": evaluation.looks,
        "other_sealed": other_sealed,
        "headline": evaluation.headline,
        "beats_baseline": evaluation.beats_baseline,
        "against_baseline": _tell(evaluation.against_baseline),
        "metrics": {name: asdict(metric) for name, metric in evaluation.metrics.items()},
        "baselines": {
            item.name: {name: metric.value for name, metric in item.metrics.items()} for item in evaluation.baselines
        },
        "threshold": threshold,
        "decision": _tell_decision(evaluation.decision),
        "confusion": None if evaluation.confusion is None else asdict(evaluation.confusion),
        "groups": tell_groups(evaluation.every_slice),
        "slices": [asdict(item) for item in evaluation.slices],
        "calibration": [
            {name: round_off(value) for name, value in asdict(item).items()} for item in evaluation.calibration
        ],
        "importances": {item.column: _tell(item.drop) for item in evaluation.importances},
        "kept": _tell_kept(evaluation.kept),
        "abstain": [{name: round_off(value) for name, value in asdict(item).items()} for item in evaluation.abstain],
        "sizes": [
            {
                "low": round_off(item.low),
                "high": round_off(item.high),
                "error": _tell(item.error),
                "bias": round_off(item.bias),
                "coverage": _tell(item.coverage),
            }
            for item in evaluation.sizes
        ],
        "gain_at_tenth": next((_round_all(point) for point in evaluation.gain if point[0] >= TENTH), None),
        "best_profit": _round_all(max(evaluation.profit, key=lambda point: point[1])) if evaluation.profit else None,
        "fairness": _tell_fairness(evaluation.fairness),
        "random_split": _tell(evaluation.random_split),
        "stability": None if evaluation.stability is None else asdict(evaluation.stability),
        "notes": list(evaluation.notes),
    }


def tell_groups(slices: Sequence[Slice]) -> Told:
    """Return how many groups were looked at, compared, worse and too small.

    Examples
    --------
    >>> few = Slice(column="city", level="Graz", n=12, metric=None, gap=None, is_too_small=True)
    >>> tell_groups([few])
    {'looked_at': 1, 'compared': 0, 'worse': 0, 'too_small': 1}
    """
    small = sum(item.is_too_small for item in slices)
    worse = sum(item.is_worse for item in slices)
    return {"looked_at": len(slices), "compared": len(slices) - small, "worse": worse, "too_small": small}


def round_off(value: float | None) -> float | None:
    """Return a number with six significant digits; what is not finite is nothing, and whole numbers stay whole.

    Examples
    --------
    >>> round_off(0.123456789), round_off(1234567), round_off(float("nan"))
    (0.123457, 1234567, None)
    """
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _round_all(values: Sequence[float]) -> list[float | None]:
    return [round_off(value) for value in values]


def _tell(found: Measurement | None) -> Told | None:
    if found is None:
        return None
    told = {name: round_off(getattr(found, name)) for name in ("value", "low", "high", "n", "baseline")}
    return told | {"unit": found.unit}


def _tell_decision(decision: Decision | None) -> Told | None:
    """Return why the threshold is where it is and what costs it is reckoned with, so that a saving can be checked.

    ``costs`` are as written in the settings, null where nobody said; ``mean_costs`` those of the mean row judged, in money.
    """
    if decision is None:
        return None
    typical = decision.typical
    costs = None
    if decision.costs is not None:
        costs = asdict(decision.costs) | {"by_amount": list(decision.costs.by_amount)}
    return {
        "threshold": decision.threshold,
        "reason": decision.reason,
        "flagged": decision.flagged,
        "costs": costs,
        "mean_costs": None if typical is None else {name: getattr(typical, name) for name in MATRIX},
        "saving": None if decision.saving_per_row is None else decision.saving_per_row.method,
        "saving_per_row": _tell(decision.saving_per_row),
        "saving_against_all": decision.saving_against_all,
    }


def _tell_kept(kept: Kept | None) -> Told | None:
    if kept is None:
        return None
    return {
        "coverage": _tell(kept.coverage),
        "size": _tell(kept.size),
        "groups": [
            {
                "column": item.column,
                "level": item.level,
                "coverage": _tell(item.coverage),
                "is_too_small": item.is_too_small,
                "falls_short": item.falls_short,
            }
            for item in (*kept.classes, *kept.groups)
        ],
        "acted": _tell(kept.acted),
        "review_share": _tell(kept.review_share),
        "review_cost": kept.review_cost,
        "review_saving": _tell(kept.review_saving),
    }


def _tell_fairness(fairness: Fairness | None) -> Told | None:
    if fairness is None:
        return None
    return {
        "groups": [
            {
                "column": item.column,
                "level": item.level,
                "n": item.n,
                "rates": {name: _tell(rate) for name, rate in item.rates.items()},
            }
            for item in fairness.groups
        ],
        "ratios": {column: _tell(ratio) for column, ratio in fairness.ratios.items()},
        "tradeoffs": [
            {
                "column": item.column,
                "levels": list(item.levels),
                "base_rates": _round_all(item.base_rates),
                "recall": round_off(item.recall),
                "precision": round_off(item.precision),
                "false_positive_rates": _round_all(item.false_positive_rates),
            }
            for item in fairness.tradeoffs
        ],
        "proxies": [
            {"column": item.column, "by": item.by, "strength": _tell(item.strength)} for item in fairness.proxies
        ],
    }
