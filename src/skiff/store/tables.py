"""Open the files that clients send: text in any dialect, workbooks, Parquet, Arrow, JSON lines, compressed or not."""

from __future__ import annotations

import difflib
import gzip
import hashlib
import io
import lzma
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import fastexcel
import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.dialect import decide_dialect, find_separator_hint
from skiff.data.parsing.encoding import Encoding, decide_encoding, decode_text, find_binary_kind
from skiff.data.parsing.layout import Layout, find_layout, name_columns
from skiff.data.parsing.rows import Dialect, Newline, find_newline, has_open_quote, iterate_rows
from skiff.store.files import read_bytes

MAX_BYTES = 8 << 30
"""Largest file that is opened, after unpacking, unless the caller says otherwise."""

MAX_RATIO = 1_000
"""A compressed file that grows more than this is refused as a bomb (an honest table of text grows about tenfold)."""

SHEET_COLUMN = "sheet"
"""Added, last, where several sheets are read as one table: what came from where."""

SAMPLE_LETTERS = 400_000
SAMPLE_ROWS = 400
FAST_LETTERS = 2_000_000
"""Above this a regular file is split by Polars; below, letter by letter, which forgives more."""

_SQLITE = b"SQLite format 3\x00"
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table as it stands in a file: text cells with an empty one as null, or typed columns where the file has types.

    ``ragged`` lists rows (from 1, below the header) that had fewer or more cells than the header; ``added`` names the
    columns made for the surplus.
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
    sheets_read: tuple[str, ...] = ()
    sheets_left: tuple[str, ...] = ()
    is_quote_open: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The bytes of a file and their fingerprint."""

    name: str
    data: bytes
    sha256: str
    size_bytes: int


def open_source(path: Path, *, max_bytes: int = MAX_BYTES) -> Source:
    """Return a file's bytes, unpacked where it is compressed.

    Raises
    ------
    SkiffError
        ``file_not_found``, ``file_is_folder``, ``file_empty``, ``file_too_large``, ``archive_bomb``, ``archive_damaged``,
        ``archive_has_several`` and what the disk says.
    """
    if not path.exists():
        raise _not_found(path)
    if path.is_dir():
        raise SkiffError(
            "file_is_folder",
            what=f"{path.name} is a folder, not a file.",
            where={"file": str(path)},
            fix="Name one file in it.",
        )
    if path.stat().st_size > max_bytes:
        raise _too_large(path, max_bytes)
    packed = read_bytes(path)
    if not packed:
        raise _empty(path)
    data = _unpack(path, packed, max_bytes=max_bytes)
    if not data.strip(b"\x00 \r\n\t"):
        raise _empty(path)
    return Source(name=path.name, data=data, sha256=hashlib.sha256(packed).hexdigest(), size_bytes=len(packed))


def split_table(
    source: Source, *, sheet: str | None = None, query: str | None = None, delimiter: str = "", encoding: str = ""
) -> RawTable:
    """Return the table in a file's bytes, by what the bytes are, not by the file's name.

    Raises
    ------
    SkiffError
        ``file_is_binary``, ``file_damaged``, ``sheet_not_found``, ``query_missing``, ``not_a_table``.
    """
    head = source.data[:16]
    if head.startswith(_PARQUET):
        return _typed(source, lambda: pl.read_parquet(io.BytesIO(source.data)), "parquet")
    if head.startswith(_ARROW):
        return _typed(source, lambda: pl.read_ipc(io.BytesIO(source.data)), "arrow")
    if head.startswith(_SQLITE):
        return _read_sqlite(source, query)
    if head.startswith((_ZIP, b"\xd0\xcf\x11\xe0")):
        return _read_workbook(source, sheet)
    kind = find_binary_kind(source.data)
    if kind:
        raise SkiffError(
            "file_is_binary",
            what=f"{source.name} is {kind}, not a table.",
            where={"file": source.name},
            fix="Export the table as CSV, Excel or Parquet.",
        )
    if source.data.lstrip()[:1] in {b"{", b"["}:
        json = _read_json(source)
        if json is not None:
            return json
    return _split_text(source, delimiter=delimiter, encoding=encoding)


def _split_text(source: Source, *, delimiter: str, encoding: str) -> RawTable:
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
    hint, skip = find_separator_hint(text)
    text = text[skip:]
    newline = find_newline(text[:SAMPLE_LETTERS])
    sample = text[:SAMPLE_LETTERS]
    dialect = decide_dialect(sample, newline=newline, is_whole=len(text) <= SAMPLE_LETTERS, delimiter=delimiter or hint)
    head = _head_rows(sample, dialect, newline, is_whole=len(text) <= SAMPLE_LETTERS)
    layout = find_layout(head)
    if not layout.width:
        raise _empty(Path(source.name))
    names, doubled, invented = name_columns(layout.labels)
    split = None
    if len(text) > FAST_LETTERS and newline == "lf" and not dialect.is_single and not dialect.escape:
        split = _split_fast(text, dialect, layout, names)
    if split is None:
        split = _split_careful(text, dialect, newline, layout, names)
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
class _Split:
    frame: pl.DataFrame
    ragged: tuple[int, ...] = ()
    short: int = 0
    long: int = 0
    added: tuple[str, ...] = ()
    is_quote_open: bool = False


def _head_rows(sample: str, dialect: Dialect, newline: Newline, *, is_whole: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    for row, used in iterate_rows(sample, dialect, newline=newline):
        if len(rows) >= SAMPLE_ROWS or (not is_whole and used >= len(sample)):
            break
        rows.append(row)
    return rows


def _split_fast(text: str, dialect: Dialect, layout: Layout, names: tuple[str, ...]) -> _Split | None:
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
    return _Split(frame=frame.with_columns(pl.col(pl.String).replace("", None)))


def _split_careful(text: str, dialect: Dialect, newline: Newline, layout: Layout, names: tuple[str, ...]) -> _Split:
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
    return _Split(
        frame=pl.DataFrame(data), ragged=true_ragged, short=short, long=long, added=added, is_quote_open=is_open
    )


def _typed(source: Source, read: Callable[[], pl.DataFrame], kind: str) -> RawTable:
    try:
        frame = read()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _damaged(source, kind) from error
    return RawTable(frame=frame, labels=tuple(frame.columns), is_typed=True, format=kind)


def _read_json(source: Source) -> RawTable | None:
    """Return records of JSON or JSON lines; None where the text is neither."""
    data = source.data.lstrip(b"\xef\xbb\xbf")
    try:
        if data.lstrip()[:1] == b"[":
            frame = pl.read_json(io.BytesIO(data), infer_schema_length=None)
        else:
            frame = pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except (pl.exceptions.PolarsError, ValueError):
        return None
    return RawTable(frame=frame, labels=tuple(frame.columns), is_typed=True, format="json")


def _read_sqlite(source: Source, query: str | None) -> RawTable:
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(source.data)
        names = [row[0] for row in connection.execute("select name from sqlite_master where type in ('table','view')")]
        if query is None and len(names) != 1:
            raise SkiffError(
                "query_missing",
                what=f"{source.name} is a database with {len(names)} tables.",
                where={"file": source.name},
                fix=f'Say which rows with --query "select * from …". Its tables: {", ".join(names[:20])}.',  # noqa: S608  quoted, from the file’s own catalog
            )
        quoted = names[0].replace('"', '""') if names else ""
        # the name of the table comes from the file's own catalog and is quoted
        cursor = connection.execute(query or f'select * from "{quoted}"')  # noqa: S608
        columns = [item[0] for item in cursor.description or []]
        rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise SkiffError(
            "query_failed",
            what=f"{source.name} could not be asked: {type(error).__name__}.",
            where={"file": source.name},
            fix="Check the query, and that the file is a whole SQLite database.",
        ) from error
    finally:
        connection.close()
    unique, _, _ = name_columns(columns)
    frame = pl.DataFrame(rows, schema=list(unique), orient="row", infer_schema_length=None, strict=False)
    return RawTable(frame=frame, labels=tuple(columns), is_typed=True, format="sqlite")


def _read_workbook(source: Source, sheet: str | None) -> RawTable:
    """Return the sheets of a workbook that hold the same columns, one below the other, with the sheet's name."""
    if source.data.startswith(_ZIP):
        _refuse_bomb(source)
    try:
        book = fastexcel.read_excel(source.data)
    except fastexcel.FastExcelError as error:
        raise _damaged(source, "workbook") from error
    names = list(book.sheet_names)
    if sheet is not None and sheet not in names:
        close = difflib.get_close_matches(sheet, names, n=1)
        hint = f"Did you mean '{close[0]}'? " if close else ""
        raise SkiffError(
            "sheet_not_found",
            what=f"{source.name} has no sheet '{sheet}'.",
            where={"file": source.name, "sheet": sheet},
            fix=f"{hint}Its sheets are: {', '.join(names)}.",
        )
    tables = {name: _read_sheet(book, name) for name in ([sheet] if sheet else names)}
    usable = {name: table for name, table in tables.items() if table is not None}
    if not usable:
        raise _empty(Path(source.name))
    biggest = max(usable, key=lambda name: usable[name].frame.height * usable[name].frame.width)
    alike = [name for name, table in usable.items() if table.frame.columns == usable[biggest].frame.columns]
    chosen = usable[biggest]
    frame, labels = chosen.frame, chosen.labels
    if len(alike) > 1:
        parts = [usable[name].frame.with_columns(pl.lit(name).alias(SHEET_COLUMN)) for name in alike]
        frame, labels = pl.concat(parts), (*labels, SHEET_COLUMN)
    left = tuple(name for name in names if name not in alike) if not sheet else ()
    return RawTable(
        frame=frame,
        labels=labels,
        format="xlsx",
        layout=chosen.layout,
        doubled=chosen.doubled,
        invented=chosen.invented,
        sheets_read=tuple(alike),
        sheets_left=left,
    )


