"""Compile a fitted pipeline into one ONNX graph: from raw typed columns to the calibrated answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from onnx import TensorProto

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Encoder, Pipeline, TextEncoder, Trees
from skiff.core.signature import InputColumn
from skiff.deploy.encoders import Views, emit_encoders
from skiff.deploy.exposure import emit_exposure
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.members import emit_blend, emit_bounds, emit_calibration, emit_member
from skiff.deploy.promises import emit_decision, emit_range, emit_set

FORMAT_VERSION = 1
"""Version of the ``skiff.*`` metadata inside the file."""

OUTPUTS = ("label", "probabilities", "value", "in_set", "low", "high", "decision")
"""Names that outputs may have: no input takes them."""

TENSOR_KINDS = {
    "number": TensorProto.DOUBLE,
    "boolean": TensorProto.DOUBLE,
    "category": TensorProto.STRING,
    "text": TensorProto.STRING,
    "date": TensorProto.INT64,
}
"""Type of each input at the graph's border (core.signature.InputColumn)."""


def list_used_inputs(
    inputs: Sequence[InputColumn], encoders: Sequence[Encoder], *, also: str = ""
) -> tuple[InputColumn, ...]:
    """Return the inputs that an encoder reads, and the one named `also`, in their order."""
    used = {item.column for item in encoders if not isinstance(item, TextEncoder) or item.vocabulary}
    used |= {also} if also else set()
    return tuple(column for column in inputs if column.name in used)


