"""The prediction log of a workspace, as servers and batches write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeAlias

from skiff.store.box import PLAIN, Box
from skiff.store.predictions.encrypted import EncryptedStore
from skiff.store.predictions.ids import EPOCH, IdMaker, to_micros
from skiff.store.predictions.postgres import PostgresStore
from skiff.store.predictions.records import Outcome, OutcomeReport, PredictionRow, Store
from skiff.store.predictions.sqlite import SqliteStore
from skiff.store.predictions.writer import MOST_WAITING_ROWS, Done, Writer

FOLDER = "predictions"
DAY = 86_400_000_000
"""Microseconds."""

EVER = 2**53
"""A moment after all others (the year 2255), as the open end of a window."""

Field: TypeAlias = Literal["inputs", "subject", "key"]

__all__ = ["EPOCH", "EVER", "Field", "IdMaker", "PredictionLog", "open_store", "to_micros"]


def open_store(folder: Path, *, database: str | None = None, is_read_only: bool = False, box: Box = PLAIN) -> Store:
    """Return the log's files in ``.skiff/predictions``, or its tables where a database is configured.

    Parameters
    ----------
    folder : Path
        The workspace's ``.skiff``.
    database : str or None
        ``[store] database``.
    is_read_only : bool
    box : Box
        An encrypted one encrypts the rows.
    """
    store: Store
    if database and database.startswith("postgresql"):
        store = PostgresStore(database)
    else:
        store = SqliteStore(folder / FOLDER, is_read_only=is_read_only)
    return store if box.cipher is None else EncryptedStore(store, box.cipher)


class PredictionLog:
    """Appends predictions and takes outcomes.

    Parameters
    ----------
    store : Store
        See `open_store`.
    clock : callable
        Gives the time in microseconds since 1970-01-01 UTC.
    most_waiting : int
        Rows that may wait to be written before more are refused.

    Attributes
    ----------
    ids : IdMaker
        Gives the ids for predictions at a moment.
    """

    def __init__(self, store: Store, *, clock: Callable[[], int], most_waiting: int = MOST_WAITING_ROWS) -> None:
        """Keep the store; the writing thread starts with the first row."""
        self._store = store
        self._clock = clock
        self._most_waiting = most_waiting
        self._writer: Writer | None = None
        self.ids = IdMaker()

    def __enter__(self) -> Self:
        """Return the log itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits, and close."""
        self.close()

    @property
    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return self._writer.waiting if self._writer else 0

    def submit(self, rows: list[PredictionRow], done: Done) -> None:
        """Hand rows in without waiting: see `Writer.submit`.

        Raises
        ------
        SkiffError
            ``log_busy``, ``log_stopped``.
        """
        self._start().submit(rows, done)

    def try_append(self, rows: list[PredictionRow]) -> bool:
        """Write rows at once, in the caller's thread, where nobody waits and it takes no waiting; else False, and nothing is kept.

        For one row that comes alone waking the writing thread costs more than the writing. Call it from one thread only.

        Raises
        ------
        SkiffError
            What the disk says; then none of the rows is kept.
        """
        return not self.waiting and self._store.append_now(rows)

    def append(self, rows: Sequence[PredictionRow]) -> None:
        """Write rows and return when they survive the end of the process; waits where many rows wait already.

        Raises
        ------
        SkiffError
            What the disk or the database says; then none of the rows is kept.
        """
        if rows:
            self._start().write(list(rows))

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> OutcomeReport:
        """Join outcomes with predictions and keep them. An outcome by key belongs to every prediction with that key.

        Raises
        ------
        SkiffError
            What the disk or the database says; then nothing of this month's or this call's outcomes is kept.
        """
        return self._store.add_outcomes(list(outcomes), received=self._clock())

    def erase_subject(self, subject: str) -> int:
        """Remove every prediction about a person with its outcomes, and return how many there were.

        In the files the place is overwritten and the write-ahead log emptied: no search of the bytes finds it again.
        """
        return self._store.erase_subject(subject)

    def forget(self, *, field: Field | None = None, older_than_days: float) -> int:
        """Empty one column of old rows, or remove old rows whole, and return how many.

        Parameters
        ----------
        field : {"inputs", "subject", "key"} or None
            None removes the rows with their outcomes.
        older_than_days : float
        """
        before = self._clock() - round(older_than_days * DAY)
        if field is None:
            return self._store.remove_before(before)
        if field not in ("inputs", "subject", "key"):  # it becomes a part of a statement
            message = f"no field that can be emptied: {field}"
            raise ValueError(message)
        return self._store.clear_field(field, before=before)

    def close(self) -> None:
        """Write what waits, and let go of the files."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._store.close()

    def _start(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self._store.append, most_waiting=self._most_waiting)
        return self._writer
