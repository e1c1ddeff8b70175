"""One thread that writes what many requests hand in, all that waits in one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from skiff.core.errors import SkiffError
from skiff.store.predictions.records import PredictionRow

MOST_WAITING_ROWS = 50_000
"""Rows that may wait: a quarter of a second at the measured 213,000 rows a second (SQLite, write-ahead log, groups of 500)."""

MOST_ROWS_A_GROUP = 5_000
"""Rows in one transaction: beyond 500 a group gains nothing, and a long one makes its first row wait."""

Done: TypeAlias = Callable[[SkiffError | None], None]
"""Called in the writer's thread when rows are kept (None) or could not be."""


class Writer:
    """Appends rows in groups. Hand rows in with `submit`; end with `close`, which writes what waits.

    Parameters
    ----------
    append : callable
        Writes rows in one transaction, or raises a `SkiffError`.
    most_waiting : int
        Rows that may wait before `submit` refuses more.
    """

    def __init__(self, append: Callable[[list[PredictionRow]], None], *, most_waiting: int = MOST_WAITING_ROWS) -> None:
        """Start the thread."""
        self._append = append
        self._most_waiting = most_waiting
        self._jobs: deque[tuple[list[PredictionRow], Done]] = deque()
        self._waiting = 0
        self._is_closing = False
        self._is_dead = False
        self._changed = threading.Condition(threading.Lock())
        self._thread = threading.Thread(target=self._work, name="skiff-prediction-log", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many rows wait to be written."""
        return self._waiting

    def submit(self, rows: list[PredictionRow], done: Done) -> None:
        """Hand rows in; `done` is called once they survive the end of the process, or with the reason why not.

        Raises
        ------
        SkiffError
            ``log_busy`` where too many rows wait; then none of these was taken.
        """
        with self._changed:
            if self._is_dead or self._is_closing:
                raise _log_stopped()
            if self._waiting and self._waiting + len(rows) > self._most_waiting:
                raise SkiffError(
                    "log_busy",
                    what="Predictions come faster than they can be written to the log, so this one was not answered.",
                    where={"waiting_rows": self._waiting},
                    fix="Send the request again in a moment; answers that were given are all logged.",
                )
            self._jobs.append((rows, done))
            self._waiting += len(rows)
            self._changed.notify()

    def write(self, rows: list[PredictionRow]) -> None:
        """Hand rows in and wait until they are written; waits for room instead of refusing.

        Raises
        ------
        SkiffError
            Why they could not be written.
        """
        finished = threading.Event()
        problems: list[SkiffError] = []

        def done(problem: SkiffError | None) -> None:
            if problem is not None:
                problems.append(problem)
            finished.set()

        with self._changed:
            self._changed.wait_for(lambda: self._is_dead or self._is_closing or not self._is_full(len(rows)))
        self.submit(rows, done)
        finished.wait()
        if problems:
            raise problems[0]

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _is_full(self, more: int) -> bool:
        return bool(self._waiting) and self._waiting + more > self._most_waiting

    def _work(self) -> None:
        group: list[tuple[list[PredictionRow], Done]] = []
        try:
            while True:
                group = self._take()
                if not group:
                    return
                problem = self._write_group(group)
                for _, done in group:
                    done(problem)
                group = []
        finally:  # a fault of ours must not leave callers waiting for ever
            with self._changed:
                self._is_dead = True
                group += self._jobs
                self._jobs.clear()
                self._changed.notify_all()
            for _, done in group:
                done(_log_stopped())

    def _take(self) -> list[tuple[list[PredictionRow], Done]]:
        """Wait for work and return it; nothing where the writer is to end."""
        with self._changed:
            while not self._jobs and not self._is_closing:
                self._changed.wait()
            group: list[tuple[list[PredictionRow], Done]] = []
            size = 0
            while self._jobs and (not group or size + len(self._jobs[0][0]) <= MOST_ROWS_A_GROUP):
                job = self._jobs.popleft()
                size += len(job[0])
                group.append(job)
        return group

    def _write_group(self, group: list[tuple[list[PredictionRow], Done]]) -> SkiffError | None:
        rows = group[0][0] if len(group) == 1 else [row for rows, _ in group for row in rows]
        try:
            self._append(rows)
        except SkiffError as error:
            return error
        finally:
            with self._changed:
                self._waiting -= len(rows)
                self._changed.notify_all()
        return None


def _log_stopped() -> SkiffError:
    return SkiffError(
        "log_stopped",
        what="The prediction log of this server is closed, so nothing can be answered.",
        where={"log": "predictions"},
        fix="Send the request again: another worker or the next start answers it. If it stays, restart `skiff serve`.",
    )
