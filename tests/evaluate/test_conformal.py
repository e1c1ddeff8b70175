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
