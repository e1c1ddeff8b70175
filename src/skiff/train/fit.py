"""From a typed table to a fitted pipeline: the one call that flows make.

Configurations are tried out of fold, blended greedily, fitted once more on all rows and calibrated where that helps. Everything
comes from what is handed in: time from `now`, chance from `seed`, features from `featurize`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from skiff.core.pipeline import Calibration, FeatureMatrix, Featurize, Pipeline
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.calibration import apply_calibration, choose_calibration
from skiff.train.aim import Aim, take_aim
from skiff.train.blend import is_within_noise
from skiff.train.carrying import Doubt, find_doubt
from skiff.train.clocks import Suspects, do_clocks_help, find_clock_columns
from skiff.train.contest import Arena, Tried, find_known
from skiff.train.demands import Demands
from skiff.train.features import FoldRows
from skiff.train.kinship import LookUp
from skiff.train.limits import Limit, never
from skiff.train.memory import Memory
from skiff.train.notes import Counts, Outcome, measure_folds, tell_notes
from skiff.train.portfolio import list_recipes
from skiff.train.promise import promise_loss
from skiff.train.refit import Final, build_native, fit_final
from skiff.train.reseed import FEWEST_TWINS, fit_with_other_seeds
from skiff.train.selection import Prefer, Standing, hold_contest, prefer_small, shape_of
from skiff.train.table import Contest, Table, clean_folds
from skiff.train.trained import CandidateScore, Small, Trained
from skiff.train.workers import Workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Positions: TypeAlias = NDArray[np.int64]


FINAL_CHECK_ROWS, FINAL_CHECK_CELLS = 500, 2_000_000
"""Training rows on which the finished pipeline is looked at once more, and the dense cells (16 MB) that they may fill: fewer rows where
a text has thousands of terms, or the look at 500 of them would be the moment at which training needs most memory."""

PLANNED_SHARE = 0.95
"""Share of the budget that is planned with; the rest is for what cannot be interrupted."""

CLOCK_TRIAL_S, CLOCK_TRIAL_SHARE = 8.0, 0.12
"""Seconds, and share of the time left, for each of the two quick models that tell whether clocks help: a second on an idle
machine, several on a busy one."""

FINAL_GRACE = 2.0
"""The final fit may take this many times what its folds promise; a busy machine is easily half as fast."""

FINAL_LEAST_S = 3.0
"""Seconds that the final fit is always given."""


def train_pipeline(  # noqa: PLR0913  the one door of the room: flows name every argument
    frame: pl.DataFrame,
    y: Float,
    task: Task,
    inputs: Sequence[InputColumn],
    *,
    folds: Sequence[tuple[Positions, Positions]],
    featurize: Featurize,
    now: Callable[[], float],
    budget_s: float = 60.0,
    seed: int = 0,
    threads: int = 2,
    should_stop: Callable[[], bool] = never,
    groups: NDArray[np.int64] | None = None,
    is_time_ordered: bool = False,
    prefer: Prefer = "best",
    n_twins: int = 0,
    demands: Demands | None = None,
    memory: Memory | None = None,
    workers: Workers | None = None,
    look_up: LookUp | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Fit the best blend of small models that the budget allows.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows, typed.
    y : ndarray of shape (n_rows,)
        Class codes in the order of ``task.classes``, or values; no NaN.
    task : Task
    inputs : sequence of InputColumn
        The columns that may be used.
    folds : sequence of (ndarray, ndarray)
        Positions of fitting and held-out rows; forward in time where `is_time_ordered`.
    featurize : Featurize
        Runs the emitted graph.
    now : callable
        Monotonic seconds.
    budget_s : float
        Wall seconds, the final fit included. It is not used up where the portfolio is done sooner.
    seed, threads : int
    should_stop : callable
        True once the user asked to stop: the best so far is fitted on all rows and returned.
    groups : ndarray of int64, optional
        Rows that belong together.
    is_time_ordered : bool
        Whether `folds` go forward in time; columns that only tell the time are then distrusted.
    prefer : {"best", "small"}
        "small" keeps the best single candidate where the rows cannot tell it from the blend.
    n_twins : int
        How often the chosen blend is fitted again with another seed, while time is left.
    demands : Demands, optional
        Weights, exposure, directions, a quantile.
    memory : Memory, optional
        What an interrupted training of the same rows with the same settings had tried; new trials are added.
    workers : Workers, optional
        Where folds are fitted, such as on a cluster; by default on `threads` threads of this process.
    look_up : LookUp, optional
        Vectors of words, for texts (`kinship`).
    progress : Progress, optional

    Returns
    -------
    Trained

    Raises
    ------
    SkiffError
        ``no_usable_columns`` where no column varies.

    Notes
    -----
    The same seed gives the same model on the same machine if the budget is not used up; time limits end fits where they are.
    """
    began = now()
    progress = progress or Silent()
    demands = demands or Demands()
    y = np.ascontiguousarray(y if demands.exposure is None else y / demands.exposure, dtype=np.float64)
    limit = Limit(clock=now, ends_at=began + PLANNED_SHARE * budget_s, should_stop=should_stop)
    aim = take_aim(y, task, quantile=demands.quantile, monotone=demands.monotone)
    if demands.exposure is not None and not aim.law and y.min() >= 0:
        aim = replace(aim, law="poisson")  # a count divided by its exposure is no whole number any more
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # Fits are run side by side, each on one thread; unfinished solvers are a part of the plan (`linear.py`).
        warnings.simplefilter("ignore", ConvergenceWarning)
        table = Table(
            frame=frame, y=y, task=task, inputs=tuple(one for one in inputs if one.name != demands.exposure_column), folds=clean_folds(folds, y, aim), featurize=featurize,
            aim=aim, seed=seed, threads=threads, groups=groups,
            is_time_ordered=is_time_ordered, w=demands.row_weights, workers=workers, look_up=look_up,
        )  # fmt: skip
        hunt = _hunt(table, limit, progress, budget_s=budget_s, memory=memory)
        if prefer == "small":
            prefer_small(hunt.standing, hunt.arena)
        trained = _finish(table, hunt, limit, progress, began=began, n_twins=n_twins)
    if demands.exposure is None:
        return trained
    exposed = tuple(one for one in inputs if one.name == demands.exposure_column)
    pipeline = replace(trained.pipeline, exposure=demands.exposure_column, inputs=(*trained.pipeline.inputs, *exposed))
    small = trained.small and replace(
        trained.small,
        pipeline=replace(trained.small.pipeline, exposure=pipeline.exposure, inputs=pipeline.inputs),
    )
    return replace(trained, pipeline=pipeline, oof=trained.oof * demands.exposure, small=small)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hunt:
    """What the contest left behind."""

    contest: Contest
    arena: Arena
    standing: Standing
    left_out: tuple[str, ...]
    doubt: Doubt | None = None


