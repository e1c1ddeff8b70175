"""scikit-learn's metrics, each with its interval, the rows behind it and what a guess would reach."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import (
    MIN_UNITS,
    N_BOOT,
    Interval,
    Resample,
    build_resample,
    find_bca_interval,
    find_wilson_interval,
)
from skiff.evaluate.naive import (
    UsualValue,
    find_class_shares,
    find_usual_value,
    is_relative_error_defined,
    score_naive_classes,
    score_naive_values,
)
from skiff.evaluate.ranking import DELONG, OBUCHOWSKI, find_auc_interval, find_standard_error, split_auc
from skiff.evaluate.scores import (
    HIGHER_IS_BETTER,
    Score,
    build_score,
    decide_labels,
    measure_average_precision,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MIN_PER_CLASS = 10
"""Rows of each class needed before an interval is stated; `tests/evaluate/test_coverage.py` shows what is kept from there on."""

WILSON = "Wilson 1927"
BINARY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all metrics of one call share: the resample, the baselines, the groups, and why there may be no interval."""

    resample: Resample
    baselines: Mapping[str, float]
    groups: Int | None
    refusal: str = ""
    unit: str = ""

    def build(self, name: str, value: float, interval: Interval | None, *, n: int, method: str) -> Measurement:
        """Return the measurement with its baseline; a refusal takes the interval away and says why."""
        if interval is not None and not all(math.isfinite(end) for end in interval):
            interval = None
        if interval is None and self.refusal and not method.startswith("no "):
            method = f"no interval: {self.refusal}"
        low, high = interval or (None, None)
        return Measurement(
            name=name,
            value=value,
            low=low,
            high=high,
            n=n,
            unit=self.unit if name in {"rmse", "mae", "median_absolute_error", "pinball_loss"} else "",
            higher_is_better=HIGHER_IS_BETTER[name],
            method=method,
            baseline=self.baselines.get(name),
        )


def measure_classification(
    y: Int | Float,
    prob: Float,
    *,
    classes: Sequence[str],
    threshold: float,
    groups: Int | None = None,
    seed: int,
    n_boot: int = N_BOOT,
    shares: Float | None = None,
) -> dict[str, Measurement]:
    """Measure probabilities and the answers they lead to.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes, in the order of `classes`.
    prob : ndarray of shape (n_rows, n_classes)
        Rows sum to 1.
    classes : sequence of str
        Of two, the last is the positive one.
    threshold : float
        Binary: flagged from this probability upwards. Not used for more classes.
    groups : ndarray of int64, optional
        Rows of one group are not independent: intervals then count groups.
    seed : int
    n_boot : int
    shares : ndarray of shape (n_classes,), optional
        Class shares of the training rows, for the baseline; without it, those of `y`.

    Returns
    -------
    dict of str to Measurement
        ``roc_auc`` (more than two classes: one against the rest, mean over classes), ``average_precision`` (binary),
        ``log_loss``, ``brier_score``, ``ece``, ``accuracy``, ``balanced_accuracy``, ``f1``, ``precision``, ``recall``.
        NaN only where a metric has no value because a class is absent.

    Notes
    -----
    Fewer than ten rows of a class, or fewer than ten groups: no interval, and `method` says so. Time: about 1 s for
    100,000 rows and 1,000 resamples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=400)
    >>> y = (rng.uniform(size=400) < p).astype(np.int64)
    >>> found = measure_classification(y, np.stack([1 - p, p], axis=1), classes=("no", "yes"), threshold=0.5, seed=0)
    >>> print(found["roc_auc"])
    roc_auc 0.851 (0.810 to 0.884, n=400)
    """
    y = y.astype(np.int64)
    n_classes = len(classes)
    labels = decide_labels(prob, threshold)
    shares = find_class_shares(y, n_classes) if shares is None else shares
    baselines = score_naive_classes(y, shares, flagged=float(np.mean(labels == 1))) if len(y) else {}
    resample = build_resample(len(y), groups=groups, seed=seed, n_boot=n_boot)
    refusal = _find_refusal(y, n_classes, resample)
    ground = Ground(resample=resample, baselines=baselines, groups=groups, refusal=refusal)
    names = ["log_loss", "brier_score", "ece", "balanced_accuracy", "f1"]
    found = {"roc_auc": _measure_auc(y, prob, ground)}
    if n_classes == BINARY:
        found["average_precision"] = _measure_average_precision(y, prob, ground)
    found |= {name: _measure_score(build_score(name, y, prob, threshold=threshold), ground) for name in names}
    found |= _measure_shares(y, prob, labels, threshold, ground)
    return found


