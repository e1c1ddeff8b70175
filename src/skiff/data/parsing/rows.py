"""Lines of text into rows of cells, carefully: every quote, line end and surplus cell is respected."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SURROGATE_RETURN = "\ue00d"
"""Stands for a lone carriage return inside a cell while rows are split; private-use letters occur in no table."""

SURROGATE_DELIMITER = "\ue00e"
"""Delimits nothing: for tables of one column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a line is cut into cells.

    Parameters
    ----------
    delimiter : str
        One letter.
    quote : str
        One letter, or empty where quotes mean nothing.
    escape : str
        What stands before a quote inside quotes; empty where a quote is doubled.
    is_single : bool
        Whether each line is one cell.
    score : float
        How well it fits the sample, 0 to 1.
    runner_up : str
        The delimiter that fits next best, if it comes close.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    is_single: bool = False
    score: float = 1.0
    runner_up: str = ""


Newline = Literal["lf", "cr", "mixed"]


def find_newline(text: str) -> Newline:
    r"""Return which line ends separate rows: ``mixed`` where lone carriage returns are as frequent as line feeds.

    Examples
    --------
    >>> find_newline("a\r1\r2"), find_newline("a\r\n1\r\n"), find_newline("a\n1\r\n2")
    ('cr', 'lf', 'lf')
    """
    feeds, returns = text.count("\n"), text.count("\r")
    lone = returns - text.count("\r\n") if returns else 0
    if not feeds and lone:
        return "cr"
    return "mixed" if lone > feeds else "lf"


def iterate_rows(text: str, dialect: Dialect, *, newline: Newline = "lf") -> Iterator[tuple[list[str], int]]:
    """Yield each row with the number of letters of `text` used up to its end; blank lines are empty rows.

    A quote that is never closed swallows what follows it: see `has_open_quote`.
    """
    is_swapped = newline == "lf" and bool(re.search(r"\r(?!\n)", text))
    if is_swapped:  # a lone return inside a cell is part of the cell
        text = re.sub(r"\r(?!\n)", SURROGATE_RETURN, text)
    lines = io.StringIO(text, newline="\n" if newline == "lf" else "")
    used = 0

    def count() -> Iterator[str]:
        nonlocal used
        for line in lines:
            used += len(line)
            yield line

    csv.field_size_limit(2**31 - 1)  # the default refuses cells above 128 KiB, which letters and logs do reach
    for row in _make_reader(count(), dialect):
        yield ([cell.replace(SURROGATE_RETURN, "\r") for cell in row] if is_swapped else row), used


def has_open_quote(text: str, dialect: Dialect, last_row_letters: int) -> bool:
    """Return whether the last row, `last_row_letters` long, was swallowed by a quote that is never closed."""
    if not dialect.quote or text.count(dialect.quote) % 2 == 0:
        return False
    return len(re.findall(r"\r\n|\n|\r", text[len(text) - last_row_letters :].rstrip("\r\n"))) > 0


def _make_reader(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    delimiter = SURROGATE_DELIMITER if dialect.is_single else dialect.delimiter
    if not dialect.quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=delimiter, quotechar=dialect.quote, escapechar=dialect.escape or None)
