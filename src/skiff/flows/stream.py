"""Read a text file that is too large to hold, block by block, into a Parquet or CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding, sort_findings
from skiff.data.kinds import kind_of
from skiff.data.parsing.blocks import BlockTyper
from skiff.flows.read import describe_recipe, refuse_changed_cells, refuse_changed_columns, tell_file
from skiff.store.files import replace_atomic
from skiff.store.opening import Source
from skiff.store.rawtable import RawTable
from skiff.store.streams import (
    BLOCK_BYTES,
    STREAM_BYTES,
    TextFile,
    is_large_text,
    iterate_blocks,
    judge_text_file,
    split_block,
)

MOST_ROUNDS = 5
"""Times a file is read from the start at most; each round makes columns more general, and two almost always do."""

MOST_RAGGED = 1_000_000
"""Row numbers of ragged rows that are remembered; beyond, they are only counted."""

FAST_ZSTD = 1
"""Level of Zstandard: a tenth larger than the usual 3, in two thirds of its time."""

Prepare = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedTable:
    """What reading a large file gave; the table itself lies in the file it was written to."""

    schema: dict[str, pl.DataType]
    kinds: dict[str, str]
    null_counts: dict[str, int]
    rows: int
    findings: list[Finding]
    reading: dict[str, Json]
    sha256: str
    size_bytes: int
    name: str


def stream_table(
    source: Path,
    output: Path,
    *,
    recipe: Mapping[str, Any] | None = None,
    keep_words: Sequence[str] = (),
    prepare: Prepare | None = None,
    least_bytes: int = STREAM_BYTES,
    block_bytes: int = BLOCK_BYTES,
) -> StreamedTable | None:
    """Read `source` in blocks and write it to `output`; None where it is small, typed, or needs the whole in view.

    Parameters
    ----------
    source, output : Path
        `output` ends in ``.csv`` or ``.parquet`` and is written whole or not at all.
    recipe, keep_words
        As in `skiff.flows.read.read_table`.
    prepare : callable, optional
        Applied to each block before it is written.
    least_bytes, block_bytes : int
        From which size on, and how much at a time.

    Raises
    ------
    SkiffError
        What `read_table` raises.
    """
    if not is_large_text(source, least_bytes=least_bytes):
        return None
    known = dict(recipe or {})
    file = judge_text_file(source, delimiter=str(known.get("delimiter", "")), encoding=str(known.get("encoding", "")))
    if file is None:
        return None
    opened = Source(name=source.name, data=b"", sha256=file.sha256, size_bytes=file.size_bytes)
    refuse_changed_columns(opened, file.names, known)
    reader = _Reader(file, known, keep_words, block_bytes=block_bytes)
    with replace_atomic(output) as staging:
        for _ in range(MOST_ROUNDS):
            reader.write(staging, as_csv=output.suffix.lower() == ".csv", prepare=prepare)
            if not reader.typer.must_repeat and not reader.is_wider:
                break
            reader.repeat()
        else:
            raise SkiffError(
                "columns_unsettled",
                what=f"The columns of {source.name} change their form too often to be read in blocks.",
                where={"file": source.name},
                fix="Cut the file into parts, and read each.",
            )
        made = reader.finish(opened)
        if not made.rows:
            raise SkiffError(
                "file_empty",
                what=f"{opened.name} has a header but no rows.",
                where={"file": opened.name},
                fix="Export the table again and check that it is not empty.",
            )
        refuse_changed_cells(opened, made.findings, known)
    return made


class _Reader:
    """Reads the blocks of one file, as often as it takes."""

    def __init__(
        self, file: TextFile, known: Mapping[str, Any], keep_words: Sequence[str], *, block_bytes: int
    ) -> None:
        self._file = file
        self._known = known
        self._keep_words = keep_words
        self._block_bytes = block_bytes
        self._names = list(file.names)
        self._n_added = 0
        self.is_wider = False
        self._begin()

    def _begin(self) -> None:
        labels = [*self._file.layout.labels, *[""] * self._n_added]
        self.typer = BlockTyper(labels, known=self._known.get("columns"), keep_words=self._keep_words)
        self._clear()

    def _clear(self) -> None:
        self.is_wider = False
        self._ragged: list[int] = []
        self._short = self._long = self._n_raw = 0
        self._is_quote_open = False
        self._sample: pl.DataFrame | None = None

    def repeat(self) -> None:
        """Make ready for one more round."""
        if self.is_wider:
            self._begin()
        else:
            self.typer.decide_again()
            self._clear()

    def write(self, output: Path, *, as_csv: bool, prepare: Prepare | None) -> None:
        """Read all blocks once and write them."""
        blocks = iterate_blocks(self._file, block_bytes=self._block_bytes)
        first = next(blocks)
        cells = self._split(first[0])
        if not self.typer.decisions:
            self.typer.begin(cells)
        problems: list[SkiffError] = []

        def produce(
            with_columns: list[str] | None, predicate: object, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            del predicate, n_rows, batch_size  # everything is wanted
            try:
                for frame in self._type(cells, first[1], blocks):
                    made = prepare(frame) if prepare else frame
                    yield made.select(with_columns) if with_columns else made
            except SkiffError as error:  # would come back as an error of the engine
                problems.append(error)

        lazy = register_io_source(produce, schema=self.typer.schema)
        if as_csv:
            lazy.sink_csv(output)
        else:
            lazy.sink_parquet(output, compression_level=FAST_ZSTD, statistics=False)
        if problems:
            raise problems[0]
        self.typer.finish()

    def _type(self, cells: pl.DataFrame, is_last: bool, blocks: Iterator[tuple[bytes, bool]]) -> Iterator[pl.DataFrame]:
        while True:
            if not self.is_wider:
                typed = self.typer.read_block(cells, is_last=is_last)
                if self._sample is None:
                    self._sample = typed.head(100_000)
                if not self.typer.is_dry:
                    yield typed
            if is_last:
                return
            block, is_last = next(blocks)
            cells = self._split(block)

    def _split(self, block: bytes) -> pl.DataFrame:
        split = split_block(block, self._file, tuple(self._names))
        if split.added:
            self._n_added += len(split.added)
            self._names += list(split.added)
            self.is_wider = True
        if len(self._ragged) < MOST_RAGGED:
            self._ragged += [self._n_raw + row for row in split.ragged]
        self._short += split.short
        self._long += split.long
        self._n_raw += split.frame.height
        self._is_quote_open = split.is_quote_open
        return split.frame

    def finish(self, opened: Source) -> StreamedTable:
        """Return what was read and decided."""
        typer, file = self.typer, self._file
        sample = self._sample if self._sample is not None else pl.DataFrame(schema=typer.schema)
        raw = RawTable(
            frame=sample,
            labels=file.layout.labels,
            encoding=file.encoding,
            dialect=file.dialect,
            layout=file.layout,
            doubled=file.doubled,
            invented=tuple(name for name in file.invented if typer.null_counts.get(name, 0) < typer.n_rows),
            ragged=tuple(self._ragged),
            short=self._short,
            long=self._long,
            added=tuple(self._names[len(file.names) :]),
            is_quote_open=self._is_quote_open,
        )
        readings = {name: decision.reading for name, decision in typer.decisions.items()}
        return StreamedTable(
            schema=dict(typer.schema),
            kinds={name: kind_of(sample[name]) for name in typer.schema},
            null_counts=typer.null_counts,
            rows=typer.n_rows,
            findings=sort_findings([*tell_file(raw), *typer.tell()]),
            reading=describe_recipe(raw, readings, footer_rows=typer.n_left_out),
            sha256=opened.sha256,
            size_bytes=opened.size_bytes,
            name=opened.name,
        )
