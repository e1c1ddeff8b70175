"""Write fitted library objects as plain arrays: the last place where they are known.

References
----------
.. [1] ONNX, ``ai.onnx.ml`` operator set 5, ``TreeEnsemble``.
.. [2] LightGBM 4, ``Tree::NumericalDecision`` and ``Tree::CategoricalDecision`` (include/LightGBM/tree.h): what a missing
   value does at a node.
.. [3] CatBoost 1.2, "Model values" and "calc_leaf_indexes": bit i of a leaf's number tells whether ``value > border`` held at the
   i-th question of a symmetric tree; values and borders are float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from skiff.core.pipeline import LEQ, MEMBER, Layers, Trees

if TYPE_CHECKING:
    from lightgbm import Booster
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

JsonTree: TypeAlias = dict[str, Any]  # Any: LightGBM's own dump, nested dictionaries of numbers and texts


class _Growing:
    """Collects nodes and leaves of many trees in the layout of `Trees`."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.nodes: list[tuple[int, int, float, int]] = []
        self.members: list[tuple[float, ...]] = []
        self.branches: list[list[int]] = []
        self.leaves: list[tuple[int, float]] = []

    def add_node(self, feature: int, mode: int, split: float, *, missing_to_true: int) -> int:
        self.nodes.append((feature, mode, split, missing_to_true))
        self.branches.append([0, 0, 0, 0])
        return len(self.nodes) - 1

    def add_leaf(self, target: int, weight: float) -> int:
        self.leaves.append((target, weight))
        return len(self.leaves) - 1

    def branch(self, node: int, *, side: bool, to: int, is_leaf: bool) -> None:
        self.branches[node][0 if side else 1] = to
        self.branches[node][2 if side else 3] = int(is_leaf)

    def scale_leaves(self, share: float) -> None:
        """Multiply what all leaves so far say."""
        if share != 1.0:
            self.leaves = [(target, weight * share) for target, weight in self.leaves]

    def add_stump(self, target: int, weight: float) -> None:
        """Add a tree that is one leaf: a node whose two branches are equal leaves."""
        node = self.add_node(0, LEQ, 0.0, missing_to_true=1)
        self.roots.append(node)
        for side in (True, False):
            self.branch(node, side=side, to=self.add_leaf(target, weight), is_leaf=True)

    def build(self, base: Float, *, is_float32: bool) -> Trees:
        columns = list(zip(*self.nodes, strict=True))
        ways = np.array(self.branches, dtype=np.int64).T
        return Trees(
            roots=np.array(self.roots, dtype=np.int64),
            feature=np.array(columns[0], dtype=np.int64),
            mode=np.array(columns[1], dtype=np.int64),
            split=np.array(columns[2], dtype=np.float64),
            members=tuple(self.members),
            missing_to_true=np.array(columns[3], dtype=np.int64),
            true_node=ways[0],
            false_node=ways[1],
            true_is_leaf=ways[2],
            false_is_leaf=ways[3],
            leaf_target=np.array([target for target, _ in self.leaves], dtype=np.int64),
            leaf_weight=np.array([weight for _, weight in self.leaves], dtype=np.float64),
            base=base,
            is_float32=is_float32,
        )


DUMPED_AT_ONCE = 50
"""Rounds that are read at once: as nested dictionaries a tree takes twenty times the memory of its arrays."""

ZERO_BAND = 1.0000000180025095e-35
"""LightGBM reads every number this close to zero as zero (``kZeroThreshold``, 1e-35 as a float, in LightGBM's meta.h)."""

INFINITY = 1e300
"""How LightGBM writes an unbounded threshold (``Common::AvoidInf``); in memory it is infinity, above any number. Such a node
only parts missing values from all others."""


