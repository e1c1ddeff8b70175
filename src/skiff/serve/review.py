"""The review queue over HTTP: the next row, an answer to it, and what waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import parse_qs

import msgspec

from skiff.core.errors import SkiffError
from skiff.flows.shown import NAME
from skiff.serve.bodies import ReviewBody, decode_review
from skiff.serve.errors import refuse
from skiff.serve.protocol import Request

if TYPE_CHECKING:
    from skiff.flows.queueing import OpenReleases
    from skiff.flows.review import ReviewQueue

PREFIX = b"/review/"
ROWS_A_REQUEST = 2_000
"""Rows of the log looked through before a reviewer is answered; the next request goes on from there."""

ID = re.compile(rb"[0-9a-f]{16}")

_encode = msgspec.json.Encoder().encode
Act: TypeAlias = "Callable[[ReviewQueue], dict[str, object]]"  # its types are loaded late


class Face(Protocol):
    """What this needs of the app."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""

    def refuse(self, request: Request, error: SkiffError) -> None:
        """Answer with an error."""

    def fail(self, request: Request, error: BaseException) -> None:
        """Answer that we failed."""


class ReviewRoutes:
    """Answers reviewers, one after the other and beside the event loop: predictions never wait for them.

    Parameters
    ----------
    app : Face
    root : Path
        The workspace.
    """

    def __init__(self, app: Face, *, root: Path) -> None:
        """Keep the parts; nothing is loaded before somebody reviews."""
        self._app = app
        self._root = root
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="skiff-review")
        self._releases: OpenReleases | None = None

    def close(self) -> None:
        """Wait for what runs beside the loop."""
        self._pool.shutdown()

    def next(self, request: Request) -> None:
        """Give the next row to a reviewer."""
        if request.headers.get(b"sec-fetch-site") == b"cross-site":  # it holds a row, which a foreign page must not do
            raise refuse(
                "host_not_allowed", "A page of another host may not ask this server.", "Ask from your own server."
            )
        reviewer = _read_reviewer(request.query)

        def act(queue: ReviewQueue) -> dict[str, object]:
            queue.fill(most_rows=ROWS_A_REQUEST)
            return {"row": queue.give(reviewer)}

        self._submit(request, act)

    def status(self, request: Request) -> None:
        """Say what waits and what was decided; who decided how much is for the owner alone, at the terminal."""

        def act(queue: ReviewQueue) -> dict[str, object]:
            return queue.tell_counts(most_rows=ROWS_A_REQUEST)

        self._submit(request, act)

    def find(self, path: bytes) -> Callable[[Request], None] | None:
        """Return who answers to a row's own address, None where it is none."""
        found = path.removeprefix(PREFIX)
        if not path.startswith(PREFIX) or ID.fullmatch(found) is None:
            return None
        return self._answer

    def _answer(self, request: Request) -> None:
        id_ = request.path.removeprefix(PREFIX).decode()
        body = decode_review(request.body)
        reviewer = _check_name(body.reviewer)

        def act(queue: ReviewQueue) -> dict[str, object]:
            return _take(queue, id_, reviewer, body)

        self._submit(request, act)

    def _submit(self, request: Request, act: Act) -> None:
        future = self._app.loop.run_in_executor(self._pool, self._work, act)
        future.add_done_callback(lambda done: self._reply(request, done))

    def _work(self, act: Act) -> bytes:
        from skiff.flows.queueing import OpenReleases
        from skiff.flows.review import ReviewQueue
        from skiff.store.workspace import Workspace

        with Workspace.open(self._root) as workspace:
            if self._releases is None:
                self._releases = OpenReleases(workspace)
            queue = ReviewQueue(workspace, releases=self._releases)
            try:
                return _encode(act(queue))
            finally:
                queue.close()

    def _reply(self, request: Request, done: asyncio.Future[bytes]) -> None:
        error = done.exception()
        if isinstance(error, SkiffError):
            self._app.refuse(request, error)
        elif error is not None:
            self._app.fail(request, error)
        else:
            request.respond(done.result())


def _read_reviewer(query: bytes) -> str:
    """Return the reviewer that a query names, exactly once."""
    try:
        named = parse_qs(query.decode("ascii"), keep_blank_values=True, max_num_fields=20).get("reviewer", [])
    except ValueError:  # letters that should have been escaped, or too many fields
        named = []
    return _check_name(named[0] if len(named) == 1 else "")


def _check_name(reviewer: str) -> str:
    """Return a name as it is: programs write it the same each time."""
    if re.fullmatch(NAME, reviewer) is None:
        raise refuse(
            "reviewer_missing",
            "It is not said who reviews, or the name is not a short one.",
            "Give  reviewer  once: letters, digits and signs of . @ + - _, as in /review/next?reviewer=ada",
            field="reviewer",
        )
    return reviewer


def _take(queue: ReviewQueue, id_: str, reviewer: str, body: ReviewBody) -> dict[str, object]:
    if body.skip:
        queue.skip(id_, reviewer)
        return {"skipped": True}
    if body.first is not msgspec.UNSET:
        return {"row": queue.take_first(id_, reviewer, body.first, is_exact=True)}
    why = None if body.why is msgspec.UNSET else body.why
    answer = "" if body.final is msgspec.UNSET else body.final
    return {"kept": queue.take_final(id_, reviewer, answer, why=why, is_exact=True)}
