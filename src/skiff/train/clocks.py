"""Suspicion of columns that only tell what time it is.

A year, a day count or a growing number tells a random split which neighbours a row has, and tells the future nothing: its
values were never seen. Such columns are used only if they help when validated forward in time. One that only steps, such as a
year, trees may see: beyond its last value they answer as for the latest rows. Linear models and perceptrons carry its slope
on, and do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from skiff.core.pipeline import FeatureMatrix
from skiff.train.aim import Aim, measure_loss
from skiff.train.contest import Tried
from skiff.train.features import FoldRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND_SHARE = 0.5
"""Share of a fold's held-out values outside everything its fitting rows held, from which a column is suspect."""

MUST_GAIN = 0.01
"""Relative gain in forward validation that suspect columns must bring to be kept."""

SURE = 0.95
"""One-sided certainty, by Student's distribution over the folds, that the gain is no matter of one lucky period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Columns of the tree view that only tell the time.

    Parameters
    ----------
    unbounded : tuple of str
        Later values mostly lie beyond the earlier ones: a day count, a growing number.
    stepping : tuple of str
        They step forward and never go back, such as a year over fourteen months.
    """

    unbounded: tuple[str, ...] = ()
    stepping: tuple[str, ...] = ()


def find_clock_columns(matrix: FeatureMatrix, folds: Sequence[FoldRows]) -> Suspects:
    """Return the tree-view columns that only tell the time.

    Unbounded are those whose held-out values mostly lie beyond the fitted ones, in half of the folds or more. Stepping ones
    deceive linear models: one that was given the year learned from it how prices had fallen, and went on believing in low prices
    when they rose again (log loss 1.20 on later rows; without the year 0.51).

    Parameters
    ----------
    matrix : FeatureMatrix
    folds : sequence of FoldRows
        Forward in time.
    """
    unbounded, stepping = [], []
    for place, name in enumerate(matrix.tree_names):
        if place in matrix.categorical or not folds:
            continue
        column = matrix.tree[:, place]
        shares = [_share_beyond(column[fold.fit], column[fold.held]) for fold in folds]
        if float(np.mean(np.array(shares) >= BEYOND_SHARE)) >= 0.5:  # noqa: PLR2004  half of the folds
            unbounded.append(name)
        elif _only_grows([column[folds[0].fit], *(column[fold.held] for fold in folds)]):
            stepping.append(name)
    return Suspects(unbounded=tuple(unbounded), stepping=tuple(stepping))


def do_clocks_help(
    trusting: Tried, distrusting: Tried, *, y: NDArray[np.float64], folds: Sequence[FoldRows], aim: Aim
) -> bool:
    """Return whether a model with the suspect columns predicts later rows better than one without, in period after period."""
    if trusting.loss >= distrusting.loss * (1 - MUST_GAIN):
        return False
    gains = np.array(
        [
            measure_loss(y[fold.held], distrusting.oof[fold.held], aim)
            - measure_loss(y[fold.held], trusting.oof[fold.held], aim)
            for fold in folds
        ]
    )
    n_folds = len(gains)
    if n_folds < 2:  # noqa: PLR2004  no spread of one
        return False
    error = float(gains.std(ddof=1)) / n_folds**0.5
    return bool(gains.mean() > student.ppf(SURE, n_folds - 1) * error)


def _only_grows(periods: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether a column moves on from period to period and none of its values comes back, either upwards or downwards."""
    known = [values[~np.isnan(values)] for values in periods]
    if any(len(values) == 0 for values in known):
        return False
    lows, highs = np.array([values.min() for values in known]), np.array([values.max() for values in known])
    moves = lows[0] < highs[-1] or highs[0] > lows[-1]
    is_rising, is_falling = bool(np.all(lows[1:] >= highs[:-1])), bool(np.all(highs[1:] <= lows[:-1]))
    return bool(moves and (is_rising or is_falling))


def _share_beyond(fitted: NDArray[np.float64], held: NDArray[np.float64]) -> float:
    fitted, held = fitted[~np.isnan(fitted)], held[~np.isnan(held)]
    if len(fitted) == 0 or len(held) == 0:
        return 0.0
    return float(np.mean((held < fitted.min()) | (held > fitted.max())))
