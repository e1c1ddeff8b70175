"""Whether one model is better than another on the same rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.core.task import Costs
from skiff.evaluate.intervals import LEVEL, MIN_UNITS, N_BOOT, build_resample, find_bca_interval
from skiff.evaluate.metrics import MIN_PER_CLASS, split_macro_auc
from skiff.evaluate.prices import spread_costs
from skiff.evaluate.ranking import find_standard_error
from skiff.evaluate.scores import HIGHER_IS_BETTER, Score, build_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]


def compare_paired(
    y: Int | Float,
    pred_a: Float,
    pred_b: Float,
    metric: str,
    *,
    threshold: float = 0.5,
    groups: Int | None = None,
    seed: int,
    n_boot: int = N_BOOT,
) -> Measurement:
    """Measure how far model A's metric lies above model B's, both judged on the same rows.

    Pairing removes what is easy or hard for both, so that small differences show. The difference is noise where the
    interval contains 0.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or values.
    pred_a, pred_b : ndarray of shape (n_rows, n_classes) or (n_rows,)
    metric : str
        A key of `skiff.evaluate.scores.HIGHER_IS_BETTER`.
    threshold : float
        Binary decisions, the same for both.
    groups : ndarray of int64, optional
    seed, n_boot : int

    Returns
    -------
    Measurement
        ``<metric>_difference``: A minus B; `higher_is_better` is the metric's, so that a positive loss difference is bad.

    References
    ----------
    DeLong et al. (1988), https://doi.org/10.2307/2531595 (ROC AUC); Efron (1987),
    https://doi.org/10.1080/01621459.1987.10478410 (all others).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=500)
    >>> better = compare_paired(y, y + 0.5 * rng.normal(size=500), y + rng.normal(size=500), "mae", seed=0)
    >>> better.high < 0, better.higher_is_better
    (True, False)
    """
    if metric == "roc_auc":
        return _compare_auc(y.astype(np.int64), pred_a, pred_b, groups)
    first = build_score(metric, y, pred_a, threshold=threshold)
    second = build_score(metric, y, pred_b, threshold=threshold)
    value = first.value() - second.value()
    resample = build_resample(len(y), groups=groups, seed=seed, n_boot=n_boot)
    method = f"paired BCa bootstrap of {resample.n_independent:,} {resample.what}, {n_boot:,} resamples (Efron 1987)"
    interval = None
    rarest = _count_rarest(y, pred_a)
    if resample.n_independent < MIN_UNITS:
        method = f"no interval: only {resample.n_independent} {resample.what}"
    elif rarest < MIN_PER_CLASS:
        method = f"no interval: only {rarest} rows of one class"
    else:
        left_out = _subtract(first, second, lambda score: score.jackknife(resample))
        drawn = first.bootstrap(resample) - second.bootstrap(resample)
        interval = find_bca_interval(value, drawn, jackknife=left_out)
    low, high = interval or (None, None)
    return Measurement(
        name=f"{metric}_difference",
        value=value,
        low=low,
        high=high,
        n=len(y),
        higher_is_better=HIGHER_IS_BETTER[metric],
        method=method,
        baseline=0.0,
    )


def compare_savings(
    is_positive: NDArray[np.bool_],
    flagged_a: NDArray[np.bool_],
    flagged_b: NDArray[np.bool_],
    costs: Costs,
    *,
    amounts: Float | None = None,
    groups: Int | None = None,
) -> Measurement:
    """Measure how much more A's decisions save in each row than B's, on the same rows.

    Examples
    --------
    >>> truth = np.array([True, False] * 50)
    >>> found = compare_savings(truth, truth, np.zeros(100, dtype=bool), Costs(false_positive=1, false_negative=4.0))
    >>> found.value, found.unit
    (2.0, 'EUR')
    """
    priced = spread_costs(costs, len(is_positive), amounts)
    saved = priced.price(is_positive, flagged_b) - priced.price(is_positive, flagged_a)
    n = len(saved)
    value = float(saved.mean())
    half = float(ndtri(0.5 + LEVEL / 2)) * find_standard_error((saved - value) / n, groups)
    return Measurement(
        name="saving_difference",
        value=value,
        low=value - half if n >= MIN_UNITS else None,
        high=value + half if n >= MIN_UNITS else None,
        n=n,
        unit=costs.currency,
        higher_is_better=True,
        method="mean of paired differences, normal approximation",
        baseline=0.0,
    )


def is_better(difference: Measurement) -> bool:
    """Return whether the interval of a difference lies wholly on the good side of 0.

    Examples
    --------
    >>> is_better(Measurement(name="rmse_difference", value=-2.0, low=-3.0, high=-1.0, higher_is_better=False))
    True
    """
    if difference.low is None or difference.high is None:
        return False
    return difference.low > 0 if difference.higher_is_better else difference.high < 0


def _count_rarest(y: Int | Float, prediction: Float) -> int:
    """Count the rarer of two classes; everything where there are not two."""
    if prediction.ndim == 1 or prediction.shape[1] != 2:  # noqa: PLR2004  two classes
        return len(y)
    return int(np.bincount(y.astype(np.int64), minlength=2).min())


def _subtract(first: Score, second: Score, leave_out: Callable[[Score], Float | None]) -> Float | None:
    a, b = leave_out(first), leave_out(second)
    return None if a is None or b is None else a - b


def _compare_auc(y: Int, pred_a: Float, pred_b: Float, groups: Int | None) -> Measurement:
    auc_a, parts_a = split_macro_auc(y, pred_a)
    auc_b, parts_b = split_macro_auc(y, pred_b)
    value = auc_a - auc_b
    error = find_standard_error(parts_a - parts_b, groups)
    counts = np.bincount(y, minlength=pred_a.shape[1])
    rarest = int(counts[counts > 0].min()) if np.sum(counts > 0) > 1 else 0
    low = high = None
    method = f"no interval: only {rarest} rows of one class"
    if rarest >= MIN_PER_CLASS and math.isfinite(value):
        half = float(ndtri(0.5 + LEVEL / 2)) * error
        low, high = max(value - half, -1.0), min(value + half, 1.0)
        method = "paired DeLong et al. 1988" if groups is None else "paired Obuchowski 1997"
    return Measurement(
        name="roc_auc_difference",
        value=value,
        low=low,
        high=high,
        n=len(y),
        higher_is_better=True,
        method=method,
        baseline=0.0,
    )
