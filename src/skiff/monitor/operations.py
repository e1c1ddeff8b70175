"""How the service itself ran: the share sent to a person, latency, answers that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.monitor.chances import find_rate_chance

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGES_US = tuple(float(value) for value in np.round(np.logspace(1, 7, 31), 1))
"""Borders of the latency histogram: five in a factor of ten, from 10 µs to 10 s."""

SLOW_SHARE = 0.05
"""The slowest twentieth of the earlier windows is what "slow" means in a later one."""

SLOW_TIMES = 2.0
"""It must have doubled: slow answers come in bursts, which chance for rows drawn one by one does not know."""

REVIEW_TIMES = 1.25
"""The same for the share sent to a person: less than a quarter more is no change of anybody's work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Counts of one window, which add up over windows."""

    rows: int = 0
    failed: int = 0
    decided: int = 0
    review: int = 0
    latency: tuple[int, ...] = ()
    p50_us: float | None = None
    p95_us: float | None = None

    @property
    def review_share(self) -> float | None:
        """Share of decided rows that a person must look at."""
        return self.review / self.decided if self.decided else None

    @property
    def failed_share(self) -> float | None:
        """Share of rows without an answer."""
        return self.failed / self.rows if self.rows else None


def measure_operations(
    *, rows: int, failed: int, is_review: NDArray[np.bool_] | None, latency_us: NDArray[np.float64] | None
) -> Operations:
    """Count what the window's rows say of the service.

    Examples
    --------
    >>> made = measure_operations(rows=4, failed=0, is_review=np.array([True, False, False, False]),
    ...                           latency_us=np.array([80.0, 90.0, 85.0, 2000.0]))
    >>> made.review_share, made.p50_us
    (0.25, 87.5)
    """
    known = None if latency_us is None else latency_us[np.isfinite(latency_us)]
    histogram: tuple[int, ...] = ()
    p50 = p95 = None
    if known is not None and len(known):
        places = np.searchsorted(np.asarray(EDGES_US), known, side="left")
        histogram = tuple(np.bincount(places, minlength=len(EDGES_US) + 1).tolist())
        p50, p95 = (float(value) for value in np.quantile(known, [0.5, 0.95]))
    return Operations(
        rows=rows,
        failed=failed,
        decided=0 if is_review is None else len(is_review),
        review=0 if is_review is None else int(is_review.sum()),
        latency=histogram,
        p50_us=p50,
        p95_us=p95,
    )


def add_operations(windows: Sequence[Operations]) -> Operations:
    """Return the counts of several windows together."""
    histograms = [window.latency for window in windows if window.latency]
    return Operations(
        rows=sum(window.rows for window in windows),
        failed=sum(window.failed for window in windows),
        decided=sum(window.decided for window in windows),
        review=sum(window.review for window in windows),
        latency=tuple(np.sum(histograms, axis=0).tolist()) if histograms else (),
    )


def find_operation_chances(now: Operations, before: Operations) -> dict[str, float]:
    """Return how often chance alone would give a window like this after those before: ``review``, ``latency``, ``failures``.

    A kind is left out where nothing is known to compare with.
    """
    found: dict[str, float] = {}
    if now.rows and before.rows:
        more = now.failed / now.rows > before.failed / before.rows
        found["failures"] = find_rate_chance(now.failed, now.rows, before.failed, before.rows) if more else 1.0
    if now.decided and before.decided:
        shares = sorted([now.review / now.decided, before.review / before.decided])
        differs = shares[1] > REVIEW_TIMES * shares[0]
        found["review"] = find_rate_chance(now.review, now.decided, before.review, before.decided) if differs else 1.0
    if now.latency and before.latency:
        found["latency"] = _find_latency_chance(np.array(now.latency), np.array(before.latency))
    return found


def _find_latency_chance(now: NDArray[np.int64], before: NDArray[np.int64]) -> float:
    slower = before[::-1].cumsum()[::-1]  # rows in this bin or a slower one
    first = (
        int(np.argmax(slower <= SLOW_SHARE * before.sum())) if (slower <= SLOW_SHARE * before.sum()).any() else len(now)
    )
    hits, hits_before = int(now[first:].sum()), int(before[first:].sum())
    n, n_before = int(now.sum()), int(before.sum())
    if hits / n <= SLOW_TIMES * max(hits_before / n_before, SLOW_SHARE / 2):
        return 1.0
    return find_rate_chance(hits, n, hits_before, n_before)
