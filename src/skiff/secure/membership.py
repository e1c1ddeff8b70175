r"""Membership inference: whether somebody who sees the model's answers can tell which rows it learned from.

The attack is LiRA, the likelihood ratio attack of Carlini et al. [1]_. Many *shadow* models are trained by the same recipe, each on
its own random half of the rows. For a row, the answers of those that learned from it and of those that did not are two clouds; the
answer of an attacked model is then more likely under one of them:

.. math:: \Lambda_i = \log N(\phi_i; \mu_{in,i}, \sigma_{in}) - \log N(\phi_i; \mu_{out,i}, \sigma_{out})

with :math:`\phi` the logit of the probability that the model gives to the row's true class (for values minus the logarithm of
the error). Each model is attacked in turn with all others as its shadows. What counts is not how often the attacker is right on average but how
many rows are recognised *while hardly anybody is wrongly accused*: the true positive rate at a false positive rate of 1 % and 0.1 %.

References
----------
.. [1] Carlini, N., Chien, S., Nasr, M., Song, S., Terzis, A. and Tramèr, F. (2022). Membership inference attacks from first
   principles. IEEE Symposium on Security and Privacy, https://arxiv.org/abs/2112.03570; algorithm 1 (online), its
   offline variant, and one variance for all rows where there are few shadows.
.. [2] Yeom, S., Giacomelli, I., Fredrikson, M. and Jha, S. (2018). Privacy risk in machine learning: analyzing the connection to
   overfitting. CSF, https://arxiv.org/abs/1709.01604.
.. [3] Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143, 29-36,
   https://doi.org/10.1148/radiology.143.1.7063747.
.. [4] Barnard, G. A. (1963), in the discussion of Bartlett: the spectral analysis of point processes. JRSS B 25, 294 (a test by
   simulation: more extreme than all of 19 others is one in twenty).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import TaskKind
from skiff.evaluate.intervals import LEVEL
from skiff.secure.lights import TWO_SIDED_95, Light, choose_light, join_lights, measure_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]

RATE, LOW_RATE = 0.01, 0.001
"""False positive rates at which recognised rows are counted (Carlini et al. 2022 ask for 0.1 % and less)."""

MIN_ROWS, MIN_ROWS_LOW = 100, 1_000
"""Rows below which nothing is said at 1 %, and at 0.1 %: fewer than one row would lie beyond the limit."""

RED_RATE, AMBER_RATE = 0.05, 0.02
RED_ADVANTAGE, AMBER_ADVANTAGE = 0.15, 0.05
"""Lights: red from 5 % recognised at 1 % false alarms or an advantage of 0.15, amber from 2 % or 0.05. There is no accepted limit;
these part eight models whose memory is known (`docs/explanation/attacks.md`): 1-NN, an unpruned tree, a full-depth forest and
boosting of 255 leaves above, default boosting between, regularised boosting, a tree of depth 4 and logistic regression below. A number
whose range still holds what guessing gives lights nothing: then there are too few rows to say."""

SHARPEST = 1e-6
"""Probabilities are kept this far from 0 and 1 before the logit is taken: trees answer exactly 0 and 1."""

NEAR = 0.1
"""Share of the median error below which two errors of a value count as the same: else an answer that is right by chance would
look like a remembered one."""

MOST_EXPOSED, N_SHUFFLES = 10, 19
"""Rows that are named at most. Each gives itself away more than any row does in nineteen attacks with shuffled memberships: chance alone
names a row in one of twenty tables [4]_."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposedRow:
    """A row that is recognised most easily.

    Parameters
    ----------
    row : int
        Position among the rows that were attacked, from 0.
    recognised, learned : int
        In how many attacked models that learned from it the row was recognised at 1 % false alarms, and how many learned from it.
    """

    row: int
    recognised: int
    learned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What LiRA found.

    Parameters
    ----------
    light : {"red", "amber", "green"} or None
        None where there are too few rows to say.
    rate, low_rate : Measurement or None
        True positive rate at a false positive rate of 1 % and 0.1 %, 0 to 1, with Clopper-Pearson bounds.
    advantage : Measurement
        Largest difference between true and false positive rate, up to 1; the limit that gives it is chosen on half of the rows and
        the rates are counted on the other, so that it is about 0 where there is nothing.
    auc : Measurement
    offline_rate : Measurement
        The rate at 1 % of an attacker whose shadows never learned from the row in question.
    control_rate : Measurement
        The same attack at 1 % with memberships shuffled: what the method finds where there is nothing.
    exposed : tuple of ExposedRow
        The easiest first; none where no row is recognised more often than chance would have it.
    n_rows, n_models : int
    """

    light: Light | None
    rate: Measurement | None
    low_rate: Measurement | None
    advantage: Measurement
    auc: Measurement
    offline_rate: Measurement
    control_rate: Measurement
    exposed: tuple[ExposedRow, ...]
    n_rows: int
    n_models: int


def draw_members(n_rows: int, n_models: int, *, seed: int) -> Mask:
    """Return which rows each shadow model learns from: a random half each, independent of the others.

    Examples
    --------
    >>> draw_members(10, 4, seed=0).sum(axis=1).tolist()
    [5, 5, 5, 5]
    """
    chance = np.random.default_rng(seed)
    members = np.zeros((n_models, n_rows), dtype=bool)
    for row in members:
        row[chance.permutation(n_rows)[: n_rows // 2]] = True
    return members


def find_confidence(answers: Float, y: Float, *, kind: TaskKind, sharpest: float = SHARPEST) -> Float:
    """Return how well each model knows each row's truth, on a scale on which a normal law fits.

    Parameters
    ----------
    answers : ndarray of shape (n_models, n_rows, n_classes) or (n_models, n_rows)
        Probabilities or values.
    y : ndarray of shape (n_rows,)
        Class codes or values.
    kind : {"binary", "multiclass", "regression"}
    sharpest : float
        Probabilities are kept this far from 0 and 1.

    Returns
    -------
    ndarray of shape (n_models, n_rows)
        Logit of the true class's probability; for values minus the logarithm of the error in median errors (plus `NEAR`).

    Examples
    --------
    >>> find_confidence(np.array([[[0.2, 0.8]]]), np.array([1.0]), kind="binary").round(3).tolist()
    [[1.386]]
    """
    if kind == "regression":
        errors = np.abs(y[None, :] - answers)
        usual = float(np.median(errors)) or float(errors.mean()) or 1.0
        return np.asarray(-np.log(errors / usual + NEAR))
    truth = np.take_along_axis(answers, y.astype(np.int64)[None, :, None], axis=2)[:, :, 0]
    truth = np.clip(truth, sharpest, 1 - sharpest)
    return np.asarray(np.log(truth) - np.log1p(-truth))


def score_members(confidence: Float, members: Mask, *, is_offline: bool = False) -> Float:
    """Return the log likelihood ratio of "learned from it" for every model and row, all other models being its shadows.

    Parameters
    ----------
    confidence : ndarray of shape (n_models, n_rows)
    members : ndarray of bool of the same shape
    is_offline : bool
        Use only shadows that did not learn from the row: then the ratio is how far the answer lies above theirs, in standard
        deviations ([1]_, offline variant).

    Returns
    -------
    ndarray of shape (n_models, n_rows)

    Notes
    -----
    Each side has one variance for all rows, as is right for few shadows [1]_. Where no other model is on one
    side of a row, that side's mean is the other's, moved by the mean distance of the two over all rows.

    Examples
    --------
    >>> members = draw_members(200, 8, seed=0)
    >>> noise = np.random.default_rng(1).normal(size=members.shape)
    >>> scores = score_members(noise + 3.0 * members, members)
    >>> bool(np.median(scores[members]) > np.quantile(scores[~members], 0.9))
    True
    """
    inside = _gather_side(confidence, members)
    outside = _gather_side(confidence, ~members)
    both = np.isfinite(inside.mean) & np.isfinite(outside.mean)
    gap = float(np.mean(inside.mean[both] - outside.mean[both])) if both.any() else 0.0
    mean_in = np.where(np.isfinite(inside.mean), inside.mean, outside.mean + gap)
    mean_out = np.where(np.isfinite(outside.mean), outside.mean, inside.mean - gap)
    far_out = (confidence - mean_out) / outside.deviation
    if is_offline:
        return np.asarray(far_out)
    far_in = (confidence - mean_in) / inside.deviation
    return np.asarray((far_out**2 - far_in**2) / 2 + math.log(outside.deviation / inside.deviation))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Mean of each row over the other models on one side, NaN where there is none, and one deviation for all."""

    mean: Float
    deviation: float


