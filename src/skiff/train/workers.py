"""Where folds are fitted: side by side in this process, or wherever a caller sends them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from skiff.train.aim import Aim
from skiff.train.limits import Limit
from skiff.train.recipes import Effort, FoldFit, Recipe, Rows

Timed: TypeAlias = tuple[FoldFit, float]
"""A fold's fit and the seconds it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldJob:
    """One fold of one recipe, with everything that is needed to fit it anywhere.

    Parameters
    ----------
    recipe : Recipe
    fit, held : Rows
    aim : Aim
    effort : Effort
        Its limit counts from the moment when the job begins.
    seconds : float
        How long it may take.
    """

    recipe: Recipe
    fit: Rows
    held: Rows
    aim: Aim
    effort: Effort
    seconds: float


class Workers(Protocol):
    """Runs fits elsewhere, such as on a cluster: same jobs, same answers, in the same order."""

    def __call__(self, function: Callable[[FoldJob], Timed], jobs: Sequence[FoldJob]) -> list[Timed]:
        """Return ``function(job)`` for every job, in their order."""


def fit_jobs(builds: Sequence[Callable[[], FoldJob]], *, threads: int, workers: Workers | None = None) -> list[Timed]:
    """Fit the folds, several at a time, and return them in the order of the jobs.

    Jobs are built when their turn comes: each holds a copy of its rows.
    """
    if workers is not None:
        return workers(fit_far, [_untie(build()) for build in builds])
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(lambda build: _fit(build()), builds))


def fit_far(job: FoldJob) -> Timed:
    """Fit one fold in a process of its own: one thread, and no word of solvers that were stopped on purpose."""
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _fit(job)


def _fit(job: FoldJob) -> Timed:
    limit = job.effort.limit
    began = limit.clock()
    ends_at = min(limit.ends_at, began + job.seconds)
    effort = replace(job.effort, limit=replace(limit, ends_at=ends_at))
    return job.recipe.fit_fold(job.fit, job.held, job.aim, effort), limit.clock() - began


def _untie(job: FoldJob) -> FoldJob:
    """Return the job without what only this process knows: when its clock will strike, and whether somebody asked to stop."""
    free = Limit(clock=job.effort.limit.clock, ends_at=float("inf"))
    return replace(job, effort=replace(job.effort, limit=free))