def trees_from_lightgbm(*boosters: Booster, shift: float = 0.0) -> Trees:
    """Return LightGBM models as arrays; the mean of their raw scores agrees to rounding (about 1e-15).

    Parameters
    ----------
    *boosters : lightgbm.Booster
        Trained with constant leaves (no ``linear_tree``) and without averaging (no random-forest mode), for the same target.
    shift : float
        Added to every raw score.
    """
    grown = _Growing()
    n_targets = 1
    for booster in boosters:
        n_targets = booster.num_model_per_iteration()
        end = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
        for begin in range(0, end, DUMPED_AT_ONCE):
            dump = booster.dump_model(start_iteration=begin, num_iteration=min(DUMPED_AT_ONCE, end - begin))
            for position, tree in enumerate(dump["tree_info"]):
                target, root = position % n_targets, tree["tree_structure"]
                if "split_index" not in root:
                    grown.add_stump(target, float(root["leaf_value"]))
                else:
                    grown.roots.append(_add_lightgbm_tree(grown, root, target))
    grown.scale_leaves(1.0 / len(boosters))
    if not grown.roots:
        grown.add_stump(0, 0.0)
    return grown.build(np.full(n_targets, shift), is_float32=False)


def _add_lightgbm_tree(grown: _Growing, root: JsonTree, target: int) -> int:
    first = _add_lightgbm_split(grown, root)
    waiting = [(first, root)]
    while waiting:
        node, split = waiting.pop()
        for side, child in ((True, split["left_child"]), (False, split["right_child"])):
            if "split_index" in child:
                to = _add_lightgbm_split(grown, child)
                waiting.append((to, child))
                grown.branch(node, side=side, to=to, is_leaf=False)
            else:
                leaf = grown.add_leaf(target, float(child["leaf_value"]))
                grown.branch(node, side=side, to=leaf, is_leaf=True)
    return first


def _add_lightgbm_split(grown: _Growing, split: JsonTree) -> int:
    feature = int(split["split_feature"])
    if split["decision_type"] == "==":
        node = grown.add_node(feature, MEMBER, 0.0, missing_to_true=0)
        grown.members.append(tuple(float(code) for code in split["threshold"].split("||")))
        return node
    threshold = float(split["threshold"])
    if -ZERO_BAND <= threshold < 0:  # what lies in the band is read as zero, and zero does not go left here
        threshold = float(np.nextafter(-ZERO_BAND, -np.inf))
    if abs(threshold) >= INFINITY:
        threshold = float(np.copysign(np.finfo(np.float64).max, threshold))
    # Without missing values in training LightGBM reads NaN as 0 at this node [2]_.
    goes_left = bool(split["default_left"]) if split["missing_type"] == "NaN" else threshold >= 0
    return grown.add_node(feature, LEQ, threshold, missing_to_true=int(goes_left))


FLOAT32_MAX = float(np.finfo(np.float32).max)


def read_as_catboost(X: Any) -> NDArray[np.float32]:  # noqa: ANN401  a dense matrix
    """Return cells as CatBoost compares them: rounded to float32, within its range, missing ones below all others.

    That is its ``nan_mode = Min``, written out, because it refuses a missing cell where its training rows had none.
    """
    return np.asarray(np.clip(np.where(np.isnan(X), -FLOAT32_MAX, X), -FLOAT32_MAX, FLOAT32_MAX), dtype=np.float32)


def trees_from_catboost(model: Any, start: Float, *, n_columns: int, targets: Sequence[int] = (0,)) -> Trees:  # noqa: ANN401  the library may be absent
    """Return a CatBoost model of symmetric trees as arrays; raw scores agree to rounding (about 1e-15).

    Which question each level of a tree asks is read from the leaves that rows reach which lie just above one border and below
    all others [3]_: the library tells it otherwise in a file alone, and nothing here touches the disk.

    Parameters
    ----------
    model : catboost.CatBoost or None
        Fitted on what `read_as_catboost` gives; None for one that has learned nothing.
    start : ndarray of shape (n_scores,)
        Added to the raw scores.
    n_columns : int
    targets : sequence of int
        Position among the scores of each score that the model knows.
    """
    grown = _Growing()
    base = np.array(start, dtype=np.float64)
    if model is None:
        grown.add_stump(0, 0.0)
        return grown.build(base, is_float32=True)
    scale, bias = model.get_scale_and_bias()
    leaves = np.asarray(model.get_leaf_values(), dtype=np.float64) * scale
    sizes = [int(size) for size in model.get_tree_leaf_counts()]
    at = 0
    for questions, size in zip(_find_questions(model, sizes, n_columns), sizes, strict=True):
        values = leaves[at : at + size * len(targets)].reshape(size, len(targets))
        at += size * len(targets)
        for place, target in enumerate(targets):
            _add_symmetric_tree(grown, questions, values[:, place].tolist(), target)
    base[list(targets)] += np.asarray(bias, dtype=np.float64)
    return grown.build(base, is_float32=True)