def _gather_side(confidence: Float, is_side: Mask) -> _Side:
    counted = np.where(is_side, confidence, 0.0)
    n_all, total = is_side.sum(axis=0), counted.sum(axis=0)
    n_others = n_all[None, :] - is_side
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(n_others > 0, (total[None, :] - counted) / n_others, np.nan)
        centre = np.where(n_all > 0, total / n_all, 0.0)
    spread = np.where(is_side, confidence - centre[None, :], 0.0)
    freedom = max(1, int(np.maximum(n_all - 1, 0).sum()))
    deviation = math.sqrt(float((spread**2).sum()) / freedom)
    # Trees that answer 1 to all their rows have no spread at all: a floor keeps the ratio finite.
    floor = 1e-3 * (float(np.std(confidence)) or 1.0)
    return _Side(mean=mean, deviation=max(deviation, floor))


def measure_membership(confidence: Float, members: Mask, *, seed: int = 0) -> Membership:
    """Attack every model with all others as shadows and say how many rows are recognised.

    Parameters
    ----------
    confidence : ndarray of shape (n_models, n_rows)
        From `find_confidence`.
    members : ndarray of bool of the same shape
        From `draw_members`.
    seed : int
        Of the shuffled control.

    Returns
    -------
    Membership

    Notes
    -----
    Scores of all attacked models are pooled; bounds count each row once, however many models were attacked. Those of the rates do not
    hold the choice of the limit, and none holds that of the shadow models. Time and memory grow with n_models × n_rows.

    Examples
    --------
    >>> members = draw_members(400, 8, seed=0)
    >>> noise = np.random.default_rng(1).normal(size=members.shape)
    >>> measure_membership(noise, members).light, measure_membership(noise + 2.0 * members, members).light
    ('green', 'red')
    """
    n_models, n_rows = members.shape
    scores = score_members(confidence, members)
    fpr, tpr = _draw_curve(scores[members], scores[~members])
    shuffles = [_shuffle(members, seed=seed + number) for number in range(N_SHUFFLES)]
    controls = [score_members(confidence, shuffled) for shuffled in shuffles]
    shuffled, control = shuffles[0], controls[0]
    offline = score_members(confidence, members, is_offline=True)
    rate = _measure_rate(fpr, tpr, RATE, n_rows) if n_rows >= MIN_ROWS else None
    advantage = _measure_advantage(scores, members, seed=seed)
    return Membership(
        light=None if rate is None else judge_rates(rate, advantage),
        rate=rate,
        low_rate=_measure_rate(fpr, tpr, LOW_RATE, n_rows) if n_rows >= MIN_ROWS_LOW else None,
        advantage=advantage,
        auc=_measure_auc(fpr, tpr, n_rows),
        offline_rate=_measure_rate(*_draw_curve(offline[members], offline[~members]), RATE, n_rows, prefix="offline_"),
        control_rate=_measure_rate(
            *_draw_curve(control[shuffled], control[~shuffled]), RATE, n_rows, prefix="control_"
        ),
        exposed=_find_exposed(scores, members, most=max(map(_find_largest, controls, shuffles))),
        n_rows=n_rows,
        n_models=n_models,
    )


