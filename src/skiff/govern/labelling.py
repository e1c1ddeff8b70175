"""Labels that a person still has to give: which rows first, what the next hundred are worth, and how many hours it takes."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

Advice: TypeAlias = Literal["go_on", "stop", "too_few"]

POOL = 5
"""Doubtful rows looked through for each one that is chosen, so that chosen rows are doubtful first and unlike each other second.
A convention of ours."""

NEXT_LABELS = 100
"""How many further labels are judged."""

LEAST_LABELS = 60
"""Labels below which no curve is drawn: its first point would learn from fewer than a dozen rows. A convention of ours."""

Z_95 = 1.959963984540054
TINY = 1e-12


def measure_doubt(prob: Float, *, by: Literal["margin", "entropy"] = "margin") -> Float:
    """Return how unsure a model is of each row, 0 to 1.

    Parameters
    ----------
    prob : ndarray of shape (n_rows, n_classes)
    by : {"margin", "entropy"}
        One less the lead of the likeliest class over the next, or the entropy as a share of the largest there is.

    References
    ----------
    B. Settles (2009). Active learning literature survey. Computer Sciences Technical Report 1648, University of Wisconsin-Madison,
    section 3.1.

    Examples
    --------
    >>> measure_doubt(np.array([[0.5, 0.5], [0.9, 0.1]])).round(2).tolist()
    [1.0, 0.2]
    """
    if by == "entropy":
        safe = np.clip(prob, 1e-12, 1.0)
        return np.asarray(-(safe * np.log(safe)).sum(axis=1) / math.log(prob.shape[1]))
    top = np.sort(prob, axis=1)
    return np.asarray(1.0 - (top[:, -1] - top[:, -2]))


def rank_rows(doubt: Float, X: Float, *, n_rows: int, seed: int = 0) -> Int:
    """Return the rows most worth a label, best first: doubtful, and unlike those before them.

    Parameters
    ----------
    doubt : ndarray of shape (n_rows,)
        See `measure_doubt`; all alike where there is no model yet, which leaves the spread alone.
    X : ndarray of shape (n_rows, n_features)
        The rows as numbers on comparable scales: see `lay_out`.
    n_rows : int
        How many are wanted.
    seed : int
        Settles which of equally doubtful rows are looked through.

    Notes
    -----
    Of the `POOL` times as many most doubtful rows, the next is always the one with the largest product of its doubt and its
    distance to those chosen already (the greedy spread of [1]_, weighted), because a batch of the most doubtful rows alone asks the
    same thing many times over ([2]_, section 6.1). Choosing rows this way makes the labelled ones no sample of all rows: judge a
    model on rows that chance chose.

    References
    ----------
    .. [1] T. F. Gonzalez (1985). Clustering to minimize the maximum intercluster distance. Theoretical Computer Science 38,
       293-306. doi:10.1016/0304-3975(85)90224-5
    .. [2] B. Settles (2009). Active learning literature survey. Computer Sciences Technical Report 1648, University of
       Wisconsin-Madison.

    Examples
    --------
    >>> X = np.array([[0.0], [0.0], [5.0], [9.0]])
    >>> rank_rows(np.array([1.0, 0.99, 0.8, 0.1]), X, n_rows=2).tolist()
    [0, 2]
    """
    wanted = min(n_rows, len(doubt))
    chance = np.random.default_rng(seed).random(len(doubt))
    pool = np.lexsort((chance, -doubt))[: max(wanted, min(len(doubt), POOL * wanted))]
    if not wanted:
        return np.empty(0, dtype=np.int64)
    points, worth = X[pool], doubt[pool]
    chosen = [0]
    nearest = np.linalg.norm(points - points[0], axis=1)
    is_left = np.ones(len(pool), dtype=bool)
    is_left[0] = False
    while len(chosen) < wanted:
        score = np.where(is_left, worth * nearest + 1e-9 * worth, -1.0)
        best = int(score.argmax())
        chosen.append(best)
        is_left[best] = False
        nearest = np.minimum(nearest, np.linalg.norm(points - points[best], axis=1))
    return np.asarray(pool[chosen], dtype=np.int64)


LEVELS, WORDS = 20, 32
"""Levels of a category, and places for the words of a text, that rows are told apart by."""

APART = math.sqrt(0.5)
"""Length of a level's place: two rows with other levels are as far apart as the ends of a column of numbers."""


