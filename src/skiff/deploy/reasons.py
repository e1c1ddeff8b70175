"""Compile the companion of a model that tells what each column adds to its answer, as one ONNX graph.

The model and its companion are two files because onnxruntime computes all of a graph whatever is asked of it: answers without
reasons stay as fast as they were.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from skiff.core.pipeline import Calibration, FeatureMatrix, Layers, Member, Pipeline, Trees
from skiff.deploy.attribution import Grown, grow, list_leaf_trees, table_leaves, weigh_features
from skiff.deploy.compiler import FORMAT_VERSION, TENSOR_KINDS, list_used_inputs
from skiff.deploy.encoders import emit_encoders
from skiff.deploy.featurizer import Featurizer
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.members import PROBABILITY_FLOOR, emit_bounds, emit_calibration
from skiff.deploy.secants import Explained, apply_link, bend, emit_step_slope, soften
from skiff.deploy.session import open_session
from skiff.deploy.trees import PAIR, emit_trees, find_positive_half

if TYPE_CHECKING:
    import polars as pl

Float = NDArray[np.float64]
Int = NDArray[np.int64]

OTHERS = "(other columns)"
MOST_COLUMNS = 24
"""Columns told apart: more than anyone reads."""

LEAST_COLUMNS = 4
MOST_BYTES = 12_000_000
"""Size that the tables of leaves aim at: in blends with very many leaves fewer columns are told apart."""

BACKGROUND_ROWS = 2_000
"""Training rows that say what is expected where nothing is known: the standard error of a share is then at most 1 in 100."""


def compile_reasons(pipeline: Pipeline, background: pl.DataFrame) -> bytes:
    """Return the companion of a pipeline: raw columns in, ``contributions`` (double [N, K, columns]) and ``score`` ([N, K]) out.

    K is 1 for numbers and for two classes (the positive one), else the number of classes. The metadata ``skiff.reasons`` names
    the columns and the base: ``base[k] + contributions[:, k].sum(axis=1)`` is the answer of the model, to rounding.

    Parameters
    ----------
    pipeline : Pipeline
    background : DataFrame
        Typed training rows. Base and contributions are relative to what the model expects over them.

    Notes
    -----
    Trees by the decision path (Saabas), linear models and perceptrons against the mean row, links and calibration by secants; see
    `skiff.deploy.attribution` and `skiff.deploy.secants`. Columns that tell the same thing share what they say in whatever way
    the trees happened to ask about them.
    """
    rows = background.gather_every(max(1, background.height // BACKGROUND_ROWS)).head(BACKGROUND_ROWS)
    features = Featurizer(pipeline.inputs, pipeline.encoders)(rows)
    members = [_study(_halve(member, len(pipeline.classes)), features) for member in pipeline.members]
    columns = _choose_columns(pipeline, members, features)
    builder = GraphBuilder(reserved=("contributions", "score"))
    inputs = list_used_inputs(pipeline.inputs, pipeline.encoders)
    tensors = {column.name: builder.input(column.name, TENSOR_KINDS[column.kind]) for column in inputs}
    views = emit_encoders(builder, pipeline.encoders, tensors)
    needed = {studied.member.view for studied in members}
    joined = {view: builder.join(getattr(views, view)) for view in ("tree", "linear") if view in needed}
    explained = _blend(
        builder,
        [_explain(builder, studied, joined[studied.member.view], features, columns) for studied in members],
        [studied.member.weight for studied in members],
    )
    explained = _finish(builder, pipeline, explained)
    width = len(explained.start)
    builder.output("contributions", explained.parts, TensorProto.DOUBLE, ["N", width, len(columns)])
    builder.output("score", explained.score, TensorProto.DOUBLE, ["N", width])
    kept = builder.list_needed()
    facts = {
        "skiff.format": FORMAT_VERSION,
        "skiff.reasons": {"columns": list(columns), "base": explained.start.tolist()},
        "skiff.inputs": [column.name for column in inputs if tensors[column.name] in kept],
    }
    return builder.build(metadata={key: json.dumps(value, ensure_ascii=False) for key, value in facts.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Studied:
    """A member with what its training rows say of it: its trees' expectations, or the mean row of its view."""

    member: Member
    grown: Grown | None
    middle: Float
    weight: Float
    divisor: float = 1.0


def _halve(member: Member, n_classes: int) -> tuple[Member, float]:
    """Keep only the positive half of a forest of two classes, as the model does; its scores are then shares of the number given."""
    if member.link == "normalise" and n_classes == PAIR and isinstance(member.part, Trees):
        halved = find_positive_half(member.part)
        if halved is not None:
            return replace(member, part=halved[0], link="identity"), halved[1]
    return member, 1.0


