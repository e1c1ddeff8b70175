"""Text in any dialect and encoding into a frame of text cells, nothing lost."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.dialect import decide_dialect, find_separator_hint
from skiff.data.parsing.encoding import Encoding, decide_encoding, decode_text
from skiff.data.parsing.layout import Layout, find_layout, name_columns
from skiff.data.parsing.rows import Dialect, Newline, find_newline, has_open_quote, iterate_rows
from skiff.store.opening import Source, describe_empty
from skiff.store.rawtable import RawTable

SAMPLE_LETTERS = 400_000
SAMPLE_ROWS = 400
FAST_LETTERS = 2_000_000
"""Above this a regular file is split by Polars; below, letter by letter, which forgives more."""

COUNTED_BYTES = 1 << 20
"""Bytes in which delimiters are counted at a time: they stay in the processor's cache."""

_NOTHING = " \r\n\t,;|\"'"
"""Letters of which no table can consist."""


def split_text(source: Source, *, delimiter: str = "", encoding: str = "") -> RawTable:
    """Return the text cells of a table in any dialect and encoding.

    Raises
    ------
    SkiffError
        ``encoding_wrong``, ``file_empty``.
    """
    found = Encoding(name=encoding, reason="asked") if encoding else decide_encoding(source.data)
    plain = _take_plain(source.data, found)
    text = _decode(source, found) if plain is None else ""
    sample = text[:SAMPLE_LETTERS] if plain is None else _decode_beginning(plain)
    if not sample.strip(_NOTHING) and not (text or _decode(source, found)).strip(_NOTHING):
        raise describe_empty(source.name)
    hint, skip = find_separator_hint(sample)
    if skip:
        text, sample = text[skip:], (text or sample)[skip : skip + SAMPLE_LETTERS]
        plain = plain[skip:] if plain is not None else None  # the hint is ASCII: a letter is a byte
    is_whole = plain is None and len(text) <= SAMPLE_LETTERS
    newline = find_newline(sample)
    dialect = decide_dialect(sample, newline=newline, is_whole=is_whole, delimiter=delimiter or hint)
    layout = find_layout(head_rows(sample, dialect, newline, is_whole=is_whole))
    if not layout.width:
        raise describe_empty(source.name)
    names, doubled, invented = name_columns(layout.labels)
    split = None
    if newline == "lf" and not dialect.is_single and not dialect.escape:
        body = plain or (text.encode() if len(text) > FAST_LETTERS else b"")
        split = _split_fast(body, dialect, layout, names) if body else None
    if split is None:
        text = text or _decode(source, found)[skip:]
        split = split_careful(text, dialect, newline, layout, names)
    return RawTable(
        frame=split.frame,
        labels=(*layout.labels, *[""] * (split.frame.width - len(layout.labels))),
        format="csv",
        encoding=found,
        dialect=dialect,
        layout=layout,
        doubled=doubled,
        invented=tuple(name for name in invented if len(split.frame[name].drop_nulls())),
        ragged=split.ragged,
        short=split.short,
        long=split.long,
        added=split.added,
        is_quote_open=split.is_quote_open,
    )


def _take_plain(data: bytes, encoding: Encoding) -> bytes | None:
    """Return the bytes of a large table that are UTF-8 throughout, which Polars can take as they are; None for others."""
    is_proven = encoding.reason in {"valid", "mark"} and not encoding.damaged_bytes
    if not is_proven or encoding.name not in {"utf-8", "utf-8-sig"} or len(data) <= FAST_LETTERS or b"\x00" in data:
        return None
    while data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
    return data


def _decode_beginning(plain: bytes) -> str:
    """Return the first letters of UTF-8; the last may be cut, hence left out."""
    return plain[: 4 * SAMPLE_LETTERS].decode(errors="ignore")[:SAMPLE_LETTERS]


