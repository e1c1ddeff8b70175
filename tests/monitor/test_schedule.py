"""Every moment of a schedule is run once: through sleep, restarts, and clocks that jump."""

from __future__ import annotations

import datetime as dt

import pytest

from skiff.core.errors import SkiffError
from skiff.monitor.schedule import MAX_REMEMBERED, Schedule, find_due, read_schedule, remember

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def follow(schedule: Schedule, clock: list[dt.datetime]) -> list[str]:
    """Return what is run when the clock shows these moments one after the other."""
    done: tuple[str, ...] = ()
    ran = []
    for now in clock:
        due = find_due(schedule, now, done=done, started=START)
        if due is not None:
            done = remember(done, due)
            ran.append(due.isoformat())
    return ran


def minutes(first: dt.datetime, last: dt.datetime) -> list[dt.datetime]:
    return [first + dt.timedelta(minutes=20 * place) for place in range(int((last - first) / dt.timedelta(minutes=20)))]


def day(number: int, hour: int = 0) -> dt.datetime:
    return START + dt.timedelta(days=number, hours=hour)


def test_each_morning_once() -> None:
    ran = follow(read_schedule("0 6 * * *"), minutes(day(1, 7), day(8, 7)))
    assert len(ran) == len(set(ran)) == 8


def test_after_a_week_of_sleep_it_runs_once() -> None:
    ran = follow(read_schedule("0 6 * * *"), [day(1, 7), day(9, 12), day(9, 13)])
    assert ran == ["2026-01-02T06:00:00+00:00", "2026-01-10T06:00:00+00:00"]


def test_a_clock_three_days_back_runs_nothing_twice() -> None:
    clock = [*minutes(day(1, 7), day(10)), *minutes(day(7), day(12))]
    ran = follow(read_schedule("0 */4 * * *"), clock)
    assert len(ran) == len(set(ran))
    assert max(ran).startswith("2026-01-12")


def test_a_clock_that_was_a_year_ahead_finds_today_undone() -> None:
    clock = [*minutes(day(1, 7), day(3, 7)), day(403, 8), *minutes(day(3, 9), day(6, 7))]
    ran = follow(read_schedule("0 6 * * *"), clock)
    assert len(ran) == len(set(ran))
    assert ran[-1] == "2026-01-07T06:00:00+00:00"
    assert any(moment.startswith("2027") for moment in ran)


@pytest.mark.parametrize("line", ["30 2 * * *", "0 6 * * *", "30 1 * * *"])
def test_the_hours_that_summer_time_skips_and_repeats(line: str) -> None:
    schedule = read_schedule(line, timezone="Europe/Paris")
    for first in (dt.datetime(2026, 3, 27, tzinfo=dt.UTC), dt.datetime(2026, 10, 23, tzinfo=dt.UTC)):
        ran = follow(schedule, minutes(first, first + dt.timedelta(days=5)))
        assert len(ran) == len(set(ran))
        assert 5 <= len(ran) <= 7


def test_only_the_last_moments_are_remembered() -> None:
    done: tuple[str, ...] = ()
    for place in range(MAX_REMEMBERED + 20):
        done = remember(done, day(place))
    assert len(done) == MAX_REMEMBERED
    assert done[-1] == day(MAX_REMEMBERED + 19).isoformat()


@pytest.mark.parametrize(("line", "zone"), [("every day", "UTC"), ("* * * * * *", "UTC"), ("0 6 * * *", "Mars/Base")])
def test_a_line_that_is_no_schedule_is_refused(line: str, zone: str) -> None:
    with pytest.raises(SkiffError) as told:
        read_schedule(line, timezone=zone)
    assert told.value.code == "schedule_unreadable"
