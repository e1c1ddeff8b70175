from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Calibration
from skiff.evaluate.calibration import (
    apply_calibration,
    calibration_bins,
    choose_calibration,
    fit_calibration,
    measure_ece,
)
from skiff.evaluate.scores import build_score


def spread(p: np.ndarray) -> np.ndarray:
    return np.stack([1 - p, p], axis=1)


def draw(n: int, *, a: float = 1.0, b: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truths drawn from sigmoid(a * logit(p) + b)."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, size=n)
    return (rng.uniform(size=n) < expit(a * logit(p) + b)).astype(np.int64), p


def test_sigmoid_finds_the_slope_and_shift_that_made_the_truth() -> None:
    y, p = draw(40_000, a=0.5, b=-0.7)
    fitted = fit_calibration(y, spread(p), kind="sigmoid")
    assert fitted.x[0] == pytest.approx(0.5, abs=0.03)
    assert fitted.y[0] == pytest.approx(-0.7, abs=0.04)


def test_temperature_finds_the_stretch_of_several_classes() -> None:
    rng = np.random.default_rng(0)
    score = rng.normal(size=(20_000, 4))
    honest = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    y = (honest.cumsum(axis=1) > rng.uniform(size=(20_000, 1))).argmax(axis=1)
    sharp = np.exp(3 * score) / np.exp(3 * score).sum(axis=1, keepdims=True)
    fitted = fit_calibration(y, sharp, kind="temperature")
    assert fitted.x[0] == pytest.approx(3, rel=0.05)
    assert apply_calibration(fitted, sharp).sum(axis=1) == pytest.approx(np.ones(20_000))


def test_isotonic_follows_a_shape_that_no_sigmoid_has() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(size=30_000)
    truth = np.where(p < 0.5, 0.1, np.where(p < 0.8, 0.3, 0.9))
    y = (rng.uniform(size=30_000) < truth).astype(np.int64)
    chosen = choose_calibration(y, spread(p), 0)
    assert chosen.kind == "isotonic"
    mapped = apply_calibration(chosen, spread(p))[:, 1]
    assert np.abs(mapped - truth).mean() < 0.02


def test_isotonic_has_few_strictly_rising_knots_and_never_says_never() -> None:
    y, p = draw(100_000, a=2.0)
    fitted = fit_calibration(y, spread(p), kind="isotonic")
    assert 20 < len(fitted.x) <= 80
    assert np.all(np.diff(fitted.x) > 0)
    assert np.all(np.diff(fitted.y) >= 0)
    perfect = fit_calibration((p > 0.5).astype(np.int64), spread(p), kind="isotonic")
    assert 0 < perfect.y[0] < perfect.y[-1] < 1


def test_a_map_is_kept_only_where_it_helps_on_rows_it_has_not_seen() -> None:
    skewed_y, p = draw(2000, a=0.4)
    assert choose_calibration(skewed_y, spread(p), 0).kind == "sigmoid"
    gains = []
    for seed in range(20):
        y, p = draw(2000, seed=seed)
        chosen = choose_calibration(y, spread(p), seed)
        fresh_y, fresh_p = draw(20_000, seed=1000 + seed)
        before = build_score("log_loss", fresh_y, spread(fresh_p)).value()
        after = build_score("log_loss", fresh_y, apply_calibration(chosen, spread(fresh_p))).value()
        gains.append(before - after)
    assert min(gains) > -0.003  # calibrated already: whatever was chosen does no harm


def test_the_folds_given_are_the_ones_used() -> None:
    y, p = draw(400, a=0.3)
    everything = np.arange(400)
    folds = [(everything[200:], everything[:200])]
    assert choose_calibration(y, spread(p), folds).kind == "sigmoid"
    assert choose_calibration(y, spread(p), []).kind == "none"


def test_too_few_positives_are_left_uncalibrated() -> None:
    y, p = draw(300, a=0.3)
    y[np.flatnonzero(y == 1)[5:]] = 0
    assert choose_calibration(y, spread(p), 0).kind == "none"


def test_extreme_probabilities_are_clipped_before_the_map() -> None:
    fitted = Calibration(kind="sigmoid", x=(2.0,), y=(0.5,))
    found = apply_calibration(fitted, spread(np.array([0.0, 1.0])))
    assert np.all(np.isfinite(found))
    assert found[0, 1] == pytest.approx(expit(2 * logit(1e-15) + 0.5))


def test_no_calibration_changes_nothing() -> None:
    prob = spread(np.array([0.0, 0.3, 1.0]))
    assert np.array_equal(apply_calibration(Calibration(kind="none"), prob), prob)


def test_isotonic_refuses_three_classes() -> None:
    with pytest.raises(SkiffError, match="needs two classes, not 3"):
        fit_calibration(np.array([0, 1, 2]), np.eye(3), kind="isotonic")


def test_bins_hold_all_rows_and_tie_together_equal_probabilities() -> None:
    y, p = draw(1000)
    bins = calibration_bins(y, np.round(p, 1))
    assert sum(item.n for item in bins) == 1000
    assert len(bins) <= 10
    assert all(item.low <= item.observed <= item.high for item in bins)
    assert [item.predicted for item in bins] == sorted(item.predicted for item in bins)


def test_calibration_error_of_an_honest_model_has_zero_in_its_interval() -> None:
    y, p = draw(2000, seed=5)
    honest = measure_ece(y, p, seed=0)
    assert honest.low == 0
    y, p = draw(2000, a=0.2, seed=5)
    boastful = measure_ece(y, p, seed=0)
    assert boastful.low is not None
    assert boastful.high is not None
    assert 0.1 < boastful.low < boastful.value < boastful.high < boastful.low + 0.06


def test_isotonic_knots_never_touch_so_that_rounding_stays_rounding() -> None:
    random = np.random.default_rng(0)
    chances = np.where(random.random(4_000) < 0.5, 0.3, 0.3 + random.random(4_000) * 1e-9)
    chances[:2_000] = random.random(2_000)
    y = (random.random(4_000) < chances).astype(int)
    made = fit_calibration(y, np.stack([1 - chances, chances], axis=1), kind="isotonic")
    assert np.diff(made.x).min() >= 1e-4
