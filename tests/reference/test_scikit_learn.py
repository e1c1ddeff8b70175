"""Values against scikit-learn, an independent implementation of the same definitions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.calibration import _SigmoidCalibration

from skiff.evaluate.calibration import apply_calibration, fit_calibration
from skiff.evaluate.metrics import measure_classification, measure_regression
from skiff.evaluate.ranking import find_precision_recall_points, find_roc_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.35


@pytest.fixture(params=[(60, 0), (400, 1), (3000, 2)])
def binary(request: pytest.FixtureRequest) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    n, seed = request.param
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(1, 3, size=n), 2 if seed < 2 else 9)
    return (rng.uniform(size=n) < p).astype(np.int64), np.stack([1 - p, p], axis=1)


def test_binary_values_agree(binary: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    y, prob = binary
    found = measure_classification(y, prob, classes=("no", "yes"), threshold=THRESHOLD, seed=0, n_boot=50)
    p, label = prob[:, 1], (prob[:, 1] >= THRESHOLD).astype(int)
    expected = {
        "roc_auc": reference.roc_auc_score(y, p),
        "average_precision": reference.average_precision_score(y, p),
        "log_loss": reference.log_loss(y, p),
        "brier_score": reference.brier_score_loss(y, p),
        "accuracy": reference.accuracy_score(y, label),
        "balanced_accuracy": reference.balanced_accuracy_score(y, label),
        "f1": reference.f1_score(y, label),
        "precision": reference.precision_score(y, label),
        "recall": reference.recall_score(y, label),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=1e-10)


def test_multiclass_values_agree() -> None:
    rng = np.random.default_rng(4)
    prob = rng.dirichlet([1, 2, 3, 4], size=500)
    y = (prob.cumsum(axis=1) > rng.uniform(size=(500, 1))).argmax(axis=1)
    found = measure_classification(y, prob, classes=("a", "b", "c", "d"), threshold=0.5, seed=0, n_boot=50)
    label = prob.argmax(axis=1)
    expected = {
        "roc_auc": reference.roc_auc_score(y, prob, multi_class="ovr", average="macro"),
        "log_loss": reference.log_loss(y, prob),
        "brier_score": reference.brier_score_loss(y, prob),
        "accuracy": reference.accuracy_score(y, label),
        "balanced_accuracy": reference.balanced_accuracy_score(y, label),
        "f1": reference.f1_score(y, label, average="macro"),
        "precision": reference.precision_score(y, label, average="macro"),
        "recall": reference.recall_score(y, label, average="macro"),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("n", [40, 5000])
def test_regression_values_agree(n: int) -> None:
    rng = np.random.default_rng(n)
    y = rng.lognormal(3, 1, size=n)
    pred = y * rng.lognormal(0, 0.4, size=n)
    found = measure_regression(y, pred, seed=0, n_boot=50)
    expected = {
        "rmse": reference.root_mean_squared_error(y, pred),
        "mae": reference.mean_absolute_error(y, pred),
        "r2": reference.r2_score(y, pred),
        "mape": reference.mean_absolute_percentage_error(y, pred),
        "median_absolute_error": reference.median_absolute_error(y, pred),
    }
    assert {name: measured.value for name, measured in found.items()} == pytest.approx(expected, rel=1e-10)


def test_curves_pass_through_scikit_learns_points(binary: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    y, prob = binary
    false_rate, true_rate, _ = reference.roc_curve(y, prob[:, 1], drop_intermediate=False)
    known = {(round(x, 6), round(t, 6)) for x, t in zip(false_rate.tolist(), true_rate.tolist(), strict=True)}
    points = find_roc_points(y == 1, prob[:, 1])
    assert len(points) <= 200
    assert set(points) <= known
    precision, recall, _ = reference.precision_recall_curve(y, prob[:, 1])
    known = {(round(r, 6), round(p, 6)) for p, r in zip(precision.tolist(), recall.tolist(), strict=True)}
    assert set(find_precision_recall_points(y == 1, prob[:, 1])) <= known


def test_thinned_roc_keeps_its_area(binary: tuple[NDArray[np.int64], NDArray[np.float64]]) -> None:
    y, prob = binary
    points = np.array(find_roc_points(y == 1, prob[:, 1]))
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(reference.roc_auc_score(y, prob[:, 1]), abs=2e-3)


def test_sigmoid_calibration_agrees_with_platts_as_scikit_learn_fits_it() -> None:
    rng = np.random.default_rng(7)
    p = rng.uniform(0.01, 0.99, size=800)
    y = (rng.uniform(size=800) < p**2).astype(np.int64)
    ours = apply_calibration(
        fit_calibration(y, np.stack([1 - p, p], axis=1), kind="sigmoid"), np.stack([1 - p, p], axis=1)
    )
    score = np.log(p / (1 - p))
    theirs = _SigmoidCalibration().fit(score, y).predict(score)
    assert np.abs(ours[:, 1] - theirs).max() < 1e-4
    assert math.isclose(ours.sum(), 800.0)
