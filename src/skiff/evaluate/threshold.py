"""From which probability a row is flagged, and what that is worth in money."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.task import Costs
from skiff.evaluate.intervals import MIN_UNITS, N_BOOT, build_resample, find_bca_interval
from skiff.evaluate.prices import (
    AGAINST_NONE,
    BETTER_ALL,
    BETTER_NONE,
    NOT_PAYING,
    find_typical_costs,
    get_mistakes,
    has_matrix,
    say_money,
    spread_costs,
)
from skiff.evaluate.results import Decision
from skiff.evaluate.scores import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

MIN_SIDE = 5
"""Rows that must lie on each side of a threshold that was found by trying: fewer would fit an extreme row."""

WEEKS_PER_MONTH = 52 / 12

PLATEAU = 0.005
"""Thresholds whose F1 is within this of the best are one plateau, whose middle is taken: its ends move with the sample."""


def choose_threshold(
    y: Int | Float, p_positive: Float, *, costs: Costs | None, amounts: Float | None = None
) -> Decision:
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
        With ``capacity_per_week`` no more of these rows are flagged than can be acted on; of others it may be more.
    amounts : ndarray of shape (n_rows,), optional
        What is at stake in each row, where ``costs.amount`` names a column.

    Raises
    ------
    SkiffError
        ``costs_contradict`` where right answers cost more than wrong ones; ``costs_incomplete``; ``capacity_without_rows``.

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
    if costs is not None and costs.capacity_per_week is not None:
        return _choose_by_capacity(is_positive, p_positive, costs, amounts)
    if costs is not None and has_matrix(costs):
        return _choose_by_costs(is_positive, p_positive, costs, amounts)
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
    false_positive, false_negative = get_mistakes(costs)
    alarm, miss = false_positive - costs.true_negative, false_negative - costs.true_positive
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
    amounts: Float | None = None,
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
    amounts : ndarray of shape (n_rows,), optional

    Returns
    -------
    Measurement
        In `costs.currency` per row; below 0 where the model costs more than it saves.

    Notes
    -----
    The better constant is picked on the same rows, in each resample anew, so the saving is not flattered. Where capacity is
    limited nobody can flag every row, so the saving is against flagging none.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1] * 25)
    >>> measure_saving(y, y * 0.8 + 0.1, 0.5, Costs(false_positive=1, false_negative=2), seed=0).value
    0.5
    """
    is_positive, flagged = y == 1, p >= threshold
    priced = spread_costs(costs, len(p), amounts)
    paid = priced.price(is_positive, flagged)
    none_flagged = priced.price(is_positive, np.zeros(len(p), dtype=bool))
    is_limited = costs.capacity_per_week is not None
    all_flagged = none_flagged if is_limited else priced.price(is_positive, np.ones(len(p), dtype=bool))

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
    better = BETTER_ALL if all_flagged.sum() < none_flagged.sum() else BETTER_NONE
    against = AGAINST_NONE if is_limited else f"against the better of flagging all and none ({better})"
    return Measurement(
        name="saving_per_row",
        value=value,
        low=low,
        high=high,
        n=len(p),
        unit=costs.currency,
        higher_is_better=True,
        method=f"{method}; {against}",
        baseline=0.0,
    )


def _say(threshold: float) -> str:
    if threshold >= 0.01:  # noqa: PLR2004  below, counts of 100 round to nothing
        return f"{threshold * 100:.0f} in 100"
    return f"{threshold * 1000:.1f} in 1,000"


def find_capacity_share(costs: Costs) -> float:
    """Return the share of rows that can be acted on.

    Raises
    ------
    SkiffError
        ``capacity_without_rows``.

    Examples
    --------
    >>> round(find_capacity_share(Costs(capacity_per_week=50, rows_per_month=2000)), 4)
    0.1083
    """
    if costs.capacity_per_week is None:
        return 1.0
    if costs.rows_per_month is None or costs.rows_per_month <= 0:
        raise SkiffError(
            "capacity_without_rows",
            what="It is said how many rows can be acted on in a week, but not of how many.",
            where={"setting": "costs.rows_per_month"},
            fix="Write under [costs] how many rows you decide on in a month, such as:  rows_per_month = 2000",
        )
    return min(costs.capacity_per_week * WEEKS_PER_MONTH / costs.rows_per_month, 1.0)