def judge_rates(rate: Measurement, advantage: Measurement) -> Light | None:
    """Return the light for a rate at 1 % false positives and an advantage; None where chance could do what lights it.

    Examples
    --------
    >>> rates = [Measurement(name="rate", value=0.037, low=low) for low in (0.034, 0.004)]
    >>> [judge_rates(rate, Measurement(name="advantage", value=0.01, low=-0.01)) for rate in rates]
    ['amber', None]
    """
    return join_lights(
        (
            choose_light(rate, red=RED_RATE, amber=AMBER_RATE, chance=RATE),
            choose_light(advantage, red=RED_ADVANTAGE, amber=AMBER_ADVANTAGE, chance=0.0),
        )
    )


def _draw_curve(inside: Float, outside: Float) -> tuple[Float, Float]:
    """Return false and true positive rates from (0, 0) to (1, 1), one point for each different score."""
    scores = np.concatenate([inside, outside])
    order = np.argsort(-scores, kind="stable")
    is_inside = order < len(inside)
    last_of_equals = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true_positives = np.cumsum(is_inside)[last_of_equals]
    false_positives = 1 + last_of_equals - true_positives
    fpr = np.concatenate([[0.0], false_positives / max(1, len(outside))])
    tpr = np.concatenate([[0.0], true_positives / max(1, len(inside))])
    return fpr, tpr


def _read_rate(fpr: Float, tpr: Float, at: float) -> float:
    """Return the true positive rate at a false positive rate; between two thresholds the one of a coin that chooses."""
    last = int(np.searchsorted(fpr, at, side="right")) - 1  # of several points at one rate the highest
    if last + 1 >= len(fpr) or fpr[last] == at:
        return float(tpr[last])
    share = (at - fpr[last]) / (fpr[last + 1] - fpr[last])
    return float(tpr[last] + share * (tpr[last + 1] - tpr[last]))


