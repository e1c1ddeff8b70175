"""What a guess that looks at nothing would reach, in closed form: the baseline beside every number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.evaluate.scores import build_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

BINARY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualValue:
    """What the training rows say about a number: the mean answers squared errors, the median absolute ones.

    ``at_quantile`` is the value at `quantile`, where one is asked for.
    """

    mean: float
    median: float
    quantile: float | None = None
    at_quantile: float | None = None


def find_class_shares(y_train: Int, n_classes: int) -> Float:
    """Return the share of each class, half a row added to each so that an absent class is unlikely, not impossible.

    References
    ----------
    Krichevsky, R. and Trofimov, V. (1981). The performance of universal encoding. IEEE Trans. Inf. Theory 27, 199-207.
    https://doi.org/10.1109/TIT.1981.1056331

    Examples
    --------
    >>> find_class_shares(np.array([0, 0, 1]), 2).tolist()
    [0.625, 0.375]
    """
    counts = np.bincount(y_train, minlength=n_classes).astype(np.float64) + 0.5
    return np.asarray(counts / counts.sum())


def find_usual_value(y_train: Float | Int, quantile: float | None = None) -> UsualValue:
    """Return mean and median of the training target, and its quantile where one is asked for.

    Examples
    --------
    >>> usual = find_usual_value(np.array([1.0, 2.0, 6.0]), 0.5)
    >>> usual.mean, usual.median, usual.at_quantile
    (3.0, 2.0, 2.0)
    """
    return UsualValue(
        mean=float(np.mean(y_train)),
        median=float(np.median(y_train)),
        quantile=quantile,
        at_quantile=None if quantile is None else float(np.quantile(y_train, quantile)),
    )


def score_naive_classes(y: Int, shares: Float, *, flagged: float) -> Mapping[str, float]:
    """Return each metric of a guess that states the class shares for every row.

    Yes/no answers of such a guess are told for someone who flags as many rows as the model does, blindly: precision
    is then the share of positives and recall the share flagged.

    Parameters
    ----------
    y : ndarray of int64, shape (n_rows,)
    shares : ndarray of shape (n_classes,)
    flagged : float
        Share of rows the model flags (binary).

    Examples
    --------
    >>> score_naive_classes(np.array([0, 0, 0, 1]), np.array([0.75, 0.25]), flagged=0.5)["precision"]
    0.25
    """
    n_classes = len(shares)
    prob = np.broadcast_to(shares, (len(y), n_classes)).copy()
    usual = int(np.argmax(shares))
    labels = np.zeros_like(prob)
    labels[:, usual] = 1
    found = {name: build_score(name, y, prob).value() for name in ("log_loss", "brier_score", "ece")}
    decided = ("accuracy", "balanced_accuracy", "f1", "precision", "recall")
    found |= {name: build_score(name, y, labels).value() for name in decided}
    found["roc_auc"] = 0.5
    found["balanced_accuracy"] = 1 / max(len(np.unique(y)), 1)
    if n_classes == BINARY:
        share = float(np.mean(y == 1))
        found["average_precision"] = found["precision"] = share
        found["recall"] = flagged
        found["f1"] = 2 * share * flagged / (share + flagged) if share + flagged > 0 else 0.0
    return found


def score_naive_values(y: Float | Int, usual: UsualValue) -> Mapping[str, float]:
    """Return each metric of always giving the training mean (RMSE, R²), quantile (its own loss) or median (the others).

    Examples
    --------
    >>> score_naive_values(np.array([1.0, 3.0]), UsualValue(mean=2.0, median=2.0))["mae"]
    1.0
    """
    found = {}
    for name, guess in (("rmse", usual.mean), ("r2", usual.mean), ("mae", usual.median)):
        found[name] = build_score(name, y, np.full(len(y), guess)).value()
    if usual.quantile is not None and usual.at_quantile is not None:
        constant = np.full(len(y), usual.at_quantile)
        found["pinball_loss"] = build_score("pinball_loss", y, constant, threshold=usual.quantile).value()
    found["median_absolute_error"] = float(np.median(np.abs(y - usual.median)))
    if is_relative_error_defined(y):
        found["mape"] = build_score("mape", y, np.full(len(y), usual.median)).value()
    return {name: value for name, value in found.items() if math.isfinite(value)}


def is_relative_error_defined(y: Float | Int) -> bool:
    """Return whether no true value is zero: relative errors would explode.

    Examples
    --------
    >>> is_relative_error_defined(np.array([0.0, 3.0]))
    False
    """
    return bool(np.all(np.abs(y) > np.finfo(np.float64).eps))
