"""Thresholds at the edge of what LightGBM reads as zero go the same way in the arrays."""

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
