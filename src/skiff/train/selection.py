"""Run the contest: the fixed portfolio, then a short search while it pays, always leaving time for the final fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from skiff.core.progress import Progress
from skiff.data.sentences import say_figure, say_reach
from skiff.train.aim import measure_row_losses
from skiff.train.blend import choose_weights, is_within_noise, mix, tame_targets
from skiff.train.carrying import SURE
from skiff.train.contest import Arena, Tried, find_known
from skiff.train.lean import lighten
from skiff.train.limits import Limit
from skiff.train.linear import Linear
from skiff.train.memory import Forgetful, Memory, keep_tried, recall_tried
from skiff.train.portfolio import SETS_FROM, SINGLE_LEVELS, Shape, draw_recipes, list_recipes
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

KIN_MARGIN = 0.03
"""Share by which word vectors must lower the loss of a linear model to be used: they are learned elsewhere, from texts of others."""

TWO_SIDED_95 = 1.96
"""Standard errors on each side of a mean that hold 95 % of a normal distribution."""


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
        kept = [answers[place] for place in can]
        y = tame_targets(arena.y[rows], kept, arena.aim)
        self.weights[can] = choose_weights(y, kept, arena.aim, arena.weigh_rows()[rows])
        self.loss = arena.measure(rows, mix(answers, self.weights))

    def find_interval(self, arena: Arena) -> tuple[float, float]:
        """Return the 95 % interval of the mix's loss: how far the rows at hand can tell it."""
        rows = self.find_common_rows()
        losses = measure_row_losses(arena.y[rows], mix([one.oof[rows] for one in self.tried], self.weights), arena.aim)
        if arena.w is not None:
            losses = losses * arena.w[rows] / arena.w[rows].mean()
        reach = TWO_SIDED_95 * float(losses.std()) / max(1, len(losses)) ** 0.5
        low, high = max(0.0, float(losses.mean()) - reach), float(losses.mean()) + reach
        return (low**0.5, high**0.5) if arena.aim.metric == "rmse" else (low, high)

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
    memory: Memory | None = None,
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
    memory : Memory, optional
        What an interrupted training of the same rows had tried.

    Returns
    -------
    Standing
        With at least one candidate, even if time is up.
    """
    contest = _Contest(
        standing=Standing(), arena=arena, limit=limit, progress=progress, memory=memory or Forgetful(),
        began=limit.clock() - (budget_s - limit.seconds_left), budget_s=budget_s,
    )  # fmt: skip
    if first is not None:
        contest.standing.add(first, arena)
    recipes = [
        one for one in list_recipes(arena.aim, shape_of(arena)) if first is None or one.name != first.recipe.name
    ]
    if arena.workers is not None:
        contest.try_ahead(recipes)
    if all(contest.try_next(recipe) and contest.try_cut_again() for recipe in recipes):
        contest.search()
    standing = contest.standing
    standing.weights, standing.loss = lighten(standing.tried, standing.weights, arena)
    return standing


@dataclass(kw_only=True)
class _Contest:
    """One contest on its way."""

    standing: Standing
    arena: Arena
    limit: Limit
    progress: Progress
    memory: Memory
    began: float
    budget_s: float
    ahead: dict[str, Tried] = field(default_factory=dict)

    @property
    def spent_s(self) -> float:
        """Return the seconds since the training began."""
        return self.limit.clock() - self.began

    def try_ahead(self, recipes: Sequence[Recipe]) -> None:
        """Try the whole list at once, where there are workers for that; it is taken in one by one afterwards."""
        left = [one for one in recipes if recall_tried(self.memory, one, self.arena) is None]
        self.progress.step(f"trying {len(left)} candidates at once", done=self.spent_s, total=self.budget_s)
        share = self.limit.shorten((1 - REFIT_SHARE) * self.limit.seconds_left)
        self.ahead = {one.recipe.name: one for one in self.arena.try_recipes(left, share)}

    def try_cut_again(self) -> bool:
        """Give the first candidate, if its few seconds cut it short, the time of any other; return whether the contest goes on.

        On a busy machine, or over long texts, it would else stay half learned although minutes are left.
        """
        first = self.standing.tried[0]
        if not first.is_cut or len(self.standing.tried) > 1:
            return True
        self.standing.is_cut = False  # it counts again if it is cut again
        again = replace(first.recipe, name=f"{first.recipe.name}, longer")  # type: ignore[type-var]  # every recipe is a dataclass
        return self.try_next(again)

    def search(self) -> None:
        """Draw further configurations while they improve the mix and half the budget is left."""
        if self.arena.features.width("tree") == 0:
            return
        idle = 0
        for recipe in draw_recipes(self.arena.aim, seed=self.arena.seed):
            if idle >= SEARCH_PATIENCE or self.spent_s > SEARCH_SHARE * self.budget_s:
                return
            before = self.standing.loss
            if not self.try_next(recipe):
                return
            idle = 0 if self.standing.loss < before * (1 - SEARCH_GAIN) else idle + 1

    def try_next(self, recipe: Recipe) -> bool:
        """Try one recipe if time allows; return whether the contest goes on."""
        tried = self.ahead.get(recipe.name) or recall_tried(self.memory, recipe, self.arena)
        if tried is None:
            tried = self._try_anew(recipe)
        if tried is None:
            self.standing.is_cut = True
            return False
        keep_tried(self.memory, tried, self.arena)
        if isinstance(recipe, Linear) and recipe.has_kin and not earns_vectors(tried, self.standing.tried, self.arena):
            self.progress.step(
                f"{recipe.name}: not surely {KIN_MARGIN:.0%} better, left out", done=self.spent_s, total=self.budget_s
            )
            return True
        self.standing.is_cut |= tried.is_cut
        self.standing.add(tried, self.arena)
        low, high = self.standing.find_interval(self.arena)
        best = f"best {say_figure(self.standing.loss)} ({say_reach(low, high)})"
        told = f"{recipe.name}: {self.arena.aim.metric} {say_figure(tried.loss)}, {best}"
        self.progress.step(told, done=self.spent_s, total=self.budget_s)
        return True

    def _try_anew(self, recipe: Recipe) -> Tried | None:
        """Return the candidate, None where time or somebody's word ended the contest."""
        standing, limit = self.standing, self.limit
        is_first = not standing.tried
        refit_s = 1.5 * standing.refit_seconds / self.arena.threads + 0.02 * self.budget_s
        left = limit.seconds_left - min(REFIT_SHARE * self.budget_s, refit_s)
        if not is_first and (limit.should_stop() or MOST_OF_REST * left < standing.tried[0].seconds):
            return None
        share = min(FIRST_MODEL_S, (1 - REFIT_SHARE) * left) if is_first else MOST_OF_REST * left
        self.progress.step(f"trying {recipe.name}", done=self.spent_s, total=self.budget_s)
        tried = self.arena.try_recipe(recipe, limit.shorten(max(0.0, share)))
        return None if limit.should_stop() and not is_first else tried