def compile_pipeline(pipeline: Pipeline, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the ONNX file of a pipeline.

    The graph takes one [N, 1] tensor for each raw column that an encoder reads. A classifier gives ``label`` (string [N])
    and ``probabilities`` (double [N, K]); a regressor gives ``value`` (double [N]). Where the pipeline promises more, a
    classifier also gives ``in_set`` (bool [N, K]), a regressor ``low`` and ``high`` (double [N]), and both ``decision``
    (string [N]: ``act`` or ``review``). What is needed to use the file alone is written into its metadata under ``skiff.*``.

    Parameters
    ----------
    pipeline : Pipeline
    metadata : mapping of str to str, optional
        Further entries, e.g. the release's number.

    Returns
    -------
    bytes
        The same pipeline always gives the same bytes.

    Raises
    ------
    SkiffError
        ``model_unfit`` where a member asks for columns that its view does not have.

    Notes
    -----
    A column that no answer depends on (free text where all members are trees) is not an input. The inputs keep the order of
    the columns and their names, except that a column called like an output, or not called at all, gets another name.
    """
    builder = GraphBuilder(reserved=OUTPUTS)
    inputs = list_used_inputs(pipeline.inputs, pipeline.encoders, also=pipeline.exposure)
    tensors = {column.name: builder.input(column.name, TENSOR_KINDS[column.kind]) for column in inputs}
    views = emit_encoders(builder, pipeline.encoders, tensors)
    _refuse_unfit_members(pipeline, views)
    needed = {member.view for member in pipeline.members}
    joined = {view: builder.join(getattr(views, view)) for view in ("tree", "linear") if view in needed}
    answers = [
        emit_member(builder, member, joined[member.view], n_classes=len(pipeline.classes))
        for member in pipeline.members
    ]
    blended = emit_blend(builder, answers, [member.weight for member in pipeline.members])
    if pipeline.kind == "regression":
        _emit_value(builder, pipeline, blended, tensors)
    else:
        _emit_label(builder, pipeline, emit_calibration(builder, pipeline.calibration, blended))
    kept = builder.list_needed()
    taken = [column for column in inputs if tensors[column.name] in kept]
    return builder.build(metadata={**(metadata or {}), **describe_pipeline(pipeline, taken)})


def compile_featurizer(inputs: Sequence[InputColumn], encoders: Sequence[Encoder]) -> tuple[bytes, Views]:
    """Return a graph that gives both views (``tree`` and ``linear``, double), and the names of their columns."""
    builder = GraphBuilder(reserved=("tree", "linear"))
    used = list_used_inputs(inputs, encoders)
    tensors = {column.name: builder.input(column.name, TENSOR_KINDS[column.kind]) for column in used}
    views = emit_encoders(builder, encoders, tensors)
    for view in ("tree", "linear"):
        parts = getattr(views, view)
        if parts:
            width = len(getattr(views, f"{view}_names"))
            builder.output(view, builder.join(parts), TensorProto.DOUBLE, ["N", width])
    return builder.build(metadata={}), views


def describe_pipeline(pipeline: Pipeline, inputs: Sequence[InputColumn]) -> dict[str, str]:
    """Return what a reader of the file needs to know, as metadata entries."""
    facts = {
        "skiff.format": FORMAT_VERSION,
        "skiff.kind": pipeline.kind,
        "skiff.classes": list(pipeline.classes),
        "skiff.threshold": pipeline.threshold,
        "skiff.inputs": [asdict(column) for column in inputs],
        "skiff.promises": {
            "range": None if pipeline.value_range is None else asdict(pipeline.value_range),
            "set": None if pipeline.answer_set is None else asdict(pipeline.answer_set),
            "review": None if pipeline.review is None else asdict(pipeline.review),
        },
    }
    return {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in facts.items()}


def _refuse_unfit_members(pipeline: Pipeline, views: Views) -> None:
    """Refuse a member whose arrays ask for other columns than its view has: the runtime would read beyond them."""
    for member in pipeline.members:
        width = len(views.tree_names if member.view == "tree" else views.linear_names)
        if isinstance(member.part, Trees):
            is_fit = width > 0 and bool((member.part.feature >= 0).all()) and int(member.part.feature.max()) < width
        else:
            is_fit = width > 0 and member.part.weights[0].shape[0] == width
        if not is_fit:
            raise SkiffError(
                "model_unfit",
                what=f"The model '{member.name}' does not fit the {width} columns of its {member.view} view.",
                fix="Train again; if it stays, please report it with: skiff doctor",
            )


def _emit_value(builder: GraphBuilder, pipeline: Pipeline, blended: str, tensors: Mapping[str, str]) -> None:
    if np.isfinite(pipeline.value_low) or np.isfinite(pipeline.value_high):
        blended = emit_bounds(builder, blended, pipeline.value_low, pipeline.value_high)
    if pipeline.exposure:
        blended = emit_exposure(builder, blended, tensors[pipeline.exposure])
    _put(builder, "value", blended)
    if pipeline.value_range is not None:
        low, high = emit_range(builder, pipeline.value_range, blended, is_never_negative=pipeline.value_low >= 0)
        _put(builder, "low", low)
        _put(builder, "high", high)
        if pipeline.review is not None:
            emit_decision(builder, pipeline.review, builder.node("Sub", [high, low]), kind=pipeline.kind)


def _put(builder: GraphBuilder, name: str, column: str) -> None:
    builder.output(name, builder.node("Squeeze", [column, builder.integers(1)]), TensorProto.DOUBLE, ["N"])


def _emit_label(builder: GraphBuilder, pipeline: Pipeline, probabilities: str) -> None:
    n_classes = len(pipeline.classes)
    sure = probabilities
    if pipeline.kind == "binary":
        is_positive = builder.node("GreaterOrEqual", [probabilities, builder.number(pipeline.threshold)])
        place = builder.node("Squeeze", [builder.cast(is_positive, TensorProto.INT64), builder.integers(1)])
        negative = builder.node("Sub", [builder.number(1.0), probabilities])
        probabilities = builder.join([negative, probabilities])
    else:
        place = builder.node("ArgMax", [probabilities], axis=1, keepdims=0, select_last_index=0)
        if pipeline.review is not None:
            sure = builder.node("ReduceMax", [probabilities, builder.integers(1)], keepdims=1)
    names = builder.constant(np.array(pipeline.classes, dtype=object))
    builder.output("label", builder.node("Gather", [names, place], axis=0), TensorProto.STRING, ["N"])
    builder.output("probabilities", probabilities, TensorProto.DOUBLE, ["N", n_classes])
    if pipeline.answer_set is not None:
        in_set = emit_set(builder, pipeline.answer_set, probabilities)
        builder.output("in_set", in_set, TensorProto.BOOL, ["N", n_classes])
    if pipeline.review is not None:
        emit_decision(builder, pipeline.review, sure, kind=pipeline.kind)
