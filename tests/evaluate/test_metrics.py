from __future__ import annotations

import math
import time

import numpy as np
import pytest

from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.scores import build_score


def draw(n: int, *, share: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(4 * share, 4 * (1 - share), size=n)
    return (rng.uniform(size=n) < p).astype(np.int64), np.stack([1 - p, p], axis=1)


def test_every_measurement_says_how_it_was_made_how_many_rows_and_what_a_guess_reaches() -> None:
    y, prob = draw(500)
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0)
    assert set(found) == {
        "roc_auc", "average_precision", "log_loss", "brier_score", "ece",
        "balanced_accuracy", "f1", "accuracy", "precision", "recall",
    }  # fmt: skip
    for name, item in found.items():
        assert item.name == name
        assert item.low is not None
        assert item.high is not None
        assert item.low <= item.value <= item.high
        assert item.n > 0
        assert item.method
        assert item.baseline is not None
        assert item.higher_is_better is not None
    assert found["recall"].n == int(y.sum())
    assert found["precision"].n == int(np.sum(prob[:, 1] >= 0.4))


def test_baselines_come_from_the_training_shares() -> None:
    y, prob = draw(500)
    shares = np.array([0.5, 0.5])
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0, shares=shares)
    assert found["log_loss"].baseline == pytest.approx(math.log(2))
    assert found["roc_auc"].baseline == 0.5
    assert found["average_precision"].baseline == pytest.approx(y.mean())
    assert found["precision"].baseline == pytest.approx(y.mean())


def test_few_positives_give_values_but_no_interval_and_say_why() -> None:
    y, prob = draw(200)
    keep = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:7]])
    found = measure_classification(y[keep], prob[keep], classes=("no", "yes"), threshold=0.4, seed=0)
    assert found["roc_auc"].low is None
    assert found["roc_auc"].method == "no interval: only 7 rows of one class"
    assert math.isfinite(found["roc_auc"].value)
    # A plain proportion can be judged from seven rows: Wilson's interval is wide, not wrong.
    assert found["recall"].low is not None


def test_one_class_only_has_no_ranking_and_does_not_fail() -> None:
    prob = np.full((30, 2), 0.5)
    found = measure_classification(np.zeros(30), prob, classes=("no", "yes"), threshold=0.6, seed=0)
    assert math.isnan(found["roc_auc"].value)
    assert math.isnan(found["recall"].value)
    assert found["recall"].low is None
    assert found["precision"].value == 0.0
    assert found["precision"].method == "no interval: no row was flagged"
    assert found["accuracy"].value == 1.0


def test_a_class_that_is_absent_from_the_test_rows_is_left_out_of_the_mean() -> None:
    rng = np.random.default_rng(1)
    prob = rng.dirichlet([2, 2, 2], size=200)
    y = (rng.uniform(size=200) < 0.5).astype(np.int64)
    found = measure_classification(y, prob, classes=("a", "b", "c"), threshold=0.5, seed=0)
    assert all(math.isfinite(item.value) for item in found.values())


def test_rows_of_one_group_widen_the_interval() -> None:
    y, prob = draw(300)
    tripled, prob3, group = np.repeat(y, 10), np.repeat(prob, 10, axis=0), np.repeat(np.arange(300), 10)
    naive = measure_classification(tripled, prob3, classes=("no", "yes"), threshold=0.4, seed=0)
    honest = measure_classification(tripled, prob3, classes=("no", "yes"), threshold=0.4, seed=0, groups=group)
    once = measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0)
    for name in honest:
        if name == "ece":
            continue
        width = {key: (found[name].high or 0) - (found[name].low or 0) for key, found in
                 (("naive", naive), ("honest", honest), ("once", once))}  # fmt: skip
        assert width["honest"] > 2 * width["naive"]
        assert width["honest"] == pytest.approx(width["once"], rel=0.25)


def test_nine_groups_are_too_few_for_an_interval() -> None:
    y, prob = draw(300)
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0, groups=np.arange(300) % 9)
    assert {item.low for item in found.values()} == {None}
    assert found["accuracy"].method == "no interval: only 9 groups"


def test_the_same_seed_gives_the_same_numbers_and_another_seed_nearly() -> None:
    y, prob = draw(400)
    runs = [measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=seed) for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0]["f1"].low != runs[2]["f1"].low
    assert runs[0]["f1"].low == pytest.approx(runs[2]["f1"].low, abs=0.02)


def test_pooling_rows_into_blocks_keeps_the_width_of_the_interval() -> None:
    """20,000 rows are resampled in 2,000 blocks; theory for a mean says what the width must be."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=20_000)
    found = measure_regression(y, y + rng.normal(size=20_000), seed=0)["mae"]
    assert found.low is not None
    assert found.high is not None
    spread = np.abs(rng.normal(size=200_000)).std() / math.sqrt(20_000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.1)


def test_relative_errors_are_left_out_where_a_true_value_is_zero() -> None:
    found = measure_regression(np.array([0.0, 1.0] * 10), np.ones(20), seed=0)
    assert "mape" not in found
    assert found["mae"].value == 0.5


def test_errors_carry_the_unit_of_the_target_and_r2_does_not() -> None:
    found = measure_regression(np.arange(20.0) + 1, np.arange(20.0) + 2, seed=0, unit="EUR")
    assert {name: item.unit for name, item in found.items()} == {
        "rmse": "EUR", "mae": "EUR", "median_absolute_error": "EUR", "r2": "", "mape": "",
    }  # fmt: skip


def test_a_hundred_thousand_rows_take_seconds_not_minutes() -> None:
    y, prob = draw(100_000)
    begin = time.process_time()
    measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0)
    assert time.process_time() - begin < 4  # 0.4 s on an idle core


def test_average_precision_is_exact_although_its_interval_pools_scores() -> None:
    y, prob = draw(5000, share=0.05)
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=0.4, seed=0)["average_precision"]
    pooled = build_score("average_precision", y, prob).value()
    assert found.value == pytest.approx(pooled, abs=5e-3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
