"""The arithmetic of proof against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom
from sklearn.metrics import r2_score, roc_auc_score

from skiff.data.checks.leakage.proof import (
    bound_chance,
    bound_errors,
    estimate_determinism,
    measure_auc,
    measure_log_loss,
    measure_r2,
    measure_share,
    rank_with_ties,
)


@pytest.mark.parametrize(("errors", "n"), [(0, 10), (3, 50), (9, 9), (1, 1_000)])
def test_bound_is_clopper_and_pearson(errors: int, n: int) -> None:
    expected = 1.0 if errors == n else beta.ppf(0.95, errors + 1, n - errors)
    assert bound_errors(errors, n) == pytest.approx(expected)


def test_chance_is_the_binomial_distribution() -> None:
    assert bound_chance(3, 40, error_rate=0.3) == pytest.approx(binom.cdf(3, 40, 0.3))


def test_share_of_nothing_wrong_has_an_open_end() -> None:
    share = measure_share("purity", hits=30, n=30)
    assert (share.value, share.high) == (1.0, 1.0)
    assert share.low == pytest.approx(0.025 ** (1 / 30))


def test_auc_agrees_with_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    score = np.round(truth + rng.normal(size=300), 1)
    assert measure_auc(truth, score).value == pytest.approx(roc_auc_score(truth, score))


def test_auc_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        truth = np.arange(200) < 60
        score = truth * 1.0 + rng.normal(size=200)
        found = measure_auc(truth, score)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.7602 <= found.high  # Phi(1 / sqrt 2)
    assert 0.91 <= covered / 300 <= 0.99


def test_perfect_auc_keeps_an_interval() -> None:
    truth = np.arange(40) < 20
    found = measure_auc(truth, truth.astype(float))
    assert found.value == 1.0
    assert found.low == pytest.approx(0.025 ** (1 / 20))


def test_r2_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=200)
    y_pred = y + 0.5 * rng.normal(size=200)
    found = measure_r2(y, y_pred)
    assert found.value == pytest.approx(r2_score(y, y_pred))
    assert found.low is not None
    assert found.low < found.value


def test_weighted_log_loss_is_the_weighted_mean() -> None:
    found = measure_log_loss(np.array([1.0, 3.0]), weight=np.array([3.0, 1.0]), baseline=2.0)
    assert found.value == pytest.approx(1.5)


def test_ranks_share_their_mean_where_values_tie() -> None:
    assert rank_with_ties(np.array([2.0, 1.0, 2.0])).tolist() == [2.5, 1.0, 2.5]


def test_determinism_tells_function_from_noise() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=2_000)
    order = rng.random(2_000)
    exact = estimate_determinism(x, rank_with_ties(np.exp(-x)), order=order)
    nothing = estimate_determinism(x, rank_with_ties(rng.normal(size=2_000)), order=order)
    assert exact > 0.9999
    assert abs(nothing) < 0.1
