"""Try recipes out of fold, several folds at a time, within the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from skiff.train.aim import Aim, measure_loss
from skiff.train.features import Features, Matrix
from skiff.train.limits import Limit
from skiff.train.recipes import Effort, FoldFit, Recipe, Rows, choose_steps, find_smearing_factor
from skiff.train.workers import FoldJob, Workers, fit_jobs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What a recipe did out of fold.

    Parameters
    ----------
    recipe : Recipe
    oof : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Answers to held-out rows; NaN elsewhere.
    loss : float
    n_steps : int
        Steps that were best over the folds.
    factor : float
        Smearing factor of members on a log scale, else 1.
    seconds : float
        Wall time of all folds.
    refit_seconds : float
        Estimated time of the fit on all rows, on one thread.
    is_cut : bool
        Whether time ended a fold before it had settled.
    """

    recipe: Recipe
    oof: Float
    loss: float
    n_steps: int
    factor: float
    seconds: float
    refit_seconds: float
    is_cut: bool


RECENCY = 1.5
"""Where folds go forward in time, each counts this many times as much as the one before: the latest is most like tomorrow."""

FALLEN_BEHIND = 0.2
"""Where folds go forward in time, a candidate whose loss in the latest fold is higher than the best one's by more than this
share is not blended in: what the past liked and the present does not is what breaks next (a linear model whose column stepped
to new values went from 0.48 over 0.61 to 0.93 log loss on one energy market)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """Where recipes are tried: the encoded rows, their targets and what may be used."""

    features: Features
    y: Float
    aim: Aim
    seed: int
    threads: int
    n_final_rows: int
    is_time_ordered: bool = False
    w: Float | None = None
    workers: Workers | None = None
    kin: Float | None = None
    n_terms: int = 0

    @property
    def directions(self) -> tuple[int, ...]:
        """Return which way each tree-view column may move the answer; empty where nothing is asked."""
        if not self.aim.monotone:
            return ()
        asked = dict(self.aim.monotone)
        return tuple(asked.get(name, 0) for name in self.features.matrix.tree_names)

    def rows_of(self, X: Matrix, rows: NDArray[np.int64]) -> Rows:
        """Return encoded rows with their targets and weights."""
        return Rows(X=X, y=self.y[rows], w=None if self.w is None else self.w[rows])

    def measure(self, rows: NDArray[Any], answer: Float) -> float:
        """Return the weighted loss of the answers to some rows."""
        return measure_loss(self.y[rows], answer, self.aim, None if self.w is None else self.w[rows])

    def weigh_folds(self) -> Float:
        """Return how much a row of each fold counts."""
        n_folds = len(self.features.fold_rows)
        return np.asarray(RECENCY ** np.arange(n_folds)) if self.is_time_ordered else np.ones(n_folds)

    def weigh_rows(self) -> Float:
        """Return how much each row counts when candidates are blended; 0 where it is never held out."""
        own = np.ones(len(self.y)) if self.w is None else self.w
        if not self.features.fold_rows:
            return own
        weights = np.zeros(len(self.y))
        for fold, weight in zip(self.features.fold_rows, self.weigh_folds(), strict=True):
            weights[fold.held] = weight
        return weights * own

    def has_kept_up(self, tried: Sequence[Tried]) -> NDArray[np.bool_]:
        """Return which candidates are still good enough in the latest fold; all where time does not order the folds."""
        if not self.is_time_ordered or not self.features.fold_rows:
            return np.ones(len(tried), dtype=bool)
        latest = self.features.fold_rows[-1].held
        losses = np.array([self._measure_on(one, latest) for one in tried])
        return np.asarray(losses <= (1 + FALLEN_BEHIND) * losses.min())

    def try_recipe(self, recipe: Recipe, limit: Limit) -> Tried:
        """Fit a recipe on every fold and collect its answers to the held-out rows.

        The seconds left are shared out evenly: each fold may take its part of them, so that all folds get their turn.
        """
        return self.try_recipes([recipe], limit)[0]

    def try_recipes(self, recipes: Sequence[Recipe], limit: Limit) -> list[Tried]:
        """Fit several recipes on every fold, all at once where there are workers for that."""
        began = limit.clock()
        n_folds = len(self.features.fold_rows)
        seconds = limit.seconds_left / (1 if self.workers else -(-n_folds // self.threads))
        builds = [
            partial(self._build_job, recipe, fold, limit, seconds=seconds)
            for recipe in recipes
            for fold in range(n_folds)
        ]
        done = fit_jobs(builds, threads=self.threads, workers=self.workers)
        spent = limit.clock() - began
        tried = []
        for place, recipe in enumerate(recipes):
            own = done[place * n_folds : (place + 1) * n_folds]
            tried.append(
                self._collect(recipe, [fit for fit, _ in own], [each for _, each in own], spent / len(recipes))
            )
        return tried

    def _build_job(self, recipe: Recipe, fold: int, limit: Limit, *, seconds: float) -> FoldJob:
        has_enough_folds = len(self.features.fold_rows) >= self.threads or self.workers is not None
        X, rows = self.features.fitting(recipe.view, fold)
        X_held, held = self.features.held_out(recipe.view, fold)
        return FoldJob(
            recipe=recipe,
            fit=self.rows_of(X, rows),
            held=self.rows_of(X_held, held),
            aim=self.aim,
            effort=Effort(
                limit=limit,
                seed=self.seed,
                threads=1 if has_enough_folds else self.threads,
                categorical=self.features.matrix.categorical,
                directions=self.directions,
                kin=self.kin,
                n_terms=self.n_terms,
            ),
            seconds=seconds,
        )

    def thin(self, kept: Sequence[NDArray[np.int64]]) -> Arena:
        """Return the arena with folds that fit on fewer rows: the positions `kept` among each fold's fitting rows."""
        return replace(self, features=self.features.thin(kept))

    def _collect(self, recipe: Recipe, fits: Sequence[FoldFit], spent: Sequence[float], seconds: float) -> Tried:
        held = [fold.held[self.features.usable(recipe.view, fold.held)] for fold in self.features.fold_rows]
        n_steps = choose_steps(
            fits, [len(rows) * weight for rows, weight in zip(held, self.weigh_folds(), strict=True)]
        )
        shape = (len(self.y), self.aim.n_classes) if self.aim.n_classes else (len(self.y),)
        oof = np.full(shape, np.nan)
        for fit, rows in zip(fits, held, strict=True):
            oof[rows] = fit.answer(n_steps)
        known = find_known(oof)
        factor = 1.0
        if recipe.is_log and self.aim.quantile is None:  # a quantile of a logarithm is the logarithm of the quantile
            factor = find_smearing_factor(self.y[known], oof[known], None if self.w is None else self.w[known])
            oof[known] = factor * (1.0 + oof[known]) - 1.0
        share_done = n_steps / max(1.0, float(np.mean([len(fit.losses) for fit in fits])))
        fit_rows = float(np.mean([len(fold.fit) for fold in self.features.fold_rows]))
        return Tried(
            recipe=recipe,
            oof=oof,
            loss=self.measure(known, oof[known]),
            n_steps=n_steps,
            factor=factor,
            seconds=seconds,
            refit_seconds=float(np.mean(spent)) * min(1.0, share_done) * self.n_final_rows / max(1.0, fit_rows),
            is_cut=any(fit.is_cut for fit in fits),
        )

    def _measure_on(self, tried: Tried, rows: NDArray[np.int64]) -> float:
        rows = rows[find_known(tried.oof[rows])]
        return self.measure(rows, tried.oof[rows]) if len(rows) else float("inf")


def find_known(oof: Float) -> NDArray[np.bool_]:
    """Return the rows that have an out-of-fold answer."""
    known = ~np.isnan(oof)
    return np.asarray(known if oof.ndim == 1 else known.all(axis=1))
