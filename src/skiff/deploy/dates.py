"""Calendar parts of epoch seconds in integer arithmetic, right before 1970 and far beyond.

ONNX's integer division truncates towards zero, so everything is first moved into positive numbers by whole 400-year cycles.

References
----------
.. [1] H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2021, section ``civil_from_days``.
"""

from __future__ import annotations

from onnx import TensorProto

from skiff.core.pipeline import DateEncoder
from skiff.core.signature import MISSING_DATE_S
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


def emit_date_parts(builder: GraphBuilder, encoder: DateEncoder, seconds: str) -> tuple[str, str]:
    """Return the parts as doubles of shape [N, n_parts] (anything where missing), and a bool [N, 1] of missing dates."""

    def call(operator: str, left: str, right: str | int) -> str:
        return builder.node(operator, [left, builder.integers(right) if isinstance(right, int) else right])

    is_missing = call("Equal", seconds, MISSING_DATE_S)
    known = builder.node("Where", [is_missing, builder.integers(0), seconds])
    known = call("Min", call("Max", known, -LIMIT_S), LIMIT_S)
    moved = call("Add", known, CYCLES * CYCLE_DAYS * DAY_S)
    days = call("Div", moved, DAY_S)

    made: dict[str, str] = {}
    if "hour" in encoder.parts:
        made["hour"] = call("Div", call("Mod", moved, DAY_S), 3600)
    if "weekday" in encoder.parts:
        made["weekday"] = call("Mod", call("Add", days, 3), 7)  # 1970-01-01 was a Thursday
    if {"year", "month", "day", "day_of_year"} & set(encoder.parts):
        shifted = call("Add", days, EPOCH_DAYS)
        cycle = call("Div", shifted, CYCLE_DAYS)
        in_cycle = call("Mod", shifted, CYCLE_DAYS)
        leaps = call("Sub", call("Div", in_cycle, 36_524), call("Div", in_cycle, 1_460))
        leaps = call("Sub", leaps, call("Div", in_cycle, 146_096))
        year_in_cycle = call("Div", call("Add", in_cycle, leaps), 365)
        before = call("Add", call("Mul", year_in_cycle, 365), call("Div", year_in_cycle, 4))
        before = call("Sub", before, call("Div", year_in_cycle, 100))
        from_march = call("Sub", in_cycle, before)
        month_from_march = call("Div", call("Add", call("Mul", from_march, 5), 2), 153)
        month_start = call("Div", call("Add", call("Mul", month_from_march, 153), 2), 5)
        made["day"] = call("Add", call("Sub", from_march, month_start), 1)
        made["month"] = call("Add", call("Mod", call("Add", month_from_march, 2), 12), 1)
        is_early = builder.cast(call("Less", made["month"], 3), TensorProto.INT64)
        year = call("Add", call("Add", call("Mul", cycle, 400), year_in_cycle), is_early)
        made["year"] = call("Sub", year, CYCLES * 400)
        if "day_of_year" in encoder.parts:
            made["day_of_year"] = _emit_day_of_year(builder, from_march, year, is_early)

    columns = []
    for part in encoder.parts:
        if part == "elapsed_days":
            span = builder.cast(call("Sub", known, encoder.origin_s), TensorProto.DOUBLE)
            columns.append(builder.node("Div", [span, builder.number(float(DAY_S))]))
        else:
            columns.append(builder.cast(made[part], TensorProto.DOUBLE))
    return builder.join(columns), is_missing


def _emit_day_of_year(builder: GraphBuilder, from_march: str, year: str, is_early: str) -> str:
    """Return 1 for 1 January: days since 1 March, less 306 in January and February, else more 60 (61 in leap years)."""

    def call(operator: str, left: str, right: str | int) -> str:
        return builder.node(operator, [left, builder.integers(right) if isinstance(right, int) else right])

    by_4 = call("Equal", call("Mod", year, 4), 0)
    by_100 = call("Equal", call("Mod", year, 100), 0)
    by_400 = call("Equal", call("Mod", year, 400), 0)
    is_leap = builder.node("Or", [builder.node("And", [by_4, builder.node("Not", [by_100])]), by_400])
    late = call("Add", call("Add", from_march, 60), builder.cast(is_leap, TensorProto.INT64))
    early = call("Sub", from_march, 305)
    return builder.node("Where", [builder.cast(is_early, TensorProto.BOOL), early, late])
