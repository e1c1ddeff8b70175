"""Answer rows with a compiled model: onnxruntime and NumPy, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.signature import InputColumn, Signature
from skiff.core.task import TaskKind
from skiff.deploy.session import open_session, run_in_chunks
from skiff.deploy.tensors import (
    CONVERTERS,
    DTYPES,
    NOT_CONVERTIBLE,
    build_tensors,
    convert_cells,
    refuse_missing_columns,
)

SUPPORTED_FORMAT = 1
"""Newest ``skiff.format`` this runtime understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One answer: label and probabilities (class by class) or value."""

    label: str | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Many answers: ``labels`` (n,) and ``probabilities`` (n, K) for a classifier, ``values`` (n,) for a regressor."""

    labels: NDArray[np.object_]
    probabilities: NDArray[np.float64]
    values: NDArray[np.float64]


class Predictor:
    """A compiled model, ready to answer.

    Parameters
    ----------
    model : bytes
        An ONNX file that `skiff.deploy.compiler.compile_pipeline` made.
    workers : int
        Pieces of a large table that are answered at the same time; a single row takes one thread always.

    Raises
    ------
    SkiffError
        ``not_a_skiff_model`` or ``model_newer``.

    Notes
    -----
    A row answered alone and the same row in a table may differ in the last digit (about 1e-16), because onnxruntime adds in
    another order. Answering is safe from several threads at once.
    """

    def __init__(self, model: bytes, *, workers: int = 2) -> None:
        """Open the model and read what it says of itself."""
        self._session = _open(model)
        self._workers = workers
        facts = self._session.get_modelmeta().custom_metadata_map
        if "skiff.format" not in facts:
            raise _refuse_foreign()
        if int(facts["skiff.format"]) > SUPPORTED_FORMAT:
            raise SkiffError(
                "model_newer",
                what="This model was made by a newer version of Skiff.",
                fix="Update Skiff and try again.",
            )
        self.kind: TaskKind = json.loads(facts["skiff.kind"])
        self.classes: tuple[str, ...] = tuple(json.loads(facts["skiff.classes"]))
        self.threshold: float = json.loads(facts["skiff.threshold"])
        columns = [{**item, "levels": tuple(item["levels"])} for item in json.loads(facts["skiff.inputs"])]
        outputs = ("value",) if self.kind == "regression" else ("label", "probabilities")
        self.signature = Signature(inputs=tuple(InputColumn(**item) for item in columns), outputs=outputs)
        self._outputs = list(outputs)
        # A column called like an output has another name in the graph, but the same place.
        self._tensors = [item.name for item in self._session.get_inputs()]
        self._blocks = _plan_blocks(self.signature.inputs, self._tensors)

    def predict_row(self, row: Mapping[str, Any]) -> Prediction:  # Any: cells of any library
        """Return the answer to one row given by column name; other keys are ignored.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        feed: dict[str, NDArray[Any]] = {}
        try:
            for dtype, tensors, cells in self._blocks:
                block = np.array([convert(row[name]) for name, convert in cells], dtype=dtype).reshape(-1, 1, 1)
                feed.update(zip(tensors, block, strict=True))
        except (KeyError, *NOT_CONVERTIBLE):
            feed = self._convert([row])
        found = self._session.run(self._outputs, feed)
        if self.kind == "regression":
            return Prediction(value=float(found[0][0]))
        chances = dict(zip(self.classes, found[1][0].tolist(), strict=True))
        return Prediction(label=str(found[0][0]), probabilities=chances)

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:  # Any: cells of any library
        """Return the answers to rows given by column name.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        return self._answer(self._convert(rows))

    def predict_columns(self, columns: Any) -> Predictions:  # noqa: ANN401  a frame of any library, or a mapping
        """Return the answers to a table given by column: a mapping of name to values, or a frame.

        Parameters
        ----------
        columns : mapping, Polars or pandas frame, PyArrow table
            Other columns are ignored.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value`` or ``uneven_columns``.
        """
        tensors = build_tensors(self.signature.inputs, columns)
        return self._answer(dict(zip(self._tensors, tensors.values(), strict=True)))

    def _convert(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:  # Any: cells of any library
        """Convert rows column by column, so that an error names row and column."""
        wanted = {column.name for column in self.signature.inputs}
        for number, row in enumerate(rows, start=1):
            if not wanted <= row.keys():
                refuse_missing_columns(self.signature.inputs, list(row), row=number if len(rows) > 1 else 0)
        return {
            tensor: convert_cells(column, [row[column.name] for row in rows])
            for tensor, column in zip(self._tensors, self.signature.inputs, strict=True)
        }

    def _answer(self, tensors: Mapping[str, NDArray[Any]]) -> Predictions:
        n_rows = len(next(iter(tensors.values())))
        labels, values = np.empty(0, dtype=object), np.empty(0, dtype=np.float64)
        probabilities = np.empty((0, len(self.classes)))
        if n_rows:  # the graph's text nodes refuse an empty batch
            found = run_in_chunks(self._session, self._outputs, tensors, workers=self._workers)
            if self.kind == "regression":
                [values] = found
            else:
                labels, probabilities = found
        return Predictions(labels=labels, probabilities=probabilities, values=values)


Cell = tuple[str, Callable[[Any], Any]]  # Any: a cell of any library, and what the graph takes
Block = tuple[Any, list[str], list[Cell]]  # Any: a NumPy dtype


def _plan_blocks(inputs: Sequence[InputColumn], tensors: Sequence[str]) -> list[Block]:
    """Return inputs grouped by dtype: one array for each type is four times faster than one for each column."""
    blocks: dict[Any, Block] = {}  # Any: a NumPy dtype
    for column, tensor in zip(inputs, tensors, strict=True):
        dtype = DTYPES[column.kind]
        _, names, cells = blocks.setdefault(dtype, (dtype, [], []))
        names.append(tensor)
        cells.append((column.name, CONVERTERS[column.kind]))
    return list(blocks.values())


def _open(model: bytes) -> onnxruntime.InferenceSession:
    try:
        return open_session(model)
    except Exception as error:
        # onnxruntime has a class of its own for each way to refuse a file, and no common one to name here.
        if type(error).__module__.startswith("onnxruntime"):
            raise _refuse_foreign() from error
        raise


def _refuse_foreign() -> SkiffError:
    return SkiffError(
        "not_a_skiff_model",
        what="This is not an ONNX file that Skiff compiled, or it is damaged.",
        fix="Choose the model.onnx of a release; see: skiff releases list",
    )
