"""Keep answers quick and files small: how many questions the trees of a blend ask of one row, and what to do about too many.

One row takes about 50 ns a question on a slow machine where the trees no longer fit its nearest caches, nothing to speak of for all
else that members do. Measured on a table of 74 columns: 51,000 questions 3.0 ms and 11 MB, 27,000 questions 1.7 ms and 5 MB,
9,800 questions 0.65 ms and 2 MB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.train.aim import Aim
from skiff.train.blend import choose_weights, mix
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


def lighten(tried: Sequence[Tried], weights: Float, loss: float, arena: Arena) -> tuple[Float, float]:
    """Return weights and loss of the blend without members that are hardly missed, if it asks too many questions.

    The one missed least is left out first, and the rest weighed anew.
    """
    most_loss = (1.0 + MOST_LOSS) * loss
    rows = np.all([find_known(one.oof) for one in tried], axis=0)
    while _count_all(tried, weights, arena.aim) > MOST_QUESTIONS:
        lighter, risen = _leave_one_out(tried, weights, rows, arena)
        if risen > most_loss:
            break
        weights, loss = lighter, risen
    return weights, loss


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


def _count_all(tried: Sequence[Tried], weights: Float, aim: Aim) -> float:
    chosen = [one for one, weight in zip(tried, weights, strict=True) if weight > 0]
    return sum(count_questions(one.recipe, one.n_steps, aim) for one in chosen)


def _leave_one_out(
    tried: Sequence[Tried], weights: Float, rows: NDArray[np.bool_], arena: Arena
) -> tuple[Float, float]:
    """Return the weights and the loss of the best blend without one of the members that ask questions."""
    answers = [one.oof[rows] for one in tried]
    inside = np.flatnonzero(weights > 0)
    best, least = weights, float("inf")
    for left_out in inside if len(inside) > 1 else ():
        if not count_questions(tried[left_out].recipe, tried[left_out].n_steps, arena.aim):
            continue
        rest = inside[inside != left_out]
        found = np.zeros(len(answers))
        found[rest] = choose_weights(
            arena.y[rows], [answers[place] for place in rest], arena.aim, arena.weigh_rows()[rows]
        )
        loss = arena.measure(rows, mix(answers, found))
        if loss < least:
            best, least = found, loss
    return best, least
