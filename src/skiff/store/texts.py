"""Text in any dialect and encoding into a frame of text cells, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

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


def split_text(source: Source, *, delimiter: str = "", encoding: str = "") -> RawTable:
    """Return the text cells of a table in any dialect and encoding.

    Raises
    ------
    SkiffError
        ``encoding_wrong``, ``file_empty``.
    """
    found = Encoding(name=encoding, reason="asked") if encoding else decide_encoding(source.data)
    try:
        text = decode_text(source.data, found)
    except (UnicodeDecodeError, LookupError) as error:
        raise SkiffError(
            "encoding_wrong",
            what=f"{source.name} is not written in {found.name}.",
            where={"file": source.name},
            fix="Take the encoding out of [reading] in skiff.toml, so that Skiff looks again.",
        ) from error
    text = text.lstrip("\ufeff").replace("\x00", "")
    if not text.strip(" \r\n\t,;|\"'"):
        raise describe_empty(source.name)
    hint, skip = find_separator_hint(text)
    text = text[skip:]
    newline = find_newline(text[:SAMPLE_LETTERS])
    sample = text[:SAMPLE_LETTERS]
    dialect = decide_dialect(sample, newline=newline, is_whole=len(text) <= SAMPLE_LETTERS, delimiter=delimiter or hint)
    head = head_rows(sample, dialect, newline, is_whole=len(text) <= SAMPLE_LETTERS)
    layout = find_layout(head)
    if not layout.width:
        raise describe_empty(source.name)
    names, doubled, invented = name_columns(layout.labels)
    split = None
    if len(text) > FAST_LETTERS and newline == "lf" and not dialect.is_single and not dialect.escape:
        split = _split_fast(text, dialect, layout, names)
    if split is None:
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


def _split_fast(text: str, dialect: Dialect, layout: Layout, names: tuple[str, ...]) -> Split | None:
    """Split a large regular table in one pass; None where it is not regular, and care is needed."""
    lines = text.split("\n", layout.body_row)
    if len(lines) <= layout.body_row or any(
        dialect.quote and dialect.quote in line for line in lines[: layout.body_row]
    ):
        return None
    body = lines[-1].encode()
    if not dialect.quote or dialect.quote.encode() not in body:
        n_rows = body.count(b"\n") + (not body.endswith(b"\n"))
        if body.count(dialect.delimiter.encode()) != n_rows * (len(names) - 1):
            return None  # a row has too few or too many cells
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            new_columns=list(names),
            schema_overrides=dict.fromkeys([f"column_{place + 1}" for place in range(len(names))], pl.String),
            separator=dialect.delimiter,
            quote_char=dialect.quote or None,
            infer_schema=False,
            raise_if_empty=False,
        )
    except (pl.exceptions.ComputeError, pl.exceptions.ShapeError, pl.exceptions.SchemaError, pl.exceptions.NoDataError):
        return None
    if frame.width != len(names) or (frame[:, -1].null_count() and dialect.quote and dialect.quote.encode() in body):
        return None
    return Split(frame=frame.with_columns(pl.col(pl.String).replace("", None)))


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
