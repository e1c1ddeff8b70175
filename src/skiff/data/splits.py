"""Honest splits: by time where there is time, by group where entities repeat."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.dealing import code_strata, deal, deal_share
from skiff.data.moments import build_moments, find_cut, sort_known
from skiff.data.rows import code_rows, count_copies, number_rows
from skiff.data.sentences import count_rows
from skiff.data.task import encode_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.int64]
    Float = NDArray[np.float64]
    Bool = NDArray[np.bool_]

SplitKind: TypeAlias = Literal["time", "group", "stratified", "random"]

SMALL_TABLE = 200
"""Rows below which a fifth for judging leaves intervals of ±15 points and more (Wilson, 40 rows), which is said."""

MIN_OF_CLASS = 5
"""Rows of a second class wanted on each side of a cut in time, so that there is something to judge."""

MIN_NEWCOMERS = 0.5
"""Share of the usual test size that rows of new entities must reach to be the test by themselves (time and group)."""

FIRST_BLOCK = 2
"""Blocks of time that the first fold learns from: one alone would be too little to start with."""

MIN_GROUPS = 3
"""Entities needed to hold some out: one to judge, two to learn and tune."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which rows train and which are sealed.

    Parameters
    ----------
    kind : {"time", "group", "stratified", "random"}
    reason : str
        One plain sentence.
    train, test : ndarray of int64
        Positions in the table; disjoint. Rows without a target are in neither.
    folds : tuple of (ndarray, ndarray)
        Positions *within* `train`: fitting rows and held-out rows of each fold; forward in time for ``time``.
    """

    kind: SplitKind
    reason: str
    train: Rows
    test: Rows
    folds: tuple[tuple[Rows, Rows], ...]


def propose_split(
    frame: pl.DataFrame,
    task: Task,
    *,
    seed: int,
    test_share: float = 0.2,
    n_folds: int = 5,
    keeps_groups: bool = False,
) -> tuple[Split, list[Finding]]:
    """Set the rows for judging aside the way the model will be used, and say why that way.

    With a time column the latest rows are the test, with a group column whole groups, with both later rows of new
    groups; else rows are drawn so that classes (or the range of amounts) keep their shares. Rows that are equal in every
    cell are never on both sides.

    Parameters
    ----------
    frame : polars.DataFrame
    task : Task
    seed : int
    test_share : float
        Share of the rows with a target to judge by, 0 to 1.
    n_folds : int
        Folds within the training rows.
    keeps_groups : bool
        The group was asked for and the time was not: where both cannot be had, whole groups win over the order of time.

    Returns
    -------
    Split
    list of Finding
        ``split.kind`` with the reason; ``split.small_test`` and others where they apply.

    Raises
    ------
    SkiffError
        ``too_few_groups`` where the group column has fewer than three values.

    Notes
    -----
    With both time and group, rows after the cut of entities met before it are in neither part. Where too few rows of
    new entities are left, the cut in time alone decides and that is said; with `keeps_groups` whole groups decide instead.

    Examples
    --------
    >>> stays = pl.DataFrame({"nights": range(100), "cancelled": ["yes", "no", "no", "no"] * 25})
    >>> task = Task(kind="binary", target="cancelled", classes=("no", "yes"), positive="yes")
    >>> split, findings = propose_split(stays, task, seed=0)
    >>> split.kind, len(split.train), len(split.test), len(split.folds)
    ('stratified', 80, 20, 5)
    """
    y, has_target = encode_target(frame, task)
    rows = np.flatnonzero(has_target).astype(np.int64)
    rng = np.random.default_rng(seed)
    plan = _Plan(
        frame=frame,
        task=task,
        rows=rows,
        y=y[rows],
        rng=rng,
        test_share=test_share,
        n_folds=n_folds,
        keeps_groups=keeps_groups and task.group is not None,
    )
    split, notes = _split_by_time(plan) if task.time else (None, [])
    if split is None and task.group:
        split = _split_by_group(plan)
    if split is None:
        split = _split_at_random(plan)
    findings = [_tell_kind(split, task), *notes, *_tell_small(split)]
    return split, findings


def random_split(frame: pl.DataFrame, task: Task, *, seed: int, test_share: float = 0.2, n_folds: int = 5) -> Split:
    """Shuffle the rows without regard to time, groups or copies: the flattering split, to show beside the honest one.

    Examples
    --------
    >>> days = pl.DataFrame({"sold": [float(day) for day in range(100)]})
    >>> split = random_split(days, Task(kind="regression", target="sold"), seed=0)
    >>> split.kind, len(split.test)
    ('random', 20)
    """
    y, has_target = encode_target(frame, task)
    rows = np.flatnonzero(has_target).astype(np.int64)
    rng = np.random.default_rng(seed)
    strata = code_strata(y[rows], task)
    is_test = deal_share(np.arange(len(rows)), strata, test_share, rng=rng)
    train = rows[~is_test]
    return Split(
        kind="random",
        reason="Rows were shuffled without regard to time, groups or copies, which flatters the model.",
        train=train,
        test=rows[is_test],
        folds=_deal_folds(np.arange(len(train)), strata[~is_test], n_folds, rng=rng),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What every way of splitting starts from.

    `rows` have a target, `y` holds their targets in the same order.
    """

    frame: pl.DataFrame
    task: Task
    rows: Rows
    y: Float
    rng: np.random.Generator
    test_share: float
    n_folds: int
    keeps_groups: bool = False

    @property
    def strata(self) -> Rows:
        return code_strata(self.y, self.task)

    def code_groups(self) -> Rows:
        """Return a code per row for its entity; a row without one is an entity of its own."""
        column = self.frame[self.task.group or ""][self.rows]
        codes = column.hash(seed=0).reinterpret(signed=True).to_numpy()
        return np.where(column.is_null().to_numpy(), np.arange(len(codes)), codes)


