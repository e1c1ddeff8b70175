"""Bodies of requests, checked once, at the border."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.serve.errors import refuse

Cell = str | int | float | bool | None
Names = str | list[str | None] | None

MOST_NAME_LETTERS = 512
"""Letters of a key or a subject: longer than any business key, short enough for an index."""


MOST_WHY_LETTERS = 2_000
"""Letters of a reason: a paragraph."""


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


class ReviewBody(msgspec.Struct, forbid_unknown_fields=True):
    """The body of ``POST /review/{id}``: a first answer, the final one, or a wish to skip the row."""

    reviewer: str
    first: str | int | float | bool | msgspec.UnsetType = msgspec.UNSET
    final: str | int | float | bool | msgspec.UnsetType = msgspec.UNSET
    why: str | msgspec.UnsetType = msgspec.UNSET
    skip: bool = False


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
_review = msgspec.json.Decoder(ReviewBody)
_infer = msgspec.json.Decoder(InferBody)


class Asked(NamedTuple):
    """A prediction request whose rows came as a `Sheet`; see `PredictBody`."""

    rows: Sequence[Mapping[str, Cell]]
    key: Names
    subject: Names
    reasons: bool


SHEET_BYTES = 8_192
"""Bodies from this size on are first read as rows that have just the model's columns; below it there is nothing to gain."""

MOST_SHEET_COLUMNS = 64
"""Columns up to which large bodies are read so."""

_ESCAPED = re.compile(r'["\\\x00-\x1f]')


def decode_predict(body: bytes, *, row_limit: int, columns: tuple[str, ...] = ()) -> Asked | PredictBody:
    """Return the body of a prediction request.

    Parameters
    ----------
    body : bytes
    row_limit : int
    columns : tuple of str
        The columns the model takes: large bodies whose rows have just these come as a `Sheet`.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``, ``too_many_rows``.

    Examples
    --------
    >>> decode_predict(b'{"rows": [{"nights": 2}]}', row_limit=10).rows
    [{'nights': 2}]
    """
    found: Asked | PredictBody | None = None
    if columns and len(body) >= SHEET_BYTES:
        found = _decode_sheet(body, columns)
    is_sheet = found is not None
    if found is None:
        found = _decode(_predict, body)
    refuse_many(len(found.rows), row_limit)
    if not is_sheet and _may_repeat_names(body, sum(map(len, found.rows)) + _count_fields(found)):
        refuse_repeated_names(body)
    if found.key is not None:
        _check_names(found.key, len(found.rows), "key")
    if found.subject is not None:
        _check_names(found.subject, len(found.rows), "subject")
    return found


def _decode_sheet(body: bytes, columns: tuple[str, ...]) -> Asked | None:
    """Return a body whose rows all have just these columns, each once; None where one is otherwise, or wrong."""
    try:
        decoder = _build_sheet_decoder(columns)
        read = decoder.decode(body) if decoder is not None else None
    except (ValueError, RecursionError, OverflowError):  # what is wrong with it is said by the general way
        return None
    if read is None or not read.rows:
        return None
    sheet = Sheet(columns, tuple(zip(*map(msgspec.structs.astuple, read.rows), strict=True)), records=read.rows)
    found = Asked(sheet, read.key, read.subject, read.reasons)
    return None if _may_repeat_names(body, len(read.rows) * len(columns) + _count_fields(found)) else found


@functools.lru_cache(maxsize=8)
def _build_sheet_decoder(columns: tuple[str, ...]) -> msgspec.json.Decoder[Any] | None:  # Any: a form made here
    """Return a decoder of rows with these columns: fixed fields are read twice as fast as names that may be anything.

    None where there are so many that looking for them one after the other is slower, or where JSON escapes a name.
    """
    if len(columns) > MOST_SHEET_COLUMNS or any(_ESCAPED.search(name) for name in columns):
        return None
    fields = [f"cell_{place}" for place in range(len(columns))]
    row = msgspec.defstruct(
        "Row", [(field, Cell) for field in fields], rename=dict(zip(fields, columns, strict=True)), gc=False
    )
    return msgspec.json.Decoder(
        msgspec.defstruct(
            "SheetBody",
            [("rows", list[row]), ("key", Names, None), ("subject", Names, None), ("reasons", bool, False)],  # type: ignore[valid-type]  # made above
            forbid_unknown_fields=True,
        )
    )


def _count_fields(found: Asked | PredictBody) -> int:
    """Return how many fields a body has at least, its rows aside."""
    return 1 + (found.key is not None) + (found.subject is not None) + found.reasons


_NAME_END = re.compile(rb'"[ \t\n\r]*:')


def _may_repeat_names(body: bytes, n_names: int) -> bool:
    """Return whether there could be more names in a body than the different ones that were found, so that one came twice.

    As many names as there are colons, or as colons behind a quotation mark (in a time of day there is none): none came twice.
    """
    return body.count(b":") > n_names and len(_NAME_END.findall(body)) > n_names


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


def decode_review(body: bytes) -> ReviewBody:
    """Return the body of an answer to a row under review.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``.
    """
    found = _decode(_review, body)
    refuse_repeated_names(body)
    given = [name for name in ("first", "final") if getattr(found, name) is not msgspec.UNSET]
    if len(given) + found.skip != 1:
        raise _invalid("Give one of 'first', 'final', and 'skip': true.")
    if found.why is not msgspec.UNSET and "final" not in given:
        raise _invalid("A reason 'why' goes with a 'final' answer.", field="why")
    if found.why is not msgspec.UNSET and (len(found.why) > MOST_WHY_LETTERS or "\0" in found.why):
        raise _invalid(f"A reason 'why' has at most {MOST_WHY_LETTERS:,} letters.", field="why")
    return found


def decode_infer(body: bytes) -> InferBody:
    """Return the body of an inference request.

    Raises
    ------
    SkiffError
        ``json_malformed``, ``body_invalid``.
    """
    found = _decode(_infer, body)
    if _may_repeat_names(body, _count_infer_names(found)):
        refuse_repeated_names(body)
    return found


def _count_infer_names(found: InferBody) -> int:
    """Return how many names an inference request has at least: those of what was found in it."""
    n_names = 1 + (found.id is not None)
    for tensor in found.inputs:
        n_names += 3 + (tensor.data is not None) + _count_parameters(tensor.parameters)
    if found.outputs is not None:
        n_names += 1 + sum(1 + _count_parameters(output.parameters) for output in found.outputs)
    return n_names + _count_parameters(found.parameters)


def _count_parameters(given: dict[str, Cell] | None) -> int:
    return 0 if given is None else 1 + len(given)


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
