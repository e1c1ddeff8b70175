"""Rows as positions: which are the same, which have something in them, and the numbers people know them by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

SAMPLE_ROWS = 10
"""Row numbers that a finding shows as proof (`skiff.core.finding.Finding.sample_rows`)."""


def number_rows(mask: Bool) -> tuple[int, ...]:
    """Return the numbers, counted from 1, of the first ten rows of `mask`.

    Examples
    --------
    >>> number_rows(np.array([False, True, True]))
    (2, 3)
    """
    return tuple(int(place) + 1 for place in np.flatnonzero(mask)[:SAMPLE_ROWS])


def has_value(series: pl.Series) -> Bool:
    """Return which cells hold something: not null, not NaN, not the empty text.

    Examples
    --------
    >>> has_value(pl.Series(["a", "", None])).tolist()
    [True, False, False]
    """
    if series.dtype == pl.String:
        return (
            (series != "").to_numpy() if not series.null_count() else (series != "").fill_null(value=False).to_numpy()
        )
    if series.dtype.is_float():
        known: Bool = ~np.isnan(series.to_numpy())  # null becomes NaN on the way
        return known
    return series.is_not_null().to_numpy() if series.null_count() else np.ones(series.len(), dtype=np.bool_)


def count_missing(series: pl.Series) -> int:
    """Return how many cells hold nothing, as `has_value` sees it.

    Examples
    --------
    >>> count_missing(pl.Series(["a", "", None])), count_missing(pl.Series([1, None]))
    (2, 1)
    """
    if series.dtype == pl.String or series.dtype.is_float():
        return series.len() - int(np.count_nonzero(has_value(series)))
    return series.null_count()


def code_rows(frame: pl.DataFrame, columns: Sequence[str] | None = None) -> Int:
    """Return a code per row: equal where all the cells are equal.

    Parameters
    ----------
    frame : polars.DataFrame
    columns : sequence of str, optional
        The cells that count; all of them by default.

    Notes
    -----
    Rows are compared by a 64-bit hash. Among 10 million different rows the chance of any two colliding is below
    3 in a million (birthday bound, n² / 2⁶⁵).

    Examples
    --------
    >>> codes = code_rows(pl.DataFrame({"a": [1, 2, 1], "b": ["x", "x", "x"]}))
    >>> bool(codes[0] == codes[2]), bool(codes[0] == codes[1])
    (True, False)
    """
    chosen = frame if columns is None else frame.select(columns)
    if chosen.width == 0 or chosen.height == 0:
        return np.zeros(chosen.height, dtype=np.int64)
    return chosen.hash_rows(seed=0).reinterpret(signed=True).to_numpy()


def count_copies(codes: Int) -> tuple[Int, Int]:
    """Return for each row its set of equal rows, numbered from 0, and how many rows that set has.

    Examples
    --------
    >>> sets, sizes = count_copies(np.array([7, 9, 7]))
    >>> sizes.tolist(), bool(sets[0] == sets[2])
    ([2, 1, 2], True)
    """
    _, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    return place.astype(np.int64), counts[place].astype(np.int64)
