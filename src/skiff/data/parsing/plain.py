"""Columns of plain numbers, many at a time: most columns of a wide table need no judging one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from skiff.data.parsing.columns import LEADING_ZERO, PHONE, SENTINEL, Decision
from skiff.data.parsing.counted import DAY_NUMBERS, is_about_time
from skiff.data.parsing.numbers import LONGEST_ID
from skiff.data.parsing.reading import ColumnReading

SAMPLE_ROWS = 50
"""Rows looked at first, spread over the table; what they suggest is then proven on every cell."""

_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_MAYBE_GROUPED = re.compile(r"-?[1-9]\d{0,2}\.\d{3}|-?\d+")


def read_plain_columns(body: pl.DataFrame, names: Sequence[str]) -> dict[str, Decision]:
    """Return the decisions about those columns of `body` in which every cell is a number beyond doubt.

    A column is left out where anything speaks against that (a code, a date counted as a number, a stand-in such as -999, a
    point that may group thousands): `skiff.data.parsing.columns.decide_column` then judges it alone. What is returned is
    what that function would have decided; here all columns are read by a handful of queries instead of several for each.

    Examples
    --------
    >>> table = pl.DataFrame({"n": ["1", None, "20"], "eur": ["0.5", "-12.25", "3"], "plz": ["01067", "20095", "1"]})
    >>> {name: decision.values.to_list() for name, decision in read_plain_columns(table, table.columns).items()}
    {'n': [1, None, 20], 'eur': [0.5, -12.25, 3.0]}
    """
    if not body.height or not names:
        return {}
    sample = body.select(names)[list(range(0, body.height, max(1, body.height // SAMPLE_ROWS)))]
    suspects = {series.name: _find_type(series) for series in sample.iter_columns()}
    wanted = {name: dtype for name, dtype in suspects.items() if dtype is not None and not is_about_time(name)}
    if not wanted:
        return {}
    made = body.select([pl.col(name).cast(dtype, strict=False) for name, dtype in wanted.items()])
    proven = [name for name in wanted if made[name].null_count() == body[name].null_count()]
    doubtful = _find_codes(body, proven) | _find_odd_values(made, proven)
    return {name: _decide(made[name]) for name in proven if name not in doubtful}


def _find_type(sample: pl.Series) -> type[pl.Int64 | pl.Float64] | None:
    """Return the type that all cells of a sample suggest; None where any is no plain number."""
    cells = sample.drop_nulls().to_list()
    if not cells or not all(map(_PLAIN.fullmatch, cells)):
        return None
    if not any("." in cell for cell in cells):
        return pl.Int64
    return None if all(map(_MAYBE_GROUPED.fullmatch, cells)) else pl.Float64


def _find_codes(body: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the columns in which a cell has a zero or a plus in front: first letters are compared before shapes are."""
    if not names:
        return set()
    first = body.select(pl.col(names).min()).row(0, named=True)
    low = [name for name in names if first[name] < "1"]
    signed = [name for name in low if first[name] < "0"]
    asked = [((pl.col(name) >= "00") & (pl.col(name) < "0:")).any() for name in low]
    shape = f"{LEADING_ZERO}|{PHONE}"
    odd = [pl.col(name).filter(pl.col(name) < "0").str.contains(shape).any() for name in signed]
    found: set[str] = set()
    for part, queries in ((low, asked), (signed, odd)):
        if part:
            answers = body.select(queries).row(0)
            found |= {name for name, answer in zip(part, answers, strict=True) if answer}
    return found


def _find_odd_values(made: pl.DataFrame, names: Sequence[str]) -> set[str]:
    """Return the columns whose values may stand for something else: ids, days, a missing value; or are no numbers at all."""
    if not names:
        return set()
    lows, highs = (made.select(query).row(0, named=True) for query in (pl.col(names).min(), pl.col(names).max()))
    schema = made.schema  # taken once: it is built anew each time
    floats = [name for name in names if schema[name] == pl.Float64]
    finite = made.select(pl.col(floats).is_finite().all()).row(0, named=True) if floats else {}
    found = set()
    for name in names:
        low, high = lows[name], highs[name]
        is_day = schema[name] == pl.Int64 and DAY_NUMBERS[0] <= low and high <= DAY_NUMBERS[1]
        is_long = max(abs(low), abs(high)) >= 10**LONGEST_ID
        if is_day or is_long or not finite.get(name, True) or SENTINEL.fullmatch(f"{low:.6g}"):
            found.add(name)
    return found


def _decide(values: pl.Series) -> Decision:
    is_integer = values.dtype == pl.Int64
    return Decision(
        reading=ColumnReading(kind="number", is_integer=is_integer),
        values=values,
        evidence="none" if is_integer else "dot",
    )
