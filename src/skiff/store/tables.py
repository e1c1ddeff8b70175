"""Read the files that clients send, by what their bytes are and not by their names."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.encoding import decide_encoding, decode_text
from skiff.data.parsing.layout import find_layout, name_columns
from skiff.data.parsing.markup import find_tables, is_markup
from skiff.store.databases import read_sqlite
from skiff.store.jsonfiles import is_json, read_json
from skiff.store.opening import (
    MAX_HELD_BYTES,
    ZIP,
    Source,
    describe_damaged,
    describe_empty,
    open_source,
    refuse_binary,
)
from skiff.store.rawtable import FILE_COLUMN, RawTable, stack_alike
from skiff.store.texts import SAMPLE_ROWS, split_text
from skiff.store.workbooks import read_workbook

MAX_CELLS = 2_000_000_000
"""Most cells a columnar file may announce: its footer may promise more than any memory holds."""

FREE_CELLS, CELLS_A_BYTE = 20_000_000, 50
"""What a columnar file may announce: many cells in few bytes are a bomb; constant columns pack to a twentieth of a byte a cell."""

MOST_FILES = 2_000
"""Most files that are read from one folder."""

_SQLITE = b"SQLite format 3\x00"
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"
_OLE = b"\xd0\xcf\x11\xe0"


def split_table(
    source: Source, *, sheet: str | None = None, query: str | None = None, delimiter: str = "", encoding: str = ""
) -> RawTable:
    """Return the table in a file's bytes, by what the bytes are, not by the file's name.

    Raises
    ------
    SkiffError
        ``file_is_binary``, ``file_damaged``, ``sheet_not_found``, ``query_missing``, ``not_a_table``.
    """
    try:
        return _split(source, sheet=sheet, query=query, delimiter=delimiter, encoding=encoding)
    except BaseException as error:  # a reader written in Rust that gives up on hostile bytes raises no Exception
        if type(error).__name__ == "PanicException":
            raise describe_damaged(source.name, "table") from error
        raise


def _split(source: Source, *, sheet: str | None, query: str | None, delimiter: str, encoding: str) -> RawTable:  # noqa: PLR0911  one return a format
    head = source.data[:16]
    if head.startswith(_PARQUET):
        _refuse_giant(source)
        return _typed(source, lambda: pl.read_parquet(io.BytesIO(source.data)), "parquet")
    if head.startswith(_ARROW):
        return _typed(source, lambda: pl.read_ipc(io.BytesIO(source.data)), "arrow")
    if head.startswith(_SQLITE):
        return read_sqlite(source, query)
    if head.startswith((ZIP, _OLE)):
        return read_workbook(source, sheet)
    if head[:4] == b"\xff\xff\xff\xff":
        return _typed(source, lambda: pl.read_ipc_stream(io.BytesIO(source.data)), "arrow")
    refuse_binary(source.name, source.data)
    if is_json(source.data):
        return read_json(source)
    if source.data.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<":
        made = _read_markup(source)
        if made is not None:
            return made
    return split_text(source, delimiter=delimiter, encoding=encoding)


def read_folder(folder: Path, *, sheet: str | None = None, max_bytes: int = MAX_HELD_BYTES) -> tuple[Source, RawTable]:
    """Return the files of a folder that have the same columns, one below the other, with the file's name.

    Raises
    ------
    SkiffError
        ``folder_empty``, ``folder_too_full``, ``file_too_large`` and what one file alone would say.
    """
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith((".", "~$"))]
    if not files:
        raise SkiffError(
            "folder_empty",
            what=f"There is no file in {folder.name or folder}.",
            where={"folder": str(folder)},
            fix="Name the folder that holds the files; folders inside it are not looked into.",
        )
    if len(files) > MOST_FILES:
        raise SkiffError(
            "folder_too_full",
            what=f"{folder.name or folder} holds {len(files):,} files; at most {MOST_FILES:,} are read together.",
            where={"folder": str(folder)},
            fix="Join them by month or year first.",
        )
    parts: dict[str, RawTable] = {}
    digest, size = hashlib.sha256(), 0
    for path in files:
        source = open_source(path, max_bytes=max_bytes - size)
        size += len(source.data)
        digest.update(f"{path.name}\0{source.sha256}\n".encode())
        parts[path.name] = split_table(source, sheet=sheet)
    joined = Source(name=folder.resolve().name, data=b"", sha256=digest.hexdigest(), size_bytes=size)
    return joined, stack_alike(parts, by=FILE_COLUMN)


def _typed(source: Source, read: Callable[[], pl.DataFrame], kind: str) -> RawTable:
    try:
        frame = read()
    except (pl.exceptions.PolarsError, OSError, ValueError, MemoryError) as error:
        raise describe_damaged(source.name, kind) from error
    labels = tuple(frame.columns)
    names, doubled, invented = name_columns([str(name).strip() for name in frame.columns])
    return RawTable(
        frame=frame.rename(dict(zip(frame.columns, names, strict=True))),
        labels=labels,
        is_typed=True,
        format=kind,
        doubled=doubled,
        invented=invented,
    )


def _refuse_giant(source: Source) -> None:
    """Refuse a Parquet file whose footer announces more cells than its bytes can stand for."""
    try:
        lazy = pl.scan_parquet(io.BytesIO(source.data))
        width = len(lazy.collect_schema())
        height = lazy.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise describe_damaged(source.name, "Parquet") from error
    cells = width * height
    if cells > MAX_CELLS or cells > FREE_CELLS + CELLS_A_BYTE * len(source.data):
        raise SkiffError(
            "archive_bomb",
            what=f"{source.name} announces {height:,} rows and {width:,} columns, far more than its size can hold.",
            where={"file": source.name},
            fix="If you trust it, take a part of its rows with the program that wrote it.",
        )


def _read_markup(source: Source) -> RawTable | None:
    """Return the largest table of a web page; None where the bytes are no web page."""
    text = decode_text(source.data, decide_encoding(source.data)).lstrip("\ufeff")
    if not is_markup(text):
        if text.lstrip().startswith("<?xml"):
            raise _describe_no_table(source, "XML")
        return None
    tables = find_tables(text)
    if not tables:
        raise _describe_no_table(source, "a web page")
    rows = tables[0]
    layout = find_layout(rows[:SAMPLE_ROWS])
    if not layout.width:
        raise describe_empty(source.name)
    width = max(layout.width, *(len(row) for row in rows[layout.body_row :]), 0)
    labels = (*layout.labels, *[""] * (width - layout.width))
    names, doubled, invented = name_columns(labels)
    body = rows[layout.body_row :]
    data = {
        name: pl.Series(name, [(row[place] or None) if place < len(row) else None for row in body], dtype=pl.String)
        for place, name in enumerate(names)
    }
    return RawTable(
        frame=pl.DataFrame(data),
        labels=labels,
        format="html",
        layout=layout,
        doubled=doubled,
        invented=tuple(name for name in invented if len(data[name].drop_nulls())),
        other_tables=len(tables) - 1,
    )


def _describe_no_table(source: Source, kind: str) -> SkiffError:
    return SkiffError(
        "not_a_table",
        what=f"{source.name} is {kind} without a table in it.",
        where={"file": source.name},
        fix="Export the table as CSV, Excel or Parquet.",
    )
