"""Emit what is promised about an answer: its range, the classes that cannot be ruled out, and whether a person should look."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import AnswerSet, Review, ValueRange
from skiff.core.task import TaskKind
from skiff.deploy.graph import GraphBuilder

DECISIONS = ("act", "review")


def emit_range(builder: GraphBuilder, promised: ValueRange, value: str, *, is_never_negative: bool) -> tuple[str, str]:
    """Return the low and the high end [N, 1] of the range around predicted values [N, 1]."""
    if promised.edges:
        is_past = builder.node("GreaterOrEqual", [value, builder.row(promised.edges)])
        passed = builder.cast(is_past, TensorProto.INT64)
        place = builder.node("ReduceSum", [passed, builder.integers(1)], keepdims=1)
        below, above = (
            builder.node("Gather", [builder.constant(np.array(ends, dtype=np.float64)), place], axis=0)
            for ends in (promised.below, promised.above)
        )
    else:
        below, above = builder.number(promised.below[0]), builder.number(promised.above[0])
    low = builder.node("Sub", [value, below])
    if is_never_negative:
        low = builder.node("Max", [low, builder.number(0.0)])
    return low, builder.node("Add", [value, above])


def emit_set(builder: GraphBuilder, promised: AnswerSet, probabilities: str) -> str:
    """Return which classes [N, K] are in the set of each row (`AnswerSet`)."""
    floors = builder.row(promised.floors)
    if len(promised.floors) > 2:  # noqa: PLR2004  of two classes the floors see to it that one is in
        top = builder.node("ReduceMax", [probabilities, builder.integers(1)], keepdims=1)
        floors = builder.node("Min", [top, floors])
    return builder.node("GreaterOrEqual", [probabilities, floors])


def emit_decision(builder: GraphBuilder, review: Review, sure: str, *, kind: TaskKind) -> None:
    """Declare the output ``decision`` from the number [N, 1] that says how sure the answer is."""
    if kind == "binary":  # low <= p < high: past the low end, and not past the high end
        is_past = builder.cast(
            builder.node("GreaterOrEqual", [sure, builder.row([review.low, max(review.low, review.high)])]),
            TensorProto.INT64,
        )
        place = builder.node("ReduceSum", [is_past, builder.integers(1)], keepdims=0)
        words: tuple[str, ...] = (DECISIONS[0], DECISIONS[1], DECISIONS[0])
    else:
        is_past = builder.node("GreaterOrEqual", [sure, builder.number(review.high)])
        place = builder.node("Squeeze", [builder.cast(is_past, TensorProto.INT64), builder.integers(1)])
        words = DECISIONS[::-1] if kind == "multiclass" else DECISIONS
    names = builder.constant(np.array(words, dtype=object))
    builder.output("decision", builder.node("Gather", [names, place], axis=0), TensorProto.STRING, ["N"])
