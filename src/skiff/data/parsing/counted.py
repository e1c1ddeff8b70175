"""Dates written as whole numbers: 20150131, seconds since 1970, days of a spreadsheet."""

from __future__ import annotations

import re

import polars as pl

DAY_NUMBERS = (19_000_101, 21_001_231)
"""YYYYMMDD of two centuries."""

PROVEN_DAYS = 20
"""Different numbers that are all real days between 1900 and 2100: of random eight-digit numbers 1 in 1,230 is one."""

SECONDS = (315_532_800, 4_102_444_800)
"""1980 to 2100 in seconds since 1970."""

SHEET_DAYS = (18_264, 73_050)
"""1950 to 2099 in days of a spreadsheet."""

SHEET_ZERO = -25_569
"""Day 0 of a spreadsheet in days since 1970: 1899-12-30, because Excel counts a 29 February 1900 (ECMA-376-1 §18.17.4.1)."""

_ABOUT_TIME = re.compile(
    r"(?:^|[^a-z])(?:date|datum|fecha|timestamp|time|datetime|epoch|ts|created|updated|modified|zeitpunkt|zeit|at|on)(?:$|[^a-z])"
)
_ABOUT_DAYS = re.compile(r"(?:^|[^a-z])(?:date|datum|fecha|day|tag)(?:$|[^a-z])")


def find_counted_dates(name: str, values: pl.Series) -> str:
    """Return how the whole numbers of a column count time (``day``, ``s``, ``ms``, ``excel``), or an empty string.

    Years-months-days prove themselves; the other two are believed only where the header speaks of time as well.

    Examples
    --------
    >>> find_counted_dates("created_at", pl.Series([1577836800, 1577923200]))
    's'
    >>> find_counted_dates("salary", pl.Series([43831, 43832]))
    ''
    """
    low, high = values.min(), values.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return ""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if DAY_NUMBERS[0] <= low and high <= DAY_NUMBERS[1]:
        distinct = values.drop_nulls().unique()
        is_enough = len(distinct) >= PROVEN_DAYS or _ABOUT_TIME.search(words)
        return "day" if is_enough and not parse_counted(distinct.cast(pl.String), "day").null_count() else ""
    if not _ABOUT_TIME.search(words):
        return ""
    if SECONDS[0] <= low and high <= SECONDS[1]:
        return "s"
    if SECONDS[0] * 1000 <= low and high <= SECONDS[1] * 1000:
        return "ms"
    return "excel" if _ABOUT_DAYS.search(words) and SHEET_DAYS[0] <= low and high <= SHEET_DAYS[1] else ""


def parse_counted(cells: pl.Series, unit: str) -> pl.Series:
    """Return numbers written as text as dates; cells that are no number are null.

    Examples
    --------
    >>> [str(day) for day in parse_counted(pl.Series(["43831", "x"]), "excel").to_list()]
    ['2020-01-01', 'None']
    """
    if unit == "day":
        return cells.str.strip_chars().str.to_date("%Y%m%d", strict=False)
    numbers = cells.cast(pl.Int64, strict=False)
    if unit == "excel":
        return (numbers + SHEET_ZERO).cast(pl.Int32, strict=False).cast(pl.Date)
    micros = numbers * (1_000 if unit == "ms" else 1_000_000)
    return micros.cast(pl.Datetime("us"))
