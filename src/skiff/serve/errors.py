"""The one table from error code to HTTP status, and the body every error has."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from skiff.core.errors import SkiffError

STATUS: Mapping[str, int] = {
    "request_malformed": 400,
    "json_malformed": 400,
    "key_missing": 401,
    "key_invalid": 401,
    "scope_missing": 403,
    "host_not_allowed": 403,
    "route_not_found": 404,
    "model_unknown": 404,
    "release_not_found": 404,
    "review_not_found": 404,
    "method_not_allowed": 405,
    "request_too_slow": 408,
    "body_contradicts": 409,
    "review_not_held": 409,
    "review_answered": 409,
    "review_not_first": 409,
    "body_too_large": 413,
    "too_many_rows": 413,
    "content_type_not_supported": 415,
    "body_invalid": 422,
    "bad_value": 422,
    "missing_column": 422,
    "uneven_columns": 422,
    "no_reasons": 422,
    "bad_outcome": 422,
    "reviewer_missing": 422,
    "too_many_requests": 429,
    "headers_too_large": 431,
    "log_busy": 503,
    "server_busy": 503,
    "log_stopped": 503,
    "log_damaged": 503,
    "no_release": 503,
    "disk_full": 503,
    "disk_failing": 503,
    "read_only": 503,
    "no_permission": 503,
    "workspace_busy": 503,
    "database_unreachable": 503,
    "server_stopping": 503,
    "internal_fault": 500,
}
"""What is not here is a fault of ours: 500."""

RETRY_AFTER_S: Mapping[int, int] = {429: 1, 503: 1}

REASONS: Mapping[int, str] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

OWN_FIELDS = frozenset({"folder", "file", "workspace", "report"})
"""Places on the server's disk: for its log, not for its callers."""


def find_status(error: SkiffError) -> int:
    """Return the HTTP status of an error.

    Examples
    --------
    >>> find_status(SkiffError("bad_value", what="…", fix="…"))
    422
    """
    return STATUS.get(error.code, 500)


def encode_error(error: SkiffError, *, is_inference: bool = False) -> bytes:
    """Return the body of an error: the four parts, without paths of the server where it is not the caller's to mend.

    Parameters
    ----------
    error : SkiffError
    is_inference : bool
        Whether a client of the Open Inference Protocol asked: it expects ``error`` to be one text, so the parts stand
        beside it.

    Examples
    --------
    >>> encode_error(SkiffError("bad_value", what="Row 1 is odd.", fix="Mend it."), is_inference=True)
    b'{"error":"Row 1 is odd. Mend it.","code":"bad_value","what":"Row 1 is odd.","where":{},"fix":"Mend it."}'
    """
    parts = _list_parts(error)
    if is_inference:
        return msgspec.json.encode({"error": f"{parts['what']} {parts['fix']}", **parts})
    return msgspec.json.encode({"error": parts})


def _list_parts(error: SkiffError) -> dict[str, object]:
    status = find_status(error)
    if status >= 500:  # noqa: PLR2004  the server's side
        where = {name: value for name, value in error.where.items() if name not in OWN_FIELDS}
        what = _SERVER_SIDE.get(error.code, error.what)
        return {"code": error.code, "what": what, "where": where, "fix": _SERVER_FIX.get(error.code, error.fix)}
    return error.as_dict()


_TELL_OWNER = "Tell the person who runs this server; send the request again later."
_SERVER_SIDE: Mapping[str, str] = dict.fromkeys(
    (
        "disk_full", "disk_failing", "read_only", "no_permission", "workspace_busy", "log_damaged", "database_unreachable",
    ),
    "The server cannot keep predictions at the moment, so it answers none.",
)  # fmt: skip
_SERVER_FIX: Mapping[str, str] = dict.fromkeys(_SERVER_SIDE, _TELL_OWNER)


def refuse(code: str, what: str, fix: str, **where: str | int) -> SkiffError:
    """Return an error of this face."""
    return SkiffError(code, what=what, where=where, fix=fix)
