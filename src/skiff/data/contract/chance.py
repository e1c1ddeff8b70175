"""Could chance have made it so: how much a regularity without an exception proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtrc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

MIN_ROWS = 60
"""Rows without an exception before a rule is proposed: fewer than 1 in 20 rows can then break it (`Rule.bound`)."""

MIN_EXPECTED = 5.0
"""Exceptions that chance would have made: none is then a coincidence of e⁻⁵ = 0.7 % (Poisson)."""

SURPRISE = 0.01
"""Chance of so many exceptions or more below which a rule that was only proposed is called broken."""


def expect_collisions(n_rows: int, *sums_of_squares: float) -> float:
    """Return how many pairs of rows would be equal by chance, were the columns independent of each other.

    Parameters
    ----------
    n_rows : int
    sums_of_squares : float
        For each column, the sum of the squared shares of its values: the chance that two rows agree in it.

    Examples
    --------
    >>> expect_collisions(366, 1 / 365) > MIN_EXPECTED
    True
    """
    return n_rows * (n_rows - 1) / 2 * float(np.prod(sums_of_squares))


def measure_disorder(first: Float, second: Float) -> float:
    """Return how often a value of `first` would exceed one of `second`, were the two paired at random.

    Examples
    --------
    >>> measure_disorder(np.array([1.0, 3.0]), np.array([2.0, 2.0]))
    0.5
    """
    if not len(first) or not len(second):
        return 0.0
    return float(np.searchsorted(np.sort(second), first, side="left").mean() / len(second))


def is_surprising(exceptions: int, n_rows: int, *, bound: float) -> bool:
    """Whether so many exceptions in `n_rows` are more than a rule with this bound leaves room for.

    Examples
    --------
    >>> is_surprising(1, 1000, bound=0.003), is_surprising(12, 1000, bound=0.003)
    (False, True)
    """
    if exceptions <= 0:
        return False
    return bound >= 1.0 or float(bdtrc(exceptions - 1, n_rows, bound)) < SURPRISE
