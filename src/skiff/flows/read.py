"""Read whatever a client sends: a file or a frame becomes a typed table, and every decision is told."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from skiff.connect.databases import fetch_rows, find_sqlite_file, is_database_url
from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding, sort_findings
from skiff.data.parsing import findings as tell
from skiff.data.parsing.columns import UNPARSED_SHARE, decide_column
from skiff.data.parsing.layout import name_columns
from skiff.data.parsing.numbers import LONGEST_ID
from skiff.data.parsing.reading import ColumnReading
from skiff.data.parsing.table import type_table
from skiff.store.databases import build_rows
from skiff.store.opening import MAX_HELD_BYTES, Source, is_folder, open_source
from skiff.store.rawtable import RawTable
from skiff.store.tables import read_folder, split_table

WITHOUT_DATES = ("json", "sqlite")
"""Formats that have no type for dates: a column of text that holds nothing but dates becomes one."""


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
    keep_words: Container[str] = (),
    max_bytes: int | None = None,
) -> ReadTable:
    """Read a file, or take a frame that speaks Arrow.

    Parameters
    ----------
    source : path, str, or object with ``__arrow_c_stream__``
        A file, a folder of files with the same columns, ``-`` for standard input, the address of a database
        (``postgresql://…``, with `query`). Polars, pandas, PyArrow and DuckDB tables pass through with light normalisation.
    recipe : mapping, optional
        ``reading`` of an earlier file: the same decisions are taken again.
    sheet, query : str, optional
        Which sheet of a workbook; which rows of a database.
    keep_text : sequence of str
        Columns to leave as text.
    keep_words : container of str
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
    known = dict(recipe or {})
    opened, raw = _open_table(source, known, sheet=sheet, query=query, max_bytes=max_bytes or MAX_HELD_BYTES)
    refuse_changed_columns(opened, raw.frame.columns, known)
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
    refuse_changed_cells(opened, table.findings, known)
    frame = table.frame
    if raw.source_column:  # what came from where stands first, as a person would look for it
        frame = frame.select(raw.source_column, pl.exclude(raw.source_column))
    return ReadTable(
        frame=frame,
        findings=sort_findings([*tell_file(raw), *table.findings]),
        reading=describe_recipe(raw, table.readings, footer_rows=table.footer_rows + table.totals_rows),
        sha256=opened.sha256,
        size_bytes=opened.size_bytes,
        name=opened.name,
    )


def _open_table(
    source: object, known: Mapping[str, Any], *, sheet: str | None, query: str | None, max_bytes: int
) -> tuple[Source, RawTable]:
    """Return the table as it stands in a file, a folder, a database or a frame."""
    if isinstance(source, str) and is_database_url(source):
        file = find_sqlite_file(source)
        if not file:
            return _ask_database(source, query)
        source = file
    if isinstance(source, str):
        source = Path(source)
    if not isinstance(source, Path):
        return _take_frame(source)
    if is_folder(source):
        return read_folder(source, sheet=sheet, max_bytes=max_bytes)
    opened = open_source(source, max_bytes=max_bytes)
    raw = split_table(
        opened,
        sheet=sheet,
        query=query,
        delimiter=str(known.get("delimiter", "")),
        encoding=str(known.get("encoding", "")),
    )
    return replace(opened, data=b""), raw  # the cells stand in the frame: nothing is held twice


def _ask_database(source: str, query: str | None) -> tuple[Source, RawTable]:
    answer = fetch_rows(source, query)
    raw = build_rows(answer.columns, answer.rows, kind="sql")
    return Source(
        name=answer.name, data=b"", sha256=_hash_frame(raw.frame), size_bytes=int(raw.frame.estimated_size())
    ), raw


def tell_file(raw: RawTable) -> list[Finding]:  # noqa: C901, PLR0912  one line a decision, read top down
    """Return what was decided about the file as a whole, where it is not the plain default."""
    found: list[Finding] = []
    encoding, dialect, layout = raw.encoding, raw.dialect, raw.layout
    if encoding is not None and (encoding.name != "utf-8" or encoding.damaged_bytes):
        found.append(
            tell.say_encoding(
                encoding.name,
                reason=encoding.reason,
                rivals=encoding.rivals,
                damaged_bytes=encoding.damaged_bytes,
                lines=encoding.damaged_lines,
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
    if raw.sheets_read and (len(raw.sheets_read) > 1 or raw.sheets_left or raw.hidden):
        found.append(
            tell.say_sheets(
                raw.sheets_read, left=raw.sheets_left, hidden=raw.hidden, added=raw.source_column, is_choice=False
            )
        )
    if raw.other_tables:
        found.append(tell.say_other_tables(raw.other_tables))
    if raw.merged:
        found.append(tell.say_merged_cells(raw.merged))
    if raw.formula_errors:
        found.append(tell.say_formula_errors(list(raw.formula_errors), sum(raw.formula_errors.values())))
    return found


def describe_recipe(raw: RawTable, readings: Mapping[str, ColumnReading], *, footer_rows: int) -> dict[str, Json]:
    """Return the recipe by which the next file is read the same way."""
    made: dict[str, Json] = {"format": raw.format}
    if raw.encoding is not None:
        made["encoding"] = raw.encoding.name
    if raw.dialect is not None:
        made["delimiter"] = raw.dialect.delimiter
    if raw.layout is not None:
        made["header_row"] = raw.layout.header_row
    made["footer_rows"] = footer_rows
    if raw.sheets_read:
        made["sheets"] = list(raw.sheets_read)
    columns: dict[str, Json] = {name: reading.as_recipe() for name, reading in readings.items()}
    made["columns"] = columns
    return made


def refuse_changed_columns(source: Source, columns: Sequence[str], recipe: Mapping[str, Any]) -> None:
    """Refuse a file that lacks a column of its recipe, naming what is new in it."""
    wanted = list(recipe.get("columns", {}))
    lacking = [name for name in wanted if name not in columns]
    if lacking:
        new = [name for name in columns if name not in wanted]
        raise SkiffError(
            "columns_changed",
            what=f"{source.name} no longer has {', '.join(repr(name) for name in lacking[:10])}.",
            where={"file": source.name, "column": lacking[0]},
            fix=(f"New in it: {', '.join(repr(name) for name in new[:10])}. " if new else "")
            + "Ask what changed, or take [reading] for this file out of skiff.toml.",
        )


def refuse_changed_cells(source: Source, findings: Sequence[Finding], recipe: Mapping[str, Any]) -> None:
    """Refuse a file in which more than a few cells of a column no longer fit the way it was read before."""
    known = recipe.get("columns", {})
    for finding in findings:
        if finding.code != "reading.unparsed_cells" or finding.columns[0] not in known:
            continue
        n_unread, n_read = (int(str(finding.evidence[key])) for key in ("unread", "read"))
        if n_unread > UNPARSED_SHARE * (n_unread + n_read):
            name = finding.columns[0]
            kind = known[name].get("kind", "text")
            raise SkiffError(
                "cells_changed",
                what=f"{n_unread:,} of {n_unread + n_read:,} cells of '{name}' in {source.name} are no longer written as the {kind} they were.",
                where={"file": source.name, "column": name, "row": finding.sample_rows[0]},
                fix="Ask what changed in the export (decimal mark, order of day and month, units), "
                "or take [reading] for this file out of skiff.toml, so that Skiff looks again.",
            )


def _take_frame(source: object) -> tuple[Source, RawTable]:
    if not hasattr(source, "__arrow_c_stream__") and not hasattr(source, "__arrow_c_array__"):
        raise SkiffError(
            "source_unknown",
            what=f"Skiff reads files and tables, not a {type(source).__name__}.",
            fix="Give a path, or a Polars, pandas, PyArrow or DuckDB table.",
        )
    frame = source if isinstance(source, pl.DataFrame) else pl.DataFrame(cast("Any", source))
    names, doubled, invented = name_columns([str(name) for name in frame.columns])
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    if not frame.height:
        raise SkiffError("table_empty", what="The table has no rows.", fix="Check the step that made it.")
    raw = RawTable(frame=frame, labels=names, is_typed=True, format="frame", doubled=doubled, invented=invented)
    return Source(name="table", data=b"", sha256=_hash_frame(frame), size_bytes=int(frame.estimated_size())), raw


def _hash_frame(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.hash_rows(seed=0).to_numpy().tobytes() + "\0".join(frame.columns).encode()).hexdigest()


def _finish_typed(source: Source, raw: RawTable) -> ReadTable:
    """Bring the columns of a typed source to the few types that Skiff works with."""
    columns, found = [], tell_file(raw)
    for series in raw.frame.iter_columns():
        made, was = _normalise(series)
        if raw.format in WITHOUT_DATES and made.dtype == pl.String:
            dated = decide_column(made)
            if dated.reading.kind == "date" and not dated.reading.epoch and dated.values is not None:
                made = dated.values.alias(series.name)
                found.append(
                    tell.say_dates(
                        series.name,
                        date_format=dated.reading.date_format,
                        proof=dated.order.proof if dated.order else "",
                        zone=dated.reading.time_zone,
                        n_rows=len(made),
                    )
                )
        if was:
            found.append(tell.say_converted([series.name], source=_name_kind(was), target=_name_kind(str(made.dtype))))
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
        whole = series.cast(pl.Int64, strict=False)
        if whole.null_count() != series.null_count():  # more than 64 bits hold: an id, kept digit by digit
            return series.cast(pl.String), str(kind)
        return whole, ""
    if kind.is_decimal() and _has_long_digits(series):
        return series.cast(pl.String), str(kind)
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


def _has_long_digits(series: pl.Series) -> bool:
    """Return whether whole decimals have more digits than a double holds exactly."""
    scale = series.dtype.scale if isinstance(series.dtype, pl.Decimal) else 0
    high = series.abs().max()
    return not scale and high is not None and float(str(high)) >= 10.0**LONGEST_ID


def _name_kind(dtype: str) -> str:
    """Return in plain words what a column came as."""
    if dtype.startswith("Datetime"):
        return "times with a zone" if "time_zone" in dtype else "times in UTC"
    names = {"Int128": "whole numbers of many digits", "UInt64": "whole numbers of many digits", "String": "text"}
    names |= {
        "Decimal": "exact numbers of many digits",
        "List": "lists",
        "Struct": "records",
        "Duration": "spans of time",
    }
    return names.get(dtype.split("(", maxsplit=1)[0], dtype)
