"""Labels from people: which rows of a dataset to ask for first, whether more would help, and the dataset with what they said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.progress import Progress, Silent
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.fixing import Fix, list_fixes
from skiff.data.kinds import infer_inputs
from skiff.data.task import encode_target, infer_task, label_target
from skiff.deploy.featurizer import featurize
from skiff.flows.datasets import keep_dataset, load_dataset
from skiff.flows.review import name_labels
from skiff.govern.labelling import (
    LEAST_LABELS,
    NEXT_LABELS,
    Curve,
    Effort,
    draw_curve,
    estimate_hours,
    lay_out,
    measure_doubt,
    rank_rows,
)
from skiff.govern.review import LONGEST_S, count_words
from skiff.store.catalog import to_text
from skiff.store.clock import now_utc
from skiff.store.records import DatasetRecord
from skiff.store.reviews import NewReview, ReviewRecord
from skiff.store.workspace import Workspace
from skiff.train.shadows import fit_shadows, plan_shadows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

TREES, WORDS = ("lightgbm quick", 1.0), ("linear", 1.0)
"""The recipes that are asked: fast, and good enough to tell doubtful rows from clear ones. Trees do not hear texts."""

FOLDS = 5
SHARES = (0.25, 0.5, 1.0)
"""Parts of the labels that the curve is measured on, each on the same rows held out."""

MOST_LABELLED, MOST_WAITING = 4_000, 20_000
"""Rows that are learned from, and rows that are looked through; of more a sample is taken."""

BUDGET_S = 20.0
CLIP = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """What is to be labelled, and what it is worth.

    Parameters
    ----------
    dataset, sha256 : str
    labelled, unlabelled, doubtful, queued : int
        Rows with an answer, without one, whose answer looks wrong, and those that wait in the queue now.
    curve : Curve
    effort : Effort
        For the rows without an answer.
    next_effort : Effort
        For the next hundred.
    """

    dataset: str
    sha256: str
    labelled: int
    unlabelled: int
    doubtful: int
    queued: int
    curve: Curve
    effort: Effort
    next_effort: Effort


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A dataset with the labels that people gave meanwhile."""

    record: DatasetRecord
    frame: pl.DataFrame
    task: Task
    inputs: tuple[InputColumn, ...]
    y: Float
    is_known: NDArray[np.bool_]
    done: tuple[ReviewRecord, ...]


def queue_labels(
    workspace: Workspace,
    key: str | None,
    *,
    n_rows: int = NEXT_LABELS,
    seed: int = 0,
    progress: Progress | None = None,
) -> LabelPlan:
    """Queue the rows of a dataset that are most worth a label, and say what the next hundred labels would bring.

    Parameters
    ----------
    workspace : Workspace
    key : str or None
        Id, hash or name of the dataset; the newest by default.
    n_rows : int
        How many rows wait at most; those of an earlier call that nobody has begun are ranked anew.
    seed : int
    progress : Progress, optional

    Raises
    ------
    SkiffError
        ``dataset_not_found``, ``target_missing``; what `skiff.data.task.infer_task` refuses where too few rows have an answer.
    """
    progress = progress or Silent()
    table = _load(workspace, key)
    known, open_rows = np.flatnonzero(table.is_known), np.flatnonzero(~table.is_known)
    chance = np.random.default_rng(seed)
    learned = np.sort(chance.permutation(known)[:MOST_LABELLED])
    waiting = np.sort(chance.permutation(open_rows)[:MOST_WAITING])
    progress.stage("Labels", f"learning from {len(learned):,} labelled rows which others to ask for")
    curve, outside, prob = _learn(table, learned, waiting, worth=workspace.settings.review.worth_gain, seed=seed)
    fixes = _find_doubtful(table, learned, outside)
    doubt = np.ones(len(waiting)) if prob is None or prob.ndim == 1 else measure_doubt(prob)
    chosen = waiting[rank_rows(doubt, lay_out(table.frame[waiting], table.inputs), n_rows=n_rows, seed=seed)]
    sha256 = table.record.sha256
    stale = workspace.reviews.list(state="open", source="label", dataset_sha256=sha256)
    workspace.reviews.erase_items([record.item for record in stale])
    items = [
        *(_plan_row(table, int(row), rank) for rank, row in enumerate(chosen)),
        *(_plan_fix(table, fix, len(chosen) + rank) for rank, fix in enumerate(fixes[:n_rows])),
    ]
    queued = workspace.reviews.add(items)
    seconds = [
        record.first_ms / 1000 for record in table.done if record.first_ms and record.first_ms <= LONGEST_S * 1000
    ]
    effort = estimate_hours(seconds, len(open_rows))
    workspace.windows.write_state(
        name_labels(sha256),
        {
            "classes": list(table.task.classes),
            "is_number": table.task.kind == "regression",
            "sentence": curve.sentence,
            "hours": say_hours(effort),
            "points": [[point.n_labels, asdict(point.loss)] for point in curve.points],
        },
    )
    return LabelPlan(
        dataset=table.record.id,
        sha256=sha256,
        labelled=len(known),
        unlabelled=len(open_rows),
        doubtful=len(fixes),
        queued=queued,
        curve=curve,
        effort=effort,
        next_effort=estimate_hours(seconds, min(NEXT_LABELS, len(open_rows))),
    )


