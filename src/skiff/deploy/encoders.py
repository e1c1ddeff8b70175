"""Emit the encoders as ONNX nodes: from raw columns to the columns of the tree view and the linear view.

All encoders of a kind become one block that works on a matrix, because a node costs the same for one column as for ten.
The order of the columns is fixed: numbers (values, then missing marks), dates, categories, lists, values, texts' looks, texts; within each
in the order of the encoders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, get_args

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import (
    CategoryEncoder,
    DateEncoder,
    DatePart,
    Encoder,
    ListEncoder,
    NumberEncoder,
    ShapeEncoder,
    TextEncoder,
    ValueEncoder,
    View,
)
from skiff.core.signature import MISSING_DATE_S
from skiff.deploy.dates import emit_calendar, emit_elapsed_days
from skiff.deploy.graph import GraphBuilder
from skiff.deploy.lists import emit_items
from skiff.deploy.texts import emit_shape, emit_terms

Some = TypeVar(
    "Some", NumberEncoder, DateEncoder, CategoryEncoder, ValueEncoder, TextEncoder, ShapeEncoder, ListEncoder
)


@dataclass(kw_only=True)
class Views:
    """Names of the tensors that make up both views, with the name and raw column of each of their columns."""

    tree: list[str] = field(default_factory=list)
    linear: list[str] = field(default_factory=list)
    tree_names: list[tuple[str, str]] = field(default_factory=list)
    linear_names: list[tuple[str, str]] = field(default_factory=list)
    categorical: list[int] = field(default_factory=list)

    def add(self, view: View, tensor: str) -> None:
        """Add a tensor to one view; its columns are named by `describe`."""
        (self.tree if view == "tree" else self.linear).append(tensor)

    def describe(self, view: View, column: str, labels: Sequence[str]) -> None:
        """Name the next columns of one view; an empty label means the raw column itself."""
        names = [(f"{column}: {label}" if label else column, column) for label in labels]
        (self.tree_names if view == "tree" else self.linear_names).extend(names)


def emit_encoders(builder: GraphBuilder, encoders: Sequence[Encoder], tensors: Mapping[str, str]) -> Views:
    """Emit all encoders over the named input tensors ``tensors[column]``, each of shape [N, 1]."""
    views = Views()
    if numbers := _select(encoders, NumberEncoder):
        _emit_numbers(builder, numbers, tensors, views)
    if dates := _select(encoders, DateEncoder):
        _emit_dates(builder, dates, tensors, views)
    if categories := _select(encoders, CategoryEncoder):
        _emit_categories(builder, categories, tensors, views)
    for listed in _select(encoders, ListEncoder):
        _emit_list(builder, listed, tensors[listed.column], views)
    if values := _select(encoders, ValueEncoder):
        _emit_values(builder, values, tensors, views)
    for shape in _select(encoders, ShapeEncoder):
        views.add("linear", emit_shape(builder, shape, tensors[shape.column]))
        views.describe("linear", shape.column, [f"({measure})" for measure in shape.measures])
    for text in _select(encoders, TextEncoder):
        if text.vocabulary:
            views.add("linear", emit_terms(builder, text, tensors[text.column]))
            views.describe("linear", text.column, text.vocabulary)
    return views


def _select(encoders: Sequence[Encoder], kind: type[Some]) -> list[Some]:
    return [item for item in encoders if isinstance(item, kind)]


def _emit_numbers(
    builder: GraphBuilder, encoders: Sequence[NumberEncoder], tensors: Mapping[str, str], views: Views
) -> None:
    raw = builder.join([tensors[encoder.column] for encoder in encoders])
    finite = builder.node("Where", [builder.node("IsInf", [raw]), builder.number(np.nan), raw])
    views.add("tree", finite)
    for encoder in encoders:
        views.describe("tree", encoder.column, [""])
        views.describe("linear", encoder.column, [""])

    is_missing = builder.node("IsNaN", [finite])
    filled = builder.node("Where", [is_missing, builder.row([encoder.impute for encoder in encoders]), finite])
    if any(encoder.is_log for encoder in encoders):
        chosen = builder.constant(np.array([[encoder.is_log for encoder in encoders]]))
        filled = builder.node("Where", [chosen, _emit_signed_log(builder, filled), filled])
    clipped = builder.node("Max", [filled, builder.row([encoder.low for encoder in encoders])])
    clipped = builder.node("Min", [clipped, builder.row([encoder.high for encoder in encoders])])
    centred = builder.node("Sub", [clipped, builder.row([encoder.mean for encoder in encoders])])
    views.add("linear", builder.node("Div", [centred, builder.row([encoder.scale for encoder in encoders])]))

    marked = [place for place, encoder in enumerate(encoders) if encoder.has_indicator]
    if marked:
        marks = builder.cast(is_missing, TensorProto.DOUBLE)
        views.add("linear", builder.pick(marks, marked, width=len(encoders)))
        for place in marked:
            views.describe("linear", encoders[place].column, ["missing"])


def _emit_signed_log(builder: GraphBuilder, value: str) -> str:
    """Return ``sign(x) * log1p(abs(x))``; ONNX has no log1p.

    With ``u = 1 + a`` as rounded, ``log(u) * a / (u - 1)`` is log1p(a) to a few units in the last place, and ``a`` itself where
    u rounds to 1 (Goldberg 1991, "What every computer scientist should know about floating-point arithmetic", theorem 4,
    https://doi.org/10.1145/103162.103163).
    """
    size = builder.node("Abs", [value])
    above = builder.node("Add", [size, builder.number(1.0)])
    rounded = builder.node("Sub", [above, builder.number(1.0)])
    ratio = builder.node("Div", [size, rounded])
    log = builder.node("Mul", [builder.node("Log", [above]), ratio])
    is_tiny = builder.node("Equal", [rounded, builder.number(0.0)])
    return builder.node("Mul", [builder.node("Sign", [value]), builder.node("Where", [is_tiny, size, log])])


def _emit_dates(
    builder: GraphBuilder, encoders: Sequence[DateEncoder], tensors: Mapping[str, str], views: Views
) -> None:
    seconds = builder.join([tensors[encoder.column] for encoder in encoders])
    is_missing = builder.node("Equal", [seconds, builder.integers(MISSING_DATE_S)])
    known = builder.node("Where", [is_missing, builder.integers(0), seconds])
    wanted = {part for encoder in encoders for part in encoder.parts}
    calendar = emit_calendar(builder, known, wanted)
    blocks: dict[DatePart, str] = {part: tensor for part, tensor in calendar.items() if part in wanted}
    if "elapsed_days" in wanted:
        origins = builder.constant(np.array([[encoder.origin_s for encoder in encoders]], dtype=np.int64))
        blocks["elapsed_days"] = emit_elapsed_days(builder, known, origins)

    order = [part for part in get_args(DatePart) if part in blocks]
    every = builder.join([blocks[part] for part in order])
    n_dates = len(encoders)
    places = [(date, part) for date, encoder in enumerate(encoders) for part in encoder.parts]
    parts = builder.pick(
        every, [order.index(part) * n_dates + date for date, part in places], width=len(blocks) * n_dates
    )
    part_missing = builder.node("Gather", [is_missing, builder.integers(*(date for date, _ in places))], axis=1)
    views.add("tree", builder.node("Where", [part_missing, builder.number(np.nan), parts]))

    mean = builder.row(np.concatenate([encoder.mean for encoder in encoders]))
    scale = builder.row(np.concatenate([encoder.scale for encoder in encoders]))
    filled = builder.node("Where", [part_missing, mean, parts])
    scaled = builder.node("Div", [builder.node("Sub", [filled, mean]), scale])
    marks = builder.cast(is_missing, TensorProto.DOUBLE)
    arranged: list[int] = []
    for date, encoder in enumerate(encoders):
        labels = [part.replace("_", " ") for part in encoder.parts]
        views.describe("tree", encoder.column, labels)
        views.describe("linear", encoder.column, [*labels, "missing"])
        arranged += [place for place, (owner, _) in enumerate(places) if owner == date]
        arranged.append(len(places) + date)
    views.add("linear", builder.pick(builder.join([scaled, marks]), arranged, width=len(places) + n_dates))


def _emit_positions(
    builder: GraphBuilder, encoders: Sequence[CategoryEncoder] | Sequence[ValueEncoder], tensors: Mapping[str, str]
) -> str:
    """Return int64 [N, n_encoders]: position of each text among the levels, then missing, then unseen."""
    found = []
    for encoder in encoders:
        n_levels = len(encoder.levels)
        positions = {level: place for place, level in enumerate(encoder.levels)} | {"": n_levels}
        found.append(
            builder.node(
                "LabelEncoder",
                [tensors[encoder.column]],
                domain="ai.onnx.ml",
                keys_strings=list(positions),
                values_int64s=list(positions.values()),
                default_int64=n_levels + 1,
            )
        )
    return builder.join(found)


def _emit_categories(
    builder: GraphBuilder, encoders: Sequence[CategoryEncoder], tensors: Mapping[str, str], views: Views
) -> None:
    codes = _emit_positions(builder, encoders, tensors)
    views.add("tree", builder.cast(codes, TensorProto.DOUBLE))
    starts: list[int] = []
    slots: list[float] = []  # which one-hot column each code lights, for all encoders one after the other
    for encoder in encoders:
        n_levels, n_hot = len(encoder.levels), encoder.n_hot
        starts.append(len(slots))
        slots += [*map(float, range(n_hot)), *([n_hot + 1.0] * (n_levels - n_hot)), float(n_hot), n_hot + 1.0]
        views.categorical.append(len(views.tree_names))
        views.describe("tree", encoder.column, [""])
        views.describe("linear", encoder.column, [*encoder.levels[:n_hot], "(missing)", "(other)"])
    shifted = builder.node("Add", [codes, builder.constant(np.array([starts], dtype=np.int64))])
    slot = builder.node("Gather", [builder.constant(np.array(slots)), shifted], axis=0)
    for begin in range(0, len(encoders), SPREAD):
        group = range(begin, min(begin + SPREAD, len(encoders)))
        part = slot if len(group) == len(encoders) else builder.pick(slot, list(group), width=len(encoders))
        views.add("linear", _emit_one_hot(builder, part, [encoders[place].n_hot + 2 for place in group]))


SPREAD = 16
"""Categories spread into their one-hot columns at once. A product with a matrix of zeros and ones is exact for whole numbers
and ten times as fast as picking columns one by one; its size grows with the square of the columns, so many go in groups."""


def _emit_one_hot(builder: GraphBuilder, slot: str, widths: Sequence[int]) -> str:
    """Return [N, sum(widths)]: 1.0 where the column is the one that its category's slot [N, len(widths)] names."""
    spread = np.repeat(np.eye(len(widths)), widths, axis=1)
    lit = np.concatenate([np.arange(width, dtype=np.float64) for width in widths])
    named = builder.node("MatMul", [slot, builder.constant(spread)])
    return builder.cast(builder.node("Equal", [named, builder.row(lit)]), TensorProto.DOUBLE)


def _emit_list(builder: GraphBuilder, encoder: ListEncoder, text: str, views: Views) -> None:
    held, number = emit_items(builder, encoder, text)
    scaled = builder.node(
        "Div", [builder.node("Sub", [number, builder.number(encoder.mean)]), builder.number(encoder.scale)]
    )
    labels = [*encoder.items, "(number of items)"]
    both: tuple[tuple[View, str], ...] = (("tree", number), ("linear", scaled))
    for view, counted in both:
        views.add(view, held)
        views.add(view, counted)
        views.describe(view, encoder.column, labels)


def _emit_values(
    builder: GraphBuilder, encoders: Sequence[ValueEncoder], tensors: Mapping[str, str], views: Views
) -> None:
    positions = _emit_positions(builder, encoders, tensors)
    table: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []  # one column of numbers after the other
    starts, owners = [], []
    for place, encoder in enumerate(encoders):
        n_columns, n_levels = len(encoder.default), len(encoder.levels)
        rows = np.vstack([encoder.values.reshape(n_levels, n_columns), encoder.missing, encoder.default])
        for column in range(n_columns):
            starts.append(sum(map(len, table)))
            owners.append(place)
            table.append(rows[:, column].astype(np.float64))
        labels = [f"{encoder.label} {number + 1}" if n_columns > 1 else encoder.label for number in range(n_columns)]
        views.describe("tree", encoder.column, labels)
        views.describe("linear", encoder.column, labels)
    spread = builder.pick(positions, owners, width=len(encoders))
    shifted = builder.node("Add", [spread, builder.constant(np.array([starts], dtype=np.int64))])
    found = builder.node("Gather", [builder.constant(np.concatenate(table)), shifted], axis=0)
    views.add("tree", found)
    mean = builder.row(np.concatenate([encoder.mean for encoder in encoders]))
    scale = builder.row(np.concatenate([encoder.scale for encoder in encoders]))
    views.add("linear", builder.node("Div", [builder.node("Sub", [found, mean]), scale]))
