"""What acting on the most probable rows first brings: how many cases are caught, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.task import Costs
from skiff.evaluate.prices import spread_costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MAX_POINTS = 100

Points: TypeAlias = tuple[tuple[float, float], ...]


def find_gain_points(is_positive: NDArray[np.bool_], p: Float, *, max_points: int = MAX_POINTS) -> Points:
    """Return (share of rows acted on, share of cases caught), the most probable rows first, from (0, 0) to (1, 1).

    The lift at a share is the second number over the first: how many times more cases than by chance.

    Examples
    --------
    >>> find_gain_points(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    ((0.0, 0.0), (0.25, 0.5), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0))
    """
    places, order = _list_places(p, max_points)
    caught = np.concatenate([[0.0], np.cumsum(is_positive[order])]) / max(float(is_positive.sum()), 1.0)
    return _pair(places, caught, len(p))


def find_profit_points(
    is_positive: NDArray[np.bool_],
    p: Float,
    costs: Costs,
    *,
    amounts: Float | None = None,
    max_points: int = MAX_POINTS,
) -> Points:
    """Return (share of rows acted on, saving per row against acting on none), the most probable rows first.

    Examples
    --------
    >>> costs = Costs(false_positive=1.0, false_negative=4.0)
    >>> find_profit_points(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]), costs)
    ((0.0, 0.0), (0.25, 1.0), (0.5, 0.75), (0.75, 1.75), (1.0, 1.5))
    """
    places, order = _list_places(p, max_points)
    priced = spread_costs(costs, len(p), amounts)
    quiet = priced.price(is_positive, np.zeros(len(p), dtype=bool))
    acted = priced.price(is_positive, np.ones(len(p), dtype=bool))
    saved = np.concatenate([[0.0], np.cumsum((quiet - acted)[order])]) / max(len(p), 1)
    return _pair(places, saved, len(p))


def _list_places(p: Float, max_points: int) -> tuple[Int, Int]:
    """Return how many rows are acted on at each point, never a part of equal probabilities, and the order of the rows."""
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) + 1
    if len(ends) > max_points:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, max_points).round().astype(np.int64))]
    return np.concatenate([[0], ends]), order


def _pair(places: Int, values: Float, n_rows: int) -> Points:
    return tuple((round(float(place) / max(n_rows, 1), 6), round(float(values[place]), 6)) for place in places)
