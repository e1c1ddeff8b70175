"""Emit tree ensembles: written so that old runtimes read them right, and without the half that says nothing new."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from skiff.core.pipeline import MEMBER, Trees
from skiff.deploy.graph import GraphBuilder

PAIR = 2
"""Two classes: the probability of the positive one, the last, says all."""

SHAPE = ("feature", "mode", "split", "missing_to_true", "true_is_leaf", "false_is_leaf")
"""What two nodes must share to ask the same question."""

PAIR_TOLERANCE = 1e-13
"""Shares of two classes add up to 1 within rounding; far below the parity that a release must show (1e-9)."""


def emit_trees(builder: GraphBuilder, trees: Trees, view: str) -> str:
    """Return the raw scores [N, n_targets] of a tree ensemble as one node, all double."""
    if trees.is_float32:
        view = builder.cast(builder.cast(view, TensorProto.FLOAT), TensorProto.DOUBLE)
    sets: list[float] = []
    for group in trees.members:
        sets += [*sorted(group), float("nan")]
    trees = number_leaves(trees)
    attributes: dict[str, Any] = {}  # Any: what the operator takes
    if sets:
        attributes["membership_values"] = _tensor(np.array(sets, dtype=np.float64))
    scores = builder.node(
        "TreeEnsemble",
        [view],
        domain="ai.onnx.ml",
        aggregate_function=1,
        post_transform=0,
        n_targets=len(trees.base),
        tree_roots=trees.roots.tolist(),
        nodes_featureids=trees.feature.tolist(),
        nodes_modes=_tensor(trees.mode.astype(np.uint8)),
        nodes_splits=_tensor(np.where(trees.mode == MEMBER, 0.0, trees.split).astype(np.float64)),
        nodes_missing_value_tracks_true=trees.missing_to_true.tolist(),
        nodes_truenodeids=trees.true_node.tolist(),
        nodes_falsenodeids=trees.false_node.tolist(),
        nodes_trueleafs=trees.true_is_leaf.tolist(),
        nodes_falseleafs=trees.false_is_leaf.tolist(),
        leaf_targetids=trees.leaf_target.tolist(),
        leaf_weights=_tensor(trees.leaf_weight.astype(np.float64)),
        **attributes,
    )
    if not trees.base.any():
        return scores
    return builder.node("Add", [scores, builder.row(trees.base)])


def number_leaves(trees: Trees) -> Trees:
    """Return the same trees, written so that onnxruntime 1.22 and its twin in the browser read them right, too.

    They take a root for a leaf where both its children have the same number, even if one is a leaf and the other a node, and
    give wrong numbers without a word (onnxruntime issue 24679; newer ones are right either way). So a leaf that both branches
    of a node reach is doubled, and unused leaves are put first until no root has a leaf and a node of the same number.
    """
    is_shared = (trees.true_node == trees.false_node) & (trees.true_is_leaf == 1) & (trees.false_is_leaf == 1)
    copied = trees.true_node[is_shared]
    false_node = trees.false_node.copy()
    false_node[is_shared] = len(trees.leaf_weight) + np.arange(len(copied))

    mixed = trees.roots[trees.true_is_leaf[trees.roots] != trees.false_is_leaf[trees.roots]]
    is_leaf_first = trees.true_is_leaf[mixed] == 1
    ahead = np.where(
        is_leaf_first, false_node[mixed] - trees.true_node[mixed], trees.true_node[mixed] - false_node[mixed]
    )
    taken = set(ahead.tolist())
    shift = next(number for number in range(len(taken) + 1) if number not in taken)
    none = np.zeros(shift, dtype=np.int64)
    return replace(
        trees,
        true_node=trees.true_node + shift * trees.true_is_leaf,
        false_node=false_node + shift * trees.false_is_leaf,
        leaf_target=np.concatenate([none, trees.leaf_target, trees.leaf_target[copied]]),
        leaf_weight=np.concatenate([none.astype(np.float64), trees.leaf_weight, trees.leaf_weight[copied]]),
    )


def _tensor(values: NDArray[Any]) -> object:  # Any: doubles or bytes
    made = numpy_helper.from_array(values, "values")
    if values.dtype == np.uint8:
        made = helper.make_tensor("values", TensorProto.UINT8, values.shape, values.tolist())
    return made


def find_positive_half(trees: Trees) -> tuple[Trees, float] | None:
    """Return the half of a forest that speaks for the positive class, and what both halves add up to; None if there is none.

    ONNX leaves carry one number, so a forest of two classes is written as pairs of equal trees. Where the two numbers of each
    leaf add up to the same in all of a tree, the second half says all: p = raw / total. It halves file and time.
    """
    if len(trees.base) != PAIR or len(trees.roots) % PAIR or trees.members or len(trees.roots) == 0:
        return None
    ends = np.append(trees.roots[1:], len(trees.feature))
    total = float(trees.base.sum())
    kept_nodes: list[NDArray[np.int64]] = []
    kept_leaves: list[NDArray[np.int64]] = []
    first_nodes: list[int] = []
    for pair in range(0, len(trees.roots), PAIR):
        nodes = [np.arange(trees.roots[place], ends[place]) for place in (pair, pair + 1)]
        if len(nodes[0]) != len(nodes[1]) or len(nodes[0]) == 0:
            return None
        leaves = [_list_leaves(trees, one) for one in nodes]
        sums = trees.leaf_weight[leaves[0]] + trees.leaf_weight[leaves[1]]
        targets = trees.leaf_target[leaves[0]], trees.leaf_target[leaves[1]]
        is_pair = (
            all((getattr(trees, name)[nodes[0]] == getattr(trees, name)[nodes[1]]).all() for name in SHAPE)
            and _has_same_branches(trees, nodes)
            and not targets[0].any()
            and bool(targets[1].all())
            and float(np.ptp(sums)) <= PAIR_TOLERANCE
        )
        if not is_pair:
            return None
        total += float(sums.mean())
        first_nodes.append(sum(len(kept) for kept in kept_nodes))
        kept_nodes.append(nodes[1])
        kept_leaves.append(np.unique(leaves[1]))
    nodes_kept, leaves_kept = np.concatenate(kept_nodes), np.unique(np.concatenate(kept_leaves))
    return _take(trees, np.array(first_nodes), nodes_kept, leaves_kept), total


def _list_leaves(trees: Trees, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the leaves of nodes, true branches first, in the order of the nodes."""
    true_leaves = trees.true_node[nodes][trees.true_is_leaf[nodes] == 1]
    return np.concatenate([true_leaves, trees.false_node[nodes][trees.false_is_leaf[nodes] == 1]])


