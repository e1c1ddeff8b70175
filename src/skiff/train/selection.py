"""Run the contest: the fixed portfolio, then a short search while it pays, always leaving time for the final fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from skiff.core.progress import Progress
from skiff.train.aim import measure_loss
from skiff.train.blend import choose_weights, is_within_noise, mix
from skiff.train.contest import Arena, Tried, find_known
from skiff.train.limits import Limit
from skiff.train.portfolio import Shape, draw_recipes, list_recipes
from skiff.train.recipes import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

Prefer: TypeAlias = Literal["small", "best"]

FIRST_MODEL_S = 4.0
"""Seconds for the first candidate's folds, so that a usable model exists within five."""

REFIT_SHARE = 0.4
"""Largest share of the budget kept for the final fit; what would take longer is fitted on a sample."""

MOST_OF_REST = 0.4
"""Share of the time left that one candidate's folds may take: its own final fit must follow, and others want a turn. Where
that is less than the first, quick candidate took, the contest ends: a fit that is cut off early teaches nothing."""

SEARCH_SHARE = 0.5
"""Share of the budget after which no further configuration is drawn: searching earned 0.3 % in all measurements."""

SEARCH_GAIN = 1e-3
"""Relative gain of the blend that counts as an improvement in the search."""

SEARCH_PATIENCE = 3
"""Drawn configurations without such a gain after which the search ends."""


@dataclass(kw_only=True)
class Standing:
    """The candidates so far and their best mix.

    Parameters
    ----------
    tried : list of Tried
    weights : ndarray of shape (n_tried,)
    loss : float
        Of the mix, out of fold.
    is_cut : bool
        Whether time (and not the end of the list) ended the contest or a fit.
    """

    tried: list[Tried] = field(default_factory=list)
    weights: Float = field(default_factory=lambda: np.zeros(0))
    loss: float = float("inf")
    is_cut: bool = False

    def add(self, tried: Tried, arena: Arena) -> None:
        """Take in another candidate and mix anew; one without a finite loss is forgotten."""
        if not np.isfinite(tried.loss):
            return
        self.tried.append(tried)
        rows = self.find_common_rows()
        answers = [one.oof[rows] for one in self.tried]
        can = np.flatnonzero(arena.has_kept_up(self.tried))
        self.weights = np.zeros(len(self.tried))
        self.weights[can] = choose_weights(
            arena.y[rows], [answers[place] for place in can], arena.aim, arena.weigh_rows()[rows]
        )
        self.loss = measure_loss(arena.y[rows], mix(answers, self.weights), arena.aim)

    @property
    def refit_seconds(self) -> float:
        """Return the estimated seconds of the final fit on one thread."""
        return float(sum(one.refit_seconds for one, weight in zip(self.tried, self.weights, strict=True) if weight > 0))

    def list_chosen(self) -> list[tuple[Tried, float]]:
        """Return the candidates that count, with their weights, heaviest first."""
        chosen = [(one, float(weight)) for one, weight in zip(self.tried, self.weights, strict=True) if weight > 0]
        return sorted(chosen, key=lambda pair: -pair[1])

    def find_common_rows(self) -> NDArray[np.bool_]:
        """Return the rows that every candidate answered."""
        return np.asarray(np.all([find_known(one.oof) for one in self.tried], axis=0))

    def mix_answers(self) -> Float:
        """Return the mixed out-of-fold answers, NaN where a candidate has none."""
        oof = mix([one.oof for one in self.tried], self.weights)
        oof[~self.find_common_rows()] = np.nan
        return oof


def hold_contest(
    arena: Arena,
    limit: Limit,
    progress: Progress,
    *,
    budget_s: float,
    first: Tried | None = None,
) -> Standing:
    """Try recipe after recipe until the list is done, time is up, or somebody asks to stop.

    Parameters
    ----------
    arena : Arena
    limit : Limit
        End of everything, the final fit included.
    progress : Progress
    budget_s : float
        The whole budget, to know which share is spent.
    first : Tried, optional
        A candidate that was tried before.

    Returns
    -------
    Standing
        With at least one candidate, even if time is up.
    """
    began = limit.clock() - (budget_s - limit.seconds_left)
    standing = Standing()
    if first is not None:
        standing.add(first, arena)
    for recipe in list_recipes(arena.aim, shape_of(arena)):
        if first is not None and recipe.name == first.recipe.name:
            continue
        if not _try_next(standing, recipe, arena, limit, progress, began=began, budget_s=budget_s):
            return standing
    _search(standing, arena, limit, progress, began=began, budget_s=budget_s)
    return standing


def _search(
    standing: Standing, arena: Arena, limit: Limit, progress: Progress, *, began: float, budget_s: float
) -> None:
    """Draw further configurations while they improve the mix and half the budget is left."""
    if arena.features.width("tree") == 0:
        return
    idle = 0
    for recipe in draw_recipes(arena.aim, seed=arena.seed):
        if idle >= SEARCH_PATIENCE or limit.clock() - began > SEARCH_SHARE * budget_s:
            return
        before = standing.loss
        if not _try_next(standing, recipe, arena, limit, progress, began=began, budget_s=budget_s):
            return
        idle = 0 if standing.loss < before * (1 - SEARCH_GAIN) else idle + 1


def _try_next(
    standing: Standing,
    recipe: Recipe,
    arena: Arena,
    limit: Limit,
    progress: Progress,
    *,
    began: float,
    budget_s: float,
) -> bool:
    """Try one recipe if time allows; return whether the contest goes on."""
    is_first = not standing.tried
    reserve = min(REFIT_SHARE * budget_s, 1.5 * standing.refit_seconds / arena.threads + 0.02 * budget_s)
    left = limit.seconds_left - reserve
    if not is_first and (limit.should_stop() or MOST_OF_REST * left < standing.tried[0].seconds):
        standing.is_cut = True
        return False
    share = min(FIRST_MODEL_S, (1 - REFIT_SHARE) * left) if is_first else MOST_OF_REST * left
    progress.step(f"trying {recipe.name}", done=limit.clock() - began, total=budget_s)
    tried = arena.try_recipe(recipe, limit.shorten(max(0.0, share)))
    if limit.should_stop() and not is_first:
        standing.is_cut = True
        return False
    standing.is_cut |= tried.is_cut
    standing.add(tried, arena)
    progress.step(
        f"{recipe.name}: {arena.aim.metric} {tried.loss:.4g}, blend {standing.loss:.4g}",
        done=limit.clock() - began,
        total=budget_s,
    )
    return True


def prefer_small(standing: Standing, arena: Arena) -> None:
    """Keep only the best single candidate if the rows cannot tell it from the mix."""
    rows = standing.find_common_rows()
    y = arena.y[rows]
    best = mix([one.oof[rows] for one in standing.tried], standing.weights)
    place = int(np.argmin([measure_loss(y, one.oof[rows], arena.aim) for one in standing.tried]))
    if is_within_noise(y, standing.tried[place].oof[rows], best, arena.aim):
        standing.weights = np.eye(len(standing.tried))[place]
        standing.loss = measure_loss(y, standing.tried[place].oof[rows], arena.aim)


def shape_of(arena: Arena) -> Shape:
    """Return what the portfolio depends on."""
    return Shape(
        n_rows=len(arena.y),
        n_tree=arena.features.width("tree"),
        n_linear=arena.features.width("linear"),
        is_sparse=arena.features.is_sparse,
    )
