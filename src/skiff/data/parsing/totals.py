"""Rows that only add up other rows: found by their label, proven by their sums, never counted twice."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from skiff.data.parsing.cells import look_at
from skiff.data.parsing.columns import parse_column, take_sample
from skiff.data.parsing.reading import ColumnReading

LABEL = (
    r"(?i)^\W*(?:(?:grand|sub|net|overall|gross|running|sous|zwischen|gesamt)[\s-]*)?"
    r"(?:totals?|totale[sn]?|totaux|totaal|sums?|summen?|summe|gesamt|ergebnis|insgesamt|suma|soma|somma|somme|итого|всего|celkem|razem|"
    r"yhteensä|summa|averages?|means?|durchschnitt|mittelwert|moyenne|promedio|合计|总计|合計|総計|小計|小计|합계|총계)(?:\W.*)?$"
)
"""How people label such a row, in a dozen languages."""

_AVERAGE = re.compile(r"(?i)^\W*(?:averages?|means?|durchschnitt|mittelwert|moyenne|promedio)")

LONGEST_LABEL = 40
LABEL_COLUMNS = 3
"""A label stands in one of the first columns."""

MOST_CANDIDATES = 2_000
TAIL_ROWS = 40
RELATIVE_ERROR = 1e-6
"""Sums shown are rounded; half a cent a row at most, and never more than a millionth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsRow:
    """A row that adds up others.

    Parameters
    ----------
    at : int
        Row of the frame, from 0.
    is_proven : bool
        Whether its numbers are the sums (or means) of the rows above; else only its label and its place say so.
    is_part : bool
        Whether it adds up only the rows since the one before (a subtotal).
    """

    at: int
    is_proven: bool
    is_part: bool = False


def find_labelled_rows(frame: pl.DataFrame) -> list[int]:
    """Return the rows (from 0) whose first filled cell is labelled as a total, in the first columns.

    Examples
    --------
    >>> find_labelled_rows(pl.DataFrame({"shop": ["North", "South", "Total"], "sales": ["1", "2", "3"]}))
    [2]
    """
    found: set[int] = set()
    for place, name in enumerate(frame.columns):
        is_first = place < LABEL_COLUMNS
        if is_first:
            sample = take_sample(frame.get_column(name).drop_nulls())
            is_first = any(look_at(cell) == "text" for cell in sample) or frame.height <= TAIL_ROWS
        start = 0 if is_first else max(0, frame.height - TAIL_ROWS)
        cells = frame.get_column(name).slice(start)
        short = cells.str.len_bytes() <= LONGEST_LABEL
        suspects = (cells.str.contains(LABEL) & short).fill_null(value=False).arg_true()
        if len(suspects) > MOST_CANDIDATES:
            continue
        before = frame.columns[:place]
        found |= {start + int(at) for at in suspects if _is_blank_before(frame, start + int(at), before)}
    return sorted(found)


def _is_blank_before(frame: pl.DataFrame, at: int, before: list[str]) -> bool:
    return all(not (cell or "").strip() for cell in frame.select(before).row(at)) if before else True


def judge_totals(
    frame: pl.DataFrame, typed: pl.DataFrame, candidates: list[int], readings: Mapping[str, ColumnReading]
) -> list[TotalsRow]:
    """Return which candidates are totals.

    Parameters
    ----------
    frame : polars.DataFrame
        All rows as text, candidates included.
    typed : polars.DataFrame
        The other rows, typed, in the same order.
    candidates : list of int
        Rows of `frame`.
    readings : mapping of str to ColumnReading

    Notes
    -----
    A candidate counts as a total if at least half of its numbers are the sums of all rows above, or of those since the
    candidate before; or the means, under such a label. Without proof it does only where it stands at the end and fills
    at most half of the usual cells. A shop named "Total" keeps its row.
    """
    numbers = [name for name, reading in readings.items() if reading.kind == "number" and not reading.epoch]
    at_end = _find_run_at_end(frame.height, candidates)
    usual = _count_usual(frame, candidates)
    judged: list[TotalsRow] = []
    start = 0
    for index, at in enumerate(candidates):
        stop = at - index  # rows above that are not candidates
        row = frame.row(at, named=True)
        cells = {name: _parse_cell(row[name], readings[name]) for name in numbers}
        shown = {name: value for name, value in cells.items() if value is not None}
        is_average = any(_AVERAGE.match(cell or "") for cell in row.values())
        scopes = [(0, stop), (start, stop)]
        proofs = [
            _count_matches(typed, shown, scope, row, is_average=is_average) >= max(1, len(shown) / 2)
            for scope in scopes
        ]
        filled = sum(bool((cell or "").strip()) for cell in row.values())
        if shown and any(proofs):
            judged.append(TotalsRow(at=at, is_proven=True, is_part=not proofs[0]))
            start = stop
        elif at in at_end and filled <= max(2, usual / 2) and filled < usual and stop > 1:
            judged.append(TotalsRow(at=at, is_proven=False))
    return judged


