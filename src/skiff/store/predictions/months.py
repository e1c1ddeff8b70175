"""One month of the log as a SQLite file: made private, opened safely, with the statements it understands."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.files import explained, make_private
from skiff.store.predictions.ids import ID_LENGTH
from skiff.store.predictions.records import COLUMNS
from skiff.store.sqlite_errors import BUSY_TIMEOUT_MS, describe_sqlite_error

SCHEMA_VERSION = 1
"""``PRAGMA user_version`` of the files this version writes."""

_TYPES = {
    "at": "INTEGER NOT NULL",
    "release": "INTEGER NOT NULL",
    "role": "TEXT NOT NULL",
    "value": "REAL",
    "low": "REAL",
    "high": "REAL",
    "is_control": "INTEGER NOT NULL",
    "latency_us": "INTEGER",
}

CREATE = (
    "CREATE TABLE IF NOT EXISTS prediction (id TEXT PRIMARY KEY, "
    + ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in COLUMNS[1:])
    + ") WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS prediction_subject ON prediction (subject) WHERE subject IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS prediction_key ON prediction (key) WHERE key IS NOT NULL",
    (
        "CREATE TABLE IF NOT EXISTS outcome (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, "
        "value TEXT NOT NULL, at INTEGER, received INTEGER NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS outcome_id ON outcome (id, sequence)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

JOIN = (
    f"SELECT {', '.join(f'p.{name}' for name in COLUMNS)}, o.value, o.at FROM prediction p LEFT JOIN outcome o "  # noqa: S608  names of our own columns
    f"ON o.sequence = (SELECT max(sequence) FROM outcome WHERE id = substr(p.id, 1, {ID_LENGTH}))"
)


def open_month(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Return a connection to a month's file, transactions begun by hand.

    Write-ahead log, ``synchronous=NORMAL``: what was committed survives the end of the process; a power cut may take the
    last moments. ``secure_delete``: what is erased is overwritten.

    Raises
    ------
    SkiffError
        ``catalog_damaged``, ``disk_full`` … and ``workspace_newer``.
    """
    with explained(path):
        if create:
            make_private(path)
        path.stat()
    with described(path):
        connection = sqlite3.connect(
            path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time uses it: see SqliteStore
            cached_statements=32,
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise SkiffError(
            "workspace_newer",
            what=f"The prediction log {path} was written by a newer Skiff.",
            where={"file": str(path)},
            fix="Update Skiff:  pip install --upgrade skiff-ml",
        )
    with transaction(connection):
        for statement in CREATE:
            connection.execute(statement)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; two processes that do so at the same moment are told "busy" without waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep all changes of the block, or none if it raises. The write lock is taken at the start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def described(path: Path) -> Iterator[None]:
    """Turn what SQLite says about `path` inside the block into a `SkiffError`."""
    try:
        yield
    except sqlite3.Error as error:
        known = describe_sqlite_error(error, path)
        if known is None:
            raise
        if known.code == "catalog_damaged":
            raise _log_damaged(path) from error
        raise known from error


def _log_damaged(path: Path) -> SkiffError:
    return SkiffError(
        "log_damaged",
        what=f"The prediction log {path.name} is damaged.",
        where={"file": str(path), "folder": str(path.parent)},
        fix=f"Put {path.name} back from a backup. Without one, move it away (with {path.name}-wal and {path.name}-shm): "
        "new predictions are then logged into a new file.",
    )
