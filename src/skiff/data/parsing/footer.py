"""Where the table ends: notes below it, blank rows, headers repeated inside, columns without a name and a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from skiff.data.parsing.cells import look_at
from skiff.data.parsing.layout import count_filled
from skiff.data.parsing.placeholders import is_marker

TAIL_ROWS = 60
"""Rows at the end that are looked through for notes."""

MOST_NOTES = 20
"""More rows than this are not notes but a table that thins out."""

_NOTE = re.compile(
    r"\s*(?:[*†‡©#]|(?:source|note|notes|generated|exported|printed|page|report|remark|disclaimer|copyright|end of|as of|"
    r"quelle|hinweis|anmerkung|stand|erstellt|seite|fuente|nota|generado|fonte|fontes|généré|bron|opmerking)(?:[\s:.\d]|$))",
    re.IGNORECASE,
)
LONG_NOTE_LETTERS = 40
"""A single cell longer than this, alone in a row of a table, is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """The rows that are data, and what was left away; rows are counted from 1, from the first row below the header."""

    frame: pl.DataFrame
    positions: pl.Series
    blank_rows: tuple[int, ...]
    footer_rows: tuple[int, ...]
    header_copies: tuple[int, ...]


def drop_blank_and_footer(frame: pl.DataFrame, labels: Sequence[str], *, has_footer: bool = True) -> Trimmed:
    """Leave out rows without any value, notes at the end, and repetitions of the header.

    Parameters
    ----------
    frame : polars.DataFrame
        All String, an empty cell is null.
    labels : sequence of str
        The header over each column.
    has_footer : bool
        Whether the table ends here, so that notes may follow it.

    Examples
    --------
    >>> made = drop_blank_and_footer(pl.DataFrame({"a": ["1", None, "Source: till"], "b": ["2", None, None]}), ["a", "b"])
    >>> made.frame.height, made.blank_rows, made.footer_rows
    (1, (2,), (2, 3))
    """
    positions = pl.int_range(1, frame.height + 1, eager=True, dtype=pl.Int64).alias("position")
    copies = _find_header_copies(frame, labels)
    blank = _find_blank(frame)
    notes = _find_notes(frame, blank) if has_footer else set()
    gone = blank | copies | notes
    if not gone:
        return Trimmed(frame=frame, positions=positions, blank_rows=(), footer_rows=(), header_copies=())
    keep = ~positions.is_in(sorted(gone))
    end = (
        max((row for row in range(1, frame.height + 1) if row not in gone), default=0)
        if len(gone) < frame.height
        else 0
    )
    return Trimmed(
        frame=frame.filter(keep),
        positions=positions.filter(keep),
        blank_rows=tuple(sorted(blank)),
        footer_rows=tuple(sorted(notes | {row for row in blank if row > end and notes})),
        header_copies=tuple(sorted(copies)),
    )


def _find_blank(frame: pl.DataFrame) -> set[int]:
    if not frame.width or not frame.height:
        return set()
    suspects = pl.int_range(1, frame.height + 1, eager=True, dtype=pl.Int64)
    rest = frame
    for name in frame.columns:  # column by column: almost always the first few leave no suspect
        mask = rest[name].is_null() | (rest[name].str.strip_chars() == "").fill_null(value=True)
        if not mask.any():
            return set()
        if not mask.all():
            suspects, rest = suspects.filter(mask), rest.filter(mask)
    return set(suspects.to_list())


def _find_header_copies(frame: pl.DataFrame, labels: Sequence[str]) -> set[int]:
    named = [(at, label) for at, label in enumerate(labels) if label]
    if len(named) < 2 or not frame.height:  # noqa: PLR2004  a single word may be a value
        return set()
    suspects = pl.int_range(1, frame.height + 1, eager=True, dtype=pl.Int64)
    rest = frame
    for at, label in named:
        mask = (rest.to_series(at).str.strip_chars() == label).fill_null(value=False) if at < rest.width else None
        if mask is None or not mask.any():
            return set()
        suspects, rest = suspects.filter(mask), rest.filter(mask)
    return set(suspects.to_list())


def _find_notes(frame: pl.DataFrame, blank: set[int]) -> set[int]:
    """Return the rows at the end that hold one cell of prose where a row of the table holds several values."""
    if frame.width < 2 or frame.height < 2:  # noqa: PLR2004  nothing to stand apart from
        return set()
    tail = frame.tail(TAIL_ROWS).rows()
    first = frame.height - len(tail) + 1
    counts = sorted(filter(None, (count_filled(row) for row in frame.head(200).rows())))
    usual = counts[len(counts) // 2] if counts else 0
    found: set[int] = set()
    for offset in range(len(tail) - 1, -1, -1):
        row, number = tail[offset], first + offset
        filled = [(at, cell) for at, cell in enumerate(row) if cell and cell.strip()]
        if not filled:
            if number in blank:
                continue
            break
        if not _is_note(
            filled, frame, usual=usual, width=frame.width, after_blank=(number - 1) in blank or (number - 1) in found
        ):
            break
        found.add(number)
    return found if len(found) <= MOST_NOTES else set()


def _is_note(
    filled: Sequence[tuple[int, str]], frame: pl.DataFrame, *, usual: int, width: int, after_blank: bool
) -> bool:
    at, cell = filled[0]
    if after_blank and len(filled) == 1 and at == 0 and _NOTE.match(cell) and ":" in cell:
        return True
    if len(filled) > 1 + (width >= 6) or len(filled) >= usual or usual < 2:  # noqa: PLR2004  a note may spill into a second cell of a wide table
        return False
    if at > 1:
        return False
    above = [other for other in frame.to_series(at).head(200).to_list() if other and other.strip()]
    if above.count(cell) > 1 or is_marker(cell):
        return False  # a value that comes again, or stands for none
    is_strange = (
        bool(above) and look_at(cell) == "text" and sum(look_at(other) == "text" for other in above) < 0.2 * len(above)
    )
    longest = max((len(other) for other in above), default=0)
    is_long = at == 0 and len(cell) > LONG_NOTE_LETTERS and len(cell) > 1.5 * longest
    is_single_text = len(filled) == 1 and look_at(cell) == "text"
    return is_single_text and (bool(_NOTE.match(cell)) or is_strange or is_long or (after_blank and usual > 2))  # noqa: PLR2004  two-column tables thin out naturally
