"""The case before the court: the training rows, their answers, and a sample that models can be fitted on quickly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.leakage.proof import rank_with_ties
from skiff.data.task import encode_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

SAMPLE_ROWS = 20_000
"""Rows on which models are fitted: 20,000 keep the interval of an AUC within ±0.01 and one cross-fit under 0.3 s."""

MIN_SAMPLE_OF_CLASS = 1_000
"""Rows of the rarer classes kept in the sample where there are that many; weights restore their true share."""

N_FOLDS = 3
"""Folds of every cross-fit: the scores compare columns with each other, so speed is worth more than the last percent."""

MIN_OUTCOME_ROWS = 12
"""A class with fewer rows proves nothing: even twelve of twelve leave an error rate of 22 % possible (Clopper-Pearson)."""

POINT_MASS = 0.02
"""Share of rows with the very same number above which a regression target is also tried as "is it this number"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An event about the target that a value can betray: a class, or a number many rows share.

    Parameters
    ----------
    label : str
        How it is called in sentences.
    code : int
        Its code in `Case.labels`.
    base : float
        Share of the rows with it.
    """

    label: str
    code: int
    base: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the families look at.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows that may be judged: training rows with a target, in file order.
    rows : ndarray of int64
        Position of each of them in the client's table.
    task : Task
    inputs : tuple of InputColumn
    y : ndarray of float64
        Class code or number, one a row of `frame`.
    labels : ndarray of int64
        Code of the `Outcome` of each row, 0 where none applies (regression without a point mass).
    classes : tuple of str
        Names of the codes of `y` (classification).
    outcomes : tuple of Outcome
    sample : ndarray of int64
        Sorted positions in `frame` on which models are fitted.
    weight : ndarray of float64
        One a row of `sample`: how many rows of its class it stands for.
    fold : ndarray of int64
        One a row of `sample`; rows of one entity share a fold, and with a time column folds are stretches of time.
    entity : ndarray of int64 or None
        Code of the group of each row of `frame`.
    seed, threads : int
    """

    frame: pl.DataFrame
    rows: Int
    task: Task
    inputs: tuple[InputColumn, ...]
    y: Float
    labels: Int
    classes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    sample: Int
    weight: Float
    fold: Int
    entity: Int | None
    seed: int
    threads: int

    @property
    def is_regression(self) -> bool:
        """Whether the target is a number."""
        return self.task.kind == "regression"

    @property
    def n_rows(self) -> int:
        """Number of rows that may be judged."""
        return len(self.y)

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.task.target

    def proof_rows(self, mask: Bool) -> tuple[int, ...]:
        """Return the row numbers, from 1 in the client's table, of the first ten rows of `mask`."""
        return tuple(int(self.rows[place]) + 1 for place in np.flatnonzero(mask)[:10])

    def count_effective(self, mask: Bool) -> float:
        """Return how many independent rows `mask` holds: entities where the task has groups, else rows."""
        if self.entity is None:
            return float(mask.sum())
        return float(len(np.unique(self.entity[mask])))


def build_case(
    frame: pl.DataFrame,
    task: Task,
    inputs: Sequence[InputColumn],
    *,
    rows: Int | None,
    seed: int,
    threads: int,
    sample_rows: int = SAMPLE_ROWS,
) -> Case | None:
    """Gather the rows that may be judged; None where there are too few rows or answers to judge anything.

    Parameters
    ----------
    frame : polars.DataFrame
        The whole typed table.
    rows : ndarray of int64 or None
        Training positions; None takes every row.
    """
    positions = np.arange(frame.height, dtype=np.int64) if rows is None else np.sort(np.asarray(rows, dtype=np.int64))
    judged = frame if rows is None else _take_rows(frame, positions)
    y, has_answer = encode_target(judged, task)
    if not has_answer.all():
        judged, positions, y = judged.filter(pl.Series(has_answer)), positions[has_answer], y[has_answer]
    if len(y) < 2 * MIN_OUTCOME_ROWS or len(np.unique(y)) < 2:  # noqa: PLR2004  one answer is no question
        return None
    labels, outcomes = _find_outcomes(y, task, task.classes)
    rng = np.random.default_rng(seed)
    sample, weight = _draw_sample(y, is_regression=task.kind == "regression", size=sample_rows, rng=rng)
    entity = _encode_entities(judged, task)
    known = set(judged.columns)
    return Case(
        frame=judged,
        rows=positions,
        task=task,
        inputs=tuple(column for column in inputs if column.name in known and column.name != task.target),
        y=y,
        labels=labels,
        classes=task.classes,
        outcomes=outcomes,
        sample=sample,
        weight=weight,
        fold=_draw_folds(judged, task, sample=sample, entity=entity, rng=rng),
        entity=entity,
        seed=seed,
        threads=threads,
    )


