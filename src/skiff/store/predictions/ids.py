"""Ids of predictions: unique without asking anyone, in the order of time, and telling the month they belong to."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)

ID_LENGTH = 24
"""Fourteen hexadecimal digits of microseconds, six of the process, four that count."""

SHADOW_MARK = "s"
_TIME_DIGITS = 14
_COUNTS = 0x10000
_DIGITS = frozenset("0123456789abcdef")


class IdMaker:
    """Makes ids that no other process makes.

    Two processes share a prefix once in 16 million starts, and then only rows of the same microsecond and count meet;
    the database refuses the second, it is never mixed up.

    Examples
    --------
    >>> maker = IdMaker(process="00beef")
    >>> maker.make(1_700_000_000_000_000)
    '060a24181e400000beef0000'
    """

    def __init__(self, *, process: str = "") -> None:
        """Choose the part of the ids that tells this process from others."""
        self._process = process or secrets.token_hex(3)
        self._counter = itertools.count()  # gives each number once, whichever threads ask

    def make(self, at: int) -> str:
        """Return a new id for a prediction at `at` (microseconds since 1970); at most 65,536 may share one moment."""
        return f"{at:014x}{self._process}{next(self._counter) % _COUNTS:04x}"

    def make_many(self, at: int, n_ids: int) -> list[str]:
        """Return new ids for predictions at `at`; see `make`.

        Examples
        --------
        >>> IdMaker(process="00beef").make_many(1_700_000_000_000_000, 2)
        ['060a24181e400000beef0000', '060a24181e400000beef0001']
        """
        if n_ids == 1:
            return [self.make(at)]
        start = f"{at:014x}{self._process}"
        return [f"{start}{count % _COUNTS:04x}" for count in itertools.islice(self._counter, n_ids)]


def is_id(text: str) -> bool:
    """Return whether `text` has the form of an id, a shadow's aside.

    Examples
    --------
    >>> is_id("060a24181e400000beef0000"), is_id("B-1007")
    (True, False)
    """
    return len(text) == ID_LENGTH and _DIGITS.issuperset(text)


def read_time(prediction: str) -> int:
    """Return the moment an id was made for, in microseconds since 1970.

    Examples
    --------
    >>> read_time("060a24181e400000beef0000")
    1700000000000000
    """
    return int(prediction[:_TIME_DIGITS], 16)


def name_month(at: int) -> str:
    """Return the month (UTC) of a moment as ``YYYY-MM``.

    Examples
    --------
    >>> name_month(1_700_000_000_000_000)
    '2023-11'
    """
    try:
        moment = EPOCH + at * MICROSECOND
    except OverflowError:  # an invented id beyond the year 9999
        return "9999-12"
    return f"{moment.year:04d}-{moment.month:02d}"


def to_micros(moment: dt.datetime) -> int:
    """Return a time as microseconds since 1970; one without a zone is taken as UTC.

    Examples
    --------
    >>> to_micros(dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=dt.UTC))
    1000000
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (aware - EPOCH) // MICROSECOND
