"""One process that serves: accepts connections, keeps itself fresh, and drains when it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import os
import signal
import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.serve.app import App
from skiff.serve.door import Door
from skiff.serve.metrics import ROUTES, Metrics
from skiff.serve.protocol import HttpProtocol, Request
from skiff.serve.state import Snapshot, Source, now_micros
from skiff.store.box import PLAIN, Box
from skiff.store.faults import write_fault
from skiff.store.predictions.log import Field, PredictionLog, open_store

REFRESH_S = 0.25
"""How often releases, settings and keys are looked at: a revoked key closes well within a second."""

SWEEP_S = 1.0
FORGET_S = 3600.0
"""How often what is too old is removed from the log."""

REQUEST_S = 30.0
IDLE_S = 75.0
LONGEST_DRAIN_S = 20.0
QUIET_S = 0.6
"""While draining, a connection on which nothing happened for so long is taken for idle and closed."""

LINGER_S = 0.3
"""How long a stopping server still takes connections: those on the way when the signal came."""

LOCK_S = 0.001
"""How long a thread may keep Python's lock while another waits for it, where Python itself allows 5 ms: a large body that is being
read must not make each small request wait so often. Below a millisecond the changing costs a sixth of the throughput."""

SETTLE_S = 0.3
"""Time for handshakes that had begun to end, and for a worker beside this one to take its share of the last connections."""

_ATTACH_FILTER = 26
"""``SO_ATTACH_FILTER`` of Linux, which Python does not name."""

_DROP_NEW = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte of TCP's flags
        (0x54, 0, 0, 0x12),  # of them SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone: somebody new
        (0x06, 0, 0, 0),  # drop it
        (
            0x06,
            0,
            0,
            0xFFFF_FFFF,
        ),  # keep all else: a handshake that had begun must end, or its first request would be reset
    )
)
"""A classic packet filter (linux/filter.h, linux/bpf_common.h) over the TCP header (RFC 9293, section 3.1)."""

_write = os.write


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a worker is to do.

    Parameters
    ----------
    root : Path
        The workspace.
    settings : Settings
    is_local : bool
        Whether it listens on this machine only.
    tls : SSLContext or None
    is_logged : bool
        False on a disk that can only be read.
    is_access_logged : bool
        Whether each request is written to standard error.
    is_socket_lent : bool
        Whether another process (systemd) keeps the listening socket when this one ends.
    box : Box
        What the workspace's bytes go through.
    """

    root: Path
    settings: Settings
    is_local: bool
    tls: ssl.SSLContext | None = None
    is_logged: bool = True
    is_access_logged: bool = False
    is_socket_lent: bool = False
    box: Box = PLAIN


def tell(event: str, **facts: str | float | None) -> None:
    """Write one line of JSON on standard error: what happened, never a value of the data."""
    line = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event, **facts}
    with contextlib.suppress(OSError):  # a log that nobody reads must not stop the server
        _write(2, msgspec.json.encode(line) + b"\n")


