"""The OpenAPI document: from the types at the border and the model's own signature."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

import skiff
from skiff.core.signature import InputColumn
from skiff.flows.answered import Answered
from skiff.flows.shown import NAME, KeptAnswer, ShownRow
from skiff.flows.standing import Standing
from skiff.serve.bodies import MOST_NAME_LETTERS, MOST_WHY_LETTERS, OutcomesBody, PredictBody

Json = dict[str, Any]  # Any: a JSON document

MOST_LEVELS = 50
"""Levels that are listed for a column; a longer list helps nobody."""

TOLD_LEVELS = 10
"""Levels that the sentence about a column names; the page for people shows no more of them."""

ERROR_WORDS: Mapping[str, str] = {
    "400": "The body is not well-formed JSON.",
    "401": "The key is missing, unknown, revoked or expired.",
    "403": "The key does not open this, or the host name is not this server's.",
    "404": "There is no such release, address or row under review.",
    "409": "`key` or `subject` is a list of another length than `rows`; a row under review is with somebody else, or was answered.",
    "405": "The address does not take this method.",
    "408": "The request did not arrive in time.",
    "413": "The body is too large, or holds too many rows.",
    "415": "The body is no JSON.",
    "422": "The body does not fit the model; `where` says which row and column.",
    "429": "Too many requests, or too many wrong keys; wait as `Retry-After` says.",
    "431": "The headers are too large.",
    "500": "A fault of the server, with the id of its report.",
    "503": "The server cannot log now, or is stopping; wait as `Retry-After` says.",
}


def build_openapi(standing: Standing, *, name: str, row_limit: int) -> bytes:
    """Return the document for a release.

    Parameters
    ----------
    standing : Standing
    name : str
        Of the model.
    row_limit : int
        Rows a request may hold.
    """
    types, components = msgspec.json.schema_components(
        [PredictBody, OutcomesBody, Answered, ShownRow, KeptAnswer], ref_template="#/components/schemas/{name}"
    )
    del types
    for schema in components.values():
        _describe_fields(schema)
    schemas: Json = {**components, "Row": _describe_row(standing.inputs), "Error": _ERROR}
    body = schemas["PredictBody"]
    body["properties"]["rows"] = {"type": "array", "maxItems": row_limit, "items": {"$ref": "#/components/schemas/Row"}}
    if not standing.runtime.has_reasons:
        body["properties"]["reasons"] = {"const": False, "description": "This release has no file that gives reasons."}
    for field in ("key", "subject"):
        body["properties"][field] = _describe_names(row_limit)
    schemas["OutcomesBody"]["properties"]["outcomes"]["maxItems"] = row_limit
    schemas["OutcomeBody"] = _describe_outcome(standing)
    schemas["ReviewBody"] = _describe_review(standing)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Skiff: {name}",
            "version": f"release {standing.number}",
            "description": f"Predicts '{standing.target}'. Made by Skiff {skiff.__version__}.",
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key: sk_…"}},
        },
        "security": [{"key": []}, {}],
        "paths": _describe_paths(standing),
    }
    return msgspec.json.encode(document)


def _describe_fields(schema: Json) -> None:
    """Move what a docstring's *Parameters* say of each field to that field, and keep the sentence about the whole."""
    about, _, parameters = inspect.cleandoc(schema.get("description", "")).partition("\n\nParameters\n----------\n")
    parameters = parameters.partition("\n\nNotes\n")[0]
    names: list[str] = []
    for line in parameters.splitlines():
        if not line.startswith(" "):
            names = line.partition(" : ")[0].split(", ")
            continue
        for name in names:
            field = schema["properties"][name]
            field["description"] = f"{field.get('description', '')} {line.strip().replace('``', '')}".strip()
    schema["description"] = about.replace("``", "")


_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "what", "where", "fix"],
            "properties": {
                "code": {"type": "string"},
                "what": {"type": "string"},
                "where": {"type": "object"},
                "fix": {"type": "string"},
            },
        }
    },
}


_NAME: Json = {"type": "string", "minLength": 1, "maxLength": MOST_NAME_LETTERS, "pattern": "^[^\\u0000]+$"}

