"""How long a piece of work may go on, asked from inside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def never() -> bool:
    """Return False: nobody asks to stop."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A moment after which work should come to its end, and a way to ask for that earlier.

    Parameters
    ----------
    clock : callable
        Monotonic seconds, handed in from outside: rooms have no clock.
    ends_at : float
        On that clock.
    should_stop : callable
        True once somebody asked to stop.

    Examples
    --------
    >>> Limit(clock=lambda: 7.0, ends_at=10.0).seconds_left
    3.0
    """

    clock: Callable[[], float]
    ends_at: float
    should_stop: Callable[[], bool] = never

    @property
    def seconds_left(self) -> float:
        """Return the seconds until the end, 0 when it has passed."""
        return max(0.0, self.ends_at - self.clock())

    def is_reached(self) -> bool:
        """Return whether the work should end now."""
        return self.clock() >= self.ends_at or self.should_stop()

    def shorten(self, seconds: float) -> Limit:
        """Return a limit that ends within `seconds` from now, never later than this one."""
        return Limit(clock=self.clock, ends_at=min(self.ends_at, self.clock() + seconds), should_stop=self.should_stop)
