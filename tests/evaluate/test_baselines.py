from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.baselines import find_best_column, judge_baselines

BINARY = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes")


def draw(n: int, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    plan = rng.choice(["monthly", "yearly", "weekly"], size=n)
    y = (rng.uniform(size=n) < np.where(plan == "monthly", 0.7, 0.1)).astype(np.int64)
    start = datetime(2024, 1, 1)
    frame = pl.DataFrame(
        {
            "noise": rng.normal(size=n),
            "plan": plan,
            "since": [start + timedelta(days=int(day)) for day in rng.integers(0, 300, size=n)],
            "flag": rng.uniform(size=n) < 0.5,
            "remark": ["called twice"] * n,
        }
    ).with_columns(
        pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise(pl.col("plan")).alias("plan"),
        pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise(pl.col("noise")).alias("noise"),
    )
    return frame, y


INPUTS = [
    InputColumn(name="noise", kind="number"),
    InputColumn(name="plan", kind="category"),
    InputColumn(name="since", kind="date"),
    InputColumn(name="flag", kind="boolean"),
    InputColumn(name="remark", kind="text"),
]


def test_the_best_single_column_is_found_among_all_kinds_with_missing_cells() -> None:
    frame, y = draw(2000)
    best = find_best_column(BINARY, y, frame, INPUTS, seed=0)
    assert best is not None
    assert best.column == "plan"
    answer = best.predict(pl.DataFrame({"plan": ["monthly", "yearly", None, "never seen"]}))
    assert answer.sum(axis=1) == pytest.approx(np.ones(4))
    assert answer[0, 1] > 0.6
    assert answer[1, 1] < 0.2
    assert 0.2 < answer[2, 1] < 0.4
    assert answer[3, 1] == pytest.approx(y.mean(), abs=0.01)


@pytest.mark.parametrize("name", ["noise", "since"])
def test_a_quantity_is_read_in_bins(name: str) -> None:
    frame, _ = draw(1000)
    value = frame[name].to_physical().cast(pl.Float64).fill_null(0).to_numpy()
    y = value + np.where(frame[name].is_null().to_numpy(), 50 * value.std(), 0)
    best = find_best_column(Task(kind="regression", target="t"), y, frame, INPUTS, seed=0)
    assert best is not None
    assert best.column == name


def test_naive_and_simple_are_measured_on_the_test_rows() -> None:
    frame, y = draw(2000)
    naive, simple = judge_baselines(BINARY, y[:1000], y[1000:], frame[:1000], frame[1000:], INPUTS, 0)
    assert naive.metrics["roc_auc"].value == 0.5
    assert simple.metrics["roc_auc"].value > 0.75
    assert simple.metrics["roc_auc"].n == 1000
    assert simple.description == "Looks at 'plan' alone, in a few bins."
    assert naive.metrics["log_loss"].value > simple.metrics["log_loss"].value


def test_regression_baselines_carry_the_unit() -> None:
    frame, _ = draw(400)
    y = np.arange(400.0)
    naive, simple = judge_baselines(
        Task(kind="regression", target="t", unit="EUR"), y[:200], y[200:], frame[:200], frame[200:], INPUTS, 0
    )
    assert naive.metrics["rmse"].unit == simple.metrics["rmse"].unit == "EUR"
    assert naive.metrics["r2"].value < 0


def test_only_text_leaves_the_naive_baseline_alone() -> None:
    frame, y = draw(100)
    found = judge_baselines(BINARY, y, y, frame, frame, [INPUTS[-1]], 0)
    assert [baseline.name for baseline in found] == ["naive"]


def test_an_empty_column_does_no_harm() -> None:
    frame = pl.DataFrame(
        {"empty": pl.Series([None] * 40, dtype=pl.Float64), "level": pl.Series([None] * 40, dtype=pl.String)}
    )
    columns = [InputColumn(name="empty", kind="number"), InputColumn(name="level", kind="category")]
    y = np.array([0, 1] * 20)
    _, simple = judge_baselines(BINARY, y, y, frame, frame, columns, 0)
    assert simple.metrics["roc_auc"].value == 0.5