class Worker:
    """Serves until it is told to stop.

    Parameters
    ----------
    plan : Plan
    sock : socket
        Listening.
    metrics : Metrics
    """

    def __init__(self, plan: Plan, *, sock: socket.socket, metrics: Metrics) -> None:
        """Open the release and the log."""
        self._plan = plan
        self._sock = sock
        self._metrics = metrics
        self._source = Source(plan.root, plan.settings, box=plan.box)
        self._snapshot = self._source.read()
        own = plan.root / ".skiff"
        self._log: PredictionLog | None = None
        if plan.is_logged:
            store = open_store(own, database=plan.settings.store.database, box=plan.box)
            self._log = PredictionLog(store, clock=now_micros)
        self._connections: set[HttpProtocol] = set()
        self._is_accepting = False

    def run(self) -> None:
        """Serve; returns when drained."""
        sys.setswitchinterval(LOCK_S)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        door = Door(is_local=self._plan.is_local, rate=self._snapshot.serving.requests_per_second)
        self._app = App(
            source=self._source,
            snapshot=self._snapshot,
            door=door,
            log=self._log,
            metrics=self._metrics,
            loop=loop,
            report_fault=report_fault,
        )
        self._start_accepting()
        tell("ready", release=self._snapshot.desk.champion.number, process=os.getpid())
        tasks = [asyncio.create_task(part) for part in (self._keep_fresh(), self._sweep(), self._forget())]
        try:
            await stop.wait()
            await self._drain()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._app.lane.close()
            self._app.review.close()
            if self._log is not None:
                self._log.close()
            tell("stopped", process=os.getpid())

    # Connections.

    def _start_accepting(self) -> None:
        self._sock.settimeout(0)
        self._loop.add_reader(self._sock.fileno(), self._accept)
        self._is_accepting = True

    def _accept(self) -> None:
        """Take all connections that wait."""
        while True:
            try:
                connection, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # no descriptor left, or the other side went away
                tell("accept_failed", reason=type(error).__name__)
                return
            connection.settimeout(0)
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._adopt(connection))
            task.add_done_callback(_consume)

    async def _adopt(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._build_protocol,
                connection,
                ssl=self._plan.tls,
                ssl_handshake_timeout=10 if self._plan.tls else None,
            )
        except (OSError, ssl.SSLError, TimeoutError):  # a hand that was not shaken is the other side's
            connection.close()

    def _build_protocol(self) -> HttpProtocol:
        made = HttpProtocol(
            handle=self._app.handle,
            finish=self._finish,
            connections=self._connections,
            body_limit=round(self._snapshot.serving.body_limit_mb * 1_000_000),
        )
        made.is_draining = not self._app.is_ready
        return made

    def _finish(self, request: Request, status: int) -> None:
        seconds = (time.perf_counter_ns() - request.started_ns) / 1e9
        self._metrics.note_request(request.route, status, seconds)
        if self._plan.is_access_logged:
            tell(
                "request",
                route=ROUTES[request.route],
                status=status,
                seconds=round(seconds, 6),
                rows=request.rows,
                key=request.key_id,
                release=self._app.desk.champion.number,
            )

    # Keeping fresh.

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                found: Snapshot = await self._loop.run_in_executor(None, self._source.read)
            except SkiffError as error:  # the release that answers goes on answering
                tell("not_refreshed", code=error.code, what=error.what)
                await asyncio.sleep(1)
                continue
            if found is not self._snapshot:
                before = self._snapshot.desk.champion.number
                self._snapshot = found
                self._app.refresh(found)
                tell("refreshed", release=found.desk.champion.number, before=before)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = time.monotonic()
            for connection in list(self._connections):
                connection.end_if_slow(now, request_s=REQUEST_S, idle_s=IDLE_S)
            self._metrics.set("connections", len(self._connections))

    async def _forget(self) -> None:
        while True:
            log, serving = self._log, self._snapshot.serving
            if log is not None:
                ages: tuple[tuple[Field | None, float | None], ...] = (
                    ("inputs", serving.keep_inputs_days),
                    ("subject", serving.keep_subjects_days),
                    (None, serving.keep_predictions_days),
                )
                for field, days in ages:
                    if days is not None:
                        forget = functools.partial(log.forget, field=field, older_than_days=days)
                        try:
                            n_rows = await self._loop.run_in_executor(None, forget)
                        except SkiffError as error:
                            tell("not_forgotten", code=error.code, what=error.what)
                            continue
                        if n_rows:
                            tell("forgotten", field=field or "rows", rows=n_rows)
            await asyncio.sleep(FORGET_S)

    # Stopping.

    async def _drain(self) -> None:
        """Answer what came, each with the word that this was the last; then go."""
        tell("draining", process=os.getpid(), connections=len(self._connections))
        self._app.is_ready = False
        for connection in self._connections:
            connection.is_draining = True
        await asyncio.sleep(LINGER_S)
        self._loop.remove_reader(self._sock.fileno())
        if not self._plan.is_socket_lent:
            refuse_new(self._sock)
            self._accept()  # what the kernel took in the meantime would be reset otherwise
            await asyncio.sleep(SETTLE_S)
            self._accept()
        self._sock.close()
        deadline = time.monotonic() + LONGEST_DRAIN_S - LINGER_S
        while self._connections and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            for connection in list(self._connections):
                if connection.is_idle and now - connection.last_s > QUIET_S:
                    connection.close()
        for connection in list(self._connections):
            connection.abort()


def refuse_new(sock: socket.socket) -> None:
    """Let the kernel drop what asks for a new connection, so that none is begun between the last accept and the close.

    A client whose first packet is dropped sends it again, and meets the next server, or a plain refusal.
    """
    code = ctypes.create_string_buffer(_DROP_NEW, len(_DROP_NEW))
    program = struct.pack("HL", len(_DROP_NEW) // struct.calcsize("HBBI"), ctypes.addressof(code))
    with contextlib.suppress(OSError):  # where the kernel knows no filters the window stays, some microseconds wide
        sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)


def report_fault(place: str, error: BaseException) -> str:
    """Keep where a fault came from, and return the id of that report."""
    report_id, path = write_fault(error)
    tell("fault", route=place, kind=type(error).__name__, report_id=report_id, report=path)
    return report_id


def _consume(task: asyncio.Task[None]) -> None:
    """Look at how a task ended, so that nothing is said of it on the console."""
    if not task.cancelled():
        task.exception()
