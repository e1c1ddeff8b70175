"""Compile a fitted pipeline into one ONNX graph: from raw typed columns to the calibrated answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import Encoder, Pipeline
from skiff.core.signature import InputColumn
from skiff.deploy.encoders import Views, emit_encoders
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.members import emit_blend, emit_calibration, emit_member

FORMAT_VERSION = 1
"""Version of the ``skiff.*`` metadata inside the file."""

TENSOR_KINDS = {
    "number": TensorProto.DOUBLE,
    "boolean": TensorProto.DOUBLE,
    "category": TensorProto.STRING,
    "text": TensorProto.STRING,
    "date": TensorProto.INT64,
}
"""Type of each input at the graph's border (core.signature.InputColumn)."""


def list_used_inputs(inputs: Sequence[InputColumn], encoders: Sequence[Encoder]) -> tuple[InputColumn, ...]:
    """Return the inputs that an encoder reads, in their order."""
    used = {encoder.column for encoder in encoders}
    return tuple(column for column in inputs if column.name in used)


def compile_pipeline(pipeline: Pipeline, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the ONNX file of a pipeline.

    The graph takes one [N, 1] tensor for each raw column that an encoder reads. A classifier gives ``label`` (string [N])
    and ``probabilities`` (double [N, K]); a regressor gives ``value`` (double [N]). What is needed to use the file alone
    is written into its metadata under ``skiff.*``.

    Parameters
    ----------
    pipeline : Pipeline
    metadata : mapping of str to str, optional
        Further entries, e.g. the release's number.

    Returns
    -------
    bytes
        The same pipeline always gives the same bytes.
    """
    builder = GraphBuilder()
    inputs = list_used_inputs(pipeline.inputs, pipeline.encoders)
    tensors = {column.name: builder.input(column.name, TENSOR_KINDS[column.kind]) for column in inputs}
    views = emit_encoders(builder, pipeline.encoders, tensors)
    needed = {member.view for member in pipeline.members}
    joined = {view: builder.join(getattr(views, view)) for view in ("tree", "linear") if view in needed}
    answers = [emit_member(builder, member, joined[member.view]) for member in pipeline.members]
    blended = emit_blend(builder, answers, [member.weight for member in pipeline.members])
    if pipeline.kind == "regression":
        _emit_value(builder, pipeline, blended)
    else:
        _emit_label(builder, pipeline, emit_calibration(builder, pipeline.calibration, blended))
    return builder.build(metadata={**describe_pipeline(pipeline, inputs), **(metadata or {})})


def compile_featurizer(inputs: Sequence[InputColumn], encoders: Sequence[Encoder]) -> tuple[bytes, Views]:
    """Return a graph that gives both views (``tree`` and ``linear``, double), and the names of their columns."""
    builder = GraphBuilder()
    used = list_used_inputs(inputs, encoders)
    tensors = {column.name: builder.input(column.name, TENSOR_KINDS[column.kind]) for column in used}
    views = emit_encoders(builder, encoders, tensors)
    for view in ("tree", "linear"):
        parts = getattr(views, view)
        if parts:
            builder.node("Identity", [builder.join(parts)], output=view)
            builder.output(view, TensorProto.DOUBLE, ["N", len(getattr(views, f"{view}_names"))])
    return builder.build(metadata={}), views


def describe_pipeline(pipeline: Pipeline, inputs: Sequence[InputColumn]) -> dict[str, str]:
    """Return what a reader of the file needs to know, as metadata entries."""
    facts = {
        "skiff.format": FORMAT_VERSION,
        "skiff.kind": pipeline.kind,
        "skiff.classes": list(pipeline.classes),
        "skiff.threshold": pipeline.threshold,
        "skiff.inputs": [asdict(column) for column in inputs],
    }
    return {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in facts.items()}


def _emit_value(builder: GraphBuilder, pipeline: Pipeline, blended: str) -> None:
    bounded = blended
    if np.isfinite(pipeline.value_low):
        bounded = builder.node("Max", [bounded, builder.number(pipeline.value_low)])
    if np.isfinite(pipeline.value_high):
        bounded = builder.node("Min", [bounded, builder.number(pipeline.value_high)])
    builder.node("Squeeze", [bounded, builder.integers(1)], output="value")
    builder.output("value", TensorProto.DOUBLE, ["N"])


def _emit_label(builder: GraphBuilder, pipeline: Pipeline, probabilities: str) -> None:
    if pipeline.kind == "binary":
        positive = builder.node("Gather", [probabilities, builder.constant(np.array(1, dtype=np.int64))], axis=1)
        is_positive = builder.node("GreaterOrEqual", [positive, builder.number(pipeline.threshold)])
        place = builder.cast(is_positive, TensorProto.INT64)
    else:
        place = builder.node("ArgMax", [probabilities], axis=1, keepdims=0, select_last_index=0)
    names = builder.constant(np.array(pipeline.classes, dtype=object))
    builder.node("Gather", [names, place], axis=0, output="label")
    builder.output("label", TensorProto.STRING, ["N"])
    builder.node("Identity", [probabilities], output="probabilities")
    builder.output("probabilities", TensorProto.DOUBLE, ["N", len(pipeline.classes)])
