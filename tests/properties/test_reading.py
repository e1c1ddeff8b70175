"""A random table, written as a client would, comes back as it was, or a finding says what could not be known.

What could not be known is one of: the encoding, where a warning names the true one among those that fit as well (a lone short
word in a legacy encoding); a decimal mark, where the person is asked; a column kept as text, where a finding says so.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messy import SLIP, Column, Messy, Value, messy_files

from skiff.core.finding import Finding
from skiff.data.parsing.columns import decide_column
from skiff.data.parsing.counted import PROVEN_DAYS
from skiff.data.parsing.plain import read_plain_columns
from skiff.flows.read import ReadTable, read_table

EXAMPLES = int(os.environ.get("SKIFF_EXAMPLES", "0"))
"""Asked for, so many examples are drawn at random (``--hypothesis-seed`` makes them repeatable); else the same 40 each time."""


def read_messy(messy: Messy) -> ReadTable:
    """Read the bytes through the same door as a client's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(messy.data)
        return read_table(path)


def find_losses(messy: Messy, read: ReadTable) -> Iterator[str]:
    """Yield every difference between the truth and what was read that no finding tells."""
    keep = [at for at in range(messy.n_rows) if any(column.cells[at].strip() for column in messy.columns)]
    names = messy.names
    if is_encoding_asked(messy, read):
        return
    if read.frame.columns != names:
        yield f"columns {read.frame.columns} instead of {names}"
        return
    if read.frame.height == len(keep) + 1 and messy.writing.totals and is_total_asked(read):
        return
    if read.frame.height != len(keep):
        yield f"{read.frame.height} rows instead of {len(keep)}"
        return
    for name, column in zip(names, messy.columns, strict=True):
        about = [finding for finding in read.findings if name in finding.columns]
        yield from find_column_losses(name, column, read.frame[name], keep, about)


def is_total_asked(read: ReadTable) -> bool:
    """Return whether the person is asked about a last row whose amounts, in a column kept as text, could not be added up."""
    is_asked = any(item.code == "reading.totals_row" and item.action == "kept" for item in read.findings)
    return is_asked and any(item.code == "reading.kept_as_text" for item in read.findings)


def is_encoding_asked(messy: Messy, read: ReadTable) -> bool:
    """Return whether the true encoding is named among those that fit as well: a few letters cannot tell more."""
    found = [finding for finding in read.findings if finding.code == "reading.encoding" and finding.severity == "warn"]
    return any(messy.writing.encoding in finding.evidence.get("rivals", ()) for finding in found)


def find_column_losses(
    name: str, column: Column, series: pl.Series, keep: list[int], about: list[Finding]
) -> Iterator[str]:
    """Yield what is wrong in one column."""
    codes = {finding.code for finding in about}
    if column.told and column.told not in codes and (series.dtype != pl.String or column.kind == "text"):
        yield f"{name} ({column.form}): nothing tells {column.told}"
    read = series.to_list()
    written = [column.cells[at] for at in keep]
    truth = [column.values[at] for at in keep]
    if series.dtype == pl.String and column.kind != "text":
        if not codes & {"reading.kept_as_text", "reading.ambiguous_dates"}:
            yield f"{name} ({column.form}) is text and nothing says why"
        truth = [None if value is None and cell != SLIP else cell for value, cell in zip(truth, written, strict=True)]
    elif is_asked_decimal(about) or is_too_few_days(column, series, truth):
        return
    for row, (expected, found, cell) in enumerate(zip(truth, read, written, strict=True), start=1):
        if not is_equal(expected, found) and not (
            expected is None and found == cell and not set(cell) - set("NA/n-?UL#")
        ):
            yield f"{name} ({column.form}) row {row}: {found!r} instead of {expected!r}, written {cell!r}, told {sorted(codes)}"
            return


def is_too_few_days(column: Column, series: pl.Series, truth: list[Value]) -> bool:
    """Return whether days in one number (20220423) are left so few by gaps that they may be any numbers."""
    known = {value for value in truth if value is not None}
    return column.form == "%Y%m%d" and series.dtype.is_integer() and len(known) < PROVEN_DAYS


def is_asked_decimal(about: list[Finding]) -> bool:
    """Return whether the person is asked what a mark before three digits means."""
    return any(finding.code == "reading.decimal" and finding.action == "asked" for finding in about)


def is_equal(expected: Value, found: Value) -> bool:
    """Return whether a value came back: exactly, but for the last bit of a number."""
    if expected is None or found is None:
        return expected is found
    if isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        return math.isclose(expected, found, rel_tol=1e-15, abs_tol=0)
    if isinstance(expected, dt.datetime) and not isinstance(found, dt.datetime) and isinstance(found, dt.date):
        return expected == dt.datetime(found.year, found.month, found.day)
    return type(expected) is type(found) and expected == found


@pytest.mark.timeout(EXAMPLES or 300)  # a second an example at most
@settings(
    max_examples=EXAMPLES or 40,
    deadline=None,
    derandomize=not EXAMPLES,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
@given(messy_files())
def test_random_tables_come_back_from_any_dialect_or_a_finding_says_why_not(messy: Messy) -> None:
    losses = list(find_losses(messy, read_messy(messy)))
    assert not losses, f"{losses}\n{messy.writing}\n{messy.show()}"


NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.integers(0, 1).map(str),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.sampled_from(
        ["", "007", "+49", "-999", "1.500", "20240131", "1e5", "n/a", " 5", "0", "0.5", "-0.5", "-01", "5.", ".5"]
    ),
)


@settings(max_examples=(EXAMPLES or 60), deadline=None, derandomize=not EXAMPLES)
@given(
    st.sampled_from(["n", "price", "created_at", "day"]),
    st.lists(st.one_of(st.none(), st.integers(0, 99).map(str)), max_size=60),
    st.lists(NUMBERS, max_size=8),
)
def test_columns_read_together_are_decided_as_each_alone(name: str, cells: list[str | None], odd: list[str]) -> None:
    column = pl.Series(name, [cell or None for cell in [*cells, *odd]], dtype=pl.String)
    together = read_plain_columns(pl.DataFrame([column]), [name]).get(name)
    if together is not None:
        alone = decide_column(column)
        assert together.reading == alone.reading
        assert together.evidence == alone.evidence
        assert alone.values is not None
        assert together.values is not None
        assert together.values.equals(alone.values, check_dtypes=True)
