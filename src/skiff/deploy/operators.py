"""The operators a graph of ours may hold: a tight list, so that a stranger's graph stands out."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

ALLOWED: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            "Abs", "Add", "ArgMax", "Cast", "Clip", "Concat", "Div", "Equal", "Exp", "Gather", "GreaterOrEqual", "Identity",
            "IsInf", "IsNaN", "Log", "MatMul", "Max", "Min", "Mod", "Mul", "ReduceMax", "ReduceSum",
            "ReduceSumSquare", "Relu", "Reshape", "Sigmoid", "Sign", "Softmax", "Sqrt", "Squeeze", "StringNormalizer", "Sub", "Sum",
            "TfIdfVectorizer", "Unsqueeze", "Where",
        }
    ),
    "ai.onnx.ml": frozenset({"LabelEncoder", "TreeEnsemble"}),
    "com.microsoft": frozenset({"Tokenizer"}),
}  # fmt: skip
"""Operator types by domain; a test holds every compiled graph against it."""


def find_strange_operators(model: bytes) -> tuple[str, ...]:
    """Return what a model holds that no graph of ours does, as ``domain:operator``; empty for a clean one.

    Use it before a model from elsewhere is run. Besides operators off the list it names local functions, graphs within
    nodes and tensors kept in other files, through which a model could hide work or read the disk.

    Parameters
    ----------
    model : bytes
        An ONNX file.

    Examples
    --------
    >>> from onnx import helper
    >>> graph = helper.make_graph([helper.make_node("Loop", ["n"], ["y"])], "g", [], [])
    >>> find_strange_operators(helper.make_model(graph).SerializeToString())
    ('ai.onnx:Loop',)
    """
    loaded = onnx.load_from_string(model)
    strange = {f"function:{function.name}" for function in loaded.functions}
    for node in loaded.graph.node:
        if node.op_type not in ALLOWED.get(node.domain, frozenset()):
            strange.add(f"{node.domain or 'ai.onnx'}:{node.op_type}")
        for attribute in node.attribute:
            if attribute.type in {onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS}:
                strange.add(f"subgraph:{node.op_type}")
            if attribute.t.data_location == onnx.TensorProto.EXTERNAL:
                strange.add(f"external:{node.op_type}")
    strange |= {
        f"external:{tensor.name}"
        for tensor in loaded.graph.initializer
        if tensor.data_location == onnx.TensorProto.EXTERNAL
    }
    return tuple(sorted(strange))
