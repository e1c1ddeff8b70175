"""Which answers a person should look at first, and what leaving them to a person buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import expit, logit, ndtri

from skiff.core.measurement import Measurement
from skiff.core.pipeline import Review
from skiff.core.task import Costs, TaskKind
from skiff.evaluate.conformal import measure_coverage
from skiff.evaluate.intervals import LEVEL, MIN_UNITS
from skiff.evaluate.prices import get_mistakes, has_matrix, spread_costs
from skiff.evaluate.ranking import find_standard_error
from skiff.evaluate.results import AbstainPoint
from skiff.evaluate.scores import decide_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

SHARE = 0.10
"""Share of answers sent to a person unless said otherwise: one in ten is a pile that one person beside other work can bear
(a convention, not a result; ``[answers] review_share`` changes it)."""

EDGE = 1e-9
"""Probabilities are kept this far from 0 and 1 before their odds are taken."""

SAME_WIDTH = 1e-7
"""Ranges whose widths differ by less than this share of the widest are equally wide: the ends of one around 100,000,000 are rounded to 1e-8."""

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares whose price is shown."""


def fit_review(
    kind: TaskKind, prob: Float, *, threshold: float = 0.5, share: float = SHARE, costs: Costs | None = None
) -> Review:
    """Settle which answers go to a person.

    With ``[costs] review``: those where the cheaper of both answers is expected to cost more than a look (Chow). Without: the
    `share` of rows that lie closest to the threshold (in log-odds), or whose most probable class is least sure.

    Parameters
    ----------
    kind : {"binary", "multiclass"}
    prob : ndarray of shape (n_rows, n_classes)
        Out-of-fold or held-out probabilities.
    threshold : float
    share : float
    costs : Costs, optional

    References
    ----------
    Chow, C. K. (1970). On optimum recognition error and reject tradeoff. IEEE Transactions on Information Theory 16, 41-46,
    eq. 6. https://doi.org/10.1109/TIT.1970.1054406

    Examples
    --------
    >>> p = np.linspace(0, 1, 101)
    >>> made = fit_review("binary", np.stack([1 - p, p], axis=1), threshold=0.5, share=0.2)
    >>> round(made.low, 2), round(made.high, 2)
    (0.4, 0.6)
    >>> fit_review("binary", np.empty((0, 2)), costs=Costs(false_positive=10, false_negative=40, review=4))
    Review(low=0.1, high=0.6)
    """
    if kind == "binary" and costs is not None and costs.review is not None and has_matrix(costs):
        return _fit_by_costs(costs, costs.review)
    if len(prob) == 0 or share <= 0:
        return Review(low=threshold, high=threshold) if kind == "binary" else Review(low=0.0, high=0.0)
    if kind == "multiclass":
        return Review(low=0.0, high=float(np.quantile(prob.max(axis=1), share)))
    radius = float(np.quantile(_measure_distance(prob[:, -1], threshold), share))
    middle = float(logit(np.clip(threshold, EDGE, 1 - EDGE)))
    return Review(low=float(expit(middle - radius)), high=float(expit(middle + radius)))


def _measure_distance(p: Float, threshold: float) -> Float:
    """Return how far probabilities lie from the threshold in log-odds, in which 1 in 100 and 2 in 100 are far apart."""
    middle = float(logit(np.clip(threshold, EDGE, 1 - EDGE)))
    return np.asarray(np.abs(logit(np.clip(p, EDGE, 1 - EDGE)) - middle), dtype=np.float64)


def _fit_by_costs(costs: Costs, review: float) -> Review:
    """Return where ``p tp + (1 - p) fp > review`` and ``p fn + (1 - p) tn > review``."""
    false_positive, false_negative = get_mistakes(costs)
    alarm, miss = false_positive - costs.true_positive, false_negative - costs.true_negative
    high = (false_positive - review) / alarm if alarm > 0 else 1.0
    low = (review - costs.true_negative) / miss if miss > 0 else 0.0
    low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    return Review(low=low, high=high) if low < high else Review(low=low, high=low)