def _choose_by_capacity(is_positive: Mask, p: Float, costs: Costs, amounts: Float | None) -> Decision:
    """Flag the most probable rows until the week is full, or fewer where the costs say so."""
    share = find_capacity_share(costs)
    n_flagged = int(share * len(p))
    ranked = np.sort(p)[::-1]
    cut = 1.0 if n_flagged == 0 else 0.0 if n_flagged >= len(p) else float(ranked[n_flagged - 1])
    if 0 < n_flagged < len(p) and ranked[n_flagged] == cut:  # a tie would overfill the week
        above = ranked[ranked > cut]
        cut = float(above[-1]) if len(above) else cut
    room = f"{costs.capacity_per_week:,g} rows a week of about {costs.rows_per_month or 0:,g} a month, {_say(share)}"
    if has_matrix(costs):
        by_costs = _choose_by_costs(is_positive, p, costs, amounts)
        if by_costs.threshold > cut:
            more = f"You can act on {room}: there is room for more than that, but {NOT_PAYING}."
            return Decision(threshold=by_costs.threshold, reason=f"{by_costs.reason} {more}")
        room_first = (
            f" Your costs would have more rows flagged, but there is no room for them: {_say_stakes(costs, amounts)}."
        )
    else:
        room_first = ""
    says = (
        f"You can act on {room}: on the training rows those from a probability of {_say(cut)} upwards. Of rows like these about "
        "that many are flagged in the usual month, in another month more or fewer: where more are, take the most probable first."
    )
    return Decision(threshold=round(cut, 12), reason=f"{says}{room_first}")


def _say_stakes(costs: Costs, amounts: Float | None) -> str:
    false_positive, false_negative = get_mistakes(find_typical_costs(costs, amounts))
    stake = "" if costs.amount is None else f" (means over the column '{costs.amount}' of the training rows)"
    return (
        f"a missed case costs {say_money(false_negative)} {costs.currency}, "
        f"a false alarm {say_money(false_positive)} {costs.currency}{stake}"
    )


def _choose_by_costs(is_positive: Mask, p: Float, costs: Costs, amounts: Float | None) -> Decision:
    priced = spread_costs(costs, len(p), amounts)
    theory = round(find_theoretical_threshold(find_typical_costs(costs, amounts)), 12)
    stakes = _say_stakes(costs, amounts)
    reason = f"By your costs it pays to flag a row from a probability of {_say(theory)} upwards: {stakes}."
    order, places, cuts = _find_cuts(p)
    if len(cuts) == 0:
        return Decision(threshold=theory, reason=reason)
    quiet = priced.price(is_positive, np.zeros(len(p), dtype=bool))
    alarm = priced.price(is_positive, np.ones(len(p), dtype=bool))
    spent = quiet.sum() - np.cumsum((quiet - alarm)[order])[places]
    # The middle of the thresholds that cost at most 0.1 % more than the cheapest: its ends move with the sample.
    cheap = spent <= spent.min() + 0.001 * (spent.max() - spent.min())
    tried = float(cuts[_find_middle(cheap, int(np.argmin(spent)))])
    gain = priced.price(is_positive, p >= theory) - priced.price(is_positive, p >= tried)
    if gain.mean() > gain.std() / math.sqrt(len(p)):
        return Decision(
            threshold=tried,
            reason=f"Flagging a row from a probability of {_say(tried)} upwards cost least on the training rows, by your "
            f"costs: {stakes}. The textbook value of {_say(theory)} was dearer there.",
        )
    return Decision(threshold=theory, reason=reason)


def _choose_by_f1(is_positive: Mask, p: Float) -> float:
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


def _find_cuts(p: Float) -> tuple[Int, Int, Float]:
    """Return the order from the most probable down, the places after which a threshold may lie, and those thresholds."""
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    last = np.flatnonzero(ranked[1:] != ranked[:-1])
    last = last[(last + 1 >= MIN_SIDE) & (len(p) - last - 1 >= MIN_SIDE)]
    return order, last, np.round((ranked[last] + ranked[last + 1]) / 2, 12)


def _count_at_cuts(is_positive: Mask, p: Float) -> tuple[Float, Float, Float]:
    """Count hits and false alarms at each midpoint between different probabilities, strictest first."""
    order, last, cuts = _find_cuts(p)
    hits = np.cumsum(is_positive[order])[last].astype(np.float64)
    return cuts, hits, last + 1.0 - hits


def _find_middle(is_good: Mask, best: int) -> int:
    """Return the middle of the unbroken run of good places around `best`."""
    bad = np.flatnonzero(~is_good)
    before, after = bad[bad < best], bad[bad > best]
    first = int(before[-1]) + 1 if len(before) else 0
    last = int(after[0]) - 1 if len(after) else len(is_good) - 1
    return (first + last) // 2
