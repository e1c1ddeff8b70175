"""Tiny, constant, empty and lopsided inputs: judging must say little, not fail, and never state a crooked interval."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl
import pytest

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.gates import judge_gate
from skiff.evaluate.judge import judge
from skiff.evaluate.results import Decision, Evaluation

INPUTS = [
    InputColumn(name="amount", kind="number"),
    InputColumn(name="plan", kind="category"),
    InputColumn(name="since", kind="date"),
    InputColumn(name="empty", kind="number"),
    InputColumn(name="flag", kind="boolean"),
    InputColumn(name="remark", kind="text"),
]


def build_frame(rng: np.random.Generator, n: int) -> pl.DataFrame:
    start = datetime(2020, 1, 1)
    days = rng.integers(0, 999, size=n).tolist()
    frame = pl.DataFrame(
        {
            "amount": rng.normal(size=n) * rng.choice([0.0, 1.0, 1e12]),
            "plan": pl.Series([("x", "y", None)[code] for code in rng.integers(0, 3, size=n)], dtype=pl.String),
            "since": [start + timedelta(days=day) if day % 3 else None for day in days],
            "empty": pl.Series([None] * n, dtype=pl.Float64),
            "flag": rng.uniform(size=n) < 0.5,
            "remark": ["text"] * n,
        }
    )
    if rng.uniform() < 0.3:
        frame = frame.with_columns(pl.col("plan").cast(pl.Categorical), pl.col("since").cast(pl.Date))
    return frame


def judge_hostile(kind: Literal["binary", "multiclass", "regression"], n: int, seed: int) -> Evaluation:
    rng = np.random.default_rng(seed)
    n_train = int(rng.choice([2, 5, 60]))
    frame = build_frame(rng, n_train + n)
    classes = () if kind == "regression" else tuple("abc"[: 2 if kind == "binary" else 3])
    answer: np.ndarray
    if kind == "regression":
        y = rng.normal(size=n_train + n) * rng.choice([0.0, 1.0, 1e9])
        answer = rng.choice([0.0, 1.0]) * y[n_train:] + rng.choice([0.0, 1.0])
    else:
        n_classes = len(classes)
        y = (
            rng.integers(0, n_classes, size=n_train + n) * (rng.uniform(size=n_train + n) < rng.choice([0, 0.1, 1]))
        ).astype(np.float64)
        styles = (np.eye(n_classes)[rng.integers(0, n_classes, size=n)], np.full((n, n_classes), 1 / n_classes))
        answer = styles[seed % 2]
    return judge(
        Task(
            kind=kind,
            target="t",
            classes=classes,
            positive=classes[-1] if kind == "binary" else None,
            protected=("flag",),
        ),
        y[n_train:],
        answer,
        y_train=y[:n_train],
        frame_train=frame[:n_train],
        frame_test=frame[n_train:],
        inputs=INPUTS,
        threshold=0.4,
        decision=Decision(threshold=0.4, reason="asked"),
        costs=Costs(false_positive=1, false_negative=1, rows_per_month=30),
        groups=rng.integers(0, max(1, n // 3), size=n) if seed % 3 == 0 else None,
        predict=lambda rows: np.resize(answer, (rows.height, *answer.shape[1:])),
        seed=seed,
    )


def list_measurements(found: Evaluation) -> list[Measurement]:
    gaps = [slice_.gap for slice_ in found.groups if slice_.gap is not None]
    return [
        *found.metrics.values(),
        *found.operating_points.values(),
        *gaps,
        *(item.drop for item in found.importances),
    ]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("n", [1, 2, 9, 12, 31, 90])
def test_hostile_rows_are_judged_with_straight_intervals_or_none(
    kind: Literal["binary", "multiclass", "regression"], n: int
) -> None:
    for seed in range(3):
        found = judge_hostile(kind, n, seed)
        judge_gate(found, [], extra={})
        for item in list_measurements(found):
            if item.low is None or item.high is None:
                assert item.method
                continue
            slack = 1e-9 * max(1.0, abs(item.value))
            assert math.isfinite(item.low)
            assert math.isfinite(item.high)
            assert item.low - slack <= item.value <= item.high + slack
