"""Limits of numbers and dates: never negative, a scale from 1 to 5, never above, never in the future."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from skiff.data.contract.chance import MIN_EXPECTED, MIN_ROWS
from skiff.data.contract.rules import Rule
from skiff.data.contract.say import round_outwards
from skiff.data.facts import ColumnFacts
from skiff.data.headers import NEVER_NEGATIVE, says
from skiff.data.profile import look_up_quantiles

SIGNED = frozenset({
    "temp", "temperature", "temperatur", "change", "delta", "diff", "difference", "growth", "gain", "loss", "profit", "balance",
    "saldo", "net", "return", "returns", "score", "index", "lat", "latitude", "lon", "lng", "long", "longitude", "x", "y", "z",
    "deviation", "residual", "error", "trend", "gewinn", "veränderung",
})  # fmt: skip
"""Words for what may well be negative tomorrow though it was not so far; only a hard edge at zero speaks against them."""

NEAR_ZERO = 0.1
"""How near to zero, as a part of the median, values must lie to show that there is an edge."""

NEAR_ROWS = 12
"""Values that near. A quantity that passes through zero thins out slowly, so that at least a third of them would be below:
none is then a coincidence of (2/3)¹² = 0.8 %."""

SKEW = 1.5
"""How much longer the upper tail (median to 90 %) than the lower (10 % to median): the mark of what is measured from zero."""

MAX_SCALE = 31
"""Steps of a scale at most: days of a month are the longest that people use."""

EDGE_SHARE = 0.25
"""How frequent the ends of a scale must be beside its usual step: a tail thins out, a scale ends."""

LIMIT_ROWS = 300
"""Rows before a largest value says anything about the next file (1 in 100 rows may lie above, `Rule.bound`)."""

LIMIT_VALUES = 20
"""Different values needed for the same."""

LONG_TAIL = 3.0
"""Largest value beyond the median, in spans from median to 99 %, from which the tail is long and no limit is in sight."""

ROOM = 0.5
"""Room to spare beyond what was seen, as a part of its range."""

UNIT_TOP = 0.9
"""A share comes at least this near to one."""

YEAR_S = 365.25 * 86_400.0


def learn_limits(fact: ColumnFacts, *, semantic: str, now_s: float) -> Iterator[Rule]:
    """Yield the limits that a column keeps, where its rows prove them.

    Parameters
    ----------
    fact : ColumnFacts
        A number or date.
    semantic : str
        From `skiff.data.semantics.guess_semantic`: an id has no limits, a year only the present.
    now_s : float
        The present, in seconds since 1970-01-01.
    """
    if fact.n_known < MIN_ROWS or not fact.n_numbers:
        return
    if fact.kind == "date":
        yield from _learn_dates(fact, now_s=now_s)
    elif semantic == "year":
        this_year = dt.datetime.fromtimestamp(now_s, tz=dt.UTC).year
        if float(fact.runs[0][-1]) <= this_year:
            yield Rule(kind="past", columns=(fact.name,), word="year", n=fact.n_known)
    elif fact.kind == "number" and semantic not in ("id", "postcode", "latitude", "longitude"):
        yield from _learn_numbers(fact, semantic=semantic)


def _learn_numbers(fact: ColumnFacts, *, semantic: str) -> Iterator[Rule]:
    low, high = float(fact.runs[0][0]), float(fact.runs[0][-1])
    if low == high:
        return
    if is_scale(fact):
        yield Rule(kind="scale", columns=(fact.name,), low=low, high=high, n=fact.n_known)
        return
    if is_share(fact):
        yield Rule(kind="scale", columns=(fact.name,), low=0.0, high=1.0, word="share", n=fact.n_known)
        return
    if is_never_negative(fact, semantic=semantic):
        yield Rule(kind="minimum", columns=(fact.name,), low=0.0, n=fact.n_known)
    elif has_limit(fact, is_upper=False):
        limit = round_outwards(low - ROOM * (high - low), is_up=False)
        if not low >= 0.0 > limit:  # a limit below zero for what never was says nothing
            yield Rule(kind="minimum", columns=(fact.name,), low=limit, n=fact.n_known)
    if has_limit(fact, is_upper=True):
        limit = round_outwards(high + ROOM * (high - low), is_up=True)
        yield Rule(kind="maximum", columns=(fact.name,), high=limit, n=fact.n_known)


def is_never_negative(fact: ColumnFacts, *, semantic: str) -> bool:
    """Whether a number without negative values may be called never negative.

    Either its values crowd at zero and break off there; or its upper tail is the longer one and a bell curve of the same
    mean and spread would have made at least five negative values; or its header names what is counted from zero.

    Examples
    --------
    >>> import polars as pl
    >>> from skiff.data.facts import gather_facts
    >>> random = np.random.default_rng(0)
    >>> table = gather_facts(pl.DataFrame({"waited": random.exponential(5, 400), "outside": random.normal(20, 5, 400)}))
    >>> is_never_negative(table["waited"], semantic=""), is_never_negative(table["outside"], semantic="")
    (True, False)
    """
    numbers = fact.numbers
    if numbers[0] < 0.0:
        return False
    middle, lower, upper = (float(value) for value in look_up_quantiles(numbers, np.array([0.5, 0.1, 0.9])))
    near = NEAR_ZERO * middle if middle > 0.0 else 0.0
    if np.searchsorted(numbers, near, side="right") >= NEAR_ROWS and fact.n_distinct > 2:  # noqa: PLR2004  a flag has no edge
        return True
    if says(fact.name, SIGNED):
        return False
    if says(fact.name, NEVER_NEGATIVE) or semantic == "money":
        return True
    spread = float(numbers.std())
    expected = len(numbers) * float(ndtr(-float(numbers.mean()) / spread)) if spread else 0.0
    return upper - middle > SKEW * (middle - lower) and expected >= MIN_EXPECTED


def is_scale(fact: ColumnFacts) -> bool:
    """Whether a column holds the steps of a scale: whole numbers from 0 or 1 without a gap, none of its ends a thin tail.

    Examples
    --------
    >>> import polars as pl
    >>> from skiff.data.facts import gather_facts
    >>> table = gather_facts(pl.DataFrame({"stars": [1, 2, 3, 4, 5] * 20, "guests": [1] * 60 + [2] * 35 + [3] * 5}))
    >>> is_scale(table["stars"]), is_scale(table["guests"])
    (True, False)
    """
    values, counts = fact.runs
    low, high = float(values[0]), float(values[-1])
    is_gapless = high - low == len(values) - 1 and float(low).is_integer()
    if low not in (0.0, 1.0) or not is_gapless or not 2 <= len(values) <= MAX_SCALE:  # noqa: PLR2004  one step is no scale
        return False
    ends = min(int(counts[0]), int(counts[-1])) if len(values) > 2 else int(counts.min())  # noqa: PLR2004  yes and no are both ends
    return ends >= max(MIN_EXPECTED, EDGE_SHARE * float(counts.mean()) if len(values) > 2 else 0.0)  # noqa: PLR2004  the rarer of two may be rare


def is_share(fact: ColumnFacts) -> bool:
    """Whether a column holds parts of one: between 0 and 1, with decimals, and up to nearly 1.

    Examples
    --------
    >>> import polars as pl
    >>> from skiff.data.facts import gather_facts
    >>> table = gather_facts(pl.DataFrame({"humidity": [0.2, 0.35, 0.5, 0.81, 0.97] * 80}))
    >>> is_share(table["humidity"])
    True
    """
    values = fact.runs[0]
    is_inside = values[0] >= 0.0 and UNIT_TOP <= values[-1] <= 1.0
    return bool(is_inside and fact.n_known >= LIMIT_ROWS and (values % 1.0 != 0.0).any())


def has_limit(fact: ColumnFacts, *, is_upper: bool) -> bool:
    """Whether the largest (or smallest) value is near enough to the others that the next file's will be, too.

    Examples
    --------
    >>> import polars as pl
    >>> from skiff.data.facts import gather_facts
    >>> random = np.random.default_rng(0)
    >>> table = gather_facts(pl.DataFrame({"age": random.uniform(18, 90, 500), "income": random.pareto(1.2, 500)}))
    >>> has_limit(table["age"], is_upper=True), has_limit(table["income"], is_upper=True)
    (True, False)
    """
    if fact.n_known < LIMIT_ROWS or fact.n_distinct < LIMIT_VALUES:
        return False
    numbers = fact.numbers
    middle, far = (float(value) for value in look_up_quantiles(numbers, np.array([0.5, 0.99 if is_upper else 0.01])))
    end = float(numbers[-1] if is_upper else numbers[0])
    return abs(end - middle) <= LONG_TAIL * abs(far - middle)


def _learn_dates(fact: ColumnFacts, *, now_s: float) -> Iterator[Rule]:
    low, high = float(fact.runs[0][0]), float(fact.runs[0][-1])
    if high <= now_s:
        yield Rule(kind="past", columns=(fact.name,), word="date", n=fact.n_known)
    if fact.n_distinct >= LIMIT_VALUES:
        first = _begin_of_year(low - max(ROOM * (high - low), YEAR_S))
        if first is not None:
            yield Rule(kind="minimum", columns=(fact.name,), low=first, word="date", n=fact.n_known)


def _begin_of_year(seconds: float) -> float | None:
    """Return the first second of the year of a moment, None before the calendar begins."""
    year = 1970 + int(seconds // YEAR_S)
    return float(calendar.timegm((year, 1, 1, 0, 0, 0))) if year >= 1 else None