def _measure_rate(fpr: Float, tpr: Float, at: float, n_rows: int, *, prefix: str = "") -> Measurement:
    n_found = _read_rate(fpr, tpr, at) * n_rows
    way = "offline" if prefix == "offline_" else "online"
    return measure_share(
        f"{prefix}tpr_at_fpr_{at:g}", n_found, n_rows, method=f"LiRA, {way} (Carlini et al. 2022)", baseline=at
    )


def _measure_advantage(scores: Float, members: Mask, *, seed: int) -> Measurement:
    """Return the lead, each half of the rows counted at the limit that the other half would choose."""
    n_rows = scores.shape[1]
    is_first = np.zeros(n_rows, dtype=bool)
    is_first[np.random.default_rng([seed, 2]).permutation(n_rows)[: n_rows // 2]] = True
    is_hit = np.zeros(scores.shape, dtype=bool)
    for chosen in (is_first, ~is_first):
        limit = _choose_limit(scores[:, chosen][members[:, chosen]], scores[:, chosen][~members[:, chosen]])
        is_hit[:, ~chosen] = scores[:, ~chosen] >= limit
    rates, errors = [], []
    for side in (members, ~members):
        rate = float(is_hit[side].mean()) if side.any() else 0.0
        rates.append(rate)
        # A row is attacked in many models, and its scores go together: it counts once (ratio of sums over rows).
        errors.append((is_hit & side).sum(axis=0) - rate * side.sum(axis=0))
    per_row = errors[0] / max(1.0, members.sum() / n_rows) - errors[1] / max(1.0, (~members).sum() / n_rows)
    value = rates[0] - rates[1]
    reach = TWO_SIDED_95 * float(np.std(per_row)) / math.sqrt(max(1, n_rows))
    return Measurement(
        name="membership_advantage",
        value=value,
        low=max(-1.0, value - reach),
        high=min(1.0, value + reach),
        n=n_rows,
        unit="rate",
        higher_is_better=False,
        method="true minus false positive rate (Yeom et al. 2018) at the limit chosen on the other half of the rows; normal interval over rows",
        level=LEVEL,
        baseline=0.0,
    )


def _choose_limit(inside: Float, outside: Float) -> float:
    """Return the score from which to accuse so that true minus false positive rate is largest."""
    fpr, tpr = _draw_curve(inside, outside)
    place = int(np.argmax(tpr - fpr))
    scores = np.unique(np.concatenate([inside, outside]))[::-1]  # one point of the curve each, after (0, 0)
    return float(scores[place - 1]) if place else math.inf


def _measure_auc(fpr: Float, tpr: Float, n_rows: int) -> Measurement:
    """Return the area under the curve with the interval of Hanley and McNeil 1982 [3]_, half of the rows on each side."""
    auc = float(np.trapezoid(tpr, fpr))
    half = max(1, n_rows // 2)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    variance = (auc * (1 - auc) + (half - 1) * (q1 - auc**2 + q2 - auc**2)) / half**2
    reach = TWO_SIDED_95 * math.sqrt(max(0.0, variance))
    return Measurement(
        name="membership_auc",
        value=auc,
        low=max(0.0, auc - reach),
        high=min(1.0, auc + reach),
        n=n_rows,
        higher_is_better=False,
        method="LiRA, online (Carlini et al. 2022); Hanley and McNeil 1982",
        level=LEVEL,
        baseline=0.5,
    )


def _shuffle(members: Mask, *, seed: int) -> Mask:
    chance = np.random.default_rng([seed, 1])
    return np.stack([row[chance.permutation(len(row))] for row in members])


def _average(scores: Float, members: Mask) -> Float:
    """Return each row's mean score over the models that learned from it, which is how much it gives itself away."""
    learned = members.sum(axis=0)
    return np.where(learned > 0, np.where(members, scores, 0.0).sum(axis=0) / np.maximum(learned, 1), -np.inf)


def _find_largest(scores: Float, members: Mask) -> float:
    return float(_average(scores, members).max())


def _find_exposed(scores: Float, members: Mask, *, most: float) -> tuple[ExposedRow, ...]:
    """Return the rows whose members' scores lie most often above the limit of 1 % false positives, of those that chance did not make.

    Parameters
    ----------
    scores, members : ndarray of shape (n_models, n_rows)
    most : float
        By how much a row gives itself away by chance at most.
    """
    limit = float(np.quantile(scores[~members], 1 - RATE))
    hits, learned = ((scores > limit) & members).sum(axis=0), members.sum(axis=0)
    average = _average(scores, members)
    order = np.lexsort((-average, -hits / np.maximum(learned, 1)))
    return tuple(
        ExposedRow(row=int(row), recognised=int(hits[row]), learned=int(learned[row]))
        for row in order[average[order] > most][:MOST_EXPOSED]
    )
