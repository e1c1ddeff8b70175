"""A straight line in log odds from what was stated to what happened: the smallest map of a calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

FLOOR = 1e-6
"""Probabilities are kept this far from 0 and 1 before logits are taken."""

MAX_STEPS = 30
SMALL_STEP = 1e-8
"""Far below any digit that is used."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """Offset and slope, ndarray of shape (2,), with their covariance, ndarray of shape (2, 2)."""

    weights: Float
    covariance: Float


def fit_line(score: Float, happened: NDArray[np.bool_]) -> Line:
    """Fit ``logit(what happened) = a + b · logit(stated)`` (Cox 1958).

    A weak prior of one half row on each side of every mean keeps the fit finite where one answer is missing
    (Jeffreys' prior is the exact form; see Firth 1993, https://doi.org/10.1093/biomet/80.1.27).

    Examples
    --------
    >>> p = np.repeat([0.2, 0.8], 500)
    >>> happened = np.concatenate([np.arange(500) < 100, np.arange(500) < 400])
    >>> bool(np.allclose(fit_line(p, happened).weights, [0.0, 1.0], atol=1e-3))
    True
    """
    x = to_logit(score)
    design = np.stack([np.ones_like(x), x], axis=1)
    target = happened.astype(np.float64)
    weights = np.array([0.0, 1.0])
    prior = np.diag([1e-2, 1e-2])
    hessian = prior
    for _ in range(MAX_STEPS):
        p = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (target - p) - prior @ (weights - np.array([0.0, 1.0]))
        hessian = (design * (p * (1 - p))[:, None]).T @ design + prior
        step = np.linalg.solve(hessian, gradient)
        weights = weights + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < SMALL_STEP:
            break
    return Line(weights=weights, covariance=np.linalg.inv(hessian))


def to_logit(p: Float) -> Float:
    """Return log odds, with probabilities kept a millionth away from 0 and 1."""
    kept = np.clip(p, FLOOR, 1 - FLOOR)
    odds: Float = np.log(kept / (1 - kept))
    return odds
