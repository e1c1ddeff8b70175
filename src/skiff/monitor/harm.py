"""Could a change of one column move the score? The errors of the sealed rows, weighed as the window is mixed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from skiff.monitor.reference import ColumnReference

CouldMove: TypeAlias = Literal["yes", "no", "unknown"]

Z = 1.959963984540054
"""Normal quantile of 97.5 %."""

MIN_IN_BIN = 5
"""Sealed rows a bin needs before its errors say anything."""

BLIND_SHARE = 0.02
"""Share of the window in places where the sealed rows have none, from which the answer is "cannot be told"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What a column's new mix alone would do to the errors.

    Parameters
    ----------
    could_move : {"yes", "no", "unknown"}
        ``yes`` where the errors rise for sure, ``no`` where they cannot rise beyond what the promise leaves open.
    change : float or None
        Expected change of the share of wrong answers, or of the mean absolute error; None where it cannot be told.
    low, high : float or None
        95 % interval of it.
    tolerance : float
        Half the width of the interval of the same error on the sealed rows: what the promise leaves open.
    """

    could_move: CouldMove = "unknown"
    change: float | None = None
    low: float | None = None
    high: float | None = None
    tolerance: float = 0.0


def measure_harm(counts: Sequence[int], column: ColumnReference, *, n_unseen: int = 0) -> Harm:
    """Weigh the sealed rows' errors in each bin by the window's rows instead of their own.

    Parameters
    ----------
    counts : sequence of int
        The window's rows in each bin of the column.
    column : ColumnReference
    n_unseen : int
        Rows with values that training did not have: the sealed rows say nothing about them.

    Notes
    -----
    Importance weighting under covariate shift (Shimodaira 2000, https://doi.org/10.1016/S0378-3758(00)00115-4) on one
    column at a time: what several columns do together, and what changed beside the columns, is left to the estimate of the
    quality.

    Examples
    --------
    >>> from skiff.data.bins import Bins
    >>> column = ColumnReference(name="size", kind="number", n=1000, n_missing=0, bins=Bins(kind="number", edges=(1.0,)),
    ...                          test=np.array([500.0, 500.0, 0.0]), wrong=np.array([0.05, 0.35, 0.0]),
    ...                          wrong_sd=np.array([0.22, 0.48, 0.0]))
    >>> worse = measure_harm([100, 900, 0], column)
    >>> worse.could_move, round(worse.change, 2)
    ('yes', 0.12)
    >>> measure_harm([510, 490, 0], column).could_move
    'no'
    """
    rows = np.asarray(counts, dtype=np.float64)
    n, n_test = float(rows.sum()), float(column.test.sum())
    if len(rows) != len(column.test) or not n or n_test < MIN_IN_BIN:
        return Harm()
    share, share_test = rows / n, column.test / n_test
    thin = column.test < MIN_IN_BIN
    blind = float(share[thin].sum()) + n_unseen / n
    overall = float(share_test @ column.wrong)
    spread = float(share_test @ (column.wrong_sd**2 + (column.wrong - overall) ** 2))
    tolerance = Z * math.sqrt(spread / n_test)
    if blind > BLIND_SHARE:
        return Harm(tolerance=tolerance)
    share = np.where(thin, 0.0, share)
    share = share / share.sum()
    change = float((share - share_test) @ column.wrong)
    # A bin without a wrong answer is not free of them: half a row is added to its variance (Agresti and Coull 1998).
    variance = np.maximum(column.wrong_sd**2, spread / np.maximum(column.test, 1.0)) / np.maximum(column.test, 1.0)
    error = math.sqrt(float((share - share_test) ** 2 @ variance))
    low, high = change - Z * error, change + Z * error
    could: CouldMove = "unknown"
    if high <= tolerance:
        could = "no"
    elif low > 0:
        could = "yes"
    return Harm(could_move=could, change=change, low=low, high=high, tolerance=tolerance)
