"""Read a file and write it clean."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from skiff.connect.databases import is_database_url
from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.data.kinds import infer_inputs
from skiff.flows.read import read_table
from skiff.flows.stream import StreamedTable, stream_table
from skiff.store.files import write_atomic

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a spreadsheet run a cell (OWASP, "CSV Injection"); full-width forms included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column as it was read."""

    name: str
    kind: str
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcome:
    """What reading gave, without the table itself."""

    name: str
    sha256: str
    rows: int
    columns: int
    details: tuple[ColumnFacts, ...]
    reading: dict[str, Json]
    findings: Sequence[Finding]
    output: str | None

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "rows": self.rows,
            "columns": self.columns,
            "details": [asdict(item) for item in self.details],
            "reading": self.reading,
            "output": self.output,
        }


def read_and_write(
    source: Path | str, output: Path | None = None, *, sheet: str | None = None, query: str | None = None
) -> ReadOutcome:
    """Read `source` and, if asked, write the clean table as CSV or Parquet.

    Raises
    ------
    SkiffError
        ``output_unknown_format`` before anything is read; what `read_table` and the disk say.
    """
    if isinstance(source, str) and not is_database_url(source):
        source = Path(source)
    if output is not None:
        refuse_unknown_format(output)
    if output is not None and isinstance(source, Path):
        large = stream_table(source, output, prepare=disarm_formulas if output.suffix.lower() == ".csv" else None)
        if large is not None:
            return _describe_large(large, output)
    read = read_table(source, sheet=sheet, query=query)
    if output is not None:
        write_table(read.frame, output)
    kinds = {column.name: column.kind for column in infer_inputs(read.frame)}
    missing = read.frame.null_count().row(0)
    return ReadOutcome(
        name=read.name,
        sha256=read.sha256,
        rows=read.frame.height,
        columns=read.frame.width,
        details=tuple(
            ColumnFacts(name=name, kind=kinds.get(name, "empty"), missing=count)
            for name, count in zip(read.frame.columns, missing, strict=True)
        ),
        reading=read.reading,
        findings=read.findings,
        output=str(output) if output else None,
    )


def refuse_unknown_format(output: Path) -> None:
    """Refuse a name that says no format Skiff writes.

    Raises
    ------
    SkiffError
        ``output_unknown_format``.
    """
    if output.suffix.lower() not in {".csv", ".parquet"}:
        raise SkiffError(
            "output_unknown_format",
            what=f"Skiff writes .csv and .parquet, not '{output.suffix or output.name}'.",
            where={"file": str(output)},
            fix="Give the output a name that ends in .csv or .parquet.",
        )


def _describe_large(large: StreamedTable, output: Path) -> ReadOutcome:
    return ReadOutcome(
        name=large.name,
        sha256=large.sha256,
        rows=large.rows,
        columns=len(large.schema),
        details=tuple(
            ColumnFacts(name=name, kind=large.kinds[name], missing=large.null_counts[name]) for name in large.schema
        ),
        reading=large.reading,
        findings=large.findings,
        output=str(output),
    )


def write_table(frame: pl.DataFrame, output: Path) -> None:
    """Write a table whole or not at all; text that a spreadsheet would run as a formula gets an apostrophe (CSV only)."""
    stream = io.BytesIO()
    if output.suffix.lower() == ".parquet":
        frame.write_parquet(stream)
    else:
        disarm_formulas(frame).write_csv(stream)
    write_atomic(output, stream.getvalue())


def disarm_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with an apostrophe before every text cell that starts like a formula.

    Examples
    --------
    >>> disarm_formulas(pl.DataFrame({"note": ["=1+1", "fine", None]}))["note"].to_list()
    ["'=1+1", 'fine', None]
    """
    pattern = "^[\\s\u00a0]*[" + "".join("\\" + sign if sign in "-=+@" else sign for sign in FORMULA_STARTS) + "]"
    return frame.with_columns(
        pl.when(pl.col(pl.String).str.contains(pattern))
        .then(pl.lit("'") + pl.col(pl.String))
        .otherwise(pl.col(pl.String))
        .name.keep()
    )
