"""Fixtures of the training room: an independent reading of the exported arrays in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from skiff.core.pipeline import LEQ, Layers, Trees

Float = NDArray[np.float64]


def walk_trees(trees: Trees, X: Float) -> Float:
    """Return raw scores by following every row through every tree, one node at a time."""
    if trees.is_float32:
        X = X.astype(np.float32).astype(np.float64)
    sets = iter(trees.members)
    members = [frozenset() if mode == LEQ else frozenset(next(sets)) for mode in trees.mode]
    raw = np.repeat(trees.base[None, :], len(X), axis=0)
    for place, row in enumerate(X):
        for root in trees.roots:
            node, is_leaf = int(root), False
            while not is_leaf:
                x = row[trees.feature[node]]
                if np.isnan(x):
                    goes = bool(trees.missing_to_true[node])
                else:
                    goes = bool(x <= trees.split[node]) if trees.mode[node] == LEQ else float(x) in members[node]
                is_leaf = bool((trees.true_is_leaf if goes else trees.false_is_leaf)[node])
                node = int((trees.true_node if goes else trees.false_node)[node])
            raw[place, trees.leaf_target[node]] += trees.leaf_weight[node]
    return raw


def walk_layers(layers: Layers, X: Float) -> Float:
    """Return the raw output of a perceptron."""
    for number, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        X = (np.maximum(X, 0.0) if number else X) @ weights + bias
    return X


@pytest.fixture(name="walk_trees")
def give_walk_trees() -> Callable[[Trees, Float], Float]:
    """Return the reader of trees."""
    return walk_trees


@pytest.fixture(name="walk_layers")
def give_walk_layers() -> Callable[[Layers, Float], Float]:
    """Return the reader of layers."""
    return walk_layers
