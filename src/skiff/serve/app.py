"""The routes: what each takes, which key opens it, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from skiff.core.errors import SkiffError
from skiff.flows.answered import Answered
from skiff.flows.desk import Desk, spread
from skiff.flows.outcomes import read_moment, read_question, write_outcome
from skiff.serve import assets
from skiff.serve.bodies import decode_outcomes, decode_predict
from skiff.serve.door import Door
from skiff.serve.errors import find_status, refuse
from skiff.serve.infer import Inference
from skiff.serve.lane import LARGE_BYTES, Job, Lane, Question
from skiff.serve.metrics import ROUTES, Metrics
from skiff.serve.openapi import build_openapi
from skiff.serve.protocol import Request
from skiff.serve.review import ReviewRoutes
from skiff.serve.state import Snapshot, Source
from skiff.store.predictions.log import PredictionLog
from skiff.store.predictions.records import Outcome, OutcomeReport, OutcomeState

ROUTE_NUMBERS = {name: place for place, name in enumerate(ROUTES)}
_BINARY = b"inference-header-content-length"
STATES: tuple[OutcomeState, ...] = ("new", "corrected", "duplicate", "unknown")
_encode = msgspec.json.Encoder().encode


class PredictAnswer(msgspec.Struct):
    """The answer to ``POST /predict``."""

    release: int
    predictions: list[Answered]


Handler: TypeAlias = Callable[[Request], None]
Report: TypeAlias = Callable[[str, BaseException], str]
"""Keeps a fault of ours, and returns the id under which it can be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route: who answers, which key it needs (none if empty), and where it is counted."""

    handle: Handler
    scope: str
    metric: str


class App:
    """Answers requests.

    Parameters
    ----------
    source : Source
    snapshot : Snapshot
        What is so at the start; see `refresh`.
    door : Door
    log : PredictionLog or None
        None where the disk can only be read.
    metrics : Metrics
    loop : AbstractEventLoop
    report_fault : callable
    """

    def __init__(
        self,
        *,
        source: Source,
        snapshot: Snapshot,
        door: Door,
        log: PredictionLog | None,
        metrics: Metrics,
        loop: asyncio.AbstractEventLoop,
        report_fault: Report,
    ) -> None:
        """Put the parts together."""
        self._source = source
        self._door = door
        self._log = log
        self._metrics = metrics
        self._loop = loop
        self._report_fault = report_fault
        self.lane = Lane(loop, log=log, metrics=metrics)
        self.is_ready = True
        self._openapi = b""
        self._row_limit = 0
        self._desk: Desk = snapshot.desk
        self.refresh(snapshot)
        self._inference = Inference(self, source=source)
        self.review = ReviewRoutes(self, root=source.root)
        self._routes = self._list_routes()
        self._paths = {path for _, path in self._routes}

    def _list_routes(self) -> dict[tuple[bytes, bytes], Route]:
        def route(handle: Handler, scope: str, metric: str) -> Route:
            return Route(handle=handle, scope=scope, metric=metric)

        found = {
            (b"POST", b"/predict"): route(self._predict, "predict", "predict"),
            (b"POST", b"/outcomes"): route(self._outcomes, "outcome", "outcomes"),
            (b"GET", b"/review/next"): route(self.review.next, "review", "review"),
            (b"GET", b"/review/status"): route(self.review.status, "review", "review"),
            (b"GET", b"/health/live"): route(self._live, "", "health"),
            (b"GET", b"/health/ready"): route(self._ready, "", "health"),
            (b"GET", b"/metrics"): route(self._show_metrics, "read", "metrics"),
            (b"GET", b"/openapi.json"): route(self._show_openapi, "read", "docs"),
            (b"GET", b"/v2/health/live"): route(self._inference.live, "", "health"),
            (b"GET", b"/v2/health/ready"): route(self._inference.ready, "", "health"),
            (b"GET", b"/v2"): route(self._inference.describe_server, "predict", "metadata"),
        }
        for path, (content, kind) in assets.read_pages().items():
            found[(b"GET", path)] = route(_show_page(content, kind), "", "docs")
        return found

    def refresh(self, snapshot: Snapshot) -> None:
        """Take what is so from now on; requests under way keep what they began with."""
        self._desk = snapshot.desk
        self._row_limit = snapshot.serving.row_limit
        self._door.set_keys(snapshot.keys)
        self._door.set_rate(snapshot.serving.requests_per_second)
        self._metrics.set("release", snapshot.desk.champion.number)
        self._openapi = b""  # made when it is asked for

    @property
    def desk(self) -> Desk:
        """Return who answers now."""
        return self._desk

    @property
    def row_limit(self) -> int:
        """Return how many rows a request may hold."""
        return self._row_limit

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""
        return self._loop

    def handle(self, request: Request) -> None:
        """Answer a request: at once, or later from the lane."""
        try:
            self._door.check_host(request.headers.get(b"host"))
            route = self._find(request)
            request.route = ROUTE_NUMBERS[route.metric]
            if route.scope:
                request.key_id = self._door.check_key(
                    request.headers.get(b"authorization"), scope=route.scope, peer=request.peer
                )
            if request.method == b"POST":
                _refuse_foreign(request)
            route.handle(request)
        except SkiffError as error:
            if error.code in {"key_missing", "key_invalid"}:
                self._metrics.add("keys_refused")
            self.refuse(request, error)
        except Exception as error:  # noqa: BLE001  the outermost edge of this face: a fault of ours must be an answer, not a silence
            self.fail(request, error)

    def refuse(self, request: Request, error: SkiffError) -> None:
        """Answer with an error; one that is not the caller's is kept as a fault."""
        if find_status(error) == 500:  # noqa: PLR2004  no status of its own
            self.fail(request, error)
            return
        extra = b""
        if error.code in {"key_missing", "key_invalid"}:
            extra = b"www-authenticate: Bearer\r\n"
        elif error.code == "method_not_allowed":
            extra = b"allow: %s\r\n" % str(error.where.get("allow", "GET")).encode()
        request.refuse(error, extra=extra)

    def fail(self, request: Request, error: BaseException) -> None:
        """Answer that we failed, with the id of a report and nothing else."""
        self._metrics.add("faults")
        report = self._report_fault(ROUTES[request.route], error)
        request.refuse(
            refuse(
                "internal_fault",
                f"The server itself failed; report id {report}.",
                "Tell the person who runs this server the report id.",
                report_id=report,
            )
        )

    def submit(self, request: Request, desk: Desk, read: Callable[[], Question]) -> None:
        """Let rows be answered, and say why where they cannot be; a large body is read beside the loop."""

        def tell(error: BaseException) -> None:
            if isinstance(error, SkiffError):
                self.refuse(request, error)
            else:
                self.fail(request, error)

        def make() -> Job:
            question = read()
            request.rows = len(question.rows)

            def reply(found: list[Answered] | BaseException) -> None:
                try:
                    if isinstance(found, BaseException):
                        tell(found)
                    else:
                        self._count(found, desk)
                        question.encode(found)
                except Exception as error:  # noqa: BLE001  the outermost edge of this face, after the wait
                    self.fail(request, error)

            return Job(
                question.rows,
                keys=spread(question.key, len(question.rows)),
                subjects=spread(question.subject, len(question.rows)),
                reply=reply,
                desk=desk,
                reasons=question.reasons,
                started_ns=request.started_ns,
            )

        if len(request.body) < LARGE_BYTES:
            self.lane.add(make())
        else:
            self.lane.add_unread(len(request.body), make, refuse=tell)

    def _count(self, found: list[Answered], desk: Desk) -> None:
        reviews = [item.decision for item in found].count("review")
        if reviews:
            self._metrics.add("reviews", reviews)
        if desk.shares.control:
            self._metrics.add("controls", sum(item.control for item in found))

    def _find(self, request: Request) -> Route:
        method = b"GET" if request.method == b"HEAD" else request.method
        found = self._routes.get((method, request.path))
        if found is not None:
            return found
        path = request.path
        if path.startswith(b"/v2/models/"):
            inner = self._inference.find(path)
            if inner is not None:
                wanted, handle, scope, metric = inner
                if method == wanted:
                    return Route(handle=handle, scope=scope, metric=metric)
                raise _refuse_method(wanted.decode())
        answer_row = self.review.find(path)
        if answer_row is not None:
            if method == b"POST":
                return Route(handle=answer_row, scope="review", metric="review")
            raise _refuse_method("POST")
        if path in self._paths:
            raise _refuse_method(", ".join(sorted(verb.decode() for verb, known in self._routes if known == path)))
        raise refuse("route_not_found", "There is nothing at this address.", "See /docs for what there is.")

    def _predict(self, request: Request) -> None:
        desk, row_limit = self._desk, self._row_limit
        release = desk.champion.number

        def encode(found: list[Answered]) -> None:
            request.respond(_encode(PredictAnswer(release, found)))

        def read() -> Question:
            body = decode_predict(request.body, row_limit=row_limit, columns=desk.champion.columns)
            return Question(body.rows, body.key, body.subject, body.reasons, encode)

        self.submit(request, desk, read)

    def _outcomes(self, request: Request) -> None:
        body = decode_outcomes(request.body, row_limit=self._row_limit)
        log = self._log
        if log is None:
            raise refuse(
                "read_only", "This server cannot keep outcomes: its disk can only be read.", "Use another one."
            )
        classes, is_number = read_question(self._desk.champion.manifest)
        outcomes = []
        for place, item in enumerate(body.outcomes, start=1):
            try:
                value = write_outcome(item.value, classes=classes, is_number=is_number, is_exact=True)
                at = read_moment(item.read("at"))
                outcomes.append(Outcome(value=value, id=item.read("id"), key=item.read("key"), at=at))
            except SkiffError as error:
                error.where["row"] = place
                raise
        request.rows = len(outcomes)
        future = self._loop.run_in_executor(None, log.add_outcomes, outcomes)
        future.add_done_callback(lambda done: self._report_outcomes(request, done))

    def _report_outcomes(self, request: Request, done: asyncio.Future[OutcomeReport]) -> None:
        error = done.exception()
        if isinstance(error, SkiffError):
            self.refuse(request, error)
            return
        if error is not None:
            self.fail(request, error)
            return
        report = done.result()
        counts = {state: report.count(state) for state in STATES}
        for state, count in counts.items():
            self._metrics.add(f"outcomes_{state}", count)
        request.respond(_encode({**counts, "states": report.states}))

    def _live(self, request: Request) -> None:
        request.respond(b'{"live":true}')

    def _ready(self, request: Request) -> None:
        self.refuse_unready()
        request.respond(_encode({"ready": True, "release": self._desk.champion.number}))

    def refuse_unready(self) -> None:
        """Refuse where this server is about to stop.

        Raises
        ------
        SkiffError
            ``server_stopping``.
        """
        if not self.is_ready:
            raise refuse("server_stopping", "This server is stopping.", "Send requests to another one.")

    def _show_metrics(self, request: Request) -> None:
        self._metrics.set("log_waiting_rows", self._log.waiting if self._log else 0)
        request.respond_with(self._metrics.write().encode(), content_type="text/plain; version=0.0.4; charset=utf-8")

    def _show_openapi(self, request: Request) -> None:
        if not self._openapi:
            self._openapi = build_openapi(self._desk.champion, name=self._source.name, row_limit=self._row_limit)
        request.respond(self._openapi)


def _show_page(content: bytes, kind: str) -> Handler:
    def show(request: Request) -> None:
        request.respond_with(content, content_type=kind, extra=assets.POLICY)

    return show


def _refuse_foreign(request: Request) -> None:
    """Refuse what a web page of another host sends, and bodies that are not JSON, which such a page cannot send unasked."""
    origin = request.headers.get(b"origin")
    if origin is not None and origin.rpartition(b"://")[2] != request.headers.get(b"host"):
        raise refuse(
            "host_not_allowed", "A page of another host may not ask this server.", "Ask it from your own server."
        )
    kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if request.headers.get(b"content-encoding"):
        raise refuse("content_type_not_supported", "The body must not be compressed.", "Send it as it is.")
    if kind == b"application/json":
        return
    is_inference = request.path.startswith(b"/v2/")  # Triton's client names no type, or that of bytes
    if is_inference and (not kind or (kind == b"application/octet-stream" and _BINARY in request.headers)):
        return
    raise refuse(
        "content_type_not_supported", "The body must be JSON.", "Send the header  Content-Type: application/json"
    )


def _refuse_method(allow: str) -> SkiffError:
    return refuse("method_not_allowed", "This address does not take that method.", f"Use {allow}.", allow=allow)
