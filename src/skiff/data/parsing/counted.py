"""Dates written as numbers: 20150131, seconds since 1970, days of a spreadsheet."""

from __future__ import annotations

import re

import polars as pl

DAY_NUMBERS = (19_000_101, 21_001_231)
"""YYYYMMDD of two centuries."""

PROVEN_DAYS = 5
"""Different numbers that are all real days between 1900 and 2100: of random eight-digit numbers 1 in 1,230 is one, so five are
all days by chance in 1 of 10^15 columns; fewer may be numbers that count up."""

SECONDS = (315_532_800, 4_102_444_800)
"""1980 to 2100 in seconds since 1970."""

MICROS = 1_000_000
"""Microseconds in a second."""

PARTS_OF_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}

SHEET_DAYS = (18_264, 73_050)
"""1950 to 2099 in days of a spreadsheet."""

SHEET_ZERO = -25_569
"""Day 0 of a spreadsheet in days since 1970: 1899-12-30, because Excel counts a 29 February 1900 (ECMA-376-1 §18.17.4.1)."""

_ABOUT_TIME = re.compile(
    r"(?:^|[^a-z])(?:date|datum|fecha|timestamp|time|datetime|epoch|ts|created|updated|modified|zeitpunkt|zeit|at|on)(?:$|[^a-z])"
)
_ABOUT_DAYS = re.compile(r"(?:^|[^a-z])(?:date|datum|fecha|day|tag)(?:$|[^a-z])")


def is_about_time(name: str) -> bool:
    """Return whether the header `name` speaks of a point in time.

    Examples
    --------
    >>> is_about_time("createdAt"), is_about_time("salary")
    (True, False)
    """
    return _ABOUT_TIME.search(_to_words(name)) is not None


def _to_words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def find_counted_dates(name: str, values: pl.Series) -> str:
    """Return how the numbers of a column count time (``day``, ``s``, ``ms``, ``us``, ``ns``, ``excel``), or an empty string.

    Years-months-days prove themselves; the others are believed only where the header speaks of time as well. Parts of a
    second or of a spreadsheet's day may stand behind a point.

    Examples
    --------
    >>> find_counted_dates("created_at", pl.Series([1577836800, 1577923200]))
    's'
    >>> find_counted_dates("salary", pl.Series([43831, 43832]))
    ''
    """
    low, high = values.min(), values.max()
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        return ""
    is_whole = values.dtype.is_integer()
    if is_whole and DAY_NUMBERS[0] <= low and high <= DAY_NUMBERS[1]:
        distinct = values.drop_nulls().unique()
        is_enough = len(distinct) >= PROVEN_DAYS or is_about_time(name)
        return "day" if is_enough and not parse_counted(distinct.cast(pl.String), "day").null_count() else ""
    if not is_about_time(name):
        return ""
    for unit, parts in PARTS_OF_SECOND.items():
        if SECONDS[0] * parts <= low and high <= SECONDS[1] * parts and (is_whole or unit == "s"):
            return unit
    is_day = _ABOUT_DAYS.search(_to_words(name)) or not is_whole
    return "excel" if is_day and SHEET_DAYS[0] <= low and high <= SHEET_DAYS[1] else ""


def parse_counted(cells: pl.Series, unit: str) -> pl.Series:
    """Return numbers written as text as dates; cells that are no number are null.

    Examples
    --------
    >>> [str(day) for day in parse_counted(pl.Series(["43831", "x"]), "excel").to_list()]
    ['2020-01-01', 'None']
    >>> str(parse_counted(pl.Series(["43831.75"]), "excel")[0])
    '2020-01-01 18:00:00'
    """
    cells = cells.str.strip_chars()
    if unit == "day":
        return cells.str.to_date("%Y%m%d", strict=False)
    numbers = cells.cast(pl.Int64, strict=False)
    if numbers.null_count() != cells.null_count() and cells.str.contains(r"^\d+\.\d+$").any():
        return _parse_parts(cells.cast(pl.Float64, strict=False), unit)
    if unit == "excel":
        return (numbers + SHEET_ZERO).cast(pl.Int32, strict=False).cast(pl.Date)
    parts = PARTS_OF_SECOND[unit]
    micros = numbers * (MICROS // parts) if parts <= MICROS else numbers // (parts // MICROS)
    return micros.cast(pl.Datetime("us"))


def _parse_parts(numbers: pl.Series, unit: str) -> pl.Series:
    """Return seconds, or days of a spreadsheet, with parts behind the point: to the thousandth of a second, as a sheet shows."""
    seconds = (numbers + SHEET_ZERO) * 86_400.0 if unit == "excel" else numbers
    return ((seconds * 1_000.0).round() * 1_000.0).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
