"""The builder keeps equal things once and leaves out what nobody needs."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from skiff.deploy.graph import GraphBuilder


def _load(builder: GraphBuilder) -> onnx.GraphProto:
    model = onnx.load_from_string(builder.build(metadata={"b": "2", "a": "1"}))
    onnx.checker.check_model(model)
    assert [entry.key for entry in model.metadata_props] == ["a", "b"]
    return model.graph


def test_equal_nodes_and_constants_are_kept_once() -> None:
    builder = GraphBuilder(reserved=["y"])
    x = builder.input("x", TensorProto.DOUBLE)
    first = builder.node("Add", [x, builder.number(1.0)])
    assert builder.node("Add", [x, builder.number(1.0)]) == first
    assert builder.node("Add", [x, builder.number(2.0)]) != first
    assert builder.constant(np.array([1])) != builder.number(1.0)
    builder.output("y", builder.node("Mul", [first, first]), TensorProto.DOUBLE, ["N", 1])
    graph = _load(builder)
    assert [node.op_type for node in graph.node] == ["Add", "Mul"]
    assert len(graph.initializer) == 1


def test_texts_with_zero_bytes_are_not_mixed_up() -> None:
    builder = GraphBuilder()
    assert builder.constant(np.array(["a\0b", "c"], dtype=object)) != builder.constant(
        np.array(["a", "b\0c"], dtype=object)
    )


def test_inputs_and_nodes_that_no_output_needs_are_left_out() -> None:
    builder = GraphBuilder(reserved=["y"])
    x, unused = builder.input("x", TensorProto.DOUBLE), builder.input("unused", TensorProto.DOUBLE)
    builder.node("Exp", [unused])
    builder.output("y", builder.node("Abs", [x]), TensorProto.DOUBLE, ["N", 1])
    graph = _load(builder)
    assert [item.name for item in graph.input] == ["x"]
    assert [node.op_type for node in graph.node] == ["Abs"]


def test_an_output_may_be_an_input_and_two_outputs_may_be_one_tensor() -> None:
    builder = GraphBuilder(reserved=["same", "one", "two"])
    x = builder.input("x", TensorProto.DOUBLE)
    size = builder.node("Abs", [x])
    for name, made in (("same", x), ("one", size), ("two", size)):
        builder.output(name, made, TensorProto.DOUBLE, ["N", 1])
    made_names = [name for node in _load(builder).node for name in node.output]
    assert sorted(made_names) == ["one", "same", "two"]
