"""Where the table begins: title lines, header rows, names of the columns."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from skiff.data.parsing.cells import is_year, look_at
from skiff.data.parsing.dialect import find_usual_width
from skiff.data.parsing.numbers import CURRENCIES, is_unit, split_number
from skiff.data.parsing.placeholders import MARKERS

Row = Sequence[str | None]

MOST_TITLE_ROWS = 40
"""Rows above a header that are looked through; reports carry a dozen at most."""

HEADER_FILLED = 0.8
"""Share of cells a header row fills; a pivot's corner or a few unnamed columns may be empty."""

LOOSE_FILLED = 0.5
"""The same where no row fills more."""

NO_VALUE = MARKERS | {""}
"""What says nothing about the kind of a column, however often it stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things are, in rows of the file counted from 0.

    Parameters
    ----------
    header_row : int or None
        The last row of the header; None where the table has none and starts with data.
    header_rows : int
        How many rows make the header (0, 1 or 2).
    body_row : int
        First row of data.
    title_rows : tuple of int
        Rows above the header that hold something.
    width : int
        Number of cells of a row.
    labels : tuple of str
        What the header says over each column, stripped; empty where nothing.
    """

    header_row: int | None
    header_rows: int
    body_row: int
    title_rows: tuple[int, ...]
    width: int
    labels: tuple[str, ...]


def count_filled(row: Row) -> int:
    """Return how many cells of `row` hold something."""
    return sum(bool(cell and cell.strip()) for cell in row)


def find_layout(rows: Sequence[Row], *, names: Sequence[str] = (), has_header: bool | None = None) -> Layout:
    """Return where the header and the data begin in the first rows of a table.

    Parameters
    ----------
    rows : sequence of rows
        The first few hundred rows, blank lines included as empty rows.
    names : sequence of str
        Names of the columns as a recipe knows them; the row that holds most of them is the header.
    has_header : bool, optional
        Settled already; None lets the cells decide.

    Notes
    -----
    The header is the first row that fills at least four fifths of the usual width. It is doubted where its cells look
    like the data below (numbers over numbers, or values that come back in their own column): then there is no header.

    Examples
    --------
    >>> found = find_layout([["Price list"], [], ["make", "price"], ["Ford", "27870"], ["Dodge", "2000"]])
    >>> found.header_row, found.title_rows, found.labels
    (2, (0,), ('make', 'price'))
    """
    filled = [row for row in rows if count_filled(row)]
    if not filled:
        return Layout(header_row=None, header_rows=0, body_row=0, title_rows=(), width=0, labels=())
    width = find_usual_width(filled)
    start = _find_known_header(rows, names) if names else None
    if start is None:
        start = _find_header(rows, width)
    is_header = has_header if has_header is not None else bool(names) or not _looks_like_data(rows, start, width)
    if not is_header:
        body = start
        labels: tuple[str, ...] = ("",) * width
        return Layout(
            header_row=None,
            header_rows=0,
            body_row=body,
            title_rows=_filled_above(rows, body),
            width=width,
            labels=labels,
        )
    width = max(width, len(_trim(rows[start])))
    labels = tuple(_clean_label(cell) for cell in _pad(rows[start], width))
    above = _find_group_row(rows, start, width)
    if above is not None:
        labels = _join_labels(_pad(rows[above], width), labels)
    header_rows = 2 if above is not None else 1
    titles = _filled_above(rows, start if above is None else above)
    return Layout(
        header_row=start, header_rows=header_rows, body_row=start + 1, title_rows=titles, width=width, labels=labels
    )


