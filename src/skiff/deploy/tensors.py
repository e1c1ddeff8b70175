"""Client values into the tensors a graph takes: numbers, texts and dates, with missing cells told apart.

Works on any column that can be turned into a NumPy array or iterated over (Polars, pandas, PyArrow, lists), without
importing those libraries.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.numerals import read_plain_number
from skiff.core.signature import MISSING_DATE_S, InputColumn

Value = Any  # a cell: whatever the client's library holds
Tensor = NDArray[Any]  # doubles, texts or int64

KIND_WORDS = {"number": "a number", "boolean": "yes or no", "category": "a text", "text": "a text", "date": "a date"}
NOT_CONVERTIBLE = (TypeError, ValueError, ArithmeticError)
"""What a cell that makes no sense in its column raises when it is converted."""

_PLAIN_NUMBERS = frozenset({float, int, bool, type(None)})
"""Types that NumPy turns into doubles as `to_number` does, None into NaN."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY_S = 86_400
_NOT_A_TIME = np.iinfo(np.int64).min
_YES_NO = {"true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0}


def to_number(value: Value) -> float:
    """Return a cell as a double; None and blank text are NaN, a length of time is in microseconds.

    A text is a number where the reader of tables takes it for one: see `skiff.core.numerals`.

    Examples
    --------
    >>> to_number("12.5"), to_number(True), to_number(None)
    (12.5, 1.0, nan)
    """
    if value.__class__ is float:
        return value
    if _is_missing(value):
        return math.nan
    if isinstance(value, str):
        return _read_number(value) if value.strip() else math.nan
    if isinstance(value, dt.timedelta):
        return value / _MICROSECOND
    if isinstance(value, (bytes, bytearray)):
        message = "not a number"
        raise TypeError(message)
    return float(value)


def _read_number(text: str) -> float:
    number = read_plain_number(text)
    if number is None:
        message = "not a number"
        raise ValueError(message)
    return number


def to_yes_no(value: Value) -> float:
    """Return a cell as 1 for yes and 0 for no; None and blank text are NaN.

    Examples
    --------
    >>> to_yes_no("Yes"), to_yes_no(False), to_yes_no("")
    (1.0, 0.0, nan)
    """
    if isinstance(value, str):
        word = value.strip().lower()
        return _YES_NO[word] if word in _YES_NO else to_number(word)
    return to_number(value)


def to_text(value: Value) -> str:
    """Return a cell as text; None and NaN are ``""``, whole numbers have no decimal point.

    Examples
    --------
    >>> to_text(3.0), to_text(True), to_text(None)
    ('3', 'true', '')
    """
    if isinstance(value, str):
        return value if value.isascii() else _mend(value)
    if _is_missing(value):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return _mend(str(value))


def to_seconds(value: Value) -> int:
    """Return a cell as seconds since 1970-01-01 UTC; a time without a zone is taken as UTC, parts of a second are cut.

    Examples
    --------
    >>> to_seconds(dt.date(1970, 1, 2)), to_seconds("1969-12-31T23:59:59.5")
    (86400, -1)
    """
    if _is_missing(value) or (isinstance(value, str) and not value.strip()):
        return MISSING_DATE_S
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value.strip())
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[s]").astype(np.int64))
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return (aware - _EPOCH) // _SECOND
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days * _DAY_S
    message = "not a date"
    raise TypeError(message)


def _is_missing(value: Value) -> bool:
    """Whether a cell is None, NaN, a library's "not a time", or pandas' NA, which is neither equal nor unequal to itself."""
    if value is None:
        return True
    if type(value).__name__ == "NAType":
        return True
    return bool(value != value)  # noqa: PLR0124  NaN and its kin are the only values that differ from themselves


