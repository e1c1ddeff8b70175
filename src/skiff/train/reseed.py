"""Fit what was chosen again with other seeds: how much of a score is luck of the draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from skiff.core.pipeline import Calibration, FeatureMatrix
from skiff.evaluate.stability import LEAST_SEEDS
from skiff.train.boosting import SEED_STEP
from skiff.train.contest import Arena, Tried
from skiff.train.limits import Limit
from skiff.train.refit import build_native, fit_final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

ROOM = 1.5
"""A refit is begun only if this many times what the last one took is left: a busy machine is easily half as fast."""

FEWEST_TWINS = LEAST_SEEDS - 1
"""Twins that, with the model itself, make a spread that can be told."""


def fit_with_other_seeds(
    chosen: Sequence[tuple[Tried, float]],
    whole: Arena,
    calibration: Calibration,
    *,
    n_most: int,
    limit: Limit,
    expected_s: float,
    fold_rows: float,
) -> tuple[Callable[[FeatureMatrix], Float], ...]:
    """Return the answers of up to `n_most` twins of the final model, each fitted with another seed, while time is left.

    Parameters
    ----------
    chosen : sequence of (Tried, weight)
        The blend, as for `fit_final`: which members, how many steps and with what weight stays settled.
    whole : Arena
        With all rows.
    calibration : Calibration
        That of the final model.
    n_most : int
    limit : Limit
    expected_s : float
        What the final fit took.
    fold_rows : float
        As for `fit_final`.

    Notes
    -----
    The seed decides which rows and columns trees and perceptrons see, not which rows train or how candidates were chosen; that
    comes on top. A twin of linear models or the constant is the model itself.
    """
    twins: list[Callable[[FeatureMatrix], Float]] = []
    for number in range(1, n_most + 1):
        if limit.should_stop() or limit.seconds_left < ROOM * expected_s:
            break
        began = limit.clock()
        other = replace(whole, seed=whole.seed + 17 * SEED_STEP * number)  # beyond the seeds of repeated fits
        made = fit_final(chosen, other, limit=limit, fold_rows=fold_rows)
        twins.append(build_native(made, calibration, whole.aim))
        expected_s = limit.clock() - began
    return tuple(twins)
