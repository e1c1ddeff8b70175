"""HTTP/1.1 on a bare asyncio protocol: bytes in, `Request` out, answers in the order of the requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httptools

from skiff.core.errors import SkiffError
from skiff.serve.errors import REASONS, RETRY_AFTER_S, encode_error, find_status, refuse

MOST_HEADER_BYTES = 16_384
LINGER_S = 2.0
"""How long the rest of a refused request is taken and dropped."""

MOST_PIPELINED = 64
"""Requests of one connection that may wait for the one before, with no more bytes together than one body may have; beyond, its bytes
stay with the client."""

_HEADS = {
    status: f"HTTP/1.1 {status} {reason}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n".encode()
    for status, reason in REASONS.items()
}
_JSON = b"content-type: application/json\r\ncontent-length: "
_CLOSE = b"\r\nconnection: close\r\n\r\n"
_KEEP = b"\r\n\r\n"


class Request:
    """One request, whole.

    Attributes
    ----------
    method, path, query : bytes
    headers : dict of bytes to bytes
        Names in lower case.
    body : bytes
    peer : str
        Address of the other side.
    started_ns : int
        `time.perf_counter_ns` when its first byte was understood.
    key_id : str
        Of the key it came with; empty where no key is needed.
    route : int
        Which row of the metrics it counts in.
    """

    __slots__ = (
        "_protocol", "body", "headers", "is_done", "keep_alive", "key_id", "method", "path", "query", "route", "rows",
        "started_ns",
    )  # fmt: skip

    def __init__(self, protocol: HttpProtocol, *, method: bytes, url: bytes, headers: dict[bytes, bytes]) -> None:
        """Keep the parts; the body follows."""
        self._protocol = protocol
        self.method = method
        self.path, _, self.query = url.partition(b"?")
        self.headers = headers
        self.body = b""
        self.started_ns = time.perf_counter_ns()
        self.keep_alive = True
        self.key_id = ""
        self.route = 0
        self.rows = 0
        self.is_done = False

    @property
    def peer(self) -> str:
        """Return the address of the other side."""
        return self._protocol.peer

    def respond(self, body: bytes, *, status: int = 200) -> None:
        """Answer with JSON."""
        self._protocol.send(self, status, (_HEADS[status], _JSON, b"%d" % len(body)), body)

    def respond_with(self, body: bytes, *, content_type: str, status: int = 200, extra: bytes = b"") -> None:
        """Answer with something else; `extra` are further header lines, each with its end."""
        head = b"content-type: %s\r\n%scontent-length: %d" % (content_type.encode(), extra, len(body))
        self._protocol.send(self, status, (_HEADS[status], head), body)

    def refuse(self, error: SkiffError, *, extra: bytes = b"") -> None:
        """Answer with an error."""
        status = find_status(error)
        retry = RETRY_AFTER_S.get(status)
        lines = extra if retry is None else b"%sretry-after: %d\r\n" % (extra, retry)
        body = encode_error(error, is_inference=self.path.startswith(b"/v2"))
        self.respond_with(body, content_type="application/json", status=status, extra=lines)


class HttpProtocol(asyncio.Protocol):
    """One connection.

    Parameters
    ----------
    handle : callable
        Takes a whole request and answers it, at once or later.
    finish : callable
        Told of each answer: request and status.
    connections : set
        Where open connections are listed.
    body_limit : int
        Bytes a body may have.
    """

    def __init__(
        self,
        *,
        handle: Callable[[Request], None],
        finish: Callable[[Request, int], None],
        connections: set[HttpProtocol],
        body_limit: int,
    ) -> None:
        """Keep the parts; nothing is connected yet."""
        self._handle = handle
        self._finish = finish
        self._connections = connections
        self._body_limit = body_limit
        self._transport: asyncio.Transport | None = None
        self._parser: Any = httptools.HttpRequestParser(self)  # an untyped library
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._reading: Request | None = None
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._is_paused = False
        self._is_reading_paused = False
        self._is_refused = False
        self.peer = ""
        self.last_s = time.monotonic()
        self.is_draining = False
        self._has_begun = False
        self._began_s = 0.0
        self._linger_until_s = 0.0

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the connection."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if isinstance(name, tuple) and name else "local"
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what is still being answered is answered to nobody."""
        del exc
        self._connections.discard(self)
        self._transport = None
        self._waiting.clear()

    def eof_received(self) -> bool:
        """Let a request under way be answered although the other side says nothing more."""
        if self._current is None or self._linger_until_s:
            return False
        self._current.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """Stop answering: the other side does not read."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Go on answering."""
        self._is_paused = False
        self._next()

    def data_received(self, data: bytes) -> None:
        """Understand bytes."""
        if self._is_refused:
            return
        self.last_s = time.monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(refuse("request_malformed", "This server speaks HTTP/1.1 only.", "Send no Upgrade header."))
        except httptools.HttpParserCallbackError:
            if not self._is_refused:  # refused inside a callback, otherwise a fault of ours
                raise
        except httptools.HttpParserError:
            self._fail(
                refuse(
                    "request_malformed", "This is not a well-formed HTTP/1.1 request.", "Use an ordinary HTTP client."
                )
            )

    # What httptools tells.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._has_begun, self._began_s = True, time.monotonic()
        self._url, self._headers, self._header_bytes = b"", {}, 0
        self._body, self._body_bytes, self._reading = [], 0, None

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._url += url
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one that decides where a request goes or ends may come once only."""
        name = name.lower()
        self._count_header(len(name) + len(value))
        if name in self._headers and name in _SINGLE:
            self._fail_inside(
                refuse("request_malformed", "A header that must come once came twice.", "Send each header once.")
            )
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        """Decide whether the body may come."""
        length = self._headers.get(b"content-length", b"")
        if length and int(length) > self._body_limit:
            self._fail_inside(self._say_too_large())
        self._reading = Request(self, method=self._parser.get_method(), url=self._url, headers=self._headers)
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(piece)
        if self._body_bytes > self._body_limit:
            self._fail_inside(self._say_too_large())
        self._body.append(piece)

    def on_message_complete(self) -> None:
        """Hand the request over, or let it wait for the one before."""
        request = self._reading
        self._has_begun = False
        if request is None:
            return
        self._reading = None
        request.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request.keep_alive = self._parser.should_keep_alive()
        if self._current is not None or self._is_paused:
            self._waiting.append(request)
            if not self._is_reading_paused and not self._has_room(MOST_PIPELINED) and self._transport is not None:
                self._is_reading_paused = True
                self._transport.pause_reading()
            return
        self._current = request
        self._handle(request)

    # Answering.

    def send(self, request: Request, status: int, head: tuple[bytes, ...], body: bytes) -> None:
        """Write an answer and turn to the next request."""
        if request.is_done:
            return
        request.is_done = True
        is_last = self.is_draining or not request.keep_alive
        if self._transport is not None:
            content = b"" if request.method == b"HEAD" else body
            self._transport.write(b"".join((*head, _CLOSE if is_last else _KEEP, content)))
            if is_last:
                is_unread = self._is_refused or self._has_begun
                self._is_refused = True
                if is_unread and self._transport.can_write_eof():
                    # Closing now would reset the connection and take the answer with it: let the rest come, and drop it.
                    self._transport.write_eof()
                    self._linger_until_s = time.monotonic() + LINGER_S
                else:
                    self._transport.close()
        self._finish(request, status)
        self.last_s = time.monotonic()
        self._current = None
        if not is_last and self._waiting:
            self._next()

    @property
    def is_answering(self) -> bool:
        """Return whether a request waits for its answer."""
        return self._current is not None

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is being read or answered."""
        return self._current is None and not self._has_begun

    def end_if_slow(self, now_s: float, *, request_s: float, idle_s: float) -> None:
        """End a connection whose request does not arrive in time, or on which nothing happens."""
        if self._current is not None or self._transport is None:
            return
        if self._linger_until_s:
            if now_s > self._linger_until_s:
                self._transport.abort()
        elif self._has_begun and now_s - self._began_s > request_s:
            self._fail(
                refuse(
                    "request_too_slow", f"The request did not arrive within {request_s:g} seconds.", "Send it again."
                )
            )
        elif not self._has_begun and now_s - self.last_s > idle_s:
            self._transport.close()

    def close(self) -> None:
        """Close once what was written has gone."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close without waiting."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        while self._waiting and self._current is None and not self._is_paused:
            request = self._waiting.popleft()
            request.started_ns = time.perf_counter_ns()
            self._current = request
            self._handle(request)
        if self._is_reading_paused and self._has_room(MOST_PIPELINED // 2) and self._transport is not None:
            self._is_reading_paused = False
            self._transport.resume_reading()

    def _has_room(self, most: int) -> bool:
        return len(self._waiting) <= most and sum(len(request.body) for request in self._waiting) <= self._body_limit

    def _count_header(self, more: int) -> None:
        self._header_bytes += more
        if self._header_bytes > MOST_HEADER_BYTES:
            self._fail_inside(
                refuse("headers_too_large", "The headers of the request are too large.", "Send fewer or shorter ones.")
            )

    def _say_too_large(self) -> SkiffError:
        return refuse(
            "body_too_large",
            f"The body is larger than the {self._body_limit:,} bytes that are allowed.",
            "Send fewer rows at once, or use `skiff predict` for a file; the limit is [serving] body_limit_mb.",
            limit_bytes=self._body_limit,
        )

    def _fail_inside(self, error: SkiffError) -> None:
        """Refuse from inside the parser, which stops when a callback raises."""
        self._fail(error)
        raise _RefusedError

    def _fail(self, error: SkiffError) -> None:
        """Answer with an error, after those before it, and close."""
        if self._is_refused:
            return
        request = self._reading or Request(self, method=b"", url=self._url, headers=self._headers)
        self._reading = None
        request.keep_alive = False
        if self._current is not None:  # answers keep their order: this connection ends after the one under way
            (self._waiting[-1] if self._waiting else self._current).keep_alive = False
            self._is_refused = True
            return
        self._current = request
        self._is_refused = True
        request.refuse(error)


class _RefusedError(Exception):
    """Stops the parser; never leaves this module."""


_SINGLE = frozenset({b"host", b"content-length", b"authorization", b"content-type", b"inference-header-content-length"})