def _study(halved: tuple[Member, float], features: FeatureMatrix) -> _Studied:
    member, divisor = halved
    view = features.tree if member.view == "tree" else features.linear
    if isinstance(member.part, Trees):
        grown = grow(member.part, _count_leaves(member.part, view))
        weight = weigh_features(grown, view.shape[1]) / divisor
        return _Studied(member=member, grown=grown, middle=np.empty(0), weight=weight, divisor=divisor)
    middle = view.mean(axis=0) if len(view) else np.zeros(view.shape[1])
    reach = np.abs(member.part.weights[0])
    for weights in member.part.weights[1:]:
        reach = reach @ np.abs(weights)
    spread = np.abs(view - middle).mean(axis=0) if len(view) else np.zeros(view.shape[1])
    return _Studied(member=member, grown=None, middle=middle, weight=spread * reach.mean(axis=1))


def _count_leaves(trees: Trees, view: Float) -> Float:
    """Count the rows that reach each leaf, with the very graph that will look leaves up."""
    counts = np.zeros(len(trees.leaf_weight))
    if not len(view):
        return counts
    builder = GraphBuilder(reserved=("leaf",))
    given = builder.input("x", TensorProto.DOUBLE, width=view.shape[1])
    builder.output("leaf", _emit_leaves(builder, trees, given), TensorProto.INT64, ["N", "T"])
    session = open_session(builder.build(metadata={}))
    for start in range(0, len(view), 256):
        [leaves] = session.run(["leaf"], {"x": view[start : start + 256]})
        counts += np.bincount(leaves.ravel(), minlength=len(counts))
    return counts


def _emit_leaves(builder: GraphBuilder, trees: Trees, view: str) -> str:
    """Return the number of the leaf that each row reaches in each tree, int64 [N, n_trees]."""
    numbered = replace(
        trees,
        leaf_weight=np.arange(len(trees.leaf_weight), dtype=np.float64),
        leaf_target=list_leaf_trees(trees),
        base=np.zeros(len(trees.roots)),
    )
    return builder.cast(emit_trees(builder, numbered, view), TensorProto.INT64)


