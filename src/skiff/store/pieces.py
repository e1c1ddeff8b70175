"""Tables that are too large to hold: read piece by piece, written piece by piece, whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from skiff.store.files import PRIVATE_FILE, explained, name_staging, sync_folder
from skiff.store.memory import make_memory_folder

STREAM_BYTES = 64 << 20
"""From this size on a file is read in pieces."""

PIECE_BYTES = 16 << 20
HEAD_BYTES = 4 << 20
PIECE_ROWS = 50_000

SPLITTABLE = frozenset({"utf-8", "ascii", "cp1252", "latin-1", "iso-8859-1", "iso-8859-15"})
"""Encodings in which a line break is one byte that nothing else contains."""


def is_large(path: Path) -> bool:
    """Return whether a file is to be read in pieces."""
    with explained(path):
        return path.is_file() and path.stat().st_size >= STREAM_BYTES


def iterate_parquet(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a Parquet file, `PIECE_ROWS` at a time."""
    scan = pl.scan_parquet(path)
    n_rows = int(scan.select(pl.len()).collect().item())
    for start in range(0, n_rows, PIECE_ROWS):
        yield scan.slice(start, PIECE_ROWS).collect()


def iterate_csv_pieces(path: Path, *, header_rows: int, private: Path | None = None) -> Generator[Path]:
    """Yield small files that together are the CSV at `path`: each has its first `header_rows` lines and whole records.

    The first is short, so that how the file is to be read can be decided on it. A piece is removed when the next is asked
    for.

    Parameters
    ----------
    path : Path
    header_rows : int
    private : Path or None
        The objects' folder of an encrypted workspace: the pieces then lie in memory, never on a disk.

    Notes
    -----
    A record ends at a line break outside quotation marks. In a file that has both cells of several lines and single
    quotation marks inside words, a cut may fall inside a cell; reading then reports a row of another length.
    """
    with (
        _make_folder() if private is None else make_memory_folder(private) as folder,
        explained(path),
        path.open("rb") as source,
    ):
        header = b"".join(source.readline() for _ in range(header_rows))
        rest, size = b"", HEAD_BYTES
        number = 0
        while block := source.read(size):
            whole = rest + block
            cut = find_record_end(whole)
            piece, rest = whole[:cut], whole[cut:]
            size = PIECE_BYTES
            if piece:
                yield _write_piece(folder, number, header + piece, name=path.name)
                number += 1
        if rest.strip():
            yield _write_piece(folder, number, header + rest, name=path.name)


@contextlib.contextmanager
def _make_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="skiff-stream-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_piece(folder: Path, number: int, data: bytes, *, name: str) -> Path:
    for old in folder.iterdir():
        shutil.rmtree(old)
    place = folder / str(number)
    place.mkdir(mode=0o700)
    piece = place / name
    piece.touch(mode=PRIVATE_FILE)
    piece.write_bytes(data)
    return piece


def find_record_end(block: bytes) -> int:
    r"""Return how many bytes of `block`, which starts with a record, are whole records.

    Examples
    --------
    >>> find_record_end(b'1,"a\nb"\n2,"c\n')
    8
    """
    end = len(block)
    quotes = block.count(b'"')
    while True:
        at = block.rfind(b"\n", 0, end)
        if at < 0:
            return 0
        quotes -= block.count(b'"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at


class TableWriter:
    """Writes a table piece by piece; it appears under its name when the block ends well, or not at all.

    Parameters
    ----------
    output : Path
        ``.csv`` or ``.parquet``.
    """

    def __init__(self, output: Path) -> None:
        """Choose a place for the table in the making."""
        self._output = output
        self._staging = name_staging(output.parent)
        self._n_pieces = 0

    def __enter__(self) -> Self:
        """Return the writer itself."""
        with explained(self._output):
            self._staging.mkdir(mode=0o700)
        return self

    def write(self, piece: pl.DataFrame) -> None:
        """Add rows."""
        with explained(self._output):
            if self._output.suffix.lower() == ".parquet":
                piece.write_parquet(self._staging / f"{self._n_pieces:06d}.parquet")
            else:
                with (self._staging / "table.csv").open("ab") as target:
                    piece.write_csv(target, include_header=self._n_pieces == 0)
        self._n_pieces += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the table in its place, or remove what was written."""
        try:
            if kind is None and self._n_pieces:
                with explained(self._output):
                    made = self._staging / "table.csv"
                    if self._output.suffix.lower() == ".parquet":
                        made = self._staging / "table"
                        pl.scan_parquet(self._staging / "*.parquet", glob=True).sink_parquet(made)
                    made.chmod(PRIVATE_FILE)
                    made.replace(self._output)
                    sync_folder(self._output.parent)
        finally:
            with contextlib.suppress(OSError):  # swept at the next start
                shutil.rmtree(self._staging)
