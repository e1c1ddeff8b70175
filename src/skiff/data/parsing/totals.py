"""Rows that only add up other rows: found by their label, proven by their sums, never counted twice."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from skiff.data.parsing.cells import look_at
from skiff.data.parsing.columns import parse_column, take_sample
from skiff.data.parsing.numbers import find_thousands
from skiff.data.parsing.reading import ColumnReading

LABEL = (
    r"(?i)^\W*(?:(?:grand|sub|net|overall|gross|running|sous|zwischen|gesamt)[\s-]*)?"
    r"(?:totals?|totale[sn]?|totaux|totaal|sums?|summen?|summe|gesamt|ergebnis|insgesamt|suma|soma|somma|somme|итого|всего|celkem|razem|"
    r"yhteensä|summa|averages?|means?|durchschnitt|mittelwert|moyenne|promedio|合计|总计|合計|総計|小計|小计|합계|총계)(?:\W.*)?$"
)
"""How people label such a row, in a dozen languages."""

_LABEL = re.compile(LABEL)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}([.,])\d{3}(?:\1\d{3})*(?![\d.,])")
_AVERAGE = re.compile(r"(?i)^\W*(?:averages?|means?|durchschnitt|mittelwert|moyenne|promedio)")

LONGEST_LABEL = 40
LABEL_COLUMNS = 3
"""A label stands in one of the first columns."""

MOST_CANDIDATES = 2_000
MOST_STARTS = 40
"""Earlier totals from which a sum may run: groups in groups, of a report that a person can still read."""

LEAST_BROTHERS = 2
"""Proven totals of the same label and look that vouch for one without proof; one is enough where it repeats the only number
since the last total: a sum of one row, which by itself may be chance."""

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
    is_short = frame.height <= TAIL_ROWS
    for name in frame.columns[:LABEL_COLUMNS]:
        cells = frame.get_column(name)
        if not is_short and not any(look_at(cell) == "text" for cell in take_sample(cells.drop_nulls())):
            continue
        suspects = cells.str.contains(LABEL).arg_true()
        if len(suspects) <= MOST_CANDIDATES:
            found |= {int(at) for at in suspects if _is_label(cells[int(at)])}
    start = max(0, frame.height - TAIL_ROWS)
    for offset, row in enumerate(frame.tail(TAIL_ROWS).rows()):
        label = next((cell for cell in row if (cell or "").strip()), None)
        if _is_label(label):
            found.add(start + offset)
    return sorted(at for at in found if _is_first(frame.row(at)))


def _is_label(cell: str | None) -> bool:
    return cell is not None and len(cell.encode()) <= LONGEST_LABEL and _LABEL.match(cell) is not None


def _is_first(row: Sequence[str | None]) -> bool:
    """Return whether the first filled cell of a row is a label."""
    return _is_label(next((cell for cell in row if (cell or "").strip()), None))


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
    A candidate counts as a total if at least half of its numbers are the sums of the rows above it: of all, or of those since
    an earlier total (so that sums of sums are found too); or the means, under such a label. A row that fills all the usual
    words needs two such numbers: a product named "Total" that sold as much as the two before it keeps its row. Without proof
    a candidate is a total only where it stands at the end and fills at most half of the usual cells, or where at least two
    others with the very same label are proven and it fills no more than they (one, where it is the sum of a single row).

    Examples
    --------
    >>> table = pl.DataFrame({"shop": ["N", "S", "Sum", "W", "E", "Sum"], "sales": ["5", "7", "12", "9", "2", "11"]})
    >>> typed = pl.DataFrame({"shop": ["N", "S", "W", "E"], "sales": [5, 7, 9, 2]})
    >>> kinds = {"shop": ColumnReading(kind="text"), "sales": ColumnReading(kind="number")}
    >>> [total.at for total in judge_totals(table, typed, [2, 5], kinds)]
    [2, 5]
    """
    numbers = [name for name, reading in readings.items() if reading.kind == "number" and not reading.epoch]
    words = [name for name in frame.columns if name not in numbers]
    sums = _Sums(typed, numbers)
    at_end = _find_run_at_end(frame.height, candidates)
    usual, usual_words = _count_usual(frame, candidates), _count_usual(frame.select(words), candidates)
    judged: dict[int, TotalsRow] = {}
    lone: set[int] = set()
    starts = [0]
    for index, at in enumerate(candidates):
        stop = at - index  # rows above that are not candidates
        row = frame.row(at, named=True)
        needed = 2 if usual_words > 1 and _count_cells(row, words) >= usual_words else 1
        start = _find_proven_start(sums, row, starts, stop, readings=readings, needed=needed)
        filled = _count_cells(row, frame.columns)
        if start is not None:
            judged[at] = TotalsRow(at=at, is_proven=True, is_part=start > 0)
        elif at in at_end and filled <= max(2, usual / 2) and filled < usual and stop > 1:
            judged[at] = TotalsRow(at=at, is_proven=False)
        elif _find_proven_start(sums, row, starts[-1:], stop, readings=readings, needed=1, least=1) is not None:
            lone.add(at)
        starts = [0, *[other for other in starts[-MOST_STARTS:] if 0 < other < stop], stop]
    return _add_brothers(frame, candidates, judged, words, lone=lone)


