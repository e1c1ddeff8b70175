"""How much a score moves when only the seed of the training changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.stats import chi2

from skiff.evaluate.ranking import split_auc
from skiff.evaluate.results import Stability
from skiff.evaluate.scores import build_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

LEAST_SEEDS = 3
"""Seeds needed, the model's own included: the spread of two says next to nothing."""

TELLING = 2.8
"""Standard deviations that two single trainings must differ by to be told apart: 1.96 times the square root of two."""


def score_headline(metric: str, y: Float | Int, prediction: Float, *, quantile: float | None = None) -> float:
    """Return one score as `judge` measures it, without its interval.

    Examples
    --------
    >>> score_headline("roc_auc", np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.9, 0.1], [0.1, 0.9]]))
    0.5
    """
    if metric == "roc_auc":
        return float(split_auc(np.asarray(y) == 1, prediction[:, 1])[0])
    return float(build_score(metric, y, prediction, threshold=0.5 if quantile is None else quantile).value())


def measure_stability(scores: Sequence[float], metric: str) -> Stability | None:
    """Return mean and spread of one score over training seeds; None for too few seeds.

    Parameters
    ----------
    scores : sequence of float
        On the same rows: the model's own, then those of its twins fitted with other seeds.
    metric : str

    Notes
    -----
    The interval of the spread is that of a normal sample's standard deviation (chi-square, 95 %). Rows and the choice of
    candidates stay the same; the score's own interval tells what other rows would do.

    References
    ----------
    Bouthillier, X. et al. (2021). Accounting for variance in machine learning benchmarks. MLSys 3. arXiv:2103.03098

    Examples
    --------
    >>> found = measure_stability([0.90, 0.91, 0.92], "roc_auc")
    >>> round(found.mean, 3), round(found.spread, 3), round(found.spread_low, 3), round(found.spread_high, 3)
    (0.91, 0.01, 0.005, 0.063)
    >>> measure_stability([0.90, 0.91], "roc_auc") is None
    True
    """
    known = np.asarray([score for score in scores if np.isfinite(score)])
    n = len(known)
    if n < LEAST_SEEDS:
        return None
    spread = float(known.std(ddof=1))
    low, high = (spread * float(np.sqrt((n - 1) / chi2.ppf(level, n - 1))) for level in (0.975, 0.025))
    return Stability(
        metric=metric,
        scores=tuple(float(score) for score in known),
        mean=float(known.mean()),
        spread=spread,
        spread_low=low,
        spread_high=high,
        least_difference=TELLING * spread,
    )
