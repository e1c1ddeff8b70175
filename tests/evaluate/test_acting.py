"""Whom to act on: by costs, by amounts, by capacity, and what leaving doubtful answers to a person buys."""

from __future__ import annotations

import numpy as np
import pytest

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.task import Costs
from skiff.evaluate.abstain import find_reviewed, find_widest, fit_review, measure_abstaining
from skiff.evaluate.compare import compare_savings, is_better
from skiff.evaluate.curves import find_gain_points, find_profit_points
from skiff.evaluate.looks import widen_for_looks
from skiff.evaluate.promised import Promised, judge_promises, measure_sizes
from skiff.evaluate.results import Evaluation
from skiff.evaluate.slices import Group
from skiff.evaluate.threshold import choose_threshold, measure_saving
from skiff.report.promises import describe_promises

RNG = np.random.default_rng(7)
P = RNG.uniform(size=4000)
Y = (RNG.uniform(size=4000) < P).astype(np.int64)
PROB = np.stack([1 - P, P], axis=1)


def test_no_more_rows_are_flagged_than_can_be_acted_on() -> None:
    costs = Costs(capacity_per_week=50, rows_per_month=2000)
    decision = choose_threshold(Y, P, costs=costs)
    assert np.mean(decision.threshold <= P) == pytest.approx(50 * 52 / 12 / 2000, abs=0.001)
    assert "50 rows a week" in decision.reason
    assert "in another month more or fewer" in decision.reason
    coarse = np.round(P, 1)  # ties never overfill the week
    assert np.mean(coarse >= choose_threshold(Y, coarse, costs=costs).threshold) <= 50 * 52 / 12 / 2000


def test_costs_may_ask_for_fewer_than_there_is_room_for() -> None:
    costs = Costs(capacity_per_week=400, rows_per_month=2000, false_positive=9.0, false_negative=1.0)
    decision = choose_threshold(Y, P, costs=costs)
    assert decision.threshold == pytest.approx(0.9, abs=0.05)
    assert "would not pay" in decision.reason
    assert "400 rows a week" in decision.reason


def test_where_room_decides_the_costs_are_told_too() -> None:
    costs = Costs(capacity_per_week=50, rows_per_month=2000, false_positive=1.0, false_negative=9.0)
    reason = choose_threshold(Y, P, costs=costs).reason
    assert "50 rows a week" in reason
    assert "a missed case costs 9 EUR, a false alarm 1 EUR" in reason


def test_capacity_needs_to_know_of_how_many() -> None:
    with pytest.raises(SkiffError) as caught:
        choose_threshold(Y, P, costs=Costs(capacity_per_week=50))
    assert caught.value.code == "capacity_without_rows"
    assert "rows_per_month" in caught.value.fix


def test_amounts_move_the_threshold_and_the_saving() -> None:
    amounts = RNG.lognormal(3, 1, size=4000)
    costs = Costs(false_positive=5.0, false_negative=1.0, amount="loan")
    decision = choose_threshold(Y, P, costs=costs, amounts=amounts)
    assert decision.threshold == pytest.approx(5 / (5 + amounts.mean()), abs=0.06)
    saved = measure_saving(Y, P, decision.threshold, costs, seed=0, amounts=amounts)
    flagged = decision.threshold <= P
    paid = np.where(flagged, np.where(Y == 1, 0.0, 5.0), np.where(Y == 1, amounts, 0.0)).mean()
    best = min(np.where(Y == 1, 0.0, 5.0).mean(), np.where(Y == 1, amounts, 0.0).mean())
    assert saved.value == pytest.approx(best - paid, abs=1e-9)
    assert saved.low is not None
    assert saved.low < saved.value


def test_gain_and_profit_follow_the_ranking() -> None:
    gain = find_gain_points(Y == 1, P)
    assert gain[0] == (0.0, 0.0)
    assert gain[-1] == (1.0, 1.0)
    assert all(caught >= share - 0.02 for share, caught in gain)
    costs = Costs(false_positive=1.0, false_negative=3.0)
    share, _ = max(find_profit_points(Y == 1, P, costs), key=lambda point: point[1])
    assert share == pytest.approx(0.75, abs=0.06)  # flagged from a probability of 1 in 4


def test_leaving_the_least_sure_to_a_person_makes_the_rest_right_more_often() -> None:
    points = measure_abstaining(Y, PROB)
    accuracies = [point.accuracy for point in points]
    assert accuracies == sorted(accuracies)
    assert [point.n for point in points] == [4000, 3800, 3600, 3200, 2800, 2000]


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.9])
def test_the_wished_share_is_reviewed_around_any_threshold(threshold: float) -> None:
    review = fit_review("binary", PROB, threshold=threshold, share=0.1)
    assert find_reviewed(review, "binary", PROB).mean() == pytest.approx(0.1, abs=0.005)
    assert review.low < threshold < review.high


def test_a_look_is_asked_for_exactly_where_it_is_cheaper_than_acting() -> None:
    costs = Costs(false_positive=10.0, false_negative=40.0, true_positive=2.0, review=5.0)
    review = fit_review("binary", PROB, costs=costs)
    flag, quiet = P * 2 + (1 - P) * 10, P * 40
    assert (find_reviewed(review, "binary", PROB) == (np.minimum(flag, quiet) > 5.0)).all()
    dear = fit_review("binary", PROB, costs=Costs(false_positive=1.0, false_negative=1.0, review=5.0))
    assert not find_reviewed(dear, "binary", PROB).any()


