"""Thresholds at the edge of zero and of infinity go the same way in the arrays."""

from __future__ import annotations

import lightgbm
import numpy as np

from skiff.train.export import ZERO_BAND, trees_from_lightgbm


def test_threshold_just_below_zero_sends_the_edge_where_lightgbm_sends_it() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([-random.random(300) - 0.1, random.random(300) + 0.1]).reshape(-1, 1)
    y = (x[:, 0] > 0).astype(float)
    booster = lightgbm.train({"objective": "regression", "verbosity": -1, "num_leaves": 2}, lightgbm.Dataset(x, y), 1)
    trees = trees_from_lightgbm(booster)
    edge = np.array([[-ZERO_BAND], [np.nextafter(-ZERO_BAND, -1)], [0.0], [ZERO_BAND], [np.nextafter(ZERO_BAND, 1)]])
    expected = booster.predict(edge)
    split = trees.split[trees.roots[0]]
    left, right = trees.leaf_weight[trees.true_node[0]], trees.leaf_weight[trees.false_node[0]]
    found = np.where(edge[:, 0] <= split, left, right)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_node_that_only_parts_missing_from_known_keeps_the_largest_numbers_with_the_known() -> None:
    random = np.random.default_rng(0)
    x = random.random((600, 1)) - 0.5
    x[::3] = np.nan
    y = np.isnan(x[:, 0]) + 0.01 * (np.nan_to_num(x[:, 0]) > 0.2)
    settings = {"objective": "regression", "verbosity": -1, "num_leaves": 3, "learning_rate": 1.0}
    booster = lightgbm.train(settings, lightgbm.Dataset(x, y), 3)
    assert "e+300" in str(booster.dump_model())
    trees = trees_from_lightgbm(booster)
    assert float(np.abs(trees.split).max()) == np.finfo(np.float64).max
