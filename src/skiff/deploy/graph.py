"""A small builder of ONNX graphs: names, constants and nodes, in the order they are made."""

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

    Examples
    --------
    >>> builder = GraphBuilder()
    >>> builder.node("Identity", [builder.input("x", TensorProto.DOUBLE)], output="y")
    'y'
    """

    def __init__(self) -> None:
        """Start with an empty graph."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._domains = {""}
        self._count = 0

    def name(self, hint: str) -> str:
        """Return a tensor name that is not used yet."""
        self._count += 1
        return f"{hint}_{self._count}"

    def input(self, name: str, kind: int) -> str:
        """Declare an input column of shape [N, 1]."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, ["N", 1]))
        return name

    def output(self, name: str, kind: int, shape: Sequence[str | int]) -> str:
        """Declare an output."""
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def constant(self, value: np.ndarray[Any, Any]) -> str:  # Any: doubles, integers, booleans or strings
        """Return the name of a constant tensor; the same value is kept once."""
        array = np.asarray(value)
        is_text = array.dtype.kind in {"U", "O", "S"}
        data = "\0".join(map(str, array.ravel())).encode() if is_text else array.tobytes()
        key = ("text" if is_text else str(array.dtype), array.shape, data)
        if key not in self._known:
            name = self.name("c")
            if is_text:
                tensor = helper.make_tensor(
                    name,
                    TensorProto.STRING,
                    array.shape,
                    np.array([str(item).encode() for item in array.ravel()], dtype=object),
                )
            else:
                tensor = numpy_helper.from_array(array, name)
            self._constants.append(tensor)
            self._known[key] = name
        return self._known[key]

    def number(self, value: float) -> str:
        """Return a double constant of shape [1]."""
        return self.constant(np.array([value], dtype=np.float64))

    def integers(self, *values: int) -> str:
        """Return an int64 constant of shape [n]."""
        return self.constant(np.array(values, dtype=np.int64))

    def node(
        self, operator: str, inputs: Sequence[str], *, output: str = "", domain: str = "", **attributes: Any  # noqa: ANN401  attributes are what the operator takes
    ) -> str:
        """Add a node with one output and return the output's name."""
        made = output or self.name(operator.lower())
        self._domains.add(domain)
        self._nodes.append(helper.make_node(operator, list(inputs), [made], domain=domain, **attributes))
        return made

    def join(self, parts: Sequence[str], *, output: str = "") -> str:
        """Return columns side by side."""
        if len(parts) == 1 and not output:
            return parts[0]
        return self.node("Concat", parts, axis=1, output=output)

    def cast(self, value: str, kind: int) -> str:
        """Return a tensor in another type."""
        return self.node("Cast", [value], to=kind)

    def build(self, *, metadata: dict[str, str]) -> bytes:
        """Return the model's bytes: the same graph always gives the same bytes."""
        graph = helper.make_graph(self._nodes, "skiff", self._inputs, self._outputs, self._constants)
        opsets = [helper.make_opsetid(domain, OPSETS[domain]) for domain in OPSETS if domain in self._domains]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skiff")
        for key in sorted(metadata):
            entry = model.metadata_props.add()
            entry.key, entry.value = key, metadata[key]
        return bytes(model.SerializeToString(deterministic=True))
