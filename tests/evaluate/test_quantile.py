from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mean_pinball_loss

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.gates import judge_gate
from skiff.evaluate.judge import judge
from skiff.evaluate.results import Evaluation

STOCK = Task(kind="regression", target="sold", quantile=0.9)


def judge_stock(answers: float) -> Evaluation:
    """Judge the quantile that each shop's true law has, times `answers`."""
    rng = np.random.default_rng(0)
    size = rng.uniform(1, 20, 2000)
    y = size * rng.exponential(size=2000)
    frame = pl.DataFrame({"size": size})
    return judge(
        STOCK, y[1000:], answers * size[1000:] * np.log(10), y_train=y[:1000], frame_train=frame[:1000],
        frame_test=frame[1000:], inputs=[InputColumn(name="size", kind="number")], threshold=0.5, decision=None, costs=None,
        predict=lambda rows: answers * rows["size"].to_numpy() * np.log(10), seed=0,
    )  # fmt: skip


def test_a_quantile_is_judged_by_its_own_loss_not_by_that_of_a_mean() -> None:
    found = judge_stock(1.0)
    assert found.headline == "pinball_loss"
    assert found.beats_baseline
    assert found.metrics["rmse"].value > (found.metrics["rmse"].baseline or 0.0)  # which would have refused it
    assert judge_gate(found, ["pinball_loss <= 10"]).passed
    assert all(group.metric is None or group.metric.name == "pinball_loss" for group in found.groups)
    assert found.importances[0].drop.value > 0


def test_how_many_true_values_lie_under_the_answer_is_told_with_its_range() -> None:
    under = judge_stock(1.0).metrics["share_under"]
    assert under.low is not None
    assert under.high is not None
    assert under.low < 0.9 < under.high
    assert under.higher_is_better is None
    assert (judge_stock(0.3).metrics["share_under"].high or 1.0) < 0.6


def test_the_loss_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    size = rng.uniform(1, 20, 2000)
    y = size * rng.exponential(size=2000)
    wanted = mean_pinball_loss(y[1000:], 0.5 * size[1000:], alpha=0.9)
    found = judge(
        STOCK, y[1000:], 0.5 * size[1000:], y_train=y[:1000], frame_train=pl.DataFrame({"size": size[:1000]}),
        frame_test=pl.DataFrame({"size": size[1000:]}), inputs=[], threshold=0.5, decision=None, costs=None, predict=None,
        seed=0,
    )  # fmt: skip
    assert found.metrics["pinball_loss"].value == pytest.approx(wanted)
