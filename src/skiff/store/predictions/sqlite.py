"""The prediction log in SQLite: one file a month, found by the time in a prediction's id."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.files import explained, make_folder
from skiff.store.predictions.ids import ID_LENGTH, is_id, name_month, read_time
from skiff.store.predictions.inserts import insert_rows
from skiff.store.predictions.months import JOIN, described, open_month, transaction
from skiff.store.predictions.records import (
    COLUMNS,
    LoggedRow,
    Outcome,
    OutcomeRecord,
    OutcomeReport,
    OutcomeState,
    PredictionRow,
)
from skiff.store.sqlite_errors import BUSY_TIMEOUT_MS

SUFFIX = ".db"

WAL_PAGES = 1_000
"""Pages from which the write-ahead log is moved into the file: SQLite's own default."""

TURNS, PATIENT_TURNS = 256, 2
"""How often rows that could be written at once take the patient way all the same: one row takes three to five pages of the
write-ahead log, so it stays near `WAL_PAGES`."""

SLOW_S = 0.05
"""A write of one row that takes longer, where some 0.1 ms are usual, waited for its disk; a busy machine can look like that, too,
and then nothing is lost but time."""

_N = len(COLUMNS)


class SqliteStore:
    """The files of a folder. Safe to use from several threads and processes.

    Parameters
    ----------
    folder : Path
        ``.skiff/predictions``; made if it is not there.
    is_read_only : bool
        Whether the disk cannot be written; then nothing is made and only reading works.
    """

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        """Make the folder; files are made when the first row of their month is written."""
        self._folder = folder
        self._lock = threading.Lock()
        self._open: tuple[str, sqlite3.Connection] | None = None  # the month that is written now
        self._written: Path = folder  # its file
        self._is_patient = True
        self._turn = 0
        if not is_read_only:
            make_folder(folder)

    def close(self) -> None:
        """Close the month that is written now."""
        with self._lock:
            if self._open is not None:
                self._open[1].close()
                self._open = None

    def append(self, rows: list[PredictionRow]) -> None:
        """Write rows in one transaction a month; see `Store.append`."""
        with self._lock:
            for month, group in _split_by_month(rows):
                with described(self._path(month)):
                    connection = self._connect(month)
                    self._set_patience(connection, is_patient=True)
                    self._write(connection, group)

    def append_now(self, rows: list[PredictionRow]) -> bool:
        """Write rows where nobody holds a lock, into a month that is open; see `Store.append_now`.

        Of every `TURNS` calls the first two are left to `append`. The first then moves the write-ahead log into the file
        where it has grown, the second begins it anew: these two wait for the disk, which a caller of this does not. After a
        write that was slow all the same (a disk on the network) a whole round is left to `append`.
        """
        self._turn = self._turn + 1 if self._turn < TURNS else 1
        if self._turn <= PATIENT_TURNS or not self._lock.acquire(blocking=False):
            return False
        began = time.perf_counter()
        try:
            [(month, group), *others] = _split_by_month(rows)
            if others or self._open is None or self._open[0] != month:
                return False
            connection = self._open[1]
            with described(self._written):
                self._set_patience(connection, is_patient=False)
                try:
                    self._write(connection, group)
                except sqlite3.OperationalError as error:
                    if not _is_busy(error):
                        raise
                    return False  # another worker, or an erasure: `append` waits for it
        finally:
            self._lock.release()
        if time.perf_counter() - began > SLOW_S:
            self._turn = -TURNS
        return True

    def _write(self, connection: sqlite3.Connection, rows: list[PredictionRow]) -> None:
        try:
            with transaction(connection):
                insert_rows(connection, rows)
        except sqlite3.Error as error:
            if self._is_patient or not _is_busy(error):
                connection.close()  # the next group starts afresh, whatever went wrong with this file
                self._open = None
            raise

    def _set_patience(self, connection: sqlite3.Connection, *, is_patient: bool) -> None:
        """Say whether a connection waits for locks, and moves the write-ahead log into the file where it has grown."""
        if is_patient != self._is_patient:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS if is_patient else 0}")
            connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES if is_patient else 0}")
            self._is_patient = is_patient

    def add_outcomes(self, outcomes: list[Outcome], *, received: int) -> OutcomeReport:
        """Join outcomes with predictions, newest month first for keys; see `Store.add_outcomes`."""
        states: list[OutcomeState] = ["unknown"] * len(outcomes)
        months = self._list_months()
        by_id = [(place, outcome) for place, outcome in enumerate(outcomes) if outcome.id is not None]
        by_id = [(place, outcome) for place, outcome in by_id if is_id(_base(outcome.id or ""))]
        wanted: dict[str, list[tuple[int, Outcome]]] = {}
        for place, outcome in by_id:
            wanted.setdefault(name_month(read_time(outcome.id or "")), []).append((place, outcome))
        by_key = [(place, outcome) for place, outcome in enumerate(outcomes) if outcome.id is None]
        for month in months:
            named = [*wanted.get(month, []), *by_key]
            if not named:
                continue
            with self._month(month) as connection, transaction(connection):
                for place, outcome in sorted(named, key=lambda item: item[0]):
                    found = _find_predictions(connection, outcome)
                    for prediction in found:
                        state = _keep_outcome(connection, prediction, outcome, received=received)
                        states[place] = _merge(states[place], state)
        return OutcomeReport(states=tuple(states))

    def read(self, since: int, until: int, *, release: int | None = None) -> list[LoggedRow]:
        """Return the rows of a window; see `Store.read`."""
        found: list[LoggedRow] = []
        for connection in self._within(since, until):
            where, values = _window(since, until, release)
            rows = connection.execute(f"{JOIN} WHERE {where} ORDER BY p.id", values)
            found.extend(LoggedRow(PredictionRow._make(row[:_N]), row[_N], row[_N + 1]) for row in rows)
        return found

    def read_history(self, prediction: str) -> list[OutcomeRecord]:
        """Return every outcome received for a prediction; see `Store.read_history`."""
        month = name_month(read_time(prediction)) if is_id(_base(prediction)) else ""
        if month not in self._list_months():
            return []
        query = "SELECT sequence, id, value, at, received FROM outcome WHERE id = ? ORDER BY sequence"
        with self._month(month) as connection:
            return [OutcomeRecord._make(row) for row in connection.execute(query, (_base(prediction),))]

    def read_outcomes(self) -> list[OutcomeRecord]:
        """Return every outcome ever received; see `Store.read_outcomes`."""
        query = "SELECT sequence, id, value, at, received FROM outcome ORDER BY sequence"
        found: list[OutcomeRecord] = []
        for month in reversed(self._list_months()):
            with self._month(month) as connection:
                found.extend(OutcomeRecord._make(row) for row in connection.execute(query))
        return found

    def count(self, since: int, until: int, *, release: int | None = None) -> int:
        """Return how many rows a window has; see `Store.count`."""
        where, values = _window(since, until, release)
        query = f"SELECT count(*) FROM prediction p WHERE {where}"  # noqa: S608  our own condition
        return sum(int(connection.execute(query, values).fetchone()[0]) for connection in self._within(since, until))

    def count_outcomes(self, since: int) -> int:
        """Return how many outcomes were received; see `Store.count_outcomes`."""
        total = 0
        for month in self._list_months():
            with self._month(month) as connection:
                query = "SELECT count(*) FROM outcome WHERE received >= ?"
                total += int(connection.execute(query, (since,)).fetchone()[0])
        return total

    def erase_subject(self, subject: str) -> int:
        """Remove every row about a person and overwrite where it stood; see `Store.erase_subject`."""
        erased = 0
        for month in self._list_months():
            with self._month(month) as connection:
                with transaction(connection):
                    connection.execute(
                        f"DELETE FROM outcome WHERE id IN (SELECT substr(id, 1, {ID_LENGTH}) FROM prediction "  # noqa: S608  a number of ours
                        "WHERE subject = ?)",
                        (subject,),
                    )
                    erased += connection.execute("DELETE FROM prediction WHERE subject = ?", (subject,)).rowcount
                _empty_wal(connection)
        return erased

    def list_names(self) -> set[str]:
        """Return every subject and key once; see `Store.list_names`."""
        found: set[str] = set()
        for month in self._list_months():
            with self._month(month) as connection:
                for field in ("subject", "key"):
                    query = f"SELECT DISTINCT {field} FROM prediction WHERE {field} IS NOT NULL"  # noqa: S608  a name of ours
                    found.update(row[0] for row in connection.execute(query))
        return found

    def find_person(self, names: Sequence[str], cells: Sequence[str]) -> list[LoggedRow]:
        """Return rows that may be about a person; see `Store.find_person`."""
        marks = ", ".join("?" * len(names))
        where = [f"trim(p.subject) IN ({marks})", f"trim(p.key) IN ({marks})", *["instr(p.inputs, ?) > 0"] * len(cells)]
        found: list[LoggedRow] = []
        for month in reversed(self._list_months()):
            with self._month(month) as connection:
                rows = connection.execute(f"{JOIN} WHERE {' OR '.join(where)} ORDER BY p.id", (*names, *names, *cells))
                found.extend(LoggedRow(PredictionRow._make(row[:_N]), row[_N], row[_N + 1]) for row in rows)
        return found

    def erase_rows(self, ids: Sequence[str]) -> int:
        """Remove rows and overwrite where they stood; see `Store.erase_rows`."""
        erased = 0
        for month in self._list_months():
            with self._month(month) as connection:
                before = erased
                with transaction(connection):
                    for id_ in ids:
                        connection.execute("DELETE FROM outcome WHERE id = ?", (_base(id_),))
                        erased += connection.execute("DELETE FROM prediction WHERE id = ?", (id_,)).rowcount
                if erased > before:
                    connection.execute("VACUUM")  # pages that were freed before deleting overwrote them
                _empty_wal(connection)
        return erased

    def clear_field(self, field: str, *, before: int) -> int:
        """Empty a column of old rows; see `Store.clear_field`."""
        cleared = 0
        for month in self._list_months():
            if month > name_month(before):
                continue
            with self._month(month) as connection:
                with transaction(connection):
                    query = f"UPDATE prediction SET {field} = NULL WHERE id < ? AND {field} IS NOT NULL"  # noqa: S608  checked by PredictionLog
                    cleared += connection.execute(query, (f"{before:014x}",)).rowcount
                _empty_wal(connection)
        return cleared

    def remove_before(self, before: int) -> int:
        """Remove old rows; a month that is wholly old goes as a file. See `Store.remove_before`."""
        removed = 0
        last = name_month(before)
        for month in self._list_months():
            if month > last:
                continue
            with self._month(month) as connection:
                with transaction(connection):
                    bound = (f"{before:014x}",)
                    connection.execute("DELETE FROM outcome WHERE id < ?", bound)
                    removed += connection.execute("DELETE FROM prediction WHERE id < ?", bound).rowcount
                _empty_wal(connection)
            if month < last:
                self._remove_file(month)
        return removed

    def _remove_file(self, month: str) -> None:
        with self._lock:
            if self._open is not None and self._open[0] == month:
                self._open[1].close()
                self._open = None
            path = self._path(month)
            with explained(path):
                for extra in ("-wal", "-shm", ""):
                    path.with_name(path.name + extra).unlink(missing_ok=True)

    def _connect(self, month: str) -> sqlite3.Connection:
        if self._open is not None and self._open[0] != month:
            self._open[1].close()
            self._open = None
        if self._open is None:
            self._written = self._path(month)
            self._open = (month, open_month(self._written, create=True))
            self._is_patient = True
        return self._open[1]

    @contextlib.contextmanager
    def _month(self, month: str) -> Iterator[sqlite3.Connection]:
        """Give a connection of its own to a month's file."""
        path = self._path(month)
        with described(path):
            connection = open_month(path)
            try:
                yield connection
            finally:
                connection.close()

    def _within(self, since: int, until: int) -> Iterator[sqlite3.Connection]:
        first, last = name_month(since), name_month(until)
        for month in reversed(self._list_months()):
            if first <= month <= last:
                with self._month(month) as connection:
                    yield connection

    def _list_months(self) -> list[str]:
        """Return the months there are, newest first."""
        with explained(self._folder):
            names = [path.stem for path in self._folder.glob(f"????-??{SUFFIX}")]
        return sorted(names, reverse=True)

    def _path(self, month: str) -> Path:
        return self._folder / f"{month}{SUFFIX}"


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _split_by_month(rows: list[PredictionRow]) -> list[tuple[str, list[PredictionRow]]]:
    """Return rows by month; nearly always there is one."""
    if len(rows) == 1:
        return [(name_month(rows[0].at), rows)]
    months = {at: name_month(at) for at in {row[1] for row in rows}}
    if len(set(months.values())) == 1:
        return [(next(iter(months.values())), rows)]
    found: dict[str, list[PredictionRow]] = {}
    for row in rows:
        found.setdefault(months[row[1]], []).append(row)
    return list(found.items())