def _grant_final_time(limit: Limit, expected_s: float) -> Limit:
    """Return the limit of the final fit: what is left of the budget, but never less than twice what the fit should take.

    A model that was cut short in its last fit is worse than one that is late: its calibration and threshold were settled on
    whole fits.
    """
    span_s = max(limit.seconds_left, FINAL_GRACE * expected_s, FINAL_LEAST_S)
    return Limit(clock=limit.clock, ends_at=limit.clock() + span_s)


def _hunt(table: Table, limit: Limit, progress: Progress, *, budget_s: float, memory: Memory | None) -> _Hunt:
    """Encode the rows, distrust clocks where time orders them, and hold the contest."""
    contest = table.draw_contest()
    arena = table.build_arena(contest)
    if not table.folds:
        standing = Standing()
        standing.add(table.try_constant(arena, limit), arena)
        return _Hunt(contest=contest, arena=arena, standing=standing, left_out=())
    first: Tried | None = None
    left_out: tuple[str, ...] = ()
    if table.is_time_ordered:
        suspects = find_clock_columns(arena.features.matrix, contest.folds)
        table = replace(table, hidden=suspects.stepping)
        arena = replace(arena, features=arena.features.hide(suspects.stepping))
        contest, arena, first, left_out = _distrust_clocks(table, contest, arena, limit, suspects)
    standing = hold_contest(arena, limit, progress, budget_s=budget_s, first=first, memory=memory)
    doubt = None
    if not limit.should_stop():
        doubt = find_doubt(standing.mix_answers(), arena, standing.tried, _grant_final_time(limit, 0.0))
    return _Hunt(contest=contest, arena=arena, standing=standing, left_out=left_out, doubt=doubt)


