"""Emit each encoder as ONNX nodes: from one raw column to its columns in the tree view and the linear view.

The order of the columns is fixed: numbers (values, then missing marks), dates, categories, values, texts; within each in the
order of the encoders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import CategoryEncoder, DateEncoder, Encoder, NumberEncoder, TextEncoder, ValueEncoder
from skiff.deploy.dates import emit_date_parts
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.texts import emit_terms


@dataclass(kw_only=True)
class Views:
    """Names of the tensors that make up both views, with the name and raw column of each of their columns."""

    tree: list[str] = field(default_factory=list)
    linear: list[str] = field(default_factory=list)
    tree_names: list[tuple[str, str]] = field(default_factory=list)
    linear_names: list[tuple[str, str]] = field(default_factory=list)
    categorical: list[int] = field(default_factory=list)

    def add(self, view: str, tensor: str, column: str, labels: Sequence[str]) -> None:
        """Add a tensor of ``len(labels)`` columns to one view; an empty label means the column itself."""
        names = [(f"{column}: {label}" if label else column, column) for label in labels]
        (self.tree if view == "tree" else self.linear).append(tensor)
        (self.tree_names if view == "tree" else self.linear_names).extend(names)


def emit_encoders(builder: GraphBuilder, encoders: Sequence[Encoder], tensors: Mapping[str, str]) -> Views:
    """Emit all encoders over the named input tensors ``tensors[column]``, each of shape [N, 1]."""
    views = Views()
    numbers = [item for item in encoders if isinstance(item, NumberEncoder)]
    if numbers:
        _emit_numbers(builder, numbers, tensors, views)
    for encoder in encoders:
        if isinstance(encoder, DateEncoder):
            _emit_date(builder, encoder, tensors[encoder.column], views)
    for encoder in encoders:
        if isinstance(encoder, CategoryEncoder):
            _emit_category(builder, encoder, tensors[encoder.column], views)
    for encoder in encoders:
        if isinstance(encoder, ValueEncoder):
            _emit_values(builder, encoder, tensors[encoder.column], views)
    for encoder in encoders:
        if isinstance(encoder, TextEncoder):
            terms = emit_terms(builder, encoder, tensors[encoder.column])
            views.add("linear", terms, encoder.column, encoder.vocabulary)
    return views


def _emit_numbers(
    builder: GraphBuilder, encoders: Sequence[NumberEncoder], tensors: Mapping[str, str], views: Views
) -> None:
    """Emit all numbers as one block: one node does the work of many."""

    def row(values: Sequence[float]) -> str:
        return builder.constant(np.array([values], dtype=np.float64))

    raw = builder.join([tensors[encoder.column] for encoder in encoders])
    finite = builder.node("Where", [builder.node("IsInf", [raw]), builder.number(np.nan), raw])
    for encoder in encoders:
        views.tree_names.append((encoder.column, encoder.column))
        views.linear_names.append((encoder.column, encoder.column))
    views.tree.append(finite)

    is_missing = builder.node("IsNaN", [finite])
    filled = builder.node("Where", [is_missing, row([encoder.impute for encoder in encoders]), finite])
    if any(encoder.is_log for encoder in encoders):
        size = builder.node("Abs", [filled])
        log = builder.node("Log", [builder.node("Add", [size, builder.number(1.0)])])
        bent = builder.node("Mul", [builder.node("Sign", [filled]), log])
        chosen = builder.constant(np.array([[encoder.is_log for encoder in encoders]]))
        filled = builder.node("Where", [chosen, bent, filled])
    clipped = builder.node("Max", [filled, row([encoder.low for encoder in encoders])])
    clipped = builder.node("Min", [clipped, row([encoder.high for encoder in encoders])])
    centred = builder.node("Sub", [clipped, row([encoder.mean for encoder in encoders])])
    views.linear.append(builder.node("Div", [centred, row([encoder.scale for encoder in encoders])]))

    marked = [place for place, encoder in enumerate(encoders) if encoder.has_indicator]
    if marked:
        marks = builder.cast(is_missing, TensorProto.DOUBLE)
        views.linear.append(builder.node("Gather", [marks, builder.integers(*marked)], axis=1))
        views.linear_names += [(f"{encoders[place].column}: missing", encoders[place].column) for place in marked]


def _emit_date(builder: GraphBuilder, encoder: DateEncoder, seconds: str, views: Views) -> None:
    parts, is_missing = emit_date_parts(builder, encoder, seconds)
    labels = [part.replace("_", " ") for part in encoder.parts]
    views.add("tree", builder.node("Where", [is_missing, builder.number(np.nan), parts]), encoder.column, labels)
    mean = builder.constant(encoder.mean.reshape(1, -1).astype(np.float64))
    filled = builder.node("Where", [is_missing, mean, parts])
    scale = builder.constant(encoder.scale.reshape(1, -1).astype(np.float64))
    scaled = builder.node("Div", [builder.node("Sub", [filled, mean]), scale])
    views.add("linear", scaled, encoder.column, labels)
    views.add("linear", builder.cast(is_missing, TensorProto.DOUBLE), encoder.column, ["missing"])


def emit_lookup(builder: GraphBuilder, text: str, positions: Mapping[str, int], *, otherwise: int) -> str:
    """Return the int64 position of each text, `otherwise` where it is not among `positions`."""
    return builder.node(
        "LabelEncoder",
        [text],
        domain="ai.onnx.ml",
        keys_strings=list(positions),
        values_int64s=list(positions.values()),
        default_int64=otherwise,
    )


def _emit_category(builder: GraphBuilder, encoder: CategoryEncoder, text: str, views: Views) -> None:
    n_levels, n_hot = len(encoder.levels), encoder.n_hot
    codes = {level: code for code, level in enumerate(encoder.levels)} | {"": n_levels}
    code = emit_lookup(builder, text, codes, otherwise=n_levels + 1)
    views.categorical.append(len(views.tree_names))
    views.add("tree", builder.cast(code, TensorProto.DOUBLE), encoder.column, [""])

    places = np.array([[*range(n_hot), n_levels]], dtype=np.int64)
    hot = builder.cast(builder.node("Equal", [code, builder.constant(places)]), TensorProto.DOUBLE)
    known = builder.node("ReduceSum", [hot, builder.integers(1)], keepdims=1)
    rest = builder.node("Sub", [builder.number(1.0), known])
    labels = [*encoder.levels[:n_hot], "(missing)", "(other)"]
    views.add("linear", builder.join([hot, rest]), encoder.column, labels)


def _emit_values(builder: GraphBuilder, encoder: ValueEncoder, text: str, views: Views) -> None:
    n_levels = len(encoder.levels)
    positions = {level: place for place, level in enumerate(encoder.levels)} | {"": n_levels}
    place = emit_lookup(builder, text, positions, otherwise=n_levels + 1)
    n_columns = len(encoder.default)
    table = np.vstack([encoder.values.reshape(-1, n_columns), encoder.missing, encoder.default]).astype(np.float64)
    found = builder.node(
        "Gather", [builder.constant(table), builder.node("Squeeze", [place, builder.integers(1)])], axis=0
    )
    labels = [f"{encoder.label} {number + 1}" if n_columns > 1 else encoder.label for number in range(n_columns)]
    views.add("tree", found, encoder.column, labels)
    mean = builder.constant(encoder.mean.reshape(1, -1).astype(np.float64))
    scale = builder.constant(encoder.scale.reshape(1, -1).astype(np.float64))
    views.add("linear", builder.node("Div", [builder.node("Sub", [found, mean]), scale]), encoder.column, labels)
