"""Calendar parts of epoch seconds in integer arithmetic, right before 1970 and far beyond.

ONNX's integer division truncates towards zero, so everything is first moved into positive numbers by whole 400-year cycles.
Within a year that begins on 1 March month and day are looked up: the leap day is the last, so one table serves all years.

References
----------
.. [1] H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021, section ``civil_from_days``.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection

import numpy as np
from onnx import TensorProto

from skiff.core.pipeline import DatePart
from skiff.deploy.graph import GraphBuilder

DAY_S = 86_400
CYCLE_DAYS = 146_097
"""Days in 400 Gregorian years; divisible by 7, so moving by whole cycles keeps the weekday."""
CYCLES = 2_500
"""Cycles added to make every number positive: one million years."""
LIMIT_S = (CYCLES - 100) * CYCLE_DAYS * DAY_S
"""Dates beyond about 960,000 years are treated as that far away."""
EPOCH_DAYS = 719_468
"""Days from 0000-03-01 to 1970-01-01 [1]_."""
NEW_YEAR = 306
"""Days from 1 March to 1 January."""


def emit_calendar(builder: GraphBuilder, seconds: str, parts: Collection[DatePart]) -> dict[DatePart, str]:
    """Return the calendar parts (all but ``elapsed_days``) of known dates as doubles of the shape of `seconds`."""

    def call(operator: str, left: str, right: str | int) -> str:
        return builder.node(operator, [left, builder.integers(right) if isinstance(right, int) else right])

    def look_up(table: list[int], place: str, *, kind: type[np.float64 | np.int64] = np.float64) -> str:
        return builder.node("Gather", [builder.constant(np.array(table, dtype=kind)), place], axis=0)

    made: dict[DatePart, str] = {}
    moved = call("Add", _emit_bounds(builder, seconds), CYCLES * CYCLE_DAYS * DAY_S)
    days = call("Div", moved, DAY_S)
    if "hour" in parts:
        made["hour"] = builder.cast(call("Div", call("Mod", moved, DAY_S), 3600), TensorProto.DOUBLE)
    if "weekday" in parts:  # 1970-01-01 was a Thursday
        made["weekday"] = builder.cast(call("Mod", call("Add", days, 3), 7), TensorProto.DOUBLE)
    if not {"year", "month", "day", "day_of_year"} & set(parts):
        return made

    shifted = call("Add", days, EPOCH_DAYS)
    cycle, in_cycle = call("Div", shifted, CYCLE_DAYS), call("Mod", shifted, CYCLE_DAYS)
    leaps = call("Sub", call("Div", in_cycle, 36_524), call("Div", in_cycle, 1_460))
    leaps = call("Sub", leaps, call("Div", in_cycle, CYCLE_DAYS - 1))
    year = call("Div", call("Add", in_cycle, leaps), 365)  # years of the cycle that are over, each begun on 1 March
    starts = [365 * number + number // 4 - number // 100 for number in range(400)]
    from_march = call("Sub", in_cycle, look_up(starts, year, kind=np.int64))

    ends_in_leap_day = [dt.date(1999, 3, 1) + dt.timedelta(days=number) for number in range(366)]
    made["month"] = look_up([day.month for day in ends_in_leap_day], from_march)
    made["day"] = look_up([day.day for day in ends_in_leap_day], from_march)
    if "day_of_year" in parts:
        late = [number + 60 for number in range(NEW_YEAR)]
        early = [number + 1 for number in range(366 - NEW_YEAR)]
        by_kind = [*late, *early, *(number + 1 for number in late), *early]  # common years, then leap years
        begins = [366 if calendar.isleap(2000 + number) else 0 for number in range(400)]
        place = call("Add", from_march, look_up(begins, year, kind=np.int64))
        made["day_of_year"] = look_up(by_kind, place)
    if "year" in parts:
        is_over = builder.cast(
            builder.node("GreaterOrEqual", [from_march, builder.integers(NEW_YEAR)]), TensorProto.INT64
        )
        whole = call("Add", call("Add", call("Mul", cycle, 400), year), is_over)
        made["year"] = builder.cast(call("Sub", whole, CYCLES * 400), TensorProto.DOUBLE)
    return made


def emit_elapsed_days(builder: GraphBuilder, seconds: str, origins_s: str) -> str:
    """Return the fractional days since each column's origin, as doubles."""
    span = builder.cast(builder.node("Sub", [_emit_bounds(builder, seconds), origins_s]), TensorProto.DOUBLE)
    return builder.node("Div", [span, builder.number(float(DAY_S))])


def _emit_bounds(builder: GraphBuilder, seconds: str) -> str:
    low, high = (builder.constant(np.array(bound, dtype=np.int64)) for bound in (-LIMIT_S, LIMIT_S))
    return builder.node("Clip", [seconds, low, high])