def _decode(source: Source, encoding: Encoding) -> str:
    """Return the whole text without a mark and zero bytes.

    Raises
    ------
    SkiffError
        ``encoding_wrong``.
    """
    try:
        text = decode_text(source.data, encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise SkiffError(
            "encoding_wrong",
            what=f"{source.name} is not written in {encoding.name}.",
            where={"file": source.name},
            fix="Take the encoding out of [reading] in skiff.toml, so that Skiff looks again.",
        ) from error
    return text.lstrip("\ufeff").replace("\x00", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The cells of a text, and what was irregular about its rows."""

    frame: pl.DataFrame
    ragged: tuple[int, ...] = ()
    short: int = 0
    long: int = 0
    added: tuple[str, ...] = ()
    is_quote_open: bool = False


def head_rows(sample: str, dialect: Dialect, newline: Newline, *, is_whole: bool) -> list[list[str]]:
    """Return the first rows of a sample, without one that may be cut."""
    rows: list[list[str]] = []
    for row, used in iterate_rows(sample, dialect, newline=newline):
        if len(rows) >= SAMPLE_ROWS or (not is_whole and used >= len(sample)):
            break
        rows.append(row)
    return rows


def _split_fast(data: bytes, dialect: Dialect, layout: Layout, names: tuple[str, ...]) -> Split | None:
    """Split a large regular table in one pass; None where it is not regular, and care is needed."""
    begin = 0
    for _ in range(layout.body_row):
        begin = data.find(b"\n", begin) + 1
        if not begin:
            return None
    quote = dialect.quote.encode()
    has_quotes = bool(quote) and data.find(quote, begin) >= 0
    if quote and data.find(quote, 0, begin) >= 0:
        return None
    if not has_quotes:
        n_rows = data.count(b"\n", begin) + (not data.endswith(b"\n"))
        if _count_delimiters(data, dialect.delimiter.encode(), begin) != n_rows * (len(names) - 1):
            return None  # a row has too few or too many cells
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            skip_lines=layout.body_row,
            new_columns=list(names),
            schema_overrides=dict.fromkeys([f"column_{place + 1}" for place in range(len(names))], pl.String),
            separator=dialect.delimiter,
            quote_char=dialect.quote or None,
            infer_schema=False,
            raise_if_empty=False,
        )
    except (pl.exceptions.ComputeError, pl.exceptions.ShapeError, pl.exceptions.SchemaError, pl.exceptions.NoDataError):
        return None
    if frame.width != len(names) or (has_quotes and frame[:, -1].null_count()):
        return None
    # An empty cell is null already, unless it stands in quotes.
    return Split(frame=frame.with_columns(pl.col(pl.String).replace("", None)) if has_quotes else frame)


def _count_delimiters(data: bytes, delimiter: bytes, begin: int) -> int:
    """Return how often a delimiter occurs; where every sixth byte is one, NumPy counts five times as fast as `bytes.count`."""
    if len(delimiter) != 1:
        return data.count(delimiter, begin)
    letters = np.frombuffer(data, dtype=np.uint8)
    steps = range(begin, len(letters), COUNTED_BYTES)
    return sum(int(np.count_nonzero(letters[step : step + COUNTED_BYTES] == delimiter[0])) for step in steps)


def split_careful(text: str, dialect: Dialect, newline: Newline, layout: Layout, names: tuple[str, ...]) -> Split:
    """Split row by row; a row with other than the usual number of cells is kept and listed."""
    width = len(names)
    rows: list[list[str | None]] = []
    ragged: list[int] = []
    short = long = widest = 0
    last = 0
    for number, (row, used) in enumerate(iterate_rows(text, dialect, newline=newline)):
        if number < layout.body_row:
            last = used
            continue
        filled = len(row)
        while filled > width and not row[filled - 1].strip():
            filled -= 1
        if row and (filled > width or (len(row) < width and len(row) > 0)):
            ragged.append(number - layout.body_row + 1)
            short += len(row) < width
            long += filled > width
        widest = max(widest, filled)
        rows.append([cell or None for cell in row[: max(filled, width)]])
        size, last = used - last, used
        tail = size
    is_open = bool(rows) and has_open_quote(text, dialect, tail)
    added = tuple(f"column_{place}" for place in range(width + 1, widest + 1))
    columns = [*names, *added]
    data = {
        name: pl.Series(name, [row[place] if place < len(row) else None for row in rows], dtype=pl.String)
        for place, name in enumerate(columns)
    }
    blank = {place + 1 for place, row in enumerate(rows) if not any(row)}
    true_ragged = tuple(row for row in ragged if row not in blank)
    return Split(
        frame=pl.DataFrame(data), ragged=true_ragged, short=short, long=long, added=added, is_quote_open=is_open
    )
