"""What must hold of every metric, whatever the data."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skiff.core.pipeline import Calibration
from skiff.evaluate.calibration import apply_calibration, fit_calibration
from skiff.evaluate.criteria import Criterion, parse_criterion
from skiff.evaluate.intervals import find_wilson_interval
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.threshold import choose_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sample = tuple[NDArray[np.int64], NDArray[np.float64]]

THRESHOLD = 0.4321
SHARES = (
    "roc_auc",
    "average_precision",
    "brier_score",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "ece",
)


@st.composite
def binary_samples(draw: st.DrawFn) -> Sample:
    """Truths with both classes, and probabilities on a coarse grid, so that ties are common."""
    n = draw(st.integers(min_value=4, max_value=60))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.int64)
    assume(0 < y.sum() < n)
    p = np.array(draw(st.lists(st.integers(0, 50), min_size=n, max_size=n)), dtype=np.float64) / 50
    return y, p


def measure(y: NDArray[np.int64], p: NDArray[np.float64], threshold: float = THRESHOLD) -> dict[str, float]:
    prob = np.stack([1 - p, p], axis=1)
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=threshold, seed=0, n_boot=20)
    return {name: item.value for name, item in found.items()}


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_every_share_and_its_interval_lie_between_0_and_1(sample: Sample) -> None:
    y, p = sample
    prob = np.stack([1 - p, p], axis=1)
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=THRESHOLD, seed=0, n_boot=50)
    for name in SHARES:
        item = found[name]
        assert 0 <= item.value <= 1
        if item.low is not None and item.high is not None:
            assert 0 <= item.low <= item.high <= 1
    assert found["log_loss"].value >= 0


@settings(max_examples=40, deadline=None)
@given(binary_samples(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sample: Sample, random: Random) -> None:
    y, p = sample
    order = list(range(len(y)))
    random.shuffle(order)
    assert measure(y[order], p[order]) == pytest.approx(measure(y, p), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_every_row_twice_changes_no_value(sample: Sample) -> None:
    y, p = sample
    doubled = measure(np.tile(y, 2), np.tile(p, 2))
    once = measure(y, p)
    # The bins of the calibration error are cut by rank, which doubling may move by one row.
    assert {name: doubled[name] for name in once if name != "ece"} == pytest.approx(
        {name: once[name] for name in once if name != "ece"}, abs=1e-12
    )


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_swapping_yes_and_no_keeps_what_is_symmetric(sample: Sample) -> None:
    y, p = sample
    plain, swapped = measure(y, p), measure(1 - y, 1 - p, threshold=1 - THRESHOLD)
    for name in ("roc_auc", "log_loss", "brier_score", "accuracy", "balanced_accuracy"):
        assert swapped[name] == pytest.approx(plain[name], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_ranking_metrics_ignore_a_monotone_map(sample: Sample) -> None:
    y, p = sample
    plain, mapped = measure(y, p), measure(y, 0.1 + 0.8 * p**3)
    assert mapped["roc_auc"] == pytest.approx(plain["roc_auc"], abs=1e-12)
    assert mapped["average_precision"] == pytest.approx(plain["average_precision"], abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_the_score_turned_over_gives_the_auc_turned_over(sample: Sample) -> None:
    y, p = sample
    assert measure(y, 1 - p)["roc_auc"] == pytest.approx(1 - measure(y, p)["roc_auc"], abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=40),
    st.floats(0.01, 100),
    st.floats(-1e3, 1e3),
)
def test_errors_scale_with_the_unit_and_r2_does_not(values: list[float], scale: float, shift: float) -> None:
    y = np.array(values)
    assume(float(np.ptp(y)) > 1e-3)
    pred = np.roll(y, 1)
    plain = measure_regression(y, pred, seed=0, n_boot=10)
    scaled = measure_regression(scale * y + shift, scale * pred + shift, seed=0, n_boot=10)
    tolerance = 1e-6 * scale * float(np.abs(y).max() + 1)
    for name in ("rmse", "mae", "median_absolute_error"):
        assert scaled[name].value == pytest.approx(scale * plain[name].value, rel=1e-6, abs=tolerance)
    assert scaled["r2"].value == pytest.approx(plain["r2"].value, rel=1e-4, abs=1e-4)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_wilson_contains_its_share_and_mirrors(n: int, share: float) -> None:
    hits = round(n * share)
    low, high = find_wilson_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    mirrored = find_wilson_interval(n - hits, n)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(binary_samples(), st.sampled_from(["isotonic", "sigmoid"]))
def test_calibration_keeps_the_order_and_stays_inside(sample: Sample, kind: str) -> None:
    y, p = sample
    prob = np.stack([1 - p, p], axis=1)
    fitted: Calibration = fit_calibration(y, prob, kind=kind)  # type: ignore[arg-type]  # sampled from the literal's values
    grid = np.linspace(0, 1, 101)
    mapped = apply_calibration(fitted, np.stack([1 - grid, grid], axis=1))
    assert np.all(np.diff(mapped[:, 1]) >= -1e-12)
    assert np.all((mapped >= 0) & (mapped <= 1))
    assert mapped.sum(axis=1) == pytest.approx(np.ones(101))
    if kind == "isotonic":
        assert np.all(np.diff(fitted.x) > 0)
        assert len(fitted.x) <= 80


@settings(max_examples=40, deadline=None)
@given(binary_samples())
def test_a_threshold_without_costs_is_a_probability_that_parts_the_rows(sample: Sample) -> None:
    y, p = sample
    found = choose_threshold(y, p, costs=None).threshold
    assert 0 <= found <= 1
    if found != 0.5:
        assert 5 <= int(np.sum(p >= found)) <= len(p) - 5


@given(
    st.sampled_from(["roc_auc", "f1", "recall_at_precision_0.9", "accuracy"]),
    st.floats(0, 1).map(lambda number: round(number, 6)),
    st.sampled_from([" ", "", "  "]),
)
def test_criteria_survive_any_spacing(name: str, number: float, space: str) -> None:
    found = parse_criterion(f"{space}{name}{space}>={space}{number!r}{space}")
    assert isinstance(found, Criterion)
    assert (found.name, found.operator) == (name, ">=")
    assert math.isclose(found.required or 0.0, number)
