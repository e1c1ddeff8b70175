"""What leaves the room as arrays answers as the library objects do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skiff.core.pipeline import MEMBER
from skiff.train.export import (
    DUMPED_AT_ONCE,
    clip_output,
    layers_from_linear,
    layers_from_mlp,
    scale_output,
    trees_from_forest,
    trees_from_lightgbm,
)

TIGHT = 1e-12
Rows = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
Walk = Callable[..., Any]


@pytest.fixture
def rows() -> Rows:
    """Numbers with gaps, codes, and a hidden rule."""
    chance = np.random.default_rng(3)
    X = chance.normal(size=(500, 4))
    X[:, 2] = chance.integers(0, 9, size=500)
    X[chance.random(500) < 0.2, 1] = np.nan
    score = X[:, 0] + 2 * (np.isin(X[:, 2], [1, 4, 7])) - np.nan_to_num(X[:, 1], nan=1.5)
    return X, score


def _hostile(X: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Rows with everything missing, far out, an unseen code, and zero with either sign."""
    extra = np.array([[np.nan] * 4, [1e300] * 4, [-1e300] * 4, [0.0, 0.0, 40.0, -0.0], [0.0, np.nan, np.nan, np.nan]])
    return np.vstack([X[:80], extra])


def _boost(X: np.ndarray[Any, Any], y: np.ndarray[Any, Any], **settings: Any) -> lightgbm.Booster:
    data = lightgbm.Dataset(X, label=y, categorical_feature=[2])
    return lightgbm.train({"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5, **settings}, data, 25)


def test_a_boosted_binary_model_is_written_exactly(rows: Rows, walk_trees: Walk) -> None:
    X, score = rows
    booster = _boost(X, score > 0, objective="binary")
    trees = trees_from_lightgbm(booster)
    assert (trees.mode == MEMBER).any()
    assert np.abs(walk_trees(trees, _hostile(X))[:, 0] - booster.predict(_hostile(X), raw_score=True)).max() <= TIGHT


def test_a_boosted_multiclass_model_keeps_its_classes_apart(rows: Rows, walk_trees: Walk) -> None:
    X, score = rows
    booster = _boost(X, np.digitize(score, [-1, 1]), objective="multiclass", num_class=3)
    trees = trees_from_lightgbm(booster)
    assert np.abs(walk_trees(trees, _hostile(X)) - booster.predict(_hostile(X), raw_score=True)).max() <= TIGHT


def test_a_model_is_read_piece_by_piece_up_to_its_best_round(rows: Rows, walk_trees: Walk) -> None:
    X, score = rows
    data = lightgbm.Dataset(X, label=np.digitize(score, [-1, 1]), categorical_feature=[2])
    settings = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1, "num_leaves": 4}
    booster = lightgbm.train(settings, data, 2 * DUMPED_AT_ONCE + 7)
    for best in (2 * DUMPED_AT_ONCE + 7, DUMPED_AT_ONCE + 3, DUMPED_AT_ONCE):
        booster.best_iteration = best
        trees = trees_from_lightgbm(booster)
        assert len(trees.roots) == 3 * best
        assert np.abs(walk_trees(trees, _hostile(X)) - booster.predict(_hostile(X), raw_score=True)).max() <= TIGHT


def test_a_missing_cell_follows_lightgbm_where_training_had_none(rows: Rows, walk_trees: Walk) -> None:
    X, score = rows
    full = np.nan_to_num(X)
    booster = _boost(full, score, objective="regression")
    gap = np.abs(walk_trees(trees_from_lightgbm(booster), _hostile(X))[:, 0] - booster.predict(_hostile(X)))
    assert gap.max() <= TIGHT


def test_a_model_that_found_nothing_is_one_leaf(walk_trees: Walk) -> None:
    X = np.zeros((50, 4))
    booster = _boost(X, np.arange(50.0), objective="regression")
    raw = walk_trees(trees_from_lightgbm(booster, shift=2.0), X[:3])[:, 0]
    assert np.allclose(raw - 2.0, booster.predict(X[:3]), atol=TIGHT)


@pytest.mark.parametrize("has_gaps", [True, False])
def test_a_forest_for_values_is_written_exactly(rows: Rows, has_gaps: bool, walk_trees: Walk) -> None:
    X, score = rows
    forest = ExtraTreesRegressor(n_estimators=12, min_samples_leaf=2, random_state=0)
    forest.fit(X if has_gaps else np.nan_to_num(X), score)
    asked = np.clip(_hostile(X), -3e38, 3e38)
    assert np.abs(walk_trees(trees_from_forest(forest), asked)[:, 0] - forest.predict(asked)).max() <= TIGHT


def test_a_forest_for_some_of_the_classes_leaves_the_others_at_zero(rows: Rows, walk_trees: Walk) -> None:
    X, score = rows
    y = np.array([0.0, 2.0, 3.0])[np.digitize(score, [-1, 1])]
    forest = ExtraTreesClassifier(n_estimators=12, max_leaf_nodes=40, random_state=0).fit(X, y)
    trees = trees_from_forest(forest, columns=[0, 2, 3], n_targets=4)
    raw = walk_trees(trees, X[:80])
    assert np.abs(raw[:, [0, 2, 3]] - forest.predict_proba(X[:80])).max() <= TIGHT
    assert (raw[:, 1] == 0).all()


def test_a_linear_model_is_one_layer(rows: Rows, walk_layers: Walk) -> None:
    X, score = np.nan_to_num(rows[0]), rows[1]
    model = LogisticRegression().fit(X, score > 0)
    layers = layers_from_linear(model.coef_.T, model.intercept_)
    assert np.abs(walk_layers(layers, X)[:, 0] - model.decision_function(X)).max() <= TIGHT


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_perceptron_is_written_exactly(rows: Rows, walk_layers: Walk) -> None:
    X, score = np.nan_to_num(rows[0]), rows[1]
    classifier = MLPClassifier((8, 4), max_iter=5, random_state=0).fit(X, np.digitize(score, [-1, 1]))
    raw = walk_layers(layers_from_mlp(classifier), X)
    shares = np.exp(raw - raw.max(axis=1, keepdims=True))
    assert np.abs(shares / shares.sum(axis=1, keepdims=True) - classifier.predict_proba(X)).max() <= TIGHT
    regressor = MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, random_state=0).fit(X, score)
    scaled = scale_output(layers_from_mlp(regressor), scale=3.0, shift=7.0)
    assert np.abs(walk_layers(scaled, X)[:, 0] - (3 * regressor.predict(X) + 7)).max() <= TIGHT


def test_a_bounded_output_stays_within_its_bounds_and_is_exact_inside(rows: Rows, walk_layers: Walk) -> None:
    X = np.nan_to_num(rows[0])
    layers = layers_from_linear(np.array([[2.0], [-1.0], [0.3], [0.0]]), np.array([0.5]))
    free = walk_layers(layers, X)[:, 0]
    bounded = walk_layers(clip_output(layers, low=-1.0, high=2.0), X)[:, 0]
    assert np.abs(bounded - np.clip(free, -1.0, 2.0)).max() <= TIGHT