def earns_vectors(tried: Tried, others: Sequence[Tried], arena: Arena) -> bool:
    """Return whether a linear model with word vectors is better than the one without, by a margin and surely.

    Its loss must be lower by `KIN_MARGIN`, and the paired difference of the rows' losses above 0 (one-sided, 95 %).
    """
    without = [one for one in others if isinstance(one.recipe, Linear) and not one.recipe.has_kin]
    if not without:
        return False
    plain = min(without, key=lambda one: one.loss)  # the first may have been cut short and tried again
    rows = find_known(tried.oof) & find_known(plain.oof)
    before, after = (measure_row_losses(arena.y[rows], one.oof[rows], arena.aim) for one in (plain, tried))
    gain = before - after if arena.w is None else (before - after) * arena.w[rows]
    is_sure = bool(gain.mean() > SURE * gain.std() / max(1, len(gain)) ** 0.5)
    return is_sure and arena.measure(rows, tried.oof[rows]) <= (1 - KIN_MARGIN) * arena.measure(rows, plain.oof[rows])


def prefer_small(standing: Standing, arena: Arena) -> None:
    """Keep only the best single candidate if the rows cannot tell it from the mix."""
    rows = standing.find_common_rows()
    y = arena.y[rows]
    best = mix([one.oof[rows] for one in standing.tried], standing.weights)
    place = int(np.argmin([arena.measure(rows, one.oof[rows]) for one in standing.tried]))
    weights = None if arena.w is None else arena.w[rows]
    if is_within_noise(y, standing.tried[place].oof[rows], best, arena.aim, weights):
        standing.weights = np.eye(len(standing.tried))[place]
        standing.loss = arena.measure(rows, standing.tried[place].oof[rows])


def shape_of(arena: Arena) -> Shape:
    """Return what the portfolio depends on."""
    return Shape(
        n_rows=len(arena.y),
        n_tree=arena.features.width("tree"),
        n_linear=arena.features.width("linear"),
        is_sparse=arena.features.is_sparse,
        has_kin=arena.kin is not None,
        has_levels=any(SETS_FROM <= n_levels <= SINGLE_LEVELS for n_levels in arena.features.count_levels()),
    )