def _choose_columns(pipeline: Pipeline, members: Sequence[_Studied], features: FeatureMatrix) -> tuple[str, ...]:
    """Return the columns told apart, in the order of the inputs, and a last one for all others where some are not."""
    moved = dict.fromkeys((column.name for column in pipeline.inputs), 0.0)
    for studied in members:
        owners = features.tree_columns if studied.member.view == "tree" else features.linear_columns
        for owner, weight in zip(owners, studied.weight.tolist(), strict=True):
            moved[owner] += studied.member.weight * weight
    used = [name for name, weight in moved.items() if weight > 0] or list(moved)[:1]
    n_leaves = sum(len(one.member.part.leaf_weight) for one in members if isinstance(one.member.part, Trees))
    most = min(MOST_COLUMNS, max(LEAST_COLUMNS, MOST_BYTES // max(4 * n_leaves, 1) - 1))
    if len(used) <= most:
        return (*used,) if len(used) == len(moved) else (*used, OTHERS)
    named = set(sorted(used, key=lambda name: -moved[name])[:most])
    return (*(name for name in moved if name in named), OTHERS)


def _explain(
    builder: GraphBuilder, studied: _Studied, view: str, features: FeatureMatrix, columns: tuple[str, ...]
) -> Explained:
    member = studied.member
    owners = features.tree_columns if member.view == "tree" else features.linear_columns
    place = {name: number for number, name in enumerate(columns)}
    group = np.array([place.get(owner, len(columns) - 1) for owner in owners], dtype=np.int64)
    if studied.grown is not None:
        explained = _explain_trees(builder, studied.grown, view, group, len(columns))
    elif isinstance(member.part, Layers):
        explained = _explain_layers(builder, member.part, studied.middle, view, group=group, n_groups=len(columns))
    else:
        message = "a member is trees that were studied, or layers"
        raise TypeError(message)
    if studied.divisor != 1.0:
        explained = Explained(
            score=builder.node("Div", [explained.score, builder.number(studied.divisor)]),
            start=explained.start / studied.divisor,
            parts=builder.node("Div", [explained.parts, builder.number(studied.divisor)]),
        )
    return apply_link(builder, explained, member.link)


def _explain_trees(builder: GraphBuilder, grown: Grown, view: str, group: Int, n_groups: int) -> Explained:
    trees = grown.trees
    table = table_leaves(grown, group, n_groups)
    # All columns but the last in single precision, the last in double with what rounding left over: sums stay exact.
    narrow = table[:, :-1].astype(np.float32)
    last = table.sum(axis=1) - narrow.astype(np.float64).sum(axis=1)
    leaves = _emit_leaves(builder, trees, view)
    found = builder.node("Gather", [builder.constant(last.reshape(-1, 1)), leaves], axis=0)  # [N, T, 1]
    if n_groups > 1:
        wide = builder.cast(builder.node("Gather", [builder.constant(narrow), leaves], axis=0), TensorProto.DOUBLE)
        found = builder.node("Concat", [wide, found], axis=2)
    n_targets = len(trees.base)
    owner = list_leaf_trees(trees)
    target = np.zeros(len(trees.roots), dtype=np.int64)
    target[owner] = trees.leaf_target
    if n_targets == 1:
        parts = builder.node("ReduceSum", [found, builder.integers(1)], keepdims=1)
    else:
        belongs = (np.arange(n_targets)[:, None] == target[None, :]).astype(np.float64)
        parts = builder.node("MatMul", [builder.constant(belongs), found])
    start = trees.base + np.bincount(target, weights=grown.value[trees.roots], minlength=n_targets)
    return _sum_up(builder, parts, start)


def _sum_up(builder: GraphBuilder, parts: str, start: Float) -> Explained:
    moved = builder.node("ReduceSum", [parts, builder.integers(2)], keepdims=0)
    return Explained(score=builder.node("Add", [moved, builder.row(start)]), start=start, parts=parts)


def _explain_layers(
    builder: GraphBuilder, layers: Layers, middle: Float, view: str, *, group: Int, n_groups: int
) -> Explained:
    moved = builder.node("Sub", [view, builder.row(middle)])
    belongs = np.zeros((len(group), n_groups))
    belongs[np.arange(len(group)), group] = 1.0
    n_out = layers.weights[-1].shape[1]
    if len(layers.weights) == 1:
        spread = (layers.weights[0][:, :, None] * belongs[:, None, :]).reshape(len(group), n_out * n_groups)
        flat = builder.node("MatMul", [moved, builder.constant(spread)])
        parts = builder.node("Reshape", [flat, builder.integers(-1, n_out, n_groups)])
        return _sum_up(builder, parts, middle @ layers.weights[0] + layers.biases[0])
    slopes, hidden, start = [], view, middle
    for weights, bias in zip(layers.weights[:-1], layers.biases[:-1], strict=True):
        before = builder.node("Add", [builder.node("MatMul", [hidden, builder.constant(weights)]), builder.row(bias)])
        start = start @ weights + bias
        slopes.append(emit_step_slope(builder, before, start))
        hidden, start = builder.node("Relu", [before]), np.maximum(start, 0.0)
    reach = builder.constant(np.ascontiguousarray(layers.weights[-1].T))
    for weights, slope in zip(reversed(layers.weights[:-1]), reversed(slopes), strict=True):
        bent = builder.node("Mul", [reach, builder.node("Unsqueeze", [slope, builder.integers(1)])])
        reach = builder.node("MatMul", [bent, builder.constant(np.ascontiguousarray(weights.T))])
    weighed = builder.node("Mul", [reach, builder.node("Unsqueeze", [moved, builder.integers(1)])])
    parts = builder.node("MatMul", [weighed, builder.constant(belongs)])
    return _sum_up(builder, parts, start @ layers.weights[-1] + layers.biases[-1])


def _blend(builder: GraphBuilder, answers: Sequence[Explained], weights: Sequence[float]) -> Explained:
    """Return the weighted mean; where there are two classes and a member gives both, its positive one."""
    width = min(len(answer.start) for answer in answers)
    scores, parts = [], []
    start = np.zeros(width)
    for answer, weight in zip(answers, weights, strict=True):
        narrowed = answer if len(answer.start) == width else _take_last(builder, answer)
        scores.append(builder.node("Mul", [narrowed.score, builder.number(weight)]))
        parts.append(builder.node("Mul", [narrowed.parts, builder.number(weight)]))
        start = start + weight * narrowed.start
    if len(answers) == 1:
        return Explained(score=scores[0], start=start, parts=parts[0])
    return Explained(score=builder.node("Sum", scores), start=start, parts=builder.node("Sum", parts))


def _take_last(builder: GraphBuilder, answer: Explained) -> Explained:
    last = builder.integers(len(answer.start) - 1)
    return Explained(
        score=builder.node("Gather", [answer.score, last], axis=1),
        start=answer.start[-1:],
        parts=builder.node("Gather", [answer.parts, last], axis=1),
    )


def _finish(builder: GraphBuilder, pipeline: Pipeline, explained: Explained) -> Explained:
    """Carry the parts through the bounds of a number, or through calibration."""
    if pipeline.kind == "regression":
        low, high = pipeline.value_low, pipeline.value_high
        start = np.clip(explained.start, low, high)
        return bend(builder, explained, lambda value: emit_bounds(builder, value, low, high), start)
    if pipeline.kind == "binary" and len(explained.start) == PAIR:
        explained = _take_last(builder, explained)
    calibration = pipeline.calibration
    if calibration.kind == "none":
        return explained
    if calibration.kind == "temperature":
        return soften(builder, explained, calibration.x[0], PROBABILITY_FLOOR)
    start = np.array([_calibrate_one(calibration, float(explained.start[0]))])
    return bend(builder, explained, lambda chance: emit_calibration(builder, calibration, chance), start)


def _calibrate_one(calibration: Calibration, chance: float) -> float:
    bounded = min(max(chance, PROBABILITY_FLOOR), 1.0 - PROBABILITY_FLOOR)
    if calibration.kind == "isotonic":
        return float(np.interp(bounded, calibration.x, calibration.y))
    score = calibration.x[0] * np.log(bounded / (1.0 - bounded)) + calibration.y[0]
    return float(1.0 / (1.0 + np.exp(-score)))
