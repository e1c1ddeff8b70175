"""Say what each column adds to an answer, with the companion that is compiled beside a model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.deploy.answers import Answers, Reasons
from skiff.deploy.opening import open_model, read_facts
from skiff.deploy.session import find_run, run_in_chunks

REASON_CHUNK_ROWS = 128
"""Rows explained in one call: every leaf's row of numbers is gathered, about 10 kB a row of the table for a large blend."""

ROUNDING = 1e-8
"""Largest difference between model and companion that is rounding; release proves it to be below 1e-9."""


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
        self._session = open_model(companion)
        self._run = find_run(self._session)
        self._workers = workers
        facts = read_facts(self._session, "skiff.reasons")
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


def _find_score(answers: Answers) -> NDArray[np.float64]:
    if answers.kind == "regression":
        return answers.values
    return answers.probabilities[:, 1] if answers.kind == "binary" else answers.probabilities.max(axis=1)
