"""How good the model should be on rows that come later, as an interval, from how it did on one period after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.stats import t as student

from skiff.data.sentences import say_figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

LEVEL = 0.9
"""Chance that the next period's loss lies in the interval, if periods go on differing as they did."""

LEAST_PERIODS = 3
"""Periods needed: of two the spread is all but unknown (the factor of Student's distribution is 6.3)."""

LEAST_SPREAD = 0.05
"""Relative spread that is always reckoned with: a few periods that happen to agree do not make the next one certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The interval in which the loss on later rows should lie.

    Parameters
    ----------
    metric : str
        Of `low` and `high`.
    low, high : float
    periods : tuple of float
        The loss on each earlier period, oldest first, made without knowing it or anything later.
    level : float
    """

    metric: str
    low: float
    high: float
    periods: tuple[float, ...]
    level: float = LEVEL

    def tell(self) -> str:
        """Return the promise as a sentence."""
        name = self.metric.replace("_", " ")
        return (
            f"On later rows expect a {name} between {say_figure(self.low, digits=3)} and {say_figure(self.high, digits=3)} ({self.level:.0%} interval from "
            f"{len(self.periods)} periods, each predicted from what came before it)."
        )


def promise_loss(periods: Sequence[float], metric: str) -> Promise | None:
    """Return the prediction interval for the loss of one more period; None for too few periods.

    The logarithms of the losses are taken as draws around the level of the latest periods; where they have been climbing, the
    climb may go on for one more step, which the upper end allows for.

    Parameters
    ----------
    periods : sequence of float
        Losses, oldest first.
    metric : str

    References
    ----------
    Hahn, G. and Meeker, W. (1991). Statistical intervals, section 4.7 (prediction interval for one further observation).

    Examples
    --------
    >>> found = promise_loss([0.50, 0.55, 0.52, 0.54], "log_loss")
    >>> round(found.low, 2), round(found.high, 2)
    (0.46, 0.63)
    >>> promise_loss([0.5, 0.6], "log_loss") is None
    True
    """
    losses = np.asarray([loss for loss in periods if np.isfinite(loss) and loss > 0])
    n = len(losses)
    if n < LEAST_PERIODS:
        return None
    logs = np.log(losses)
    spread = max(float(logs.std(ddof=1)), LEAST_SPREAD)
    reach = float(student.ppf(0.5 + LEVEL / 2, n - 1)) * spread * float(np.sqrt(1 + 1 / n))
    climb = max(0.0, float(np.polyfit(np.arange(n), logs, 1)[0])) * (n + 1) / 2  # from the mean period to the next
    low, high = float(logs.mean()) - reach, float(logs.mean()) + climb + reach
    return Promise(
        metric=metric, low=float(np.exp(low)), high=float(np.exp(high)), periods=tuple(float(loss) for loss in losses)
    )
