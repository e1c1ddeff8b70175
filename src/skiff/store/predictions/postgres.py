"""The prediction log in PostgreSQL: the same promises as the files, rows sent by COPY."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.optional import import_extra
from skiff.store.predictions.ids import ID_LENGTH, SHADOW_MARK, is_id
from skiff.store.predictions.records import (
    COLUMNS,
    LoggedRow,
    Outcome,
    OutcomeRecord,
    OutcomeReport,
    OutcomeState,
    PredictionRow,
)

_TYPES = {
    "at": "bigint NOT NULL",
    "release": "integer NOT NULL",
    "role": "text NOT NULL",
    "value": "double precision",
    "low": "double precision",
    "high": "double precision",
    "is_control": "smallint NOT NULL",
    "latency_us": "bigint",
}
_C = 'COLLATE "C"'  # ids are compared by bytes, as SQLite does
CREATE = (
    f"CREATE TABLE IF NOT EXISTS skiff_prediction (id text {_C} PRIMARY KEY, "
    + ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in COLUMNS[1:])
    + ")",
    "CREATE INDEX IF NOT EXISTS skiff_prediction_subject ON skiff_prediction (subject) WHERE subject IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS skiff_prediction_key ON skiff_prediction (key) WHERE key IS NOT NULL",
    (
        "CREATE TABLE IF NOT EXISTS skiff_outcome (sequence bigserial PRIMARY KEY, "
        f"id text {_C} NOT NULL, value text NOT NULL, at bigint, received bigint NOT NULL)"
    ),
    "CREATE INDEX IF NOT EXISTS skiff_outcome_id ON skiff_outcome (id, sequence)",
)
_LOCK = 5_417_346
"""Number of the advisory lock under which tables are made: two workers may start at the same moment."""

_N = len(COLUMNS)
_LIST = ", ".join(f"p.{name}" for name in COLUMNS)
_JOIN = (
    f"SELECT {_LIST}, o.value, o.at FROM skiff_prediction p LEFT JOIN LATERAL (SELECT value, at FROM skiff_outcome "  # noqa: S608  names of our own columns
    f"WHERE id = left(p.id, {ID_LENGTH}) ORDER BY sequence DESC LIMIT 1) o ON true"
)
_COPY = f"COPY skiff_prediction ({', '.join(COLUMNS)}) FROM STDIN"


class PostgresStore:
    """The tables ``skiff_prediction`` and ``skiff_outcome`` of a database.

    Parameters
    ----------
    url : str
        As in ``[store] database``. It may hold a password and is never shown.
    """

    def __init__(self, url: str) -> None:
        """Connect and make the tables where they are missing."""
        self._psycopg: Any = import_extra("psycopg", extra="postgres")  # Any: an optional library
        self._url = "postgresql://" + url.partition("://")[2]
        self._lock = threading.Lock()
        self._open: Any = None  # an optional library's connection
        with self._transaction() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            for statement in CREATE:
                connection.execute(statement)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def append_now(self, rows: list[PredictionRow]) -> bool:
        """Leave it to `append`: a database is asked over a wire, and answers when it likes."""
        del rows
        return False

    def append(self, rows: list[PredictionRow]) -> None:
        """Write rows by one COPY in one transaction; see `Store.append`."""
        with self._transaction() as connection, connection.cursor().copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)

    def add_outcomes(self, outcomes: list[Outcome], *, received: int) -> OutcomeReport:
        """Join outcomes with predictions; see `Store.add_outcomes`."""
        states: list[OutcomeState] = []
        with self._transaction() as connection:
            # One after the other, as SQLite does: of two corrections at the same moment one must see the other.
            connection.execute("LOCK TABLE skiff_outcome IN SHARE ROW EXCLUSIVE MODE")
            for outcome in outcomes:
                found = self._find_predictions(connection, outcome)
                kept = [self._keep(connection, item, outcome, received=received) for item in found]
                states.append(max(kept, key=_RANK.__getitem__, default="unknown"))
        return OutcomeReport(states=tuple(states))

    def read(self, since: int, until: int, *, release: int | None = None) -> list[LoggedRow]:
        """Return the rows of a window; see `Store.read`."""
        where, values = _window(since, until, release)
        with self._transaction() as connection:
            rows = connection.execute(f"{_JOIN} WHERE {where} ORDER BY p.id", values).fetchall()
        return [LoggedRow(PredictionRow._make(row[:_N]), row[_N], row[_N + 1]) for row in rows]

    def read_history(self, prediction: str) -> list[OutcomeRecord]:
        """Return every outcome received for a prediction; see `Store.read_history`."""
        query = "SELECT sequence, id, value, at, received FROM skiff_outcome WHERE id = %s ORDER BY sequence"
        with self._transaction() as connection:
            rows = connection.execute(query, (prediction[:ID_LENGTH],)).fetchall()
        return [OutcomeRecord._make(row) for row in rows]

    def read_outcomes(self) -> list[OutcomeRecord]:
        """Return every outcome ever received; see `Store.read_outcomes`."""
        query = "SELECT sequence, id, value, at, received FROM skiff_outcome ORDER BY sequence"
        with self._transaction() as connection:
            return [OutcomeRecord._make(row) for row in connection.execute(query).fetchall()]

    def count(self, since: int, until: int, *, release: int | None = None) -> int:
        """Return how many rows a window has; see `Store.count`."""
        where, values = _window(since, until, release)
        return self._count(f"SELECT count(*) FROM skiff_prediction p WHERE {where}", values)  # noqa: S608  our own condition

    def count_outcomes(self, since: int) -> int:
        """Return how many outcomes were received; see `Store.count_outcomes`."""
        return self._count("SELECT count(*) FROM skiff_outcome WHERE received >= %s", (since,))

    def erase_subject(self, subject: str) -> int:
        """Remove every row about a person; see `Store.erase_subject`. The database itself decides when space is overwritten."""
        with self._transaction() as connection:
            connection.execute(
                f"DELETE FROM skiff_outcome WHERE id IN (SELECT left(id, {ID_LENGTH}) FROM skiff_prediction "  # noqa: S608  a number of ours
                "WHERE subject = %s)",
                (subject,),
            )
            return int(connection.execute("DELETE FROM skiff_prediction WHERE subject = %s", (subject,)).rowcount)

    def list_names(self) -> set[str]:
        """Return every subject and key once; see `Store.list_names`."""
        query = (
            "SELECT subject FROM skiff_prediction WHERE subject IS NOT NULL "
            "UNION SELECT key FROM skiff_prediction WHERE key IS NOT NULL"
        )
        with self._transaction() as connection:
            return {row[0] for row in connection.execute(query).fetchall()}

    def find_person(self, names: Sequence[str], cells: Sequence[str]) -> list[LoggedRow]:
        """Return rows that may be about a person; see `Store.find_person`."""
        where = ["btrim(p.subject) = ANY(%s)", "btrim(p.key) = ANY(%s)", *["strpos(p.inputs, %s) > 0"] * len(cells)]
        with self._transaction() as connection:
            rows = connection.execute(
                f"{_JOIN} WHERE {' OR '.join(where)} ORDER BY p.id", (list(names), list(names), *cells)
            ).fetchall()
        return [LoggedRow(PredictionRow._make(row[:_N]), row[_N], row[_N + 1]) for row in rows]

    def erase_rows(self, ids: Sequence[str]) -> int:
        """Remove rows; see `Store.erase_rows`. The database itself decides when space is overwritten."""
        with self._transaction() as connection:
            bases = [id_[:ID_LENGTH] for id_ in ids]
            connection.execute("DELETE FROM skiff_outcome WHERE id = ANY(%s)", (bases,))
            return int(connection.execute("DELETE FROM skiff_prediction WHERE id = ANY(%s)", (list(ids),)).rowcount)

    def clear_field(self, field: str, *, before: int) -> int:
        """Empty a column of old rows; see `Store.clear_field`."""
        query = f"UPDATE skiff_prediction SET {field} = NULL WHERE id < %s AND {field} IS NOT NULL"  # noqa: S608  checked by PredictionLog
        with self._transaction() as connection:
            return int(connection.execute(query, (f"{before:014x}",)).rowcount)

    def remove_before(self, before: int) -> int:
        """Remove old rows; see `Store.remove_before`."""
        bound = (f"{before:014x}",)
        with self._transaction() as connection:
            connection.execute("DELETE FROM skiff_outcome WHERE id < %s", bound)
            return int(connection.execute("DELETE FROM skiff_prediction WHERE id < %s", bound).rowcount)

    def _count(self, query: str, values: tuple[object, ...]) -> int:
        with self._transaction() as connection:
            return int(connection.execute(query, values).fetchone()[0])

    @staticmethod
    def _find_predictions(connection: Any, outcome: Outcome) -> list[str]:  # noqa: ANN401  an optional library's connection
        if outcome.id is not None:
            base = outcome.id.removesuffix(SHADOW_MARK)
            query, value = "SELECT id FROM skiff_prediction WHERE id = %s", base if is_id(base) else ""
        else:
            query, value = "SELECT id FROM skiff_prediction WHERE key = %s", outcome.key or ""
        return sorted({row[0][:ID_LENGTH] for row in connection.execute(query, (value,)).fetchall()})

    @staticmethod
    def _keep(connection: Any, prediction: str, outcome: Outcome, *, received: int) -> OutcomeState:  # noqa: ANN401  the same
        query = "SELECT value, at FROM skiff_outcome WHERE id = %s ORDER BY sequence DESC LIMIT 1"
        state = outcome.compare(connection.execute(query, (prediction,)).fetchone(), prediction=prediction)
        if state != "duplicate":
            connection.execute(
                "INSERT INTO skiff_outcome (id, value, at, received) VALUES (%s, %s, %s, %s)",
                (prediction, outcome.write_for(prediction), outcome.at, received),
            )
        return state

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:  # Any: an optional library's connection
        """Give the connection, one thread at a time; a broken one is made anew for the next."""
        with self._lock:
            try:
                if self._open is None:
                    self._open = self._psycopg.connect(self._url)
                with self._open.transaction():
                    yield self._open
            except self._psycopg.Error as error:
                self._drop()
                raise _unreachable() from error

    def _drop(self) -> None:
        if self._open is not None:
            with contextlib.suppress(self._psycopg.Error):  # it is broken already
                self._open.close()
            self._open = None


_RANK: dict[OutcomeState, int] = {"unknown": 0, "duplicate": 1, "corrected": 2, "new": 3}


def _window(since: int, until: int, release: int | None) -> tuple[str, tuple[str | int, ...]]:
    where, values = "p.id >= %s AND p.id < %s", (f"{since:014x}", f"{until:014x}")
    return (where, values) if release is None else (f"{where} AND p.release = %s", (*values, release))


def _unreachable() -> SkiffError:
    return SkiffError(
        "database_unreachable",
        what="The database named in the setting 'store.database' did not answer or refused the request.",
        where={"setting": "store.database"},
        fix="Check that it is running and that this user may create tables there; then run the same command again.",
    )
