"""Answer rows with a compiled model: onnxruntime and NumPy, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.core.sheet import Sheet
from skiff.core.signature import InputColumn, Signature
from skiff.core.task import TaskKind
from skiff.deploy.answers import Answer, Answers
from skiff.deploy.opening import open_model, read_facts
from skiff.deploy.session import cuts_texts, find_run, run_in_chunks
from skiff.deploy.tensors import (
    DTYPES,
    NOT_CONVERTIBLE,
    build_tensors,
    convert_cells,
    find_converter,
    refuse_missing_columns,
)

_NOTHING: NDArray[Any] = np.empty(0)
PROMISED = ("in_set", "low", "high", "decision")
"""Outputs that a model may have besides its answer."""


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
        self._session = open_model(model)
        self._run = find_run(self._session)
        self._workers = workers
        self._has_terms = cuts_texts(model)
        facts = read_facts(self._session, "skiff.kind")
        self.kind: TaskKind = json.loads(facts["skiff.kind"])
        self.classes: tuple[str, ...] = tuple(json.loads(facts["skiff.classes"]))
        self.threshold: float = json.loads(facts["skiff.threshold"])
        columns = [
            {**item, "levels": tuple(item["levels"]), "missing_words": tuple(item.get("missing_words", ()))}
            for item in json.loads(facts["skiff.inputs"])
        ]
        outputs = ("value",) if self.kind == "regression" else ("label", "probabilities")
        self.signature = Signature(inputs=tuple(InputColumn(**item) for item in columns), outputs=outputs)
        self._outputs = list(outputs)
        self.promises: dict[str, dict[str, Any] | None] = json.loads(facts.get("skiff.promises", "{}"))
        made = {item.name for item in self._session.get_outputs()}
        self._every = [*outputs, *(name for name in PROMISED if name in made)]
        self.outputs: tuple[str, ...] = tuple(self._every)
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
        found = self._run(self._outputs, self.build_row_feed(row))
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

    def answer(self, rows: Any) -> Answers:  # noqa: ANN401  rows as dicts, a mapping of columns, or a frame of any library
        """Return everything the model says about rows or a table: answers, ranges or sets, and decisions.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value`` or ``uneven_columns``.
        """
        return self.answer_tensors(self.build_feed(rows))

    def build_feed(self, rows: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401  rows as dicts, a mapping of columns, or a frame of any library
        """Return what the graph takes, by the names of its inputs."""
        if isinstance(rows, Sequence) and not isinstance(rows, (str, bytes)):
            return self._convert(rows)
        tensors = build_tensors(self.signature.inputs, rows)
        return dict(zip(self._tensors, tensors.values(), strict=True))

    def build_row_feed(self, row: Mapping[str, Any]) -> dict[str, NDArray[Any]]:  # Any: cells of any library
        """Return what the graph takes for one row: the fast path."""
        feed: dict[str, NDArray[Any]] = dict.fromkeys(self._tensors, _NOTHING)  # in the order of the inputs
        try:
            for dtype, tensors, cells in self._blocks:
                block = np.array([convert(row[name]) for name, convert in cells], dtype=dtype).reshape(-1, 1, 1)
                feed.update(zip(tensors, block, strict=True))
        except (KeyError, *NOT_CONVERTIBLE):
            return self._convert([row])
        return feed

    def answer_one(self, feed: dict[str, NDArray[Any]]) -> Answer:
        """Return the answer to the one row that `build_row_feed` made: `answer_tensors` without arrays."""
        found = dict(zip(self._every, self._run(self._every, feed), strict=True))
        decision = str(found["decision"][0]) if "decision" in found else None
        if self.kind == "regression":
            return Answer(
                value=float(found["value"][0]),
                low=float(found["low"][0]) if "low" in found else None,
                high=float(found["high"][0]) if "high" in found else None,
                decision=decision,
            )
        chances = found["probabilities"][0].tolist()
        kept = found["in_set"][0].tolist() if "in_set" in found else ()
        return Answer(
            label=str(found["label"][0]),
            probability=chances[1] if self.kind == "binary" else max(chances),
            probabilities=dict(zip(self.classes, chances, strict=True)),
            set=tuple(name for name, is_in in zip(self.classes, kept, strict=False) if is_in),
            decision=decision,
        )

    def answer_tensors(self, feed: Mapping[str, NDArray[Any]]) -> Answers:
        """Return the answers to what `build_feed` made."""
        n_rows = len(next(iter(feed.values())))
        found: dict[str, NDArray[Any]] = {}
        if n_rows:  # the graph's text nodes refuse an empty batch
            every = self._run_many(self._every, feed)
            found = dict(zip(self._every, every, strict=True))
        empty = {name: _build_empty(name, len(self.classes)) for name in self._every} if not n_rows else found
        return Answers(
            kind=self.kind,
            classes=self.classes,
            labels=empty.get("label", np.empty(0, dtype=object)),
            probabilities=empty.get("probabilities", np.empty((0, len(self.classes)))),
            values=empty.get("value", np.empty(0)),
            low=empty.get("low"),
            high=empty.get("high"),
            in_set=empty.get("in_set"),
            decisions=empty.get("decision"),
        )

    def _run_many(self, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        return run_in_chunks(self._session, outputs, feed, workers=self._workers, has_terms=self._has_terms)

    def _convert(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:  # Any: cells of any library
        """Convert rows column by column, so that an error names row and column."""
        columns = self._turn(rows)
        return {
            tensor: convert_cells(column, cells)
            for tensor, column, cells in zip(self._tensors, self.signature.inputs, columns, strict=True)
        }

    def _turn(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Any]]:  # Any: cells of any library
        """Return the cells of the rows by column, in the order of the inputs."""
        names = tuple([column.name for column in self.signature.inputs])
        if isinstance(rows, Sheet) and rows.names == names:
            return rows.columns
        if len(names) > 1 and set(map(type, rows)) == {dict}:  # one call a row instead of one a cell
            with suppress(KeyError):  # which column is lacking in which row is said below
                return list(zip(*map(itemgetter(*names), rows), strict=True))
        wanted = set(names)
        for number, row in enumerate(rows, start=1):
            if not wanted <= row.keys():
                refuse_missing_columns(self.signature.inputs, list(row), row=number if len(rows) > 1 else 0)
        return [[row[name] for row in rows] for name in names]

    def _answer(self, tensors: Mapping[str, NDArray[Any]]) -> Predictions:
        n_rows = len(next(iter(tensors.values())))
        labels, values = np.empty(0, dtype=object), np.empty(0, dtype=np.float64)
        probabilities = np.empty((0, len(self.classes)))
        if n_rows:  # the graph's text nodes refuse an empty batch
            found = self._run_many(self._outputs, tensors)
            if self.kind == "regression":
                [values] = found
            else:
                labels, probabilities = found
        return Predictions(labels=labels, probabilities=probabilities, values=values)


def _build_empty(name: str, n_classes: int) -> NDArray[Any]:
    shape = (0, n_classes) if name in {"probabilities", "in_set"} else (0,)
    kinds = {"label": object, "decision": object, "in_set": np.bool_}
    return np.empty(shape, dtype=kinds.get(name, np.float64))


Cell = tuple[str, Callable[[Any], Any]]  # Any: a cell of any library, and what the graph takes
Block = tuple[Any, list[str], list[Cell]]  # Any: a NumPy dtype


def _plan_blocks(inputs: Sequence[InputColumn], tensors: Sequence[str]) -> list[Block]:
    """Return inputs grouped by dtype: one array for each type is four times faster than one for each column."""
    blocks: dict[Any, Block] = {}  # Any: a NumPy dtype
    for column, tensor in zip(inputs, tensors, strict=True):
        dtype = DTYPES[column.kind]
        _, names, cells = blocks.setdefault(dtype, (dtype, [], []))
        names.append(tensor)
        cells.append((column.name, find_converter(column)))
    return list(blocks.values())