def _distrust_clocks(
    table: Table, contest: Contest, arena: Arena, limit: Limit, suspects: Suspects
) -> tuple[Contest, Arena, Tried | None, tuple[str, ...]]:
    """Leave out columns that grow beyond everything that was seen unless a quick model does better with them, forward in time.

    Where time cuts the trial short, its word counts for little, and they stay out.
    """
    if not suspects.unbounded:
        return contest, arena, None, ()
    fewer = table.draw_contest(without=suspects.unbounded, is_refused=False)
    if not fewer.source.encoders:
        return contest, arena, None, ()
    plain = table.build_arena(fewer)
    recipe = list_recipes(arena.aim, shape_of(plain))[0]

    def attempt(ground: Arena) -> Tried:
        return ground.try_recipe(recipe, limit.shorten(min(CLOCK_TRIAL_S, CLOCK_TRIAL_SHARE * limit.seconds_left)))

    distrusting = attempt(plain)
    if not distrusting.is_cut:
        trusting = attempt(arena)
        if do_clocks_help(trusting, distrusting, y=arena.y, folds=contest.folds, aim=arena.aim):
            return contest, arena, trusting, ()
    return fewer, plain, distrusting, suspects.unbounded


def _finish(table: Table, hunt: _Hunt, limit: Limit, progress: Progress, *, began: float, n_twins: int) -> Trained:
    """Calibrate, fit the chosen candidates on all rows and put everything together."""
    contest, arena, standing = hunt.contest, hunt.arena, hunt.standing
    is_time_ordered = table.is_time_ordered
    oof, calibration = _calibrate(standing, arena, contest.folds, seed=table.seed, is_time_ordered=is_time_ordered)
    progress.step("fitting the chosen models on all rows")
    source, whole = table.gather_final(contest, arena, without=hunt.left_out)
    chosen = standing.list_chosen()
    fold_rows = float(np.mean([len(fold.fit) for fold in contest.folds])) if contest.folds else len(whole.y)
    final_began = limit.clock()
    final = fit_final(
        chosen,
        whole,
        limit=_grant_final_time(limit, sum(one.refit_seconds for one, _ in chosen)),
        fold_rows=fold_rows,
    )
    final_s = limit.clock() - final_began
    used = {encoder.column for encoder in source.encoders}
    pipeline = Pipeline(
        kind=table.task.kind,
        inputs=tuple(column for column in table.inputs if column.name in used),
        encoders=tuple(source.encoders),
        members=final.members,
        calibration=calibration,
        classes=table.task.classes,
        value_low=table.aim.value_low,
        value_high=table.aim.value_high,
    )
    native = build_native(final, calibration, table.aim)
    all_oof = np.full((len(table.y), *oof.shape[1:]), np.nan)
    all_oof[contest.rows] = oof
    promise = promise_loss(measure_folds(arena, oof), table.aim.metric) if table.is_time_ordered else None
    outcome = Outcome(
        y=arena.y,
        oof=oof,
        folds=contest.folds,
        aim=table.aim,
        final_loss=_measure_final(whole, native),
        promise=promise,
    )
    twins = fit_with_other_seeds(
        chosen, whole, calibration, n_most=n_twins, limit=limit, expected_s=final_s, fold_rows=fold_rows
    )
    return Trained(
        pipeline=pipeline,
        oof=all_oof,
        candidates=_list_scores(standing, table.aim),
        train_seconds=limit.clock() - began,
        stopped="interrupted" if limit.should_stop() else "budget" if standing.is_cut else "done",
        predict_native=native,
        notes=tell_notes(
            outcome,
            Counts(all=len(table.y), compared=len(contest.rows), final=final.n_rows),
            is_time_ordered=is_time_ordered,
            left_out=hunt.left_out,
            is_cut=standing.is_cut and not limit.should_stop(),
            lacks_twins=len(twins) < min(n_twins, FEWEST_TWINS) and not limit.should_stop(),
        ),
        small=_set_small_aside(table, hunt, pipeline, final),
        promise=promise,
        doubt=hunt.doubt,
        twins=twins,
    )


