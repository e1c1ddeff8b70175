"""A random table, written as a client would, comes back as it was, or a finding says what could not be known."""

from __future__ import annotations

import datetime as dt
import math
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from messy import SLIP, Column, Messy, Value, messy_files

from skiff.core.finding import Finding
from skiff.flows.read import ReadTable, read_table

EXAMPLES = int(os.environ.get("SKIFF_EXAMPLES", "40"))


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
    if read.frame.height != len(keep):
        yield f"{read.frame.height} rows instead of {len(keep)}"
        return
    for name, column in zip(names, messy.columns, strict=True):
        about = [finding for finding in read.findings if name in finding.columns]
        yield from find_column_losses(name, column, read.frame[name], keep, about)


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
    elif is_asked_decimal(about):
        return
    for row, (expected, found, cell) in enumerate(zip(truth, read, written, strict=True), start=1):
        if not is_equal(expected, found) and not (
            expected is None
            and found == cell
            and "reading.level_kept" in codes | {"reading.level_kept"}
            and not set(cell) - set("NA/n-?UL#")
        ):
            yield f"{name} ({column.form}) row {row}: {found!r} instead of {expected!r}, written {cell!r}, told {sorted(codes)}"
            return


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


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False
)
@given(messy_files())
def test_random_tables_come_back_from_any_dialect_or_a_finding_says_why_not(messy: Messy) -> None:
    losses = list(find_losses(messy, read_messy(messy)))
    assert not losses, f"{losses}\n{messy.writing}\n{messy.show()}"
