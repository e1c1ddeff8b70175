from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.report.stories import STORIES, bookings, measure, no_model

from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.report.run_json import build_finding, build_result

EXTRA: dict[str, Json] = {
    "workspace": "bookings",
    "dataset": {"id": "sha256:9f2c"},
    "release": {"path": "bookings/.skiff/releases/0001"},
    "files": {"report_html": "reports/report.html"},
}


def result(name: str) -> dict[str, Any]:  # Any: JSON
    return build_result(STORIES[name](), EXTRA)


def test_the_shape_is_the_promised_one() -> None:
    made = result("bookings")
    assert set(made) == {
        "workspace", "dataset", "task", "split", "left_out", "model", "metrics", "stability", "fairness", "gate", "release", "files", "cost",
    }  # fmt: skip
    assert set(made["dataset"]) == {"id", "sha256", "rows", "columns", "reading"}
    assert set(made["task"]) == {"kind", "target", "positive", "time", "group"}
    assert set(made["split"]) == {"kind", "train_rows", "test_rows"}
    assert set(made["left_out"][0]) == {"column", "code"}
    assert set(made["model"]) == {"name", "members", "candidates", "train_seconds"}
    assert set(made["metrics"]["roc_auc"]) == {"value", "low", "high", "n", "baseline"}
    assert set(made["gate"]) == {"passed", "verdicts"}
    assert set(made["release"]) == {"number", "path", "onnx_bytes", "parity_max_abs_diff", "latency_us"}
    assert set(made["files"]) == {"report_html", "report_pdf", "card", "datasheet"}
    assert set(made["cost"]) == {"wall_s", "cpu_s", "peak_rss_mb"}


def test_what_the_story_does_not_know_is_laid_over_it() -> None:
    made = result("bookings")
    assert made["workspace"] == "bookings"
    assert made["dataset"]["id"] == "sha256:9f2c"
    assert made["dataset"]["rows"] == 11914
    assert made["release"]["path"].endswith("0001")
    assert made["files"]["report_pdf"] is None


def test_no_release_stays_null_whatever_is_laid_over() -> None:
    made = result("no_model")
    assert made["release"] is None
    assert made["model"] is None
    assert made["metrics"] == {}


def test_numbers_that_are_not_finite_become_null() -> None:
    story = bookings()
    assert story.evaluation is not None
    metrics = {"roc_auc": measure("roc_auc", float("nan"), float("-inf"), float("inf"))}
    made: dict[str, Any] = build_result(
        replace(story, evaluation=replace(story.evaluation, metrics=metrics))
    )  # Any: JSON
    assert made["metrics"]["roc_auc"] == {"value": None, "low": None, "high": None, "n": 2383, "baseline": None}
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize("name", sorted(STORIES))
def test_it_is_json(name: str) -> None:
    made = result(name)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_a_finding_has_the_promised_keys() -> None:
    finding = Finding(
        code="a.b", severity="warn", evidence={"m": measure("mae", 1.0, None, None), "t": (1, "x"), "n": float("nan")}
    )
    made: dict[str, Any] = build_finding(finding)  # Any: JSON
    assert set(made) == {
        "code", "severity", "columns", "rows", "sample_rows", "evidence", "what", "why_it_matters", "remedy", "action", "question",
    }  # fmt: skip
    assert made["evidence"]["t"] == [1, "x"]
    assert made["evidence"]["n"] is None
    assert made["evidence"]["m"]["value"] == 1.0


def test_a_story_without_extra_still_has_every_key() -> None:
    assert build_result(no_model())["workspace"] is None