def _set_small_aside(table: Table, hunt: _Hunt, pipeline: Pipeline, final: Final) -> Small | None:
    """Return the member with the lowest loss as a pipeline of its own, calibrated by itself."""
    arena, standing = hunt.arena, hunt.standing
    chosen = standing.list_chosen()
    if len(chosen) < 2:  # noqa: PLR2004  one member is the small model already
        return None
    place = int(np.argmin([one.loss for one, _ in chosen]))
    alone = Standing(tried=[chosen[place][0]], weights=np.ones(1))
    oof, calibration = _calibrate(
        alone, arena, hunt.contest.folds, seed=table.seed, is_time_ordered=table.is_time_ordered
    )
    rows = standing.find_common_rows()
    blend = standing.mix_answers()
    member = replace(final.members[place], weight=1.0)
    return Small(
        pipeline=replace(pipeline, members=(member,), calibration=calibration),
        predict_native=build_native(
            replace(final, members=(member,), fitted=(final.fitted[place],)), calibration, table.aim
        ),
        loss=arena.measure(rows, oof[rows]),
        blend_loss=arena.measure(rows, blend[rows]),
        is_within_noise=is_within_noise(
            arena.y[rows],
            chosen[place][0].oof[rows],
            blend[rows],
            arena.aim,
            None if arena.w is None else arena.w[rows],
        ),
    )


def _measure_final(whole: Arena, native: Callable[[FeatureMatrix], Float]) -> float:
    """Return the loss of the finished pipeline on some of the rows it was fitted on: a check that it is whole."""
    width = max(1, whole.features.width("linear"))
    sample, rows = whole.features.sample(max(1, min(FINAL_CHECK_ROWS, FINAL_CHECK_CELLS // width)))
    return whole.measure(rows, native(sample))


def _calibrate(
    standing: Standing, arena: Arena, folds: Sequence[FoldRows], *, seed: int, is_time_ordered: bool
) -> tuple[Float, Calibration]:
    """Return the out-of-fold answers as the pipeline will give them, and the calibration that helped."""
    oof = standing.mix_answers()
    known = find_known(oof)
    if arena.aim.kind == "regression":
        oof[known] = np.clip(oof[known], arena.aim.value_low, arena.aim.value_high)
        return oof, Calibration(kind="none")
    if not folds or arena.w is not None:  # the maps know no weights, and unweighted ones would undo them
        return oof, Calibration(kind="none")
    place = np.cumsum(known) - 1
    held = [place[fold.held[known[fold.held]]] for fold in folds]
    forward = [(np.concatenate(held[:number]), held[number]) for number in range(1, len(held))]
    if is_time_ordered and not forward:
        return oof, Calibration(kind="none")
    calibration = choose_calibration(arena.y[known], oof[known], forward if is_time_ordered else seed)
    oof[known] = apply_calibration(calibration, oof[known])
    return oof, calibration


def _list_scores(standing: Standing, aim: Aim) -> tuple[CandidateScore, ...]:
    return tuple(
        CandidateScore(
            name=one.recipe.name, loss=one.loss, metric=aim.metric, seconds=one.seconds, weight=float(weight)
        )
        for one, weight in zip(standing.tried, standing.weights, strict=True)
    )