def _split_at_random(plan: _Plan) -> Split:
    units, copies = count_copies(code_rows(plan.frame)[plan.rows])
    is_test = deal_share(units, plan.strata, plan.test_share, rng=plan.rng)
    is_class = plan.task.kind != "regression"
    how = (
        f"with each answer in '{plan.task.target}' as frequent"
        if is_class
        else f"small and large '{plan.task.target}' alike"
    )
    why = (
        f"'{plan.task.time}' could not divide them by time, and no column of what belongs together was named or found"
        if plan.task.time
        else "no column that divides them by time, or by what belongs together, was named or found"
    )
    return _finish(
        plan,
        "stratified" if is_class else "random",
        f"Rows were drawn at random, {how} on both sides: {why}.",
        is_test=is_test,
        # A row that fills half a fold by itself is a frequent case, not a copy made twice: folds may divide it.
        units=np.where(copies * 2 * plan.n_folds > len(copies), len(units) + np.arange(len(units)), units),
    )


def _split_by_group(plan: _Plan) -> Split:
    units = count_copies(plan.code_groups())[0]
    n_groups = int(units.max(initial=-1)) + 1
    if n_groups < MIN_GROUPS:
        raise SkiffError(
            "too_few_groups",
            what=f"'{plan.task.group}' has only {n_groups} different values, so none can be kept for judging.",
            where={"column": str(plan.task.group), "option": "--group"},
            fix="Leave out --group, or name a column with more values.",
        )
    is_test = deal_share(units, plan.strata, plan.test_share, rng=plan.rng)
    return _finish(
        plan,
        "group",
        f"All rows of one '{plan.task.group}' are on the same side, so the model is judged on ones it has never met.",
        is_test=is_test,
        units=units,
    )


def _finish(plan: _Plan, kind: SplitKind, reason: str, *, is_test: Bool, units: Rows) -> Split:
    """Deal the training rows into folds and put the parts together."""
    folds = _deal_folds(units[~is_test], plan.strata[~is_test], plan.n_folds, rng=plan.rng)
    return Split(kind=kind, reason=reason, train=plan.rows[~is_test], test=plan.rows[is_test], folds=folds)