def say_hours(effort: Effort) -> str:
    """Return how long the labels that are left will take.

    Examples
    --------
    >>> say_hours(estimate_hours([8.0, 10.0, 12.0, 9.0, 11.0], 360))
    '360 rows without an answer: about 1.0 hours (0.9 to 1.1), at 10.0 s each (8.6 to 11.4 s, 5 labels timed).'
    """
    seconds, hours = effort.seconds, effort.hours
    if not effort.n_left:
        return "Every row has an answer."
    if seconds is None or hours is None:
        return f"{effort.n_left:,} rows without an answer; too few labels were timed to say how long they take."
    return (
        f"{effort.n_left:,} rows without an answer: about {hours.value:.1f} hours ({hours.low:.1f} to {hours.high:.1f}), at "
        f"{seconds.value:.1f} s each ({seconds.low:.1f} to {seconds.high:.1f} s, {seconds.n:,} labels timed)."
    )


def apply_labels(folder: Path, key: str | None, *, at: Callable[[], str] = now_utc) -> dict[str, Any]:
    """Keep a dataset anew with the labels that people gave; train on it like on any other.

    Returns
    -------
    dict
        The new dataset's id, and how many labels were filled in and how many corrected.

    Raises
    ------
    SkiffError
        ``nothing_to_apply``, ``dataset_not_found``.
    """
    with Workspace.open(folder) as workspace:
        record, read = load_dataset(workspace, key)
        target = _find_target(workspace, read.frame.columns)
        done = workspace.reviews.list(state="done", source="label", dataset_sha256=record.sha256)
        told = {_row_of(item): item.final for item in done if item.final is not None}
        before = label_target(read.frame[target]).to_list()
        changed = {row: label for row, label in told.items() if before[row] != label}
        if not changed:
            raise SkiffError(
                "nothing_to_apply",
                what="No label was given that the dataset does not have already.",
                where={"dataset": record.id},
                fix="Give labels first:  skiff review --label DATASET",
            )
        frame = read.frame.with_columns(_fill(read.frame[target], changed))
        kept = keep_dataset(workspace, replace(read, frame=frame), at=at())
        filled = sum(before[row] is None for row in changed)
        noted = workspace.ledger.append(
            "review.labels",
            subject=kept.record.sha256,
            result={
                "from": record.sha256, "filled": filled, "corrected": len(changed) - filled,
                "reviewers": len({item.reviewer for item in done}),
            },
            at=at(),
        )  # fmt: skip
    return {
        "dataset": kept.record.id,
        "from": record.id,
        "filled": filled,
        "corrected": len(changed) - filled,
        "evidence": noted.id,
    }


def _load(workspace: Workspace, key: str | None) -> _Table:
    record, read = load_dataset(workspace, key)
    target = _find_target(workspace, read.frame.columns)
    done = workspace.reviews.list(state="done", source="label", dataset_sha256=record.sha256)
    told = {_row_of(item): item.final for item in done if item.final is not None}
    frame = read.frame.with_columns(_fill(read.frame[target], told)) if told else read.frame
    task, _ = infer_task(frame, target, positive=workspace.settings.task.positive)
    y, is_known = encode_target(frame, task)
    shut_out = {target, *workspace.settings.task.drop, *workspace.settings.task.protected}
    return _Table(
        record=record,
        frame=frame,
        task=task,
        inputs=tuple(infer_inputs(frame, exclude=shut_out)),
        y=np.where(is_known, y, 0.0),
        is_known=is_known,
        done=done,
    )


def _find_target(workspace: Workspace, columns: Sequence[str]) -> str:
    """Return the column that is to be labelled: that of the settings, or of the release that answers."""
    target = workspace.settings.task.target
    champion = workspace.releases.champion()
    if target is None and champion is not None:
        manifest: Mapping[str, Any] = dict(workspace.releases.read_manifest(champion))
        target = str(manifest["task"]["target"])
    if target is None:
        raise SkiffError(
            "target_missing",
            what="It is not said which column holds the labels.",
            where={"setting": "task.target"},
            fix='Write  target = "COLUMN"  under [task] in skiff.toml.',
        )
    if target not in columns:
        raise SkiffError.column_not_found(target, columns=list(columns))
    return target