def _take_rows(frame: pl.DataFrame, positions: Int) -> pl.DataFrame:
    """Return rows in their order; by a mask, which is twice as fast as by position."""
    is_taken = np.zeros(frame.height, dtype=np.bool_)
    is_taken[positions] = True
    return frame.filter(pl.Series(is_taken)).rechunk()


def _find_outcomes(y: Float, task: Task, classes: tuple[str, ...]) -> tuple[Int, tuple[Outcome, ...]]:
    """Return a code per row and the events that a value could betray."""
    if task.kind != "regression":
        labels = y.astype(np.int64)
        counts = np.bincount(labels, minlength=len(classes))
        codes = [1] if task.kind == "binary" else [int(code) for code in np.argsort(-counts, kind="stable")[:12]]
        told = [
            Outcome(label=classes[code], code=code, base=float(counts[code] / len(y)))
            for code in codes
            if MIN_OUTCOME_ROWS <= counts[code] <= len(y) - MIN_OUTCOME_ROWS
        ]
        return labels, tuple(told)
    values, counts = np.unique(y, return_counts=True)
    top = int(np.argmax(counts))
    share = float(counts[top] / len(y))
    if not (POINT_MASS <= share <= 1 - POINT_MASS) or len(values) < 3 or counts[top] < 5 * MIN_OUTCOME_ROWS:  # noqa: PLR2004  a pair is no number
        return np.zeros(len(y), dtype=np.int64), ()
    return (y == values[top]).astype(np.int64), (Outcome(label=f"{values[top]:g}", code=1, base=share),)


def _draw_sample(y: Float, *, is_regression: bool, size: int, rng: np.random.Generator) -> tuple[Int, Float]:
    """Draw at most about `size` rows, keeping rare classes, and return what each row stands for."""
    n_rows = len(y)
    if n_rows <= size:
        return np.arange(n_rows, dtype=np.int64), np.ones(n_rows)
    if is_regression:
        return np.sort(rng.choice(n_rows, size=size, replace=False)).astype(np.int64), np.ones(size)
    drawn: list[Int] = []
    weights: list[Float] = []
    for code in np.unique(y):
        members = np.flatnonzero(y == code)
        take = min(len(members), max(MIN_SAMPLE_OF_CLASS, round(len(members) / n_rows * size)))
        drawn.append(rng.choice(members, size=take, replace=False).astype(np.int64))
        weights.append(np.full(take, len(members) / take))
    sample, weight = np.concatenate(drawn), np.concatenate(weights)
    order = np.argsort(sample)
    return sample[order], weight[order] / weight.mean()


def _encode_entities(frame: pl.DataFrame, task: Task) -> Int | None:
    """Return a code per row for the group column, or None."""
    if task.group is None or task.group not in frame.columns:
        return None
    ranks = frame[task.group].cast(pl.String).fill_null("").rank("dense")
    return ranks.to_numpy().astype(np.int64)


def _draw_folds(frame: pl.DataFrame, task: Task, *, sample: Int, entity: Int | None, rng: np.random.Generator) -> Int:
    """Return the fold of each sampled row: by entity, else by stretch of time, else at random."""
    if entity is not None:
        codes, place = np.unique(entity[sample], return_inverse=True)
        if len(codes) >= 2 * N_FOLDS:
            folds: Int = rng.permutation(len(codes))[place] % N_FOLDS
            return folds.astype(np.int64)
    if task.time is not None and task.time in frame.columns:
        moment = frame[task.time][sample].rank("ordinal").fill_null(0).to_numpy().astype(np.float64)
        # Ten stretches, dealt out in turn: neighbours in time stay together, yet every fold sees the whole period.
        stretch = np.floor((rank_with_ties(moment) - 1.0) / len(sample) * 10.0).astype(np.int64)
        return stretch % N_FOLDS
    return (rng.permutation(len(sample)) % N_FOLDS).astype(np.int64)
