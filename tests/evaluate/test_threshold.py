from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from skiff.core.errors import SkiffError
from skiff.core.task import Costs
from skiff.evaluate.prices import BETTER_ALL, BETTER_NONE
from skiff.evaluate.threshold import (
    choose_threshold,
    find_theoretical_threshold,
    measure_saving,
)


def draw(n: int, base: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = expit(base + 1.5 * rng.normal(size=n))
    return (rng.uniform(size=n) < p).astype(np.int64), p


def test_calibrated_probabilities_get_the_textbook_threshold() -> None:
    y, p = draw(2000, -2)
    decision = choose_threshold(y, p, costs=Costs(false_positive=5, false_negative=100, currency="EUR"))
    assert decision.threshold == pytest.approx(5 / 105)
    assert "a missed case costs 100 EUR, a false alarm 5 EUR" in decision.reason


def test_a_badly_calibrated_model_gets_the_threshold_that_was_cheapest() -> None:
    y, p = draw(4000, -2)
    costs = Costs(false_positive=1, false_negative=4)
    crooked = p**3
    decision = choose_threshold(y, crooked, costs=costs)
    assert decision.threshold == pytest.approx(0.2**3, abs=0.01)
    assert "cost least" in decision.reason
    assert "a missed case costs 4 EUR, a false alarm 1 EUR" in decision.reason


def test_gains_count_as_negative_costs() -> None:
    assert find_theoretical_threshold(Costs(false_positive=10, false_negative=0, true_positive=-90)) == pytest.approx(
        0.1
    )


def test_costs_that_reward_wrong_answers_are_refused() -> None:
    with pytest.raises(SkiffError, match="wrong answer is cheaper") as caught:
        choose_threshold(*draw(100, 0), costs=Costs(false_positive=-1, false_negative=-1))
    assert caught.value.code == "costs_contradict"


def test_without_costs_rare_cases_get_a_threshold_well_below_one_half() -> None:
    y, p = draw(5000, -3)
    threshold = choose_threshold(y, p, costs=None).threshold
    assert 0.15 < threshold < 0.4


def test_without_costs_common_cases_are_not_all_flagged() -> None:
    """Plain F1 of a weak model is largest when everything is flagged; the mean of both answers' F1 is not fooled."""
    rng = np.random.default_rng(0)
    p = 0.6 + 0.05 * rng.normal(size=3000)
    y = (rng.uniform(size=3000) < p).astype(np.int64)
    threshold = choose_threshold(y, p, costs=None).threshold
    assert 0.2 < np.mean(p >= threshold) < 0.8


def test_swapping_yes_and_no_mirrors_the_threshold() -> None:
    y, p = draw(3000, -1.5)
    there, back = choose_threshold(y, p, costs=None).threshold, choose_threshold(1 - y, 1 - p, costs=None).threshold
    assert back == pytest.approx(1 - there, abs=0.01)


@pytest.mark.parametrize("costs", [None, Costs(false_positive=1, false_negative=9)])
def test_the_threshold_hardly_moves_between_samples(costs: Costs | None) -> None:
    found = [choose_threshold(*draw(1500, -2, seed=seed), costs=costs).threshold for seed in range(20)]
    assert np.std(found) < 0.05


def test_a_lucky_extreme_row_is_not_a_threshold() -> None:
    y = np.zeros(200, dtype=np.int64)
    p = np.linspace(0.01, 0.5, 200)
    y[-1] = 1
    p[-1] = 0.99
    decision = choose_threshold(y, p, costs=None)
    assert decision.threshold == 0.5
    assert "too few" in decision.reason


def test_all_probabilities_equal_leave_one_half() -> None:
    assert choose_threshold(np.array([0, 1] * 20), np.full(40, 0.2), costs=None).threshold == 0.5


def test_saving_is_measured_against_the_better_constant() -> None:
    y = np.array([0] * 80 + [1] * 20)
    p = np.where(y == 1, 0.9, 0.1)
    costs = Costs(false_positive=1, false_negative=10, currency="CHF")
    saving = measure_saving(y, p, 0.5, costs, seed=0)
    # Flagging nobody costs 20 * 10 / 100 = 2 a row, everybody 80 * 1 / 100 = 0.8: the better one is beaten by 0.8.
    assert saving.value == pytest.approx(0.8)
    assert saving.unit == "CHF"
    assert saving.low is not None
    assert saving.low > 0.6


def test_a_saving_says_which_constant_it_is_held_against() -> None:
    y = np.array([0] * 80 + [1] * 20)
    p = np.where(y == 1, 0.9, 0.1)
    dear, cheap = Costs(false_positive=1, false_negative=10), Costs(false_positive=10, false_negative=1)
    assert BETTER_ALL in measure_saving(y, p, 0.5, dear, seed=0).method
    assert BETTER_NONE in measure_saving(y, p, 0.5, cheap, seed=0).method


def test_a_useless_model_saves_nothing() -> None:
    rng = np.random.default_rng(0)
    y, p = (rng.uniform(size=2000) < 0.3).astype(np.int64), rng.uniform(size=2000)
    saving = measure_saving(y, p, 0.5, Costs(false_positive=1, false_negative=1), seed=0)
    assert saving.high is not None
    assert saving.high < 0