Question: TypeAlias = tuple[int, float]
"""Column and border: does the value lie above it?"""


def _find_questions(model: Any, sizes: Sequence[int], n_columns: int) -> list[list[Question]]:  # noqa: ANN401  as above
    """Return the questions of every tree, in the order of the bits of its leaves' numbers."""
    found: list[list[Question]] = [[(0, 0.0)] * (size.bit_length() - 1) for size in sizes]
    borders: dict[int, list[float]] = model.get_borders()
    for column, asked in borders.items():
        cuts = sorted(asked)
        if not cuts:
            continue
        rows = np.full((len(cuts), n_columns), -FLOAT32_MAX, dtype=np.float32)
        rows[:, column] = np.nextafter(np.array(cuts, dtype=np.float32), np.float32(np.inf))
        reached = model.calc_leaf_indexes(rows, thread_count=1).astype(np.int64)
        fresh = np.diff(reached, axis=0, prepend=0)  # bits are only ever added from one border to the next
        for place, tree in zip(*np.nonzero(fresh), strict=True):
            bits = int(fresh[place, tree])
            for level in range(bits.bit_length()):
                if bits >> level & 1:
                    found[tree][level] = (int(column), float(np.float32(cuts[place])))
    return found


Branching: TypeAlias = "float | tuple[int, float, Branching, Branching]"
"""A leaf's value, or a question with what follows where the value lies at or below the border, and above."""


def _unfold(questions: Sequence[Question], values: Sequence[float]) -> Branching:
    """Return a symmetric tree as a plain one, without questions that earlier ones answer or that change nothing."""

    def grow(level: int, leaf: int, bounds: dict[int, tuple[float, float]]) -> Branching:
        if level == len(questions):
            return values[leaf]
        column, border = questions[level]
        low, high = bounds.get(column, (-np.inf, np.inf))
        if border <= low:
            return grow(level + 1, leaf | 1 << level, bounds)
        if border >= high:
            return grow(level + 1, leaf, bounds)
        under = grow(level + 1, leaf, {**bounds, column: (low, border)})
        over = grow(level + 1, leaf | 1 << level, {**bounds, column: (border, high)})
        return under if isinstance(under, float) and under == over else (column, border, under, over)

    return grow(0, 0, {})


def _add_symmetric_tree(grown: _Growing, questions: Sequence[Question], values: Sequence[float], target: int) -> None:
    top = _unfold(questions, values)
    if isinstance(top, float):
        grown.add_stump(target, top)
        return

    def add(branching: tuple[int, float, Branching, Branching]) -> int:
        column, border, *ways = branching
        node = grown.add_node(column, LEQ, border, missing_to_true=1)
        for side, way in zip((True, False), ways, strict=True):
            is_leaf = isinstance(way, float)
            to = grown.add_leaf(target, way) if isinstance(way, float) else add(way)
            grown.branch(node, side=side, to=to, is_leaf=is_leaf)
        return node

    grown.roots.append(add(top))


