"""Whatever library holds the cells, the graph gets the same tensors, and an error never quotes a cell."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.core.signature import MISSING_DATE_S, InputColumn
from skiff.data.parsing.numbers import parse_numbers
from skiff.data.parsing.reading import ColumnReading
from skiff.deploy.tensors import build_tensor, build_tensors, to_number, to_seconds, to_text, to_yes_no

NUMBER = InputColumn(name="x", kind="number")
FLAG = InputColumn(name="x", kind="boolean")
CITY = InputColumn(name="x", kind="category")
DATE = InputColumn(name="x", kind="date")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (3, 3.0),
        ("3.5", 3.5),
        (" -1e3 ", -1000.0),
        (True, 1.0),
        (np.float32(0.5), 0.5),
        (decimal.Decimal("2.25"), 2.25),
        (2**53 + 1, float(2**53)),
        ("+.5", 0.5),
        ("\t007. ", 7.0),
        (math.inf, math.inf),
        (dt.timedelta(seconds=2), 2_000_000.0),
    ],
)
def test_numbers_are_read_from_what_holds_them(cell: Any, expected: float) -> None:
    assert to_number(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "1_000",
        "1_0",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "1e400",
        "\u0661\u0662",
        "\uff11\uff12",
        "1,5",
        "0x10",
        "1e1_0",
        "1 000",
        b"12",
        "e5",
        ".",
    ],
)
def test_what_only_python_takes_for_a_number_is_refused_with_the_place(cell: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        to_number(cell)
    with pytest.raises(SkiffError) as caught:
        build_tensor(NUMBER, ["1", cell])
    assert (caught.value.code, caught.value.where) == ("bad_value", {"column": "x", "row": 2})
    assert caught.value.fix
    assert str(cell) not in f"{caught.value.what} {caught.value.fix}".split()


_PIECES = [
    "0",
    "1",
    "7",
    "12",
    "345",
    "007",
    ".",
    ",",
    "+",
    "-",
    "−",
    "e",
    "E",
    "_",
    " ",
    "\t",
    "\u00a0",
    "(",
    ")",
    "%",
    "$",
    "'",
]
_PIECES += [
    "nan",
    "inf",
    "Infinity",
    "\u0663",
    "\u096b",
    "\uff11",
    "0x",
    "1e308",
    "e-320",
    "j",
    "\x00",
    "\x1f",
    "\u00bd",
    "\u00b2",
]


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
    | st.floats(allow_nan=False).map(repr)
    | st.text(max_size=8)
)
def test_serving_reads_a_number_as_training_does_or_not_at_all(text: str) -> None:
    try:
        served = to_number(text)
    except ValueError:
        return
    [trained] = parse_numbers(pl.Series([text]), ColumnReading(kind="number")).to_list()
    assert served == trained if trained is not None else math.isnan(served) and not text.strip()


@settings(max_examples=200, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_every_number_that_is_written_out_is_read_back(number: float) -> None:
    assert to_number(str(number)) == number
    assert to_number(f" {number!r} ") == number


@pytest.mark.parametrize("cell", [None, math.nan, np.float64("nan"), "", "  ", pd.NA, pd.NaT, decimal.Decimal("NaN")])
def test_a_missing_number_is_nan(cell: Any) -> None:
    assert math.isnan(to_number(cell))
    assert math.isnan(to_yes_no(cell))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("Yes", 1.0), ("FALSE", 0.0), (" n ", 0.0), (True, 1.0), (np.bool_(0), 0.0), (1, 1.0), ("0", 0.0), (0.0, 0.0)],
)
def test_yes_and_no_are_read_from_what_holds_them(cell: Any, expected: float) -> None:
    assert to_yes_no(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Oslo", "Oslo"),
        (3, "3"),
        (3.0, "3"),
        (np.int16(7), "7"),
        (-0.5, "-0.5"),
        (2**70, str(2**70)),
        (False, "false"),
        ("Ünï", "Ünï"),
        ("half a pair \ud83d", "half a pair \ufffd"),
        ("a pair \ud83d\ude00", "a pair 😀"),
        ("nothing\0here", "nothing\0here"),
    ],
)
def test_texts_are_read_from_what_holds_them(cell: Any, expected: str) -> None:
    assert to_text(cell) == expected


@pytest.mark.parametrize("cell", [None, math.nan, np.nan, "", pd.NA, pd.NaT])
def test_a_missing_text_is_empty(cell: Any) -> None:
    assert to_text(cell) == ""


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (dt.date(1969, 12, 31), -86_400),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 1), -1),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999_999), 253_402_300_799),
        (dt.datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")), 1_719_828_000),
        ("2024-07-01T12:00:00+02:00", 1_719_828_000),
        ("2024-07-01T10:00:00Z", 1_719_828_000),
        (" 2024-07-01 ", 1_719_792_000),
        (np.datetime64("1969-12-31T23:59:59.999"), -1),
        (pd.Timestamp("2024-07-01"), 1_719_792_000),
    ],
)
def test_dates_are_read_from_what_holds_them(cell: Any, expected: int) -> None:
    assert to_seconds(cell) == expected


@pytest.mark.parametrize("cell", [None, math.nan, "", " ", np.datetime64("NaT"), pd.NaT, pd.NA])
def test_a_missing_date_is_the_sentinel(cell: Any) -> None:
    assert to_seconds(cell) == MISSING_DATE_S


NUMBERS: list[Any] = [1, None, 3]
TEXTS: list[Any] = ["a", None, "ö"]
FLAGS: list[Any] = [True, None, False]
MOMENTS: list[Any] = [dt.datetime(1960, 5, 1, 12, 30), None, dt.datetime(2024, 2, 29)]


@pytest.mark.parametrize(
    ("column", "cells", "expected"),
    [
        (NUMBER, NUMBERS, [1.0, math.nan, 3.0]),
        (CITY, TEXTS, ["a", "", "ö"]),
        (CITY, NUMBERS, ["1", "", "3"]),
        (CITY, FLAGS, ["true", "", "false"]),
        (FLAG, FLAGS, [1.0, math.nan, 0.0]),
        (DATE, MOMENTS, [-305_119_800, MISSING_DATE_S, 1_709_164_800]),
    ],
)
def test_every_library_gives_the_same_tensor(column: InputColumn, cells: list[Any], expected: list[Any]) -> None:
    holders = {
        "list": cells,
        "tuple": tuple(cells),
        "polars": pl.Series(cells),
        "numpy objects": np.array(cells, dtype=object),
        "pandas": pd.Series(cells),
        "pandas nullable": pd.Series(cells).convert_dtypes(),
        "pyarrow": pa.chunked_array([cells]),
    }
    for name, holder in holders.items():
        tensor = build_tensor(column, holder)
        assert tensor.shape == (3, 1), name
        np.testing.assert_array_equal(tensor.ravel(), np.array(expected, dtype=tensor.dtype), err_msg=name)


def test_polars_types_of_a_category_or_a_date_do_not_matter() -> None:
    for dtype in (pl.String, pl.Categorical, pl.Enum(["a", "b"])):
        assert build_tensor(CITY, pl.Series(["b", None, "a"], dtype=dtype)).ravel().tolist() == ["b", "", "a"]
    for unit in ("ms", "us", "ns"):
        series = pl.Series(MOMENTS).cast(pl.Datetime(unit))
        assert build_tensor(DATE, series).ravel().tolist() == [-305_119_800, MISSING_DATE_S, 1_709_164_800]
    zoned = pl.Series(MOMENTS).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("Asia/Tokyo")
    assert build_tensor(DATE, zoned).ravel().tolist() == [-305_119_800, MISSING_DATE_S, 1_709_164_800]
    assert build_tensor(DATE, pl.Series(MOMENTS).cast(pl.Date)).ravel().tolist()[2] == 1_709_164_800


def test_dates_beyond_the_calendar_of_python_are_taken() -> None:
    far = pl.Series([4_000_000_000_000_000_000, -4_000_000_000_000_000_000]).cast(pl.Datetime("us"))
    assert build_tensor(DATE, far).ravel().tolist() == [4_000_000_000_000, -4_000_000_000_000]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        (NUMBER, "12 EUR secret"),
        (NUMBER, "yes"),
        (NUMBER, [1]),
        (NUMBER, 10**400),
        (NUMBER, decimal.Decimal("sNaN")),
        (FLAG, "secret maybe"),
        (DATE, "secret 31.12.2024"),
        (DATE, 20_241_231),
        (DATE, True),
    ],
)
def test_a_cell_that_makes_no_sense_is_named_by_row_and_column_and_never_quoted(column: InputColumn, cell: Any) -> None:
    with pytest.raises(SkiffError) as caught:
        build_tensor(column, [None, None, cell, None])
    assert caught.value.code == "bad_value"
    assert caught.value.where == {"column": "x", "row": 3}
    assert "secret" not in str(caught.value)
    assert "more" not in caught.value.what


def test_all_bad_cells_of_a_column_are_counted() -> None:
    with pytest.raises(SkiffError, match="and so is one more"):
        build_tensor(NUMBER, ["a", 1, "b"])
    with pytest.raises(SkiffError, match="and so are 1,199 more"):
        build_tensor(NUMBER, ["a"] * 1_200)


def test_all_missing_columns_are_named_at_once() -> None:
    inputs = [InputColumn(name=name, kind="number") for name in ("nights", "rate", "fee")]
    with pytest.raises(SkiffError) as caught:
        build_tensors(inputs, pl.DataFrame({"nights": [1]}))
    assert caught.value.code == "missing_column"
    assert "'rate', 'fee'" in caught.value.what


def test_columns_of_different_lengths_are_refused() -> None:
    inputs = [InputColumn(name=name, kind="number") for name in ("nights", "rate")]
    with pytest.raises(SkiffError) as caught:
        build_tensors(inputs, {"nights": [1, 2], "rate": [1]})
    assert caught.value.code == "uneven_columns"
