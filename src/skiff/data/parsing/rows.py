"""Lines of text into rows of cells, carefully: every quote, line end and surplus cell is respected."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

QUOTES = ('"', "'")

PRIVATE_USE = range(0xE000, 0xF8FF)
"""Unicode's private use area (16.0, §23.5): letters to stand in for others while rows are split, where a text has none of them."""


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
    skips_blanks : bool
        Whether a blank behind a delimiter belongs to it (``1, "two, three"``).
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
    skips_blanks: bool = False
    is_single: bool = False
    score: float = 1.0
    runner_up: str = ""


Newline = Literal["lf", "cr", "mixed"]

_ENDS: dict[Newline, str] = {"lf": r"\r*\n", "cr": r"\r", "mixed": r"\r\n|\n|\r"}
_BREAKS: dict[Newline, str] = {"lf": r"\n", "cr": r"\r", "mixed": r"\r\n"}
_QUOTED_SPANS = re.compile(
    r"""(?<![^\s,;|^~¦:\x01\x1f])(?:"(?:[^"]|"")*+"|'(?:[^']|'')*+')(?![^\s,;|^~¦:\x01\x1f])""",
)


def find_newline(text: str) -> Newline:
    r"""Return which line ends separate rows: ``mixed`` where several kinds do. Those inside quotes do not count.

    Examples
    --------
    >>> find_newline("a\r1\r2"), find_newline("a\r\n1\r\n"), find_newline("a\n1\r\n2"), find_newline('a\r"1\n\n\n2"\r3')
    ('cr', 'lf', 'lf', 'mixed')
    """
    feeds, returns = text.count("\n"), text.count("\r")
    lone = returns - text.count("\r\n") if returns else 0
    if not lone:
        return "lf"
    if not feeds:
        return "cr"
    outside = _QUOTED_SPANS.sub("", text)
    feeds, lone = outside.count("\n"), outside.count("\r") - outside.count("\r\n")
    return "mixed" if lone > feeds else "lf"


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One row: its cells, which of them stood in quotes, whether a quote was never closed, and where the next begins."""

    cells: list[str]
    quoted: list[bool]
    is_broken: bool
    end: int


def split_row(text: str, at: int, dialect: Dialect, *, newline: Newline = "lf") -> SplitRow:
    r"""Return the row of `text` that begins at letter `at`.

    A quote counts as one only where another closes it right before a delimiter or a line end; otherwise it is a letter, so
    that a quote which is never closed cannot swallow what follows.

    Examples
    --------
    >>> split_row('"a;b";5" tube\n', 0, Dialect(delimiter=";")).cells
    ['a;b', '5" tube']
    >>> split_row('"12;x\n3;4\n', 0, Dialect(delimiter=";")).cells
    ['"12', 'x']
    """
    shape, end_shape = _compile(dialect, newline)
    cells: list[str] = []
    quoted: list[bool] = []
    is_broken = False
    while True:
        found = shape.match(text, at)
        if found is None:  # cannot be: the last branch matches nothing, too
            return SplitRow(cells, quoted, is_broken, len(text))
        at = found.end()
        inner = found["inner"]
        if inner is not None:
            cells.append(_unescape(inner, dialect))
        else:
            bare = found["bare"]
            is_last = newline == "lf" and bare.endswith("\r") and text[at : at + 1] in {"", "\n"}
            cells.append(bare.rstrip("\r") if is_last else bare)
            is_broken |= bool(dialect.quote) and bare.startswith(dialect.quote)
        quoted.append(inner is not None)
        if at < len(text) and text[at] == dialect.delimiter and not dialect.is_single:
            at += 1
            continue
        end = end_shape.match(text, at)
        return SplitRow(cells, quoted, is_broken, end.end() if end else at if at < len(text) - 1 else len(text))


@lru_cache(maxsize=64)
def _compile(dialect: Dialect, newline: Newline) -> tuple[re.Pattern[str], re.Pattern[str]]:
    quote, escape = re.escape(dialect.quote), re.escape(dialect.escape)
    delimiter = "" if dialect.is_single else re.escape(dialect.delimiter)
    end = _ENDS[newline]
    stop = rf"{end}|\r*\Z" + (f"|{delimiter}" if delimiter else "")
    bare = rf"(?P<bare>[^{_BREAKS[newline]}{delimiter}]*+)"
    blanks = " *+" if dialect.skips_blanks else ""
    if not quote:
        return re.compile(rf"(?P<inner>(?!))?+{blanks}{bare}"), re.compile(end)
    body = rf"[^{quote}{escape}]|{quote}{quote}" + (rf"|{escape}(?s:.)" if escape else "")
    return re.compile(rf"{blanks}(?:{quote}(?P<inner>(?:{body})*+){quote}(?={stop})|{bare})"), re.compile(end)


def _unescape(inner: str, dialect: Dialect) -> str:
    if not dialect.escape:
        return inner.replace(dialect.quote * 2, dialect.quote) if dialect.quote in inner else inner
    special = {dialect.quote, dialect.escape, dialect.delimiter, "\r", "\n"}

    def put_back(found: re.Match[str]) -> str:
        letter = found[1] or dialect.quote
        return letter if letter in special else found[0]

    return re.sub(rf"{dialect.quote}{dialect.quote}|{re.escape(dialect.escape)}(.)", put_back, inner, flags=re.DOTALL)


class _Lines:
    """The lines of a text from a letter on, which knows where the line handed out last ends."""

    def __init__(self, text: str, at: int, newline: Newline, *, stand_in: str) -> None:
        self.text = text
        self.end = at
        self._newline = newline
        self._stand_in = stand_in
        self._break = re.compile(_ENDS[newline])

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        start = self.end
        if start >= len(self.text):
            raise StopIteration
        if self._newline == "mixed":
            found = self._break.search(self.text, start)
            self.end = found.end() if found else len(self.text)
        else:
            self.end = self.text.find("\n" if self._newline == "lf" else "\r", start) + 1 or len(self.text)
        line = self.text[start : self.end]
        if not self._stand_in or "\r" not in line:
            return line
        body = line.rstrip("\r\n")
        return body.replace("\r", self._stand_in) + line[len(body) :]


def walk_rows(text: str, dialect: Dialect, *, newline: Newline = "lf") -> Iterator[SplitRow]:
    """Yield each row of `text`; blank lines are rows without cells.

    Python's reader splits what is written by the rules; a row that breaks them is split by `split_row`.
    """
    if dialect.escape:  # Python's reader would drop every lone backslash
        yield from _walk_slowly(text, dialect, newline)
        return
    needs_return = newline == "lf" and re.search(r"\r(?!\n)", text) is not None
    spare = _find_spare_letters(text, 2)
    csv.field_size_limit(2**31 - 1)  # the default refuses cells above 128 KiB, which letters and logs do reach
    at = 0
    while at < len(text):
        lines = _Lines(text, at, newline, stand_in=spare[0] if needs_return else "")
        try:
            for row in _make_reader(lines, dialect, spare=spare[1]):
                cells = [cell.replace(spare[0], "\r") for cell in row] if needs_return else row
                yield SplitRow(cells, [], is_broken=False, end=lines.end)
                at = lines.end
        except csv.Error:
            broken = split_row(text, at, dialect, newline=newline)
            yield broken
            at = broken.end
        else:
            return


def iterate_rows(text: str, dialect: Dialect, *, newline: Newline = "lf") -> Iterator[tuple[list[str], int]]:
    """Yield each row with the number of letters of `text` used up to its end; blank lines are empty rows."""
    for row in walk_rows(text, dialect, newline=newline):
        yield row.cells, row.end


def has_open_quote(text: str, dialect: Dialect, last_row_letters: int) -> bool:
    """Return whether the last row, `last_row_letters` long, holds a quote that is never closed."""
    if not dialect.quote or text.count(dialect.quote) % 2 == 0:
        return False
    return any(row.is_broken for row in walk_rows(text[len(text) - last_row_letters :], dialect, newline="mixed"))


def _walk_slowly(text: str, dialect: Dialect, newline: Newline) -> Iterator[SplitRow]:
    at = 0
    while at < len(text):
        row = split_row(text, at, dialect, newline=newline)
        at = row.end
        yield row if row.cells != [""] or row.quoted[0] else SplitRow([], [], is_broken=False, end=row.end)


def _find_spare_letters(text: str, n_letters: int) -> Sequence[str]:
    """Return letters that `text` has none of."""
    return list(itertools.islice((chr(code) for code in PRIVATE_USE if chr(code) not in text), n_letters))


def _make_reader(lines: Iterator[str], dialect: Dialect, *, spare: str) -> Iterator[list[str]]:
    delimiter = spare if dialect.is_single else dialect.delimiter
    if not dialect.quote:
        return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, skipinitialspace=dialect.skips_blanks)
    return csv.reader(
        lines, delimiter=delimiter, quotechar=dialect.quote, skipinitialspace=dialect.skips_blanks, strict=True
    )
