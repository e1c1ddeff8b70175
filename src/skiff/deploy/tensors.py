"""Client values into the tensors a graph takes: numbers, texts and dates, with missing cells told apart.

Works on any column that can be turned into a NumPy array or iterated over (Polars, pandas, PyArrow, lists), without
importing those libraries.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.signature import MISSING_DATE_S, InputColumn

Value = Any  # a cell: whatever the client's library holds
Tensor = NDArray[Any]  # doubles, texts or int64

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NOT_A_TIME = np.iinfo(np.int64).min
_WORDS = {"true": 1.0, "yes": 1.0, "y": 1.0, "false": 0.0, "no": 0.0, "n": 0.0}
KIND_WORDS = {"number": "a number", "boolean": "yes or no", "category": "a text", "text": "a text", "date": "a date"}


def to_number(value: Value) -> float:
    """Return a cell as a double; None and blank text are NaN.

    Examples
    --------
    >>> to_number("12.5"), to_number(True), to_number(None)
    (12.5, 1.0, nan)
    """
    if value is None:
        return math.nan
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return math.nan
        return _WORDS[text.lower()] if text.lower() in _WORDS else float(text)
    return float(value)


def to_text(value: Value) -> str:
    """Return a cell as text; None and NaN are ``""``, whole numbers have no decimal point.

    Examples
    --------
    >>> to_text(3.0), to_text(True), to_text(None)
    ('3', 'true', '')
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:  # noqa: PLR0124  NaN is the only value that differs from itself
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def to_seconds(value: Value) -> int:
    """Return a cell as seconds since 1970-01-01 UTC; a time without a zone is taken as UTC.

    Examples
    --------
    >>> to_seconds(dt.date(1970, 1, 2)), to_seconds("1969-12-31T23:59:59")
    (86400, -1)
    """
    if value is None or (isinstance(value, (str, float)) and (value != value or value == "")):  # noqa: PLR0124  NaN
        return MISSING_DATE_S
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value.strip())
    if isinstance(value, np.datetime64):
        seconds = int(value.astype("datetime64[s]").astype(np.int64))
        return MISSING_DATE_S if seconds == _NOT_A_TIME else seconds
    if isinstance(value, dt.datetime):
        if value != value:  # noqa: PLR0124  a library's "not a time" is a datetime that differs from itself
            return MISSING_DATE_S
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return math.floor((aware - _EPOCH).total_seconds())
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days * 86_400
    message = "not a date"
    raise TypeError(message)


CONVERTERS: Mapping[str, Callable[[Value], Any]] = {
    "number": to_number,
    "boolean": to_number,
    "category": to_text,
    "text": to_text,
    "date": to_seconds,
}
DTYPES: Mapping[str, Any] = {  # Any: NumPy's dtype arguments
    "number": np.float64,
    "boolean": np.float64,
    "category": object,
    "text": object,
    "date": np.int64,
}


def build_tensor(column: InputColumn, values: Value, *, first_row: int = 1) -> Tensor:
    """Return one column as the [N, 1] tensor its input takes.

    Raises
    ------
    SkiffError
        ``bad_value``, naming column and row, never the value.
    """
    array = values.to_numpy() if hasattr(values, "to_numpy") else values
    kind = getattr(getattr(array, "dtype", None), "kind", "O")
    if column.kind in {"number", "boolean"} and kind in "fiub":
        return np.asarray(array, dtype=np.float64).reshape(-1, 1)
    if column.kind == "date" and kind == "M":
        seconds = np.asarray(array).astype("datetime64[s]").astype(np.int64)
        return np.where(seconds == _NOT_A_TIME, MISSING_DATE_S, seconds).reshape(-1, 1)
    cells = values.to_list() if hasattr(values, "to_list") else list(array)
    return convert_cells(column, cells, first_row=first_row)


def convert_cells(column: InputColumn, cells: Sequence[Value], *, first_row: int = 1) -> Tensor:
    """Return cells one by one as a [N, 1] tensor; the slow path that accepts anything sensible."""
    convert = CONVERTERS[column.kind]
    made = np.empty((len(cells), 1), dtype=DTYPES[column.kind])
    for place, cell in enumerate(cells):
        try:
            made[place, 0] = convert(cell)
        except (TypeError, ValueError, OverflowError) as error:
            raise SkiffError(
                "bad_value",
                what=f"Row {first_row + place} of column '{column.name}' is not {KIND_WORDS[column.kind]}.",
                where={"column": column.name, "row": first_row + place},
                fix=f"The model was trained with {KIND_WORDS[column.kind]} in this column; correct or empty the cell.",
            ) from error
    return made


def refuse_missing_columns(inputs: Sequence[InputColumn], present: Sequence[str]) -> None:
    """Refuse a table that lacks columns the model needs, naming all of them.

    Raises
    ------
    SkiffError
        ``missing_column``.
    """
    lacking = [column.name for column in inputs if column.name not in set(present)]
    if lacking:
        named = ", ".join(f"'{name}'" for name in lacking[:10]) + (" …" if len(lacking) > 10 else "")  # noqa: PLR2004  ten are enough to see
        raise SkiffError(
            "missing_column",
            what=f"The model needs {named}, which {'is' if len(lacking) == 1 else 'are'} not in the table.",
            where={"column": lacking[0]},
            fix="Add the column; leave its cells empty where the value is not known.",
        )
