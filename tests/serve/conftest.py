"""A small released model, and real servers on free ports."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skiff.core.pipeline import (
    AnswerSet,
    Calibration,
    CategoryEncoder,
    Layers,
    Member,
    NumberEncoder,
    Pipeline,
    Review,
)
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_pipeline
from skiff.store.workspace import Workspace

ROW: dict[str, Any] = {"lead_days": 40.0, "price": 120.5, "channel": "web"}


@dataclass
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    log: Path
    key: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body (JSON where it is) and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            given = {"Content-Type": "application/json", **self.headers, **(headers or {})}
            data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=data, headers=given)
            answer = connection.getresponse()
            content = answer.read()
            kind = answer.getheader("content-type") or ""
            return (
                answer.status,
                json.loads(content) if kind.startswith("application/json") and content else content,
                {name.lower(): value for name, value in answer.getheaders()},
            )
        finally:
            connection.close()

    def predict(self, rows: list[dict[str, Any]] | None = None, **more: object) -> tuple[int, Any]:
        status, body, _ = self.ask("POST", "/predict", {"rows": rows or [ROW], **more})
        return status, body

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def wait_until(is_so: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def start(folder: Path, *options: str, log: Path | None = None) -> Served:
    """Start a server and wait until it is ready."""
    path = log or folder.parent / f"serve-{time.monotonic_ns()}.log"
    with path.open("wb") as sink:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "skiff",
                "serve",
                "-w",
                str(folder),
                *(() if "--port" in options else ("--port", "0")),
                *options,
            ],
            stderr=sink,
            stdout=sink,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    wanted = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
    wait_until(lambda: path.read_text().count('"event":"ready"') >= wanted or process.poll() is not None, seconds=60)
    assert process.poll() is None, path.read_text()
    port = int(path.read_text().split("://")[1].split(" ")[0].rpartition(":")[2])
    return Served(process=process, port=port, folder=folder, log=path)


INPUTS = (
    InputColumn(name="lead_days", kind="number", low=0.0, high=200.0),
    InputColumn(name="price", kind="number", nullable=True, low=20.0, high=400.0),
    InputColumn(name="channel", kind="category", levels=("web", "phone", "agency")),
)


def build_model(*, shift: float = 0.0, threshold: float = 0.5) -> bytes:
    """Return a compiled linear model for three columns, with sets and review."""
    numbers = [
        NumberEncoder(
            column=name, impute=50.0, is_log=False, low=-1e9, high=1e9, mean=50.0, scale=20.0, has_indicator=False
        )
        for name in ("lead_days", "price")
    ]
    weights = np.array([[0.8], [-0.2], [0.1], [-0.3], [0.9], [0.0], [0.0]])
    return compile_pipeline(
        Pipeline(
            kind="binary",
            inputs=INPUTS,
            encoders=(*numbers, CategoryEncoder(column="channel", levels=INPUTS[2].levels, n_hot=3)),
            members=(
                Member(
                    name="linear",
                    view="linear",
                    part=Layers(weights=(weights,), biases=(np.array([shift]),)),
                    link="logistic",
                    weight=1.0,
                ),
            ),
            calibration=Calibration(kind="none"),
            classes=("no", "yes"),
            threshold=threshold,
            answer_set=AnswerSet(floors=(0.2, 0.2), coverage=0.9),
            review=Review(low=0.3, high=0.6),
        )
    )


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with two releases, of which the first answers."""
    place = tmp_path_factory.mktemp("served") / "bookings"
    with Workspace.open(place, create=True) as workspace:
        for number, shift in enumerate((0.0, 3.0)):
            model = build_model(shift=shift)
            manifest = {
                "task": {"kind": "binary", "target": "cancelled", "classes": ["no", "yes"], "positive": "yes"},
                "classes": ["no", "yes"],
                "metrics": {},
            }
            workspace.releases.publish(
                {"model.onnx": model}, manifest=manifest, dataset_sha="0" * 64, run_id=None, promote=number == 0
            )
    return place


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """Return a copy of the workspace."""
    place = tmp_path / "bookings"
    shutil.copytree(template, place)
    return place


@pytest.fixture
def launch(folder: Path) -> Iterator[Callable[..., Served]]:
    """Give a function that starts servers, which end with the test."""
    started: list[Served] = []

    def begin(*options: str) -> Served:
        started.append(start(folder, *options))
        return started[-1]

    yield begin
    for served in started:
        with contextlib.suppress(ProcessLookupError):
            served.process.kill()
        served.process.wait()


@pytest.fixture
def served(launch: Callable[..., Served]) -> Served:
    """Return a server that this test has alone."""
    return launch()


@pytest.fixture(scope="session")
def shared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server that several tests use and none changes."""
    place = tmp_path_factory.mktemp("shared") / "bookings"
    shutil.copytree(template, place)
    served = start(place)
    yield served
    served.process.kill()
    served.process.wait()
