"""Points of the precision-recall curve that a criterion can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import MIN_UNITS, Resample, build_resample, draw_bootstrap
from skiff.evaluate.metrics import MIN_PER_CLASS
from skiff.evaluate.scores import build_ranking_cells, count_ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

WANTED = np.round(np.arange(1, 100) / 100, 2)
"""Levels of precision or recall that can be asked for."""

N_BOOT_POINTS = 200
"""Resamples; the 2.5 % tails of 99 points are read off five of each, which a gate's sentence can bear."""


def find_best_recall(hits: Float, flagged: Float, precisions: Float) -> Float:
    """Return the largest recall among thresholds whose precision is at least each wanted one, 0 where none is.

    Parameters
    ----------
    hits, flagged : ndarray of shape (n_places,)
        Positives and all rows counted down the ranking.
    precisions : ndarray of shape (n_wanted,)

    Examples
    --------
    >>> find_best_recall(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([0.6, 0.9])).tolist()
    [1.0, 0.5]
    """
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    reachable = np.maximum.accumulate(precision[::-1])  # rising; its first place is the loosest threshold
    skipped = np.searchsorted(reachable, precisions - 1e-12, side="left")
    recall = hits[::-1] / max(hits[-1], 1)
    return np.where(skipped < len(recall), recall[np.minimum(skipped, len(recall) - 1)], 0.0)


def find_best_precision(hits: Float, flagged: Float, recalls: Float) -> Float:
    """Return the largest precision among thresholds whose recall is at least each wanted one.

    Examples
    --------
    >>> find_best_precision(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.9])).round(3).tolist()
    [1.0, 0.667]
    """
    precision = np.divide(hits, flagged, out=np.zeros_like(hits), where=flagged > 0)
    best_from = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(hits / max(hits[-1], 1), recalls - 1e-12, side="left")
    return np.asarray(best_from[np.minimum(place, len(best_from) - 1)])


def measure_operating_points(
    y: Int | Float, p_positive: Float, *, groups: Int | None = None, seed: int
) -> Mapping[str, Measurement]:
    """Measure ``recall_at_precision_x`` and ``precision_at_recall_x`` for x from 0.01 to 0.99.

    Notes
    -----
    The best threshold is looked for on these very rows, so the values are slightly flattering where positives are few;
    the intervals look for it anew in each resample.

    Examples
    --------
    >>> found = measure_operating_points(np.array([0, 1] * 20), np.array([0.2, 0.7] * 20), seed=0)
    >>> found["recall_at_precision_0.9"].value
    1.0
    """
    is_positive = y == 1
    n_positive = int(is_positive.sum())
    if n_positive == 0 or n_positive == len(y):
        return {}
    exact = np.unique(-p_positive, return_inverse=True)[1]
    counts = np.bincount(2 * exact + is_positive, minlength=2 * (int(exact.max()) + 1)).astype(np.float64)
    hits, flagged = count_ranking(counts)
    resample = build_resample(len(y), groups=groups, seed=seed, n_boot=N_BOOT_POINTS)
    is_enough = min(n_positive, len(y) - n_positive) >= MIN_PER_CLASS and resample.n_independent >= MIN_UNITS
    found = {}
    for kind, find in (("recall_at_precision", find_best_recall), ("precision_at_recall", find_best_precision)):
        values = find(hits, flagged, WANTED)
        ends = _draw_ends(is_positive, p_positive, resample, is_recall=find is find_best_recall) if is_enough else None
        for place, wanted in enumerate(WANTED):
            name = f"{kind}_{wanted:g}"
            found[name] = Measurement(
                name=name,
                value=float(values[place]),
                low=None if ends is None else float(min(ends[0][place], values[place])),
                high=None if ends is None else float(max(ends[1][place], values[place])),
                n=len(y),
                higher_is_better=True,
                method="no interval: too few rows"
                if ends is None
                else f"percentile bootstrap, {N_BOOT_POINTS} resamples",
            )
    return found


def _draw_ends(
    is_positive: NDArray[np.bool_], score: Float, resample: Resample, *, is_recall: bool
) -> tuple[Float, Float]:
    cell, n_cells = build_ranking_cells(is_positive, score)
    find = find_best_recall if is_recall else find_best_precision

    def formula(sums: Float) -> Float:
        hits, flagged = count_ranking(sums)
        return np.stack([find(hit, flag, WANTED) for hit, flag in zip(hits, flagged, strict=True)])

    drawn = draw_bootstrap(resample.sum_cells(cell, n_cells), formula, resample)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high
