"""How much a score moves with the seed: measured on real refits, and said."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score, root_mean_squared_error

from skiff.evaluate.stability import measure_stability, score_headline


def test_scores_are_those_of_scikit_learn() -> None:
    chance = np.random.default_rng(0)
    y, p = chance.integers(0, 2, 300), chance.random(300)
    both = np.stack([1 - p, p], axis=1)
    assert score_headline("roc_auc", y, both) == pytest.approx(roc_auc_score(y, p))
    assert score_headline("average_precision", y, both) == pytest.approx(average_precision_score(y, p))
    assert score_headline("log_loss", y, both) == pytest.approx(log_loss(y, both))
    assert score_headline("rmse", p, p + 0.1) == pytest.approx(root_mean_squared_error(p, p + 0.1))


def test_the_interval_of_the_spread_covers_as_often_as_it_says() -> None:
    chance = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        found = measure_stability(chance.normal(0.9, 0.01, 5).tolist(), "roc_auc")
        assert found is not None
        hits += found.spread_low <= 0.01 <= found.spread_high
    assert 0.92 <= hits / 400 <= 0.98


def test_scores_that_do_not_exist_do_not_count() -> None:
    assert measure_stability([0.9, float("nan"), 0.91], "roc_auc") is None
