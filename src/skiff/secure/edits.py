"""Cells set to values that training rows really had: the only changes that attacks make."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn

MOST_VALUES, MOST_EDITS_TRIED = 8, 600
"""Values tried in a column (evenly spaced among those that training rows had, or the most frequent levels), and in all columns
together; wide tables get fewer each, but two at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One cell set to one value of training rows.

    Parameters
    ----------
    column : str
    value : polars.Series of length 1
        So that its type is the column's.
    rank : float or None
        Share of training rows below it, for numbers and dates.
    """

    column: str
    value: pl.Series
    rank: float | None


def list_edits(seen: pl.DataFrame, inputs: Sequence[InputColumn], immutable: Collection[str]) -> list[Edit]:
    """Return the values that cells may be set to; an empty cell is one where training rows had empty ones.

    Parameters
    ----------
    seen : polars.DataFrame
        Training rows: nothing is invented.
    inputs : sequence of InputColumn
        Columns of running text are left out.
    immutable : collection of str
        Columns to leave alone.

    Examples
    --------
    >>> frame = pl.DataFrame({"city": ["Oslo", "Oslo", "Rome", None]})
    >>> edits = list_edits(frame, [InputColumn(name="city", kind="category", levels=("Oslo", "Rome"))], ())
    >>> len(edits), edits[2].value.to_list()
    (3, [None])
    """
    free = [column for column in inputs if column.name not in immutable and column.kind != "text"]
    n_values = int(np.clip(MOST_EDITS_TRIED // max(1, len(free)), 2, MOST_VALUES))
    edits: list[Edit] = []
    for column in free:
        cells = seen[column.name]
        known = cells.drop_nulls()
        known = known.drop_nans() if known.dtype.is_float() else known
        if column.kind in {"number", "date"}:
            edits += _list_ranked(known.sort(), n_values)
        else:
            common = count_levels(known)[column.name].head(n_values)
            edits += [
                Edit(column=column.name, value=common[place : place + 1], rank=None) for place in range(len(common))
            ]
        if cells.null_count():
            edits.append(Edit(column=column.name, value=pl.Series(column.name, [None], dtype=cells.dtype), rank=None))
    return edits


def count_levels(cells: pl.Series) -> pl.DataFrame:
    """Return the different cells and, in the second column, how many rows have each: the most frequent first, equals in order.

    Examples
    --------
    >>> count_levels(pl.Series("count", ["Rome", "Oslo", "Oslo"])).rows()
    [('Oslo', 2), ('Rome', 1)]
    """
    counted = f"rows of {cells.name}"  # a client's column may be called "count", as Polars calls this one
    return cells.value_counts(name=counted).sort(pl.nth(1), pl.nth(0), descending=[True, False])


def _list_ranked(ordered: pl.Series, n_values: int) -> list[Edit]:
    """Return evenly spaced values of an ordered column without gaps, each with the share of rows below it."""
    places = np.unique((np.linspace(0.02, 0.98, n_values) * (len(ordered) - 1)).round().astype(int)).tolist()
    values = [ordered[place : place + 1] for place in places] if len(ordered) else []
    return [
        Edit(column=ordered.name, value=value, rank=float(ordered.search_sorted(value[0], side="left")) / len(ordered))
        for value in values
    ]


def set_cell(rows: pl.DataFrame, edit: Edit) -> pl.DataFrame:
    """Return the rows with one cell of each set."""
    return rows.with_columns(pl.repeat(edit.value[0], rows.height, dtype=edit.value.dtype).alias(edit.column))
