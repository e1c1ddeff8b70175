"""From which rows a challenger learns: the new ones, all of them, or the latest of all, as the evidence says."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.progress import Progress, Silent
from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.data.splits import Split
from skiff.data.task import encode_target
from skiff.deploy.featurizer import featurize
from skiff.evaluate.challenge import choose_loss
from skiff.evaluate.scores import build_score
from skiff.flows.effort import Effort
from skiff.flows.prepare import Prepared, settle_demands
from skiff.flows.train import fit_split
from skiff.train.demands import Direction

SEALED_SHARE = 0.3
"""Share of the rows with known outcomes, the newest, that neither model learns from: enough to judge by, and the rest is newer
than anything the champion knows."""

CHOOSING_SHARE = 0.25
"""Share of the remaining new rows, the newest again, on which windows are compared."""

CHOOSING_BUDGET = 0.25
"""Share of the training time for comparing windows."""

MIN_RECENT = 200
"""New rows below which a model of those alone is not tried."""

N_FOLDS = 4

WORDS: Mapping[str, str] = {
    "recent": "the new rows alone",
    "all": "the old and the new rows together",
    "latest": "the new rows and as many of the old ones",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The chosen window and the loss of each that was tried."""

    name: str
    losses: Mapping[str, float]

    @property
    def words(self) -> str:
        """Return what it holds."""
        return WORDS[self.name]


def choose_window(
    original: pl.DataFrame,
    recent: pl.DataFrame,
    task: Task,
    *,
    effort: Effort,
    monotone: Mapping[str, Direction] | None = None,
    progress: Progress | None = None,
) -> Window:
    """Return the window whose quick model did best on the newest of the rows that may be learned from.

    Parameters
    ----------
    original : DataFrame
        Rows the champion learned from.
    recent : DataFrame
        New rows with known outcomes, oldest first, without the sealed ones.
    task : Task
    effort : Effort
        A quarter of its budget is spent here.
    monotone : mapping of str to {"up", "down"}, optional
        Columns along which the answer may only rise or fall.
    """
    progress = progress or Silent()
    n_choosing = round(CHOOSING_SHARE * recent.height)
    learning, choosing = recent[: recent.height - n_choosing], recent[recent.height - n_choosing :]
    names = [name for name in WORDS if name != "recent" or learning.height >= MIN_RECENT]
    losses: dict[str, float] = {}
    progress.stage("Choose", "which rows to learn from")
    for name in names:
        table = _take(original, learning, name)
        share = CHOOSING_BUDGET / len(names)
        try:
            losses[name] = _measure(table, choosing, task, effort=effort, share=share, monotone=monotone or {})
        except SkiffError:  # a window that cannot carry a model is no candidate
            continue
    best = min(losses, key=lambda name: losses[name]) if losses else "all"
    return Window(name=best, losses=losses)


def prepare_window(
    original: pl.DataFrame,
    rows: pl.DataFrame,
    task: Task,
    *,
    window: str,
    n_sealed: int,
    monotone: Mapping[str, Direction] | None = None,
) -> Prepared:
    """Return the chosen rows, oldest first, with the newest `n_sealed` sealed and folds that go forward in time.

    What was asked of the first training is asked again: directions, the quantile, the exposure (1 where a row came without).
    Weights are not, where their column is no input of the release, because then no later row has one.
    """
    learned = _take(original, rows[: rows.height - n_sealed], window)
    frame = pl.concat([learned, rows[rows.height - n_sealed :]], how="vertical_relaxed")
    inputs = infer_inputs(frame, exclude={task.target})
    y, has_target = encode_target(frame, task)
    positions = np.arange(frame.height)
    split = Split(
        kind="time",
        reason=f"The newest {n_sealed:,} rows with known outcomes are for judging; neither model has learned from them.",
        train=positions[: learned.height][has_target[: learned.height]].astype(np.int64),
        test=positions[learned.height :][has_target[learned.height :]].astype(np.int64),
        folds=(),
    )
    folds = cut_forward(len(split.train), y[split.train], is_class=task.kind != "regression")
    split = Split(kind=split.kind, reason=split.reason, train=split.train, test=split.test, folds=folds)
    y = np.where(has_target, y, np.nan)
    if task.exposure:
        frame = frame.with_columns(pl.col(task.exposure).fill_null(1))
    weighed = task if task.weight is None or task.weight in frame.columns else replace(task, weight=None)
    return Prepared(
        frame=frame,
        y=y,
        task=task,
        inputs=inputs,
        split=split,
        findings=[],
        demands=settle_demands(frame, y, weighed, inputs, monotone=monotone or {}),
    )


def cut_forward(
    n_rows: int, y: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, is_class: bool
) -> tuple[
    tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], np.ndarray[tuple[int, ...], np.dtype[np.int64]]], ...
]:
    """Return folds that learn from the past and are judged on the block that follows.

    Examples
    --------
    >>> [(len(fit), len(held)) for fit, held in cut_forward(100, np.arange(100.0), is_class=False)]
    [(33, 17), (50, 17), (67, 16), (83, 17)]
    """
    cuts = np.linspace(0, n_rows, N_FOLDS + 3).round().astype(int)[2:]
    folds = []
    for begin, end in itertools.pairwise(cuts):
        if end > begin and (not is_class or len(np.unique(y[:begin])) > 1):
            folds.append((np.arange(begin, dtype=np.int64), np.arange(begin, end, dtype=np.int64)))
    return tuple(folds)


def _take(original: pl.DataFrame, recent: pl.DataFrame, window: str) -> pl.DataFrame:
    """Return the rows of a window, oldest first."""
    if window == "recent":
        return recent
    older = original if window == "all" else original[max(0, original.height - recent.height) :]
    return pl.concat([older, recent], how="vertical_relaxed")


def _measure(
    table: pl.DataFrame,
    choosing: pl.DataFrame,
    task: Task,
    *,
    effort: Effort,
    share: float,
    monotone: Mapping[str, Direction],
) -> float:
    """Train a quick model and return its loss on the rows for choosing."""
    prepared = prepare_window(
        table[:0],
        pl.concat([table, choosing], how="vertical_relaxed"),
        task,
        window="recent",
        n_sealed=choosing.height,
        monotone=monotone,
    )
    trained = fit_split(prepared, prepared.split, effort, share=share, progress=Silent())
    test = prepared.frame[prepared.split.test]
    answer = trained.predict_native(featurize(trained.pipeline.inputs, trained.pipeline.encoders, test))
    y = prepared.y[prepared.split.test]
    metric, threshold = choose_loss(task)
    score = build_score(metric, y if task.kind == "regression" else y.astype(np.int64), answer, threshold=threshold)
    return float(score.value())