NUMBER_PATTERN = "^ *([-+]?([0-9]{1,15}([.][0-9]{0,15})?|[.][0-9]{1,15})([eE][-+]?[0-9]{1,2})?)? *$"
"""A number that came as text, as spreadsheets send it; blank is missing."""

YES_NO = ("true", "false", "yes", "no", "y", "n", "t", "f", "")


def _list_labels(classes: tuple[str, ...]) -> list[object]:
    """Return the labels as JSON may write them: as text, and as a number or a truth value where they are one."""
    found: list[object] = list(classes)
    for label in classes:
        if label in ("true", "false"):
            found.append(label == "true")
        elif label.removeprefix("-").isdigit() and label == str(int(label)):
            found.append(int(label))
    return found


def _describe_outcome(standing: Standing) -> Json:
    value: Json = {"type": "number"} if standing.kind == "regression" else {"enum": _list_labels(standing.classes)}
    return {
        "type": "object",
        "description": "What really happened in one case, named by the prediction's id or by your key.",
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["value", name],
                "properties": {
                    "value": {**value, "description": "As in the target column."},
                    "at": {"type": "string", "format": "date-time", "description": "When; without a zone it is UTC."},
                    name: schema,
                },
            }
            for name, schema in (("id", {"type": "string"}), ("key", _NAME))
        ],
    }


_REVIEWER: Json = {"type": "string", "pattern": f"^{NAME}$", "description": "Who reviews, the same each time."}


def _describe_review(standing: Standing) -> Json:
    value: Json = {"type": "number"} if standing.kind == "regression" else {"enum": _list_labels(standing.classes)}
    why: Json = {
        "type": "string",
        "maxLength": MOST_WHY_LETTERS,
        "pattern": "^[^\\u0000]*$",
        "description": "Why not as suggested.",
    }
    forms: tuple[tuple[str, Json, Json], ...] = (
        ("first", {**value, "description": "Your answer before you see the suggestion."}, {}),
        ("final", {**value, "description": "Your answer that counts."}, {"why": why}),
        ("skip", {"const": True, "description": "Give the row back."}, {}),
    )
    return {
        "type": "object",
        "description": "An answer to a row under review: first, then final; or skip it.",
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["reviewer", name],
                "properties": {"reviewer": _REVIEWER, name: schema, **more},
            }
            for name, schema, more in forms
        ],
    }


def _describe_names(row_limit: int) -> Json:
    many = {"type": "array", "items": {"anyOf": [_NAME, {"type": "null"}]}, "maxItems": row_limit}
    return {
        "anyOf": [_NAME, many, {"type": "null"}],
        "default": None,
        "description": "One for all rows, or a list with one for each (409 where it has another length).",
    }


def _describe_row(inputs: tuple[InputColumn, ...]) -> Json:
    properties = {column.name: _describe_column(column) for column in inputs}
    example = {column.name: _give_example(column) for column in inputs}
    return {
        "type": "object",
        "required": [column.name for column in inputs],
        "properties": properties,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        "examples": [example],
    }


_PLAIN = {"number": ("number", "boolean"), "boolean": ("boolean", "number")}


def _describe_column(column: InputColumn) -> Json:
    """Return what a column takes; what training saw is told, not enforced: a model may be asked beyond it."""
    words = [f"Unit: {column.unit}."] if column.unit else []
    found: Json
    if column.kind in ("number", "boolean"):
        text: Json = {"pattern": NUMBER_PATTERN} if column.kind == "number" else {"enum": list(YES_NO)}
        found = {"anyOf": [{"type": [*_PLAIN[column.kind], "null"]}, {"type": "string", **text}]}
        if column.low is not None and column.high is not None:
            words.append(f"In training from {column.low:g} to {column.high:g}.")
    elif column.kind == "date":
        found = {"type": ["string", "null"], "anyOf": [{"type": "null"}, {"format": "date"}, {"format": "date-time"}]}
        words.append("ISO 8601; a time without a zone is UTC.")
    else:
        found = {"type": ["string", "number", "boolean", "null"]}
        if column.levels:
            words.append(_tell_levels(column.levels))
            found["examples"] = list(column.levels[:MOST_LEVELS])
    words.append("Null where the value is not known." if column.nullable else "Was never missing in training.")
    return {**found, "description": " ".join(words)}


