from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from skiff.core.errors import SkiffError
from skiff.evaluate.compare import compare_paired, is_better
from skiff.evaluate.metrics import measure_classification


def draw(n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    y = (rng.uniform(size=n) < expit(-1 + x.sum(axis=1))).astype(np.int64)
    strong, weak = expit(-1 + x.sum(axis=1)), expit(-1 + x[:, 0])
    return y, np.stack([1 - strong, strong], axis=1), np.stack([1 - weak, weak], axis=1)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "brier_score", "f1", "accuracy"])
def test_the_difference_is_that_of_the_two_metrics_and_turns_with_them(metric: str) -> None:
    y, strong, weak = draw()
    there = compare_paired(y, strong, weak, metric, threshold=0.3, seed=0)
    back = compare_paired(y, weak, strong, metric, threshold=0.3, seed=0)
    each = [
        measure_classification(y, prob, classes=("no", "yes"), threshold=0.3, seed=0, n_boot=10)[metric].value
        for prob in (strong, weak)
    ]
    assert there.value == pytest.approx(each[0] - each[1], abs=5e-3)
    assert back.value == pytest.approx(-there.value)
    assert there.low is not None
    assert back.high == pytest.approx(-there.low, abs=0.01)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_a_clearly_better_model_is_called_better_and_never_the_other_way(metric: str) -> None:
    y, strong, weak = draw()
    assert is_better(compare_paired(y, strong, weak, metric, seed=0))
    assert not is_better(compare_paired(y, weak, strong, metric, seed=0))


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_a_model_is_not_better_than_itself(metric: str) -> None:
    y, strong, _ = draw()
    same = compare_paired(y, strong, strong, metric, seed=0)
    assert same.value == 0
    assert not is_better(same)


def test_pairing_makes_the_interval_narrower_than_two_separate_ones() -> None:
    y, strong, _ = draw()
    slightly = strong.copy()
    slightly[:, 1] = np.clip(strong[:, 1] + 0.01 * np.random.default_rng(1).normal(size=len(y)), 0, 1)
    slightly[:, 0] = 1 - slightly[:, 1]
    paired = compare_paired(y, strong, slightly, "log_loss", seed=0)
    alone = measure_classification(y, strong, classes=("no", "yes"), threshold=0.5, seed=0)["log_loss"]
    assert paired.low is not None
    assert paired.high is not None
    assert alone.low is not None
    assert alone.high is not None
    assert paired.high - paired.low < (alone.high - alone.low) / 4


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision"])
def test_few_positives_leave_the_question_open(metric: str) -> None:
    y, strong, weak = draw()
    keep = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:6]])
    open_question = compare_paired(y[keep], strong[keep], weak[keep], metric, seed=0)
    assert open_question.low is None
    assert open_question.method == "no interval: only 6 rows of one class"
    assert not is_better(open_question)


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SkiffError, match="no metric 'gini'") as caught:
        compare_paired(np.zeros(3), np.zeros(3), np.zeros(3), "gini", seed=0)
    assert "rmse" in caught.value.fix
