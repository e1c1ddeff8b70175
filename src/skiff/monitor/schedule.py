"""When to look: a cron line in a time zone, kept to through sleep, restarts and clocks that jump."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection

from croniter import croniter

from skiff.core.errors import SkiffError

MAX_REMEMBERED = 500
"""Moments that are remembered as done: more than a year of days, or three weeks of hours."""


def read_schedule(line: str, *, timezone: str = "UTC") -> Schedule:
    """Return a schedule from a cron line.

    Raises
    ------
    SkiffError
        ``schedule_unreadable``.

    Examples
    --------
    >>> read_schedule("0 6 * * *").find_last(dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC)).isoformat()
    '2026-03-01T06:00:00+00:00'
    """
    try:
        zone = zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SkiffError(
            "schedule_unreadable",
            what="The setting 'watch.timezone' names no time zone that this machine knows.",
            where={"setting": "watch.timezone"},
            fix='Write it as in the tz database, for example:  timezone = "Europe/Paris"',
        ) from error
    if len(line.split()) != 5 or not croniter.is_valid(line):  # noqa: PLR2004  minute, hour, day, month, weekday
        raise SkiffError(
            "schedule_unreadable",
            what="The setting 'watch.schedule' is not a line of cron: minute, hour, day of month, month, weekday.",
            where={"setting": "watch.schedule"},
            fix='For example every morning at six:  schedule = "0 6 * * *"',
        )
    return Schedule(line, zone)


class Schedule:
    """The moments of a cron line.

    Parameters
    ----------
    line : str
    zone : zoneinfo.ZoneInfo
        In which the line is meant.
    """

    def __init__(self, line: str, zone: zoneinfo.ZoneInfo) -> None:
        """Keep both; see `read_schedule`."""
        self.line = line
        self.zone = zone

    def find_last(self, now: dt.datetime) -> dt.datetime:
        """Return the latest moment at or before `now`, in UTC."""
        local = (now + dt.timedelta(microseconds=1)).astimezone(self.zone)
        return _get_time(croniter(self.line, local).get_prev(dt.datetime)).astimezone(dt.UTC)

    def find_next(self, now: dt.datetime) -> dt.datetime:
        """Return the first moment after `now`, in UTC."""
        return _get_time(croniter(self.line, now.astimezone(self.zone)).get_next(dt.datetime)).astimezone(dt.UTC)


def find_due(
    schedule: Schedule, now: dt.datetime, *, done: Collection[str], started: dt.datetime
) -> dt.datetime | None:
    """Return the moment that is due now, or None.

    Parameters
    ----------
    schedule : Schedule
    now : datetime
    done : collection of str
        Moments that were run, as ISO 8601 in UTC.
    started : datetime
        When watching began: nothing before it is due.

    Notes
    -----
    After a sleep all missed moments are one: the latest. What was run is remembered by its moment and not by "everything
    up to": a clock that jumps three days back relives moments that are in `done` and runs none of them twice, and one that
    was a year ahead and comes home still finds today's moment undone.

    Examples
    --------
    >>> daily = read_schedule("0 6 * * *")
    >>> start = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    >>> monday = dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC)
    >>> due = find_due(daily, monday, done=set(), started=start)
    >>> due.isoformat(), find_due(daily, monday, done={due.isoformat()}, started=start)
    ('2026-03-04T06:00:00+00:00', None)
    """
    last = schedule.find_last(now)
    if last < started or last.isoformat() in done:
        return None
    return last


def remember(done: Collection[str], moment: dt.datetime) -> tuple[str, ...]:
    """Return the moments that are done with one more, the earliest forgotten where there are too many."""
    return tuple(sorted({*done, moment.astimezone(dt.UTC).isoformat()}))[-MAX_REMEMBERED:]


def _get_time(found: object) -> dt.datetime:
    if not isinstance(found, dt.datetime):  # croniter gives what it was asked for; its types do not say so
        message = "croniter gave no time"
        raise TypeError(message)
    return found
