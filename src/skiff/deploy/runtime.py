"""A released model as whoever serves uses it: answers, and reasons where they are wanted."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.signature import Signature
from skiff.deploy.answers import Answer, Answers
from skiff.deploy.predictor import Predictor
from skiff.deploy.reasoner import Reasoner


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


def _refuse_reasons() -> SkiffError:
    return SkiffError(
        "no_reasons",
        what="This release was made without the file that explains its answers (reasons.onnx).",
        fix="Train and release again with this version of Skiff, or ask without reasons.",
    )