def _deal_folds(units: Rows, strata: Rows, n_folds: int, *, rng: np.random.Generator) -> tuple[tuple[Rows, Rows], ...]:
    fold = deal(units, strata, n_folds, rng=rng)
    parts = ((np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(int(fold.max()) + 1))
    return tuple((fit.astype(np.int64), held.astype(np.int64)) for fit, held in parts if len(fit) and len(held))


def _split_by_time(plan: _Plan) -> tuple[Split | None, list[Finding]]:
    """Cut the latest rows off; None where that leaves nothing to judge."""
    time = str(plan.task.time)
    moments = build_moments(plan.frame, time)[plan.rows]
    cut = find_cut(moments, plan.test_share)
    notes = _tell_timeless(plan, moments)
    if cut is None:
        return None, [*notes, _tell_no_cut(time, "too many rows fall on the same moment to cut off the latest fifth")]
    is_late, is_early = moments >= cut, moments < cut
    if not (_has_two_answers(plan, is_late) and _has_two_answers(plan, is_early)):
        return None, [
            *notes,
            _tell_no_cut(time, f"'{plan.task.target}' has a single answer before or after every fair cut"),
        ]
    reason = f"The latest rows by '{time}' are for judging, because the model will be used on rows that come later."
    is_test = is_late
    if plan.task.group:
        is_test, told = _keep_newcomers(plan, is_late, is_early)
        is_divided = bool(is_test.sum() == is_late.sum()) and told.rows > 0
        if is_divided and plan.keeps_groups:
            return None, [*notes, _tell_groups_first(plan, n_known=told.rows, n_late=int(is_late.sum()))]
        reason += (
            f" Time alone divides them: the same '{plan.task.group}' may be on both sides."
            if is_divided
            else f" No '{plan.task.group}' is on both sides."
        )
        notes.append(told)
    train = np.flatnonzero(is_early)
    folds = _cut_folds(moments[train], plan.y[train], plan)
    if not folds:
        return None, [*notes, _tell_no_cut(time, "there are too few different moments to learn step by step")]
    return Split(kind="time", reason=reason, train=plan.rows[train], test=plan.rows[is_test], folds=folds), notes


def _has_two_answers(plan: _Plan, chosen: Bool) -> bool:
    if plan.task.kind == "regression":
        return bool(chosen.sum() >= MIN_OF_CLASS)
    counts = np.sort(np.bincount(plan.y[chosen].astype(np.int64), minlength=2))
    return bool(counts[-2] >= min(MIN_OF_CLASS, 0.5 * np.sort(np.bincount(plan.y.astype(np.int64)))[-2]))


def _keep_newcomers(plan: _Plan, is_late: Bool, is_early: Bool) -> tuple[Bool, Finding]:
    """Judge by later rows of entities that were not met before, where there are enough of them."""
    groups = plan.code_groups()
    is_known = np.isin(groups, np.unique(groups[is_early]))
    newcomers = is_late & ~is_known
    is_enough = newcomers.sum() >= MIN_NEWCOMERS * is_late.sum() and _has_two_answers(plan, newcomers)
    n_known = int((is_late & is_known).sum())
    what = (
        f"{count_rows(n_known)} after the cut belong to a '{plan.task.group}' met before it; they are used neither to train "
        "nor to judge."
        if is_enough
        else f"Most later rows belong to a '{plan.task.group}' met before the cut, so time alone decides who judges."
    )
    return (newcomers if is_enough else is_late), Finding(
        code="split.group",
        severity="info",
        columns=(str(plan.task.group),),
        rows=n_known,
        evidence={"rows_of_known": n_known, "rows_of_new": int(newcomers.sum())},
        what=what,
        why_it_matters="A model recognises what it has met before; on new ones it may be less good.",
        remedy="Nothing to do."
        if is_enough
        else "The score holds for ones that are met again; it may be lower for new ones. Where new ones matter, name "
        f"--group {plan.task.group} without --time: whole groups are then kept on one side.",
    )


def _tell_groups_first(plan: _Plan, *, n_known: int, n_late: int) -> Finding:
    """Say that groups, which were asked for, could not be kept whole along the time, which was only found."""
    time, group = str(plan.task.time), str(plan.task.group)
    return Finding(
        code="split.time_not_used",
        severity="warn",
        columns=(time, group),
        rows=n_known,
        evidence={"rows_of_known": n_known, "late_rows": n_late},
        what=f"The rows were divided by '{group}', as asked, and not by '{time}' as well: {n_known:,} of the {n_late:,} latest "
        f"rows belong to a '{group}' met before.",
        why_it_matters="The model is judged on ones it never met, but of the same time as those it learned from, which can flatter it.",
        remedy=f"If predictions are made for the same ones again, later, name --time {time} too: the latest rows then judge.",
    )


def _cut_folds(moments: Float, y: Float, plan: _Plan) -> tuple[tuple[Rows, Rows], ...]:
    """Return folds that learn from the past and are judged on the block of time that follows."""
    ranked = sort_known(moments)
    starts = np.append(0, np.flatnonzero(ranked[1:] > ranked[:-1]) + 1)  # a moment is never divided
    wanted = (np.arange(plan.n_folds) + FIRST_BLOCK) / (plan.n_folds + FIRST_BLOCK) * len(ranked)
    nearest = np.abs(starts[None, :] - wanted[:, None]).argmin(axis=1) if len(starts) <= 10_000 else None  # noqa: PLR2004  a table of distances stays below 1 MB
    places = (
        starts[nearest] if nearest is not None else starts[np.searchsorted(starts, wanted).clip(0, len(starts) - 1)]
    )
    cuts = [*np.unique(places[places > 0]).tolist(), len(ranked)]
    folds = []
    for begin, end in itertools.pairwise(cuts):
        is_fitting = moments < ranked[begin]
        is_held = ~is_fitting if end == len(ranked) else ~is_fitting & (moments < ranked[end])
        answers = y[is_fitting]
        has_choice = plan.task.kind == "regression" or (len(answers) > 0 and answers.min() < answers.max())
        if has_choice and end > begin:
            folds.append((np.flatnonzero(is_fitting).astype(np.int64), np.flatnonzero(is_held).astype(np.int64)))
    return tuple(folds)


def _tell_kind(split: Split, task: Task) -> Finding:
    columns_of_kind = {"time": (task.time,), "group": (task.group,)}
    columns = columns_of_kind.get(split.kind, ())
    n_train, n_test = len(split.train), len(split.test)
    return Finding(
        code="split.kind",
        severity="info",
        columns=tuple(name for name in columns if name),
        rows=n_test,
        evidence={"kind": split.kind, "train_rows": n_train, "test_rows": n_test, "folds": len(split.folds)},
        what=f"{count_rows(n_test)} are sealed for judging, {count_rows(n_train)} train. {split.reason}",
        why_it_matters="A score only means something on rows the model has never seen, chosen the way it will be used.",
        remedy=f"Name {'another' if split.kind in columns_of_kind else 'a'} column with --time or --group if the rows should be divided otherwise.",
    )


def _tell_timeless(plan: _Plan, moments: Float) -> list[Finding]:
    is_missing = ~np.isfinite(moments)
    if not is_missing.any():
        return []
    everywhere = np.zeros(plan.frame.height, dtype=np.bool_)
    everywhere[plan.rows[is_missing]] = True
    return [
        Finding(
            code="split.missing_time",
            severity="warn",
            columns=(str(plan.task.time),),
            rows=int(is_missing.sum()),
            sample_rows=number_rows(everywhere),
            evidence={"share": float(is_missing.mean())},
            what=f"{count_rows(int(is_missing.sum()))} have no '{plan.task.time}' and are neither trained on nor judged by.",
            why_it_matters="Without it nobody knows whether they came before or after the rows the model is judged on.",
            remedy="Fill the column in, or choose another one with --time.",
        )
    ]


def _tell_no_cut(time: str, because: str) -> Finding:
    return Finding(
        code="split.time_not_used",
        severity="warn",
        columns=(time,),
        what=f"The rows could not be divided by '{time}': {because}.",
        why_it_matters="The model is judged on rows of the same time as those it learned from, which can flatter it.",
        remedy="Collect rows over a longer time, or name a finer column with --time.",
    )


def _tell_small(split: Split) -> list[Finding]:
    n_rows = len(split.train) + len(split.test)
    if n_rows >= SMALL_TABLE:
        return []
    return [
        Finding(
            code="split.small_test",
            severity="warn",
            rows=len(split.test),
            evidence={"test_rows": len(split.test)},
            what=f"Only {count_rows(len(split.test))} are left for judging, so every score comes with a wide interval.",
            why_it_matters="With so few rows luck decides much: two equally good models can look far apart.",
            remedy="Collect more rows before deciding anything that costs money.",
        )
    ]