def measure_review_saving(
    y: Int | Float,
    p: Float,
    threshold: float,
    reviewed: Mask,
    costs: Costs,
    *,
    amounts: Float | None = None,
    groups: Int | None = None,
) -> Measurement:
    """Measure what looking at the unsure rows saves per row of all, after the looks are paid; `costs.review` must be given.

    Notes
    -----
    It is the most there is: the person is taken to decide rightly every time.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1] * 25)
    >>> look = Costs(false_positive=1, false_negative=2, review=0.5)
    >>> measure_review_saving(y, np.full(100, 0.4), 0.5, y == 1, look).value
    0.375
    """
    is_positive, n = y == 1, len(p)
    priced = spread_costs(costs, n, amounts)
    decided, known = priced.price(is_positive, p >= threshold), priced.price(is_positive, is_positive)
    saved = np.where(reviewed, decided - known - (costs.review or 0.0), 0.0)
    value = float(saved.mean()) if n else 0.0
    half = float(ndtri(0.5 + LEVEL / 2)) * find_standard_error((saved - value) / max(n, 1), groups)
    has_range = n >= MIN_UNITS
    return Measurement(
        name="review_saving_row",
        value=value,
        low=value - half if has_range else None,
        high=value + half if has_range else None,
        n=n,
        unit=costs.currency,
        higher_is_better=True,
        method="mean over all rows, the looks paid and every reviewed row decided rightly; normal approximation",
        baseline=0.0,
    )


def find_widest(widths: Float, *, share: float = SHARE) -> float:
    """Return the width from which at most `share` of the ranges of numbers are looked at by a person; infinite where none can be.

    It lies in the middle between two widths that occur: many ranges are equally wide up to rounding, which must not decide about any.

    Examples
    --------
    >>> find_widest(np.array([1.0] * 9 + [5.0]), share=0.1), find_widest(np.ones(10), share=0.1)
    (3.0, inf)
    """
    if len(widths) == 0:
        return float("inf")
    ranked = np.sort(widths)
    starts = np.flatnonzero(np.diff(ranked, prepend=-np.inf) > SAME_WIDTH * float(ranked[-1]))
    allowed = starts[(len(ranked) - starts) <= share * len(ranked)]
    if not len(allowed):
        return float("inf")
    first = int(allowed[0])
    return float(ranked[first] if first == 0 else (ranked[first - 1] + ranked[first]) / 2)


def find_reviewed(review: Review, kind: TaskKind, sure: Float) -> Mask:
    """Return which rows a person should look at.

    Parameters
    ----------
    sure : ndarray
        Probabilities (n_rows, n_classes), or for numbers the widths of the ranges (n_rows,).

    Examples
    --------
    >>> find_reviewed(Review(low=0.4, high=0.6), "binary", np.array([[0.5, 0.5], [0.4, 0.6]])).tolist()
    [True, False]
    """
    if kind == "regression":
        return np.asarray(sure >= review.high)
    if kind == "multiclass":
        return np.asarray(sure.max(axis=1) < review.high)
    return np.asarray((sure[:, 1] >= review.low) & (sure[:, 1] < max(review.low, review.high)))


def measure_abstaining(
    y: Int, prob: Float, *, threshold: float = 0.5, shares: Sequence[float] = SHARES, groups: Int | None = None
) -> tuple[AbstainPoint, ...]:
    """Measure on held-out rows how many of the remaining answers are right once the least sure share is left to a person.

    With `groups`, rows of one group count as one in the intervals.

    Examples
    --------
    >>> prob = np.array([[0.9, 0.1], [0.45, 0.55], [0.1, 0.9], [0.2, 0.8]] * 10)
    >>> found = measure_abstaining(np.array([0, 0, 1, 1] * 10), prob, shares=(0.0, 0.25))
    >>> [(point.share, point.accuracy) for point in found]
    [(0.0, 0.75), (0.25, 1.0)]
    """
    hit = decide_labels(prob, threshold) == y
    is_pair = prob.shape[1] == 2  # noqa: PLR2004  two classes
    sure = _measure_distance(prob[:, 1], threshold) if is_pair else prob.max(axis=1)
    order = np.argsort(-sure, kind="stable")  # the surest first
    found = []
    for share in shares:
        rows = order[: len(hit) - round(share * len(hit))]
        if len(rows):
            kept = measure_coverage(hit[rows], promised=0.0, groups=None if groups is None else groups[rows])
            found.append(
                AbstainPoint(share=share, accuracy=kept.value, low=kept.low or 0.0, high=kept.high or 0.0, n=kept.n)
            )
    return tuple(found)


def measure_acted(
    y: Int, prob: Float, reviewed: Mask, *, threshold: float = 0.5, groups: Int | None = None
) -> Measurement | None:
    """Measure how many of the answers that no person looks at are right; None where a person looks at all.

    Examples
    --------
    >>> prob = np.array([[0.9, 0.1], [0.45, 0.55], [0.1, 0.9]] * 20)
    >>> measure_acted(np.array([0, 0, 1] * 20), prob, np.array([False, True, False] * 20)).value
    1.0
    """
    rows = ~reviewed
    if not rows.any():
        return None
    hit = (decide_labels(prob, threshold) == y)[rows]
    found = measure_coverage(hit, promised=0.0, name="acted_accuracy", groups=None if groups is None else groups[rows])
    return replace(found, baseline=None, higher_is_better=True)
