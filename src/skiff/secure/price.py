"""What a remedy against membership inference takes away from the attacker, and what it costs in quality.

Both are measured on the shadow models: their answers to rows they did not learn from are as honest as those of any fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import TaskKind
from skiff.evaluate.intervals import LEVEL
from skiff.secure.lights import TWO_SIDED_95
from skiff.secure.membership import SHARPEST, Membership, find_confidence, measure_membership

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]

RemedyName: TypeAlias = Literal["rounded", "regularised", "strict"]

STEP = 0.1
"""Probabilities are rounded to tenths: what a person reads off a score anyway."""

ROUNDED_SHARPEST = STEP / 4
"""How far rounded probabilities are kept from 0 and 1: half-way to the middle of the last step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A remedy, what the attack finds under it, and its price.

    Parameters
    ----------
    name : {"rounded", "regularised", "strict"}
        Answers given in coarse steps; few and large leaves, which remember single rows less; fewer still, held back more.
    membership : Membership
    price : tuple of Measurement
        Change of quality on rows that were not learned from, after minus before, paired by row: ``accuracy_change`` and
        ``log_loss_change``, or ``mae_change`` for values.
    """

    name: RemedyName
    membership: Membership
    price: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadows:
    """What shadow models answered.

    Parameters
    ----------
    answers : ndarray of shape (n_models, n_rows, n_classes) or (n_models, n_rows)
    members : ndarray of bool, shape (n_models, n_rows)
    y : ndarray of shape (n_rows,)
        Class codes or values.
    kind : {"binary", "multiclass", "regression"}
    """

    answers: Float
    members: Mask
    y: Float
    kind: TaskKind


def attack_shadows(shadows: Shadows, *, seed: int = 0, sharpest: float = SHARPEST) -> Membership:
    """Attack shadow models by LiRA; see `skiff.secure.membership.measure_membership`."""
    confidence = find_confidence(shadows.answers, shadows.y, kind=shadows.kind, sharpest=sharpest)
    return measure_membership(confidence, shadows.members, seed=seed)


def price_rounding(shadows: Shadows, *, seed: int = 0) -> Priced:
    """Return what rounding every answer does: probabilities to tenths, values to the nearest multiple of the median error.

    Examples
    --------
    >>> from skiff.secure.membership import draw_members
    >>> members = draw_members(400, 8, seed=0)
    >>> p = np.where(members, 0.74, 0.66)
    >>> shadows = Shadows(answers=np.stack([1 - p, p], axis=2), members=members, y=np.ones(400), kind="binary")
    >>> attack_shadows(shadows).light, price_rounding(shadows).membership.light
    ('red', 'green')
    """
    if shadows.kind == "regression":
        outside = np.abs(shadows.y[None, :] - shadows.answers)[~shadows.members]
        step = float(np.median(outside)) or 1.0
        rounded = np.round(shadows.answers / step) * step
    else:
        rounded = np.round(shadows.answers / STEP) * STEP
    after = Shadows(answers=rounded, members=shadows.members, y=shadows.y, kind=shadows.kind)
    return Priced(
        name="rounded",
        membership=attack_shadows(after, seed=seed, sharpest=ROUNDED_SHARPEST),
        price=_measure_price(shadows, after, sharpest=ROUNDED_SHARPEST),
    )


def price_retraining(name: RemedyName, before: Shadows, after: Shadows, *, seed: int = 0) -> Priced:
    """Return what another recipe does, trained on halves of the same rows.

    Parameters
    ----------
    name : {"regularised", "strict"}
    before, after : Shadows
        Of the same rows in the same order; the numbers of models may differ.
    seed : int
    """
    return Priced(
        name=name,
        membership=attack_shadows(after, seed=seed),
        price=_measure_price(before, after, sharpest=SHARPEST),
    )


def answer_outside(shadows: Shadows) -> Float:
    """Return the mean answer to each row of the models that did not learn from it, NaN where all did.

    Examples
    --------
    >>> members = np.array([[True, False], [False, False]])
    >>> answer_outside(Shadows(answers=np.array([[9.0, 1.0], [2.0, 3.0]]), members=members, y=np.zeros(2), kind="regression")).tolist()
    [2.0, 2.0]
    """
    outside = ~shadows.members
    weights = outside[:, :, None] if shadows.answers.ndim == 3 else outside  # noqa: PLR2004  models, rows, classes
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(weights, shadows.answers, 0.0).sum(axis=0) / weights.sum(axis=0))


def _measure_price(before: Shadows, after: Shadows, *, sharpest: float) -> tuple[Measurement, ...]:
    is_value = before.kind == "regression"
    names = ("mae",) if is_value else ("accuracy", "log_loss")
    known = ~before.members.all(axis=0) & ~after.members.all(axis=0)
    found = []
    for name in names:
        old, new = _score_rows(before, name, SHARPEST), _score_rows(after, name, sharpest)
        change = (new - old)[known]
        value = float(change.mean())
        reach = TWO_SIDED_95 * float(change.std()) / max(1, len(change)) ** 0.5
        found.append(
            Measurement(
                name=f"{name}_change",
                value=value,
                low=value - reach,
                high=value + reach,
                n=len(change),
                higher_is_better=name == "accuracy",
                method="paired by row over shadow models that did not learn from it; normal interval",
                level=LEVEL,
                baseline=0.0,
            )
        )
    return tuple(found)


def _score_rows(shadows: Shadows, name: str, sharpest: float) -> Float:
    """Return each row's mean score over the models that did not learn from it."""
    outside = ~shadows.members
    if name == "mae":
        scores = np.abs(shadows.y[None, :] - shadows.answers)
    elif name == "accuracy":
        scores = (shadows.answers.argmax(axis=2) == shadows.y[None, :]).astype(np.float64)
    else:
        truth = np.take_along_axis(shadows.answers, shadows.y.astype(np.int64)[None, :, None], axis=2)[:, :, 0]
        scores = -np.log(np.clip(truth, sharpest, 1 - sharpest))
    return np.asarray(np.where(outside, scores, 0.0).sum(axis=0) / np.maximum(1, outside.sum(axis=0)))
