"""From rows to answers: what was read in one turn of the event loop goes through one call of the model and one of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from skiff.core.errors import SkiffError
from skiff.flows.answered import Answered
from skiff.flows.desk import Desk
from skiff.flows.standing import Cells
from skiff.serve.errors import refuse
from skiff.serve.metrics import Metrics
from skiff.store.predictions.records import PredictionRow

LARGE_ROWS = 128
"""From this many rows on a request is answered beside the event loop, so that small ones do not wait behind it."""

LARGE_BYTES = 65_536
"""From this size on a body is also read beside the event loop: there, 1,000 rows of 14 columns (190 kB) kept it for 2 ms, and the
8 MB that are allowed for 90."""

MOST_LARGE_BYTES = 20_000_000
"""Bytes of bodies that may wait to be read: about `MOST_LARGE_ROWS` rows at 190 bytes, as they came, not yet ten times as much memory."""

MOST_LARGE_ROWS = 100_000
"""Rows of large requests that may wait for their answers: at the 15,000 rows a second measured on one worker (decision 0016) seven
seconds, beyond which clients give up; and memory must not grow with whoever sends. One request alone may always wait."""

MOST_ROWS_AT_ONCE = 1
"""Rows that the event loop itself writes to the log where that takes no waiting. For one alone, waking the writing thread and being woken
by it costs more processor time than the writing (1,100 against 840 µs a request on one connection); several keep the model waiting."""

MOST_SHADOWS = 64
"""Calls that a listening challenger may be behind; beyond, it skips (and the metrics say so), answers never wait for it."""


class Log(Protocol):
    """What the lane needs of `PredictionLog`."""

    @property
    def waiting(self) -> int:
        """Return how many rows wait."""

    def submit(self, rows: list[PredictionRow], done: Callable[[SkiffError | None], None]) -> None:
        """Hand rows in."""

    def try_append(self, rows: list[PredictionRow]) -> bool:
        """Write rows at once where it takes no waiting."""


class Question(NamedTuple):
    """What a body asks: rows, your names for the cases and the persons, and how the answers are written."""

    rows: Sequence[Cells]
    key: str | Sequence[str | None] | None
    subject: str | Sequence[str | None] | None
    reasons: bool
    encode: Callable[[list[Answered]], None]


class Job:
    """Rows that want answers.

    Parameters
    ----------
    rows, keys, subjects : sequence
        One for each row.
    reply : callable
        Told the answers, or the error.
    desk : Desk
        Who answers; fixed when the job comes, so that a promotion never splits it.
    reasons : bool
    started_ns : int
    """

    __slots__ = ("desk", "keys", "reasons", "reply", "rows", "started_ns", "subjects")

    def __init__(
        self,
        rows: Sequence[Cells],
        *,
        keys: Sequence[str | None],
        subjects: Sequence[str | None],
        reply: Callable[[list[Answered] | BaseException], None],
        desk: Desk,
        reasons: bool,
        started_ns: int,
    ) -> None:
        """Keep the parts."""
        self.rows = rows
        self.keys = keys
        self.subjects = subjects
        self.reply = reply
        self.desk = desk
        self.reasons = reasons
        self.started_ns = started_ns


Done = tuple[list[tuple[Job, list[Answered]]], list[PredictionRow]]


class Lane:
    """Answers jobs.

    Parameters
    ----------
    loop : AbstractEventLoop
    log : Log or None
        None on a disk that can only be read: then answers are given and not logged.
    metrics : Metrics
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, log: Log | None, metrics: Metrics) -> None:
        """Keep the parts."""
        self._loop = loop
        self._log = log
        self._metrics = metrics
        self._jobs: list[Job] = []
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="skiff-large")
        self._shadow_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="skiff-shadow")
        self._large_rows = 0
        self._large_bytes = 0
        self._shadows = 0

    def add(self, job: Job) -> None:
        """Take a job; its reply comes once its rows are in the log."""
        if len(job.rows) >= LARGE_ROWS:
            if self._large_rows and self._large_rows + len(job.rows) > MOST_LARGE_ROWS:
                job.reply(_refuse_busy(waiting_rows=self._large_rows))
                return
            self._large_rows += len(job.rows)
            future = self._loop.run_in_executor(self._pool, _answer_alone, job)
            future.add_done_callback(lambda done: self._keep_large(job, done))
            return
        if not self._jobs:
            self._loop.call_soon(self._flush)
        self._jobs.append(job)

    def add_unread(self, n_bytes: int, read: Callable[[], Job], *, refuse: Callable[[BaseException], None]) -> None:
        """Take a job that is still a body of `n_bytes`, to be read beside the loop; `refuse` is told why it could not be."""
        if self._large_bytes and self._large_bytes + n_bytes > MOST_LARGE_BYTES:
            refuse(_refuse_busy(waiting_bytes=self._large_bytes))
            return
        self._large_bytes += n_bytes

        def keep(done: asyncio.Future[tuple[Job, list[Answered], list[PredictionRow]]]) -> None:
            self._large_bytes -= n_bytes
            error = done.exception()
            if error is not None:
                refuse(error)
                return
            job, answered, logged = done.result()
            self._keep([(job, answered)], logged)

        self._loop.run_in_executor(self._pool, _read_and_answer, read).add_done_callback(keep)

    def close(self) -> None:
        """Wait for what runs beside the loop."""
        self._pool.shutdown()
        self._shadow_pool.shutdown()

    @property
    def _is_crowded(self) -> bool:
        """Return whether a large request is being answered: then each step of the log would wait for Python's lock."""
        return bool(self._large_rows or self._large_bytes)

    def _flush(self) -> None:
        jobs, self._jobs = self._jobs, []
        groups: dict[tuple[int, bool], list[Job]] = {}
        for job in jobs:
            groups.setdefault((id(job.desk), job.reasons), []).append(job)
        for group in groups.values():
            done, logged = self._answer(group)
            if done:
                self._keep(done, logged)

    def _answer(self, jobs: list[Job]) -> Done:
        """Answer jobs together, or, where one of them cannot be answered, each alone."""
        try:
            return _answer_together(jobs)
        except SkiffError as error:
            if len(jobs) == 1:
                jobs[0].reply(error)
                return [], []
        except Exception as error:  # noqa: BLE001  an edge of this face: nobody may be left waiting for an answer
            for job in jobs:
                job.reply(error)
            return [], []
        done, logged = [], []
        for job in jobs:
            mine, rows = self._answer([job])
            done += mine
            logged += rows
        return done, logged

    def _keep_large(self, job: Job, future: asyncio.Future[tuple[list[Answered], list[PredictionRow]]]) -> None:
        self._large_rows -= len(job.rows)
        error = future.exception()
        if error is not None:
            job.reply(error)
            return
        answered, logged = future.result()
        self._keep([(job, answered)], logged)

    def _keep(self, done: list[tuple[Job, list[Answered]]], logged: list[PredictionRow]) -> None:
        self._metrics.add("model_calls")
        if self._log is None or not logged:
            self._reply(done, logged, None)
            return
        loop, reply = self._loop, self._reply
        try:
            if len(logged) <= MOST_ROWS_AT_ONCE and not self._is_crowded and self._log.try_append(logged):
                self._reply(done, logged, None)
                return
            self._log.submit(logged, lambda problem: _hand_back(loop, reply, done, logged, problem))
        except Exception as error:  # noqa: BLE001  an edge of this face: nobody may be left waiting for an answer
            self._reply(done, logged, error)

    def _reply(
        self, done: list[tuple[Job, list[Answered]]], logged: list[PredictionRow], problem: BaseException | None
    ) -> None:
        if problem is not None:
            self._metrics.add("log_failures", len(done))
            for job, _ in done:
                job.reply(problem)
            return
        self._metrics.add("predictions", len(logged))
        for job, answered in done:
            job.reply(answered)
        desk = done[0][0].desk
        if desk.challenger is not None and not desk.shares.challenger:
            self._shadow(desk, [row for job, _ in done for row in job.rows], logged)

    def _shadow(self, desk: Desk, rows: list[Cells], logged: list[PredictionRow]) -> None:
        if self._shadows >= MOST_SHADOWS:
            self._metrics.add("shadow_skipped", len(rows))
            return
        self._shadows += 1
        future = self._loop.run_in_executor(self._shadow_pool, desk.shadow, rows, logged)
        future.add_done_callback(self._keep_shadow)

    def _keep_shadow(self, future: asyncio.Future[list[PredictionRow]]) -> None:
        self._shadows -= 1
        if future.exception() is not None:  # a challenger that cannot answer must not disturb the champion
            self._metrics.add("shadow_failures")
            return
        rows = future.result()
        if self._log is None or not rows:
            return
        try:
            self._log.submit(rows, _ignore)
        except SkiffError:
            self._metrics.add("shadow_skipped", len(rows))
            return
        self._metrics.add("shadow_predictions", len(rows))


