"""Retrain a released recipe many times on halves of its rows: the shadow models that an attacker on a model would train.

Nothing of this is released. The members that a release names in its manifest are looked up again in the portfolio, the number of
steps of each is chosen as in training, on one fold of half of the rows, and each shadow then fits encoders and members on its own
rows alone, so that whatever a release may remember of a row (a target mean, a leaf, a weight) its shadows may remember too.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from skiff.core.pipeline import Featurize
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.train.aim import take_aim
from skiff.train.boosting import Boosting
from skiff.train.contest import Tried
from skiff.train.demands import Demands
from skiff.train.features import FoldRows
from skiff.train.kinship import LookUp
from skiff.train.limits import Limit, never
from skiff.train.portfolio import draw_recipes, list_recipes
from skiff.train.recipes import Effort, Recipe, Rows
from skiff.train.refit import MORE_ROWS_MORE_STEPS
from skiff.train.selection import shape_of
from skiff.train.symmetric import Symmetric
from skiff.train.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Positions: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

HELD_SHARE = 0.2
"""Share of a half that the one fold holds out to choose the number of steps: five folds in training hold out as much each."""

LONGER = ", longer"
"""What training adds to the name of a candidate that it gave more time: the recipe is the same."""

MOST_DRAWN = 200
"""Drawn configurations that are looked through for one that a manifest names."""

REGULARISED, STRICT = "lightgbm regularised", "lightgbm strict"
"""Names of two recipes that remember less: remedies against membership inference, `plan_shadows` knows them as members. On halves of 10,000
rows of the census (recognised at 1 % false alarms; lead; accuracy): as released 4.9 %; 0.13, regularised 2.7 %; 0.08; 0.4 points less,
strict 1.8 %; 0.06; 1.0 points less."""

REMEDIES = (
    Boosting(
        name=REGULARISED, leaves=15, rate=0.1, max_rounds=200, settings={"min_data_in_leaf": 100, "lambda_l2": 5.0}
    ),
    Boosting(
        name=STRICT,
        leaves=8,
        rate=0.1,
        max_rounds=200,
        settings={
            "min_data_in_leaf": 100,
            "lambda_l2": 50.0,
            "feature_fraction": 0.5,
            "cat_smooth": 200.0,
            "cat_l2": 100.0,
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPlan:
    """A recipe that can be trained again on any part of its rows.

    Parameters
    ----------
    table : Table
        All rows, without folds.
    members : tuple of (Tried, float)
        Recipes with their settled steps, and their shares of the blend.
    stand_ins : tuple of str
        Members of the release that could not be rebuilt by their name; boosting stands in for them.
    """

    table: Table
    members: tuple[tuple[Tried, float], ...]
    stand_ins: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the members, heaviest first."""
        return tuple(tried.recipe.name for tried, _ in self.members)


