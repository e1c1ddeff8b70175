"""From which probability a row is flagged, and what that is worth in money."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.task import Costs
from skiff.evaluate.intervals import MIN_UNITS, N_BOOT, build_resample, find_bca_interval
from skiff.evaluate.results import Decision
from skiff.evaluate.scores import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MIN_SIDE = 5
"""Rows that must lie on each side of a threshold that was found by trying: fewer would fit an extreme row."""

PLATEAU = 0.005
"""Thresholds whose F1 is within this of the best are one plateau, whose middle is taken: its ends move with the sample."""


def choose_threshold(y: Int | Float, p_positive: Float, *, costs: Costs | None) -> Decision:
    """Settle from which probability a row is flagged.

    With costs: the threshold that theory gives for calibrated probabilities, unless another is cheaper on these rows by
    more than one standard error. Without: the best mean of the F1 of both answers, which weighs missed cases against
    false alarms and does not change its mind when yes and no are swapped.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        1 for the positive class.
    p_positive : ndarray of shape (n_rows,)
        Probabilities of rows the model was not fitted on (out of fold): never the sealed test set.
    costs : Costs or None

    Raises
    ------
    SkiffError
        ``costs_contradict`` where right answers cost more than wrong ones.

    References
    ----------
    Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, 973-978, eq. 2 (threshold from costs).
    Sokolova, M. and Lapalme, G. (2009). A systematic analysis of performance measures for classification tasks.
    https://doi.org/10.1016/j.ipm.2009.03.002, table 3 (macro F1).

    Examples
    --------
    >>> choose_threshold(np.array([0, 0, 1] * 20), np.array([0.1, 0.4, 0.6] * 20), costs=None).threshold
    0.5
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(size=1000)
    >>> y = (rng.uniform(size=1000) < p).astype(np.int64)
    >>> choose_threshold(y, p, costs=Costs(false_positive=1, false_negative=4)).threshold
    0.2
    """
    is_positive = y == 1
    if costs is not None:
        return _choose_by_costs(is_positive, p_positive, costs)
    if min(int(is_positive.sum()), int((~is_positive).sum())) < MIN_SIDE:
        return Decision(threshold=0.5, reason="There are too few cases to choose a threshold from, so it is one half.")
    threshold = _choose_by_f1(is_positive, p_positive)
    return Decision(
        threshold=threshold,
        reason=f"A row is flagged from a probability of {_say(threshold)} upwards, where false alarms and missed cases "
        "are in balance (best mean F1 of both answers); say what each costs under [costs] to settle it in money.",
    )


def find_theoretical_threshold(costs: Costs) -> float:
    """Return the probability from which flagging is the cheaper answer.

    Examples
    --------
    >>> find_theoretical_threshold(Costs(false_positive=5, false_negative=95))
    0.05
    """
    alarm = costs.false_positive - costs.true_negative
    miss = costs.false_negative - costs.true_positive
    if alarm + miss <= 0 or (alarm < 0 and miss < 0):
        raise SkiffError(
            "costs_contradict",
            what="By these costs a wrong answer is cheaper than a right one.",
            where={"setting": "costs"},
            fix="A cost is positive and a gain negative: check the signs under [costs].",
        )
    return min(max(alarm / (alarm + miss), 0.0), 1.0)


def measure_saving(
    y: Int | Float,
    p: Float,
    threshold: float,
    costs: Costs,
    *,
    seed: int,
    groups: Int | None = None,
    n_boot: int = N_BOOT,
) -> Measurement:
    """Measure the saving per row against the better of flagging every row and flagging none.

    Parameters
    ----------
    y, p : ndarray of shape (n_rows,)
        1 for the positive class, and its probability.
    threshold : float
    costs : Costs
    seed : int
    groups : ndarray of int64, optional

    Returns
    -------
    Measurement
        In `costs.currency` per row; below 0 where the model costs more than it saves.

    Notes
    -----
    The better constant is picked on the same rows, in each resample anew, so the saving is not flattered.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1] * 25)
    >>> measure_saving(y, y * 0.8 + 0.1, 0.5, Costs(false_positive=1, false_negative=2), seed=0).value
    0.5
    """
    is_positive, flagged = y == 1, p >= threshold
    paid = _price(is_positive, flagged, costs)
    all_flagged = _price(is_positive, np.ones(len(p), dtype=bool), costs)
    none_flagged = _price(is_positive, np.zeros(len(p), dtype=bool), costs)

    def formula(sums: Float) -> Float:
        return np.asarray((np.minimum(sums[..., 2], sums[..., 3]) - sums[..., 1]) / sums[..., 0])

    values = np.stack([np.ones(len(p)), paid, all_flagged, none_flagged], axis=1)
    score = Score(name="saving_per_row", formula=formula, values=values)
    resample = build_resample(len(p), groups=groups, seed=seed, n_boot=n_boot)
    value = score.value()
    interval = None
    method = f"no interval: only {resample.n_independent} {resample.what}"
    if resample.n_independent >= MIN_UNITS:
        interval = find_bca_interval(value, score.bootstrap(resample), jackknife=score.jackknife(resample))
        method = f"BCa bootstrap of {resample.n_independent:,} {resample.what}, {n_boot:,} resamples (Efron 1987)"
    low, high = interval or (None, None)
    return Measurement(
        name="saving_per_row",
        value=value,
        low=low,
        high=high,
        n=len(p),
        unit=costs.currency,
        higher_is_better=True,
        method=method,
        baseline=0.0,
    )


def _price(is_positive: NDArray[np.bool_], flagged: NDArray[np.bool_], costs: Costs) -> Float:
    right = np.where(is_positive, costs.true_positive, costs.true_negative)
    wrong = np.where(is_positive, costs.false_negative, costs.false_positive)
    return np.where(is_positive == flagged, right, wrong)


def _say(threshold: float) -> str:
    if threshold >= 0.01:  # noqa: PLR2004  below, counts of 100 round to nothing
        return f"{threshold * 100:.0f} in 100"
    return f"{threshold * 1000:.1f} in 1,000"


def _choose_by_costs(is_positive: NDArray[np.bool_], p: Float, costs: Costs) -> Decision:
    theory = round(find_theoretical_threshold(costs), 12)
    reason = (
        f"By your costs it pays to flag a row from a probability of {_say(theory)} upwards: a missed case costs "
        f"{costs.false_negative:g} {costs.currency}, a false alarm {costs.false_positive:g} {costs.currency}."
    )
    cuts, hits, alarms = _count_at_cuts(is_positive, p)
    if len(cuts) == 0:
        return Decision(threshold=theory, reason=reason)
    total, n_positive = len(p), int(is_positive.sum())
    spent = (
        hits * costs.true_positive
        + alarms * costs.false_positive
        + (n_positive - hits) * costs.false_negative
        + (total - n_positive - alarms) * costs.true_negative
    )
    # The middle of the thresholds that cost at most 0.1 % more than the cheapest: its ends move with the sample.
    cheap = spent <= spent.min() + 0.001 * (spent.max() - spent.min())
    tried = float(cuts[_find_middle(cheap, int(np.argmin(spent)))])
    gain = _price(is_positive, p >= theory, costs) - _price(is_positive, p >= tried, costs)
    if gain.mean() > gain.std() / math.sqrt(total):
        return Decision(
            threshold=tried,
            reason=f"Flagging a row from a probability of {_say(tried)} upwards cost least on the training rows, by your "
            f"costs; the textbook value of {_say(theory)} was dearer there.",
        )
    return Decision(threshold=theory, reason=reason)


def _choose_by_f1(is_positive: NDArray[np.bool_], p: Float) -> float:
    cuts, hits, alarms = _count_at_cuts(is_positive, p)
    if len(cuts) == 0:
        return 0.5
    n_positive = int(is_positive.sum())
    n_negative = len(p) - n_positive
    quiet = n_negative - alarms
    f1_yes = 2 * hits / (hits + alarms + n_positive)
    f1_no = 2 * quiet / (quiet + (n_positive - hits) + n_negative)
    mean_f1 = (f1_yes + f1_no) / 2
    best = int(np.argmax(mean_f1))
    return float(cuts[_find_middle(mean_f1 >= mean_f1[best] - PLATEAU, best)])


def _count_at_cuts(is_positive: NDArray[np.bool_], p: Float) -> tuple[Float, Float, Float]:
    """Count hits and false alarms at each midpoint between different probabilities, strictest first."""
    order = np.argsort(-p, kind="stable")
    ranked, truth = p[order], is_positive[order]
    last = np.flatnonzero(ranked[1:] != ranked[:-1])
    last = last[(last + 1 >= MIN_SIDE) & (len(p) - last - 1 >= MIN_SIDE)]
    hits = np.cumsum(truth)[last].astype(np.float64)
    cuts = np.round((ranked[last] + ranked[last + 1]) / 2, 12)
    return cuts, hits, last + 1.0 - hits


def _find_middle(is_good: NDArray[np.bool_], best: int) -> int:
    """Return the middle of the unbroken run of good places around `best`."""
    bad = np.flatnonzero(~is_good)
    before, after = bad[bad < best], bad[bad > best]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(is_good) - 1
    return (first + last) // 2
