"""The one place that asks the machine for the time and for who is using it."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], str]
"""Gives the time as `now_utc` does; tests hand in their own."""


def now_utc() -> str:
    """Return the time in UTC as ISO 8601 with microseconds and ``Z``.

    Examples
    --------
    >>> len(now_utc()), now_utc()[-1]
    (27, 'Z')
    """
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_seconds(at: str) -> float:
    """Return a moment of the ledger in seconds since 1970-01-01.

    Examples
    --------
    >>> parse_seconds("1970-01-02T00:00:00Z")
    86400.0
    """
    return datetime.fromisoformat(at).timestamp()


def find_actor() -> str:
    """Return the user's name on this machine, or ``unknown`` where the machine has no name for them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an id without an account, as in some containers
        return "unknown"