def is_unlabelled_total(typed: pl.DataFrame, readings: Mapping[str, ColumnReading]) -> bool:
    """Return whether the last row has no words or dates at all and at least two numbers that are the sums above it.

    Examples
    --------
    >>> table = pl.DataFrame({"shop": ["N", "S", "W", None], "sales": [5, 7, 9, 21], "cost": [1, 2, 4, 7]})
    >>> kinds = {"shop": ColumnReading(kind="text"), "sales": ColumnReading(kind="number"), "cost": ColumnReading(kind="number")}
    >>> is_unlabelled_total(table, kinds)
    True
    """
    if typed.height < 4:  # noqa: PLR2004  three rows at least, or sums come about by chance
        return False
    last = typed.row(-1, named=True)
    words = [name for name, reading in readings.items() if reading.kind != "number"]
    numbers = {
        name: float(last[name])
        for name, reading in readings.items()
        if reading.kind == "number" and last[name] is not None
    }
    is_bare = bool(words) and all(last[name] is None for name in words)
    if not is_bare or len(numbers) < 2:  # noqa: PLR2004  one sum may be chance
        return False
    row = {name: str(value) for name, value in numbers.items()}
    return _count_matches(typed, numbers, (0, typed.height - 1), row, is_average=False) == len(numbers)


def _find_run_at_end(height: int, candidates: list[int]) -> set[int]:
    run: set[int] = set()
    for at in reversed(candidates):
        if at != height - 1 - len(run):
            break
        run.add(at)
    return run


def _count_usual(frame: pl.DataFrame, candidates: list[int]) -> int:
    others = [row for at, row in enumerate(frame.head(100 + len(candidates)).rows()) if at not in set(candidates)]
    counts = sorted(sum(bool((cell or "").strip()) for cell in row) for row in others)
    return counts[len(counts) // 2] if counts else 0


def _parse_cell(cell: str | None, reading: ColumnReading) -> float | None:
    if not (cell or "").strip():
        return None
    loose = ColumnReading(
        kind="number", decimal=reading.decimal, currency=reading.currency, unit=reading.unit, percent=reading.percent,
        thousands=reading.thousands or {",": ".", ".": ","}[reading.decimal],
    )  # fmt: skip
    value = parse_column(pl.Series([cell]), loose).to_list()[0]
    return None if value is None else float(value)


def _count_matches(
    typed: pl.DataFrame,
    shown: Mapping[str, float],
    scope: tuple[int, int],
    row: Mapping[str, str | None],
    *,
    is_average: bool,
) -> int:
    first, stop = scope
    count = 0
    for name, value in shown.items():
        above = typed.get_column(name).slice(first, stop - first).drop_nulls()
        if len(above) < 2 or value == 0:  # noqa: PLR2004  a sum of one row is that row
            continue
        expected = float(above.cast(pl.Float64).mean() if is_average else above.cast(pl.Float64).sum())  # type: ignore[arg-type]  # numbers have both
        decimals = len(re.split(r"[.,]", row[name] or "")[-1]) if re.search(r"[.,]\d{1,2}\D*$", row[name] or "") else 0
        tolerance = max(0.5 * 10.0**-decimals if decimals else 0.5, RELATIVE_ERROR * abs(expected))
        count += math.isclose(value, expected, rel_tol=0.0, abs_tol=tolerance * 1.01)
    return count
