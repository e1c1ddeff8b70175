"""How far the map from answers to the truth may have moved since the sealed rows: drawn from what earlier periods did."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.monitor.reference import Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

N_LINE = 2
"""Offset, and logarithm of the slope."""


def draw_moves(reference: Reference, n_draws: int, rng: np.random.Generator) -> Float:
    """Draw moves of a period that comes, relative to the sealed rows.

    Parameters
    ----------
    reference : Reference
    n_draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_draws, 2) or (n_draws, 1)
        Offset in log odds and logarithm of the slope; of a reference without periods, and of one of numbers, a single move.

    Notes
    -----
    Where time orders the rows, a coming period and the sealed one are both draws from the same distribution of periods, so that
    they differ with twice its covariance; that it was learned from few periods makes the tails those of Student's t
    (Higgins, Thompson and Spiegelhalter 2009, §4.1, https://doi.org/10.1111/j.1467-985X.2008.00552.x). Without periods, the
    variance between blocks of sealed rows is all there is.

    Examples
    --------
    >>> still = Reference(rows=9, columns=(), answers=())
    >>> draw_moves(still, 3, np.random.default_rng(0)).any()
    np.False_
    """
    if not reference.periods:
        offsets: Float = rng.normal(size=(n_draws, 1)) * np.sqrt(reference.shift_variance)
        return offsets
    covariance = 2 * reference.between_periods
    covariance[0, 0] = max(covariance[0, 0], reference.shift_variance)
    freedom = reference.periods - 1
    drawn = rng.multivariate_normal(np.zeros(len(covariance)), covariance, size=n_draws, method="eigh")
    tails: Float = drawn / np.sqrt(rng.chisquare(freedom, size=n_draws) / freedom)[:, None]
    return tails