def _has_same_branches(trees: Trees, nodes: list[NDArray[np.int64]]) -> bool:
    """Whether two trees are joined alike: inner branches lead to the same places, counted from their roots."""
    for ways, leaf_flags in ((trees.true_node, trees.true_is_leaf), (trees.false_node, trees.false_is_leaf)):
        places = [(ways[one] - one[0])[leaf_flags[one] == 0] for one in nodes]
        if not np.array_equal(places[0], places[1]):
            return False
    return True


def _take(trees: Trees, roots: NDArray[np.int64], nodes: NDArray[np.int64], leaves: NDArray[np.int64]) -> Trees:
    """Return some of the trees, their nodes and leaves numbered anew and all for one target."""
    node_place = np.zeros(len(trees.feature), dtype=np.int64)
    node_place[nodes] = np.arange(len(nodes))
    leaf_place = np.zeros(len(trees.leaf_weight), dtype=np.int64)
    leaf_place[leaves] = np.arange(len(leaves))

    def renumber(ways: NDArray[np.int64], is_leaf: NDArray[np.int64]) -> NDArray[np.int64]:
        to_leaf = is_leaf == 1
        return np.where(to_leaf, leaf_place[np.where(to_leaf, ways, 0)], node_place[np.where(to_leaf, 0, ways)])

    shape = {name: getattr(trees, name)[nodes] for name in SHAPE}
    return replace(
        trees,
        **shape,
        roots=roots,
        true_node=renumber(trees.true_node[nodes], shape["true_is_leaf"]),
        false_node=renumber(trees.false_node[nodes], shape["false_is_leaf"]),
        leaf_target=np.zeros(len(leaves), dtype=np.int64),
        leaf_weight=trees.leaf_weight[leaves],
        base=trees.base[1:],
    )
