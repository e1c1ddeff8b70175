"""Open a file that a client sent: plain or packed, never a bomb, a pipe or a folder."""

from __future__ import annotations

import bz2
import contextlib
import difflib
import errno
import gzip
import hashlib
import io
import lzma
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from skiff.core.errors import SkiffError
from skiff.data.parsing.encoding import find_binary_kind
from skiff.store.files import describe_os_error

MAX_BYTES = 16 << 30
"""Largest file that is opened, after unpacking, unless the caller says otherwise."""

MAX_HELD_BYTES = 2 << 30
"""Largest table that is read in one piece; a larger one is read piece by piece (`skiff read FILE -o OUT.parquet`)."""

MAX_RATIO = 200
"""A compressed file that grows more than this is refused as a bomb; an honest table of text grows about tenfold, one whose
rows repeat a hundredfold."""

FREE_BYTES = 48 << 20
"""So much may come out of any archive, whatever the ratio: it does no harm."""

HEAD_BYTES = 1 << 16
CHUNK_BYTES = 1 << 22

STDIN = "-"
STDIN_NAME = "standard input"

_BLANK = b"\x00 \r\n\t\xef\xbb\xbf\xff\xfe"
"""Bytes of which no table can consist."""

ZIP = b"PK\x03\x04"
_ZIP_EMPTY = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0"
_TYPED = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"SQLite format 3\x00", _OLE)
_WORKBOOKS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")
_BOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xlsb", ".ods"})
_DOCUMENTS = {"word/document.xml": "a Word document", "ppt/presentation.xml": "a presentation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The bytes of a file, unpacked, and the fingerprint of the file as it lies on the disk."""

    name: str
    data: bytes
    sha256: str
    size_bytes: int


def open_source(path: Path, *, max_bytes: int = MAX_HELD_BYTES) -> Source:
    """Return a file's bytes, unpacked where it is compressed; ``-`` is standard input.

    Raises
    ------
    SkiffError
        ``file_not_found``, ``file_is_folder``, ``file_not_regular``, ``file_empty``, ``file_too_large``, ``archive_bomb``,
        ``archive_damaged``, ``archive_has_several`` and what the disk says.
    """
    if str(path) == STDIN:
        return _open_stdin(max_bytes)
    refuse_unreadable(path)
    with open_unpacked(path, max_bytes=max_bytes) as stream:
        head = stream.read(HEAD_BYTES)
        refuse_binary(path.name, head)
        data = b"".join([head, *iter(lambda: stream.read(CHUNK_BYTES), b"")])
    if not head.strip(_BLANK) and not data.strip(_BLANK):
        raise describe_empty(path.name)
    digest = hashlib.sha256()
    with _readable(path), path.open("rb") as packed:
        if packed.read(HEAD_BYTES) == head and path.stat().st_size == len(data):  # it is not packed: no second reading
            digest.update(data)
        else:
            packed.seek(0)
            while chunk := packed.read(CHUNK_BYTES):
                digest.update(chunk)
    return Source(name=path.name, data=data, sha256=digest.hexdigest(), size_bytes=path.stat().st_size)


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder; a name that cannot be one is none."""
    try:
        return str(path) != STDIN and path.is_dir()
    except (OSError, ValueError):
        return False


def refuse_unreadable(path: Path) -> None:
    """Refuse what is no file with something in it."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise _describe_not_found(path) from error
    except ValueError as error:  # a NUL in the name
        raise _describe_not_found(Path(path.name.replace("\x00", ""))) from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise _describe_not_found(path) from error
        raise _describe_unreadable(error, path) from error
    if stat.S_ISDIR(status.st_mode):
        raise SkiffError(
            "file_is_folder",
            what=f"{path.name or path} is a folder, not a file.",
            where={"file": str(path)},
            fix="Name one file in it, or a folder of files with the same columns to `skiff read`.",
        )
    if not stat.S_ISREG(status.st_mode):
        raise SkiffError(
            "file_not_regular",
            what=f"{path.name} is a pipe or a device, not a file.",
            where={"file": str(path)},
            fix="Write it to a file first, or give it on standard input: … | skiff read -",
        )
    if not status.st_size:
        raise describe_empty(path.name)


def refuse_binary(name: str, head: bytes) -> None:
    """Refuse bytes that are neither text nor a table of a known format, before the rest is read."""
    if head.startswith((*_TYPED, ZIP, _ZIP_EMPTY)):
        return
    kind = find_binary_kind(head)
    if kind and head.strip(b"\x00 \r\n\t"):
        raise _describe_binary(name, kind)
    if len(head) == HEAD_BYTES and not head.strip(b"\x00"):
        raise _describe_binary(name, "a run of zero bytes")


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the disk says while a client's file is read into an error with a way out."""
    try:
        yield
    except OSError as error:
        raise _describe_unreadable(error, path) from error


@contextlib.contextmanager
def open_unpacked(path: Path, *, max_bytes: int = MAX_BYTES) -> Iterator[BinaryIO]:
    """Open a file as a stream of its unpacked bytes, which ends in an error where it is a bomb, cut or damaged."""
    with _readable(path):
        size = path.stat().st_size
        file = path.open("rb")
    with file:
        head = file.read(6)
        file.seek(0)
        inner: contextlib.AbstractContextManager[object]
        limit = min(max_bytes, max(FREE_BYTES, MAX_RATIO * size))
        if head[:2] == b"\x1f\x8b":
            inner = gzip.open(file)  # noqa: SIM115  entered below
        elif head == b"\xfd7zXZ\x00":
            inner = lzma.open(file)  # noqa: SIM115  entered below
        elif head[:3] == b"BZh":
            inner = bz2.open(file)  # noqa: SIM115  entered below
        elif head[:4] in {ZIP, _ZIP_EMPTY} and not _is_workbook(path, file):
            inner = _open_zipped(path, file)
        else:
            inner, limit = contextlib.nullcontext(file), max_bytes
        with inner as stream:
            yield cast("BinaryIO", _Limited(cast("BinaryIO", stream), path, limit=limit, max_bytes=max_bytes))


class _Limited(io.RawIOBase):
    """A stream that says in our words when it is too long, cut or damaged."""

    def __init__(self, stream: BinaryIO, path: Path, *, limit: int, max_bytes: int) -> None:
        super().__init__()
        self._stream = stream
        self._path = path
        self._left = limit
        self._error = describe_bomb(path.name) if limit < max_bytes else describe_too_large(path.name, max_bytes)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that are left where it is negative."""
        wanted = size if size >= 0 else self._left + 1
        parts = []
        try:
            while wanted and (part := self._stream.read(min(wanted, CHUNK_BYTES))):
                parts.append(part)
                wanted -= len(part)
                self._left -= len(part)
                if self._left < 0:
                    raise self._error
        except (EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise describe_archive_damaged(self._path) from error
        except OSError as error:
            if error.errno is None:  # what a decompressor says
                raise describe_archive_damaged(self._path) from error
            raise describe_os_error(error, self._path) from error
        return b"".join(parts)


def _open_stdin(max_bytes: int) -> Source:
    parts, left = [], max_bytes
    while chunk := sys.stdin.buffer.read(CHUNK_BYTES):
        parts.append(chunk)
        left -= len(chunk)
        if left < 0:
            raise describe_too_large(STDIN_NAME, max_bytes)
    packed = b"".join(parts)
    data = packed
    if packed[:2] == b"\x1f\x8b":
        limit = min(max_bytes, max(FREE_BYTES, MAX_RATIO * len(packed)))
        with gzip.open(io.BytesIO(packed)) as stream:
            data = _Limited(cast("BinaryIO", stream), Path(STDIN_NAME), limit=limit, max_bytes=max_bytes).read()
    if not data.strip(_BLANK):
        raise describe_empty(STDIN_NAME)
    refuse_binary(STDIN_NAME, data[:HEAD_BYTES])
    return Source(name=STDIN_NAME, data=data, sha256=hashlib.sha256(packed).hexdigest(), size_bytes=len(packed))


def _is_workbook(path: Path, file: BinaryIO) -> bool:
    names = set(_list_names(path, file))
    for inside, kind in _DOCUMENTS.items():
        if inside in names:
            raise _describe_binary(path.name, kind)
    return bool(names & set(_WORKBOOKS))


def _list_names(path: Path, file: BinaryIO) -> list[str]:
    try:
        with zipfile.ZipFile(file) as archive:
            return [item.filename for item in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        if path.suffix.lower() in _BOOK_SUFFIXES:
            raise describe_damaged(path.name, "workbook") from error
        raise describe_archive_damaged(path) from error
    finally:
        file.seek(0)


@contextlib.contextmanager
def _open_zipped(path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    with zipfile.ZipFile(file) as archive:
        items = [item for item in archive.infolist() if not item.is_dir() and "__MACOSX" not in item.filename]
        if len(items) != 1:
            named = ", ".join(f"'{Path(item.filename).name}'" for item in items[:6])
            raise SkiffError(
                "archive_has_several",
                what=f"{path.name} holds {len(items)} files{': ' + named if named else ''}.",
                where={"file": str(path)},
                fix="Unpack it into a folder and name the file that holds the table, or the folder if all have the same columns.",
            )
        try:
            stream = archive.open(items[0])
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:  # a password, an unknown method, a lie
            raise SkiffError(
                "archive_locked",
                what=f"{path.name} cannot be unpacked: it is protected by a password, or packed in an unusual way.",
                where={"file": str(path)},
                fix="Unpack it yourself and name the file inside.",
            ) from error
        with stream:
            yield cast("BinaryIO", stream)


def _describe_unreadable(error: OSError, path: Path) -> SkiffError:
    """Explain what the disk says about a client's file: it is not ours to write, so the way out is a copy."""
    told = describe_os_error(error, path)
    if told.code == "no_permission":
        told.what = f"You are not allowed to read {path}."
        told.fix = "Ask its owner to let you read it, or copy it to a folder of your own."
    return told


def _describe_not_found(path: Path) -> SkiffError:
    beside: dict[str, str] = {}
    with contextlib.suppress(OSError):  # only a hint: a folder that may not be listed has none
        beside = {item.name.split(".")[0].lower(): item.name for item in path.parent.iterdir()}
    alike = difflib.get_close_matches(path.name.split(".")[0].lower(), beside, n=1)  # the same ending is no likeness
    close = [beside[alike[0]]] if alike else []
    is_link = False
    with contextlib.suppress(OSError):  # a name too long to look up is none
        is_link = path.is_symlink()
    if is_link:
        return SkiffError(
            "file_not_found",
            what=f"{path} points to a file that does not exist.",
            where={"file": str(path)},
            fix="It is a link; name the file itself.",
        )
    return SkiffError(
        "file_not_found",
        what=f"There is no file {path}.",
        where={"file": str(path)},
        fix=f"Did you mean '{path.with_name(close[0])}'?" if close else "Check the name and the folder.",
    )


def _describe_binary(name: str, kind: str) -> SkiffError:
    return SkiffError(
        "file_is_binary",
        what=f"{name} is {kind}, not a table.",
        where={"file": name},
        fix="Export the table as CSV, Excel or Parquet.",
    )


def describe_empty(name: str) -> SkiffError:
    """Return the error for a file without a table in it."""
    return SkiffError(
        "file_empty",
        what=f"{name} holds no table: there are no rows in it.",
        where={"file": name},
        fix="Export the table again and check that it is not empty.",
    )


def describe_too_large(name: str, max_bytes: int) -> SkiffError:
    """Return the error for more bytes than are read in one piece."""
    return SkiffError(
        "file_too_large",
        what=f"{name} is larger than {max_bytes / 1e9:.1f} GB, too much to hold in one piece.",
        where={"file": name},
        fix="Make it a Parquet file first, which is done piece by piece: skiff read FILE -o OUT.parquet",
    )


def describe_bomb(name: str) -> SkiffError:
    """Return the error for a file that swells."""
    return SkiffError(
        "archive_bomb",
        what=f"{name} grows more than {MAX_RATIO} times when it is unpacked, so it was not opened.",
        where={"file": name},
        fix="If you trust it, unpack it yourself and name the file inside.",
    )


def describe_archive_damaged(path: Path) -> SkiffError:
    """Return the error for an archive that cannot be unpacked."""
    return SkiffError(
        "archive_damaged",
        what=f"{path.name} cannot be unpacked: it is cut or damaged.",
        where={"file": str(path)},
        fix="Ask for the file again, or unpack it yourself and look.",
    )


def describe_damaged(name: str, kind: str) -> SkiffError:
    """Return the error for a file of a known format that cannot be read."""
    return SkiffError(
        "file_damaged",
        what=f"{name} looks like a {kind} file but cannot be read: it is damaged, cut or protected.",
        where={"file": name},
        fix="Ask for the file again, without a password, or export it as CSV.",
    )
