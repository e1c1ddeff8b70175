"""A text file too large to hold: judged by its beginning, then handed out in blocks of whole rows."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from skiff.data.parsing.dialect import decide_dialect, find_separator_hint
from skiff.data.parsing.encoding import Encoding, decide_encoding, decode_text, find_binary_kind
from skiff.data.parsing.layout import Layout, find_layout, name_columns
from skiff.data.parsing.markup import is_markup
from skiff.data.parsing.rows import Dialect, Newline, find_newline, iterate_rows
from skiff.store.files import explained
from skiff.store.jsonfiles import is_json
from skiff.store.opening import CHUNK_BYTES, HEAD_BYTES, MAX_BYTES, ZIP, open_unpacked, refuse_binary, refuse_unreadable
from skiff.store.texts import SAMPLE_LETTERS, Split, head_rows, split_careful

STREAM_BYTES = 48 << 20
"""Above this a text file is read in blocks."""

STREAM_PACKED_BYTES = 6 << 20
"""The same for a packed one, which grows about tenfold."""

BLOCK_BYTES = 16 << 20
"""Text held at a time; as cells and values it takes about tenfold."""

MOST_CARRIED = 4
"""Blocks after which a quote that is still open is taken for a letter."""

_FEED, _RETURN = 10, 13
_HEAD = 8 << 20
_TYPED = (b"PAR1", b"ARROW1", b"SQLite format 3\x00", b"\xd0\xcf\x11\xe0", b"\xff\xff\xff\xff")
_UTF8 = frozenset({"utf-8", "utf-8-sig", "ascii"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """What is known of a large text file before its rows are read.

    ``body_bytes`` counts from the beginning of the normalised stream (UTF-8, without byte order mark and zero bytes).
    """

    path: Path
    sha256: str
    size_bytes: int
    encoding: Encoding
    newline: Newline
    dialect: Dialect
    layout: Layout
    names: tuple[str, ...]
    doubled: tuple[str, ...]
    invented: tuple[str, ...]
    body_bytes: int


_BLANK_LINE = re.compile(rb"(?:\n|\A)\r?\n")


def is_large_text(path: Path, *, least_bytes: int = STREAM_BYTES) -> bool:
    """Return whether `path` is a file of text that is better read in blocks."""
    try:
        if str(path) == "-" or not path.is_file():
            return False
    except (OSError, ValueError):  # no name that a file can have: said where the file is opened
        return False
    with explained(path), path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    is_packed = head.startswith((b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", ZIP))
    if path.stat().st_size < (min(least_bytes, STREAM_PACKED_BYTES) if is_packed else least_bytes):
        return False
    if is_packed:
        with open_unpacked(path) as stream:
            head = stream.read(HEAD_BYTES)
    return not (head.startswith((*_TYPED, ZIP)) or is_json(head) or find_binary_kind(head) or is_markup(_peek(head)))


def _peek(head: bytes) -> str:
    return head[:5_000].decode("latin-1").lstrip("ÿþï»¿\x00")


def judge_text_file(
    path: Path, *, delimiter: str = "", encoding: str = "", max_bytes: int = MAX_BYTES
) -> TextFile | None:
    """Return how the rows of a large text file are cut; None where they must be read with the whole in view.

    Raises
    ------
    SkiffError
        What `skiff.store.opening` says.
    """
    refuse_unreadable(path)
    head, found, sha256 = _scan(path, encoding=encoding, max_bytes=max_bytes)
    text = _decode_head(head, found).lstrip("\ufeff").replace("\x00", "")
    hint, skip = find_separator_hint(text)
    newline = find_newline(text[skip:])
    if newline == "mixed":
        return None
    if newline == "cr":
        text = text.replace("\r", "\n")
    sample = text[skip : skip + SAMPLE_LETTERS]
    dialect = decide_dialect(sample, is_whole=False, delimiter=delimiter or hint)
    layout = find_layout(head_rows(sample, dialect, "lf", is_whole=False))
    if not layout.width:
        return None
    names, doubled, invented = name_columns(layout.labels)
    used = 0
    for number, (_, end) in enumerate(iterate_rows(sample, dialect)):
        if number >= layout.body_row:
            break
        used = end
    return TextFile(
        path=path,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        encoding=found,
        newline=newline,
        dialect=dialect,
        layout=layout,
        names=names,
        doubled=doubled,
        invented=invented,
        body_bytes=len(text[: skip + used].encode()),
    )


def _scan(path: Path, *, encoding: str, max_bytes: int) -> tuple[bytes, Encoding, str]:
    """Read the file once: its beginning, its encoding, its fingerprint."""
    digest = hashlib.sha256()
    with open_unpacked(path, max_bytes=max_bytes) as stream:
        head = stream.read(_HEAD)
        refuse_binary(path.name, head[:HEAD_BYTES])
        digest.update(head)
        sample = head[: head.rfind(b"\n") + 1] or head
        found = Encoding(name=encoding, reason="asked") if encoding else decide_encoding(sample)
        decoder = codecs.getincrementaldecoder("utf-8")() if found.name == "utf-8" and not found.damaged_bytes else None
        chunk = head
        while chunk:
            if decoder is not None:
                try:
                    if not chunk.isascii() or decoder.getstate()[0]:
                        decoder.decode(chunk)
                except UnicodeDecodeError:  # the beginning was plain, the rest is not
                    found, decoder = decide_encoding(sample + chunk), None
            chunk = stream.read(CHUNK_BYTES)
            digest.update(chunk)
    with explained(path), path.open("rb") as file:
        if file.read(6).startswith((b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", ZIP)):
            file.seek(0)
            return head, found, hashlib.file_digest(file, "sha256").hexdigest()
    return head, found, digest.hexdigest()


def _decode_head(head: bytes, encoding: Encoding) -> str:
    if encoding.damaged_bytes:
        return decode_text(head, encoding)
    decoder = codecs.getincrementaldecoder(encoding.name)(errors="replace")
    return decoder.decode(head)


def iterate_blocks(
    file: TextFile, *, block_bytes: int = BLOCK_BYTES, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[bytes, bool]]:
    """Yield the rows below the header in blocks of UTF-8 bytes that end where a row ends, and whether each is the last."""
    quote = file.dialect.quote.encode()
    carry = b""
    ready: bytes | None = None
    skip = file.body_bytes
    for chunk in _normalise(file, block_bytes=block_bytes, max_bytes=max_bytes):
        part = chunk
        if skip:
            part, skip = part[skip:], max(0, skip - len(part))
            if not part:
                continue
        buffer = carry + part if carry else part
        cut = _find_cut(buffer, quote)
        if cut == 0 and len(buffer) > MOST_CARRIED * block_bytes:
            cut = buffer.rfind(b"\n") + 1
        if not cut:
            carry = buffer
            continue
        if ready is not None:
            yield ready, False
        ready, carry = buffer[:cut], buffer[cut:]
    if ready is None:
        yield carry, True
    elif len(carry) < block_bytes // 4:
        yield ready + carry, True
    else:
        yield ready, False
        yield carry, True


def _find_cut(buffer: bytes, quote: bytes) -> int:
    """Return where the last whole row of `buffer` ends, 0 where none does."""
    at = buffer.rfind(b"\n")
    if at < 0 or not quote or quote not in buffer:
        return at + 1
    count = buffer.count(quote, 0, at + 1)
    while count % 2:
        before = buffer.rfind(b"\n", 0, at)
        if before < 0:
            return 0
        count -= buffer.count(quote, before + 1, at + 1)
        at = before
    return at + 1


def _normalise(file: TextFile, *, block_bytes: int, max_bytes: int) -> Iterator[bytes]:
    """Yield the file as UTF-8 without byte order mark and zero bytes, with line feeds."""
    is_utf8 = file.encoding.name in _UTF8 and not file.encoding.damaged_bytes
    decoder = (
        None
        if is_utf8
        else codecs.getincrementaldecoder(file.encoding.name)(
            errors="surrogateescape"
            if not file.encoding.name.startswith("utf-") or file.encoding.name.startswith("utf-8")
            else "replace"
        )
    )
    is_first = True
    with open_unpacked(file.path, max_bytes=max_bytes) as stream:
        while True:
            chunk = stream.read(block_bytes)
            is_end = not chunk
            if decoder is not None:
                text = decoder.decode(chunk, final=is_end)
                chunk = _to_utf8(text)
            if is_first:
                chunk = chunk.removeprefix(codecs.BOM_UTF8)
                is_first = not chunk
            if b"\x00" in chunk:
                chunk = chunk.replace(b"\x00", b"")
            if file.newline == "cr":
                chunk = chunk.replace(b"\r", b"\n")
            if chunk:
                yield chunk
            if is_end:
                return


def _to_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # bytes that are not valid, marked as lone surrogates
        return decode_text(
            text.encode("utf-8", errors="surrogateescape"), Encoding(name="utf-8", damaged_bytes=1)
        ).encode()


def split_block(block: bytes, file: TextFile, names: tuple[str, ...]) -> Split:
    """Return the cells of a block; at full speed where every row is regular, row by row where one is not."""
    fast = _split_regular(block, file.dialect, names)
    if fast is not None:
        return Split(frame=fast)
    return split_careful(block.decode(), file.dialect, "lf", replace(file.layout, body_row=0), names)


def _split_regular(block: bytes, dialect: Dialect, names: tuple[str, ...]) -> pl.DataFrame | None:
    if dialect.is_single or dialect.escape or len(dialect.delimiter.encode()) > 1 or dialect.skips_blanks:
        return None
    if not block.endswith(b"\n"):
        block += b"\n"
    n_rows = count_regular_rows(block, delimiter=dialect.delimiter, quote=dialect.quote, width=len(names))
    if n_rows is None:
        return None
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            new_columns=list(names),
            separator=dialect.delimiter,
            quote_char=dialect.quote if dialect.quote and dialect.quote.encode() in block else None,
            infer_schema=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(names) or frame.height != n_rows:
        return None
    quote = dialect.quote.encode()
    if quote and quote in block and quote * 2 in block:
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return frame


def count_regular_rows(block: bytes, *, delimiter: str, quote: str, width: int) -> int | None:
    r"""Return how many rows `block` holds if every one has `width` cells and every quote opens or closes a cell, else None.

    Every byte is looked at, so that a table which a fast reader would shift, cut or join is given to a careful one.

    Examples
    --------
    >>> count_regular_rows(b'1,"a,b"\n2,c\n', delimiter=",", quote='"', width=2)
    2
    >>> count_regular_rows(b'1,5" tube\n2,c\n', delimiter=",", quote='"', width=2) is None
    True
    """
    if b"\r" in block and b"\r\r" in block:  # one letter is looked for at ten times the speed of two
        return None
    if not quote or quote.encode() not in block:
        n_rows = block.count(b"\n")
        if block.count(delimiter.encode()) != n_rows * (width - 1):
            return None  # else a short or blank row could only be made up by a long one, which the reader refuses
        return None if width == 1 and _BLANK_LINE.search(block) else n_rows
    raw = np.frombuffer(block, dtype=np.uint8)
    marks = np.flatnonzero(raw == ord(quote))
    if len(marks) % 2 or not _are_wrapping(raw, marks, delimiter=ord(delimiter), quote=ord(quote)):
        return None
    opened, closed = marks[0::2], marks[1::2]
    ends, places = np.flatnonzero(raw == _FEED), np.flatnonzero(raw == ord(delimiter))
    ends = ends[_is_outside(ends, opened, closed)]
    places = places[_is_outside(places, opened, closed)]
    per_row = np.diff(np.searchsorted(places, ends), prepend=0)
    if width == 1 and np.any(np.diff(ends, prepend=-1) == 1):
        return None  # a blank line and an empty cell look the same
    return len(ends) if bool((per_row == width - 1).all()) else None


def _are_wrapping(raw: np.ndarray, marks: np.ndarray, *, delimiter: int, quote: int) -> bool:
    """Return whether quotes stand only at the borders of cells, doubled inside (RFC 4180)."""
    opened, closed = marks[0::2], marks[1::2]
    before = raw[np.maximum(opened - 1, 0)]
    is_begin = (opened == 0) | (before == delimiter) | (before == _FEED) | (before == quote)
    after = raw[np.minimum(closed + 1, len(raw) - 1)]
    is_end = (after == delimiter) | (after == _FEED) | (after == _RETURN) | (after == quote)
    return bool(is_begin.all()) and bool(is_end.all())


def _is_outside(places: np.ndarray, opened: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Return which of `places` lie in no pair of quotes."""
    at = np.searchsorted(opened, places)
    inside = (at > 0) & (places < closed[np.maximum(at - 1, 0)])
    return ~inside