def name_columns(labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return unique column names, those that had to be numbered, and those that had to be invented.

    Examples
    --------
    >>> name_columns(["Price", "Price", ""])
    (('Price', 'Price.1', 'column_3'), ('Price.1',), ('column_3',))
    """
    taken = {label for label in labels if label}
    seen: Counter[str] = Counter()
    made: list[str] = []
    doubled: list[str] = []
    invented: list[str] = []
    for place, label in enumerate(labels, start=1):
        name = label or f"column_{place}"
        if (label and seen[label]) or (not label and name in taken):
            base, number = name, max(seen[label], 1)
            while f"{base}.{number}" in taken:
                number += 1
            name = f"{base}.{number}"
            if label:
                doubled.append(name)
        seen[label] += 1
        taken.add(name)
        if not label:
            invented.append(name)
        made.append(name)
    return tuple(made), tuple(doubled), tuple(invented)


def _clean_label(cell: str | None) -> str:
    return re.sub(r"\s+", " ", cell or "").strip().strip("\ufeff")


def _pad(row: Row, width: int) -> list[str | None]:
    return [*row[:width], *[None] * (width - len(row))]


def _trim(row: Row) -> Row:
    last = max((at for at, cell in enumerate(row) if cell and cell.strip()), default=-1)
    return row[: last + 1]


def _filled_above(rows: Sequence[Row], end: int) -> tuple[int, ...]:
    return tuple(at for at in range(end) if count_filled(rows[at]))


def _find_known_header(rows: Sequence[Row], names: Sequence[str]) -> int | None:
    wanted = {re.sub(r"\.\d+$", "", name) for name in names} | set(names)
    shares = [len({_clean_label(cell) for cell in row} & wanted) / len(wanted) for row in rows[:MOST_TITLE_ROWS]]
    best = max(range(len(shares)), key=lambda at: shares[at], default=None)
    return best if best is not None and shares[best] >= LOOSE_FILLED else None


def _find_header(rows: Sequence[Row], width: int) -> int:
    head = rows[:MOST_TITLE_ROWS]
    first = next((at for at, row in enumerate(head) if count_filled(row)), 0)
    if width <= 1:
        return first
    for share in (HEADER_FILLED, LOOSE_FILLED):
        needed = max(2, math.ceil(share * _body_width(rows, width)))
        for at, row in enumerate(head):
            if count_filled(row) < needed or len(row) < needed:
                continue
            return _prefer_row_above(rows, at, width)
    return first


def _body_width(rows: Sequence[Row], width: int) -> int:
    """Return how many columns hold anything at all, so that a trailing delimiter does not count."""
    return sum(any(at < len(row) and row[at] and str(row[at]).strip() for row in rows) for at in range(width))


def _prefer_row_above(rows: Sequence[Row], at: int, width: int) -> int:
    """Return the row above where it names half of the columns and `at` is plainly data (a header with gaps)."""
    if at == 0:
        return at
    above = rows[at - 1]
    filled, needed = count_filled(above), LOOSE_FILLED * _body_width(rows, width)
    if len(above) != width or filled < needed or any(look_at(cell) in {"number", "date"} for cell in above):
        return at
    if filled > needed and filled > 1 and not any(map(count_filled, rows[: at - 1])):
        return (
            at if _find_group_row(rows, at, width) is not None else at - 1
        )  # the first row of all, and no group names
    is_data = any(look_at(cell) in {"number", "date", "time"} for cell in rows[at]) or _looks_like_data(rows, at, width)
    return at - 1 if is_data else at


def _looks_like_data(rows: Sequence[Row], start: int, width: int) -> bool:  # noqa: C901  one ground a branch, read top down
    """Return whether the would-be header is a row like those below."""
    if start >= len(rows):
        return False
    head, below = (
        _pad(rows[start], width),
        [_pad(row, width) for row in rows[start + 1 : start + 200] if count_filled(row)],
    )
    looks = [_look_with_unit(cell) for cell in head]
    if all(look == "text" for look in looks):
        below = [row for row in below if row != head]  # exports joined below each other repeat their header
    if not below:
        return bool(looks) and all(look in {"number", "date", "time", "blank"} for look in looks) and "number" in looks
    alike = years = returning = judged = 0
    for at, cell in enumerate(head):
        if looks[at] == "blank":
            continue
        column = [row[at] for row in below]
        known = (other for other in column if other and other.strip().lower() not in NO_VALUE)
        usual = Counter(map(_look_with_unit, known)).most_common(1)
        judged += 1
        if looks[at] != "text" and usual and usual[0][0] == looks[at]:
            alike += 1
            years += is_year(cell)
        if looks[at] == "text" and column.count(cell) > 1:
            returning += 1
    if not judged:
        return False
    if alike and years == alike and any(look == "text" for look in looks):
        return False  # years head the columns of a cross table
    if len(below) < 3 and not alike:  # noqa: PLR2004  too little to compare
        return False
    return alike > 0 or (returning >= LOOSE_FILLED * judged and returning > 0)


def _look_with_unit(cell: str | None) -> str:
    """Return the look of `cell`; for an amount in a unit (``12 kg``) that unit, because "12 months" may head a column."""
    look = look_at(cell)
    parts = split_number(cell) if look == "text" and cell else None
    if parts and {*parts[::2]} - {""} and {*parts[::2]} <= {"", "%", *CURRENCIES}:
        return "number"  # (107.20) €
    return parts[2] if parts and not parts[0] and is_unit(parts[2]) else look


def _find_group_row(rows: Sequence[Row], start: int, width: int) -> int | None:
    """Return the row above the header that groups its columns (``2019,,2020,``), if there is one."""
    if start == 0 or width < 3:  # noqa: PLR2004  nothing to group
        return None
    above = _pad(rows[start - 1], width)
    filled = count_filled(above)
    if not 2 <= filled < width or len(rows[start - 1]) < width:  # noqa: PLR2004  one cell is a title
        return None
    if filled == count_filled(rows[start]) or any(_is_value(cell) for cell in rows[start]):
        return None
    header = [_clean_label(cell) for cell in _pad(rows[start], width)]
    has_repeats = len({label for label in header if label}) < sum(bool(label) for label in header)
    gaps = [at for at, cell in enumerate(above) if not (cell and cell.strip())]
    first = next(at for at, cell in enumerate(above) if cell and cell.strip())
    return start - 1 if has_repeats or (any(at > first for at in gaps) and first > 0) else None


def _is_value(cell: str | None) -> bool:
    return look_at(cell) in {"number", "date"} and not is_year(cell)


def _join_labels(above: Row, labels: Sequence[str]) -> tuple[str, ...]:
    made, group = [], ""
    for top, label in zip(above, labels, strict=True):
        group = _clean_label(top) or group
        made.append(f"{group} {label}".strip() if label != group else label)
    return tuple(made)
