"""Read whatever a client sends: a file or a frame becomes a typed table, and every decision is told."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding, sort_findings
from skiff.data.parsing import findings as tell
from skiff.data.parsing.layout import name_columns
from skiff.data.parsing.table import TypedTable, type_table
from skiff.store.tables import MAX_BYTES, SHEET_COLUMN, RawTable, Source, open_source, split_table


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTable:
    """A typed table with how it was read.

    Parameters
    ----------
    frame : polars.DataFrame
        Int64 and Float64 numbers, Boolean yes/no, String, Date, Datetime("us") without a zone (UTC).
    findings : list of Finding
        ``reading.*``: every decision that is not the plain default.
    reading : dict
        The recipe by which next month's file is read the same way.
    sha256 : str
        Of the source's bytes; of the content for a frame.
    size_bytes : int
    name : str
    """

    frame: pl.DataFrame
    findings: list[Finding]
    reading: dict[str, Json]
    sha256: str
    size_bytes: int
    name: str


def read_table(
    source: object,
    *,
    recipe: Mapping[str, Any] | None = None,
    sheet: str | None = None,
    query: str | None = None,
    keep_text: Sequence[str] = (),
    keep_words: Sequence[str] = (),
    max_bytes: int | None = None,
) -> ReadTable:
    """Read a file, or take a frame that speaks Arrow.

    Parameters
    ----------
    source : path, or object with ``__arrow_c_stream__``
        Polars, pandas, PyArrow and DuckDB tables pass through with light normalisation.
    recipe : mapping, optional
        ``reading`` of an earlier file: the same decisions are taken again.
    sheet, query : str, optional
        Which sheet of a workbook; which rows of a database.
    keep_text : sequence of str
        Columns to leave as text.
    keep_words : sequence of str
        Columns whose yes and no stay the words they are, such as the target.
    max_bytes : int, optional
        Refuse more, after unpacking.

    Raises
    ------
    SkiffError
        ``file_not_found``, ``file_empty``, ``file_is_binary``, ``source_unknown`` … ``columns_changed`` where the file no
        longer has the columns of its recipe.

    Examples
    --------
    >>> read_table(pl.DataFrame({"price": [1, 2]})).frame["price"].to_list()
    [1, 2]
    """
    if isinstance(source, str):
        source = Path(source)
    if not isinstance(source, Path):
        return _read_frame(source)
    opened = open_source(source, max_bytes=max_bytes or MAX_BYTES)
    known = dict(recipe or {})
    raw = split_table(
        opened,
        sheet=sheet,
        query=query,
        delimiter=str(known.get("delimiter", "")),
        encoding=str(known.get("encoding", "")),
    )
    _refuse_changed_columns(opened, raw, known)
    if raw.is_typed:
        return _finish_typed(opened, raw)
    table = type_table(raw.frame, raw.labels, known=known.get("columns"), keep_text=keep_text, keep_words=keep_words)
    if not table.frame.height:
        raise SkiffError(
            "file_empty",
            what=f"{opened.name} has a header but no rows.",
            where={"file": opened.name},
            fix="Export the table again and check that it is not empty.",
        )
    frame = table.frame
    if len(raw.sheets_read) > 1:  # what came from where stands first, as a person would look for it
        frame = frame.select(SHEET_COLUMN, pl.exclude(SHEET_COLUMN))
    return ReadTable(
        frame=frame,
        findings=sort_findings([*_tell_file(raw), *table.findings]),
        reading=_describe(raw, table),
        sha256=opened.sha256,
        size_bytes=opened.size_bytes,
        name=opened.name,
    )


def _tell_file(raw: RawTable) -> list[Finding]:  # noqa: C901  one line a decision, read top down
    """Return what was decided about the file as a whole, where it is not the plain default."""
    found: list[Finding] = []
    encoding, dialect, layout = raw.encoding, raw.dialect, raw.layout
    if encoding is not None and (encoding.name != "utf-8" or encoding.damaged_bytes):
        found.append(
            tell.say_encoding(
                encoding.name, reason=encoding.reason, rivals=encoding.rivals, damaged_bytes=encoding.damaged_bytes
            )
        )
    if dialect is not None and not dialect.is_single and dialect.delimiter != ",":
        found.append(tell.say_delimiter(dialect.delimiter, runner_up=dialect.runner_up))
    if layout is not None:
        if layout.title_rows:
            found.append(tell.say_title_lines(len(layout.title_rows)))
        if layout.header_rows > 1:
            found.append(tell.say_joined_header())
    if raw.doubled:
        found.append(tell.say_duplicate_header(raw.doubled))
    if raw.invented:
        found.append(tell.say_missing_header(raw.invented, is_whole=layout is not None and layout.header_rows == 0))
    if raw.ragged:
        found.append(tell.say_ragged(raw.ragged, short=raw.short, long=raw.long, added=raw.added))
    if raw.is_quote_open:
        found.append(tell.say_quotes(rows=[raw.frame.height]))
    if raw.sheets_read and (len(raw.sheets_read) > 1 or raw.sheets_left):
        found.append(
            tell.say_sheets(
                raw.sheets_read,
                left=raw.sheets_left,
                hidden=(),
                added="sheet" if len(raw.sheets_read) > 1 else "",
                is_choice=False,
            )
        )
    return found


def _describe(raw: RawTable, table: TypedTable) -> dict[str, Json]:
    """Return the recipe."""
    made: dict[str, Json] = {"format": raw.format}
    if raw.encoding is not None:
        made["encoding"] = raw.encoding.name
    if raw.dialect is not None:
        made["delimiter"] = raw.dialect.delimiter
    if raw.layout is not None:
        made["header_row"] = raw.layout.header_row
    made["footer_rows"] = table.footer_rows + table.totals_rows
    if raw.sheets_read:
        made["sheets"] = list(raw.sheets_read)
    columns: dict[str, Json] = {name: reading.as_recipe() for name, reading in table.readings.items()}
    made["columns"] = columns
    return made


def _refuse_changed_columns(source: Source, raw: RawTable, recipe: Mapping[str, Any]) -> None:
    wanted = list(recipe.get("columns", {}))
    lacking = [name for name in wanted if name not in raw.frame.columns]
    if lacking:
        new = [name for name in raw.frame.columns if name not in wanted]
        raise SkiffError(
            "columns_changed",
            what=f"{source.name} no longer has {', '.join(repr(name) for name in lacking[:10])}.",
            where={"file": source.name, "column": lacking[0]},
            fix=(f"New in it: {', '.join(repr(name) for name in new[:10])}. " if new else "")
            + "Ask what changed, or take [reading] for this file out of skiff.toml.",
        )


def _read_frame(source: object) -> ReadTable:
    if not hasattr(source, "__arrow_c_stream__") and not hasattr(source, "__arrow_c_array__"):
        raise SkiffError(
            "source_unknown",
            what=f"Skiff reads files and tables, not a {type(source).__name__}.",
            fix="Give a path, or a Polars, pandas, PyArrow or DuckDB table.",
        )
    frame = source if isinstance(source, pl.DataFrame) else pl.DataFrame(cast("Any", source))
    names, doubled, invented = name_columns([str(name) for name in frame.columns])
    raw = RawTable(
        frame=frame.rename(dict(zip(frame.columns, names, strict=True))), labels=names, is_typed=True, format="frame"
    )
    if not frame.height:
        raise SkiffError("table_empty", what="The table has no rows.", fix="Check the step that made it.")
    digest = hashlib.sha256(frame.hash_rows(seed=0).to_numpy().tobytes() + "\0".join(names).encode()).hexdigest()
    source_ = Source(name="table", data=b"", sha256=digest, size_bytes=int(frame.estimated_size()))
    return _finish_typed(source_, replace(raw, doubled=doubled, invented=invented))


def _finish_typed(source: Source, raw: RawTable) -> ReadTable:
    """Bring the columns of a typed source to the few types that Skiff works with."""
    columns, found = [], _tell_file(raw)
    for series in raw.frame.iter_columns():
        made, was = _normalise(series)
        if was:
            found.append(tell.say_converted([series.name], source=was, target=str(made.dtype)))
        columns.append(made)
    frame = pl.DataFrame(columns)
    if not frame.height:
        raise SkiffError(
            "file_empty",
            what=f"{source.name} has no rows.",
            where={"file": source.name},
            fix="Export the table again and check that it is not empty.",
        )
    kinds: dict[str, Json] = {name: {"kind": str(dtype)} for name, dtype in frame.schema.items()}
    return ReadTable(
        frame=frame,
        findings=sort_findings(found),
        reading={"format": raw.format, "columns": kinds},
        sha256=source.sha256,
        size_bytes=source.size_bytes,
        name=source.name,
    )


def _normalise(series: pl.Series) -> tuple[pl.Series, str]:  # noqa: PLR0911  one return a family of types
    """Return a column in one of our types, and what it was where that may surprise."""
    kind = series.dtype
    if kind.is_integer():
        return series.cast(pl.Int64, strict=False), ""
    if kind.is_float() or kind.is_decimal():
        return series.cast(pl.Float64).fill_nan(None), ""
    if kind in (pl.Boolean, pl.String, pl.Date):
        return (series.replace("", None) if kind == pl.String else series), ""
    if isinstance(kind, pl.Datetime):
        moved = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if kind.time_zone else series
        return moved.cast(pl.Datetime("us")), (str(kind) if kind.time_zone else "")
    if kind in (pl.Categorical, pl.Enum) or isinstance(kind, (pl.Categorical, pl.Enum)):
        return series.cast(pl.String), ""
    if kind == pl.Null:
        return series.cast(pl.String), ""
    if kind in (pl.Time, pl.Duration) or isinstance(kind, pl.Duration):
        return series.cast(pl.String, strict=False), str(kind)
    texts = [None if item is None else str(item) for item in series.to_list()]
    return pl.Series(series.name, texts, dtype=pl.String), str(kind)
