"""Hold single rows against a contract, fast enough to stand in front of a model. Loads no frame or number library."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from skiff.core.numerals import read_plain_number
from skiff.data.contract.rules import CODES, DAY_S, DUST, Contract, Rule, year_of
from skiff.data.contract.say import say_rule
from skiff.data.forms import FORMS, has_form

Row: TypeAlias = Mapping[str, Any]  # Any: cells of any library or of JSON
Test: TypeAlias = Callable[[Row], bool]
Checker: TypeAlias = Callable[[Row], "list[Breach]"]

UNIX = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
YES_NO = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f", "1", "0"})
"""Words that a released model takes for yes or no in a single row."""
LETTERS, DIGITS = re.compile(r"[^\W\d_]"), re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that one row breaks: the finding's code, the columns, the agreed sentence; never a cell."""

    code: str
    columns: tuple[str, ...]
    what: str
    is_confirmed: bool


def compile_contract(contract: Contract, *, now: Callable[[], float] | None = None) -> Checker:
    """Return a function that lists what one row breaks: for a server, before it answers, or for a monitor.

    Parameters
    ----------
    contract : Contract
        Restrict it to the columns that rows will have (`Contract.restrict_to`); from a release's manifest:
        ``build_contract(manifest["contract"])``.
    now : callable, optional
        Gives the present in seconds since 1970-01-01; without it nothing is said of dates in the future.

    Returns
    -------
    callable
        ``check(row: Mapping) -> list[Breach]``, empty where all is as agreed. A column that is not in the row, null, NaN
        or an empty text is an empty cell. Dates are ISO texts, ``date``, ``datetime`` or seconds since 1970-01-01.

    Notes
    -----
    What takes several rows to see (a key that comes twice, the share of empty cells) is not asked. No regular expression
    grows faster than its text. About 0.3 µs a rule.

    Examples
    --------
    >>> agreed = Contract(name="stays", columns=("price",), rows=400, rules=(
    ...     Rule(kind="minimum", columns=("price",), low=0.0, n=400),))
    >>> check = compile_contract(agreed)
    >>> [breach.what for breach in check({"price": -5})], check({"price": 80})
    (["'price' is never negative."], [])
    """
    tests = [(test, describe_rule(rule)) for rule in contract.in_force if (test := compile_rule(rule, now)) is not None]

    def check(row: Row) -> list[Breach]:
        return [breach for test, breach in tests if test(row)]

    return check


def describe_rule(rule: Rule) -> Breach:
    """Return what is said of a row that breaks the rule."""
    return Breach(
        code=CODES[rule.kind], columns=rule.columns, what=say_rule(rule), is_confirmed=rule.status == "confirmed"
    )


def compile_rule(rule: Rule, now: Callable[[], float] | None) -> Test | None:  # noqa: PLR0911  one return a family of rules
    """Return a test that is true where a row breaks the rule; None where one row cannot show it."""
    name = rule.columns[0]
    if rule.kind == "present":
        return lambda row: name not in row
    if rule.kind == "missing":
        return None if rule.high else lambda row: name in row and _is_empty(row[name])
    if rule.kind == "type":
        return _compile_type(name, rule.word)
    if rule.kind in ("minimum", "maximum", "scale", "past"):
        return _compile_limits(rule, now)
    if rule.kind == "levels":
        allowed = frozenset(rule.levels)
        return lambda row: isinstance(cell := row.get(name), str) and cell != "" and cell not in allowed
    if rule.kind == "form":
        return lambda row: isinstance(cell := row.get(name), str) and cell != "" and not _has_form(cell, rule.word)
    if rule.kind in ("order", "sum", "product", "days"):
        return _compile_relation(rule)
    return None


def _compile_type(name: str, word: str) -> Test:
    def test(row: Row) -> bool:
        cell = row.get(name)
        if _is_empty(cell):
            return False
        if word in ("words", "text"):
            return not isinstance(cell, (str, int, float))  # a runtime writes numbers out as the words they are
        if word == "yes_no" and isinstance(cell, str) and cell.strip().lower() in YES_NO:
            return False
        number = to_number(cell, is_date=word in ("date", "time"))
        if math.isnan(number):
            return True
        if word == "whole":
            return number % 1.0 != 0.0
        return word == "yes_no" and number not in (0.0, 1.0)

    return test


def _compile_limits(rule: Rule, now: Callable[[], float] | None) -> Test | None:
    name, is_date = rule.columns[0], rule.word == "date"
    low = rule.low if rule.kind in ("minimum", "scale") and rule.low is not None else -math.inf
    high = rule.high if rule.kind in ("maximum", "scale") and rule.high is not None else math.inf
    if rule.kind == "past":
        if now is None:
            return None
        clock = now
        if rule.word == "year":
            return lambda row: to_number(row.get(name)) > year_of(clock())
        return lambda row: to_number(row.get(name), is_date=True) > clock()
    is_whole = rule.kind == "scale" and rule.word != "share"

    def test(row: Row) -> bool:
        number = to_number(row.get(name), is_date=is_date)
        return number < low or number > high or (is_whole and number % 1.0 != 0.0 and not math.isnan(number))

    return test


def _compile_relation(rule: Rule) -> Test:
    first, *others = rule.columns
    tolerance = rule.high or 0.0
    if rule.kind == "order":
        is_date, second = rule.word == "date", others[0]
        return lambda row: to_number(row.get(first), is_date=is_date) > to_number(row.get(second), is_date=is_date)

    def test(row: Row) -> bool:
        total = to_number(row.get(first))
        parts = [to_number(row.get(name), is_date=rule.kind == "days") for name in others]
        if rule.kind == "sum":
            known = [part for part in parts if not math.isnan(part)]
            made = sum(known) if known else math.nan
        elif rule.kind == "product":
            made = math.prod(parts)
        else:
            made = parts[1] // DAY_S - parts[0] // DAY_S
        return abs(total - made) > tolerance + DUST * abs(total)  # NaN compares false, as it should

    return test


def to_number(cell: Any, *, is_date: bool = False) -> float:  # noqa: ANN401  a cell of JSON or of any library
    """Return a cell as a number (a date as seconds since 1970-01-01), NaN where it is none.

    Examples
    --------
    >>> to_number(3), to_number("1970-01-02", is_date=True), to_number("soon")
    (3.0, 86400.0, nan)
    """
    if isinstance(cell, (int, float)):
        return float(cell) if not isinstance(cell, int) or abs(cell) < 2**1000 else math.nan
    if isinstance(cell, str):
        cell = _read_date(cell) if is_date else read_plain_number(cell)
    if isinstance(cell, dt.datetime):
        return ((cell if cell.tzinfo else cell.replace(tzinfo=dt.UTC)) - UNIX).total_seconds()
    if isinstance(cell, dt.date):
        return (cell - UNIX.date()).days * DAY_S
    return float(cell) if hasattr(cell, "__float__") else math.nan


def _read_date(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _is_empty(cell: Any) -> bool:  # noqa: ANN401  a cell of JSON or of any library
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _has_form(cell: str, word: str) -> bool:
    return has_form(cell, word) if word in FORMS else DIGITS.sub("9", LETTERS.sub("A", cell)) == word
