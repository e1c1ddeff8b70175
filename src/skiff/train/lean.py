"""Keep answers quick and files small: how many questions the trees of a blend ask of one row, and what to do about too many.

One row takes about 50 ns a question on a slow machine where the trees no longer fit its nearest caches, nothing to speak of for all
else that members do. Measured on a table of 74 columns: 51,000 questions 3.0 ms and 11 MB, 27,000 questions 1.7 ms and 5 MB,
9,800 questions 0.65 ms and 2 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.train.aim import Aim, measure_loss
from skiff.train.blend import choose_weights, mix, tame_targets
from skiff.train.boosting import Boosting
from skiff.train.contest import Arena, Tried, find_known
from skiff.train.forests import Forest
from skiff.train.recipes import Recipe
from skiff.train.symmetric import Symmetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MOST_QUESTIONS = 12_000
"""Questions to one row from which members are left out that are hardly missed, and fits are not repeated."""

MOST_LOSS = 1e-3
"""Share by which the loss of the blend may rise, out of fold, for the sake of speed: as much as a search must gain to go on."""


def count_questions(recipe: Recipe, n_steps: int, aim: Aim) -> float:
    """Return about how many questions the trees of a recipe ask of one row: their number times the binary logarithm of their leaves.

    Examples
    --------
    >>> recipe = Boosting(name="lightgbm", leaves=16, settings={})
    >>> count_questions(recipe, 100, Aim(kind="binary", n_classes=2))
    400.0
    """
    n_copies = aim.n_classes if aim.kind == "multiclass" else 1
    if isinstance(recipe, Boosting):
        return float(n_copies * n_steps * np.log2(recipe.leaves))
    if isinstance(recipe, Symmetric):
        return float(n_copies * n_steps * recipe.depth)
    if isinstance(recipe, Forest):
        return float(n_copies * recipe.n_trees * np.log2(recipe.most_leaves(aim)))
    return 0.0


def lighten(tried: Sequence[Tried], weights: Float, arena: Arena) -> tuple[Float, float]:
    """Return weights and loss of the blend without members that are hardly missed, if it asks too many questions.

    The one whose questions earn least goes first, and the rest are weighed anew.
    """
    judge = _Judge.of(tried, weights, arena)
    loss = judge.measure(weights)
    most_loss = (1.0 + MOST_LOSS) * loss
    asked = np.array([count_questions(one.recipe, one.n_steps, arena.aim) for one in tried])
    while asked[weights > 0].sum() > MOST_QUESTIONS:
        options = []
        for place in np.flatnonzero((weights > 0) & (asked > 0)):
            fewer = judge.leave_out(int(place), weights)
            risen = judge.measure(fewer)
            saved = float(asked[weights > 0].sum() - asked[fewer > 0].sum())
            if risen <= most_loss:
                options.append(((risen - loss) / saved, risen, fewer))
        if not options:
            break
        _, loss, weights = min(options, key=lambda option: option[:2])
    return weights, arena.measure(judge.rows, judge.mix(weights))


def share_out_repeats(chosen: Sequence[tuple[Tried, float]], aim: Aim, *, most: int) -> list[int]:
    """Return how often each member's final fit is repeated: in turns, heaviest first, while there is room for more questions.

    Parameters
    ----------
    chosen : sequence of (Tried, weight)
        Heaviest first.
    aim : Aim
    most : int
        Repeats that time allows.
    """
    asked = [count_questions(one.recipe, one.n_steps, aim) for one, _ in chosen]
    room = MOST_QUESTIONS - sum(asked)
    repeats = [1] * len(chosen)
    for turn in range(1, most):
        for place, (one, _) in enumerate(chosen):
            if (
                isinstance(one.recipe, Boosting)
                and one.recipe.is_drawn
                and asked[place] <= room
                and repeats[place] == turn
            ):
                repeats[place] += 1
                room -= asked[place]
    return repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What blends are compared by: the same rows, and the targets that they are weighed by."""

    rows: NDArray[np.bool_]
    y: Float
    answers: Sequence[Float]
    arena: Arena

    @classmethod
    def of(cls, tried: Sequence[Tried], weights: Float, arena: Arena) -> _Judge:
        rows = np.asarray(np.all([find_known(one.oof) for one in tried], axis=0))
        answers = [one.oof[rows] for one in tried]
        chosen = [answers[place] for place in np.flatnonzero(weights > 0)]
        return cls(rows=rows, y=tame_targets(arena.y[rows], chosen, arena.aim), answers=answers, arena=arena)

    def mix(self, weights: Float) -> Float:
        return mix(self.answers, weights)

    def measure(self, weights: Float) -> float:
        """Return the loss of a blend; no end of it where no member is left."""
        if not weights.any():
            return float("inf")
        row_weights = None if self.arena.w is None else self.arena.w[self.rows]
        return measure_loss(self.y, self.mix(weights), self.arena.aim, row_weights)

    def leave_out(self, place: int, weights: Float) -> Float:
        """Return the weights of the best blend of the members but one."""
        rest = [other for other in np.flatnonzero(weights > 0).tolist() if other != place]
        fewer = np.zeros(len(weights))
        if rest:
            kept = [self.answers[other] for other in rest]
            fewer[rest] = choose_weights(self.y, kept, self.arena.aim, self.arena.weigh_rows()[self.rows])
        return fewer
