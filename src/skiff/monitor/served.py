"""Rows of the prediction log as a window: prediction, decision and outcome beside the raw inputs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.monitor.window import Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

INPUT_PREFIX = "in."
"""How the log names the columns of kept inputs."""

EPOCH = dt.datetime(1970, 1, 5, tzinfo=dt.UTC)
"""A Monday: windows of a week begin on Mondays, those of a day at midnight UTC."""

SPANS = {"1h": 1 / 24, "1d": 1.0, "7d": 7.0, "30d": 30.0}
"""Days of ``[monitor] window``."""


def build_window(
    frame: pl.DataFrame,
    task: Task,
    *,
    release: int,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    is_hashed: bool = False,
    look: int = 1,
) -> Window:
    """Turn rows as `PredictionReader.read_window` gives them into a window.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns ``at``, ``role``, ``label``, ``value``, ``probabilities``, ``decision``, ``is_control``, ``latency_us``,
        ``outcome`` and ``in.<name>``; those that are absent are not judged.
    task : Task
    release : int
    since, until : datetime, optional
        The span; that of the rows by default.
    is_hashed : bool
        Inputs are kept as hashes, which nothing can be compared with.
    look : int

    Examples
    --------
    >>> rows = pl.DataFrame({"at": [dt.datetime(2026, 3, 1)], "role": ["champion"], "label": ["yes"], "value": [0.8],
    ...                      "outcome": ["no"], "in.nights": [2.0]})
    >>> made = build_window(rows, Task(kind="binary", target="kept", classes=("no", "yes")), release=1)
    >>> made.prediction.round(2).tolist(), made.y.tolist(), made.inputs.columns
    ([[0.2, 0.8]], [0.0], ['nights'])
    """
    if "role" in frame.columns:
        frame = frame.filter(pl.col("role").fill_null("champion") != "shadow")
    is_answered = frame["value"].is_not_null()
    failed = int((~is_answered).sum())
    frame = frame.filter(is_answered) if failed else frame
    kept = [] if is_hashed else [name for name in frame.columns if name.startswith(INPUT_PREFIX)]
    inputs = frame.select(pl.col(name).alias(name.removeprefix(INPUT_PREFIX)) for name in kept)
    has_inputs = None
    if kept and frame.height:
        has_inputs = inputs.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_numpy()
    if not kept:  # rows without columns still count as rows
        inputs = pl.DataFrame({"": pl.Series([None] * frame.height, dtype=pl.Null)}) if frame.height else pl.DataFrame()
    first, last = _find_span(frame, since, until)
    return Window(
        release=release,
        inputs=inputs,
        prediction=read_predictions(frame, task),
        days=max((last - first).total_seconds() / 86_400, 0.0) if first and last else 1.0,
        since=_say(first),
        until=_say(last),
        has_inputs=has_inputs,
        answers=_read_answers(frame),
        y=read_outcomes(frame["outcome"], task) if "outcome" in frame.columns else None,
        is_control=frame["is_control"].fill_null(value=False).to_numpy() if "is_control" in frame.columns else None,
        is_review=_read_reviews(frame),
        latency_us=frame["latency_us"].cast(pl.Float64).to_numpy() if "latency_us" in frame.columns else None,
        failed=failed,
        look=look,
    )


def read_predictions(frame: pl.DataFrame, task: Task) -> Float:
    """Return probabilities of shape (n_rows, n_classes), or values of shape (n_rows,)."""
    value = frame["value"].cast(pl.Float64).to_numpy()
    if task.kind == "regression":
        return value
    if task.kind == "binary":
        return np.stack([1 - value, value], axis=1)
    n_classes = len(task.classes)
    if not frame.height:
        return np.zeros((0, n_classes))
    lists = frame["probabilities"].list.to_array(n_classes)
    return np.asarray(lists.to_numpy(), dtype=np.float64).reshape(-1, n_classes)


def read_outcomes(outcome: pl.Series, task: Task) -> Float:
    """Return outcomes as class codes or values; NaN where unknown, or where they are none of the classes.

    Examples
    --------
    >>> read_outcomes(pl.Series(["yes", None, "maybe"]), Task(kind="binary", target="kept", classes=("no", "yes"))).tolist()
    [1.0, nan, nan]
    """
    if task.kind == "regression":
        return outcome.cast(pl.Float64, strict=False).to_numpy()
    codes = {name: float(place) for place, name in enumerate(task.classes)}
    text = outcome.cast(pl.String)
    return text.replace_strict(codes, default=None, return_dtype=pl.Float64).to_numpy()


def cut_spans(first: dt.datetime, now: dt.datetime, *, days: float) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the whole spans between two moments, aligned to midnight or Monday UTC, oldest first.

    Examples
    --------
    >>> begin, end = dt.datetime(2026, 3, 1, 15, tzinfo=dt.UTC), dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)
    >>> [(str(a)[:10], str(b)[:10]) for a, b in cut_spans(begin, end, days=1.0)]
    [('2026-03-01', '2026-03-02'), ('2026-03-02', '2026-03-03')]
    """
    step = dt.timedelta(days=days)
    begin = EPOCH + (first - EPOCH) // step * step
    while begin + step <= now:
        yield begin, begin + step
        begin += step


def _find_span(
    frame: pl.DataFrame, since: dt.datetime | None, until: dt.datetime | None
) -> tuple[dt.datetime | None, dt.datetime | None]:
    if (since is None or until is None) and "at" in frame.columns and frame.height:
        low, high = frame["at"].min(), frame["at"].max()
        since = since or (low if isinstance(low, dt.datetime) else None)
        until = until or (high if isinstance(high, dt.datetime) else None)
    return _with_zone(since), _with_zone(until)


def _with_zone(moment: dt.datetime | None) -> dt.datetime | None:
    return moment.replace(tzinfo=dt.UTC) if moment is not None and moment.tzinfo is None else moment


def _say(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_answers(frame: pl.DataFrame) -> NDArray[np.object_] | None:
    """Return what decisions follow: the label, or act and review for amounts."""
    for name in ("label", "decision"):
        if name in frame.columns and frame[name].null_count() < frame.height:
            return frame[name].cast(pl.String).fill_null("(none)").to_numpy().astype(object)
    return None


def _read_reviews(frame: pl.DataFrame) -> NDArray[np.bool_] | None:
    if "decision" not in frame.columns:
        return None
    known = frame["decision"].drop_nulls()
    return (known == "review").to_numpy() if known.len() else None
