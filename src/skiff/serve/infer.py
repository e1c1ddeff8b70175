"""The Open Inference Protocol, version 2: health, metadata, and inference by name and version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import msgspec

import skiff
from skiff.core.errors import SkiffError
from skiff.core.task import ColumnKind
from skiff.flows.answered import Answered
from skiff.flows.desk import Desk
from skiff.flows.standing import Standing
from skiff.serve.bodies import decode_infer
from skiff.serve.errors import refuse
from skiff.serve.lane import Question
from skiff.serve.protocol import Request
from skiff.serve.state import Source
from skiff.serve.tensors import read_rows, write_binary

Handler = Callable[[Request], None]
Found = tuple[bytes, Handler, str, str]
"""Method, handler, scope and metric of a route."""

KIND_TYPES: dict[ColumnKind, str] = {
    "number": "FP64",
    "boolean": "BOOL",
    "category": "BYTES",
    "text": "BYTES",
    "date": "BYTES",
}
_encode = msgspec.json.Encoder().encode
_HEADER = b"inference-header-content-length"


class Host(Protocol):
    """What inference needs of the app."""

    @property
    def desk(self) -> Desk:
        """Return who answers now."""

    @property
    def row_limit(self) -> int:
        """Return how many rows a request may hold."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop."""

    def refuse_unready(self) -> None:
        """Refuse where the server is about to stop."""

    def refuse(self, request: Request, error: SkiffError) -> None:
        """Answer with an error."""

    def fail(self, request: Request, error: BaseException) -> None:
        """Answer that we failed."""

    def submit(self, request: Request, desk: Desk, read: Callable[[], Question]) -> None:
        """Let rows be answered."""


class Inference:
    """The routes under ``/v2``.

    Parameters
    ----------
    host : Host
    source : Source
    """

    def __init__(self, host: Host, *, source: Source) -> None:
        """Keep the parts."""
        self._host = host
        self._source = source

    def find(self, path: bytes) -> Found | None:
        """Return the route for a path under ``/v2/models/``, or None.

        Raises
        ------
        SkiffError
            ``model_unknown``.
        """
        parts = path.split(b"/")[3:]
        version: int | None = None
        name, rest = parts[0], parts[1:]
        if len(rest) >= 2 and rest[0] == b"versions":  # noqa: PLR2004  the word and the number
            if not rest[1].isdigit() or len(rest[1]) > 9:  # noqa: PLR2004  release numbers are small
                return None
            version, rest = int(rest[1]), rest[2:]
        action = rest[0] if len(rest) == 1 else b"" if not rest else None
        if action not in (b"", b"ready", b"infer"):
            return None
        if unquote_to_bytes(name) != self._source.name.encode():
            raise refuse(
                "model_unknown", "This server has no model of that name.", f"Its model is called {self._source.name}."
            )
        if action == b"infer":
            return b"POST", lambda request: self._infer(request, version), "predict", "infer"
        if action == b"ready":
            return b"GET", lambda request: self._model_ready(request, version), "", "health"
        return b"GET", lambda request: self._describe_model(request, version), "predict", "metadata"

    def live(self, request: Request) -> None:
        """Answer that the process lives."""
        request.respond(b'{"live":true}')

    def ready(self, request: Request) -> None:
        """Answer whether requests should be sent here."""
        self._host.refuse_unready()
        request.respond(b'{"ready":true}')

    def describe_server(self, request: Request) -> None:
        """Answer with the server's metadata."""
        request.respond(_encode({"name": "skiff", "version": skiff.__version__, "extensions": ["binary_tensor_data"]}))

    def _model_ready(self, request: Request, version: int | None) -> None:
        self._host.refuse_unready()
        if version is not None and version not in self._source.list_numbers():
            raise _refuse_version(version)
        request.respond(_encode({"name": self._source.name, "ready": True}))

    def _describe_model(self, request: Request, version: int | None) -> None:
        def tell(desk: Desk) -> None:
            standing = desk.champion
            body = {
                "name": self._source.name,
                "versions": [str(number) for number in self._source.list_numbers()],
                "platform": "skiff_onnx",
                "inputs": [
                    {"name": column.name, "datatype": KIND_TYPES[column.kind], "shape": [-1]}
                    for column in standing.inputs
                ],
                "outputs": [
                    {"name": name, "datatype": datatype, "shape": shape}
                    for name, datatype, shape in list_outputs(standing)
                ],
                "parameters": {"release": standing.number, "classes": list(standing.classes)},
            }
            request.respond(_encode(body))

        self._with_desk(request, version, tell)

    def _infer(self, request: Request, version: int | None) -> None:
        self._with_desk(
            request, version, lambda desk: self._host.submit(request, desk, lambda: self._read(request, desk))
        )

    def _with_desk(self, request: Request, version: int | None, then: Callable[[Desk], None]) -> None:
        """Go on with the desk of a version, which may first have to be opened beside the loop."""
        desk = self._host.desk
        if version is None or (version == desk.champion.number):
            then(desk)
            return

        def go_on(done: asyncio.Future[Desk]) -> None:
            error = done.exception()
            if isinstance(error, SkiffError):
                self._host.refuse(request, error)
                return
            if error is not None:
                self._host.fail(request, error)
                return
            try:
                then(done.result())
            except SkiffError as refused:
                self._host.refuse(request, refused)

        self._host.loop.run_in_executor(None, self._source.open_desk, version).add_done_callback(go_on)

    def _read(self, request: Request, desk: Desk) -> Question:
        text, buffers = _split(request)
        body = decode_infer(text)
        standing = desk.champion
        rows = read_rows(body, buffers, columns=standing.columns, row_limit=self._host.row_limit)
        given = body.parameters or {}
        wanted = {output.name: output.parameters or {} for output in body.outputs or ()}
        known = [name for name, _, _ in list_outputs(standing)]
        unknown = [name for name in wanted if name not in known]
        if unknown or any("classification" in parameters for parameters in wanted.values()):
            raise refuse(
                "body_invalid", "An output is asked for that the model does not have.", f"It has: {', '.join(known)}."
            )
        is_binary = given.get("binary_data_output") is True
        binary = {name for name in known if wanted.get(name, {}).get("binary_data", is_binary) is True}

        def encode(found: list[Answered]) -> None:
            outputs = []
            pieces = []
            for name, datatype, shape in list_outputs(standing):
                if wanted and name not in wanted:
                    continue
                cells = _collect(name, found, standing)
                output: dict[str, Any] = {
                    "name": name,
                    "datatype": datatype,
                    "shape": [len(found), *shape[1:]],
                }
                if name in binary:
                    pieces.append(write_binary(datatype, cells))
                    output["parameters"] = {"binary_data_size": len(pieces[-1])}
                else:
                    output["data"] = cells
                outputs.append(output)
            answer: dict[str, Any] = {
                "model_name": self._source.name,
                "model_version": str(found[0].release if found else standing.number),
                "outputs": outputs,
                "parameters": {"release": found[0].release if found else standing.number},
            }
            if body.id is not None:
                answer["id"] = body.id
            text = _encode(answer)
            if not pieces:
                request.respond(text)
                return
            request.respond_with(
                b"".join([text, *pieces]),
                content_type="application/octet-stream",
                extra=b"%s: %d\r\n" % (_HEADER, len(text)),
            )

        return Question(rows, _read_name(given, "key"), _read_name(given, "subject"), reasons=False, encode=encode)


