"""Whether a challenger may take the champion's place: better by more than noise, nowhere clearly worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.sentences import say_figure, say_reach
from skiff.evaluate.compare import compare_paired, is_better
from skiff.evaluate.intervals import LEVEL
from skiff.evaluate.slices import MIN_ROWS, find_groups

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

TOLD = 3
"""Groups that are named; the page of a challenger that is worse everywhere would else be a list."""

FLOOR = 1e-12
"""Probabilities are kept this far from 0 before a logarithm is taken."""

GONE = "The champion no longer keeps its promise, so those older rows tell of a world that is gone: they do not count."

METRICS = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
"""What both are compared by: proper scores, which need no threshold and see a shifted calibration as well as a lost order
(Gneiting, T. and Raftery, A. E. (2007). Strictly proper scoring rules. JASA 102, 359-378)."""


def choose_loss(task: Task) -> tuple[str, float]:
    """Return the metric of `METRICS` that the task asks for, and the threshold to measure it with (of a quantile: itself).

    Examples
    --------
    >>> choose_loss(Task(kind="regression", target="sold")), choose_loss(Task(kind="regression", target="sold", quantile=0.9))
    (('rmse', 0.5), ('pinball_loss', 0.9))
    """
    return (METRICS[task.kind], 0.5) if task.quantile is None else ("pinball_loss", task.quantile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Sealed rows with the answers of both, in the same order.

    Parameters
    ----------
    name : str
        ``recent`` or ``frozen``.
    y : ndarray of shape (n_rows,)
        Class codes or values.
    champion, challenger : ndarray of shape (n_rows, n_classes) or (n_rows,)
    """

    name: str
    y: Float
    champion: Float
    challenger: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorseGroup:
    """A group of recent rows for which the challenger is clearly worse."""

    column: str
    level: str
    n: int
    gap: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The verdict on a challenger, with its reasons in plain sentences.

    Parameters
    ----------
    is_won : bool
    differences : tuple of (str, Measurement)
        Challenger minus champion, for each set of sealed rows.
    worse : tuple of WorseGroup
    reasons : tuple of str
    """

    is_won: bool
    differences: tuple[tuple[str, Measurement], ...]
    worse: tuple[WorseGroup, ...]
    reasons: tuple[str, ...]


def judge_challenge(
    task: Task,
    recent: Rows,
    frozen: Rows | None,
    frame: pl.DataFrame,
    inputs: Sequence[InputColumn],
    *,
    is_promise_kept: bool = True,
    seed: int,
) -> Challenge:
    """Compare a challenger with the champion on recent and on frozen sealed rows that neither has learned from.

    It wins if it is better by more than noise (the paired interval lies on its side) on the recent rows and on recent and
    frozen rows together, if it is not worse on the frozen rows by more than noise, and if no group of recent rows is clearly
    worse off. Where the champion's promise is broken the frozen rows tell of a world that is gone: they are shown, and do not
    count.

    Parameters
    ----------
    task : Task
    recent, frozen : Rows
        `frozen` are the rows the champion was judged on; None where they are not kept any more.
    frame : polars.DataFrame
        The recent rows, for their groups.
    inputs : sequence of InputColumn
    is_promise_kept : bool
        Whether the champion's delivered quality is what was promised, as far as noise lets one see.
    seed : int

    Notes
    -----
    Log loss for classes, root mean squared error for numbers, pinball loss for a quantile of them. Groups of at least 30 rows are compared by the paired
    difference of their losses, two-sided at 5 % over all groups together (Bonferroni), so a group is named only where chance
    hardly explains it; a small group can be worse off without being seen.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=400)
    >>> rows = Rows(name="recent", y=y, champion=y + rng.normal(size=400), challenger=y + 0.3 * rng.normal(size=400))
    >>> import polars as pl
    >>> made = judge_challenge(Task(kind="regression", target="sold"), rows, None, pl.DataFrame({"shop": ["a"] * 400}), [], seed=0)
    >>> made.is_won
    True
    """
    metric = choose_loss(task)
    sets = [recent, *([frozen, _join(recent, frozen)] if frozen is not None else [])]
    differences = [(rows.name, _compare(rows, metric, seed=seed)) for rows in sets]
    worse = find_worse_groups(task, recent, frame, inputs)
    found = dict(differences)
    is_better_now = is_better(found["recent"])
    holds = True
    reasons = [_say_recent(found["recent"], is_better_now=is_better_now)]
    if frozen is not None:
        holds = not is_promise_kept or (not is_worse(found["frozen"]) and is_better(found["together"]))
        reasons.append(_say_frozen(found["frozen"], has_forgotten=is_worse(found["frozen"])))
        reasons.append(_say_together(found["together"]) if is_promise_kept else GONE)
    reasons += [_say_group(group) for group in worse[:TOLD]]
    if len(worse) > TOLD:
        more = len(worse) - TOLD
        reasons.append(f"And {more:,} more {'group is' if more == 1 else 'groups are'} clearly worse off.")
    return Challenge(
        is_won=is_better_now and holds and not worse,
        differences=tuple(differences),
        worse=worse,
        reasons=tuple(reasons),
    )


def is_worse(difference: Measurement) -> bool:
    """Return whether the interval of a difference lies wholly on the bad side of 0.

    Examples
    --------
    >>> is_worse(Measurement(name="rmse_difference", value=2.0, low=1.0, high=3.0, higher_is_better=False))
    True
    """
    if difference.low is None or difference.high is None:
        return False
    return difference.high < 0 if difference.higher_is_better else difference.low > 0


def find_worse_groups(
    task: Task, rows: Rows, frame: pl.DataFrame, inputs: Sequence[InputColumn]
) -> tuple[WorseGroup, ...]:
    """Return the groups of recent rows whose loss under the challenger is clearly higher, the worst first.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> shop, y = ["north", "south"] * 200, rng.normal(size=400)
    >>> off = np.where(np.arange(400) % 2 == 0, 2.0, 0.1) * rng.normal(size=400)
    >>> rows = Rows(name="recent", y=y, champion=y + 0.5 * rng.normal(size=400), challenger=y + off)
    >>> found = find_worse_groups(Task(kind="regression", target="sold"), rows, pl.DataFrame({"shop": shop}),
    ...                           [InputColumn(name="shop", kind="category")])
    >>> [(group.column, group.level) for group in found]
    [('shop', 'north')]
    """
    gaps = _measure_losses(task, rows.y, rows.challenger) - _measure_losses(task, rows.y, rows.champion)
    groups = [group for group in find_groups(frame, inputs, protected=task.protected) if group.rows.sum() >= MIN_ROWS]
    if not groups:
        return ()
    reach = float(ndtri(1 - (1 - LEVEL) / 2 / len(groups)))
    found = []
    for group in groups:
        own = gaps[group.rows]
        mean, error = float(own.mean()), float(own.std(ddof=1)) / len(own) ** 0.5
        if mean - reach * error > 0:
            gap = Measurement(
                name="loss_difference",
                value=mean,
                low=mean - reach * error,
                high=mean + reach * error,
                n=len(own),
                higher_is_better=False,
                method=f"paired difference of losses, Bonferroni over {len(groups)} groups",
            )
            found.append(WorseGroup(column=group.column, level=group.level, n=len(own), gap=gap))
    return tuple(sorted(found, key=lambda item: -item.gap.value))


def _measure_losses(task: Task, y: Float, prediction: Float) -> Float:
    """Return the loss of each row: minus the log of the true class's probability, the squared error, a quantile's own loss."""
    if task.quantile is not None:
        return np.where(y > prediction, task.quantile, 1 - task.quantile) * np.abs(y - prediction)
    if task.kind == "regression":
        return (prediction - y) ** 2
    chosen = prediction[np.arange(len(y)), y.astype(np.int64)]
    return -np.log(np.maximum(chosen, FLOOR))


def _join(recent: Rows, frozen: Rows) -> Rows:
    return Rows(
        name="together",
        y=np.concatenate([recent.y, frozen.y]),
        champion=np.concatenate([recent.champion, frozen.champion]),
        challenger=np.concatenate([recent.challenger, frozen.challenger]),
    )


def _compare(rows: Rows, metric: tuple[str, float], *, seed: int) -> Measurement:
    y = rows.y if rows.champion.ndim == 1 else rows.y.astype(np.int64)
    return compare_paired(y, rows.challenger, rows.champion, metric[0], threshold=metric[1], seed=seed)


def _say_recent(difference: Measurement, *, is_better_now: bool) -> str:
    size = say_size(difference)
    if is_better_now:
        return f"On {difference.n:,} recent rows that neither has learned from, the challenger is better by more than noise: {size}."
    return f"On {difference.n:,} recent rows that neither has learned from, the challenger is not better by more than noise: {size}."


def _say_frozen(difference: Measurement, *, has_forgotten: bool) -> str:
    size = say_size(difference)
    if has_forgotten:
        return f"On the {difference.n:,} rows the champion was judged on, the challenger is worse by more than noise: {size}."
    return f"On the {difference.n:,} rows the champion was judged on, the challenger is not worse by more than noise: {size}."


def _say_together(difference: Measurement) -> str:
    verdict = "better by more than noise" if is_better(difference) else "not better by more than noise"
    return f"On both together the challenger is {verdict}: {say_size(difference)}."


def say_size(difference: Measurement) -> str:
    """Return a difference of losses with its interval, in words."""
    name = difference.name.removesuffix("_difference")
    reach = say_reach(difference.low, difference.high, is_signed=True)
    return f"{name} {say_figure(difference.value, is_signed=True)} ({reach}; lower is better)"


def _say_group(group: WorseGroup) -> str:
    return (
        f"The challenger is clearly worse where '{group.column}' is '{group.level}' ({group.n:,} recent rows): "
        f"loss {say_figure(group.gap.value, is_signed=True)} a row ({say_reach(group.gap.low, group.gap.high, is_signed=True)})."
    )
