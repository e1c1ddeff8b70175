"""Hold many rows against a contract: whole columns are cleared at once, and only what cannot be is looked at row by row.

Loads no frame or number library: a server starts quickly, and the cells of JSON are Python's own.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from skiff.core.sheet import Sheet
from skiff.data.contract.rules import Contract, Rule, year_of
from skiff.data.contract.single import Breach, Row, Test, compile_rule, describe_rule

TableChecker: TypeAlias = Callable[[Sequence[Row]], "dict[int, list[Breach]]"]

_EMPTY = type(None)
_NUMBERS = frozenset({int, float, _EMPTY})
_COUNTABLE = (frozenset({str, _EMPTY}), frozenset({bool, _EMPTY}))
"""Types of columns whose different cells can be counted; of mixed ones they cannot: True, 1 and 1.0 are one key."""

LARGEST = 1e300
"""Numbers beyond are left to the test of a single row, which knows the integers that are too large for a double."""


def compile_contract_for_tables(contract: Contract, *, now: Callable[[], float] | None = None) -> TableChecker:
    """Return a function that lists what each of many rows breaks, the same as `compile_contract` row by row.

    Parameters
    ----------
    contract : Contract
    now : callable, optional
        As in `compile_contract`.

    Returns
    -------
    callable
        ``check(rows) -> dict``: place of a row to its breaches; rows that break nothing are not in it.

    Notes
    -----
    A column of numbers is cleared by its smallest and largest, one of texts or of yes and no by its different cells: 0.02 to
    0.1 µs a row and rule where nothing is broken. A rule that is broken somewhere, that compares columns (except numbers in
    order) or whose columns hold cells of several types costs what it costs row by row.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=400, rules=(
    ...     Rule(kind="minimum", columns=("price",), low=0.0, n=400),))
    >>> check = compile_contract_for_tables(agreed)
    >>> [(place, breaches[0].what) for place, breaches in check([{"price": 80}, {"price": -5}]).items()]
    [(1, "'price' is never negative.")]
    """
    tests = [
        (test, _compile_clear(rule, test, now), describe_rule(rule))
        for rule in contract.in_force
        if (test := compile_rule(rule, now)) is not None
    ]

    def check(rows: Sequence[Row]) -> dict[int, list[Breach]]:
        table = _Table(rows)
        broken: dict[int, list[Breach]] = {}
        for test, is_clear, breach in tests:
            if is_clear(table):
                continue
            for place, row in enumerate(rows):
                if test(row):
                    broken.setdefault(place, []).append(breach)
        return broken

    return check


class _Column:
    """The cells of one column; None where a row does not have it."""

    def __init__(self, cells: Sequence[Any]) -> None:  # Any: cells of any library or of JSON
        self.cells = cells
        self.kinds = set(map(type, cells))

    @cached_property
    def different(self) -> set[Any] | None:  # Any: texts, or yes and no
        """Its different cells; None where they cannot be counted."""
        return set(self.cells) if any(self.kinds <= kinds for kinds in _COUNTABLE) else None

    @cached_property
    def ends(self) -> tuple[float, float] | None:
        """Its smallest and largest number; None where it holds something else, or numbers that do not compare."""
        if not self.kinds <= _NUMBERS:
            return None
        known = self.cells if _EMPTY not in self.kinds else [cell for cell in self.cells if cell is not None]
        if not known:
            return 0.0, 0.0
        if float in self.kinds and any(map(operator.ne, known, known)):  # NaN compares with nothing
            return None
        low, high = min(known), max(known)
        return (low, high) if low >= -LARGEST and high <= LARGEST else None


class _Table:
    """Rows, turned into columns as rules ask for them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._columns: dict[str, _Column] = {}

    def read(self, name: str) -> _Column:
        found = self._columns.get(name)
        if found is None:
            cells = self.rows.read(name) if isinstance(self.rows, Sheet) else None
            found = self._columns[name] = _Column([row.get(name) for row in self.rows] if cells is None else cells)
        return found

    def has_all(self, name: str) -> bool:
        if isinstance(self.rows, Sheet):
            return name in self.rows.names or not self.rows
        return _EMPTY not in self.read(name).kinds or all(name in row for row in self.rows)


Clear: TypeAlias = Callable[[_Table], bool]
Bounds: TypeAlias = Callable[[float, float, _Column], bool]


def _compile_clear(rule: Rule, test: Test, now: Callable[[], float] | None) -> Clear:
    """Return a function that is true only where no row breaks the rule."""
    name = rule.columns[0]
    if rule.kind == "present":
        return lambda table: table.has_all(name)
    if rule.kind == "order":
        return lambda table: _is_in_order(table.read(name), table.read(rule.columns[1]))
    if len(rule.columns) > 1:
        return lambda table: not table.rows
    is_within = _compile_bounds(rule, now)

    def is_clear(table: _Table) -> bool:
        column = table.read(name)
        if column.different is not None:
            return not any(test({name: cell}) for cell in column.different)
        ends = column.ends
        return ends is not None and is_within(*ends, column)

    return is_clear


def _is_in_order(first: _Column, second: _Column) -> bool:
    if first.ends is None or second.ends is None or _EMPTY in first.kinds | second.kinds:
        return False
    return all(map(operator.le, first.cells, second.cells))


def _compile_bounds(rule: Rule, now: Callable[[], float] | None) -> Bounds:  # noqa: PLR0911  one return a kind of rule
    """Return a function that is true only where a column of numbers between two ends, empty cells aside, breaks nothing."""
    if rule.kind == "missing":
        return lambda _low, _high, column: _EMPTY not in column.kinds
    if rule.kind in ("levels", "form"):
        return lambda _low, _high, _column: True  # asked of texts only
    if rule.kind == "past" and now is not None:
        clock = now
        return lambda _low, high, _column: high <= (year_of(clock()) if rule.word == "year" else clock())
    if rule.kind == "type":
        if rule.word == "yes_no":
            return lambda _low, _high, column: {0, 1, None}.issuperset(column.cells)
        return lambda _low, _high, column: rule.word != "whole" or _is_whole(column)
    if rule.kind in ("minimum", "maximum", "scale"):
        least = rule.low if rule.kind != "maximum" and rule.low is not None else -math.inf
        most = rule.high if rule.kind != "minimum" and rule.high is not None else math.inf
        is_whole = rule.kind == "scale" and rule.word != "share"
        return lambda low, high, column: least <= low and high <= most and (not is_whole or _is_whole(column))
    return lambda _low, _high, _column: False


def _is_whole(column: _Column) -> bool:
    return float not in column.kinds or (column.kinds == {float} and all(map(float.is_integer, column.cells)))
