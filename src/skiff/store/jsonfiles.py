"""JSON and JSON lines: records into columns."""

from __future__ import annotations

import io
import json
import re

import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.parsing.encoding import decide_encoding, decode_text
from skiff.data.parsing.layout import name_columns
from skiff.store.opening import Source, describe_damaged
from skiff.store.rawtable import RawTable

MOST_LETTERS_ONE_VALUE = 200_000_000
"""One JSON value is read as a whole; more than this is asked for as JSON lines."""

_MARKS = b"\xef\xbb\xbf"


def is_json(data: bytes) -> bool:
    """Return whether `data` begins like JSON records: an object with a name in quotes, or a list of such or of lists.

    Examples
    --------
    >>> is_json(b'{"id": 1}'), is_json(b'[{"id": 1}]'), is_json(b"{id};{name}")
    (True, True, False)
    """
    head = data.removeprefix(_MARKS)[:4_096]
    return re.match(rb'\s*(?:\[\s*)*\{\s*(?:"(?:[^"\\]|\\.)*"\s*:|\})|\s*\[\s*(?:\[|\])', head) is not None


def read_json(source: Source) -> RawTable:
    """Return records of JSON or JSON lines as a table; lists and objects inside a record stay JSON text.

    Raises
    ------
    SkiffError
        ``file_damaged``, ``not_a_table``, ``file_too_large``.
    """
    data = source.data.removeprefix(_MARKS)
    if not _is_utf8(data):
        data = decode_text(source.data, decide_encoding(source.data)).lstrip("\ufeff").encode()
    if not data.lstrip().startswith(b"[") and _is_lines(data):
        return _wrap(_read_lines(source, data))
    if len(data) > MOST_LETTERS_ONE_VALUE:
        raise SkiffError(
            "file_too_large",
            what=f"{source.name} is one JSON value of {len(data) / 1e6:.0f} MB.",
            where={"file": source.name},
            fix="Have it written as JSON lines (one record a line), as CSV or as Parquet.",
        )
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise describe_damaged(source.name, "JSON") from error
    return _wrap(_build(source, _find_records(source, value)))


def _wrap(frame: pl.DataFrame) -> RawTable:
    names, doubled, invented = name_columns([str(name).strip() for name in frame.columns])
    labels = tuple(frame.columns)
    return RawTable(
        frame=frame.rename(dict(zip(frame.columns, names, strict=True))),
        labels=labels,
        is_typed=True,
        format="json",
        doubled=doubled,
        invented=invented,
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_lines(data: bytes) -> bool:
    first, _, rest = data.lstrip().partition(b"\n")
    try:
        record = json.loads(first)
        is_wrapper = not rest.strip() and any(isinstance(value, list) for value in record.values())
        return isinstance(record, dict) and not is_wrapper
    except (ValueError, RecursionError, AttributeError):
        return False


def _read_lines(source: Source, data: bytes) -> pl.DataFrame:
    try:
        return pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except (pl.exceptions.PolarsError, ValueError):
        pass  # records that contradict each other: one by one
    records = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise SkiffError(
                "file_damaged",
                what=f"Line {number:,} of {source.name} is no JSON: the file is damaged or cut.",
                where={"file": source.name, "row": number},
                fix="Ask for the file again, or take that line out.",
            ) from error
    return _build(source, records)


def _find_records(source: Source, value: object) -> list[object]:
    """Return the records in a JSON value: itself, or the only list in it."""
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list) and item]
        if len(lists) == 1:
            return lists[0]
        if lists and all(len(item) == len(lists[0]) for item in lists) and len(lists) == len(value):
            return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
        return [value] if not lists else _refuse(source)
    return value if isinstance(value, list) else _refuse(source)


def _refuse(source: Source) -> list[object]:
    raise SkiffError(
        "not_a_table",
        what=f"{source.name} is JSON, but not a list of records.",
        where={"file": source.name},
        fix='Have it written as [{"column": value, …}, …] or as JSON lines.',
    )


def _build(source: Source, records: list[object]) -> pl.DataFrame:
    if records and all(isinstance(record, list) for record in records):
        head, *rest = records
        labels = [str(item) for item in head] if isinstance(head, list) else []  # lists all
        names = name_columns(labels)[0]
        records = [dict(zip(names, row, strict=False)) for row in rest]  # type: ignore[call-overload]  # lists all
    if not records or not all(isinstance(record, dict) for record in records):
        return _refuse(source)  # type: ignore[return-value]  # never comes back
    names_: dict[str, None] = {}
    for record in records:
        names_ |= dict.fromkeys(record)  # type: ignore[call-overload]  # objects all
    return pl.DataFrame([_column(name, [record.get(name) for record in records]) for name in names_])  # type: ignore[attr-defined]  # objects all


def _column(name: str, values: list[object]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):  # type: ignore[operator]  # whole numbers all
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)  # type: ignore[arg-type]  # numbers all
    texts = [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values
    ]
    return pl.Series(name, [None if text is None else _whole(text) for text in texts], dtype=pl.String)


def _whole(text: str) -> str:
    """Return `text` without lone surrogates, which no file can hold."""
    return text.encode("utf-8", errors="replace").decode() if not text.isprintable() else text
