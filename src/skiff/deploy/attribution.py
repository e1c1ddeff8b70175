"""What each column adds on the way from a tree's root to its leaves, tabled once so that serving only looks it up.

At each node of a tree the expected answer changes from that of the node to that of the branch taken; the change is put down to
the column the node asks about (Saabas). The changes along a path add up to leaf minus root, so the sums are exact.

References
----------
.. [1] A. Saabas, "Interpreting random forests", 2014 (the decomposition along the decision path).
.. [2] S. Lundberg et al., "Consistent individualized feature attribution for tree ensembles", 2018, arXiv:1802.03888 (its limits:
   columns asked about near the leaves get more than their Shapley share; the price for a table that is looked up in microseconds).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skiff.core.pipeline import Trees

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """Trees with the expected answer at each of their nodes and leaves.

    Parameters
    ----------
    levels : tuple of ndarray of int64
        Nodes by depth, roots first.
    yes, no : ndarray of int64, shape (n_nodes,)
        Where each branch leads: a node, or ``n_nodes + leaf``.
    value : ndarray of shape (n_nodes + n_leaves,)
    cover : ndarray of shape (n_nodes + n_leaves,)
        Rows that reached it.
    """

    trees: Trees
    levels: tuple[Int, ...]
    yes: Int
    no: Int
    value: Float
    cover: Float


def list_leaf_trees(trees: Trees) -> Int:
    """Return the tree that each leaf belongs to; unused leaves belong to the first."""
    owner = np.zeros(len(trees.leaf_weight), dtype=np.int64)
    nodes, tree = trees.roots, np.arange(len(trees.roots))
    while len(nodes):
        following, belonging = [], []
        for ways, is_leaf in ((trees.true_node, trees.true_is_leaf), (trees.false_node, trees.false_is_leaf)):
            ends = is_leaf[nodes] == 1
            owner[ways[nodes[ends]]] = tree[ends]
            following.append(ways[nodes[~ends]])
            belonging.append(tree[~ends])
        nodes, tree = np.concatenate(following), np.concatenate(belonging)
    return owner


def grow(trees: Trees, leaf_cover: Float) -> Grown:
    """Work out the expected answer at each node: the mean of its branches, weighted by the rows that took them.

    Parameters
    ----------
    trees : Trees
    leaf_cover : ndarray of shape (n_leaves,)
        Rows of the training table that reach each leaf. A branch that no row takes weighs nothing; where none reaches the
        node, both weigh the same.
    """
    n_nodes = len(trees.feature)
    yes = np.where(trees.true_is_leaf == 1, n_nodes + trees.true_node, trees.true_node)
    no = np.where(trees.false_is_leaf == 1, n_nodes + trees.false_node, trees.false_node)
    levels, nodes = [], trees.roots
    while len(nodes):
        levels.append(nodes)
        children = np.concatenate([yes[nodes], no[nodes]])
        nodes = children[children < n_nodes]
    value = np.concatenate([np.zeros(n_nodes), trees.leaf_weight])
    cover = np.concatenate([np.zeros(n_nodes), leaf_cover.astype(np.float64)])
    for nodes in reversed(levels):
        left, right = cover[yes[nodes]], cover[no[nodes]]
        total = left + right
        share = np.where(total > 0, left / np.where(total > 0, total, 1.0), 0.5)
        cover[nodes] = total
        value[nodes] = share * value[yes[nodes]] + (1 - share) * value[no[nodes]]
    return Grown(trees=trees, levels=tuple(levels), yes=yes, no=no, value=value, cover=cover)


def weigh_features(grown: Grown, n_features: int) -> Float:
    """Return how far each feature moves the answer of a row in all, on average: to choose which columns are told apart."""
    moved = np.zeros(n_features)
    rows = max(float(grown.cover[grown.trees.roots].max(initial=0.0)), 1.0)
    for nodes in grown.levels:
        for ways in (grown.yes, grown.no):
            step = grown.cover[ways[nodes]] * np.abs(grown.value[ways[nodes]] - grown.value[nodes])
            moved += np.bincount(grown.trees.feature[nodes], weights=step, minlength=n_features) / rows
    return moved


def table_leaves(grown: Grown, group: Int, n_groups: int) -> Float:
    """Return what each group of features adds on the way to each leaf, shape (n_leaves, n_groups).

    A row's entries add up to the leaf's weight minus the expected answer at its tree's root.

    Parameters
    ----------
    group : ndarray of int64, shape (n_features,)
        Group of each feature of the view.
    """
    trees, n_nodes = grown.trees, len(grown.trees.feature)
    table = np.zeros((len(trees.leaf_weight), n_groups))
    nodes, added = trees.roots, np.zeros((len(trees.roots), n_groups))
    while len(nodes):
        asked = group[trees.feature[nodes]]
        following, carried = [], []
        for ways in (grown.yes, grown.no):
            to = ways[nodes]
            reached = added.copy()
            reached[np.arange(len(nodes)), asked] += grown.value[to] - grown.value[nodes]
            is_leaf = to >= n_nodes
            table[to[is_leaf] - n_nodes] = reached[is_leaf]
            following.append(to[~is_leaf])
            carried.append(reached[~is_leaf])
        nodes, added = np.concatenate(following), np.concatenate(carried)
    return table