def _learn(
    table: _Table, learned: Int, waiting: Int, *, worth: float, seed: int
) -> tuple[Curve, Float | None, Float | None]:
    """Return the learning curve, what models say to labelled rows they had not seen, and what they say to waiting rows."""
    y = table.y[learned]
    is_class = table.task.kind != "regression"
    if len(learned) < LEAST_LABELS or (is_class and np.bincount(y.astype(np.int64)).max() > len(y) - FOLDS):
        return draw_curve(np.empty((0, 0)), (), n_labels=len(learned), worth=worth, metric=""), None, None
    plan = plan_shadows(
        table.frame[learned], y, table.task, table.inputs, members=_choose_recipes(table.inputs), featurize=featurize,
        now=time.monotonic, budget_s=BUDGET_S, seed=seed,
    )  # fmt: skip
    rows = np.concatenate([learned, waiting])
    plan = replace(plan, table=replace(plan.table, frame=table.frame[rows], y=table.y[rows]))
    order = np.random.default_rng(seed).permutation(len(learned))
    members = np.zeros((FOLDS * len(SHARES), len(rows)), dtype=np.bool_)
    for fold in range(FOLDS):
        fit = order[np.arange(len(order)) % FOLDS != fold]
        for place, share in enumerate(SHARES):
            members[fold * len(SHARES) + place, fit[: max(2, round(share * len(fit)))]] = True
    answers = fit_shadows(plan, members, seed=seed)
    losses = np.empty((len(learned), len(SHARES)))
    outside = np.empty_like(answers[0][: len(learned)])
    for fold in range(FOLDS):
        held = order[np.arange(len(order)) % FOLDS == fold]
        for place in range(len(SHARES)):
            said = answers[fold * len(SHARES) + place][held]
            losses[held, place] = _measure_losses(y[held], said)
            outside[held] = said
    whole = [answers[fold * len(SHARES) + len(SHARES) - 1][len(learned) :] for fold in range(FOLDS)]
    sizes = [round(share * (1 - 1 / FOLDS) * len(learned)) for share in SHARES]
    metric = "log_loss" if is_class else "mean_squared_error"
    curve = draw_curve(losses, sizes, n_labels=len(learned), worth=worth, metric=metric)
    return curve, outside, np.mean(whole, axis=0)


def _choose_recipes(inputs: Sequence[InputColumn]) -> list[tuple[str, float]]:
    is_text = {column.kind == "text" for column in inputs}
    return [TREES] * (False in is_text) + [WORDS] * (True in is_text)


def _measure_losses(y: Float, said: Float) -> Float:
    if said.ndim == 1:
        return np.asarray((y - said) ** 2)
    return np.asarray(-np.log(np.clip(said[np.arange(len(y)), y.astype(np.int64)], CLIP, 1.0)))


def _find_doubtful(table: _Table, learned: Int, outside: Float | None) -> tuple[Fix, ...]:
    """Return rows whose label looks wrong and that nobody has looked at yet."""
    if outside is None:
        return ()
    found = list_fixes(table.y[learned], outside, rows=learned, task=table.task)
    seen = {_row_of(item) for item in table.done}
    return () if found is None else tuple(fix for fix in found.fixes if fix.row - 1 not in seen)


def _plan_row(table: _Table, row: int, rank: int) -> NewReview:
    return _plan(table, row, rank, reason="unlabelled", rule="a label here teaches a model most, as far as it can tell")


def _plan_fix(table: _Table, fix: Fix, rank: int) -> NewReview:
    advice = {"answer": str(fix.suggested), "chance": fix.confidence, "given": str(fix.given)}
    rule = "a model that had not seen this row is sure of another answer than the one that stands there"
    return replace(_plan(table, fix.row - 1, rank, reason="doubtful", rule=rule), advice=to_text(advice))


def _plan(table: _Table, row: int, rank: int, *, reason: str, rule: str) -> NewReview:
    cells = table.frame.select(column.name for column in table.inputs).row(row, named=True)
    told = {name: cell.isoformat() if hasattr(cell, "isoformat") else cell for name, cell in cells.items()}
    return NewReview(
        source="label",
        item=f"{table.record.sha256}:{row}",
        dataset_sha256=table.record.sha256,
        reason=reason,
        rule=rule,
        rank=rank,
        inputs=to_text(told),
        words=count_words(told),
    )


def _row_of(record: ReviewRecord) -> int:
    return int(record.item.rpartition(":")[2])


def _fill(column: pl.Series, labels: Mapping[int, str]) -> pl.Series:
    """Return a column with some cells replaced, in its own type."""
    rows = list(labels)
    texts = pl.Series(column.name, list(labels.values()), dtype=pl.String)
    if column.dtype == pl.Boolean:
        values = texts == "true"
    elif column.dtype.is_numeric():
        values = texts.cast(pl.Float64).cast(column.dtype)
    else:
        values = texts.cast(column.dtype)
    return column.scatter(rows, values)
