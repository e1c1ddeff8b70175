"""How lines are cut into cells: which delimiter, which quote."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from skiff.data.parsing.rows import Dialect, Newline, iterate_rows

DELIMITERS = (",", ";", "\t", "|", "\x1f", "\x01", "^", "~", "¦", ":", " ")
"""Tried in this order; between equals the earlier is taken. Colon and blank occur inside cells and need a perfect fit."""

INSIDE_CELLS = frozenset({":", " "})

SAMPLE_ROWS = 300
"""Rows of the sample that are judged; a delimiter shows in ten, and titles and notes are then a small share."""

LEAST_FIT = 0.5
"""Below this fit no delimiter explains the lines, and each line is one cell."""

CLOSE = 0.9
"""A runner-up within this share of the best fit is named, because another table may decide otherwise."""

_CLEAN = re.compile(
    r"""\s*(?:
      [-+(]?\s*[$€£¥]?\s*[-+]?\d[\d.,'\u00a0\u202f ]*(?:[eE][-+]?\d+)?\s*[%€$£]?\)?        # a number
    | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d{1,2}:\d{2}.*)?                            # a date
    | \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?                                                # a time of day
    | [^\s,;\t|]+ (?:[ ][^\s,;\t|]+){0,3}                                               # a few words
    )?\s*""",
    re.VERBOSE,
)
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
    regular rows too, but leaves cells that hold the true delimiter; those are not clean.

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
    """
    quotes = _find_quotes(text)
    wanted = (delimiter,) if delimiter else tuple(mark for mark in DELIMITERS if mark in text)
    fits: list[tuple[float, int, Dialect]] = []
    for mark, (quote, escape) in itertools.product(wanted, quotes):
        dialect = Dialect(delimiter=mark, quote=quote, escape=escape)
        score = _measure_fit(text, dialect, newline=newline, is_whole=is_whole)
        fits.append((score, -wanted.index(mark), dialect))
    fits.sort(key=lambda item: item[:2], reverse=True)
    if delimiter:
        return fits[0][2]
    fits = [fit for fit in fits if fit[0] >= (LEAST_FIT if fit[2].delimiter not in INSIDE_CELLS else 0.97)]
    single_quote, single_escape = quotes[0]
    if not fits:
        return Dialect(is_single=True, quote=single_quote, escape=single_escape)
    score, _, best = fits[0]
    others = [fit for fit in fits[1:] if fit[2].delimiter != best.delimiter and fit[0] >= CLOSE * score]
    return Dialect(
        delimiter=best.delimiter,
        quote=best.quote,
        escape=best.escape,
        score=round(min(score, 1.0), 3),
        runner_up=others[0][2].delimiter if others else "",
    )


def _find_quotes(text: str) -> list[tuple[str, str]]:
    r"""Return the quotes to try, with what escapes them: ``"`` doubled, ``\"``, or ``'`` where cells begin and end so."""
    found = [('"', "")]
    if re.search(r'[^\\]\\"', text):
        found.append(('"', "\\"))
    edges = r"(?:^|[,;\t|]){0}(?:[^'\n]|'')*{0}(?=$|[,;\t|\r])"
    if '"' not in text and len(re.findall(edges.format("'"), text, flags=re.MULTILINE)) > 2:  # noqa: PLR2004  more than chance
        found.append(("'", ""))
    return found


def _measure_fit(text: str, dialect: Dialect, *, newline: Newline, is_whole: bool) -> float:
    rows: list[list[str]] = []
    try:
        for row, _ in itertools.islice(iterate_rows(text, dialect, newline=newline), SAMPLE_ROWS + 1):
            rows.append(row)
    except csv.Error:
        return 0.0
    if not is_whole and len(rows) <= SAMPLE_ROWS:
        rows = rows[:-1]
    rows = [row for row in rows[:SAMPLE_ROWS] if any(cell.strip() for cell in row)]
    if not rows:
        return 0.0
    width = find_usual_width(rows)
    if width < 2:  # noqa: PLR2004  one cell a row: not a delimiter
        return 0.0
    regular = sum(_is_regular(row, width) for row in rows) / len(rows)
    cells = [cell for row in rows if len(row) == width for cell in row]
    clean = sum(_is_clean(cell, dialect.delimiter) for cell in cells) / len(cells)
    breadth = 1 - 0.3 / width  # of two regular readings the one with more columns explains more
    return regular**2 * (0.3 + 0.7 * clean) * breadth


def find_usual_width(rows: Sequence[Sequence[object]]) -> int:
    """Return the number of cells most rows have; the larger of equals."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width))


def _is_regular(row: Sequence[str], width: int) -> bool:
    return len(row) == width or (len(row) > width and not any(row[width:]))


def _is_clean(cell: str, delimiter: str) -> bool:
    if len(cell) > 60:  # noqa: PLR2004  prose, where commas are at home
        return delimiter not in cell or delimiter in {",", " ", ":"}
    return _CLEAN.fullmatch(cell) is not None
