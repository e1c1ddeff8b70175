"""A table as it stands in a file, before its columns have types."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from skiff.data.parsing.encoding import Encoding
from skiff.data.parsing.layout import Layout
from skiff.data.parsing.rows import Dialect

SHEET_COLUMN = "sheet"
"""Added where several sheets are read as one table: what came from where."""

FILE_COLUMN = "file"
"""The same for the files of a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table as it stands in a file: text cells with an empty one as null, or typed columns where the file has types.

    ``ragged`` lists rows (from 1, below the header) that had fewer or more cells than the header; ``added`` names the
    columns made for the surplus; ``sheets_read`` and ``sheets_left`` name sheets of a workbook or files of a folder.
    """

    frame: pl.DataFrame
    labels: tuple[str, ...]
    is_typed: bool = False
    format: str = "csv"
    encoding: Encoding | None = None
    dialect: Dialect | None = None
    layout: Layout | None = None
    doubled: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()
    ragged: tuple[int, ...] = ()
    short: int = 0
    long: int = 0
    added: tuple[str, ...] = ()
    source_column: str = ""
    sheets_read: tuple[str, ...] = ()
    sheets_left: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    merged: int = 0
    formula_errors: dict[str, int] | None = None
    is_quote_open: bool = False
    other_tables: int = 0


def stack_alike(parts: dict[str, RawTable], *, by: str) -> RawTable:
    """Return the parts that have the same columns as the largest, one below the other, with a column that names each.

    Parameters
    ----------
    parts : dict of str to RawTable
        At least one; named by sheet or file.
    by : str
        Name of the added column.
    """
    biggest = max(parts, key=lambda name: parts[name].frame.height * parts[name].frame.width)
    chosen = parts[biggest]
    alike = [
        name
        for name, part in parts.items()
        if part.frame.columns == chosen.frame.columns and part.is_typed == chosen.is_typed
    ]
    column = by
    while column in chosen.frame.columns:
        column += "_"
    frame, labels = chosen.frame, chosen.labels
    if len(alike) > 1:
        frames = [parts[name].frame.with_columns(pl.lit(name).alias(column)) for name in alike]
        frame = pl.concat(frames, how="vertical_relaxed")
        labels = (*labels, column)
    errors: dict[str, int] = {}
    for name in alike:
        for place, count in (parts[name].formula_errors or {}).items():
            errors[place] = errors.get(place, 0) + count
    return RawTable(
        frame=frame,
        labels=labels,
        is_typed=chosen.is_typed,
        format=chosen.format,
        encoding=chosen.encoding,
        dialect=chosen.dialect,
        layout=chosen.layout,
        doubled=chosen.doubled,
        invented=chosen.invented,
        short=sum(parts[name].short for name in alike),
        long=sum(parts[name].long for name in alike),
        added=chosen.added,
        source_column=column if len(alike) > 1 else "",
        sheets_read=tuple(alike),
        sheets_left=tuple(name for name in parts if name not in alike),
        merged=sum(parts[name].merged for name in alike),
        formula_errors=errors or None,
    )