def plan_shadows(  # noqa: PLR0913  a recipe and its rows are this many things, each by name
    frame: pl.DataFrame,
    y: Float,
    task: Task,
    inputs: Sequence[InputColumn],
    *,
    members: Sequence[tuple[str, float]],
    featurize: Featurize,
    now: Callable[[], float],
    budget_s: float = 60.0,
    seed: int = 0,
    threads: int = 2,
    groups: Positions | None = None,
    demands: Demands | None = None,
    look_up: LookUp | None = None,
) -> ShadowPlan:
    """Look up the recipe of a release again and settle its steps for half of the rows.

    Parameters
    ----------
    frame : polars.DataFrame of n_rows
        The rows that shadows may learn from, typed.
    y : ndarray of shape (n_rows,)
        Class codes in the order of ``task.classes``, or values.
    task : Task
    inputs : sequence of InputColumn
        The columns the release takes.
    members : sequence of (str, float)
        Name and share of each member, as the manifest has them, or the name of a remedy.
    featurize : Featurize
    now : callable
        Monotonic seconds.
    budget_s : float
        Seconds after which a fit on the fold is cut short.
    seed, threads : int
    groups : ndarray of int64, optional
    demands : Demands, optional
    look_up : LookUp, optional
        Vectors of words, as in the training.

    Returns
    -------
    ShadowPlan

    Notes
    -----
    The calibration at the end of a release is left out: a monotone map can only hide what the blend gives away. Members in which
    chance has a hand are fitted once, where a release may average up to three fits.
    """
    demands = demands or Demands()
    values = y if demands.exposure is None else y / demands.exposure
    aim = take_aim(values, task, quantile=demands.quantile, monotone=demands.monotone)
    if demands.exposure is not None and not aim.law and values.min() >= 0:
        aim = replace(aim, law="poisson")
    table = Table(
        frame=frame, y=values, task=task, inputs=tuple(inputs), folds=(), featurize=featurize, aim=aim, seed=seed,
        threads=threads, groups=groups, w=demands.row_weights, look_up=look_up,
    )  # fmt: skip
    half = _take(table, np.sort(np.random.default_rng(seed).permutation(len(y))[: max(2, len(y) // 2)]))
    folded = replace(half, folds=(_cut_fold(len(half.y), half.groups, seed=seed),))
    with _quietly():
        arena = folded.build_arena(folded.draw_contest())
        shape = replace(shape_of(arena), n_rows=len(y), has_levels=True)  # a half may lack levels that all rows have
        recipes = [*list_recipes(aim, shape), *itertools.islice(draw_recipes(aim, seed=seed), MOST_DRAWN), *REMEDIES]
        wanted, stand_ins = _find_recipes(members, recipes)
        limit = Limit(clock=now, ends_at=now() + budget_s, should_stop=never)
        tried = arena.try_recipes([recipe for recipe, _ in wanted], limit)
    shares = np.array([share for _, share in wanted])
    growth = (1 / (1 - HELD_SHARE)) ** MORE_ROWS_MORE_STEPS
    settled = [
        replace(one, n_steps=round(one.n_steps * growth)) if isinstance(one.recipe, Boosting | Symmetric) else one
        for one in tried
    ]
    return ShadowPlan(
        table=table,
        members=tuple(zip(settled, (shares / shares.sum()).tolist(), strict=True)),
        stand_ins=stand_ins,
    )


def fit_shadows(plan: ShadowPlan, members: Mask, *, seed: int = 0) -> list[Float]:
    """Train one shadow model on each row of `members` and return what it answers to all rows.

    Parameters
    ----------
    plan : ShadowPlan
    members : ndarray of bool, shape (n_models, n_rows)
        Which rows each model learns from.
    seed : int
        Chance of the first model; each further one has its own.

    Returns
    -------
    list of ndarray
        For each model probabilities of shape (n_rows, n_classes), or values of shape (n_rows,).
    """
    with _quietly(), ThreadPoolExecutor(max_workers=plan.table.threads) as pool:
        return list(pool.map(lambda number: _fit_one(plan, members[number], seed=seed + number), range(len(members))))


def _fit_one(plan: ShadowPlan, member: Mask, *, seed: int) -> Float:
    part = replace(_take(plan.table, np.flatnonzero(member)), seed=seed, threads=1)
    contest = part.draw_contest(is_refused=False)
    arena = part.build_arena(contest)
    limit = Limit(clock=lambda: 0.0, ends_at=float("inf"), should_stop=never)
    effort = Effort(
        limit=limit, seed=seed, categorical=arena.features.matrix.categorical, directions=arena.directions, kin=arena.kin,
        n_terms=arena.n_terms
    )  # fmt: skip
    features = part.featurize(part.inputs, contest.source.encoders, plan.table.frame)
    answers = []
    for one, share in plan.members:
        X, rows = arena.features.whole(one.recipe.view)
        fitted = one.recipe.fit_whole(
            Rows(X=X, y=arena.y[rows], w=None if arena.w is None else arena.w[rows]),
            arena.aim,
            effort,
            n_steps=one.n_steps,
            factor=one.factor,
        )
        answers.append(share * fitted.answer(features))
    return np.asarray(sum(answers), dtype=np.float64)


def _take(table: Table, rows: Positions) -> Table:
    return replace(
        table,
        frame=table.frame[rows],
        y=table.y[rows],
        groups=None if table.groups is None else table.groups[rows],
        w=None if table.w is None else table.w[rows],
    )


def _cut_fold(n_rows: int, groups: Positions | None, *, seed: int) -> FoldRows:
    """Return one fold that holds out a fifth of the rows, whole groups where rows belong together."""
    units = np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(int(units.max()) + 1)
    is_held = order[units] < max(1, round(HELD_SHARE * len(order)))
    if is_held.all():
        is_held = np.arange(n_rows) % round(1 / HELD_SHARE) == 0
    return FoldRows(fit=np.flatnonzero(~is_held), held=np.flatnonzero(is_held))


def _find_recipes(
    members: Sequence[tuple[str, float]], known: Iterable[Recipe]
) -> tuple[list[tuple[Recipe, float]], tuple[str, ...]]:
    """Return each member's recipe with its share, heaviest first, and the names that nothing is known by."""
    recipes = {recipe.name: recipe for recipe in known}
    found: list[tuple[Recipe, float]] = []
    unknown: list[str] = []
    for name, share in sorted(members, key=lambda pair: -pair[1]):
        recipe = recipes.get(name.removesuffix(LONGER))
        if recipe is None:
            unknown.append(name)
            recipe = Boosting(name=f"stand-in for {name}", rate=0.1, max_rounds=300, settings={})
        found.append((recipe, share))
    return found, tuple(unknown)


@contextmanager
def _quietly() -> Iterator[None]:
    """Fit side by side, each on one thread; unfinished solvers are a part of the plan (`linear.py`)."""
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
