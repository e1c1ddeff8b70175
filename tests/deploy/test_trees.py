"""Half of a two-class forest is enough, and only where it really is half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from fitted import fit_extra_trees

from skiff.core.pipeline import Trees
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.predictor import Predictor
from skiff.deploy.trees import find_positive_half


@pytest.fixture(scope="module")
def forest() -> Trees:
    [member] = fit_extra_trees("binary").pipeline.members
    assert isinstance(member.part, Trees)
    return member.part


def test_the_half_of_a_forest_gives_the_answers_of_the_whole() -> None:
    fitted = fit_extra_trees("binary")
    [member] = fitted.pipeline.members
    assert isinstance(member.part, Trees)
    halved = find_positive_half(member.part)
    assert halved is not None
    half, total = halved
    assert (len(half.roots), len(half.base)) == (10, 1)
    assert len(half.feature) * 2 == len(member.part.feature)
    assert len(half.leaf_weight) * 2 == len(member.part.leaf_weight)
    assert total == pytest.approx(1.0, abs=1e-14)
    found = Predictor(compile_pipeline(fitted.pipeline)).predict_columns(fitted.frame).probabilities
    expected = fitted.predict_native(featurize(fitted.pipeline.inputs, fitted.pipeline.encoders, fitted.frame))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def _bend_leaf(trees: Trees) -> Trees:
    weights = trees.leaf_weight.copy()
    weights[3] += 1e-6
    return replace(trees, leaf_weight=weights)


def _move_split(trees: Trees) -> Trees:
    return replace(trees, split=trees.split + np.eye(1, len(trees.split), 2)[0])


def _turn_missing(trees: Trees) -> Trees:
    return replace(trees, missing_to_true=trees.missing_to_true ^ np.eye(1, len(trees.split), 0, dtype=np.int64)[0])


def _swap_targets(trees: Trees) -> Trees:
    return replace(trees, leaf_target=1 - trees.leaf_target)


def _drop_a_tree(trees: Trees) -> Trees:
    return replace(trees, roots=trees.roots[:-1])


def _add_a_class(trees: Trees) -> Trees:
    return replace(trees, base=np.zeros(3))


@pytest.mark.parametrize("spoil", [_bend_leaf, _move_split, _turn_missing, _swap_targets, _drop_a_tree, _add_a_class])
def test_trees_that_are_no_pairs_are_kept_whole(forest: Trees, spoil: Callable[[Trees], Trees]) -> None:
    assert find_positive_half(spoil(forest)) is None


def test_a_forest_of_single_leaves_is_halved_too() -> None:
    stump = Trees(
        roots=np.array([0, 1]),
        feature=np.zeros(2, dtype=np.int64),
        mode=np.zeros(2, dtype=np.int64),
        split=np.zeros(2),
        members=(),
        missing_to_true=np.ones(2, dtype=np.int64),
        true_node=np.array([0, 2]),
        false_node=np.array([1, 3]),
        true_is_leaf=np.ones(2, dtype=np.int64),
        false_is_leaf=np.ones(2, dtype=np.int64),
        leaf_target=np.array([0, 0, 1, 1]),
        leaf_weight=np.array([0.3, 0.3, 0.7, 0.7]),
        base=np.zeros(2),
    )
    halved = find_positive_half(stump)
    assert halved is not None
    assert halved[0].leaf_weight.tolist() == [0.7, 0.7]
    assert halved[1] == 1.0
