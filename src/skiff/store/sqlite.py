"""How SQLite is opened safely for the catalog."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from skiff.store.files import explained, make_private
from skiff.store.sqlite_errors import BUSY_TIMEOUT_MS


def open_sqlite(path: Path, *, is_read_only: bool) -> Engine:
    """Return an engine for the file at `path`, made with private permissions if it is new.

    Write-ahead log (readers never wait), ``synchronous=FULL`` (what was committed survives a power cut), transactions
    begun explicitly so that changes of tables are transactional too. A read-only disk cannot hold the log's shared
    memory; there the file is opened as immutable, which is right because nobody can change it.
    """
    if is_read_only:
        url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"immutable": "1", "uri": "true"})
    else:
        with explained(path):
            make_private(path)
        url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000})

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            if not is_read_only:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
        finally:
            cursor.close()

    def begin(connection: Connection) -> None:
        is_write = connection.get_execution_options().get("skiff_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def find_sqlite_damage(connection: Connection) -> bool:
    """Return whether SQLite's own full check finds the file damaged."""
    rows = connection.exec_driver_sql("PRAGMA integrity_check(1)").fetchall()
    return [tuple(row) for row in rows] != [("ok",)]