def test_only_ranges_wider_than_most_are_reviewed() -> None:
    widths = RNG.uniform(1, 2, size=1000)
    assert np.mean(widths >= find_widest(widths, share=0.1)) == pytest.approx(0.1, abs=0.001)


def test_rounding_does_not_decide_who_looks_at_a_range() -> None:
    rng = np.random.default_rng(0)
    value = rng.uniform(1e7, 1e9, size=1000)
    half = np.where(value > 9e8, 3e7, 1e7)  # equally wide in each of two bins, but for rounding
    widths = (value + half) - (value - half)
    assert len(np.unique(widths)) > 2
    limit = find_widest(widths, share=0.15)
    assert limit == pytest.approx(4e7)
    assert np.array_equal(widths >= limit, value > 9e8)
    assert find_widest(np.array([]), share=0.1) == np.inf
    assert find_widest(np.array([1e-9] * 9 + [5e-9]), share=0.1) == pytest.approx(3e-9)  # tiny units are told apart too
    assert find_widest(np.arange(10.0), share=1.0) == 0.0


def test_a_group_where_ranges_fail_is_found_and_small_ones_are_named() -> None:
    y = RNG.normal(size=3000)
    place = np.arange(3000)
    half = np.where(place < 300, 0.5, 2.5)  # the first three hundred are promised far too much
    groups = [
        Group(column="shop", level=name, rows=rows, is_protected=False)
        for name, rows in (("north", place < 300), ("south", (place >= 300) & (place < 2990)), ("ship", place >= 2990))
    ]
    found = judge_promises(y, Promised(coverage=0.9, low=-half, high=half), groups)
    by_name = {group.level: group for group in found.groups}
    assert by_name["north"].falls_short
    assert not by_name["south"].falls_short
    assert by_name["ship"].is_too_small
    assert not by_name["ship"].falls_short


def test_honest_groups_are_rarely_blamed() -> None:
    blamed = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.uniform(size=2000)
        place = rng.integers(20, size=2000)
        groups = [Group(column="g", level=str(code), rows=place == code, is_protected=False) for code in range(20)]
        found = judge_promises(y, Promised(coverage=0.9, low=np.zeros(2000), high=np.full(2000, 0.9)), groups)
        blamed += any(group.falls_short for group in found.groups)
    assert blamed <= 16  # twenty groups together at most about 5 in 100; 16 of 200 is two standard errors above


def test_errors_grow_with_size_where_they_do() -> None:
    pred = RNG.uniform(1, 100, size=2000)
    sizes = measure_sizes(pred + pred * 0.2 * RNG.normal(size=2000), pred, None, unit="EUR")
    assert len(sizes) == 5
    assert sizes[-1].error.low is not None
    assert sizes[0].error.high is not None
    assert sizes[-1].error.low > sizes[0].error.high
    assert sizes[0].error.unit == "EUR"


def test_each_further_look_widens_what_is_claimed() -> None:
    found = Measurement(name="roc_auc", value=0.9, low=0.85, high=0.94, method="DeLong")
    widths = [widen_for_looks(found, looks) for looks in (1, 2, 10, 1000)]
    assert [item.low for item in widths] == sorted((item.low for item in widths), reverse=True)  # type: ignore[type-var]  # all have one
    assert widths[-1].high is not None
    assert widths[-1].high <= 1.0
    assert "10 looks" in widths[2].method


def test_savings_of_two_models_are_compared_row_by_row() -> None:
    costs = Costs(false_positive=1.0, false_negative=3.0)
    noisy = P + RNG.normal(0, 0.3, size=4000)
    found = compare_savings(Y == 1, P >= 0.25, noisy >= 0.25, costs)
    assert is_better(found)
    assert not is_better(compare_savings(Y == 1, P >= 0.25, P >= 0.25, costs))


def test_groups_are_not_blamed_for_rows_that_belong_together() -> None:
    rng = np.random.default_rng(0)
    storm = np.repeat(np.arange(40), 30)
    y, blamed = np.zeros(1200), {"alone": 0, "together": 0}
    for _ in range(40):
        off = (rng.uniform(size=40) > 0.9)[storm]  # a storm is held wholly or not at all
        promised = Promised(coverage=0.9, low=np.where(off, 1.0, -1.0), high=np.full(1200, 2.0))
        groups = [Group(column="half", level=str(code), rows=storm % 2 == code, is_protected=False) for code in (0, 1)]
        for name, together in (("alone", None), ("together", storm)):
            kept = judge_promises(y, promised, groups, together=together)
            blamed[name] += sum(one.falls_short for one in kept.groups)
    assert blamed["together"] <= 4
    assert blamed["alone"] > 15


def test_each_true_answer_has_its_own_coverage() -> None:
    y = np.repeat([0.0, 1.0], [950, 50])
    in_set = np.tile([True, False], (1000, 1))
    kept = judge_promises(y, Promised(coverage=0.9, in_set=in_set), [], classes=("good", "bad"))
    assert kept.coverage.value == 0.95
    assert [(one.level, one.coverage.value, one.falls_short) for one in kept.classes] == [
        ("good", 1.0, False),
        ("bad", 0.0, True),
    ]
    found = Evaluation(headline="roc_auc", metrics={}, baselines=(), kept=kept)
    said = " ".join(describe_promises(found))
    assert "“bad” 0 times in 100 (0 to 7)" in said
    assert "surely less often than promised for “bad”" in said
