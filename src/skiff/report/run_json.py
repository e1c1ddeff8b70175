"""The result of a run as programs read it (design §4.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from skiff.core.evidence import Json
from skiff.core.finding import EvidenceValue, Finding
from skiff.core.measurement import Measurement
from skiff.evaluate.results import Evaluation, Gate
from skiff.report.content import ModelStory, ReleaseStory, RunStory
from skiff.report.words import find_baseline


def build_result(story: RunStory, extra: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """Return ``result`` of ``skiff run --json``.

    Parameters
    ----------
    story : RunStory
    extra : mapping, optional
        What the story does not know, in the shape of the result; it is laid over it part by part:
        ``{"workspace": "…", "dataset": {"id": "…"}, "release": {"path": "…"}, "files": {"report_html": "…"}}``.

    Returns
    -------
    dict
        Plain JSON values; a number that is not finite becomes null.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> result = build_result(build_example_story(), {"dataset": {"id": "ds_1"}})
    >>> result["dataset"]["id"], result["metrics"]["roc_auc"]["low"], result["model"]["members"]
    ('ds_1', 0.83, [{'name': 'lightgbm 31 leaves', 'weight': 1.0}])
    """
    task, split = story.task, story.split
    result: dict[str, Json] = {
        "workspace": None,
        "dataset": {
            "id": None,
            "sha256": story.dataset.sha256,
            "rows": story.dataset.rows,
            "columns": story.dataset.columns,
            "reading": dict(story.dataset.reading),
        },
        "task": {
            "kind": task.kind,
            "target": task.target,
            "positive": task.positive,
            "time": task.time,
            "group": task.group,
        },
        "split": {"kind": split.kind, "train_rows": split.train_rows, "test_rows": split.test_rows},
        "left_out": [{"column": item.column, "code": item.code} for item in story.left_out],
        "model": _build_model(story.model),
        "metrics": _build_metrics(story.evaluation),
        "stability": _build_stability(story.evaluation),
        "fairness": _build_fairness(story.evaluation),
        "gate": build_gate(story.gate),
        "release": _build_release(story.release),
        "files": {"report_html": None, "report_pdf": None, "card": None, "datasheet": None},
        "cost": {name: finite(value) for name, value in story.cost.items()},
    }
    return _lay_over(result, extra or {})


def build_finding(finding: Finding) -> dict[str, Json]:
    """Return a finding in the shape every face prints.

    Examples
    --------
    >>> build_finding(Finding(code="quality.constant", severity="info", columns=("country",)))["columns"]
    ['country']
    """
    return {
        "code": finding.code,
        "severity": finding.severity,
        "columns": list(finding.columns),
        "rows": finding.rows,
        "sample_rows": list(finding.sample_rows),
        "evidence": {name: _build_evidence(value) for name, value in finding.evidence.items()},
        "what": finding.what,
        "why_it_matters": finding.why_it_matters,
        "remedy": finding.remedy,
        "action": finding.action,
        "question": finding.question,
    }


def build_measurement(found: Measurement, *, baseline: float | None = None) -> dict[str, Json]:
    """Return a measurement as ``{"value", "low", "high", "n", "baseline"}``.

    Examples
    --------
    >>> build_measurement(Measurement(name="mae", value=2.0, n=5))
    {'value': 2.0, 'low': None, 'high': None, 'n': 5, 'baseline': None}
    """
    other = found.baseline if found.baseline is not None else baseline
    return {
        "value": finite(found.value),
        "low": finite(found.low),
        "high": finite(found.high),
        "n": found.n,
        "baseline": finite(other),
    }


def _build_fairness(evaluation: Evaluation | None) -> Json:
    found = evaluation.fairness if evaluation else None
    if found is None:
        return None
    return {
        "groups": [
            {
                "column": group.column,
                "level": group.level,
                "n": group.n,
                "rates": {name: build_measurement(rate) for name, rate in group.rates.items()},
            }
            for group in found.groups
        ],
        "selection_ratios": {column: build_measurement(ratio) for column, ratio in found.ratios.items()},
        "tradeoffs": [
            {
                "column": one.column,
                "levels": list(one.levels),
                "base_rates": list(one.base_rates),
                "recall": one.recall,
                "precision": one.precision,
                "false_positive_rates": list(one.false_positive_rates),
            }
            for one in found.tradeoffs
        ],
        "proxies": [
            {
                "column": one.column,
                "by": one.by,
                "measure": one.strength.name,
                "strength": build_measurement(one.strength),
            }
            for one in found.proxies
        ],
    }


def build_gate(gate: Gate) -> dict[str, Json]:
    """Return a gate with each criterion.

    Examples
    --------
    >>> build_gate(Gate(passed=True, verdicts=()))
    {'passed': True, 'verdicts': []}
    """
    verdicts: list[Json] = [
        {
            "criterion": item.criterion,
            "passed": item.passed,
            "measured": finite(item.measured),
            "required": finite(item.required),
            "sentence": item.sentence,
        }
        for item in gate.verdicts
    ]
    return {"passed": gate.passed, "verdicts": verdicts}


def finite(value: float | None) -> float | None:
    """Return a number that JSON can hold.

    Examples
    --------
    >>> finite(1.5), finite(float("nan"))
    (1.5, None)
    """
    return value if value is not None and math.isfinite(value) else None


def _build_metrics(evaluation: Evaluation | None) -> dict[str, Json]:
    if evaluation is None:
        return {}
    return {
        name: build_measurement(found, baseline=find_baseline(evaluation, name))
        for name, found in evaluation.metrics.items()
    }


def _build_stability(evaluation: Evaluation | None) -> Json:
    found = evaluation.stability if evaluation else None
    if found is None:
        return None
    return {
        "metric": found.metric,
        "seeds": len(found.scores),
        "scores": [finite(score) for score in found.scores],
        "mean": finite(found.mean),
        "spread": {
            "value": finite(found.spread),
            "low": finite(found.spread_low),
            "high": finite(found.spread_high),
            "n": len(found.scores),
            "baseline": None,
        },
        "least_difference": finite(found.least_difference),
    }


def _build_model(model: ModelStory | None) -> Json:
    if model is None:
        return None
    members: list[Json] = [{"name": name, "weight": finite(weight)} for name, weight in model.members]
    return {
        "name": model.name,
        "members": members,
        "candidates": model.candidates,
        "train_seconds": finite(model.train_seconds),
    }


def _build_release(release: ReleaseStory | None) -> Json:
    if release is None:
        return None
    return {
        "number": release.number,
        "path": None,
        "onnx_bytes": release.onnx_bytes,
        "parity_max_abs_diff": finite(release.parity_max_abs_diff),
        "latency_us": finite(release.latency_us),
    }


def _build_evidence(value: EvidenceValue) -> Json:
    if isinstance(value, Measurement):
        return build_measurement(value)
    if isinstance(value, tuple):
        return [_build_evidence(item) for item in value]
    return finite(value) if isinstance(value, float) else value


def _lay_over(below: dict[str, Json], above: Mapping[str, Json]) -> dict[str, Json]:
    """Return `below` with `above` laid over it; a part that does not exist (no release) stays null."""
    result = dict(below)
    for name, value in above.items():
        under = result.get(name)
        if isinstance(value, dict) and isinstance(under, dict):
            result[name] = _lay_over(under, value)
        elif not (isinstance(value, dict) and name in result and under is None):
            result[name] = value
    return result
