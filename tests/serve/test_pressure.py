"""What comes faster than it can be answered stays with the client, or is refused; it never fills the memory."""

from __future__ import annotations

import asyncio
import socket
from unittest.mock import patch

from skiff.core.errors import SkiffError
from skiff.flows.answered import Answered
from skiff.serve import lane
from skiff.serve.errors import find_status
from skiff.serve.lane import Job, Lane
from skiff.serve.metrics import Metrics
from skiff.serve.protocol import HttpProtocol, Request

from .test_desk import build_desk

Told = list[Answered] | BaseException


def test_large_requests_beyond_what_may_wait_are_refused_and_later_ones_are_not() -> None:
    row = {"lead_days": 1.0, "price": 2.0, "channel": "web"}

    async def flood() -> list[Told]:
        told: asyncio.Queue[Told] = asyncio.Queue()
        busy = Lane(asyncio.get_running_loop(), log=None, metrics=Metrics())

        def add(n_rows: int) -> None:
            nobody = [None] * n_rows
            busy.add(
                Job(
                    [row] * n_rows,
                    keys=nobody,
                    subjects=nobody,
                    reply=told.put_nowait,
                    desk=build_desk(),
                    reasons=False,
                    started_ns=0,
                )
            )

        for n_rows in (200, 200, 200, 200, 3):  # small ones do not wait in that line
            add(n_rows)
        found = [await told.get() for _ in range(5)]
        add(2_000)  # one alone may be as large as a request may be
        found.append(await told.get())
        busy.close()
        return found

    with patch.object(lane, "MOST_LARGE_ROWS", 500):
        found = asyncio.run(flood())
    refused = [item for item in found if isinstance(item, SkiffError)]
    assert [item.code for item in refused] == ["server_busy", "server_busy"]
    assert find_status(refused[0]) == 503
    assert sorted(len(item) for item in found if isinstance(item, list)) == [3, 200, 200, 2_000]


def test_bodies_beyond_what_may_wait_to_be_read_are_refused_and_their_faults_are_told() -> None:
    async def flood() -> list[Told]:
        told: asyncio.Queue[Told] = asyncio.Queue()
        busy = Lane(asyncio.get_running_loop(), log=None, metrics=Metrics())

        def read() -> Job:
            return Job(
                [{"lead_days": 1.0, "price": 2.0, "channel": "web"}] * 3,
                keys=[None] * 3,
                subjects=[None] * 3,
                reply=told.put_nowait,
                desk=build_desk(),
                reasons=False,
                started_ns=0,
            )

        def fail() -> Job:
            raise ZeroDivisionError

        for n_bytes in (600, 400, 1):
            busy.add_unread(n_bytes, read, refuse=told.put_nowait)
        found = [await told.get() for _ in range(3)]
        busy.add_unread(5_000, read, refuse=told.put_nowait)  # one alone may be as large as a body may be
        found.append(await told.get())
        busy.add_unread(10, fail, refuse=told.put_nowait)
        found.append(await told.get())
        busy.close()
        return found

    with patch.object(lane, "MOST_LARGE_BYTES", 1_000):
        refused, *answered, failed = asyncio.run(flood())
    assert isinstance(refused, SkiffError)
    assert (refused.code, refused.where) == ("server_busy", {"waiting_bytes": 1_000})
    assert [len(item) for item in answered if isinstance(item, list)] == [3, 3, 3]
    assert isinstance(failed, ZeroDivisionError)


def _finish(request: Request, status: int) -> None:
    del request, status


def test_a_connection_that_sends_ahead_is_read_no_further_than_one_body() -> None:
    async def send_ahead() -> list[bool]:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        taken: asyncio.Queue[Request] = asyncio.Queue()
        transport, _ = await loop.connect_accepted_socket(
            lambda: HttpProtocol(handle=taken.put_nowait, finish=_finish, connections=set(), body_limit=10_000), ours
        )
        theirs.settimeout(0)
        request = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n" + b" " * 9_000
        for _ in range(4):
            await loop.sock_sendall(theirs, request)
            await asyncio.sleep(0.05)
        was_read = [transport.is_reading()]
        for _ in range(4):
            (await taken.get()).respond(b"{}")
            await asyncio.sleep(0.05)
        was_read.append(transport.is_reading())
        transport.close()
        theirs.close()
        return was_read

    assert asyncio.run(send_ahead()) == [False, True]
