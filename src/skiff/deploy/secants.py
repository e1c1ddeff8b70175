"""Carry contributions through the bends of a model, exactly.

Where a score is ``start + sum of parts`` and then bent by a function g, each part is multiplied by the slope of the straight line from
``(start, g(start))`` to ``(score, g(score))``. So the parts add up to ``g(score) - g(start)`` again. For one function of one score this is
the Aumann-Shapley value; through several bends it is the rescale rule of DeepLIFT.

References
----------
.. [1] R. J. Aumann and L. S. Shapley, "Values of Non-Atomic Games", 1974, Princeton.
.. [2] A. Shrikumar, P. Greenside and A. Kundaje, "Learning important features through propagating activation differences", ICML
   2017, arXiv:1704.02685, §3.5.1 (rescale rule).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from scipy.special import expit

from skiff.core.pipeline import Link
from skiff.deploy.graph import GraphBuilder

Float = NDArray[np.float64]
Bend: TypeAlias = Callable[[str], str]

NEAR = 1e-4
"""Below this distance a smooth function's slope is taken at the middle: the error, distance**3 / 24 times the third derivative, is under
1e-13, and rounding no longer matters."""

LARGEST_EXPONENT = 700.0
"""exp(709.8) is the largest double; what lies beyond is bounded later in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A score with its parts: ``score = start + parts summed over columns``.

    Parameters
    ----------
    score : str
        Tensor [N, K].
    start : ndarray of shape (K,)
    parts : str
        Tensor [N, K, G].
    """

    score: str
    start: Float
    parts: str


def bend(
    builder: GraphBuilder, given: Explained, function: Bend, start: Float, *, derivative: Bend | None = None
) -> Explained:
    """Return the explained score after a function of each of its columns alone; `start` is the function at the old start."""
    bent = function(given.score)
    moved = builder.node("Sub", [given.score, builder.row(given.start)])
    risen = builder.node("Sub", [bent, builder.row(start)])
    distance = builder.node("Abs", [moved])
    limit = NEAR if derivative is not None else 0.0
    is_far = builder.node("GreaterOrEqual", [distance, builder.number(max(limit, 5e-324))])
    slope = builder.node("Div", [risen, builder.node("Where", [is_far, moved, builder.number(1.0)])])
    if derivative is not None:
        half = builder.node("Mul", [moved, builder.number(0.5)])
        middle = builder.node("Add", [half, builder.row(given.start)])
        slope = builder.node("Where", [is_far, slope, derivative(middle)])
    return Explained(score=bent, start=start, parts=scale(builder, given.parts, slope))


def scale(builder: GraphBuilder, parts: str, slope: str) -> str:
    """Return parts [N, K, G] times slopes [N, K]."""
    return builder.node("Mul", [parts, builder.node("Unsqueeze", [slope, builder.integers(2)])])


def apply_link(builder: GraphBuilder, given: Explained, link: Link) -> Explained:
    """Return the explained probabilities or values of a member."""
    if link == "identity":
        return given
    if link == "normalise":
        return share_out(builder, given)
    if link == "softmax":
        return share_exponentials(builder, given)
    if link == "logistic":
        start = expit(given.start)
        return bend(
            builder,
            given,
            lambda x: builder.node("Sigmoid", [x]),
            start,
            derivative=lambda x: _slope_of_sigmoid(builder, x),
        )

    def raised(score: str) -> str:
        return builder.node("Exp", [builder.node("Min", [score, builder.number(LARGEST_EXPONENT)])])

    minus = 1.0 if link == "expm1" else 0.0

    def function(score: str) -> str:
        return builder.node("Sub", [raised(score), builder.number(minus)]) if minus else raised(score)

    return bend(builder, given, function, np.exp(np.minimum(given.start, LARGEST_EXPONENT)) - minus, derivative=raised)


def soften(builder: GraphBuilder, given: Explained, temperature: float, floor: float) -> Explained:
    """Return the explained probabilities after ``softmax(log(p) / temperature)``."""

    def function(chances: str) -> str:
        bounded = builder.node(
            "Clip", [chances, builder.constant(np.array(floor)), builder.constant(np.array(1.0 - floor))]
        )
        return builder.node("Div", [builder.node("Log", [bounded]), builder.number(temperature)])

    start = np.log(np.clip(given.start, floor, 1.0 - floor)) / temperature
    return share_exponentials(builder, bend(builder, given, function, start))


def share_out(builder: GraphBuilder, given: Explained) -> Explained:
    """Return each column's share of the row's sum."""
    total = builder.node("ReduceSum", [given.score, builder.integers(1)], keepdims=1)
    share = builder.node("Div", [given.score, total])
    both = builder.node("Add", [total, builder.number(float(given.start.sum()))])
    return _share_parts(builder, given.parts, share=share, start=given.start / given.start.sum(), both=both)


def share_exponentials(builder: GraphBuilder, given: Explained) -> Explained:
    """Return the softmax of the score.

    The exponentials of a row and of the start are scaled alike, so that the larger is 1: their shares do not change.
    """
    top = builder.node("ReduceMax", [given.score, builder.integers(1)], keepdims=1)
    least = builder.node("Max", [top, builder.number(float(given.start.max()))])
    raised = builder.node("Exp", [builder.node("Sub", [given.score, least])])
    origin = builder.node("Exp", [builder.node("Sub", [builder.row(given.start), least])])
    moved = builder.node("Sub", [given.score, builder.row(given.start)])
    is_far = builder.node("GreaterOrEqual", [builder.node("Abs", [moved]), builder.number(NEAR)])
    divisor = builder.node("Where", [is_far, moved, builder.number(1.0)])
    half = builder.node("Add", [builder.node("Mul", [moved, builder.number(0.5)]), builder.row(given.start)])
    middle = builder.node("Exp", [builder.node("Sub", [half, least])])
    slope = builder.node(
        "Where", [is_far, builder.node("Div", [builder.node("Sub", [raised, origin]), divisor]), middle]
    )
    together = builder.node("Add", [raised, origin])
    both = builder.node("ReduceSum", [together, builder.integers(1)], keepdims=1)
    start = np.exp(given.start - given.start.max())
    return _share_parts(
        builder,
        scale(builder, given.parts, slope),
        share=builder.node("Softmax", [given.score], axis=1),
        start=start / start.sum(),
        both=both,
    )


def _share_parts(builder: GraphBuilder, parts: str, *, share: str, start: Float, both: str) -> Explained:
    """Return explained shares ``p = r / S`` from the parts of r.

    Both ``p - p0 = ((r - r0) - p0 (S - S0)) / S`` and ``p - p0 = ((r - r0) - p (S - S0)) / S0`` hold, and are linear in the parts.
    Their mean, weighted by S and S0, is ``(2 (r - r0) - (p + p0) (S - S0)) / (S + S0)``: smooth, and it divides by no small number.
    `both` is ``S + S0``, shape [N, 1].
    """
    whole = builder.node("ReduceSum", [parts, builder.integers(1)], keepdims=1)  # [N, 1, G]
    middle = builder.node("Unsqueeze", [builder.node("Add", [share, builder.row(start)]), builder.integers(2)])
    twice = builder.node("Sub", [builder.node("Add", [parts, parts]), builder.node("Mul", [middle, whole])])
    shared = builder.node("Div", [twice, builder.node("Unsqueeze", [both, builder.integers(2)])])
    return Explained(score=share, start=start, parts=shared)


def _slope_of_sigmoid(builder: GraphBuilder, score: str) -> str:
    chance = builder.node("Sigmoid", [score])
    return builder.node("Mul", [chance, builder.node("Sub", [builder.number(1.0), chance])])


def emit_step_slope(builder: GraphBuilder, before: str, start: Float) -> str:
    """Return the slope [N, H] of ReLU from where a unit starts to where it is."""
    moved = builder.node("Sub", [before, builder.row(start)])
    risen = builder.node("Sub", [builder.node("Relu", [before]), builder.row(np.maximum(start, 0.0))])
    is_equal = builder.node("Equal", [moved, builder.number(0.0)])
    is_on = builder.cast(builder.node("GreaterOrEqual", [before, builder.number(0.0)]), TensorProto.DOUBLE)
    divisor = builder.node("Where", [is_equal, builder.number(1.0), moved])
    return builder.node("Where", [is_equal, is_on, builder.node("Div", [risen, divisor])])
