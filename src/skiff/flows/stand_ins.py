"""Cells of a later table that stand for "no value", as they did where the training rows came from."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from skiff.core.signature import InputColumn
from skiff.deploy.tensors import list_stand_ins


def clear_table(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> pl.DataFrame:
    """Return the table with nulls where a cell stands for "no value" in its column.

    Examples
    --------
    >>> inputs = [InputColumn(name="job", kind="category", missing_words=("?",)),
    ...           InputColumn(name="age", kind="number", missing_words=("-999",))]
    >>> clear_table(pl.DataFrame({"job": ["cook", " ?"], "age": [41, -999]}), inputs).rows()
    [('cook', 41), (None, None)]
    """
    made = []
    for column in inputs:
        dtype = frame.schema.get(column.name)
        if not column.missing_words or dtype is None:
            continue
        cells = pl.col(column.name)
        known = list_stand_ins(column)
        if dtype == pl.String:
            stands = cells.str.strip_chars().is_in([cell for cell in known if isinstance(cell, str)])
        elif dtype.is_numeric():
            stands = cells.cast(pl.Float64).is_in([cell for cell in known if isinstance(cell, float)])
        else:
            continue
        made.append(pl.when(~stands).then(cells).alias(column.name))
    return frame.with_columns(made)
