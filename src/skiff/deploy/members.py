"""Emit fitted members, their blend and the calibration as ONNX nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from skiff.core.pipeline import MEMBER, Calibration, Layers, Member, Trees
from skiff.deploy.graph import GraphBuilder

PROBABILITY_FLOOR = 1e-15
"""Probabilities are kept this far from 0 and 1 before a logarithm (core.pipeline.Calibration)."""


def emit_member(builder: GraphBuilder, member: Member, view: str) -> str:
    """Return a member's probabilities [N, K] or values [N, 1] from its view."""
    if isinstance(member.part, Trees):
        raw = _emit_trees(builder, member.part, view)
    else:
        raw = _emit_layers(builder, member.part, view)
    return _emit_link(builder, member.link, raw)


def _emit_trees(builder: GraphBuilder, trees: Trees, view: str) -> str:
    if trees.is_float32:
        view = builder.cast(builder.cast(view, TensorProto.FLOAT), TensorProto.DOUBLE)
    sets: list[float] = []
    for group in trees.members:
        sets += [*sorted(group), float("nan")]
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
    return builder.node("Add", [scores, builder.constant(trees.base.reshape(1, -1).astype(np.float64))])


def _tensor(values: NDArray[Any]) -> object:  # Any: doubles or bytes
    made = numpy_helper.from_array(values, "values")
    if values.dtype == np.uint8:
        made = helper.make_tensor("values", TensorProto.UINT8, values.shape, values.tolist())
    return made


def _emit_layers(builder: GraphBuilder, layers: Layers, view: str) -> str:
    found = view
    for number, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        if number:
            found = builder.node("Relu", [found])
        product = builder.node("MatMul", [found, builder.constant(weights.astype(np.float64))])
        found = builder.node("Add", [product, builder.constant(bias.reshape(1, -1).astype(np.float64))])
    return found


def _emit_link(builder: GraphBuilder, link: str, raw: str) -> str:
    if link == "logistic":
        positive = builder.node("Sigmoid", [raw])
        return builder.join([builder.node("Sub", [builder.number(1.0), positive]), positive])
    if link == "softmax":
        return builder.node("Softmax", [raw], axis=1)
    if link == "normalise":
        total = builder.node("ReduceSum", [raw, builder.integers(1)], keepdims=1)
        return builder.node("Div", [raw, total])
    if link == "exp":
        return builder.node("Exp", [raw])
    if link == "expm1":
        return builder.node("Sub", [builder.node("Exp", [raw]), builder.number(1.0)])
    return raw


def emit_blend(builder: GraphBuilder, answers: list[str], weights: list[float]) -> str:
    """Return the weighted mean of the members' answers."""
    weighed = [
        answer if weight == 1.0 else builder.node("Mul", [answer, builder.number(weight)])
        for answer, weight in zip(answers, weights, strict=True)
    ]
    return weighed[0] if len(weighed) == 1 else builder.node("Sum", weighed)


def emit_calibration(builder: GraphBuilder, calibration: Calibration, probabilities: str) -> str:
    """Return calibrated probabilities [N, K]."""
    if calibration.kind == "none":
        return probabilities
    floor, ceiling = builder.number(PROBABILITY_FLOOR), builder.number(1.0 - PROBABILITY_FLOOR)
    clipped = builder.node("Min", [builder.node("Max", [probabilities, floor]), ceiling])
    if calibration.kind == "temperature":
        cooled = builder.node("Div", [builder.node("Log", [clipped]), builder.number(calibration.x[0])])
        return builder.node("Softmax", [cooled], axis=1)
    positive = builder.node("Gather", [clipped, builder.integers(1)], axis=1)
    if calibration.kind == "sigmoid":
        odds = builder.node("Div", [positive, builder.node("Sub", [builder.number(1.0), positive])])
        bent = builder.node("Mul", [builder.node("Log", [odds]), builder.number(calibration.x[0])])
        positive = builder.node("Sigmoid", [builder.node("Add", [bent, builder.number(calibration.y[0])])])
    else:
        positive = _emit_isotonic(builder, calibration, positive)
    return builder.join([builder.node("Sub", [builder.number(1.0), positive]), positive])


def _emit_isotonic(builder: GraphBuilder, calibration: Calibration, positive: str) -> str:
    """Return linear interpolation as a sum of clipped slopes: y0 + sum of slope_i * clip(p - x_i, 0, x_i+1 - x_i)."""
    x, y = np.array(calibration.x, dtype=np.float64), np.array(calibration.y, dtype=np.float64)
    if len(x) == 1:
        return builder.node("Add", [builder.node("Mul", [positive, builder.number(0.0)]), builder.number(float(y[0]))])
    widths = np.diff(x)
    slopes = np.divide(np.diff(y), widths, out=np.zeros_like(widths), where=widths > 0)
    reached = builder.node("Sub", [positive, builder.constant(x[:-1].reshape(1, -1))])
    reached = builder.node("Max", [reached, builder.number(0.0)])
    reached = builder.node("Min", [reached, builder.constant(widths.reshape(1, -1))])
    risen = builder.node("MatMul", [reached, builder.constant(slopes.reshape(-1, 1))])
    return builder.node("Add", [risen, builder.number(float(y[0]))])
