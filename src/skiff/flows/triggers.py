"""Reasons to try a new model: an alert, quality below what was asked, age, or many new outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.sentences import say_figure, say_reach
from skiff.data.task import encode_target
from skiff.evaluate.criteria import Criterion, parse_criterion
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.naive import find_usual_value
from skiff.store.workspace import Workspace

TriggerCode = Literal["asked", "alert", "quality", "age", "outcomes"]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One reason, in a plain sentence."""

    code: TriggerCode
    sentence: str


def find_triggers(
    workspace: Workspace, manifest: Mapping[str, Any], outcomes: pl.DataFrame, *, at: str
) -> tuple[Trigger, ...]:
    """Return every reason to try a new model, the most serious first.

    Parameters
    ----------
    workspace : Workspace
    manifest : mapping
        Of the champion.
    outcomes : DataFrame
        The champion's answers with known outcomes.
    at : str
        The present, ISO 8601.
    """
    asked = workspace.settings.retrain
    found = [
        _find_alert(workspace, manifest) if asked.on_alert else None,
        _find_quality(workspace, manifest, outcomes),
        _find_age(manifest, asked.max_age_days, at=at),
        _find_outcomes(outcomes, asked.min_outcomes),
    ]
    return tuple(item for item in found if item is not None)


def measure_delivered(manifest: Mapping[str, Any], outcomes: pl.DataFrame) -> dict[str, Measurement]:
    """Return the metrics of logged answers against what really happened, with intervals; nothing where rows are too few."""
    task = Task(**{**manifest["task"], "classes": tuple(manifest["task"]["classes"]), "protected": ()})
    y, has_target = encode_target(outcomes.select(pl.col("outcome").alias(task.target)), task)
    known = outcomes.filter(pl.Series(has_target) & outcomes["value"].is_not_null())
    y = y[has_target & outcomes["value"].is_not_null().to_numpy()]
    if len(y) < 2:  # noqa: PLR2004  one row measures nothing
        return {}
    if task.kind == "regression":
        return measure_regression(y, known["value"].to_numpy(), seed=0, usual=find_usual_value(y, task.quantile))
    if len(np.unique(y)) < 2:  # noqa: PLR2004  one answer alone
        return {}
    stated = np.array(known["probabilities"].to_list(), dtype=np.float64)
    threshold = manifest.get("threshold") or 0.5
    return measure_classification(y.astype(np.int64), stated, classes=task.classes, threshold=threshold, seed=0)


def _find_alert(workspace: Workspace, manifest: Mapping[str, Any]) -> Trigger | None:
    """Look for alerts in the ledger since this release was made."""
    alerts = [
        record
        for record in workspace.ledger.records()
        if record.action == "monitor"
        and record.at >= str(manifest["created"])
        and record.result.get("release") == manifest.get("number")
        and record.result.get("alerts")
    ]
    if not alerts:
        return None
    windows = "window" if len(alerts) == 1 else "windows"
    return Trigger(
        code="alert", sentence=f"Monitoring raised an alert in {len(alerts)} {windows} since this release was made."
    )


def _find_quality(workspace: Workspace, manifest: Mapping[str, Any], outcomes: pl.DataFrame) -> Trigger | None:
    """Look for delivered quality whose interval lies beyond what was promised, or beyond what `[criteria]` asks."""
    delivered = measure_delivered(manifest, outcomes)
    for line in workspace.settings.criteria.require:
        criterion = parse_criterion(line, also_known=("latency_us", "size_mb"))
        found = delivered.get(criterion.name) if criterion.kind == "number" else None
        if found is not None and _breaks(criterion, found):
            return Trigger(code="quality", sentence=f"Delivered {_write(found)}; the criterion is: {line}.")
    for name in ("roc_auc", "log_loss", "pinball_loss", "rmse"):
        promised, found = manifest["metrics"].get(name), delivered.get(name)
        if promised and found and promised.get("low") is not None and found.low is not None and found.high is not None:
            is_worse = found.high < promised["low"] if promised["higher_is_better"] else found.low > promised["high"]
            if is_worse:
                return Trigger(
                    code="quality",
                    sentence=f"Promised {name} {say_figure(promised['value'], digits=3)} ({say_reach(promised['low'], promised['high'], digits=3)}), "
                    f"delivered {say_figure(found.value, digits=3)} ({say_reach(found.low, found.high, digits=3)}).",
                )
    return None


def _breaks(criterion: Criterion, found: Measurement) -> bool:
    """Whether the whole interval lies on the wrong side of a criterion's bound."""
    if found.low is None or found.high is None:
        return False
    return not criterion.is_met(found.high if criterion.wants_more else found.low)


def _find_age(manifest: Mapping[str, Any], max_age_days: float | None, *, at: str) -> Trigger | None:
    if max_age_days is None:
        return None
    age = (_parse(at) - _parse(str(manifest["created"]))).total_seconds() / DAY_S
    if age <= max_age_days:
        return None
    return Trigger(
        code="age", sentence=f"The release is {age:,.0f} days old; you asked for at most {max_age_days:,.0f}."
    )


def _find_outcomes(outcomes: pl.DataFrame, wanted: int) -> Trigger | None:
    if outcomes.height < wanted:
        return None
    return Trigger(
        code="outcomes", sentence=f"{outcomes.height:,} new outcomes are known; {wanted:,} are a reason to try."
    )


def _parse(moment: str) -> datetime:
    made = datetime.fromisoformat(moment)
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _write(found: Measurement) -> str:
    return f"{found.name} {say_figure(found.value, digits=3)} ({say_reach(found.low, found.high, digits=3)})"
