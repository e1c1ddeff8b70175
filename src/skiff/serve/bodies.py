"""Bodies of requests, checked once, at the border."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from skiff.core.errors import SkiffError
from skiff.serve.errors import refuse

Cell = str | int | float | bool | None
Names = str | list[str | None] | None

MOST_NAME_LETTERS = 512
"""Letters of a key or a subject: longer than any business key, short enough for an index."""


class PredictBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /predict``.

    Parameters
    ----------
    rows : list of dict
        Cells by column; null where the value is not known, further columns are ignored.
    key : str or list of str, optional
        Your own name for each case, such as a booking number; outcomes can be reported by it.
    subject : str or list of str, optional
        The person each row is about, for access and erasure.
    reasons : bool
        Whether to say what each column adds to the answer.
    """

    rows: list[dict[str, Cell]]
    key: Names = None
    subject: Names = None
    reasons: bool = False


class OutcomeBody(msgspec.Struct, forbid_unknown_fields=True):
    """One outcome: what really happened, by the prediction's id or by your key."""

    value: str | int | float | bool
    id: str | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType = msgspec.UNSET
    at: str | msgspec.UnsetType = msgspec.UNSET

    def read(self, field: str) -> str | None:
        """Return a field, None where it was left out."""
        found = getattr(self, field)
        return None if found is msgspec.UNSET else str(found)


class OutcomesBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /outcomes``."""

    outcomes: list[OutcomeBody]


class Tensor(msgspec.Struct):
    """An input of the Open Inference Protocol."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None  # Any: nested lists of cells, as the protocol allows
    parameters: dict[str, Cell] | None = None


class WantedOutput(msgspec.Struct):
    """An output that is asked for."""

    name: str
    parameters: dict[str, Cell] | None = None


class InferBody(msgspec.Struct):
    """The body of an inference request of the Open Inference Protocol."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[WantedOutput] | None = None
    parameters: dict[str, Cell] | None = None


Body = TypeVar("Body")

_predict = msgspec.json.Decoder(PredictBody)
_outcomes = msgspec.json.Decoder(OutcomesBody)
_infer = msgspec.json.Decoder(InferBody)


def decode_predict(body: bytes, *, row_limit: int) -> PredictBody:
    """Return the body of a prediction request.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``, ``too_many_rows``.

    Examples
    --------
    >>> decode_predict(b'{"rows": [{"nights": 2}]}', row_limit=10).rows
    [{'nights': 2}]
    """
    found = _decode(_predict, body)
    n_rows = len(found.rows)
    refuse_many(n_rows, row_limit)
    n_keys = sum(map(len, found.rows)) + 1 + (found.key is not None) + (found.subject is not None)
    if body.count(b":") > n_keys:  # as many names as there are colons: none came twice
        refuse_repeated_names(body)
    if found.key is not None:
        _check_names(found.key, n_rows, "key")
    if found.subject is not None:
        _check_names(found.subject, n_rows, "subject")
    return found


def decode_outcomes(body: bytes, *, row_limit: int) -> OutcomesBody:
    """Return the body of an outcomes request.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``, ``too_many_rows``.
    """
    found = _decode(_outcomes, body)
    refuse_many(len(found.outcomes), row_limit)
    refuse_repeated_names(body)
    for place, outcome in enumerate(found.outcomes, start=1):
        if (outcome.read("id") is None) == (outcome.read("key") is None):
            raise _invalid("Each outcome has either the prediction's 'id' or your 'key'.", row=place)
        _check_names(outcome.read("key"), 1, "key")
        if outcome.read("at") is not None and not str(outcome.at).strip():
            raise _invalid("The time 'at' of an outcome is empty; leave it out where it is not known.", row=place)
    return found


def decode_infer(body: bytes) -> InferBody:
    """Return the body of an inference request.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``.
    """
    found = _decode(_infer, body)
    refuse_repeated_names(body)
    return found


def refuse_many(n_rows: int, row_limit: int) -> None:
    """Refuse more rows than are allowed.

    Raises
    ------
    SkiffError
        ``too_many_rows``.
    """
    if n_rows > row_limit:
        raise refuse(
            "too_many_rows",
            f"The request holds more than the {row_limit:,} rows that are allowed.",
            "Send fewer rows at once, or use `skiff predict` for a file; the limit is [serving] row_limit.",
            row_limit=row_limit,
        )


def refuse_repeated_names(body: bytes) -> None:
    """Refuse JSON in which a name comes twice in one object: two readers would see two different things.

    Raises
    ------
    SkiffError
        ``json_malformed``.
    """
    try:
        json.loads(body, object_pairs_hook=_refuse_pairs)
    except (ValueError, RecursionError) as error:
        raise _malformed() from error


def _refuse_pairs(pairs: list[tuple[str, Any]]) -> None:  # Any: what JSON holds
    if len({name for name, _ in pairs}) < len(pairs):
        raise refuse("json_malformed", "A name comes twice in one JSON object.", "Give each name once.")


def _decode(decoder: msgspec.json.Decoder[Body], body: bytes) -> Body:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(f"The body has another form than expected: {error}.") from error
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError) as error:
        raise _malformed() from error


def _check_names(given: Names, n_rows: int, field: str) -> None:
    """Check keys or subjects: one for all, or one for each row."""
    if given is None:
        return
    names: Iterable[str | None] = (given,) if isinstance(given, str) else given
    if not isinstance(given, str) and len(given) != n_rows:
        raise refuse(
            "body_contradicts",
            f"'{field}' has another number of entries than there are rows.",
            "Give one for all rows, or a list with one for each.",
            field=field,
        )
    for name in names:
        if name is not None and (not name or len(name) > MOST_NAME_LETTERS or "\0" in name):
            raise _invalid(
                f"An entry of '{field}' is empty, longer than {MOST_NAME_LETTERS} letters, or no text.", field=field
            )


def _malformed() -> SkiffError:
    return refuse(
        "json_malformed",
        "The body is not well-formed JSON.",
        'It looks like {"rows": [{"column": 1}]}; NaN and Infinity are no JSON, use null.',
    )


def _invalid(what: str, **where: str | int) -> SkiffError:
    return refuse("body_invalid", what, "See /docs for the form of each request.", **where)