def list_outputs(standing: Standing) -> list[tuple[str, str, list[int]]]:
    """Return name, datatype and shape of what a release answers with."""
    found: list[tuple[str, str, list[int]]] = [("prediction_id", "BYTES", [-1])]
    if standing.kind == "regression":
        found.append(("value", "FP64", [-1]))
        if "low" in standing.runtime.predictor.outputs:
            found += [("low", "FP64", [-1]), ("high", "FP64", [-1])]
    else:
        found += [("label", "BYTES", [-1]), ("probabilities", "FP64", [-1, len(standing.classes)])]
    if "decision" in standing.runtime.predictor.outputs:
        found.append(("decision", "BYTES", [-1]))
    return found


def _collect(name: str, found: list[Answered], standing: Standing) -> list[Any]:  # Any: cells of one datatype
    if name == "prediction_id":
        return [item.id for item in found]
    if name == "probabilities":
        classes = standing.classes
        if standing.kind == "binary":
            chances = [item.probability or 0.0 for item in found]
            return [part for chance in chances for part in (1.0 - chance, chance)]
        return [(item.probabilities or {})[label] for item in found for label in classes]
    if name in ("low", "high"):
        return [(item.interval or (0.0, 0.0))[name == "high"] for item in found]
    return [getattr(item, name) for item in found]


def _split(request: Request) -> tuple[bytes, bytes]:
    """Return the JSON of a request and the binary data behind it."""
    given = request.headers.get(_HEADER)
    if given is None:
        return request.body, b""
    if not given.isdigit() or len(given) > 12 or int(given) > len(request.body):  # noqa: PLR2004  no body has more digits
        raise refuse(
            "body_invalid",
            "The header Inference-Header-Content-Length does not fit the body.",
            "Send the JSON's length.",
        )
    return request.body[: int(given)], request.body[int(given) :]


def _read_name(given: dict[str, Any], field: str) -> str | None:  # Any: a parameter of the request
    found = given.get(field)
    if found is None:
        return None
    if not isinstance(found, str) or not 0 < len(found) <= 512 or "\0" in found:  # noqa: PLR2004  see bodies.MOST_NAME_LETTERS
        raise refuse("body_invalid", f"The parameter '{field}' must be a short text.", "Leave it out if there is none.")
    return found


def _refuse_version(version: int) -> SkiffError:
    return refuse(
        "release_not_found", "There is no release of that number.", "See GET /v2/models/NAME.", release=version
    )
