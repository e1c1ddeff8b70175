"""People beside the model: why a row is theirs, what is measured of them, and whom the alarm finds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from skiff.core.signature import InputColumn
from skiff.govern.planting import choose_turned, turn_label, turn_number
from skiff.govern.referral import Policy, find_reason, find_strange, list_known
from skiff.govern.review import LONGEST_S, Reviewed, measure_median, measure_reviewer, measure_reviewers
from skiff.govern.stamping import LEVEL, YIELD_BLOCK, YIELD_LIMIT, find_alarm, weigh_evidence

LABELS = ("no", "yes")
WORDS = 25
"""Words of a row: two and a half seconds at ten words a second."""

PEOPLE = 1_000


def other(label: str) -> str:
    return LABELS[1 - LABELS.index(label)]


def simulate(
    chance: np.random.Generator,
    *,
    n_rows: int,
    skill: float,
    yields: float,
    stays: float = 1.0,
    median_s: float = 12.0,
    wrong: float = 0.5,
    reviewer: str = "ada",
) -> list[Reviewed]:
    """Return planted rows as somebody decides them.

    `skill`: right first answers; `yields`: wrong suggestions taken over against the first answer; `stays`: right suggestions taken
    over against the first answer.
    """
    rows = []
    for _ in range(n_rows):
        truth = LABELS[int(chance.integers(2))]
        first = truth if chance.random() < skill else other(truth)
        advice = other(truth) if chance.random() < wrong else truth
        takes = chance.random() < (yields if advice != truth else stays)
        final = advice if first != advice and takes else first
        seconds = float(chance.lognormal(math.log(median_s), 0.6))
        rows.append(
            Reviewed(
                reviewer=reviewer, first=first, advice=advice, final=final, truth=truth, seconds=seconds, words=WORDS
            )
        )
    return rows


def alarm_of(rows: Sequence[Reviewed]) -> str:
    return find_alarm(
        [row.follows for row in rows if row.may_yield], [(row.seconds or 0.0, row.words) for row in rows]
    ).state


def share_of_alarms(make: Callable[[np.random.Generator], list[Reviewed]], *, seed: int) -> float:
    chance = np.random.default_rng(seed)
    return sum(alarm_of(make(chance)) == "rings" for _ in range(PEOPLE)) / PEOPLE


def test_of_a_thousand_honest_reviewers_hardly_one_sets_off_the_alarm() -> None:
    found = share_of_alarms(lambda chance: simulate(chance, n_rows=120, skill=0.8, yields=0.25), seed=1)
    assert found <= 0.005


def test_reviewers_at_the_very_limit_set_it_off_no_more_often_than_is_stated_however_often_one_looks() -> None:
    chance = np.random.default_rng(2)
    rang = 0
    for _ in range(PEOPLE):
        hits = chance.random(YIELD_BLOCK) < YIELD_LIMIT
        times = [(1.0 if chance.random() < 0.1 else 20.0, WORDS) for _ in range(200)]
        rang += (
            find_alarm(hits.tolist(), times).state == "rings"
        )  # the largest evidence of every look within the block counts
    assert rang / PEOPLE <= LEVEL + 2 * math.sqrt(LEVEL * (1 - LEVEL) / PEOPLE)


@pytest.mark.parametrize(("n_rows", "power"), [(40, 0.60), (60, 0.90), (80, 0.98)])
def test_a_rubber_stamper_who_reads_slowly_is_found(n_rows: int, power: float) -> None:
    """First answers by chance, nearly every suggestion taken over: power grows with the planted rows."""
    found = share_of_alarms(lambda chance: simulate(chance, n_rows=n_rows, skill=0.5, yields=0.97), seed=3)
    assert found >= power


def test_a_rubber_stamper_who_does_not_read_is_found_by_the_clock_alone() -> None:
    def hurry(chance: np.random.Generator) -> list[Reviewed]:
        return simulate(chance, n_rows=20, skill=0.5, yields=0.97, median_s=1.2, wrong=0.0)

    assert share_of_alarms(hurry, seed=4) >= 0.99


def test_three_hasty_keys_accuse_nobody() -> None:
    hasty = [(0.5, WORDS)] * 19
    assert find_alarm([], hasty).state == "too_few"
    assert find_alarm([], [*hasty, (0.5, WORDS)]).state == "rings"


def test_who_sees_the_suggestion_with_the_row_and_follows_it_is_found_too() -> None:
    rows = [Reviewed(reviewer="ada", final="no", advice="no", truth="yes", seen="first", seconds=20.0, words=9)] * 8
    assert alarm_of(rows) == "rings"
    assert alarm_of(rows[:7]) == "too_few"


def test_a_contrarian_sets_off_no_alarm_and_shows_as_under_reliance() -> None:
    rows = simulate(np.random.default_rng(5), n_rows=200, skill=0.6, yields=0.0, stays=0.05)
    found = measure_reviewer(rows)
    assert found.alarm.state == "quiet"
    assert found.under_reliance is not None
    assert found.under_reliance.value > 0.85
    assert found.over_reliance is not None
    assert found.over_reliance.value == 0.0


def test_someone_who_comes_to_the_wrong_answer_alone_is_no_rubber_stamper() -> None:
    rows = [Reviewed(reviewer="ada", first="no", final="no", advice="no", truth="yes", seconds=20.0, words=9)] * 40
    found = measure_reviewer(rows)
    assert found.alarm.state == "too_few"
    assert found.over_reliance is None
    assert found.agreement_wrong is not None
    assert found.agreement_wrong.value == 1.0


def test_years_of_care_do_not_hide_that_someone_stopped_caring() -> None:
    assert find_alarm([False] * 1_000 + [True] * 20, []).state == "rings"


def test_an_alarm_of_the_last_block_does_not_end_with_the_first_row_of_the_next() -> None:
    assert find_alarm([True] * YIELD_BLOCK + [False], []).state == "rings"
    assert find_alarm([True] * YIELD_BLOCK + [False] * (2 * YIELD_BLOCK), []).state == "quiet"


def test_evidence_is_the_mean_likelihood_ratio() -> None:
    grid = np.linspace(0.5, 1.0, 200_001)
    for hits, n in ((3, 10), (9, 10), (10, 10), (0, 5)):
        ratio = grid**hits * (1 - grid) ** (n - hits) / 0.5**n
        assert weigh_evidence(hits, n, 0.5) == pytest.approx(ratio.mean(), rel=1e-3)


def test_the_evidence_of_the_limit_itself_is_one_on_average() -> None:
    """What makes it hold however often one looks: under the limit its mean never exceeds one."""
    for limit in (0.1, 0.5):
        mean = sum(
            math.comb(20, hits) * limit**hits * (1 - limit) ** (20 - hits) * weigh_evidence(hits, 20, limit)
            for hits in range(21)
        )
        assert mean == pytest.approx(1.0, abs=1e-9)


def test_reliance_is_counted_as_schemmer_counts_it() -> None:
    def row(first: str, advice: str, final: str) -> Reviewed:
        return Reviewed(reviewer="ada", first=first, advice=advice, final=final, truth="yes")

    rows = (
        [row("yes", "no", "yes")] * 6 + [row("yes", "no", "no")] * 2  # relative self-reliance 6 of 8
        + [row("no", "yes", "yes")] * 4 + [row("no", "yes", "no")] * 1  # relative AI reliance 4 of 5
        + [row("yes", "yes", "yes")] * 3 + [row("no", "no", "no")] * 2
    )  # fmt: skip
    found = measure_reviewer(rows)
    assert found.over_reliance is not None
    assert (found.over_reliance.value, found.over_reliance.n) == (0.25, 8)
    assert found.under_reliance is not None
    assert (found.under_reliance.value, found.under_reliance.n) == (pytest.approx(0.2), 5)
    assert found.switched is not None
    assert (found.switched.value, found.switched.n) == (pytest.approx(6 / 13), 13)
    assert found.accuracy_first is not None
    assert found.accuracy_first.value == pytest.approx(11 / 18)
    assert found.accuracy_final is not None
    assert found.accuracy_final.value == pytest.approx(13 / 18)


def test_numbers_are_right_within_their_margin_and_move_towards_the_suggestion() -> None:
    rows = [
        Reviewed(reviewer="ada", first="100", advice="200", final="150", truth="110", margin=20.0),
        Reviewed(reviewer="ada", first="100", advice="200", final="100", truth="110", margin=20.0),
        Reviewed(reviewer="ada", first="100", advice="120", final="120", truth="110", margin=20.0),
    ] * 2  # fmt: skip
    assert [row.is_advice_right for row in rows[:3]] == [False, False, True]
    assert [row.follows for row in rows[:3]] == [False, False, True]
    found = measure_reviewer(rows)
    assert found.weight_of_advice is not None
    assert found.weight_of_advice.value == pytest.approx(0.5)


def test_few_rows_give_no_rate_and_no_alarm() -> None:
    found = measure_reviewer(simulate(np.random.default_rng(6), n_rows=4, skill=0.9, yields=0.1))
    assert found.agreement is None
    assert found.median_s is None
    assert found.alarm.state == "too_few"
    assert measure_reviewers([]) == ()


def test_pauses_are_left_out_of_the_time() -> None:
    rows = [Reviewed(reviewer="ada", final="no", seconds=seconds) for seconds in (5, 6, 7, 8, 9, 10, LONGEST_S + 1)]
    found = measure_reviewer(rows)
    assert found.n_breaks == 1
    assert found.median_s is not None
    assert found.median_s.value == 7.5


def test_the_median_is_covered_as_often_as_is_said() -> None:
    chance = np.random.default_rng(7)
    truth, covered = 12.0, 0
    for _ in range(PEOPLE):
        found = measure_median(chance.lognormal(math.log(truth), 0.8, 25).tolist())
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert covered / PEOPLE >= 0.95 - 0.014


def test_reasons_have_an_order_and_quote_no_cell() -> None:
    policy = Policy(stakes_column="loan", stakes_amount=50_000)
    given = {"decision": "review", "is_control": True, "policy": policy}
    high = find_reason(cells={"loan": "80000"}, strange=("city",), **given)  # type: ignore[arg-type]  # a table of arguments
    strange = find_reason(cells={"loan": 10}, strange=("city",), **given)  # type: ignore[arg-type]
    unsure = find_reason(cells={}, strange=(), **given)  # type: ignore[arg-type]
    control = find_reason(decision="act", is_control=True, cells={}, strange=(), policy=policy)
    found = [item.code for item in (high, strange, unsure, control) if item]
    assert found == ["high_stakes", "out_of_distribution", "abstention", "control"]
    assert "80000" not in str(high)
    assert (
        find_reason(decision="act", is_control=False, cells={}, strange=("city",), policy=Policy(out_of_range=False))
        is None
    )


def test_a_row_is_strange_where_no_training_row_was_like_it() -> None:
    inputs = [
        InputColumn(name="nights", kind="number", low=1.0, high=30.0, nullable=False),
        InputColumn(name="city", kind="category", levels=("Oslo", "Bergen")),
        InputColumn(name="code", kind="category", levels=tuple(map(str, range(1_000)))),
        InputColumn(name="note", kind="text"),
    ]
    columns = list_known(inputs)
    assert find_strange(columns, {"nights": 30.0, "city": "Oslo", "code": "new", "note": "never seen"}) == ()
    assert find_strange(columns, {"nights": None, "city": "Rome"}) == ("nights", "city")
    assert find_strange(columns, {"nights": "31", "city": None}) == ("nights",)
    assert find_strange(columns, {}) == ()


def test_the_wanted_share_of_suggestions_is_wrong_and_looks_like_the_others() -> None:
    is_wrong = np.array([True] * 10 + [False] * 90)
    turned = choose_turned(is_wrong, 0.5, seed=1)
    assert (is_wrong | turned).sum() == 50
    assert not (is_wrong & turned).any()
    assert choose_turned(is_wrong, 0.05, seed=1).sum() == 0
    assert turn_label(np.array([0.2, 0.1, 0.7]), 2) == (0, 0.7)
    for chance in np.linspace(0, 0.999, 50):
        assert 15.0 <= abs(turn_number(100.0, 10.0, chance=float(chance)) - 100.0) <= 30.0
