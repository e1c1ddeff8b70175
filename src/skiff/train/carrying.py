"""Whether the rows can carry a model at all, and how many would be needed.

References
----------
.. [1] C. Perlich, F. Provost and J. Simonoff, 2003, "Tree induction vs. logistic regression: a learning-curve analysis", JMLR 4
   (curves that rise with the logarithm of the rows before they level off).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.train.aim import measure_row_losses
from skiff.train.contest import Arena, Tried, find_known
from skiff.train.limits import Limit
from skiff.train.linear import Constant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

SURE = 1.645
"""Standard errors that the mean gain must exceed: one-sided, 95 %."""

SHARES = (0.25, 0.5)
"""Parts of the rows that the learning curve is measured on, besides all."""

USEFUL_GAIN = 0.05
"""Share of the loss of the constant answer from which a model is worth having at all; used where no gain was seen yet."""

MOST_ROWS = 10_000_000
"""More rows than anybody will collect: then the honest word is that other columns are needed."""

LEAST_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Mean gain per row over the constant answer, with its standard error, when learning from `n_rows` rows."""

    n_rows: int
    gain: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The rows do not show that any model is better than the same answer for everybody.

    Parameters
    ----------
    n_rows : int
        Rows there are to learn from.
    gain, error : float
        Mean gain per row of the best blend over the constant, in the loss, and its standard error.
    rows_needed : int or None
        Rows from which the gain would stand out from chance; None where the curve gives no hope of that.
    curve : tuple of CurvePoint
        By rows, ascending.
    """

    n_rows: int
    gain: float
    error: float
    rows_needed: int | None
    curve: tuple[CurvePoint, ...]

    def tell(self) -> str:
        """Return the doubt as plain sentences."""
        said = (
            f"These {self.n_rows:,} rows cannot carry a model: on rows it had not seen, the best of what was tried is not "
            "measurably better than giving every row the same answer."
        )
        if self.rows_needed is None:
            return (
                f"{said} The learning curve does not rise, so more rows of the same kind would hardly help: "
                "look for columns that know more about the answer."
            )
        return f"{said} About {self.rows_needed:,} rows would be needed before an advantage could be told from chance."


def find_doubt(blend: Float, arena: Arena, tried: Sequence[Tried], limit: Limit) -> Doubt | None:
    """Return why no model should be made of these rows; None where the blend is better than the constant beyond chance.

    Parameters
    ----------
    blend : ndarray
        Out-of-fold answers, NaN where there is none.
    arena : Arena
    tried : sequence of Tried
        The candidates, the best of which is fitted on parts of the rows for the learning curve.
    limit : Limit
    """
    if not arena.features.fold_rows:
        return None
    plain = next((one for one in tried if isinstance(one.recipe, Constant)), None)
    plain = plain or arena.try_recipe(Constant(name="constant"), limit)
    gain, error, deviation = _measure_gain(blend, plain.oof, arena)
    if gain > SURE * error:
        return None
    others = [one for one in tried if not isinstance(one.recipe, Constant)]
    curve = _draw_curve(min(others, key=lambda one: one.loss), plain, arena, limit) if others else ()
    rows = find_known(plain.oof)
    typical = float(np.mean(measure_row_losses(arena.y[rows], plain.oof[rows], arena.aim)))
    return Doubt(
        n_rows=len(arena.y),
        gain=gain,
        error=error,
        rows_needed=_reckon_rows(curve, deviation, least_gain=USEFUL_GAIN * typical, n_rows=len(arena.y)),
        curve=curve,
    )


def _measure_gain(better: Float, plain: Float, arena: Arena) -> tuple[float, float, float]:
    """Return the mean gain per row, its standard error, and the rows' standard deviation."""
    rows = find_known(better) & find_known(plain)
    n_rows = int(rows.sum())
    if n_rows < 2:  # noqa: PLR2004  no deviation of one
        return 0.0, float("inf"), float("inf")
    y = arena.y[rows]
    gains = measure_row_losses(y, plain[rows], arena.aim) - measure_row_losses(y, better[rows], arena.aim)
    if arena.w is not None:
        gains = gains * arena.w[rows] / arena.w[rows].mean()
    deviation = float(gains.std(ddof=1))
    return float(gains.mean()), deviation / n_rows**0.5, deviation


def _draw_curve(best: Tried, plain: Tried, arena: Arena, limit: Limit) -> tuple[CurvePoint, ...]:
    """Fit the best candidate on parts of each fold's rows: what it gains on the same held-out rows."""
    chance = np.random.default_rng(arena.seed)
    points = []
    for share in SHARES:
        sizes = [len(fold.fit) for fold in arena.features.fold_rows]
        kept = [np.sort(chance.permutation(size)[: max(LEAST_ROWS, int(share * size))]) for size in sizes]
        part = arena.thin(kept).try_recipe(best.recipe, limit)
        gain, error, _ = _measure_gain(part.oof, plain.oof, arena)
        points.append(CurvePoint(n_rows=int(share * len(arena.y)), gain=gain, error=error))
    gain, error, _ = _measure_gain(best.oof, plain.oof, arena)
    return (*points, CurvePoint(n_rows=len(arena.y), gain=gain, error=error))


def _reckon_rows(curve: Sequence[CurvePoint], deviation: float, *, least_gain: float, n_rows: int) -> int | None:
    """Return from how many rows on the expected gain exceeds `SURE` standard errors.

    The gain is carried on along a straight line in the logarithm of the rows [1]_, never above what would be useful.
    """
    if len(curve) < 2 or not np.isfinite(deviation) or deviation == 0:  # noqa: PLR2004  no line through one point
        return None
    sizes = np.log2([point.n_rows for point in curve])
    slope, start = np.polyfit(sizes, [point.gain for point in curve], 1)
    if slope <= 0:
        return None
    wanted = np.unique(np.geomspace(n_rows, MOST_ROWS, 400).astype(np.int64))
    gains = np.minimum(start + slope * np.log2(wanted), least_gain)
    enough = np.flatnonzero(gains > SURE * deviation / np.sqrt(wanted))
    if len(enough) == 0:
        return None
    found = int(wanted[enough[0]])
    step = 10 ** max(0, len(str(found)) - 2)  # two figures: an extrapolation is worth no more
    return int(max(-(-found // step) * step, n_rows + 1))