def _refuse_busy(**waiting: int) -> SkiffError:
    return refuse(
        "server_busy",
        "More rows come than this server answers, so these were not taken.",
        "Send the request again in a moment, with fewer requests at once; a file is quicker with `skiff predict`.",
        **waiting,
    )


def _answer_alone(job: Job) -> tuple[list[Answered], list[PredictionRow]]:
    return job.desk.answer(
        job.rows, keys=job.keys, subjects=job.subjects, reasons=job.reasons, started_ns=job.started_ns
    )


def _read_and_answer(read: Callable[[], Job]) -> tuple[Job, list[Answered], list[PredictionRow]]:
    job = read()
    return job, *_answer_alone(job)


def _answer_together(jobs: list[Job]) -> Done:
    if len(jobs) == 1:
        answered, logged = _answer_alone(jobs[0])
        return [(jobs[0], answered)], logged
    first = jobs[0]
    answered, logged = first.desk.answer(
        [row for job in jobs for row in job.rows],
        keys=[key for job in jobs for key in job.keys],
        subjects=[subject for job in jobs for subject in job.subjects],
        reasons=first.reasons,
        started_ns=first.started_ns,
    )
    done, start = [], 0
    for job in jobs:
        done.append((job, answered[start : start + len(job.rows)]))
        start += len(job.rows)
    return done, logged


def _hand_back(
    loop: asyncio.AbstractEventLoop,
    reply: Callable[..., None],
    done: list[tuple[Job, list[Answered]]],
    logged: list[PredictionRow],
    problem: SkiffError | None,
) -> None:
    """Bring an answer from the log's thread back to the loop; one that is closed has nobody left to answer."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(reply, done, logged, problem)


def _ignore(problem: SkiffError | None) -> None:
    """Let a shadow's row go: failures of the log are counted where answers wait for it."""
    del problem
