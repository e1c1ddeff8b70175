"""How good the estimates have been, once outcomes could be held against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skiff.evaluate.intervals import find_wilson_interval
from skiff.monitor.results import WindowReport

MIN_WINDOWS = 5
"""Windows with both numbers before the record says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """Estimates beside what was delivered later.

    Parameters
    ----------
    windows, inside : int
        Windows with enough outcomes, and those of them whose delivered quality lay inside the estimate's interval.
    share, low, high : float or None
        The same as a share with its 95 % interval (Wilson 1927); an interval that keeps its word has 0.95.
    mean_gap : float or None
        Delivered minus estimated, on average.
    sentence : str
    """

    windows: int = 0
    inside: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None
    mean_gap: float | None = None
    sentence: str = "No outcome has been held against an estimate yet."


def measure_track(reports: Sequence[WindowReport]) -> TrackRecord:
    """Count how often the estimate's interval held what was delivered.

    The estimate is that for the very rows whose outcomes are known, so that late outcomes of some rows do not count as a
    failure of the estimate for all.

    Examples
    --------
    >>> measure_track([]).sentence
    'No outcome has been held against an estimate yet.'
    """
    gaps, inside = [], 0
    for report in reports:
        made = report.delivered
        if made is None or made.delivered is None or made.expected is None:
            continue
        if made.expected.low is None or made.expected.high is None:
            continue
        gaps.append(made.delivered.value - made.expected.value)
        inside += made.expected.low <= made.delivered.value <= made.expected.high
    if not gaps:
        return TrackRecord()
    low, high = find_wilson_interval(inside, len(gaps))
    what = f"In {inside} of {len(gaps)} windows the delivered quality lay inside the interval of the estimate"
    if len(gaps) < MIN_WINDOWS:
        verdict = "too few to say how far estimates can be trusted here."
    elif high < 0.95:  # noqa: PLR2004  what a 95 % interval promises
        verdict = "fewer than they promise: do not rely on estimates here, wait for outcomes."
    else:
        verdict = "as they promise."
    return TrackRecord(
        windows=len(gaps),
        inside=inside,
        share=inside / len(gaps),
        low=low,
        high=high,
        mean_gap=float(np.mean(gaps)),
        sentence=f"{what}, {verdict}",
    )