def measure_regression(
    y: Float | Int,
    pred: Float,
    *,
    groups: Int | None = None,
    seed: int,
    n_boot: int = N_BOOT,
    unit: str = "",
    usual: UsualValue | None = None,
) -> dict[str, Measurement]:
    """Measure predicted numbers.

    Parameters
    ----------
    y, pred : ndarray of shape (n_rows,)
    groups : ndarray of int64, optional
        Rows of one group are not independent: intervals then count groups.
    seed, n_boot : int
    unit : str
        Unit of the target, carried by the errors that have it.
    usual : UsualValue, optional
        Mean and median of the training rows, for the baseline; without it, those of `y`. Where it has a quantile, that is
        what the answers are meant to be.

    Returns
    -------
    dict of str to Measurement
        ``rmse``, ``mae``, ``r2``, ``median_absolute_error``, and ``mape`` unless a true value is zero. Of a quantile first
        ``pinball_loss`` and ``share_under``, the share of true values at or under the answer.

    Notes
    -----
    Intervals of RMSE and R² cover too rarely where a few huge errors dominate; below about 50 rows take them lightly.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.normal(size=300)
    >>> found = measure_regression(y, y + rng.normal(size=300), seed=0, unit="EUR")
    >>> print(found["mae"], found["mae"].unit)
    mae 0.772 (0.707 to 0.836, n=300) EUR
    """
    usual = usual or find_usual_value(y)
    resample = build_resample(len(y), groups=groups, seed=seed, n_boot=n_boot)
    refusal = "" if resample.n_independent >= MIN_UNITS else f"only {resample.n_independent} {resample.what}"
    ground = Ground(
        resample=resample, baselines=score_naive_values(y, usual), groups=groups, refusal=refusal, unit=unit
    )
    found = {} if usual.quantile is None else _measure_quantile(y, pred, usual.quantile, ground)
    names = ["rmse", "mae", "r2", "median_absolute_error"]
    if is_relative_error_defined(y):
        names.append("mape")
    found |= {name: _measure_score(build_score(name, y, pred), ground) for name in names}
    exact = float(np.median(np.abs(y - pred)))
    found["median_absolute_error"] = _shift(found["median_absolute_error"], exact)
    return found


def _measure_quantile(y: Float | Int, pred: Float, quantile: float, ground: Ground) -> dict[str, Measurement]:
    """Return the loss that a quantile is made for, and how many true values lie at or under the answer."""
    loss = _measure_score(build_score("pinball_loss", y, pred, threshold=quantile), ground)
    under = (y <= pred).astype(np.float64)
    share, n = float(under.mean()), len(y)
    method, interval = WILSON, None
    if ground.groups is not None:
        score = build_score("mae", under, np.zeros(n))  # the mean of a column of 0 and 1
        method = _name_bootstrap(score, ground.resample)
        interval = None if ground.refusal else find_score_interval(score, share, ground.resample)
    elif not ground.refusal:
        interval = find_wilson_interval(int(under.sum()), n)
    low, high = interval or (None, None)
    if interval is None:
        method = f"no interval: {ground.refusal or 'all rows alike'}"
    made = Measurement(name="share_under", value=share, low=low, high=high, n=n, unit="rate", method=method)
    return {"pinball_loss": loss, "share_under": made}


def _find_refusal(y: Int, n_classes: int, resample: Resample) -> str:
    counts = np.bincount(y, minlength=n_classes)
    if resample.n_independent < MIN_UNITS:
        return f"only {resample.n_independent} {resample.what}"
    present = counts[counts > 0]
    if n_classes == BINARY and counts.min() < MIN_PER_CLASS:
        return f"only {counts.min()} rows of one class"
    if present.min() < 1 or len(present) < BINARY:
        return "only one class occurs"
    return ""


def _measure_auc(y: Int, prob: Float, ground: Ground) -> Measurement:
    value, error, n_positive = find_auc(y, prob, ground.groups)
    method = DELONG if ground.groups is None else OBUCHOWSKI
    if prob.shape[1] > BINARY:
        method = f"one class against the rest, mean over classes; {method}"
    interval = None
    if not ground.refusal and math.isfinite(value):
        interval = find_auc_interval(value, error, n_positive=n_positive, n_negative=len(y) - n_positive)
    if not math.isfinite(value):
        method = "no value: only one class occurs"
    return ground.build("roc_auc", value, interval, n=len(y), method=method)


def find_auc(y: Int, prob: Float, groups: Int | None = None) -> tuple[float, float, int]:
    """Return ROC AUC, its standard error and the positives behind it (of the rarest class, for several).

    Examples
    --------
    >>> prob = np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]])
    >>> find_auc(np.array([0, 0, 1, 1]), prob)[0]
    0.75
    """
    value, parts = split_macro_auc(y, prob)
    counts = np.bincount(y, minlength=prob.shape[1])
    n_positive = int(counts[1]) if prob.shape[1] == BINARY else int(counts[counts > 0].min(initial=len(y)))
    return value, find_standard_error(parts, groups), n_positive


def split_macro_auc(y: Int, prob: Float) -> tuple[float, Float]:
    """Return the ROC AUC and each row's part in its error; for several classes the mean over those that occur.

    Examples
    --------
    >>> split_macro_auc(np.array([0, 1, 2]), np.eye(3))[0]
    1.0
    """
    if prob.shape[1] == BINARY:
        return split_auc(y == 1, prob[:, 1])
    occur = [code for code in range(prob.shape[1]) if 0 < np.sum(y == code) < len(y)]
    if not occur:
        return math.nan, np.zeros(len(y))
    each = [split_auc(y == code, prob[:, code]) for code in occur]
    return float(np.mean([value for value, _ in each])), np.mean([parts for _, parts in each], axis=0)


