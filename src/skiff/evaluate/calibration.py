"""Probabilities that mean what they say: fitting, applying and judging a calibration map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.optimize import isotonic_regression, minimize_scalar
from scipy.special import expit, logit, softmax

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.pipeline import Calibration
from skiff.evaluate.intervals import MIN_UNITS, N_BOOT, build_resample, find_wilson_interval
from skiff.evaluate.metrics import find_score_interval
from skiff.evaluate.results import CalibrationBin
from skiff.evaluate.scores import N_CALIBRATION_BINS, assign_equal_mass_bins, build_score, measure_row_log_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

CalibrationKind: TypeAlias = Literal["isotonic", "sigmoid", "temperature"]
Folds: TypeAlias = "Sequence[tuple[Int, Int]] | int"

EDGE = 1e-15
"""Probabilities are kept this far from 0 and 1 before a map is applied (core.pipeline.Calibration)."""

LEAST_STEP = 1e-4
"""Knots are at least this far apart: a slope of 1e4 turns a rounding error of 1e-16 into 1e-12, which parity can bear; touching
knots once turned it into 3e-6."""

MAX_KNOTS = 80
"""Knots of an isotonic map: each becomes a slope in the compiled graph (the prototype was exact with 80)."""

MAX_START_BINS = 400
"""Groups of equal mass that enter the isotonic fit: five for each knot that may remain."""

MIN_ISOTONIC_ROWS = 1000
"""Isotonic maps overfit below (Niculescu-Mizil and Caruana 2005, §4, https://doi.org/10.1145/1102351.1102430)."""

MIN_ISOTONIC_PER_CLASS = 100
"""The same for the rarer class: 1,000 balanced rows leave at least a hundred in each fifth of the scores."""

N_FOLDS = 5
SLOPE_RANGE = (0.05, 20.0)
"""Slopes and temperatures outside would turn the ranking over or every probability into 0 or 1."""


def fit_calibration(y: Int | Float, prob: Float, *, kind: CalibrationKind) -> Calibration:
    """Fit a monotone map from stated to calibrated probability.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes.
    prob : ndarray of shape (n_rows, n_classes)
        Probabilities of rows the model was not fitted on.
    kind : {"isotonic", "sigmoid", "temperature"}
        The first two for two classes, the last for any number.

    Returns
    -------
    Calibration
        Isotonic maps have at most 80 knots, strictly increasing in `x`, and never state exactly 0 or 1.

    References
    ----------
    Platt, J. (1999). Probabilistic outputs for support vector machines (sigmoid; with his smoothed targets).
    Oron, A. P. and Flournoy, N. (2017). Centered isotonic regression. Statistics in Biopharmaceutical Research 9,
    258-267. https://doi.org/10.1080/19466315.2017.1286256 (one knot a block keeps the ranking between blocks)
    Guo, C. et al. (2017). On calibration of modern neural networks. ICML (temperature). arXiv:1706.04599

    Examples
    --------
    >>> p = np.linspace(0.01, 0.99, 99)
    >>> y = (p > 0.5).astype(np.int64)
    >>> fit_calibration(y, np.stack([1 - p, p], axis=1), kind="sigmoid").kind
    'sigmoid'
    """
    y = y.astype(np.int64)
    if kind == "temperature":
        return _fit_temperature(y, prob)
    if prob.shape[1] != 2:  # noqa: PLR2004  two classes
        raise SkiffError(
            "calibration_unfit",
            what=f"A {kind} calibration needs two classes, not {prob.shape[1]}.",
            fix="Use the kind 'temperature'.",
        )
    p = np.clip(prob[:, 1], EDGE, 1 - EDGE)
    return _fit_isotonic(y, p) if kind == "isotonic" else _fit_sigmoid(y, p)


def apply_calibration(calibration: Calibration, prob: Float) -> Float:
    """Return calibrated probabilities, exactly as `skiff.core.pipeline.Calibration` defines them.

    Examples
    --------
    >>> flat = Calibration(kind="sigmoid", x=(1.0,), y=(0.0,))
    >>> apply_calibration(flat, np.array([[0.25, 0.75]])).round(12).tolist()
    [[0.25, 0.75]]
    """
    if calibration.kind == "none":
        return prob
    clipped = np.clip(prob, EDGE, 1 - EDGE)
    if calibration.kind == "temperature":
        return np.asarray(softmax(np.log(clipped) / calibration.x[0], axis=1), dtype=np.float64)
    p = clipped[:, -1]
    if calibration.kind == "isotonic":
        p = np.interp(p, calibration.x, calibration.y)
    else:
        p = expit(calibration.x[0] * logit(p) + calibration.y[0])
    return np.stack([1 - p, p], axis=1)


def choose_calibration(y: Int | Float, prob: Float, folds_or_seed: Folds) -> Calibration:
    """Return the map that lowers log loss on rows it was not fitted on, or none.

    Each kind is fitted on part of the rows and judged on the rest. The simple map (sigmoid, temperature) is kept where
    it lowers the mean log loss; isotonic only where there are rows enough and it beats the best so far by more than one
    standard error of the paired difference, because it is the one that overfits.

    Parameters
    ----------
    y, prob
        As for `fit_calibration`.
    folds_or_seed : sequence of (ndarray, ndarray), or int
        Fitting and held-out positions, or a seed for five stratified folds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=500)
    >>> y = (rng.uniform(size=500) < p**3 / (p**3 + (1 - p) ** 3)).astype(np.int64)
    >>> choose_calibration(y, np.stack([1 - p, p], axis=1), 0).kind
    'sigmoid'
    """
    y = y.astype(np.int64)
    folds = _draw_folds(y, folds_or_seed) if isinstance(folds_or_seed, int) else folds_or_seed
    chosen: CalibrationKind | None = None
    best = measure_row_log_loss(y, prob)
    for kind in _list_kinds(y, prob.shape[1]):
        tried = _cross_fit(y, prob, folds, kind)
        held_out = np.isfinite(tried)
        gain = (best - tried)[held_out]
        if len(gain) < MIN_UNITS:
            continue
        margin = float(gain.std() / np.sqrt(len(gain))) if kind == "isotonic" else 0.0
        if float(gain.mean()) > margin:
            chosen, best = kind, tried
    return Calibration(kind="none") if chosen is None else fit_calibration(y, prob, kind=chosen)


def calibration_bins(y: Int | Float, p: Float, n_bins: int = N_CALIBRATION_BINS) -> tuple[CalibrationBin, ...]:
    """Return what was said and what happened in bins of about equal numbers of rows, with Wilson intervals.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        1 where what was said came true.
    p : ndarray of shape (n_rows,)
        The probability stated.
    n_bins : int

    Examples
    --------
    >>> [said] = calibration_bins(np.array([0, 1]), np.array([0.5, 0.5]))
    >>> said.predicted, said.observed, said.n
    (0.5, 0.5, 2)
    """
    if len(p) == 0:
        return ()
    bins = assign_equal_mass_bins(p, n_bins)
    found = []
    for code in np.unique(bins):
        inside = bins == code
        n, hits = int(inside.sum()), float(y[inside].sum())
        low, high = find_wilson_interval(hits, n)
        found.append(CalibrationBin(n=n, predicted=float(p[inside].mean()), observed=hits / n, low=low, high=high))
    return tuple(found)


def measure_ece(
    y: Int | Float, p: Float, *, seed: int = 0, groups: Int | None = None, n_boot: int = N_BOOT
) -> Measurement:
    """Measure the expected calibration error: the mean distance of stated from seen, over ten bins of equal mass.

    Notes
    -----
    Noise alone makes it positive: with n rows a perfectly calibrated model shows up to about ``0.4 * sqrt(10 / n)``, the mean size of ten
    bins' binomial noise at one half.

    References
    ----------
    Nguyen, K. and O'Connor, B. (2015). Posterior calibration and exploratory analysis for natural language processing
    models. EMNLP. https://doi.org/10.18653/v1/D15-1182

    Examples
    --------
    >>> measure_ece(np.array([0, 1] * 50), np.full(100, 0.6)).value
    0.1
    """
    score = build_score("ece", y, np.stack([1 - p, p], axis=1))
    resample = build_resample(len(p), groups=groups, seed=seed, n_boot=n_boot)
    value = round(score.value(), 12)
    low = high = None
    method = f"ten bins of equal mass; no interval: only {resample.n_independent} {resample.what}"
    if resample.n_independent >= MIN_UNITS:
        low, high = find_score_interval(score, value, resample) or (None, None)
        method = f"ten bins of equal mass; inverted bootstrap of {resample.n_independent:,} {resample.what}"
    return Measurement(name="ece", value=value, low=low, high=high, n=len(p), higher_is_better=False, method=method)


def _list_kinds(y: Int, n_classes: int) -> tuple[CalibrationKind, ...]:
    if n_classes != 2:  # noqa: PLR2004  two classes
        return ("temperature",)
    rarest = int(np.bincount(y, minlength=2).min())
    if rarest < MIN_UNITS:
        return ()
    has_rows = len(y) >= MIN_ISOTONIC_ROWS and rarest >= MIN_ISOTONIC_PER_CLASS
    return ("sigmoid", "isotonic") if has_rows else ("sigmoid",)


def _draw_folds(y: Int, seed: int) -> list[tuple[Int, Int]]:
    """Deal the rows of each class, shuffled, to the folds in turn."""
    order = np.random.default_rng(seed).permutation(len(y))
    dealt = order[np.argsort(y[order], kind="stable")]
    return [(np.setdiff1d(dealt, dealt[fold::N_FOLDS]), dealt[fold::N_FOLDS]) for fold in range(N_FOLDS)]


def _cross_fit(y: Int, prob: Float, folds: Sequence[tuple[Int, Int]], kind: CalibrationKind) -> Float:
    """Return each row's log loss under a map fitted without it; NaN where it is never held out."""
    loss = np.full(len(y), np.nan)
    for fitting, held in folds:
        if len(held) == 0 or len(np.unique(y[fitting])) < 2:  # noqa: PLR2004  a map needs both classes
            continue
        fitted = fit_calibration(y[fitting], prob[fitting], kind=kind)
        loss[held] = measure_row_log_loss(y[held], apply_calibration(fitted, prob[held]))
    return loss


def _fit_sigmoid(y: Int, p: Float) -> Calibration:
    """Logistic regression on the logit by damped Newton steps; targets smoothed after Platt (1999, §2.2)."""
    n_positive = int(y.sum())
    n_negative = len(y) - n_positive
    target = np.where(y == 1, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    design = np.stack([logit(p), np.ones(len(p))], axis=1)
    theta = np.array([1.0, 0.0])

    def loss(point: Float) -> float:
        score = design @ point
        return float(np.sum(np.logaddexp(0, score) - target * score))

    current = loss(theta)
    for _ in range(100):
        fitted = expit(design @ theta)
        gradient = design.T @ (fitted - target)
        hessian = (design * (fitted * (1 - fitted))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while loss(theta - scale * step) > current and scale > 1e-6:  # noqa: PLR2004  halved twenty times
            scale /= 2
        theta = theta - scale * step
        current = loss(theta)
        if float(np.abs(scale * step).max()) < 1e-10:  # noqa: PLR2004  converged
            break
    slope = float(np.clip(theta[0], *SLOPE_RANGE))
    return Calibration(kind="sigmoid", x=(slope,), y=(float(theta[1]),))


def _fit_temperature(y: Int, prob: Float) -> Calibration:
    scores = np.log(np.clip(prob, EDGE, 1 - EDGE))
    rows = np.arange(len(y))

    def loss(log_t: float) -> float:
        tempered = scores / np.exp(log_t)
        peak = tempered.max(axis=1, keepdims=True)
        total = peak[:, 0] + np.log(np.exp(tempered - peak).sum(axis=1))
        return float(np.mean(total - tempered[rows, y]))

    found = minimize_scalar(loss, bounds=tuple(np.log(SLOPE_RANGE)), method="bounded", options={"xatol": 1e-8})
    return Calibration(kind="temperature", x=(float(np.exp(found.x)),))


def _fit_isotonic(y: Int, p: Float) -> Calibration:
    bins = assign_equal_mass_bins(p, MAX_START_BINS)
    _, bins = np.unique(bins, return_inverse=True)
    mass = np.bincount(bins).astype(np.float64)
    centre = np.bincount(bins, weights=p) / mass
    rate = np.bincount(bins, weights=y.astype(np.float64)) / mass
    fitted = isotonic_regression(rate, weights=mass)
    starts = fitted.blocks[:-1]
    block_mass = np.add.reduceat(mass, starts)
    block_x = np.add.reduceat(centre * mass, starts) / block_mass
    block_y = np.add.reduceat(rate * mass, starts) / block_mass
    block_x, block_y, block_mass = _merge_blocks(block_x, block_y, block_mass)
    # One row of the overall mix is added to each block: a map that says 0 or 1 is infinitely surprised once it is wrong.
    smooth = (block_y * block_mass + float(y.mean())) / (block_mass + 1)
    knots_y = np.maximum.accumulate(smooth)
    return Calibration(kind="isotonic", x=tuple(block_x.tolist()), y=tuple(knots_y.tolist()))


def _merge_blocks(x: Float, y: Float, mass: Float) -> tuple[Float, Float, Float]:
    """Join neighbours that all but touch, then those whose joining moves the map least (Ward's criterion)."""
    while len(x) > MAX_KNOTS or (len(x) > 1 and np.diff(x).min() < LEAST_STEP):
        cost = mass[:-1] * mass[1:] / (mass[:-1] + mass[1:]) * (y[1:] - y[:-1]) ** 2
        gaps = np.diff(x)
        at = int(np.argmin(gaps)) if gaps.min() < LEAST_STEP else int(np.argmin(cost))
        both = mass[at] + mass[at + 1]
        joined_x = (x[at] * mass[at] + x[at + 1] * mass[at + 1]) / both
        joined_y = (y[at] * mass[at] + y[at + 1] * mass[at + 1]) / both
        x, y = np.delete(x, at), np.delete(y, at)
        mass = np.delete(mass, at)
        x[at], y[at], mass[at] = joined_x, joined_y, both
    return x, y, mass
