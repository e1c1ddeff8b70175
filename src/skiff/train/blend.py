"""Choose how much each candidate counts, by its out-of-fold answers.

References
----------
.. [1] R. Caruana, A. Niculescu-Mizil, G. Crew and A. Ksikes, 2004, "Ensemble selection from libraries of models", ICML,
   https://doi.org/10.1145/1015330.1015432: greedy selection with replacement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.train.aim import SMALLEST_SHARE, Aim, measure_loss, measure_row_losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MAX_PICKS = 40
"""Picks with replacement: weights are multiples of at least a fortieth."""

LEAST_GAIN = 1e-5
"""Relative gain from which a longer list of picks counts as better than a shorter one."""

LEAST_WEIGHT = 0.06
"""Members with less are left out: they cost time and space in every answer for next to nothing."""

USUAL_ROWS = 0.995
"""Share of rows whose distance from the candidates' median answer counts in full when numbers are blended, see `tame_targets`."""


def choose_weights(y: Float, answers: Sequence[Float], aim: Aim, row_weights: Float | None = None) -> Float:
    """Return a weight for each candidate; they sum to 1 and many are 0.

    Starts from the best candidate and adds, with replacement, whichever lowers the loss of the mean most [1]_.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    answers : sequence of ndarray, each (n_rows, n_classes) or (n_rows,)
    aim : Aim
    row_weights : ndarray of shape (n_rows,), optional
        How much each row counts; by default all the same.

    Examples
    --------
    >>> y = np.array([1.0, 3.0, 5.0])
    >>> low, high = y - 1, y + 1
    >>> choose_weights(y, [low, high], Aim(kind="regression")).tolist()
    [0.5, 0.5]
    """
    stack = np.stack([_reduce(y, answer, aim) for answer in answers])
    counts = np.zeros(len(stack))
    best_counts = counts
    total = np.zeros(stack.shape[1])
    best = np.inf
    for picks in range(1, MAX_PICKS + 1):
        losses = [_loss(y, (total + one) / picks, aim, row_weights) for one in stack]
        chosen = int(np.argmin(losses))
        counts[chosen] += 1
        total = total + stack[chosen]
        if losses[chosen] < best * (1 - LEAST_GAIN):
            best, best_counts = losses[chosen], counts.copy()
    weights = best_counts / best_counts.sum()
    weights[weights < LEAST_WEIGHT] = 0.0
    return np.asarray(weights / weights.sum())


def tame_targets(y: Float, answers: Sequence[Float], aim: Aim) -> Float:
    """Return the targets by which candidates are weighed: none farther from their median answer than 99.5 % of rows are.

    A squared error is made of its largest: a handful of houses sold far under their worth decided who was blended. Weights chosen
    on four fifths of the rows and judged on the rest, eight times over, erred less by 1.5 and 0.8 % (ames, two seeds) and by 7 and
    2 % (cars) once such rows count no more than others, and by nothing where there are none (insurance, california, wages).
    Huber (1964, "Robust estimation of a location parameter", https://doi.org/10.1214/aoms/1177703732) bounds residuals for
    the same reason. Classes and quantiles stay as they are: their losses grow slowly.

    Examples
    --------
    >>> y = np.append(np.zeros(999), 900.0)
    >>> float(tame_targets(y, [np.full(1000, 1.0), np.full(1000, 3.0)], Aim(kind="regression")).max())
    4.0
    """
    if aim.metric != "rmse":
        return y
    middle = np.median(answers, axis=0)
    reach = float(np.quantile(np.abs(y - middle), USUAL_ROWS))
    return np.asarray(np.clip(y, middle - reach, middle + reach)) if reach > 0 else y


def mix(answers: Sequence[Float], weights: Float) -> Float:
    """Return the weighted mean of the answers, those of weight 0 left aside."""
    chosen = [(answer, weight) for answer, weight in zip(answers, weights, strict=True) if weight > 0]
    return np.asarray(sum(answer * weight for answer, weight in chosen))


def is_within_noise(y: Float, small: Float, best: Float, aim: Aim, weights: Float | None = None) -> bool:
    """Return whether the rows cannot tell `small` from `best`: the mean paired difference is under one standard error."""
    gap = measure_row_losses(y, small, aim) - measure_row_losses(y, best, aim)
    if weights is not None:
        gap = gap * weights / weights.mean()
    return bool(gap.mean() <= gap.std() / np.sqrt(len(gap)))


def _reduce(y: Float, answer: Float, aim: Aim) -> Float:
    """Return what the loss needs of an answer: the value, or the probability of the true class."""
    return answer if aim.kind == "regression" else answer[np.arange(len(y)), y.astype(np.int64)]


def _loss(y: Float, reduced: Float, aim: Aim, row_weights: Float | None) -> float:
    if aim.kind == "regression":
        return measure_loss(y, reduced, aim, row_weights)
    return float(-np.average(np.log(np.clip(reduced, SMALLEST_SHARE, 1.0)), weights=row_weights))