def _find_predictions(connection: sqlite3.Connection, outcome: Outcome) -> Iterable[str]:
    """Return the ids, without shadows' marks, of the predictions that an outcome is about."""
    if outcome.id is not None:
        query, value = "SELECT id FROM prediction WHERE id = ?", _base(outcome.id)
    else:
        query, value = "SELECT id FROM prediction WHERE key = ?", outcome.key or ""
    return sorted({_base(row[0]) for row in connection.execute(query, (value,))})


def _keep_outcome(connection: sqlite3.Connection, prediction: str, outcome: Outcome, *, received: int) -> OutcomeState:
    query = "SELECT value, at FROM outcome WHERE id = ? ORDER BY sequence DESC LIMIT 1"
    state = outcome.compare(connection.execute(query, (prediction,)).fetchone(), prediction=prediction)
    if state != "duplicate":
        connection.execute(
            "INSERT INTO outcome (id, value, at, received) VALUES (?, ?, ?, ?)",
            (prediction, outcome.write_for(prediction), outcome.at, received),
        )
    return state


_RANK: dict[OutcomeState, int] = {"unknown": 0, "duplicate": 1, "corrected": 2, "new": 3}


def _merge(first: OutcomeState, second: OutcomeState) -> OutcomeState:
    """Return what to say of an outcome that met several predictions: the most that happened to it."""
    return max(first, second, key=_RANK.__getitem__)


def _window(since: int, until: int, release: int | None) -> tuple[str, tuple[str | int, ...]]:
    """Return the condition for a window; ids begin with the time, so their order is the index."""
    where, values = "p.id >= ? AND p.id < ?", (f"{since:014x}", f"{until:014x}")
    return (where, values) if release is None else (f"{where} AND p.release = ?", (*values, release))


def _empty_wal(connection: sqlite3.Connection) -> None:
    """Move the log into the file and cut it to nothing, so that no copy of what was erased stays in it."""
    [(is_busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if is_busy:
        raise SkiffError(
            "erasure_unfinished",
            what="The rows are removed, but another program was reading the prediction log for so long that copies of them "
            "could not be overwritten yet.",
            where={"folder": "predictions"},
            fix="Stop what is reading the log and run the same command again.",
        )


def _base(prediction: str) -> str:
    return prediction[:ID_LENGTH] if len(prediction) == ID_LENGTH + 1 else prediction
