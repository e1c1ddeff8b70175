"""The manifest says what the release takes, and passes only what passed."""

from __future__ import annotations

import json
from typing import Any

from fitted import fit_lightgbm

from skiff.core.task import Task
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.manifest import build_manifest
from skiff.deploy.predictor import Predictor


def _build(*, passed: list[bool], kind: str = "binary") -> dict[str, Any]:
    predictor = Predictor(compile_pipeline(fit_lightgbm(kind, n_trees=2).pipeline))
    return build_manifest(
        task=Task(kind=kind, target="cancelled", classes=predictor.classes),  # type: ignore[arg-type]  # one of the kinds
        signature=predictor.signature,
        threshold=predictor.threshold,
        left_out={"refund": "leakage.after_the_event"},
        members=[("lightgbm", 1.0)],
        dataset_sha256="ab" * 32,
        metrics={"roc_auc": {"value": 0.8}},
        verdicts=[{"criterion": f"criterion {number}", "passed": one} for number, one in enumerate(passed)],
        parity={"max_abs_diff": 1e-16},
        versions={"onnx": "1"},
    )


def test_the_manifest_is_json_and_describes_inputs_as_the_graph_takes_them() -> None:
    made = _build(passed=[True])
    assert json.loads(json.dumps(made)) == json.loads(json.dumps(made, sort_keys=True))
    assert [(item["name"], item["dtype"]) for item in made["inputs"]] == [
        ("nights", "float64"),
        ("value", "float64"),
        ("city", "string"),
        ("arrival", "int64 seconds since 1970-01-01 UTC"),
    ]
    assert made["outputs"] == ["label", "probabilities"]
    assert made["onnx"]["opsets"] == {"": 21, "ai.onnx.ml": 5, "com.microsoft": 1}


def test_one_criterion_that_is_not_met_fails_the_gate() -> None:
    assert _build(passed=[True, True])["gate"]["passed"] is True
    assert _build(passed=[True, False])["gate"]["passed"] is False


def test_only_a_yes_or_no_question_has_a_threshold() -> None:
    assert _build(passed=[True])["threshold"] == 0.4
    assert _build(passed=[True], kind="regression")["threshold"] is None