def trees_from_forest(estimator: Any, *, columns: Sequence[int] = (), n_targets: int = 0, shift: float = 0.0) -> Trees:  # noqa: ANN401  any scikit-learn forest of extra trees or random trees
    """Return a scikit-learn forest as arrays: ONNX leaves carry one number, so each class has its own copy of a tree.

    Parameters
    ----------
    estimator : ExtraTreesClassifier, ExtraTreesRegressor or their random-forest twins
    columns : sequence of int
        For a classifier fitted on some of the classes: position of each of its classes among all.
    n_targets : int
        Number of classes in all; by default as many as the estimator knows.
    shift : float
        Added to every raw score.
    """
    n_known = int(estimator.n_classes_) if hasattr(estimator, "classes_") else 1
    places = list(columns) or list(range(n_known))
    width = n_targets or n_known
    share = 1.0 / len(estimator.estimators_)
    grown = _Growing()
    for one in estimator.estimators_:
        values = one.tree_.value[:, 0, :]  # since scikit-learn 1.3 a classifier's are shares, not counts
        if n_known > 1:
            values = values / values.sum(axis=1, keepdims=True)
        for known, target in enumerate(places):
            _add_forest_tree(grown, one.tree_, values[:, known] * share, target)
    return grown.build(np.full(width, shift), is_float32=True)


def _add_forest_tree(grown: _Growing, tree: Any, values: Float, target: int) -> None:  # noqa: ANN401  scikit-learn's Tree is a compiled class without types
    if tree.node_count == 1:
        grown.add_stump(target, float(values[0]))
        return
    is_leaf = tree.children_left == -1
    start = len(grown.nodes)
    place = np.where(is_leaf, 0, start + np.cumsum(~is_leaf) - 1)
    splits = np.flatnonzero(~is_leaf)
    features, thresholds = tree.feature[splits].tolist(), tree.threshold[splits].tolist()
    missing = tree.missing_go_to_left[splits].tolist()
    for feature, threshold, goes_left in zip(features, thresholds, missing, strict=True):
        grown.add_node(feature, LEQ, threshold, missing_to_true=int(goes_left))
    for node in splits:
        for side, children in ((True, tree.children_left), (False, tree.children_right)):
            child = children[node]
            to = grown.add_leaf(target, float(values[child])) if is_leaf[child] else int(place[child])
            grown.branch(int(place[node]), side=side, to=to, is_leaf=bool(is_leaf[child]))
    grown.roots.append(start)


def layers_from_linear(weights: Float, bias: Float) -> Layers:
    """Return a linear model as one layer: weights of shape (n_in, n_out), bias of shape (n_out,)."""
    return Layers(weights=(np.asarray(weights, dtype=np.float64),), biases=(np.asarray(bias, dtype=np.float64),))


def layers_from_mlp(estimator: Any) -> Layers:  # noqa: ANN401  MLPClassifier or MLPRegressor
    """Return a scikit-learn perceptron with ReLU units as layers."""
    return Layers(
        weights=tuple(np.asarray(weights, dtype=np.float64) for weights in estimator.coefs_),
        biases=tuple(np.asarray(bias, dtype=np.float64) for bias in estimator.intercepts_),
    )


def scale_output(layers: Layers, *, scale: float, shift: float) -> Layers:
    """Return layers whose output is ``scale * output + shift``."""
    weights = (*layers.weights[:-1], layers.weights[-1] * scale)
    return Layers(weights=weights, biases=(*layers.biases[:-1], layers.biases[-1] * scale + shift))


def clip_output(layers: Layers, *, low: float, high: float) -> Layers:
    """Return layers whose single output stays within [low, high].

    Uses ``clip(r) = low + relu(r - low) - relu(r - high)``, so a bound costs one more layer of two units and no new
    operator. Without it a linear model on a logarithm can answer anything for a row unlike the training rows.

    Examples
    --------
    >>> bounded = clip_output(layers_from_linear(np.array([[1.0]]), np.array([0.0])), low=0.0, high=9.0)
    >>> hidden = np.maximum(np.array([[-5.0], [4.0], [50.0]]) @ bounded.weights[0] + bounded.biases[0], 0)
    >>> (hidden @ bounded.weights[1] + bounded.biases[1]).ravel().tolist()
    [0.0, 4.0, 9.0]
    """
    twice = np.repeat(layers.weights[-1], 2, axis=1)
    moved = np.repeat(layers.biases[-1], 2) - np.array([low, high])
    return Layers(
        weights=(*layers.weights[:-1], twice, np.array([[1.0], [-1.0]])),
        biases=(*layers.biases[:-1], moved, np.array([low])),
    )
