"""By how much the map from answers to the truth moved from one period to the next, as forward folds saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.evaluate.lines import fit_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.int64]

MIN_PERIODS = 3
"""Fewer periods say nothing of how periods differ."""

MIN_ROWS = 50
"""Rows in a period below which its line is mostly noise."""

N_ANSWER_BINS = 10

MIN_SLOPE = 0.1
"""A line that is flatter says that the answers rank hardly better than chance; it is taken for one of this slope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """How periods differed from each other beyond chance.

    Parameters
    ----------
    covariance : tuple of float
        Of two or more classes: of the offset, and of the logarithm of the slope, of the line from stated to true log odds,
        a flat 2 x 2 matrix. Of a number: one variance, of the logarithm of the mean absolute error.
    periods : int
        Periods that were compared.
    """

    covariance: tuple[float, ...]
    periods: int


def measure_moves(y: Float | Rows, prediction: Float, periods: Sequence[Rows], *, is_number: bool) -> Moves | None:
    """Return how the answers' errors moved between periods, or None where fewer than three have enough answers.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        Class codes or values.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Out-of-fold answers of models that had seen earlier periods only; NaN rows are left out.
    periods : sequence of ndarray
        Rows of each period.
    is_number : bool

    Notes
    -----
    For each period the line ``logit(true) = a + b · logit(stated)`` is fitted (Cox 1958, https://doi.org/10.1093/biomet/45.3-4.562)
    and taken relative to the line of all periods together, as later answers are read through a map of their own. The covariance between periods is that of the lines less the mean of their own errors (the method of moments of DerSimonian and
    Laird 1986, with equal weights: Cochran 1954), its negative eigenvalues put to zero. Errors of amounts are compared with
    what answers of their size (tenths) are off by over all periods.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.05, 0.95, size=4_000)
    >>> periods = np.split(np.arange(4_000), 4)
    >>> steady = measure_moves((rng.uniform(size=4_000) < p).astype(float), np.stack([1 - p, p], axis=1), periods, is_number=False)
    >>> bool(max(steady.covariance) < 0.01), steady.periods
    (True, 4)
    """
    known = ~np.isnan(prediction if prediction.ndim == 1 else prediction[:, -1])
    parts = [rows[known[rows]] for rows in periods]
    parts = [rows for rows in parts if len(rows) >= MIN_ROWS]
    if len(parts) < MIN_PERIODS:
        return None
    effects, errors = _compare_errors(y, prediction, parts) if is_number else _compare_lines(y, prediction, parts)
    between = np.cov(effects, rowvar=False).reshape(effects.shape[1], -1) - np.mean(errors, axis=0)
    values, vectors = np.linalg.eigh(between)
    kept = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return Moves(covariance=tuple(kept.ravel().tolist()), periods=len(parts))


def _compare_lines(y: Float | Rows, prob: Float, parts: Sequence[Rows]) -> tuple[Float, Float]:
    if prob.shape[1] == 2:  # noqa: PLR2004  of two classes one says all
        score, happened = prob[:, 1], y == 1
    else:
        score, happened = prob.max(axis=1), prob.argmax(axis=1) == y
    everywhere = np.concatenate(parts)
    offset, slope = fit_line(score[everywhere], happened[everywhere]).weights
    slope = max(slope, MIN_SLOPE)
    to_common = np.array([[1.0, -offset / slope], [0.0, 1 / slope]])
    lines = [fit_line(score[rows], happened[rows]) for rows in parts]
    effects = np.stack([to_common @ line.weights for line in lines])
    slopes = np.maximum(effects[:, 1], MIN_SLOPE)
    effects[:, 1] = np.log(slopes)
    errors = [
        np.diag([1.0, 1 / slope]) @ to_common @ line.covariance @ to_common.T @ np.diag([1.0, 1 / slope])
        for slope, line in zip(slopes, lines, strict=True)
    ]
    return effects, np.stack(errors)


def _compare_errors(y: Float | Rows, prediction: Float, parts: Sequence[Rows]) -> tuple[Float, Float]:
    everywhere = np.concatenate(parts)
    off = np.abs(y - prediction)
    edges = np.unique(np.quantile(prediction[everywhere], np.arange(1, N_ANSWER_BINS) / N_ANSWER_BINS))
    places = np.searchsorted(edges, prediction, side="left")
    sums = np.bincount(places[everywhere], weights=off[everywhere], minlength=len(edges) + 1)
    usual = sums / np.maximum(np.bincount(places[everywhere], minlength=len(edges) + 1), 1)
    tiny = np.finfo(np.float64).tiny
    effects, errors = [], []
    for rows in parts:
        mean = max(float(off[rows].mean()), tiny)
        effects.append([np.log(mean / max(float(usual[places[rows]].mean()), tiny))])
        errors.append([[float(off[rows].var()) / mean**2 / len(rows)]])
    return np.array(effects), np.array(errors)
