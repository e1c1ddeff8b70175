from __future__ import annotations

import numpy as np
import pytest

from skiff.core.errors import SkiffError
from skiff.evaluate.conformal import (
    find_bins,
    fit_interval,
    fit_range,
    fit_set,
    measure_coverage,
    predict_ranges,
    predict_sets,
)


@pytest.mark.parametrize("n", [19, 50, 400])
def test_intervals_hold_as_often_as_promised_even_for_skewed_errors(n: int) -> None:
    rng = np.random.default_rng(n)
    inside = []
    for _ in range(800):
        error = rng.exponential(size=n + 1) - 0.3
        fitted = fit_interval(error[:n], np.zeros(n), coverage=0.9)
        inside.append(-fitted.below <= error[n] <= fitted.above)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03 if n > 19 else 0.04)
    assert np.mean(inside) > 0.88


def test_too_few_rows_are_refused_with_how_many_are_needed() -> None:
    with pytest.raises(SkiffError) as caught:
        fit_interval(np.zeros(18), np.zeros(18), coverage=0.9)
    assert caught.value.fix == "At least 19 rows are needed."


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 4.0])
def test_sets_contain_the_truth_whether_or_not_the_model_is_honest(sharpness: float) -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=(6000, 5)) * 1.5
    honest = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    y = (honest.cumsum(axis=1) > rng.uniform(size=(6000, 1))).argmax(axis=1)
    stated = np.exp(sharpness * score) / np.exp(sharpness * score).sum(axis=1, keepdims=True)
    sets = predict_sets(fit_set(y[:3000], stated[:3000], coverage=0.9), stated[3000:])
    found = measure_coverage(sets[np.arange(3000), y[3000:]], promised=0.9)
    assert found.value > 0.88
    assert found.baseline == 0.9
    assert 1 < sets.sum(axis=1).mean() < 4.5


def test_sets_are_small_where_the_model_is_sure_and_never_empty() -> None:
    fitted = fit_set(np.zeros(200, dtype=np.int64), np.tile([0.5, 0.3, 0.2], (200, 1)))
    sizes = predict_sets(fitted, np.array([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])).sum(axis=1)
    assert sizes.tolist() == [1, 1]
    unsure = fit_set(np.full(200, 2), np.tile([0.5, 0.3, 0.2], (200, 1)))
    assert predict_sets(unsure, np.array([[0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])).sum(axis=1).tolist() == [1, 3]


def test_ranges_hold_for_small_and_for_large_predictions() -> None:
    rng = np.random.default_rng(1)
    pred = rng.lognormal(3, 1, size=8000)
    y = pred * rng.lognormal(0, 0.3, size=8000)
    fitted = fit_range(y[:4000], pred[:4000], coverage=0.9)
    low, high = predict_ranges(fitted, pred[4000:], is_never_negative=True)
    inside = (low <= y[4000:]) & (y[4000:] <= high)
    place = find_bins(fitted.edges, pred[4000:])
    shares = [inside[place == code].mean() for code in range(5)]
    assert min(shares) > 0.86, shares
    one = fit_interval(y[:4000], pred[:4000], coverage=0.9)
    is_large = place == 4
    flat = (pred[4000:] - one.below <= y[4000:]) & (y[4000:] <= pred[4000:] + one.above)
    assert flat[is_large].mean() < shares[4] - 0.1  # one width for all breaks the promise where it costs most


def test_equal_predictions_fall_into_one_bin() -> None:
    rng = np.random.default_rng(0)
    assert fit_range(rng.normal(size=600), np.zeros(600)).edges in {(), (0.0,)}
    assert fit_range(rng.normal(size=60), rng.normal(size=60)).edges == ()


def test_few_rows_give_the_set_of_everything() -> None:
    assert predict_sets(fit_set(np.array([0, 1]), np.eye(2)), np.array([[0.9, 0.1]])).tolist() == [[True, True]]


def _draw_rare(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return answers with 3 rare ones in 100, and honest probabilities that mostly stay below a half."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(4.0 - rng.normal(size=n)))
    return (rng.uniform(size=n) < p).astype(np.int64), np.stack([1 - p, p], axis=1)


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5])
def test_a_rare_answer_is_held_as_often_as_a_common_one(threshold: float) -> None:
    y, prob = _draw_rare(6_000, seed=2)
    later, stated = _draw_rare(20_000, seed=3)
    sets = predict_sets(fit_set(y, prob, threshold=threshold), stated)
    inside = sets[np.arange(len(later)), later]
    for code in (0, 1):
        found = measure_coverage(inside[later == code], promised=0.9)
        assert found.value > 0.85, code
    label = (stated[:, 1] >= threshold).astype(int)
    assert sets[np.arange(len(later)), label].all()  # an answer is never ruled out by its own set


def test_of_several_classes_each_is_held_and_those_of_too_few_rows_get_what_holds_for_all() -> None:
    rng = np.random.default_rng(4)
    y = rng.choice(4, size=4_000, p=[0.8, 0.15, 0.049, 0.001])
    score = rng.normal(size=(4_000, 4)) + 1.5 * np.eye(4)[y] + np.log([0.8, 0.15, 0.049, 0.001])
    prob = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    fitted = fit_set(y[:2_000], prob[:2_000])
    assert (y[:2_000] == 3).sum() < 9
    assert fitted.floors[2] < fitted.floors[0]
    sets = predict_sets(fitted, prob[2_000:])
    assert sets[np.arange(2_000), prob[2_000:].argmax(axis=1)].all()
    inside = sets[np.arange(2_000), y[2_000:]]
    assert all(inside[y[2_000:] == code].mean() > 0.8 for code in range(3))
    assert sets[:, 3].mean() < 0.1


def test_rows_that_belong_together_say_less() -> None:
    rng = np.random.default_rng(5)
    customer = np.repeat(np.arange(60), 20)
    inside = (rng.uniform(size=60) < 0.9)[customer]  # all rows of one customer alike
    alone, together = measure_coverage(inside, promised=0.9), measure_coverage(inside, promised=0.9, groups=customer)
    assert alone.value == together.value
    assert together.low is not None
    assert alone.low is not None
    assert together.value - together.low > 3 * (alone.value - alone.low)
    again = measure_coverage(inside[::20], promised=0.9)
    assert together.low == pytest.approx(again.low or 0.0, abs=0.01)
