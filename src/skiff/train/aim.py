"""What the members are fitted to, and how far an answer is from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from skiff.core.task import Task, TaskKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

SMALLEST_SHARE = 1e-7
"""Probabilities are kept this far from 0 and 1 when answers are compared, so that one sure mistake of a forest
does not outweigh everything (cost 16 nats instead of infinity)."""

SKEW_FOR_LOG = 1.0
"""Skewness above which a distribution counts as highly skewed (Bulmer 1979, Principles of Statistics, p. 63)."""

LARGEST_COUNT = 10_000
"""Whole numbers above this are amounts (prices, populations) rather than counts."""

FEW_COUNTS = 2
"""Different counts up to which a target is rather a class."""

ZERO_SHARE = 0.05
"""Share of exact zeros from which amounts are taken for "often nothing, else some"."""

ROOM_BEYOND = 0.1
"""Regression answers may leave the range of the training values by this share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """The shape of the answer.

    Parameters
    ----------
    kind : {"binary", "multiclass", "regression"}
    n_classes : int
        0 for regression.
    value_low, value_high : float
        Regression answers are clipped to these.
    is_skewed : bool
        Regression: whether the target is positive with a long right tail, so that its logarithm is worth fitting.
    law : {"", "poisson", "tweedie"}
        Regression: a law of errors that the target calls for beside the usual one: ``poisson`` where it counts something,
        ``tweedie`` where it is often exactly 0 and else an amount.
    quantile : float or None
        Regression: the share of rows that shall lie at or under the answer, where not the mean but a quantile is wanted.
    monotone : tuple of (str, int)
        Columns along which the answer may only rise (1) or only fall (-1).
    """

    kind: TaskKind
    n_classes: int = 0
    value_low: float = float("-inf")
    value_high: float = float("inf")
    is_skewed: bool = False
    law: Literal["", "poisson", "tweedie"] = ""
    quantile: float | None = None
    monotone: tuple[tuple[str, int], ...] = ()

    @property
    def metric(self) -> str:
        """Return scikit-learn's name of the loss that members are compared by."""
        if self.kind != "regression":
            return "log_loss"
        return "rmse" if self.quantile is None else "pinball_loss"


def take_aim(y: Float, task: Task, *, quantile: float | None = None, monotone: tuple[tuple[str, int], ...] = ()) -> Aim:
    """Return the aim for the training targets `y` (class codes or values).

    Examples
    --------
    >>> import numpy as np
    >>> aim = take_aim(np.array([100.0, 200.0, 300.0]), Task(kind="regression", target="rent"))
    >>> aim.value_low, aim.value_high, aim.metric
    (80.0, 320.0, 'rmse')
    """
    if task.kind != "regression":
        return Aim(kind=task.kind, n_classes=len(task.classes), monotone=monotone)
    low, high = float(y.min()), float(y.max())
    room = ROOM_BEYOND * (high - low)
    floor = low - room if low < 0 else max(0.0, low - room)
    is_skewed = low >= 0 and measure_skew(y) > SKEW_FOR_LOG and abs(measure_skew(np.log1p(y))) < measure_skew(y)
    return Aim(
        kind="regression", value_low=floor, value_high=high + room, is_skewed=is_skewed,
        law="" if quantile is not None else find_law(y), quantile=quantile, monotone=monotone,
    )  # fmt: skip


def find_law(y: Float) -> Literal["", "poisson", "tweedie"]:
    """Return the law of errors that a target calls for beside least squares.

    References
    ----------
    McCullagh, P. and Nelder, J. (1989). Generalized linear models, 2nd ed., chapter 6 (log-linear models of counts).
    Jørgensen, B. (1987). Exponential dispersion models. JRSS B 49(2), 127-162 (compound Poisson: claims, rain, sales).

    Examples
    --------
    >>> import numpy as np
    >>> find_law(np.array([0.0, 3.0, 1.0, 0.0, 7.0])), find_law(np.array([0.0, 3.2, 0.0, 9.9])), find_law(np.array([-1.0, 2.0]))
    ('poisson', 'tweedie', '')
    """
    if len(y) == 0 or y.min() < 0 or y.max() <= 0:
        return ""
    if y.max() <= LARGEST_COUNT and bool(np.all(y == np.round(y))) and len(np.unique(y)) > FEW_COUNTS:
        return "poisson"
    return "tweedie" if ZERO_SHARE <= float(np.mean(y == 0)) < 1 else ""


def measure_skew(x: Float) -> float:
    """Return the third standardised moment of finite values, 0 where they do not vary.

    Examples
    --------
    >>> import numpy as np
    >>> round(measure_skew(np.array([0.0, 0.0, 3.0])), 3)
    0.707
    """
    if len(x) == 0:
        return 0.0
    centred = x - x.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    if not np.isfinite(deviation) or deviation <= np.abs(x).max() * 1e-12:
        return 0.0
    return float(np.mean((centred / deviation) ** 3))


def measure_row_losses(y: Float, answer: Float, aim: Aim) -> Float:
    """Return what each row costs: its log loss, its squared error, or its pinball loss where a quantile is wanted.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
    answer : ndarray of shape (n_rows, n_classes) or (n_rows,)
    aim : Aim

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50 (the pinball loss).
    """
    if aim.kind == "regression":
        short = y - np.clip(answer, aim.value_low, aim.value_high)
        if aim.quantile is not None:
            return np.asarray(np.maximum(aim.quantile * short, (aim.quantile - 1) * short))
        return np.asarray(short**2)
    share = answer[np.arange(len(y)), y.astype(np.int64)]
    return np.asarray(-np.log(np.clip(share, SMALLEST_SHARE, 1.0)))


def measure_loss(y: Float, answer: Float, aim: Aim, weights: Float | None = None) -> float:
    """Return the (weighted) mean log loss, root mean squared error, or mean pinball loss.

    Examples
    --------
    >>> import numpy as np
    >>> aim = Aim(kind="binary", n_classes=2)
    >>> round(measure_loss(np.array([0.0, 1.0]), np.array([[0.5, 0.5], [0.5, 0.5]]), aim), 3)
    0.693
    """
    mean = float(np.average(measure_row_losses(y, answer, aim), weights=weights))
    return mean**0.5 if aim.metric == "rmse" else mean
