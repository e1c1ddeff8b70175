"""Answer rows with a compiled model: onnxruntime and NumPy, nothing else."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.core.signature import InputColumn, Signature
from skiff.core.task import TaskKind
from skiff.deploy.answers import Answer, Answers, Reasons
from skiff.deploy.session import cuts_texts, find_run, open_session, run_in_chunks
from skiff.deploy.tensors import (
    DTYPES,
    NOT_CONVERTIBLE,
    build_tensors,
    convert_cells,
    find_converter,
    refuse_missing_columns,
)

SUPPORTED_FORMAT = 1
"""Newest ``skiff.format`` this runtime understands."""


_NOTHING: NDArray[Any] = np.empty(0)
PROMISED = ("in_set", "low", "high", "decision")
"""Outputs that a model may have besides its answer."""

REASON_CHUNK_ROWS = 128
"""Rows explained in one call: every leaf's row of numbers is gathered, about 10 kB a row of the table for a large blend."""

ROUNDING = 1e-8
"""Largest difference between model and companion that is rounding; release proves it to be below 1e-9."""


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
        self._run = find_run(self._session)
        self._workers = workers
        self._has_terms = cuts_texts(model)
        facts = _read_facts(self._session, "skiff.kind")
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


class Reasoner:
    """The companion of a model, ready to say what each column adds to its answers.

    Parameters
    ----------
    companion : bytes
        What `skiff.deploy.reasons.compile_reasons` made beside the model.

    Raises
    ------
    SkiffError
        ``not_a_skiff_model`` or ``model_newer``.
    """

    def __init__(self, companion: bytes, *, workers: int = 2) -> None:
        """Open the companion and read which columns it tells apart."""
        self._session = _open(companion)
        self._run = find_run(self._session)
        self._workers = workers
        facts = _read_facts(self._session, "skiff.reasons")
        about = json.loads(facts["skiff.reasons"])
        self.columns: tuple[str, ...] = tuple(about["columns"])
        self.base = np.array(about["base"], dtype=np.float64)
        named = zip(json.loads(facts["skiff.inputs"]), self._session.get_inputs(), strict=True)
        self._tensors = {column: item.name for column, item in named}

    def explain(self, feed: Mapping[str, NDArray[Any]], answers: Answers) -> Reasons:
        """Return what each column adds to the answers to `feed`, tensors by the names of their columns."""
        if not len(answers):
            return Reasons(columns=self.columns, base=np.empty(0), contributions=np.empty((0, len(self.columns))))
        parts = self._find_parts(feed)
        rows = np.arange(len(answers))
        place = answers.probabilities.argmax(axis=1) if answers.kind == "multiclass" else np.zeros_like(rows)
        contributions, base = parts[rows, place], self.base[place]
        served = _find_score(answers)
        # The companion adds up in another order: what rounding left over goes to the weightiest column.
        left_over = served - base - contributions.sum(axis=1)
        is_rounding = np.abs(left_over) <= ROUNDING * np.maximum(1.0, np.abs(served))
        contributions[rows, np.abs(contributions).argmax(axis=1)] += np.where(is_rounding, left_over, 0.0)
        return Reasons(columns=self.columns, base=base, contributions=contributions)

    def explain_one(self, feed: Mapping[str, NDArray[Any]], score: float, place: int) -> tuple[float, dict[str, float]]:
        """Return base and contributions of one answer, the weightiest column first: `explain` without arrays, three times as fast."""
        mine = {tensor: feed[column] for column, tensor in self._tensors.items()}
        parts = self._run(["contributions"], mine)[0][0, place].tolist()
        base = float(self.base[place])
        order = sorted(range(len(parts)), key=lambda number: -abs(parts[number]))
        left_over = score - base - math.fsum(parts)
        if abs(left_over) <= ROUNDING * max(1.0, abs(score)):
            parts[order[0]] += left_over
        return base, {self.columns[number]: parts[number] for number in order}

    def add_up(self, feed: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return base and contributions summed, for each answer [N, K], as the companion has them before rounding is put right."""
        return np.asarray(self.base + self._find_parts(feed).sum(axis=2), dtype=np.float64)

    def _find_parts(self, feed: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        mine = {tensor: feed[column] for column, tensor in self._tensors.items()}
        [parts] = run_in_chunks(
            self._session, ["contributions"], mine, workers=self._workers, chunk_rows=REASON_CHUNK_ROWS
        )
        return np.asarray(parts, dtype=np.float64)


class Runtime:
    """A released model as a server uses it: everything it says about rows, with reasons where they are wanted.

    Parameters
    ----------
    model : bytes
        ``model.onnx`` of a release.
    companion : bytes, optional
        ``reasons.onnx`` of the same release; without it there are no reasons.
    workers : int
        Pieces of a large table that are answered at the same time.

    Examples
    --------
    >>> runtime = Runtime(model_bytes, companion_bytes)                                   # doctest: +SKIP
    >>> [answer] = runtime.answer([{"nights": 2, "city": "Oslo"}], reasons=True)          # doctest: +SKIP
    >>> answer.label, answer.probability, answer.decision, answer.contributions           # doctest: +SKIP
    ('yes', 0.81, 'act', {'nights': 0.31, 'city': 0.08})
    """

    def __init__(self, model: bytes, companion: bytes | None = None, *, workers: int = 2) -> None:
        """Open the model; its companion, where there is one, is opened when reasons are first asked for."""
        self.predictor = Predictor(model, workers=workers)
        self._companion = companion
        self._workers = workers
        self._opening = threading.Lock()

    @cached_property
    def _reasoner(self) -> Reasoner | None:
        return None if self._companion is None else Reasoner(self._companion, workers=self._workers)

    @property
    def reasoner(self) -> Reasoner | None:
        """Return what explains answers, None where there is nothing that does.

        It is opened at the first call: that takes a tenth of a server's start, and most are never asked for reasons.
        """
        with self._opening:
            return self._reasoner

    @property
    def signature(self) -> Signature:
        """Return what the model takes and gives."""
        return self.predictor.signature

    @property
    def has_reasons(self) -> bool:
        """Return whether contributions can be asked for."""
        return self._companion is not None

    def answer(self, rows: Any, *, reasons: bool = False) -> Answers:  # noqa: ANN401  rows as dicts, a mapping of columns, or a frame of any library
        """Return the answers to rows given as dicts, a mapping of columns or a frame.

        Parameters
        ----------
        rows
        reasons : bool
            Whether to say what each column adds; costs about as much again as the answer.

        Raises
        ------
        SkiffError
            ``missing_column``, ``bad_value``, ``uneven_columns``; ``no_reasons`` where the release has no companion.
        """
        return self.answer_feed(self.predictor.build_feed(rows), reasons=reasons)

    def answer_feed(self, feed: Mapping[str, NDArray[Any]], *, reasons: bool = False) -> Answers:
        """Return the answers to what `Predictor.build_feed` made: see `answer`."""
        return self._explain(feed, self.predictor.answer_tensors(feed), reasons=reasons)

    def answer_row(self, row: Mapping[str, Any], *, reasons: bool = False) -> Answer:  # Any: cells of any library
        """Return the answer to one row given as a dict: the fast path."""
        feed = self.predictor.build_row_feed(row)
        answer = self.predictor.answer_one(feed)
        if not reasons:
            return answer
        reasoner = self.reasoner
        if reasoner is None:
            raise _refuse_reasons()
        columns = zip(self.signature.inputs, feed.values(), strict=True)
        place = 0 if self.predictor.kind != "multiclass" else self.predictor.classes.index(answer.label or "")
        base, parts = reasoner.explain_one({column.name: part for column, part in columns}, answer.score, place)
        return replace(answer, base=base, contributions=parts)

    def _explain(self, feed: Mapping[str, NDArray[Any]], answers: Answers, *, reasons: bool) -> Answers:
        if not reasons:
            return answers
        reasoner = self.reasoner
        if reasoner is None:
            raise _refuse_reasons()
        columns = zip(self.signature.inputs, feed.values(), strict=True)
        return replace(answers, reasons=reasoner.explain({column.name: part for column, part in columns}, answers))


def _find_score(answers: Answers) -> NDArray[np.float64]:
    if answers.kind == "regression":
        return answers.values
    return answers.probabilities[:, 1] if answers.kind == "binary" else answers.probabilities.max(axis=1)


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


def _open(model: bytes) -> onnxruntime.InferenceSession:
    try:
        return open_session(model)
    except Exception as error:
        # onnxruntime has a class of its own for each way to refuse a file, and no common one to name here.
        if type(error).__module__.startswith("onnxruntime"):
            raise _refuse_foreign() from error
        raise


def _read_facts(session: onnxruntime.InferenceSession, needed: str) -> dict[str, str]:
    """Return the metadata of a file of ours."""
    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if "skiff.format" not in facts:
        raise _refuse_foreign()
    if int(facts["skiff.format"]) > SUPPORTED_FORMAT:
        raise SkiffError(
            "model_newer",
            what="This model was made by a newer version of Skiff.",
            fix="Update Skiff and try again.",
        )
    if needed not in facts:
        raise _refuse_foreign()
    return facts


def _refuse_reasons() -> SkiffError:
    return SkiffError(
        "no_reasons",
        what="This release was made without the file that explains its answers (reasons.onnx).",
        fix="Train and release again with this version of Skiff, or ask without reasons.",
    )


def _refuse_foreign() -> SkiffError:
    return SkiffError(
        "not_a_skiff_model",
        what="This is not an ONNX file that Skiff compiled, or it is damaged.",
        fix="Choose the model.onnx of a release; see: skiff releases list",
    )