def _tell_levels(levels: tuple[str, ...]) -> str:
    shown = ", ".join(levels[:TOLD_LEVELS])
    rest = len(levels) - TOLD_LEVELS
    return f"In training one of: {shown}." if rest <= 0 else f"In training {len(levels):,} levels, such as {shown}."


def _give_example(column: InputColumn) -> object:
    if column.kind == "number":
        low, high = column.low or 0.0, column.high or 0.0
        middle = low + (high - low) / 2
        return round(middle) if column.is_integer else round(middle, 3)
    if column.kind == "boolean":
        return True
    if column.kind == "date":
        return "2026-03-01"
    return column.levels[0] if column.levels else "text"


def _describe_paths(standing: Standing) -> Json:
    predict_answer = {
        "type": "object",
        "required": ["release", "predictions"],
        "properties": {
            "release": {"type": "integer"},
            "predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Answered"}},
        },
    }
    counted = {name: {"type": "integer"} for name in ("new", "corrected", "duplicate", "unknown")}
    outcomes_answer = {
        "type": "object",
        "required": [*counted, "states"],
        "properties": {**counted, "states": {"type": "array", "items": {"type": "string"}}},
    }
    del standing
    return {
        **_describe_review_paths(),
        "/predict": {"post": _post("Answer rows.", "PredictBody", predict_answer)},
        "/outcomes": {"post": _post("Tell what really happened.", "OutcomesBody", outcomes_answer)},
        "/health/live": {"get": _get("Whether the process lives.", "application/json", is_open=True)},
        "/health/ready": {"get": _get("Whether requests should be sent here.", "application/json", is_open=True)},
        "/metrics": {"get": _get("Counters for Prometheus.", "text/plain; version=0.0.4; charset=utf-8")},
        "/openapi.json": {"get": _get("This document.", "application/json")},
    }


def _describe_review_paths() -> Json:
    row: Json = {"anyOf": [{"$ref": "#/components/schemas/ShownRow"}, {"type": "null"}]}
    counted = {name: {"type": "integer"} for name in ("waiting", "being_decided", "decided")}
    by_reason = {"type": "object", "additionalProperties": {"type": "integer"}}
    given = {"type": "object", "required": ["row"], "properties": {"row": row}}
    taken = {
        "type": "object",
        "properties": {"row": row, "kept": {"$ref": "#/components/schemas/KeptAnswer"}, "skipped": {"const": True}},
    }
    asks = {"name": "reviewer", "in": "query", "required": True, "schema": _REVIEWER}
    names = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{16}$"}}
    return {
        "/review/next": {
            "get": {
                **_get("The next row for a person to decide; it is held for them a while.", "application/json"),
                "parameters": [asks],
                "responses": {"200": _answer(given), **_errors()},
            }
        },
        "/review/status": {
            "get": {
                **_get("How many rows wait for a person.", "application/json"),
                "responses": {
                    "200": _answer({"type": "object", "properties": {**counted, "by_reason": by_reason}}),
                    **_errors(),
                },
            }
        },
        "/review/{id}": {
            "post": {
                **_post("Answer a row: first, which shows the suggestion, then final.", "ReviewBody", taken),
                "parameters": [names],
            }
        },
    }


def _post(summary: str, body: str, answer: Json) -> Json:
    return {
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}},
        },
        "responses": {"200": _answer(answer), **_errors()},
    }


def _get(summary: str, content_type: str, *, is_open: bool = False) -> Json:
    schema = {"type": "object"} if content_type == "application/json" else {"type": "string"}
    answers = {"200": {"description": "Done.", "content": {content_type: {"schema": schema}}}, **_errors()}
    found: Json = {"summary": summary, "responses": answers}
    if is_open:
        found["security"] = []
    return found


def _answer(schema: Json) -> Json:
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _errors() -> Json:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": words, "content": content} for status, words in ERROR_WORDS.items()}