def _find_proven_start(
    sums: _Sums,
    row: Mapping[str, str | None],
    starts: list[int],
    stop: int,
    *,
    readings: Mapping[str, ColumnReading],
    needed: int,
    least: int = 2,
) -> int | None:
    """Return the first of the rows (above row `stop`) that `row` adds up, `least` of them filled; None where no start fits."""
    shown = {name: value for name in sums.names if (value := _parse_cell(row[name], readings[name])) is not None}
    is_average = any(_AVERAGE.match(cell or "") for cell in row.values())
    for start in dict.fromkeys([*([0] if least > 1 else []), *reversed(starts)]):
        matches = sums.count_matches(shown, start, stop, row=row, is_average=is_average, least=least)
        if shown and matches >= max(needed, len(shown) / 2):
            return start
    return None


def _add_brothers(
    frame: pl.DataFrame,
    candidates: list[int],
    judged: Mapping[int, TotalsRow],
    words: Sequence[str],
    *,
    lone: Collection[int],
) -> list[TotalsRow]:
    """Return the totals with those that look the same and could not be proven: sums of a single row (`lone`), or of none."""
    looks = {at: tuple((frame.item(at, name) or "").strip() for name in words) for at in candidates}
    proven = Counter(looks[at] for at, total in judged.items() if total.is_proven)
    others = [
        at for at in candidates if at not in judged and proven[looks[at]] >= (1 if at in lone else LEAST_BROTHERS)
    ]
    return sorted(
        [*judged.values(), *[TotalsRow(at=at, is_proven=False, is_part=True) for at in others]],
        key=lambda total: total.at,
    )


class _Sums:
    """Sums and counts of the numbers in any run of rows."""

    def __init__(self, typed: pl.DataFrame, names: Sequence[str]) -> None:
        self.names = list(names)
        columns = [typed.get_column(name).cast(pl.Float64) for name in names]
        self._sums = {name: _accumulate(column.fill_null(0.0)) for name, column in zip(names, columns, strict=True)}
        self._counts = {
            name: _accumulate(column.is_not_null().cast(pl.Float64))
            for name, column in zip(names, columns, strict=True)
        }

    def count_matches(
        self,
        shown: Mapping[str, float],
        start: int,
        stop: int,
        *,
        row: Mapping[str, str | None],
        is_average: bool,
        least: int = 2,
    ) -> int:
        """Return how many of the numbers `shown` in `row` are the sums (or means) of `least` or more rows from `start` to `stop`."""
        matches = 0
        for name, value in shown.items():
            count = self._counts[name][stop] - self._counts[name][start]
            if count < least or value == 0:
                continue
            expected = (self._sums[name][stop] - self._sums[name][start]) / (count if is_average else 1)
            cell = row[name] or ""
            decimals = len(re.split(r"[.,]", cell)[-1]) if re.search(r"[.,]\d{1,2}\D*$", cell) else 0
            tolerance = max(0.5 * 10.0**-decimals if decimals else 0.5, RELATIVE_ERROR * abs(expected))
            matches += math.isclose(value, expected, rel_tol=0.0, abs_tol=tolerance * 1.01)
        return matches


def _accumulate(values: pl.Series) -> list[float]:
    return [0.0, *values.cum_sum().to_list()]


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
    sums = _Sums(typed, list(numbers))
    return sums.count_matches(numbers, 0, typed.height - 1, row=row, is_average=False) == len(numbers)


def _find_run_at_end(height: int, candidates: list[int]) -> set[int]:
    run: set[int] = set()
    for at in reversed(candidates):
        if at != height - 1 - len(run):
            break
        run.add(at)
    return run


def _count_cells(row: Mapping[str, str | None], names: Sequence[str]) -> int:
    return sum(bool((row[name] or "").strip()) for name in names)


def _count_usual(frame: pl.DataFrame, candidates: list[int]) -> int:
    known = set(candidates)
    others = [row for at, row in enumerate(frame.head(100 + len(candidates)).rows()) if at not in known]
    counts = sorted(sum(bool((cell or "").strip()) for cell in row) for row in others)
    return counts[len(counts) // 2] if counts else 0


def _parse_cell(cell: str | None, reading: ColumnReading) -> float | None:
    if not (cell or "").strip():
        return None
    cells = pl.Series([cell])
    decimal = reading.decimal
    if reading.is_integer and (grouped := _GROUPED.search(cell or "")):
        decimal = (
            "," if grouped[1] == "." else "."
        )  # whole numbers add up to a whole number: the mark stands between thousands
    loose = ColumnReading(
        kind="number", decimal=decimal, currency=reading.currency, unit=reading.unit, percent=reading.percent,
        thousands=reading.thousands or find_thousands(cells, decimal),  # a sum may be the first number that needs one
    )  # fmt: skip
    value = parse_column(cells, loose).to_list()[0]
    return None if value is None else float(value)
