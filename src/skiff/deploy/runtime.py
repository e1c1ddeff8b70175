"""Answer rows with a compiled model: onnxruntime and NumPy, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.signature import InputColumn, Signature
from skiff.core.task import TaskKind
from skiff.deploy.session import open_session, run_in_chunks
from skiff.deploy.tensors import CONVERTERS, DTYPES, build_tensor, convert_cells, refuse_missing_columns

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
    threads : int

    Raises
    ------
    SkiffError
        ``not_a_skiff_model`` or ``model_newer``.
    """

    def __init__(self, model: bytes, *, threads: int = 1) -> None:
        """Open the model and read what it says of itself."""
        self._session = open_session(model, threads=threads)
        facts = self._session.get_modelmeta().custom_metadata_map
        if "skiff.format" not in facts:
            raise SkiffError(
                "not_a_skiff_model",
                what="This ONNX file was not compiled by Skiff.",
                fix="Choose the model.onnx of a release; see: skiff releases list",
            )
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
        self._cells = [(column.name, CONVERTERS[column.kind], DTYPES[column.kind]) for column in self.signature.inputs]

    def predict_row(self, row: Mapping[str, Any]) -> Prediction:  # Any: cells of any library
        """Return the answer to one row given by column name; other keys are ignored.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        try:
            tensors = {name: np.array([[convert(row[name])]], dtype=dtype) for name, convert, dtype in self._cells}
        except (KeyError, TypeError, ValueError, OverflowError):
            tensors = self._explain([row])
        found = self._session.run(self._outputs, tensors)
        if self.kind == "regression":
            return Prediction(value=float(found[0][0]))
        return Prediction(
            label=str(found[0][0]), probabilities=dict(zip(self.classes, found[1][0].tolist(), strict=True))
        )

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:  # Any: cells of any library
        """Return the answers to rows given by column name.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        return self._answer(self._explain(rows))

    def predict_columns(self, columns: Any) -> Predictions:  # noqa: ANN401  a frame of any library, or a mapping
        """Return the answers to a table given by column: a mapping of name to values, or a frame.

        Parameters
        ----------
        columns : mapping, Polars or pandas frame, PyArrow table
            Other columns are ignored.

        Raises
        ------
        SkiffError
            ``missing_column`` or ``bad_value``.
        """
        names = columns.column_names if hasattr(columns, "column_names") else list(columns)
        if hasattr(columns, "columns") and not isinstance(columns, Mapping) and not hasattr(columns, "column_names"):
            names = list(columns.columns)
        refuse_missing_columns(self.signature.inputs, names)
        return self._answer(
            {column.name: build_tensor(column, columns[column.name]) for column in self.signature.inputs}
        )

    def _explain(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
        """Convert rows the careful way, so that the error names row and column."""
        for row in rows:
            refuse_missing_columns(self.signature.inputs, list(row))
        return {
            column.name: convert_cells(column, [row[column.name] for row in rows]) for column in self.signature.inputs
        }

    def _answer(self, tensors: Mapping[str, NDArray[Any]]) -> Predictions:
        n_rows = len(next(iter(tensors.values())))
        none = np.empty(0, dtype=np.float64)
        if n_rows == 0:  # the graph's text nodes refuse an empty batch
            return Predictions(
                labels=np.empty(0, dtype=object), probabilities=np.empty((0, len(self.classes))), values=none
            )
        found = run_in_chunks(self._session, self._outputs, tensors)
        if self.kind == "regression":
            return Predictions(labels=np.empty(0, dtype=object), probabilities=none.reshape(0, 0), values=found[0])
        return Predictions(labels=found[0], probabilities=found[1], values=none)
