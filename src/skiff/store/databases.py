"""Rows of a database as a table; SQLite files."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.layout import name_columns
from skiff.data.parsing.numbers import LONGEST_ID
from skiff.store.opening import Source
from skiff.store.rawtable import RawTable

MAX_QUERY_S = 300.0
"""A query that runs longer is stopped: a file from a stranger may hold a view without end."""

MAX_VIEW_S = 8.0
"""The same where nobody wrote a query, and the only table may be a view that never ends."""

_STEPS = 100_000
_INT64 = 2**63


def read_sqlite(source: Source, query: str | None) -> RawTable:
    """Return the rows of the only table of a database, or of `query`.

    Raises
    ------
    SkiffError
        ``query_missing``, ``query_failed``.
    """
    connection = sqlite3.connect(":memory:")
    until = time.monotonic() + (MAX_QUERY_S if query else MAX_VIEW_S)
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    connection.text_factory = lambda data: data.decode("utf-8", errors="replace")
    try:
        connection.deserialize(source.data)
        connection.execute("pragma query_only = on")
        names = [row[0] for row in connection.execute("select name from sqlite_master where type in ('table','view')")]
        names = [name for name in names if not str(name).startswith("sqlite_")]
        if query is None and len(names) != 1:
            raise describe_query_missing(source.name, names)
        quoted = names[0].replace('"', '""') if names else ""
        # the name of the table comes from the file's own catalog and is quoted
        cursor = connection.execute(query or f'select * from "{quoted}"')  # noqa: S608
        columns = [item[0] for item in cursor.description or []]
        rows = cursor.fetchall()
    except (sqlite3.Error, MemoryError, OverflowError) as error:
        raise describe_query_failed(source.name, type(error).__name__) from error
    finally:
        connection.close()
    return build_rows(columns, rows, kind="sqlite")


def build_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], *, kind: str) -> RawTable:
    """Return rows of a database as a table: whole numbers, numbers, yes/no, dates; mixed columns as text, nothing lost."""
    names, doubled, invented = name_columns([str(name) for name in columns])
    frame = pl.DataFrame([_build_column(name, [row[place] for row in rows]) for place, name in enumerate(names)])
    return RawTable(frame=frame, labels=tuple(columns), is_typed=True, format=kind, doubled=doubled, invented=invented)


def _build_column(name: str, values: Sequence[object]) -> pl.Series:  # noqa: PLR0911  one return a kind of values
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and _fits(values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float, decimal.Decimal} and kinds != {int} and not any(map(_is_long, values)):
        numbers = [None if value is None else float(value) for value in values]  # type: ignore[arg-type]  # numbers all
        return pl.Series(name, numbers, dtype=pl.Float64)
    if kinds == {dt.date}:
        return pl.Series(name, values, dtype=pl.Date)
    if kinds <= {dt.date, dt.datetime}:
        moved = [_move_to_utc(value) for value in values]
        return pl.Series(name, moved, dtype=pl.Datetime("us"))
    return pl.Series(name, [_write(value) for value in values], dtype=pl.String)


def _fits(values: Iterable[object]) -> bool:
    return all(value is None or -_INT64 <= value < _INT64 for value in values)  # type: ignore[operator]  # whole numbers all


def _is_long(value: object) -> bool:
    """Return whether a whole number has more digits than a double holds: an id, kept digit by digit."""
    if not isinstance(value, decimal.Decimal) or not value.is_finite():
        return False
    return abs(value) >= 10**LONGEST_ID and value == value.to_integral_value()


def _move_to_utc(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    return dt.datetime(value.year, value.month, value.day) if isinstance(value, dt.date) else value  # noqa: DTZ001  frames hold naive UTC


def _write(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return value.hex() if isinstance(value, bytes) else str(value)


def describe_query_missing(name: str, tables: Sequence[str]) -> SkiffError:
    """Return the error for a database of which nobody said what to read."""
    return SkiffError(
        "query_missing",
        what=f"{name} is a database with {len(tables)} tables.",
        where={"file": name},
        fix=f'Say which rows with --query "select * from …". Its tables: {", ".join(map(str, tables[:20]))}.',  # noqa: S608  quoted, from the database's own catalog
    )


def describe_query_failed(name: str, kind: str) -> SkiffError:
    """Return the error for a query that gave no rows but an error."""
    return SkiffError(
        "query_failed",
        what=f"{name} could not be asked: {kind}.",
        where={"file": name},
        fix="Check the query, and that the database is whole and can be reached.",
    )
