"""What a training gives back: the pipeline, and what is needed to judge and to prove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from skiff.core.pipeline import FeatureMatrix, Pipeline
from skiff.train.carrying import Doubt
from skiff.train.promise import Promise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateScore:
    """One configuration that was tried.

    Parameters
    ----------
    name : str
    loss : float
        Out of fold, in `metric`.
    metric : {"log_loss", "rmse"}
    seconds : float
        Wall time of all folds.
    weight : float
        Share in the blend, 0 where it was not chosen.
    """

    name: str
    loss: float
    metric: str
    seconds: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """The best single member, kept beside the blend: smaller, faster, and often as good.

    Parameters
    ----------
    pipeline : Pipeline
    predict_native : callable
        As in `Trained`.
    loss, blend_loss : float
        Out of fold.
    is_within_noise : bool
        Whether the rows cannot tell it from the blend.
    """

    pipeline: Pipeline
    predict_native: Callable[[FeatureMatrix], Float]
    loss: float
    blend_loss: float
    is_within_noise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A fitted pipeline with what is needed to judge and to prove it.

    Parameters
    ----------
    pipeline : Pipeline
        Calibrated; threshold 0.5.
    oof : ndarray of shape (n_rows, n_classes) or (n_rows,)
        Calibrated out-of-fold answers; NaN rows where there is none (the earliest rows of a split by time, rows that a large
        table's sample left out).
    candidates : tuple of CandidateScore
        In the order in which they were tried.
    train_seconds : float
    stopped : {"done", "budget", "interrupted"}
    predict_native : callable
        Features to probabilities or values by the fitted library objects themselves.
    notes : tuple of str
        Plain sentences for the report.
    small : Small or None
        The best single member by itself; None where the pipeline is no more than that.
    promise : Promise or None
        The interval in which the loss on later rows should lie, where time orders the rows.
    doubt : Doubt or None
        Why these rows cannot carry a model, where they cannot.
    twins : tuple of callable
        As `predict_native`, of the same blend fitted with other seeds; as many as time allowed.
    """

    pipeline: Pipeline
    oof: Float
    candidates: tuple[CandidateScore, ...]
    train_seconds: float
    stopped: str
    predict_native: Callable[[FeatureMatrix], Float]
    notes: tuple[str, ...]
    small: Small | None = None
    promise: Promise | None = None
    doubt: Doubt | None = None
    twins: tuple[Callable[[FeatureMatrix], Float], ...] = ()
