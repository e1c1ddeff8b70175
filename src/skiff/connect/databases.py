"""Ask a client's database for rows, without changing anything in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skiff.core.errors import SkiffError

if TYPE_CHECKING:
    from sqlalchemy import URL

MAX_ROWS = 20_000_000
"""Rows fetched at most; more is asked for in parts."""

BATCH_ROWS = 50_000

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+._-]*://")
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?")
_ASKS = re.compile(r"\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)

_ABOUT_NAMES = ("42", "25006", "57014")
"""States of PostgreSQL whose words hold no data (Appendix A): syntax, names and rights; writing refused; cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a database answered, and the name by which it may be spoken of: never the password."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def is_database_url(source: str) -> bool:
    """Return whether `source` is the address of a database rather than a file.

    Examples
    --------
    >>> is_database_url("postgresql://me@host/shop"), is_database_url("C:/data/shop.csv")
    (True, False)
    """
    return _URL.match(source) is not None


def find_sqlite_file(source: str) -> str:
    """Return the file that an address of SQLite names, or an empty string.

    Examples
    --------
    >>> find_sqlite_file("sqlite:///shop.db"), find_sqlite_file("postgresql://host/shop")
    ('shop.db', '')
    """
    found = _SQLITE.fullmatch(source)
    return found[1] if found else ""


def fetch_rows(source: str, query: str | None) -> Rows:
    """Return the rows that `query` asks the database at the address `source` for.

    Raises
    ------
    SkiffError
        ``query_missing``, ``query_not_reading``, ``query_failed``, ``database_url_invalid``, ``driver_missing``, ``too_many_rows``.
    """
    import sqlalchemy as sql  # a third of a second, for those who read a database

    url = _make_url(source)
    name = f"{url.get_backend_name()} database {url.database or ''}".strip()
    try:
        engine = sql.create_engine(url)
    except (ModuleNotFoundError, sql.exc.NoSuchModuleError) as error:
        raise SkiffError(
            "driver_missing",
            what=f"Skiff cannot speak with {url.get_backend_name()}: its driver is not installed.",
            where={"file": name},
            fix='Install the driver (for PostgreSQL: pip install "skiff-ml[postgres]"), or export the table as CSV.',
        ) from error
    try:
        if query is None:
            raise _describe_missing(name, sql.inspect(engine).get_table_names())
        if not _ASKS.match(query):
            raise SkiffError(
                "query_not_reading",
                what="The query does not begin with SELECT, WITH, VALUES or TABLE.",
                where={"file": name},
                fix="Skiff only reads: give a query that asks for rows.",
            )
        options = {"stream_results": True, "postgresql_readonly": True}
        return _fetch(engine.connect().execution_options(**options), query, name)
    except (sql.exc.SQLAlchemyError, ModuleNotFoundError, UnicodeError) as error:
        raise SkiffError(
            "query_failed",
            what=f"{name} could not be asked: {_find_cause(error)}.",
            where={"file": name},
            fix="Check the address, your rights and the query; nothing was changed.",
        ) from error
    finally:
        engine.dispose()


def _fetch(connection: Any, query: str, name: str) -> Rows:  # noqa: ANN401  SQLAlchemy is not loaded yet
    from sqlalchemy import text

    rows: list[tuple[object, ...]] = []
    with connection as open_:
        result = open_.execute(text(query.replace(":", "\\:")))
        columns = tuple(str(column) for column in tuple(result.keys()))
        while batch := result.fetchmany(BATCH_ROWS):
            rows += [tuple(row) for row in batch]
            if len(rows) > MAX_ROWS:
                raise SkiffError(
                    "too_many_rows",
                    what=f"The query gives more than {MAX_ROWS:,} rows.",
                    where={"file": name},
                    fix="Ask for a part, or export the table as Parquet.",
                )
        open_.rollback()
    return Rows(name=name, columns=columns, rows=rows)


def _find_cause(error: Exception) -> str:
    """Return the database's own words where they name only parts of the query, else the kind of error: words may hold cells."""
    cause = getattr(error, "orig", None) or error
    state, told = (
        str(getattr(cause, "sqlstate", None) or ""),
        getattr(getattr(cause, "diag", None), "message_primary", ""),
    )
    if told and state.startswith(_ABOUT_NAMES):
        return str(told)
    if type(cause).__name__ == "OperationalError" and not state:
        return "it does not answer, or does not let this user in"
    return type(cause).__name__


def _make_url(source: str) -> URL:
    import sqlalchemy as sql

    try:
        url = sql.make_url(source)
    except (sql.exc.ArgumentError, ValueError) as error:
        raise SkiffError(
            "database_url_invalid",
            what="The address of the database cannot be read.",
            fix="Write it as postgresql://user@host/name, or sqlite:///file.db.",
        ) from error
    if url.drivername in {"postgresql", "postgres"}:  # SQLAlchemy would take the older driver
        return url.set(drivername="postgresql+psycopg")
    return url


def _describe_missing(name: str, tables: Sequence[str]) -> SkiffError:
    return SkiffError(
        "query_missing",
        what=f"{name} has {len(tables)} {'table' if len(tables) == 1 else 'tables'}.",
        where={"file": name},
        fix=f'Say which rows with --query "select * from …". There: {", ".join(tables[:20]) or "nothing to read"}.',  # noqa: S608  quoted, from the database's own catalog
    )