def _mend(text: str) -> str:
    """Return text that can be written as UTF-8: half a surrogate pair becomes the replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


CONVERTERS: Mapping[str, Callable[[Value], Any]] = {
    "number": to_number,
    "boolean": to_yes_no,
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


def list_stand_ins(column: InputColumn) -> frozenset[Value]:
    """Return the cells that stand for "no value" in a column: words, and in a column of numbers the numbers among them.

    Examples
    --------
    >>> sorted(list_stand_ins(InputColumn(name="age", kind="number", missing_words=("?", "-999"))), key=str)
    ['-999', -999.0, '?']
    """
    words = frozenset(column.missing_words)
    if column.kind != "number":
        return words
    return words | {number for word in words if (number := read_plain_number(word)) is not None}


def clear_cell(cell: Value, stand_ins: Collection[Value]) -> Value:
    """Return None for a cell that stands for "no value", blanks around a word aside; else the cell.

    Examples
    --------
    >>> [clear_cell(cell, {"?", -999.0}) for cell in ("Private", " ? ", -999, True, None)]
    ['Private', None, None, True, None]
    """
    if cell.__class__ is str:
        return None if cell.strip() in stand_ins else cell
    return None if cell.__class__ in {int, float} and cell in stand_ins else cell


def find_converter(column: InputColumn) -> Callable[[Value], Any]:
    """Return what turns a cell of the column into what its input takes."""
    convert = CONVERTERS[column.kind]
    if not column.missing_words:
        return convert
    stand_ins = list_stand_ins(column)
    return lambda value: convert(clear_cell(value, stand_ins))


def build_tensors(inputs: Sequence[InputColumn], frame: Any) -> dict[str, Tensor]:  # noqa: ANN401  a frame of any library, or a mapping
    """Return one [N, 1] tensor for each input column, by column name; other columns of `frame` are ignored.

    Parameters
    ----------
    inputs : sequence of InputColumn
    frame : Polars or pandas frame, PyArrow table, or mapping of name to values

    Raises
    ------
    SkiffError
        ``missing_column``, ``bad_value`` or ``uneven_columns``.

    Examples
    --------
    >>> column = InputColumn(name="nights", kind="number")
    >>> build_tensors([column], {"nights": [2, None, "3"]})["nights"].ravel().tolist()
    [2.0, nan, 3.0]
    """
    refuse_missing_columns(inputs, list_columns(frame))
    tensors = {column.name: build_tensor(column, frame[column.name]) for column in inputs}
    lengths = {name: len(tensor) for name, tensor in tensors.items()}
    if len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lambda name: lengths[name]), max(lengths, key=lambda name: lengths[name])
        raise SkiffError(
            "uneven_columns",
            what=f"Column '{short}' has {lengths[short]:,} rows and column '{long}' {lengths[long]:,}.",
            where={"column": short},
            fix="Give every column one value for each row.",
        )
    return tensors


def list_columns(frame: Any) -> list[str]:  # noqa: ANN401  a frame of any library, or a mapping
    """Return the column names of a frame (Polars, pandas), a table (PyArrow) or a mapping.

    Examples
    --------
    >>> list_columns({"nights": [2], "city": ["Oslo"]})
    ['nights', 'city']
    """
    if isinstance(frame, Mapping):
        return list(frame)
    return list(frame.column_names if hasattr(frame, "column_names") else frame.columns)


def build_tensor(column: InputColumn, values: Value) -> Tensor:
    """Return one column as the [N, 1] tensor its input takes.

    Raises
    ------
    SkiffError
        ``bad_value``, naming column and row, never the value.
    """
    if column.kind in {"category", "text"}:
        return convert_cells(column, _list_cells(values))
    array = values.to_numpy() if hasattr(values, "to_numpy") else values
    kind = getattr(getattr(array, "dtype", None), "kind", "O")
    if column.kind in {"number", "boolean"} and kind in "fiub":
        return _clear_numbers(column, np.asarray(array, dtype=np.float64)).reshape(-1, 1)
    if column.kind == "date" and kind == "M":
        seconds = np.asarray(array).astype("datetime64[s]").astype(np.int64)
        return np.where(seconds == _NOT_A_TIME, MISSING_DATE_S, seconds).reshape(-1, 1)
    return convert_cells(column, _list_cells(values))


def _clear_numbers(column: InputColumn, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    stand_ins = [cell for cell in list_stand_ins(column) if isinstance(cell, float)] if column.missing_words else []
    return np.where(np.isin(numbers, stand_ins), np.nan, numbers) if stand_ins else numbers


def _list_cells(values: Value) -> list[Value]:
    """Return the cells as Python holds them: Polars and pandas say ``to_list``, PyArrow ``to_pylist``."""
    for way in ("to_list", "to_pylist"):
        if hasattr(values, way):
            return list(getattr(values, way)())
    return list(values)


def convert_cells(column: InputColumn, cells: Sequence[Value]) -> Tensor:
    """Return cells as a [N, 1] tensor; anything sensible is accepted.

    Raises
    ------
    SkiffError
        ``bad_value``, naming column and row, never the value.
    """
    try:
        return _convert_cells(column, cells).reshape(-1, 1)
    except NOT_CONVERTIBLE as error:
        raise _describe_bad_cells(column, cells) from error


def _convert_cells(column: InputColumn, cells: Sequence[Value]) -> Tensor:
    """Return cells as one array: at once where their types are plain, as those of JSON mostly are, else one by one."""
    if column.missing_words:
        stand_ins = list_stand_ins(column)
        cells = [clear_cell(cell, stand_ins) for cell in cells]
    kinds = set(map(type, cells))
    if column.kind in {"number", "boolean"} and kinds <= _PLAIN_NUMBERS:
        return np.array(cells, dtype=np.float64)
    convert = CONVERTERS[column.kind]
    made = np.empty(len(cells), dtype=DTYPES[column.kind])
    if column.kind in {"category", "text"}:  # nearly all cells are plain text, and there may be millions
        if kinds == {str} and all(map(str.isascii, cells)):
            made[:] = cells
        else:
            made[:] = [cell if cell.__class__ is str and cell.isascii() else to_text(cell) for cell in cells]
    else:
        made[:] = [convert(cell) for cell in cells]
    return made


def _describe_bad_cells(column: InputColumn, cells: Sequence[Value]) -> SkiffError:
    rows = [number for number, cell in enumerate(cells, start=1) if not _is_convertible(column, cell)]
    more = f", and so are {len(rows) - 1:,} more" if len(rows) > 2 else ", and so is one more" if len(rows) > 1 else ""  # noqa: PLR2004  one more, or several
    kind = KIND_WORDS[column.kind]
    return SkiffError(
        "bad_value",
        what=f"Row {rows[0]} of column '{column.name}' holds something other than {kind}{more}.",
        where={"column": column.name, "row": rows[0]},
        fix=f"The model was trained with {kind} in this column; correct or empty the cell.",
    )


def _is_convertible(column: InputColumn, cell: Value) -> bool:
    try:
        CONVERTERS[column.kind](cell)
    except NOT_CONVERTIBLE:
        return False
    return True


def refuse_missing_columns(inputs: Sequence[InputColumn], present: Sequence[str], *, row: int = 0) -> None:
    """Refuse a table (or one row of it, counted from 1) that lacks columns the model needs, naming all of them.

    Raises
    ------
    SkiffError
        ``missing_column``.
    """
    known = set(present)
    lacking = [column.name for column in inputs if column.name not in known]
    if not lacking:
        return
    named = ", ".join(f"'{name}'" for name in lacking[:10]) + (" …" if len(lacking) > 10 else "")  # noqa: PLR2004  ten are enough to see
    where: dict[str, str | int] = {"column": lacking[0]}
    if row:
        where["row"] = row
    raise SkiffError(
        "missing_column",
        what=f"The model needs {named}, which {'is' if len(lacking) == 1 else 'are'} not in "
        f"{f'row {row}' if row else 'the table'}.",
        where=where,
        fix="Add the column; leave its cells empty where the value is not known.",
    )