def _read_sheet(book: fastexcel.ExcelReader, name: str) -> RawTable | None:
    loaded = book.load_sheet(name, header_row=None, dtypes="string", skip_rows=0)
    cells = loaded.to_polars()
    rows = [[cell if cell is None else str(cell) for cell in row] for row in cells.rows()]
    layout = find_layout(rows[:SAMPLE_ROWS])
    if layout.width < 2 or len(rows) <= layout.body_row:  # noqa: PLR2004  a sheet of one column of prose is no table
        return None
    names, doubled, invented = name_columns(layout.labels)
    body = rows[layout.body_row :]
    data = {
        column: pl.Series(column, [(row[place] or None) if place < len(row) else None for row in body], dtype=pl.String)
        for place, column in enumerate(names)
    }
    return RawTable(frame=pl.DataFrame(data), labels=layout.labels, layout=layout, doubled=doubled, invented=invented)


def _refuse_bomb(source: Source) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            total = sum(item.file_size for item in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _damaged(source, "workbook") from error
    if total > MAX_RATIO * max(len(source.data), 1_000) or total > MAX_BYTES:
        raise _bomb(Path(source.name))


def _unpack(path: Path, packed: bytes, *, max_bytes: int) -> bytes:
    try:
        if packed[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(packed)) as stream:
                return _read_limited(stream, path, packed, max_bytes)  # type: ignore[arg-type]  # a binary stream
        if packed[:6] == b"\xfd7zXZ\x00":
            with lzma.open(io.BytesIO(packed)) as stream:
                return _read_limited(stream, path, packed, max_bytes)
        if packed[:4] == _ZIP and b"[Content_Types].xml" not in packed[:2_000] and path.suffix.lower() == ".zip":
            return _unpack_zip(path, packed, max_bytes=max_bytes)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise SkiffError(
            "archive_damaged",
            what=f"{path.name} cannot be unpacked: it is cut or damaged.",
            where={"file": str(path)},
            fix="Ask for the file again, or unpack it yourself and look.",
        ) from error
    return packed


def _unpack_zip(path: Path, packed: bytes, *, max_bytes: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        files = [item for item in archive.infolist() if not item.is_dir() and "__MACOSX" not in item.filename]
        if len(files) != 1:
            raise SkiffError(
                "archive_has_several",
                what=f"{path.name} holds {len(files)} files.",
                where={"file": str(path)},
                fix="Unpack it and name the one that holds the table.",
            )
        with archive.open(files[0]) as stream:
            return _read_limited(stream, path, packed, max_bytes)


def _read_limited(stream: IO[bytes], path: Path, packed: bytes, max_bytes: int) -> bytes:
    limit = min(max_bytes, MAX_RATIO * max(len(packed), 1_000))
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise _bomb(path) if limit < max_bytes else _too_large(path, max_bytes)
    return data


def _not_found(path: Path) -> SkiffError:
    beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1)
    return SkiffError(
        "file_not_found",
        what=f"There is no file {path}.",
        where={"file": str(path)},
        fix=f"Did you mean '{path.with_name(close[0])}'?" if close else "Check the name and the folder.",
    )


def _empty(path: Path) -> SkiffError:
    return SkiffError(
        "file_empty",
        what=f"{path.name} holds no table: there are no rows in it.",
        where={"file": str(path)},
        fix="Export the table again and check that it is not empty.",
    )


def _too_large(path: Path, max_bytes: int) -> SkiffError:
    return SkiffError(
        "file_too_large",
        what=f"{path.name} is larger than {max_bytes / 1e9:.1f} GB.",
        where={"file": str(path)},
        fix="Take a sample of its rows, or convert it to Parquet.",
    )


def _bomb(path: Path) -> SkiffError:
    return SkiffError(
        "archive_bomb",
        what=f"{path.name} grows more than {MAX_RATIO} times when it is unpacked, so it was not opened.",
        where={"file": str(path)},
        fix="If you trust it, unpack it yourself and name the file inside.",
    )


def _damaged(source: Source, kind: str) -> SkiffError:
    return SkiffError(
        "file_damaged",
        what=f"{source.name} looks like a {kind} file but cannot be read: it is damaged, cut or protected.",
        where={"file": source.name},
        fix="Ask for the file again, without a password, or export it as CSV.",
    )
