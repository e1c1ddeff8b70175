"""Suspicion of columns that only tell what time it is.

A year, a day count or a growing number tells a random split which neighbours a row has, and tells the future nothing: its
values were never seen. Such columns are used only if they help when validated forward in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.pipeline import FeatureMatrix
from skiff.train.aim import Aim, measure_loss
from skiff.train.contest import Tried
from skiff.train.features import FoldRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND_SHARE = 0.5
"""Share of a fold's held-out values outside everything its fitting rows held, from which a column is suspect."""

MUST_GAIN = 0.01
"""Relative gain in forward validation that a suspect column must bring to be kept; besides, most folds and the latest one
must gain."""


def find_clock_columns(matrix: FeatureMatrix, folds: Sequence[FoldRows]) -> tuple[str, ...]:
    """Return the tree-view columns whose held-out values mostly lie beyond the fitted ones, in half of the folds or more.

    Notes
    -----
    Meant for folds that go forward in time. A column that steps once (a year over fourteen months) is found only if the step
    falls between fitting and held-out rows.
    """
    suspects = []
    for place, name in enumerate(matrix.tree_names):
        if place in matrix.categorical:
            continue
        shares = [_share_beyond(matrix.tree[fold.fit, place], matrix.tree[fold.held, place]) for fold in folds]
        if shares and float(np.mean(np.array(shares) >= BEYOND_SHARE)) >= 0.5:  # noqa: PLR2004  half of the folds
            suspects.append(name)
    return tuple(suspects)


def do_clocks_help(
    trusting: Tried, distrusting: Tried, *, y: NDArray[np.float64], folds: Sequence[FoldRows], aim: Aim
) -> bool:
    """Return whether a model with the suspect columns predicts later rows better than one without."""
    if trusting.loss >= distrusting.loss * (1 - MUST_GAIN):
        return False
    gains = []
    for fold in folds:
        rows = fold.held
        gains.append(measure_loss(y[rows], distrusting.oof[rows], aim) - measure_loss(y[rows], trusting.oof[rows], aim))
    return gains[-1] > 0 and float(np.mean(np.array(gains) > 0)) > 0.5  # noqa: PLR2004  most folds


def _share_beyond(fitted: NDArray[np.float64], held: NDArray[np.float64]) -> float:
    fitted, held = fitted[~np.isnan(fitted)], held[~np.isnan(held)]
    if len(fitted) == 0 or len(held) == 0:
        return 0.0
    return float(np.mean((held < fitted.min()) | (held > fitted.max())))
