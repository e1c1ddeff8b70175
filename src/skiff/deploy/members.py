"""Emit fitted members, their blend and the calibration as ONNX nodes."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import Calibration, Layers, Member, Trees
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.trees import PAIR, emit_trees, find_positive_half

PROBABILITY_FLOOR = 1e-15
"""Probabilities are kept this far from 0 and 1 before a logarithm (core.pipeline.Calibration)."""


def emit_member(builder: GraphBuilder, member: Member, view: str, *, n_classes: int) -> str:
    """Return a member's answers from its view: values [N, 1], probabilities [N, K], of two classes only the positive's [N, 1]."""
    if member.link == "normalise" and n_classes == PAIR and isinstance(member.part, Trees):
        halved = find_positive_half(member.part)
        if halved is not None:
            trees, total = halved
            return builder.node("Div", [emit_trees(builder, trees, view), builder.number(total)])
    if isinstance(member.part, Trees):
        raw = emit_trees(builder, member.part, view)
    else:
        raw = _emit_layers(builder, member.part, view)
    answer = _emit_link(builder, member.link, raw)
    width = len(member.part.base) if isinstance(member.part, Trees) else len(member.part.biases[-1])
    has_pair = n_classes == width == PAIR
    return builder.node("Gather", [answer, builder.integers(1)], axis=1) if has_pair else answer


def _emit_layers(builder: GraphBuilder, layers: Layers, view: str) -> str:
    found = view
    for number, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        if number:
            found = builder.node("Relu", [found])
        product = builder.node("MatMul", [found, builder.constant(weights.astype(np.float64))])
        found = builder.node("Add", [product, builder.row(bias)])
    return found


def _emit_link(builder: GraphBuilder, link: str, raw: str) -> str:
    if link == "logistic":
        return builder.node("Sigmoid", [raw])
    if link == "softmax":
        return builder.node("Softmax", [raw], axis=1)
    if link == "normalise":
        return builder.node("Div", [raw, builder.node("ReduceSum", [raw, builder.integers(1)], keepdims=1)])
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
    """Return calibrated probabilities: [N, 1] of the positive class for two classes, [N, K] for more."""
    if calibration.kind == "none":
        return probabilities
    clipped = emit_bounds(builder, probabilities, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    if calibration.kind == "temperature":
        cooled = builder.node("Div", [builder.node("Log", [clipped]), builder.number(calibration.x[0])])
        return builder.node("Softmax", [cooled], axis=1)
    if calibration.kind == "isotonic":
        return _emit_isotonic(builder, calibration, clipped)
    odds = builder.node("Div", [clipped, builder.node("Sub", [builder.number(1.0), clipped])])
    bent = builder.node("Mul", [builder.node("Log", [odds]), builder.number(calibration.x[0])])
    return builder.node("Sigmoid", [builder.node("Add", [bent, builder.number(calibration.y[0])])])


def emit_bounds(builder: GraphBuilder, value: str, low: float, high: float) -> str:
    """Return the value kept within two bounds."""
    return builder.node("Clip", [value, builder.constant(np.array(low)), builder.constant(np.array(high))])


def _emit_isotonic(builder: GraphBuilder, calibration: Calibration, positive: str) -> str:
    """Return linear interpolation as ``y_0 + sum of dy_i * clip((p - x_i) / dx_i, 0, 1)``.

    Shares of a step, not slopes: a slope over two knots that nearly touch overflows. Where knots do touch, the step is
    taken whole from there on, as `numpy.interp` takes it.
    """
    x, y = np.array(calibration.x, dtype=np.float64), np.array(calibration.y, dtype=np.float64)
    if len(x) == 1:
        return builder.node("Add", [builder.node("Mul", [positive, builder.number(0.0)]), builder.number(float(y[0]))])
    widths, rises = np.diff(x), np.diff(y)
    is_ramp = widths > 0
    risen = [builder.number(float(y[0]))]
    if is_ramp.any():
        above = builder.node("Sub", [positive, builder.row(x[:-1][is_ramp])])
        share = builder.node("Div", [above, builder.row(widths[is_ramp])])
        share = emit_bounds(builder, share, 0.0, 1.0)
        risen.append(builder.node("MatMul", [share, builder.constant(rises[is_ramp].reshape(-1, 1))]))
    if not is_ramp.all():
        is_past = builder.node("GreaterOrEqual", [positive, builder.row(x[1:][~is_ramp])])
        stepped = builder.cast(is_past, TensorProto.DOUBLE)
        risen.append(builder.node("MatMul", [stepped, builder.constant(rises[~is_ramp].reshape(-1, 1))]))
    return builder.node("Sum", [*risen[1:], risen[0]])
