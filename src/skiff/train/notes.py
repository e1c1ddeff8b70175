"""Plain sentences about a training that the numbers alone do not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.evaluate.scores import build_score
from skiff.train.aim import Aim, measure_loss
from skiff.train.contest import Arena, find_known
from skiff.train.features import FoldRows
from skiff.train.promise import Promise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

GETTING_WORSE = 1.15
"""Loss of the latest fold, relative to the mean of those before, from which people are told."""

POOR_FINAL_FIT = 1.1
"""Loss of the final models on rows they were fitted on, relative to the out-of-fold loss, above which they cannot be whole."""

LEAST_HELD_ROWS = 30
"""Held-out rows a fold needs to be compared."""

OFF_BY = 0.08
"""Calibration error of a period from which people are told that chances drift."""

CALIBRATION_ROWS = 1_000
"""Held-out rows a fold needs for that: as many show up to half of it by chance (`skiff.evaluate.calibration.measure_ece`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows there are, how many candidates were compared on, and how many the final fit saw."""

    all: int
    compared: int
    final: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Out-of-fold answers beside the truth, and the loss of the finished pipeline on rows it was fitted on."""

    y: Float
    oof: Float
    folds: Sequence[FoldRows]
    aim: Aim
    final_loss: float
    promise: Promise | None = None


def tell_notes(
    outcome: Outcome,
    counts: Counts,
    *,
    is_time_ordered: bool,
    left_out: Sequence[str],
    is_cut: bool,
    lacks_twins: bool = False,
) -> tuple[str, ...]:
    """Return what a reader of the report should know about how the model was made."""
    notes = []
    y, oof, folds, aim = outcome.y, outcome.oof, outcome.folds, outcome.aim
    if not folds:
        notes.append("There were too few rows to learn from, so the model gives the same answer for every row.")
    if counts.compared < counts.all:
        notes.append(f"The models were compared on a random sample of {counts.compared:,} of {counts.all:,} rows.")
    if counts.final < counts.all:
        notes.append(f"The final model learned from {counts.final:,} of {counts.all:,} rows, to stay within the time.")
    if left_out:
        named = ", ".join(f"'{name}'" for name in left_out[:5]) + (" and others" if len(left_out) > 5 else "")  # noqa: PLR2004  five are enough to see
        notes.append(
            f"{named} only told how late a row is and did not help to predict later rows, so the model ignores it."
        )
    known = find_known(oof)
    is_poor = outcome.final_loss > POOR_FINAL_FIT * measure_loss(y[known], oof[known], aim)
    notes += _tell_lack_of_time(is_poor=is_poor, is_cut=is_cut, lacks_twins=lacks_twins)
    if aim.quantile is not None:
        under = float(np.mean(y[known] <= oof[known]))
        notes.append(
            f"{under:.0%} of the rows lay at or under the answer that was made without them (asked: {aim.quantile:.0%})."
        )
    if outcome.promise is not None:
        notes.append(outcome.promise.tell())
    if is_time_ordered:
        notes += _tell_periods(outcome)
    return tuple(notes)


def _tell_lack_of_time(*, is_poor: bool, is_cut: bool, lacks_twins: bool) -> Iterator[str]:
    if is_poor:
        yield "The time did not suffice to fit the final model properly; train again with a longer --budget."
    if is_cut:
        yield "The time ran out before everything was tried; a longer --budget may give a slightly better model."
    if lacks_twins:
        yield (
            "There was no time to train again with other seeds, so how much of the score is luck is not known; "
            "a longer --budget tells."
        )


def measure_folds(arena: Arena, oof: Float) -> tuple[float, ...]:
    """Return the loss on each fold's held-out rows, in the order of the folds; folds of few rows are passed over."""
    known = find_known(oof)
    held = [fold.held[known[fold.held]] for fold in arena.features.fold_rows]
    return tuple(arena.measure(rows, oof[rows]) for rows in held if len(rows) >= LEAST_HELD_ROWS)


def _tell_periods(outcome: Outcome) -> list[str]:
    """Return what went on from one period to the next: chances that drifted, and a latest period that went worse."""
    y, oof, folds, aim = outcome.y, outcome.oof, outcome.folds, outcome.aim
    drifting = tell_chances(y, oof, folds) if aim.kind == "binary" else None
    worse = find_worsening(y, oof, folds, aim)
    notes = [] if drifting is None else [drifting]
    if worse is not None:
        notes.append(
            f"The most recent rows were predicted {worse:.0%} worse than the ones before: "
            "things are changing, and the future may be harder to predict than these figures say."
        )
    return notes


def tell_chances(y: Float, oof: Float, folds: Sequence[FoldRows]) -> str | None:
    """Return how far stated chances were off in earlier periods; None where they held in all of them, or too few can tell.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    oof : ndarray of shape (n_rows, 2)
    folds : sequence of FoldRows
        Forward in time.

    Examples
    --------
    >>> y, said = np.tile([0.0, 0.0, 0.0, 1.0], 500), np.full((2000, 2), 0.5)
    >>> periods = [FoldRows(fit=np.arange(1), held=np.arange(0, 1000)), FoldRows(fit=np.arange(1), held=np.arange(1000, 2000))]
    >>> tell_chances(y, said, periods)[:76]
    'In 2 earlier periods the stated chances were off by 25 to 25 in 100 on avera'
    """
    known = find_known(oof)
    held = [fold.held[known[fold.held]] for fold in folds]
    errors = [build_score("ece", y[rows], oof[rows]).value() for rows in held if len(rows) >= CALIBRATION_ROWS]
    if len(errors) < 2 or max(errors) < OFF_BY:  # noqa: PLR2004  a range of one period is none
        return None
    return (
        f"In {len(errors)} earlier periods the stated chances were off by {100 * min(errors):.0f} to {100 * max(errors):.0f} in 100 "
        "on average, each period predicted from what came before it. Rows are put in order better than their chances are "
        "stated: expect the same of later rows, and train again when new answers are known."
    )


def find_worsening(y: Float, oof: Float, folds: Sequence[FoldRows], aim: Aim) -> float | None:
    """Return by which share the latest fold's loss exceeds the mean of the earlier ones; None where it does not by much."""
    known = find_known(oof)
    losses = []
    for fold in folds:
        rows = fold.held[known[fold.held]]
        if len(rows) >= LEAST_HELD_ROWS:
            losses.append(measure_loss(y[rows], oof[rows], aim))
    if len(losses) < 2:  # noqa: PLR2004  an earlier and a later fold
        return None
    before = float(np.mean(losses[:-1]))
    if before <= 0 or losses[-1] < GETTING_WORSE * before:
        return None
    return losses[-1] / before - 1