def _measure_average_precision(y: Int, prob: Float, ground: Ground) -> Measurement:
    exact = measure_average_precision(y == 1, prob[:, 1])
    found = _measure_score(build_score("average_precision", y, prob), ground)
    return _shift(found, exact)


def _shift(found: Measurement, exact: float) -> Measurement:
    """Move a measurement that was made on pooled scores to the exact value: pooling changes spread hardly at all."""
    move = exact - found.value
    low = None if found.low is None else max(found.low + move, 0.0)
    high = None if found.high is None else found.high + move
    if high is not None and found.name == "average_precision":
        high = min(high, 1.0)
    return Measurement(
        name=found.name,
        value=exact,
        low=low,
        high=high,
        n=found.n,
        unit=found.unit,
        higher_is_better=found.higher_is_better,
        method=found.method if math.isfinite(exact) else "no value: only one class occurs",
        baseline=found.baseline,
    )


def _measure_score(score: Score, ground: Ground) -> Measurement:
    value = score.value()
    interval = None if ground.refusal else find_score_interval(score, value, ground.resample)
    n = len(ground.resample.unit)
    return ground.build(score.name, value, interval, n=n, method=_name_bootstrap(score, ground.resample))


def find_score_interval(score: Score, value: float, resample: Resample) -> Interval | None:
    """Return the bootstrap interval of any `Score`: BCa, but inverted for the calibration error.

    The calibration error of a sample is above the truth's by noise alone, so its resamples say little about how far.
    Instead the pattern of distances that was seen is shrunk or stretched, and every size is kept under which a value like
    the one seen is not surprising (test inversion, Davison and Hinkley 1997, §5.4). A model without any error has 0 inside.

    Examples
    --------
    >>> score = build_score("mae", np.arange(50.0), np.arange(50.0) + np.tile([0.0, 1.0], 25))
    >>> find_score_interval(score, 0.5, build_resample(50, seed=0))
    (0.36, 0.64)
    """
    if score.name == "ece":
        return _find_calibration_interval(score, resample)
    boot = score.bootstrap(resample)
    return find_bca_interval(value, boot, jackknife=score.jackknife(resample))


def _find_calibration_interval(score: Score, resample: Resample) -> Interval:
    sums = np.asarray(score.sums(resample))
    total = sums.sum(axis=0)
    drawn = resample.weights @ sums
    seen = total[1:] / total[0]
    noise = drawn[:, 1:] / drawn[:, :1] - seen
    value = float(np.abs(seen).sum())
    sizes = np.linspace(0, 2, 41)
    quantiles = np.array([np.quantile(np.abs(size * seen + noise).sum(axis=1), [0.025, 0.975]) for size in sizes])
    bottom, top = np.maximum.accumulate(quantiles, axis=0).T
    low, high = np.interp(value, top, sizes), np.interp(value, bottom, sizes)
    return float(low) * value, max(float(high), 1.0) * value


def _name_bootstrap(score: Score, resample: Resample) -> str:
    kind = "inverted" if score.name == "ece" else "BCa"
    pooled = f" in {resample.n_units} random blocks" if resample.n_independent > resample.n_units else ""
    by = "groups" if resample.what == "groups" else "rows"
    return (
        f"{kind} bootstrap of {resample.n_independent:,} {by}{pooled}, {len(resample.weights):,} resamples (Efron 1987)"
    )


def _measure_shares(y: Int, prob: Float, labels: Int, threshold: float, ground: Ground) -> dict[str, Measurement]:
    """Accuracy, precision and recall: Wilson where they are plain proportions of independent rows, else bootstrap."""
    found = {}
    is_binary = prob.shape[1] == BINARY
    counted = {"accuracy": (labels == y, np.ones(len(y), dtype=bool))}
    if is_binary:
        counted |= {"precision": (y == 1, labels == 1), "recall": (labels == 1, y == 1)}
    for name in ("accuracy", "precision", "recall"):
        if ground.groups is not None or name not in counted:
            found[name] = _measure_score(build_score(name, y, prob, threshold=threshold), ground)
            continue
        hit, among = counted[name]
        found[name] = _measure_proportion(name, int(np.sum(hit & among)), int(among.sum()), ground)
    return found


def _measure_proportion(name: str, hits: int, n: int, ground: Ground) -> Measurement:
    if n == 0:
        # Precision without warnings is 0 by scikit-learn's convention; recall without positives has no value.
        value = 0.0 if name == "precision" else math.nan
        why = "no row was flagged" if name == "precision" else "no such row was kept aside"
        return ground.build(name, value, None, n=0, method=f"no interval: {why}")
    return ground.build(name, hits / n, find_wilson_interval(hits, n), n=n, method=WILSON)
