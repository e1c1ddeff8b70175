"""Which column says when a row happened; which only looks like it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.data.moments import build_moments, find_cut, find_time, measure_order

TASK = Task(kind="regression", target="y")
RNG = np.random.default_rng(0)


def _dates(days: np.ndarray[tuple[int], np.dtype[np.int64]], start: date = date(2022, 1, 1)) -> list[date]:
    return [start + timedelta(days=int(day)) for day in days]


def _table(n_rows: int = 600, **columns: object) -> pl.DataFrame:
    return pl.DataFrame({**columns, "y": np.arange(n_rows)})


def test_dates_in_the_order_of_the_file_are_time_either_way() -> None:
    days = np.sort(RNG.integers(0, 700, 600))
    for order in (days, days[::-1]):
        time, findings = find_time(_table(day=_dates(order)), TASK)
        assert time == "day"
        assert findings[0].code == "task.time"


def test_shuffled_but_dense_dates_are_time() -> None:
    assert find_time(_table(day=_dates(RNG.integers(0, 500, 600))), TASK)[0] == "day"


def test_dates_per_shop_one_after_the_other_are_time() -> None:
    assert find_time(_table(day=_dates(np.tile(np.arange(200), 3))), TASK)[0] == "day"


def test_a_birthday_is_not_time() -> None:
    born = _dates(RNG.integers(0, 60 * 365, 600), date(1940, 1, 1))
    assert find_time(_table(born=born), TASK)[0] is None
    assert find_time(_table(date_of_birth=_dates(RNG.integers(0, 2000, 600))), TASK)[0] is None


def test_a_date_with_gaps_or_one_placeholder_day_is_not_time() -> None:
    days: list[date | None] = list(_dates(RNG.integers(0, 500, 600)))
    with_gaps = [None if place % 10 == 0 else day for place, day in enumerate(days)]
    assert find_time(_table(cancelled_on=with_gaps), TASK)[0] is None
    one_day = [date(1970, 1, 1) if place % 2 else day for place, day in enumerate(days)]
    assert find_time(_table(seen=one_day), TASK)[0] is None


def test_dates_that_do_not_order_the_rows_are_mentioned_once() -> None:
    built = _dates(RNG.integers(0, 80 * 365, 600), date(1930, 1, 1))
    time, findings = find_time(_table(built=built), TASK)
    assert time is None
    assert [finding.columns for finding in findings] == [("built",)]


def test_the_earlier_of_two_dates_is_proposed() -> None:
    days = np.sort(RNG.integers(0, 500, 600))
    table = _table(delivered=_dates(days + 5), ordered=_dates(days))
    time, findings = find_time(table, TASK)
    assert time == "ordered"
    assert "'delivered'" in findings[0].what


def test_year_and_month_of_the_same_event_are_time_and_the_month_refines_the_order() -> None:
    months = np.sort(RNG.integers(0, 60, 600))
    table = _table(Year_Sold=2018 + months // 12, Mo_Sold=months % 12 + 1, Year_Built=RNG.integers(1950, 2018, 600))
    assert find_time(table, TASK)[0] == "Year_Sold"
    assert len(np.unique(build_moments(table, "Year_Sold"))) == 60


def test_a_year_alone_is_a_property() -> None:
    assert find_time(_table(year=np.sort(RNG.integers(1990, 2017, 600))), TASK)[0] is None


def test_a_date_that_cannot_be_cut_is_told_and_not_proposed() -> None:
    days = np.sort(np.concatenate([RNG.integers(0, 60, 240), np.full(360, 61)]))
    time, findings = find_time(_table(day=_dates(days)), TASK)
    assert time is None
    assert "one moment" in findings[0].what


def test_the_target_is_never_time() -> None:
    table = pl.DataFrame({"y": _dates(np.arange(100)), "x": np.arange(100)})
    assert find_time(table, TASK)[0] is None


def test_a_cut_keeps_one_moment_together() -> None:
    moments = np.array([1.0] * 50 + [2.0] * 25 + [3.0] * 25)
    assert find_cut(moments, 0.2) == 3.0
    assert find_cut(np.append(moments, np.nan), 0.2) == 3.0
    assert find_cut(np.ones(10), 0.2) is None


def test_sortedness_of_random_dates_is_near_one_half() -> None:
    order = measure_order(_table(day=_dates(RNG.integers(0, 500, 600))), "day")
    assert order is not None
    assert 0.4 < order.sortedness < 0.6


def test_the_earliest_of_many_unrelated_dates_is_not_taken() -> None:
    random = np.random.default_rng(0)
    start = date(2024, 1, 1)
    days = {f"day_{place}": [start + timedelta(int(n)) for n in random.integers(0, 300, 800)] for place in range(8)}
    frame = pl.DataFrame({**days, "y": random.integers(0, 2, 800)})
    time, found = find_time(frame, Task(kind="binary", target="y", classes=("0", "1"), positive="1"))
    assert time is None
    assert "nothing shows" in found[0].what


def test_the_first_of_many_dates_of_one_story_is_taken() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 300, 800)
    start = date(2024, 1, 1)
    later = {f"step_{place}": first + place * random.integers(0, 9, 800) for place in range(1, 6)}
    frame = pl.DataFrame(
        {name: [start + timedelta(int(n)) for n in days] for name, days in {**later, "ordered": first}.items()}
    ).with_columns(y=pl.Series(random.integers(0, 2, 800)))
    time, _ = find_time(frame, Task(kind="binary", target="y", classes=("0", "1"), positive="1"))
    assert time == "ordered"
