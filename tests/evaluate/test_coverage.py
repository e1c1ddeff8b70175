"""Whether intervals contain the truth as often as they say: nominal 95 %, down to the smallest samples that get one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.compare import compare_paired
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.slices import measure_slices
from skiff.evaluate.threshold import measure_saving

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sample = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64] | None]

N_STUDIES = 300
FLOOR = 0.90
"""With 300 studies, a true coverage of 0.94 falls below 0.90 in about one of 400 runs (binomial); seeds are fixed anyway."""


def draw_binary(rng: np.random.Generator, n: int, base: float, stretch: float, *, is_grouped: bool) -> Sample:
    group = np.repeat(np.arange(n // 5), 5) if is_grouped else None
    x = rng.normal(size=n)
    eta = base + 1.5 * x
    if group is not None:
        shared = rng.normal(size=n // 5)[group]
        x = 0.7 * shared + 0.7 * x
        eta = base + 1.5 * x + shared
    y = (rng.uniform(size=n) < expit(eta)).astype(np.int64)
    p = expit(stretch * (base + 1.5 * x))
    return y, np.stack([1 - p, p], axis=1), group


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "base", "stretch", "is_grouped"),
    [
        pytest.param(200, -1.0, 1.0, False, id="calibrated"),
        pytest.param(120, -2.2, 1.0, False, id="few positives"),
        pytest.param(400, -1.0, 2.0, False, id="overconfident"),
        pytest.param(500, -1.0, 1.0, True, id="grouped rows"),
    ],
)
def test_classification_intervals_contain_the_truth_as_often_as_stated(
    n: int, base: float, stretch: float, *, is_grouped: bool
) -> None:
    rng = np.random.default_rng(11)
    y, prob, _ = draw_binary(rng, 500_000, base, stretch, is_grouped=is_grouped)
    truth = measure_classification(y, prob, classes=("no", "yes"), threshold=0.3, seed=0, n_boot=2)
    inside: Counter[str] = Counter()
    stated: Counter[str] = Counter()
    for study in range(N_STUDIES):
        y, prob, group = draw_binary(rng, n, base, stretch, is_grouped=is_grouped)
        found = measure_classification(
            y, prob, classes=("no", "yes"), threshold=0.3, seed=study, n_boot=300, groups=group
        )
        for name, item in found.items():
            if item.low is not None and item.high is not None:
                stated[name] += 1
                inside[name] += item.low <= truth[name].value <= item.high
    coverage = {name: inside[name] / count for name, count in stated.items()}
    assert len(coverage) == 10
    assert {name: share for name, share in coverage.items() if share < FLOOR} == {}


@pytest.mark.slow
def test_regression_intervals_contain_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(12)

    def draw(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = rng.normal(size=n)
        return 10 + 3 * x + rng.normal(size=n), 10 + 2.5 * x

    y, pred = draw(1_000_000)
    truth = measure_regression(y, pred, seed=0, n_boot=2)
    inside: Counter[str] = Counter()
    for study in range(N_STUDIES):
        y, pred = draw(80)
        for name, item in measure_regression(y, pred, seed=study, n_boot=300).items():
            assert item.low is not None
            assert item.high is not None
            inside[name] += item.low <= truth[name].value <= item.high
    # MAPE has no finite variance here (true values near zero): its interval cannot keep its promise and is not tested.
    assert {
        name: count / N_STUDIES for name, count in inside.items() if count / N_STUDIES < FLOOR and name != "mape"
    } == {}


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "f1"])
def test_paired_differences_contain_the_truth_as_often_as_stated(metric: str) -> None:
    rng = np.random.default_rng(13)

    def draw(n: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        x = rng.normal(size=(n, 2))
        y = (rng.uniform(size=n) < expit(-1 + x.sum(axis=1))).astype(np.int64)
        a, b = expit(-1 + 0.9 * x.sum(axis=1)), expit(-1 + x[:, 0])
        return y, np.stack([1 - a, a], axis=1), np.stack([1 - b, b], axis=1)

    y, a, b = draw(500_000)
    truth = compare_paired(y, a, b, metric, threshold=0.3, seed=0, n_boot=2).value
    inside = 0
    for study in range(N_STUDIES):
        y, a, b = draw(200)
        item = compare_paired(y, a, b, metric, threshold=0.3, seed=study, n_boot=300)
        assert item.low is not None
        assert item.high is not None
        inside += item.low <= truth <= item.high
    assert inside / N_STUDIES >= FLOOR


@pytest.mark.slow
def test_savings_contain_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(14)
    costs = Costs(false_positive=1, false_negative=5)

    def draw(n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        x = rng.normal(size=n)
        return (rng.uniform(size=n) < expit(-2 + 1.5 * x)).astype(np.int64), expit(-2 + 1.5 * x)

    truth = measure_saving(*draw(1_000_000), 1 / 6, costs, seed=0, n_boot=2).value
    found: list[Measurement] = [
        measure_saving(*draw(300), 1 / 6, costs, seed=study, n_boot=300) for study in range(N_STUDIES)
    ]
    inside = sum(item.low is not None and item.high is not None and item.low <= truth <= item.high for item in found)
    assert inside / N_STUDIES >= FLOOR


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_groups_that_do_not_differ_are_seldom_called_worse(kind: str) -> None:
    """False alarms over twelve groups at once must stay near the 5 % that is promised for all of them together."""
    rng = np.random.default_rng(15)
    alarms = 0
    for _ in range(N_STUDIES):
        n = 600
        frame = pl.DataFrame({name: rng.choice(["a", "b", "c", "d"], size=n) for name in ("x", "y", "z")})
        columns = [InputColumn(name=name, kind="category") for name in frame.columns]
        if kind == "regression":
            task = Task(kind="regression", target="sold")
            y = rng.normal(size=n)
            answer = y + rng.normal(size=n)
        else:
            p = expit(rng.normal(size=n) - 0.5)
            y = (rng.uniform(size=n) < p).astype(np.float64)
            answer = np.stack([1 - p, p], axis=1)
            task = Task(kind="binary", target="t", classes=("no", "yes"))
            if kind == "multiclass":
                task = Task(kind="multiclass", target="t", classes=("a", "b", "c"))
                answer = np.column_stack([answer * 0.9, np.full(n, 0.1)])
        found = measure_slices(task, y, answer, frame, columns, threshold=0.5)
        alarms += any(slice_.is_worse for slice_ in found)
    assert alarms / N_STUDIES < 0.08
