"""Look through every file of a workspace for given bytes: as they lie on the disk, and inside what is packed or encoded.

Every file is read whole. Besides the bytes as they are: members of zip files and gzip streams, the text columns of Parquet files,
the text cells of SQLite databases (a text may be split over two pages), streams inside PDF files. What cannot be looked into is named.
An encrypted file is looked through as it lies there, and as what it decrypts to.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

import polars as pl

from skiff.core.errors import SkiffError
from skiff.store.files import MAGIC, explained
from skiff.store.zips import DAMAGED

MOST_UNPACKED = 1 << 31
"""Bytes that one packed member may grow to before it is named as not looked into."""

Decrypt: TypeAlias = Callable[[Path], bytes]

DEPTH = 3
"""Zip in zip in zip."""

GZIP, ZIP, PARQUET, SQLITE, PDF = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"SQLite format 3\x00", b"%PDF"
PDF_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One value to look for: whole, and in the forms in which it may stand as bytes (none where it is too short)."""

    value: str
    forms: tuple[bytes, ...]

    def is_in(self, data: bytes | mmap.mmap) -> bool:
        """Return whether bytes hold the value; a number only where no other digit touches it."""
        for form in self.forms:
            if data.find(form) < 0:
                continue
            if not self.value.isdigit() or re.search(rb"(?<![0-9.])" + re.escape(form) + rb"(?![0-9])", data):
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place that holds a value; the value itself is not told."""

    file: str
    inside: str = ""


@dataclass(slots=True)
class Searched:
    """What was looked through, and where something was found.

    Parameters
    ----------
    unread : list of str
        What could not be looked into.
    closed : list of str
        What of that is our own and could not be decrypted, so that nobody can say what it holds.
    """

    files: int = 0
    size_bytes: int = 0
    members: int = 0
    columns: int = 0
    hits: list[Hit] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def search_folders(folders: Sequence[Path], wanted: Sequence[Wanted], *, decrypt: Decrypt | None = None) -> Searched:
    """Look through every file in and below folders.

    Parameters
    ----------
    folders : sequence of Path
        A folder inside another of them is looked through once.
    wanted : sequence of Wanted
    decrypt : callable, optional
        Gives what an encrypted file holds.
    """
    found = Searched()
    for path, name in _list_files(folders):
        found.files += 1
        search_file(path, name, wanted, found, decrypt=decrypt)
    return found


def search_file(
    path: Path, name: str, wanted: Sequence[Wanted], found: Searched, *, decrypt: Decrypt | None = None
) -> None:
    """Look through one file and note what was found."""
    if any(item.is_in(name.encode("utf-8", "surrogateescape")) for item in wanted):
        found.hits.append(Hit(file=name, inside="its name"))
    with explained(path):
        size = path.stat().st_size
        found.size_bytes += size
        if not size:
            return
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if any(item.is_in(data) for item in wanted):
                found.hits.append(Hit(file=name))
            head = bytes(data[:16])
            if head.startswith(PARQUET):
                _search_parquet(path.read_bytes(), name, wanted, found)
            elif head.startswith(SQLITE):
                _search_sqlite(path, name, wanted, found)
            elif head.startswith((GZIP, ZIP, PDF)):
                _search_packed(bytes(data), name, wanted, found, depth=DEPTH)
            elif head.startswith(MAGIC):
                _search_decrypted(path, name, wanted, found, decrypt=decrypt)


def search_texts(name: str, inside: str, texts: Sequence[str], wanted: Sequence[Wanted], found: Searched) -> None:
    """Look through the texts of a column that were decrypted, or that a server gave."""
    found.columns += 1
    if not texts:
        return
    series = pl.Series(texts, dtype=pl.String).unique()
    data = "\n".join(series.to_list()).encode("utf-8", "surrogateescape")
    if any(item.is_in(data) or _is_in(series, item) for item in wanted):
        found.hits.append(Hit(file=name, inside=inside))


def _search_decrypted(
    path: Path, name: str, wanted: Sequence[Wanted], found: Searched, *, decrypt: Decrypt | None
) -> None:
    try:
        data = None if decrypt is None else decrypt(path)
    except SkiffError:
        data = None
    if data is None:
        _note_closed(name, found)
        return
    _search_member(data, name, "decrypted", wanted, found, depth=DEPTH)


def holds(data: bytes, name: str, wanted: Sequence[Wanted]) -> bool:
    """Return whether bytes, or what is packed in them, hold one of the values."""
    found = Searched()
    if any(item.is_in(data) for item in wanted):
        return True
    if data.startswith(PARQUET):
        _search_parquet(data, name, wanted, found)
    else:
        _search_packed(data, name, wanted, found, depth=DEPTH)
    return bool(found.hits)


def _note_closed(name: str, found: Searched) -> None:
    if name not in found.closed:
        found.unread.append(f"{name}: encrypted, and could not be decrypted here")
        found.closed.append(name)


def _list_files(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    seen: set[Path] = set()
    root = folders[0]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path in seen or not path.is_file() or path.is_symlink():
                continue
            seen.add(path)
            yield path, str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _search_packed(data: bytes, name: str, wanted: Sequence[Wanted], found: Searched, *, depth: int) -> None:
    """Look into what is packed; `data` itself has been looked through."""
    if depth == 0:
        found.unread.append(name)
        return
    if data.startswith(ZIP):
        _search_zip(data, name, wanted, found, depth=depth)
    elif data.startswith(GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            _search_member(unpacker.decompress(data, MOST_UNPACKED), name, "unpacked", wanted, found, depth=depth)
        except zlib.error:
            found.unread.append(name)
    elif data.startswith(PDF):
        for place, match in enumerate(PDF_STREAM.finditer(data)):
            with contextlib.suppress(zlib.error):  # a picture, or packed otherwise
                _search_member(zlib.decompress(match[1]), name, f"stream {place + 1}", wanted, found, depth=depth)


def _search_zip(data: bytes, name: str, wanted: Sequence[Wanted], found: Searched, *, depth: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if entry.file_size > MOST_UNPACKED or entry.flag_bits & 1:
                    found.unread.append(f"{name}: {entry.filename}")
                    continue
                _search_member(archive.read(entry), name, entry.filename, wanted, found, depth=depth)
    except DAMAGED:
        found.unread.append(name)


def _search_member(
    data: bytes, name: str, inside: str, wanted: Sequence[Wanted], found: Searched, *, depth: int
) -> None:
    found.members += 1
    label = "a member" if any(item.is_in(inside.encode()) for item in wanted) else inside
    if any(item.is_in(data) for item in wanted):
        found.hits.append(Hit(file=name, inside=label))
    if data.startswith(PARQUET):
        _search_parquet(data, f"{name}: {label}", wanted, found)
    elif data.startswith(SQLITE):
        _search_sqlite_bytes(data, f"{name}: {label}", wanted, found)
    elif data.startswith((GZIP, ZIP, PDF)):
        _search_packed(data, f"{name}: {label}", wanted, found, depth=depth - 1)
    elif data.startswith(MAGIC):  # part of a backup of an encrypted workspace, say
        _note_closed(name, found)


def _search_parquet(data: bytes, name: str, wanted: Sequence[Wanted], found: Searched) -> None:
    """Look through the text columns; a short value counts as a whole cell, a longer one anywhere in a text."""
    try:
        schema = pl.scan_parquet(io.BytesIO(data)).collect_schema()
        names = [column for column, dtype in schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
        for column in names:
            found.columns += 1
            texts = pl.read_parquet(io.BytesIO(data), columns=[column])[column].cast(pl.String).drop_nulls().unique()
            if any(_is_in(texts, item) for item in wanted):
                found.hits.append(Hit(file=name, inside=f"column '{column}'"))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        found.unread.append(name)


def _is_in(texts: pl.Series, item: Wanted) -> bool:
    if item.forms:
        return bool(texts.str.to_lowercase().str.contains(item.value.lower(), literal=True).any())
    return bool((texts.str.strip_chars() == item.value).any())


def _search_sqlite(path: Path, name: str, wanted: Sequence[Wanted], found: Searched) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=15)) as connection:
        _search_tables(connection, name, wanted, found)


def _search_sqlite_bytes(data: bytes, name: str, wanted: Sequence[Wanted], found: Searched) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        _search_tables(connection, name, wanted, found)


def _search_tables(connection: sqlite3.Connection, name: str, wanted: Sequence[Wanted], found: Searched) -> None:
    """Look through the text cells of a database: the one place where a value may be split by the form of the file."""
    try:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                found.columns += 1
                for item in wanted:
                    test = f'instr(lower("{column}"), lower(?)) > 0' if item.forms else f'trim("{column}") = ?'
                    query = f'SELECT 1 FROM "{table}" WHERE {test} LIMIT 1'  # noqa: S608  names from the database itself
                    if connection.execute(query, (item.value,)).fetchone():
                        found.hits.append(Hit(file=name, inside=f"{table}.{column}"))
                        break
    except sqlite3.Error:
        found.unread.append(name)
