"""The catalog: which datasets, runs, releases and evidence there are. SQLAlchemy Core, one code path for any database."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    create_engine,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json, canonical_json
from skiff.core.optional import import_extra
from skiff.store.cells import Digest, Name, Text, set_cipher
from skiff.store.schema import METADATA, REVIEW, VERSION
from skiff.store.sqlite import find_sqlite_damage, open_sqlite
from skiff.store.sqlite_errors import BUSY_TIMEOUT_MS, catalog_damaged, describe_sqlite_error

if TYPE_CHECKING:  # see `skiff.store.box`
    from skiff.store.cipher import Cipher

REVISION = "0004"
"""The newest migration; a test compares it with ``migrations/``."""

KNOWN_REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision this version can upgrade from."""

Row = dict[str, Any]


def seal_row(values: Mapping[str, Json]) -> str:
    """Return the SHA-256 that a row with these values must carry."""
    return hashlib.sha256(canonical_json({key: value for key, value in values.items() if key != "seal"})).hexdigest()


def to_json(value: object) -> Any:  # noqa: ANN401  any JSON value, as json.loads gives it
    """Return `value` as plain JSON values; NaN and infinities become null, NumPy scalars numbers.

    Examples
    --------
    >>> to_json({"rows": 3, "score": float("nan")})
    {'rows': 3, 'score': None}
    """
    return json.loads(msgspec.json.encode(value, enc_hook=_encode_scalar))


def _encode_scalar(value: object) -> object:
    item = getattr(value, "item", None)  # NumPy's and Polars' scalars
    if callable(item):
        return item()
    raise NotImplementedError(type(value).__name__)


def to_text(value: object) -> str:
    """Return `value` as canonical JSON text, the form in which structured values are kept."""
    return canonical_json(to_json(value)).decode()


