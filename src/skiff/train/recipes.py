"""What every kind of member can do: be fitted fold by fold in steps, and once more on all rows.

All kinds improve and then spoil in *steps*: rounds of boosting, epochs of a perceptron, ever weaker regularisation of a linear
model. Each fold reports its loss after every step; the step that is best on average over the folds is used for the
out-of-fold answers and for the final fit. That promises less than stopping each fold at its own best step, and
keeps the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from skiff.core.pipeline import FeatureMatrix, Layers, Link, Trees, View
from skiff.train.aim import Aim
from skiff.train.features import Matrix
from skiff.train.limits import Limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Encoded rows of one view, their targets, and how much each counts (None: all the same)."""

    X: Matrix
    y: Float
    w: Float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What a fit may use.

    Parameters
    ----------
    limit : Limit
    seed, threads : int
    categorical : tuple of int
        Positions of codes in the tree view.
    repeats : int
        Times that a fit in which chance has a hand is repeated and averaged.
    directions : tuple of int
        For each column of the tree view 1, -1 or 0: along it the answer may only rise, only fall, or go anywhere. Empty where
        nothing is asked.
    kin : ndarray of shape (n_linear, n_dimensions), optional
        Vectors of the linear view's columns (`kinship`).
    n_terms : int
        How many of the linear view's columns, the last ones, are terms of texts.
    """

    limit: Limit
    seed: int = 0
    threads: int = 1
    categorical: tuple[int, ...] = ()
    repeats: int = 1
    directions: tuple[int, ...] = ()
    kin: Float | None = None
    n_terms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldFit:
    """One fold's fit.

    Parameters
    ----------
    losses : ndarray of shape (n_steps,)
        Held-out loss after each step, on the scale that is fitted.
    answer : callable
        Number of steps (1 to n_steps) to held-out answers, (n_rows, n_classes) or (n_rows,).
    is_cut : bool
        Whether the limit ended it before it had settled.
    """

    losses: Float
    answer: Callable[[int], Float]
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A member fitted on all rows: as arrays for the graph, and as the library's own answer for the parity check."""

    part: Trees | Layers
    link: Link
    answer: Callable[[FeatureMatrix], Float]


class Recipe(Protocol):
    """One configuration of one kind of member."""

    @property
    def name(self) -> str:
        """Return what people are shown."""

    @property
    def view(self) -> View:
        """Return the view it reads."""

    @property
    def is_log(self) -> bool:
        """Whether it is fitted to the logarithm of a regression target."""

    def fit_fold(self, fit: Rows, held: Rows, aim: Aim, effort: Effort) -> FoldFit:
        """Fit on some rows, step by step, watching the loss on others."""

    def fit_whole(self, rows: Rows, aim: Aim, effort: Effort, *, n_steps: int, factor: float) -> Fitted:
        """Fit on all rows with a settled number of steps.

        `factor` multiplies ``1 + value`` for members fitted to a logarithm (`find_smearing_factor`).
        """


def choose_steps(fits: Sequence[FoldFit], sizes: Sequence[float]) -> int:
    """Return the number of steps with the lowest loss over all folds, a fold that ended early counting with its last loss.

    Examples
    --------
    >>> fits = [FoldFit(losses=np.array([3.0, 1.0, 2.0]), answer=lambda steps: np.zeros(steps)),
    ...         FoldFit(losses=np.array([3.0, 2.0]), answer=lambda steps: np.zeros(steps))]
    >>> choose_steps(fits, [10, 10])
    2
    """
    longest = max(len(fit.losses) for fit in fits)
    curves = np.stack([np.pad(fit.losses, (0, longest - len(fit.losses)), mode="edge") for fit in fits])
    return int(np.argmin(np.average(curves, axis=0, weights=np.asarray(sizes, dtype=np.float64)))) + 1


def find_smearing_factor(y: Float, answer: Float, weights: Float | None = None) -> float:
    """Return the factor on ``1 + answer`` that removes the bias of fitting a logarithm, by least squares.

    A model of ``log(1 + y)`` answers the median where errors are symmetric on that scale, and the mean is larger.

    References
    ----------
    N. Duan, 1983, "Smearing estimate: a nonparametric retransformation method", JASA 78(383),
    https://doi.org/10.1080/01621459.1983.10478017; here by least squares instead of the mean residual.

    Examples
    --------
    >>> round(find_smearing_factor(np.array([11.0, 23.0]), np.array([9.0, 19.0])), 3)
    1.2
    """
    a, b = 1.0 + answer, 1.0 + y
    known = np.isfinite(a)
    w = np.ones(len(a)) if weights is None else weights
    power = float(np.sum(w[known] * a[known] ** 2))
    if not np.isfinite(power) or power <= 0:
        return 1.0
    return float(np.clip(np.sum(w[known] * a[known] * b[known]) / power, 0.8, 1.3))


def to_scale(y: Float, *, is_log: bool) -> Float:
    """Return regression targets on the scale that is fitted."""
    return np.log1p(y) if is_log else y


def from_scale(raw: Float, *, is_log: bool, factor: float = 1.0) -> Float:
    """Return values from the scale that is fitted."""
    return np.asarray(np.exp(raw + np.log(factor)) - 1.0) if is_log else raw


def link_of(aim: Aim, *, is_log: bool) -> Link:
    """Return the link of a member whose raw score is a logit or a value."""
    if aim.kind == "regression":
        return "expm1" if is_log else "identity"
    return "logistic" if aim.kind == "binary" else "softmax"


def pair(positive: Float) -> Float:
    """Return both columns of a binary answer."""
    return np.stack([1.0 - positive, positive], axis=1)


def spread_classes(answer: Float, known: Sequence[int], n_classes: int) -> Float:
    """Return probabilities of all classes where the estimator knows only some.

    Examples
    --------
    >>> spread_classes(np.array([[0.4, 0.6]]), [0, 2], 3).tolist()
    [[0.4, 0.0, 0.6]]
    """
    if len(known) == n_classes:
        return answer
    full = np.zeros((len(answer), n_classes))
    full[:, list(known)] = answer
    return full
