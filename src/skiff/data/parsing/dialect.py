"""How lines are cut into cells: which delimiter, which quote."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from skiff.data.parsing.rows import QUOTES, Dialect, Newline, SplitRow, split_row, walk_rows

DELIMITERS = (",", ";", "\t", "|", "\x1f", "\x01", "^", "~", "¦", ":", " ")
"""Tried in this order; between equals the earlier is taken. Colon and blank occur inside cells and need a perfect fit."""

INSIDE_CELLS = frozenset({":", " "})

SAMPLE_ROWS = 300
"""Rows of the sample that are judged; a delimiter shows in ten, and titles and notes are then a small share."""

SAMPLE_CELLS = 6_000
"""Cells of the sample that are judged: a wide table shows its delimiter in a few rows."""

AT_HOME = 0.95
"""What a delimiter counts that is at home inside numbers and sentences; a bar or a tab stands there only to delimit."""

SHORT_ROW = 0.6
"""What a row counts that lacks cells at the end, where none has too many."""

FILLED_TO_THE_END = 0.2
"""Share of rows with as many cells as the header that makes the others short rather than those long."""

MOST_OUTSIDE = 45
"""Lines of titles and notes that may stand around a table."""

LEAST_FIT = 0.4
"""Below this fit no delimiter explains the lines, and each line is one cell."""

MOSTLY_CUT = 0.75
"""A delimiter that cuts a smaller share of the lines than this yields to one that cuts every line alike: our convention."""

LEAST_LINES_ALIKE = 3
"""Lines that must all be cut alike before that is more than chance."""

CLOSE = 0.9
"""A runner-up within this share of the best fit is named, because another table may decide otherwise."""

_CLEAN = re.compile(
    r"""\s*(?:
      [-+(]?\s*[$€£¥]?\s*[-+]?\d[\d.,'\u00a0\u202f ]*(?:[eE][-+]?\d+)?[-)]?\s*
      (?:[%€$£]|°?[^\W\d_]{1,8}[²³]?(?:/[^\W\d_]{1,3})?)?[-)]?                                   # a number
    | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?                            # a date
    | \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?                                                # a time of day
    | [^\s,;\t|]+ (?:[ ][^\s,;\t|]+){0,3}                                               # a few words
    )?\s*""",
    re.VERBOSE,
)
_STRANGE_INSIDE = frozenset(";\t|\x1f\x01^~¦")
_APOSTROPHES = re.compile(r"(?<![^\n\r,;\t|^~\x1f\x01¦])'(?:[^'\\]|''|\\.)*+'(?![^\n\r,;\t|^~\x1f\x01¦])", re.DOTALL)
_SPECIAL = re.compile(r"[\n\r,;\t|^~\x1f\x01¦]")
_HINT = re.compile(r"\s*\"?sep=(.)\"?\s*(?:\r\n|\n|\r)", re.IGNORECASE)


def find_separator_hint(text: str) -> tuple[str, int]:
    r"""Return the delimiter that a first line ``sep=;`` names (Excel writes it) and that line's length.

    Examples
    --------
    >>> find_separator_hint("sep=;\na;b")
    (';', 6)
    """
    found = _HINT.match(text)
    return (found[1], found.end()) if found else ("", 0)


def decide_dialect(text: str, *, newline: Newline = "lf", is_whole: bool = True, delimiter: str = "") -> Dialect:
    r"""Return the dialect that cuts the sample `text` into the most regular and cleanest rows.

    Parameters
    ----------
    text : str
        The beginning of the file.
    newline : {"lf", "cr", "mixed"}
    is_whole : bool
        Whether `text` is the whole file; else its last row may be cut and is not judged.
    delimiter : str
        Settled already (a hint or a recipe), or empty.

    Notes
    -----
    Fit = share of rows with the usual number of cells x share of cells that look like one value. A decimal comma makes
    regular rows too, but leaves cells that hold the true delimiter; those are not clean. Quotes that close right before a
    delimiter speak for it, quotes that do not speak against it. Lists inside cells cut some lines finely and leave the
    others whole; a delimiter that cuts every line alike is then preferred.

    References
    ----------
    van den Burg, G. J. J., Nazábal, A. and Sutton, C. (2019), Wrangling messy CSV files by detecting row and type
    patterns, Data Mining and Knowledge Discovery 33, 1799-1820, doi:10.1007/s10618-019-00646-y: pattern score x type score.

    Examples
    --------
    >>> decide_dialect("Größe;Preis\nL;20,75\nM;16,75\n").delimiter
    ';'
    >>> decide_dialect("note\nhello, world\nall good\n").is_single
    True
    >>> decide_dialect("tags,ok\na; b; c,yes\nd; e; f,no\ng,no\n").delimiter
    ','
    """
    wanted = (delimiter,) if delimiter else tuple(mark for mark in DELIMITERS if mark in text)
    fits: list[tuple[float, int, Dialect]] = []
    for rank, (mark, style) in enumerate(itertools.product(wanted, _find_quote_styles(text))):
        dialect = replace(style, delimiter=mark)
        fits.append((_measure_fit(text, dialect, newline=newline, is_whole=is_whole), -rank, dialect))
    fits.sort(key=lambda item: item[:2], reverse=True)
    if delimiter and fits:
        return fits[0][2]
    fits = [fit for fit in fits if fit[0] >= (LEAST_FIT if fit[2].delimiter not in INSIDE_CELLS else 0.97)]
    if not fits:
        return _decide_single(text, newline)
    if not _cuts_most(text, fits[0][2], newline=newline, is_whole=is_whole):
        fits.sort(key=lambda fit: _cuts_all_alike(text, fit[2], newline=newline, is_whole=is_whole), reverse=True)
    score, _, best = fits[0]
    others = [fit for fit in fits[1:] if fit[2].delimiter != best.delimiter and fit[0] >= CLOSE * score]
    return replace(best, score=round(min(score, 1.0), 3), runner_up=others[0][2].delimiter if others else "")


def _decide_single(text: str, newline: Newline) -> Dialect:
    """Return the dialect of lines that are one cell each; quotes count where whole lines stand in them."""
    quoted = Dialect(is_single=True)
    rows = list(itertools.islice(walk_rows(text, quoted, newline=newline), SAMPLE_ROWS))
    return replace(quoted, quote="") if any(row.is_broken for row in rows) else quoted


def _find_quote_styles(text: str) -> list[Dialect]:
    r"""Return the quotes to try, with what escapes them: ``"`` doubled, ``\"``, ``'`` where cells begin and end so, or none."""
    styles = [Dialect()]
    if '"' in text:
        if re.search(r'\\"', text):
            styles.append(Dialect(escape="\\"))
        if re.search(r"[,;|] +\"", text):
            styles.append(Dialect(skips_blanks=True))
        styles.append(Dialect(quote=""))
    enclosed = _APOSTROPHES.findall(text)
    if len(enclosed) >= 2 or any("''" in cell[1:-1] or _SPECIAL.search(cell) for cell in enclosed):  # noqa: PLR2004  more than chance
        styles.append(Dialect(quote="'"))
        if "\\'" in text:
            styles.append(Dialect(quote="'", escape="\\"))
    return styles


def _measure_fit(text: str, dialect: Dialect, *, newline: Newline, is_whole: bool) -> float:
    rows = _take_rows(text, dialect, newline=newline, is_whole=is_whole)
    if not rows:
        return 0.0
    all_cells = [row.cells for row in rows]
    regular, width = max((_share_regular(all_cells, width), width) for width in _find_widths(all_cells))
    if width < 2:  # noqa: PLR2004  one cell a row: not a delimiter
        return 0.0
    judged = [row for row in rows if _is_regular(row.cells, width)]
    cells = [(cell, is_quoted) for row in judged for cell, is_quoted in zip(row.cells, row.quoted, strict=True)]
    clean = sum(_is_clean(cell, dialect, is_quoted=is_quoted) for cell, is_quoted in cells) / len(cells)
    whole = sum(not row.is_broken for row in rows) / len(rows)
    breadth = 1 - 0.3 / width  # of two regular readings the one with more columns explains more
    strength = AT_HOME if dialect.delimiter in {",", ":", " "} else 1.0
    return regular**2 * (0.5 + 0.5 * clean) * breadth * (0.5 + 0.5 * whole) * strength


def _cuts_most(text: str, dialect: Dialect, *, newline: Newline, is_whole: bool) -> bool:
    """Return whether most of all lines, titles and notes among them, are cut at all; empty cells at the end may be left out."""
    rows = _take_rows(text, dialect, newline=newline, is_whole=is_whole)
    return sum(len(row.cells) > 1 for row in rows) >= MOSTLY_CUT * len(rows)


def _cuts_all_alike(text: str, dialect: Dialect, *, newline: Newline, is_whole: bool) -> bool:
    """Return whether every line is whole and has the same number of cells, two or more."""
    rows = _take_rows(text, dialect, newline=newline, is_whole=is_whole)
    widths = {len(row.cells) for row in rows}
    return (
        len(rows) >= LEAST_LINES_ALIKE
        and len(widths) == 1
        and min(widths) > 1
        and not any(row.is_broken for row in rows)
    )


def _take_rows(text: str, dialect: Dialect, *, newline: Newline, is_whole: bool) -> list[SplitRow]:
    rows: list[SplitRow] = []
    at = n_cells = 0
    while at < len(text) and len(rows) < SAMPLE_ROWS and n_cells < SAMPLE_CELLS:
        row = split_row(text, at, dialect, newline=newline)
        at = row.end
        n_cells += len(row.cells)
        if any(cell.strip() for cell in row.cells) and (is_whole or at < len(text) or not rows):
            rows.append(row)
    return rows


def _find_widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the usual number of cells, and that of a header which names more where many rows do not fill the last ones."""
    usual, widest = find_usual_width(rows), max(map(len, rows))
    first = next((len(row) for row in rows if len(row) > 1), 0)
    fills = sum(len(row) == widest for row in rows)
    return [usual, widest] if first == widest > usual > 1 and fills >= FILLED_TO_THE_END * len(rows) else [usual]


def _share_regular(rows: Sequence[Sequence[str]], width: int) -> float:
    """Return the share of rows with the usual number of cells; titles above and notes below the table hardly count."""
    regular = [_is_regular(row, width) for row in rows]
    first, last = regular.index(True), len(regular) - 1 - regular[::-1].index(True)
    outside = [at for at in (*range(first), *range(last + 1, len(rows))) if len(rows[at]) == 1]
    short = 0
    if width > 2 and not any(len(row) > width and any(row[width:]) for row in rows):  # noqa: PLR2004  two columns cut short are prose
        short = sum(1 < len(row) < width for row in rows)  # a program left out the empty cells at the end
    return (sum(regular) + SHORT_ROW * short) / (len(rows) - 0.95 * min(len(outside), MOST_OUTSIDE))


def find_usual_width(rows: Sequence[Sequence[object]]) -> int:
    """Return the number of cells most rows have; the larger of equals."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _is_regular(row: Sequence[str], width: int) -> bool:
    return len(row) == width or (len(row) > width and not any(row[width:]))


def _is_clean(cell: str, dialect: Dialect, *, is_quoted: bool) -> bool:  # noqa: PLR0911  one rule a line, read top down
    if is_quoted:
        return True
    if dialect.quote and cell[:1] == dialect.quote:
        return False
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in QUOTES:
        return False
    if any(mark in cell and (cell[0] == mark or cell[-1] == mark) and cell.count(mark) % 2 for mark in QUOTES):
        return False  # half of a quoted cell
    if any(mark in cell for mark in _STRANGE_INSIDE):
        return False
    if len(cell) > 60:  # noqa: PLR2004  prose, where commas are at home
        return dialect.delimiter in {",", " ", ":"} or dialect.delimiter not in cell
    return _CLEAN.fullmatch(cell) is not None