def lay_out(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> Float:
    """Return rows as numbers on comparable scales: ranks of numbers and dates, places of levels and of words.

    Examples
    --------
    >>> frame = pl.DataFrame({"nights": [1, 2, 9], "city": ["Oslo", "Bergen", "Oslo"]})
    >>> inputs = [InputColumn(name="nights", kind="number"), InputColumn(name="city", kind="category")]
    >>> lay_out(frame, inputs).round(2).tolist()
    [[0.0, 0.71, 0.0], [0.5, 0.0, 0.71], [1.0, 0.71, 0.0]]
    """
    parts: list[Float] = []
    for column in inputs:
        series = frame[column.name]
        if column.kind in {"number", "date", "boolean"}:
            rank = series.rank("average").to_numpy().astype(np.float64)
            known = np.isfinite(rank)
            most = max(1.0, float(rank[known].max(initial=2.0)) - 1.0)
            parts.append(np.where(known, (rank - 1.0) / most, 0.5)[:, None])
        elif column.kind == "category":
            texts = series.cast(pl.String)
            levels = texts.drop_nulls().value_counts(sort=True, name="n").head(LEVELS)[texts.name].to_list()
            parts.append(np.column_stack([texts.eq_missing(level).to_numpy() for level in levels or [""]]) * APART)
        else:
            parts.append(_place_words(series.cast(pl.String).fill_null("").to_list()))
    return np.column_stack(parts) if parts else np.zeros((frame.height, 1))


def _place_words(texts: Sequence[str]) -> Float:
    made = np.zeros((len(texts), WORDS))
    for row, text in enumerate(texts):
        for word in text.lower().split():
            made[row, zlib.crc32(word.encode()) % WORDS] += 1.0
    length = np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(APART * made / np.where(length > 0, length, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """What a model errs when it learned from so many labels, on rows it had not seen."""

    n_labels: int
    loss: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What labels brought so far, and what the next ones would bring.

    Parameters
    ----------
    points : tuple of CurvePoint
    gain : Measurement
        Share of the loss that the next `NEXT_LABELS` labels are expected to take away.
    worth : float
        Share from which they are worth giving, as was asked.
    advice : {"go_on", "stop", "too_few"}
        ``stop`` where even the upper end of the gain is below `worth`; ``too_few`` where there is no curve.
    sentence : str
    """

    points: tuple[CurvePoint, ...]
    gain: Measurement | None
    worth: float
    advice: Advice
    sentence: str


def draw_curve(losses: Float, sizes: Sequence[int], *, n_labels: int, worth: float, metric: str) -> Curve:
    """Carry on a learning curve by the next hundred labels.

    Parameters
    ----------
    losses : ndarray of shape (n_rows, n_sizes)
        Loss of each labelled row by models that had not seen it and learned from each number of labels.
    sizes : sequence of int
        Those numbers, ascending.
    n_labels : int
        Labels there are.
    worth : float
        Share of the loss, 0 to 1.
    metric : str
        Name of the loss.

    Notes
    -----
    The loss is carried on as a power of the labels, the form that fits most curves of learners [1]_. Curves flatten where a part of
    the loss cannot be learned away, so the power promises rather too much: "stop" errs to the side of more labels. Its exponent is
    fitted to the logarithms, and its interval is that of a mean over rows (delta method); that other rows might have been learned from
    is not in it, and neither is a choice of rows that was no sample.

    References
    ----------
    .. [1] T. Viering, M. Loog (2023). The shape of learning curves: a review. IEEE Transactions on Pattern Analysis and Machine
       Intelligence 45(6), 7799-7819, section 4. doi:10.1109/TPAMI.2022.3220744

    Examples
    --------
    >>> chance = np.random.default_rng(0)
    >>> flat = chance.exponential(0.3, 400)[:, None] + chance.normal(0, 0.001, (400, 3))
    >>> draw_curve(flat, [100, 200, 400], n_labels=400, worth=0.01, metric="log_loss").advice
    'stop'
    """
    n_rows = len(losses)
    if n_rows < LEAST_LABELS or len(sizes) < 2:  # noqa: PLR2004  no line through one point
        return Curve(
            points=(), gain=None, worth=worth, advice="too_few",
            sentence=f"Too few labels to say what more would bring: {n_labels:,} of at least {LEAST_LABELS}.",
        )  # fmt: skip
    points = tuple(CurvePoint(n_labels=size, loss=_mean(losses[:, place], metric)) for place, size in enumerate(sizes))
    x = np.log(np.asarray(sizes, dtype=np.float64))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    means = np.maximum(losses.mean(axis=0), TINY)
    exponent = -float(weights @ np.log(means))
    _, half = _measure_mean((losses / means) @ weights)  # delta method: what each row adds to the exponent
    step = math.log((n_labels + NEXT_LABELS) / n_labels)
    value, low, high = (1.0 - math.exp(-step * power) for power in (exponent, exponent - half, exponent + half))
    gain = Measurement(
        name="next_gain",
        value=value,
        low=low,
        high=high,
        n=n_rows,
        unit="rate",
        higher_is_better=True,
        method="power of the labels, paired over rows; delta method",
    )
    advice: Advice = "stop" if high < worth else "go_on"
    told = f"The next {NEXT_LABELS} labels are expected to take away {_percent(value)} of the error ({_percent(low)} to {_percent(high)})"
    return Curve(points=points, gain=gain, worth=worth, advice=advice, sentence=_say_gain(told, low, high, worth))


def _say_gain(told: str, low: float, high: float, worth: float) -> str:
    if high < worth:
        return f"Stop: more labels will not help. {told}, less than the {_percent(worth)} you ask for."
    if low >= worth:
        return f"Go on. {told}."
    return f"Go on: it is not shown yet that more labels would not help. {told}; you ask for {_percent(worth)}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long labels take.

    Parameters
    ----------
    seconds : Measurement or None
        Mean time of a label; None before `skiff.govern.review.LEAST_CASES` were timed.
    n_left : int
    hours : Measurement or None
        For those that are left.
    """

    seconds: Measurement | None
    n_left: int
    hours: Measurement | None


def estimate_hours(seconds: Sequence[float], n_left: int, *, least: int = 5) -> Effort:
    """Return how many hours the labels that are left will take, from those that were timed.

    Parameters
    ----------
    seconds : sequence of float
        Time of each label so far, pauses left out.
    n_left : int
    least : int
        Times below which nothing is told.

    Examples
    --------
    >>> made = estimate_hours([8.0, 10.0, 12.0, 9.0, 11.0], 360)
    >>> round(made.hours.value, 2)
    1.0
    """
    if len(seconds) < least:
        return Effort(seconds=None, n_left=n_left, hours=None)
    values = np.asarray(seconds, dtype=np.float64)
    return Effort(
        seconds=_mean(values, "seconds_a_label", unit="s"),
        n_left=n_left,
        hours=_mean(values * (n_left / 3600), "hours_left", unit="h"),
    )


def _mean(values: Float, name: str, *, unit: str = "") -> Measurement:
    mean, half = _measure_mean(values)
    return Measurement(
        name=name, value=mean, low=max(0.0, mean - half), high=mean + half, n=len(values), unit=unit,
        method="normal interval of the mean",
    )  # fmt: skip


def _measure_mean(values: Float) -> tuple[float, float]:
    """Return a mean and half of its 95 % interval."""
    return float(values.mean()), Z_95 * float(values.std(ddof=1)) / math.sqrt(len(values))