class Catalog:
    """An open catalog.

    Parameters
    ----------
    engine : Engine
    path : Path
        The SQLite file, or the place to name in errors for another database.
    is_read_only : bool
    """

    def __init__(self, engine: Engine, *, path: Path, is_read_only: bool = False) -> None:
        """Keep the engine; nothing is read yet."""
        self._engine = engine
        self.path = path
        self.is_read_only = is_read_only

    @classmethod
    def open(
        cls, path: Path, *, database: str | None = None, is_read_only: bool = False, cipher: Cipher | None = None
    ) -> Self:
        """Open the catalog, building or upgrading its tables where needed; with a cipher its columns are encrypted.

        Raises
        ------
        SkiffError
            ``workspace_newer``, ``catalog_damaged``, ``extra_missing`` and what the disk says.
        """
        engine = _open_url(database) if database else open_sqlite(path, is_read_only=is_read_only)
        set_cipher(engine, cipher)
        catalog = cls(engine, path=path, is_read_only=is_read_only)
        try:
            catalog.upgrade()
        except BaseException:
            catalog.close()
            raise
        return catalog

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the catalog; writers go on meanwhile."""
        with self._explained(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept, and on the disk, when the block ends; none if it raises.

        One writer at a time: the others wait. SQLite's ``BEGIN IMMEDIATE`` does that; elsewhere a locked row does.
        """
        with self._begin() as connection:
            if connection.dialect.name != "sqlite":
                connection.execute(select(VERSION).with_for_update())
            yield connection

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        with (
            self._explained(),
            self._engine.connect().execution_options(skiff_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def upgrade(self) -> None:
        """Bring the tables to `REVISION`."""
        with self.read() as connection:
            current = _read_revision(connection)
        if current == REVISION:
            return
        if current is not None and current not in KNOWN_REVISIONS:
            raise SkiffError(
                "workspace_newer",
                what=f"{self.path.parent.parent} was made by a newer Skiff (catalog version {current}).",
                where={"file": str(self.path)},
                fix="Update Skiff:  pip install --upgrade skiff-ml",
            )
        from skiff.store.upgrade import upgrade_catalog  # Alembic costs as much as all the rest

        with self._begin() as connection:
            current = _read_revision(connection)  # another process may have been first
            if current != REVISION:
                upgrade_catalog(connection, current=current)

    def check(self) -> None:
        """Read the whole catalog and refuse any damage.

        Raises
        ------
        SkiffError
            ``catalog_damaged``.
        """
        with self.read() as connection:
            if connection.dialect.name == "sqlite" and find_sqlite_damage(connection):
                raise catalog_damaged(self.path)
            for table in METADATA.tables.values():
                if "seal" in table.c:
                    self.fetch(connection, select(table), table)

    def fetch(self, connection: Connection, statement: Select[Any], table: Table) -> list[Row]:
        """Return whole rows of `table`, each checked against its seal."""
        rows = [dict(row) for row in connection.execute(statement).mappings()]
        for row in rows:
            try:
                is_whole = row["seal"] == seal_row(row)
            except (TypeError, ValueError):  # a value that no row of ours has
                is_whole = False
            if not is_whole:
                raise catalog_damaged(self.path, part=f" (a record of its table '{table.name}' was changed)")
        return rows

    def insert(self, connection: Connection, table: Table, values: Mapping[str, Json]) -> None:
        """Add a sealed row."""
        connection.execute(insert(table).values(**values, seal=seal_row(values)))

    def update(self, connection: Connection, table: Table, row: Row, **changes: Json) -> Row:
        """Replace values of one row, found by its primary key, and seal it anew; returns the new row."""
        changed: Row = {**row, **changes}
        changed["seal"] = seal_row(changed)
        keys: list[ColumnElement[bool]] = [column == row[column.name] for column in table.primary_key.columns]
        connection.execute(update(table).where(*keys).values(**changed))
        return changed

    def blank(self, change: Callable[[str], str]) -> int:
        """Change texts of all records but the ledger's and the queue's, whose rows go whole; return how many records were changed.

        Parameters
        ----------
        change : callable
            Gives a text as it may stay; keys and times are not shown to it.
        """
        changed = 0
        for table in METADATA.tables.values():
            if "seal" not in table.c or table is REVIEW:
                continue
            names = [column.name for column in table.c if isinstance(column.type, Text) and not column.primary_key]
            with self.write() as connection:
                for row in self.fetch(connection, select(table), table):
                    news = {name: change(row[name]) for name in names if isinstance(row[name], str)}
                    news = {name: text for name, text in news.items() if text != row[name]}
                    if news:
                        self.update(connection, table, row, **news)
                        changed += 1
        return changed

    def list_texts(self) -> Iterator[tuple[str, list[str]]]:
        """Yield every column that may hold words, named ``table.column``, with its texts as they were before encryption."""
        with self.read() as connection:
            for table in METADATA.sorted_tables:
                for column in table.c:
                    if isinstance(column.type, (Text, Name, Digest)):
                        found = connection.execute(select(column).where(column.is_not(None))).scalars()
                        yield f"{table.name}.{column.name}", list(found)

    def compact(self) -> None:
        """Rewrite a SQLite file without its free pages and empty its write-ahead log; a server's database looks after itself.

        Raises
        ------
        SkiffError
            ``erasure_unfinished`` where somebody reads for so long that old pages cannot be overwritten.
        """
        if self._engine.dialect.name != "sqlite":
            return
        self._engine.dispose()
        with (
            self._explained(),
            contextlib.closing(
                sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
            ) as connection,
        ):
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("VACUUM")
            [(is_busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if is_busy:
            raise SkiffError(
                "erasure_unfinished",
                what="The records are removed, but another program was reading the catalog for so long that copies of them could "
                "not be overwritten yet.",
                where={"file": str(self.path)},
                fix="Stop what is reading the workspace and run the same command again.",
            )

    @staticmethod
    def next_position(connection: Connection, column: ColumnElement[int]) -> int:
        """Return one more than the largest value of `column`, from 1. Only inside `write`."""
        return int(connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()) + 1

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            known = describe_sqlite_error(error.orig, self.path) if isinstance(error.orig, sqlite3.Error) else None
            if known is not None:
                raise known from error
            if error.connection_invalidated or not isinstance(error.orig, sqlite3.Error):
                raise _database_unreachable() from error
            raise
        except UnicodeDecodeError as error:  # a damaged table definition, quoted in SQLite's own message
            raise catalog_damaged(self.path) from error
        except sqlite3.Error as error:  # from the connection's first statements
            known = describe_sqlite_error(error, self.path)
            if known is None:
                raise
            raise known from error


def _read_revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None for an empty database."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    found = connection.execute(select(VERSION)).scalar()
    return None if found is None else str(found)


def _open_url(database: str) -> Engine:
    """Return an engine for the URL a person configured; the URL may hold a password and is never shown."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        if database.startswith("postgresql"):
            import_extra("psycopg", extra="postgres")
        return create_engine(database, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise SkiffError(
            "setting_bad_value",
            what="The setting 'store.database' is not a database address that Skiff knows.",
            where={"setting": "store.database"},
            fix='For example:  database = "postgresql+psycopg://host/name" , or remove it to use the built-in catalog.',
        ) from error


def _database_unreachable() -> SkiffError:
    return SkiffError(
        "database_unreachable",
        what="The database named in the setting 'store.database' did not answer or refused the request.",
        where={"setting": "store.database"},
        fix="Check that it is running and that this user may create tables there; then run the same command again.",
    )
