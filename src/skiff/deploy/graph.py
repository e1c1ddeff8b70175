"""A small builder of ONNX graphs: names, constants and nodes, in the order they are made.

Equal constants and equal nodes are kept once, and what no output needs is left out: one row costs about half a microsecond
a node, so the graph that answers single rows must be small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {"": 21, "ai.onnx.ml": 5, "com.microsoft": 1}
"""Operator sets a graph may use; com.microsoft only where text is split into words."""

IR_VERSION = 10
"""Version of the ONNX file format that opset 21 belongs to."""


class GraphBuilder:
    """Collects nodes and constants; every method returns the name of the tensor it made.

    Parameters
    ----------
    reserved : sequence of str
        Names of the outputs: no input may take them, whatever the client's columns are called.

    Examples
    --------
    >>> builder = GraphBuilder(reserved=["y"])
    >>> builder.output("y", builder.node("Abs", [builder.input("y", TensorProto.DOUBLE)]), TensorProto.DOUBLE, ["N", 1])
    >>> model = onnx.load_from_string(builder.build(metadata={}))
    >>> [(node.op_type, node.input, node.output) for node in model.graph.node]
    [('Abs', ['y (input)'], ['y'])]
    """

    def __init__(self, *, reserved: Sequence[str] = ()) -> None:
        """Start with an empty graph."""
        self._nodes: list[onnx.NodeProto] = []
        self._made: dict[bytes, str] = {}
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes | tuple[str, ...]], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._taken = {"", *reserved}  # an empty name means "no tensor" in ONNX
        self._count = 0

    def name(self, hint: str) -> str:
        """Return a tensor name that is not used yet."""
        while True:
            self._count += 1
            name = f"{hint}_{self._count}"
            if name not in self._taken:
                self._taken.add(name)
                return name

    def input(self, name: str, kind: int, *, width: int = 1) -> str:
        """Declare an input of shape [N, width]; one whose name is taken gets another name."""
        free = name
        while free in self._taken:
            free = f"{free} (input)"
        self._taken.add(free)
        self._inputs.append(helper.make_tensor_value_info(free, kind, ["N", width]))
        return free

    def output(self, name: str, made: str, kind: int, shape: Sequence[str | int]) -> None:
        """Declare that the tensor `made` is the output `name`."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        self.node("Identity", [made], output=name)

    def constant(self, value: np.ndarray[Any, Any]) -> str:  # Any: doubles, integers, booleans or strings
        """Return the name of a constant tensor; the same value is kept once."""
        array = np.asarray(value)
        is_text = array.dtype.kind in {"U", "O", "S"}
        texts = [str(item) for item in array.ravel()] if is_text else []
        key = ("text" if is_text else str(array.dtype), array.shape, tuple(texts) if is_text else array.tobytes())
        if key not in self._known:
            name = self.name("c")
            if is_text:
                encoded = np.array([text.encode() for text in texts], dtype=object)
                tensor = helper.make_tensor(name, TensorProto.STRING, array.shape, encoded)
            else:
                tensor = numpy_helper.from_array(array, name)
            self._constants.append(tensor)
            self._known[key] = name
        return self._known[key]

    def number(self, value: float) -> str:
        """Return a double constant of shape [1]."""
        return self.constant(np.array([value], dtype=np.float64))

    def row(self, values: Sequence[float] | np.ndarray[Any, Any]) -> str:  # Any: numbers
        """Return a double constant of shape [1, n]."""
        return self.constant(np.asarray(values, dtype=np.float64).reshape(1, -1))

    def integers(self, *values: int) -> str:
        """Return an int64 constant of shape [n]."""
        return self.constant(np.array(values, dtype=np.int64))

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        output: str = "",
        domain: str = "",
        **attributes: Any,  # noqa: ANN401  attributes are what the operator takes
    ) -> str:
        """Add a node with one output and return the output's name; an equal node is not added again."""
        node = helper.make_node(operator, list(inputs), [output], domain=domain, **attributes)
        key = node.SerializeToString(deterministic=True)
        if key not in self._made:
            self._made[key] = output or self.name(operator.lower())
            node.output[0] = self._made[key]
            self._nodes.append(node)
        return self._made[key]

    def join(self, parts: Sequence[str]) -> str:
        """Return columns side by side."""
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=1)

    def pick(self, matrix: str, columns: Sequence[int], *, width: int) -> str:
        """Return the named columns of a matrix that has `width` of them."""
        if list(columns) == list(range(width)):
            return matrix
        return self.node("Gather", [matrix, self.integers(*columns)], axis=1)

    def cast(self, value: str, kind: int) -> str:
        """Return a tensor in another type."""
        return self.node("Cast", [value], to=kind)

    def list_needed(self) -> frozenset[str]:
        """Return the names of all tensors that an output depends on."""
        needed = {item.name for item in self._outputs}
        for node in reversed(self._nodes):  # made in the order of computation
            if node.output[0] in needed:
                needed.update(node.input)
        return frozenset(needed)

    def build(self, *, metadata: dict[str, str]) -> bytes:
        """Return the model's bytes without what no output needs: the same graph always gives the same bytes."""
        needed = self.list_needed()
        nodes = _merge_outputs([node for node in self._nodes if node.output[0] in needed])
        inputs = [item for item in self._inputs if item.name in needed]
        constants = [item for item in self._constants if item.name in needed]
        graph = helper.make_graph(nodes, "skiff", inputs, self._outputs, constants)
        domains = {"", *(node.domain for node in nodes)}
        opsets = [helper.make_opsetid(domain, OPSETS[domain]) for domain in OPSETS if domain in domains]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skiff")
        for key in sorted(metadata):
            entry = model.metadata_props.add()
            entry.key, entry.value = key, metadata[key]
        return bytes(model.SerializeToString(deterministic=True))


def _merge_outputs(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Let the node that makes an output write it under its name, instead of copying it at the end."""
    names = {node.input[0]: node.output[0] for node in nodes if node.op_type == "Identity"}
    merged, written = [], set()
    for node in nodes:
        renamed = onnx.NodeProto()
        renamed.CopyFrom(node)
        if node.op_type == "Identity" and node.input[0] in written and names[node.input[0]] == node.output[0]:
            continue
        if node.output[0] in names:
            renamed.output[0] = names[node.output[0]]
            written.add(node.output[0])
        for place, source in enumerate(node.input):
            if source in written:
                renamed.input[place] = names[source]
        merged.append(renamed)
    return merged
