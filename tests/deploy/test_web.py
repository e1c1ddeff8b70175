"""The file that answers in Python answers alike in onnxruntime-web, the runtime of browsers, run here under Node.

Nothing is fetched: install the runtime once with ``npm install --prefix .node onnxruntime-web``, or name the folder that holds its
``node_modules`` in SKIFF_ORT_WEB. Without Node or the runtime the test is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fitted import build_bookings, fit_extra_trees, fit_lightgbm
from hypothesis import HealthCheck, Phase, find, settings
from pipelines import pipelines

from skiff.core.pipeline import AnswerSet, Pipeline, Review, ValueRange
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.parity import build_hostile_rows
from skiff.deploy.reasons import compile_reasons
from skiff.deploy.runtime import Runtime
from skiff.deploy.session import open_session

TOLERANCE = 1e-9
KINDS = ("binary", "multiclass", "regression")
HERE = Path(__file__).parent


@cache
def find_runtime() -> Path | None:
    homes = [os.environ.get("SKIFF_ORT_WEB"), HERE.parents[1] / ".node"]
    places = [Path(home) / "node_modules/onnxruntime-web/dist/ort.node.min.mjs" for home in homes if home]
    return next((place for place in places if place.is_file()), None)


pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(find_runtime() is None, reason="onnxruntime-web is not installed: see this file's first lines"),
]


def is_rich(drawn: tuple[Pipeline, pl.DataFrame], *, kind: str) -> bool:
    return drawn[0].kind == kind and {"text", "date"} <= {column.kind for column in drawn[0].inputs}


def list_cases() -> list[tuple[Pipeline, pl.DataFrame]]:
    """Return fitted models of each kind with real and hostile rows, and made-up pipelines with text."""
    cases: list[tuple[Pipeline, pl.DataFrame]] = []
    frame = build_bookings(200, seed=3)
    for fit in (fit_lightgbm, fit_extra_trees):
        for kind in KINDS:
            pipeline = fit(kind).pipeline
            if kind == "regression":
                widths = ValueRange(edges=(1.0,), below=(1.0, 2.0), above=(0.5, 3.0), coverage=0.9)
                pipeline = replace(pipeline, value_range=widths, review=Review(low=0.0, high=3.0))
            else:
                pipeline = replace(
                    pipeline,
                    answer_set=AnswerSet(floors=(0.2,) * len(pipeline.classes), coverage=0.9),
                    review=Review(low=0.3, high=0.6),
                )
            hostile = build_hostile_rows(pipeline, frame, seed=0)
            cases.append((pipeline, pl.concat([frame.select(hostile.columns), hostile], how="vertical_relaxed")))
    quick = settings(
        max_examples=200, phases=[Phase.generate], derandomize=True, suppress_health_check=list(HealthCheck)
    )
    return [*cases, *(find(pipelines(), partial(is_rich, kind=kind), settings=quick) for kind in KINDS)]


def describe_feed(feed: dict[str, np.ndarray[Any, Any]], names: list[str]) -> dict[str, Any]:
    kinds = {"f": "double", "i": "int64", "O": "string"}
    return {
        name: {"type": kinds[part.dtype.kind], "values": [_write(cell) for cell in part.ravel().tolist()]}
        for name, part in zip(names, feed.values(), strict=True)
    }


def _write(cell: object) -> str:
    if isinstance(cell, float):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(cell), repr(cell))
    return str(cell)


def test_the_same_file_gives_the_same_answers_in_a_browsers_runtime(tmp_path: Path) -> None:
    tasks, expected = [], []
    for number, (pipeline, frame) in enumerate(list_cases()):
        runtime = Runtime(compile_pipeline(pipeline))
        feed = runtime.predictor.build_feed(frame)
        for kind, model in (("model", compile_pipeline(pipeline)), ("reasons", compile_reasons(pipeline, frame))):
            path = tmp_path / f"{kind}{number}.onnx"
            path.write_bytes(model)
            session = open_session(model)
            names, outputs = ([item.name for item in part] for part in (session.get_inputs(), session.get_outputs()))
            tasks.append({"model": str(path), "inputs": describe_feed(feed, names), "outputs": outputs})
            expected.append(
                dict(zip(outputs, session.run(outputs, dict(zip(names, feed.values(), strict=True))), strict=True))
            )
    (tmp_path / "task.json").write_text(json.dumps({"models": tasks}))
    command = ["node", str(HERE / "web/answer.mjs"), str(find_runtime()), str(tmp_path / "task.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    for task, found, wanted in zip(tasks, json.loads(done.stdout), expected, strict=True):
        for name, values in wanted.items():
            if values.dtype.kind == "f":
                given = np.array([float(cell.replace("Infinity", "inf")) for cell in found[name]]).reshape(values.shape)
                np.testing.assert_allclose(
                    given, values, rtol=TOLERANCE, atol=TOLERANCE, err_msg=f"{task['model']} {name}"
                )
            elif values.dtype.kind == "b":
                assert [cell in {"1", "true"} for cell in found[name]] == values.ravel().tolist()
            else:
                assert found[name] == values.ravel().tolist()
