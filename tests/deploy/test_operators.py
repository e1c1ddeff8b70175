"""A stranger's graph stands out."""

from __future__ import annotations

import onnx
import pytest
from fitted import fit_lightgbm
from onnx import TensorProto, helper

from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.operators import find_strange_operators


@pytest.fixture(scope="module")
def clean() -> bytes:
    return compile_pipeline(fit_lightgbm("binary", n_trees=3).pipeline)


def test_our_own_graph_is_clean(clean: bytes) -> None:
    assert find_strange_operators(clean) == ()


def test_an_operator_off_the_list_is_named_with_its_domain(clean: bytes) -> None:
    model = onnx.load_from_string(clean)
    model.graph.node.append(helper.make_node("Loop", ["x"], ["y"]))
    model.graph.node.append(helper.make_node("Abs", ["x"], ["z"], domain="evil.example"))
    assert find_strange_operators(model.SerializeToString()) == ("ai.onnx:Loop", "evil.example:Abs")


def test_hidden_graphs_functions_and_outside_files_are_named(clean: bytes) -> None:
    model = onnx.load_from_string(clean)
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node.append(helper.make_node("Identity", ["x"], ["y"], body=inner))
    model.functions.append(helper.make_function("evil", "hidden", [], [], [], [helper.make_opsetid("", 21)]))
    outside = onnx.TensorProto(name="passwords", data_type=TensorProto.DOUBLE, data_location=TensorProto.EXTERNAL)
    model.graph.initializer.append(outside)
    assert find_strange_operators(model.SerializeToString()) == (
        "external:passwords",
        "function:hidden",
        "subgraph:Identity",
    )
