"""What the court looks at in a large table, and how far its scores can be off for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.data.checks.leakage.case import MIN_SAMPLE_OF_CLASS, SAMPLE_ROWS
from skiff.data.checks.leakage.proof import Z_95

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How many rows the quick models of the court are fitted on.

    Parameters
    ----------
    rows, of : int
        Rows drawn, and rows that may be judged.
    margin : float
        Half of the 95 % interval that drawing alone gives a score: of an AUC, or of a correlation for a number.
    """

    rows: int
    of: int
    margin: float

    def say(self) -> str:
        """Return it in a sentence."""
        return (
            f"Quick models looked at {self.rows:,} of {self.of:,} rows, drawn at random: their scores are within "
            f"{self.margin:.3f} of what all rows would give, 95 times in 100. Everything counted was counted over all rows."
        )


def describe_sampling(y: NDArray[np.float64], *, is_regression: bool) -> Sampling | None:
    """Return what is drawn from rows with the answers `y`, None where every row is used.

    Notes
    -----
    For an AUC the margin is the widest there is, that of a column that knows nothing: variance ``(m + n + 1) / (12 m n)``
    [1]_, with the rarest class against all others. For a number it is that of a correlation near nought, ``1 / n``.

    Examples
    --------
    >>> drawn = describe_sampling(np.repeat([0.0, 1.0], [700_000, 300_000]), is_regression=False)
    >>> drawn.rows, round(drawn.margin, 3)
    (20000, 0.009)

    References
    ----------
    .. [1] H. B. Mann, D. R. Whitney (1947). On a test of whether one of two random variables is stochastically larger than
       the other. Annals of Mathematical Statistics 18(1), 50-60. doi:10.1214/aoms/1177730491
    """
    known = y[np.isfinite(y)]
    if len(known) <= SAMPLE_ROWS:
        return None
    if is_regression:
        return Sampling(rows=SAMPLE_ROWS, of=len(known), margin=Z_95 / SAMPLE_ROWS**0.5)
    counts = np.bincount(known.astype(np.int64))
    counts = counts[counts > 0]
    taken = np.minimum(counts, np.maximum(MIN_SAMPLE_OF_CLASS, np.round(counts / len(known) * SAMPLE_ROWS)))
    rows, rarest = int(taken.sum()), float(taken.min())
    margin = Z_95 * float(np.sqrt((rows + 1) / (12.0 * rarest * max(1.0, rows - rarest))))
    return Sampling(rows=rows, of=len(known), margin=margin)
