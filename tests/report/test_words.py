from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.report.stories import STORIES, bookings, donors, flats, measure, no_model, tickets

from skiff.core.measurement import Measurement
from skiff.core.task import Costs
from skiff.evaluate.prices import AGAINST_NONE, BETTER_ALL, BETTER_NONE
from skiff.evaluate.results import CalibrationBin, Decision, Evaluation, Gate, GateVerdict, Kept, Slice
from skiff.evaluate.threshold import choose_threshold
from skiff.report.card import render_card
from skiff.report.content import RunStory
from skiff.report.glossary import abbreviate_metric, describe_metric
from skiff.report.html import render_report
from skiff.report.mistakes import describe_calibration
from skiff.report.money import describe_decision, describe_saving
from skiff.report.page import build_metric_rows
from skiff.report.promises import describe_promises
from skiff.report.words import describe_performance, verdict

FORBIDDEN = re.compile(r"\b(compliant|certified|fair|safe|guarantees?|guaranteed)\b", re.IGNORECASE)


def judged(story: RunStory) -> Evaluation:
    assert story.evaluation is not None
    return story.evaluation


def with_metrics(story: RunStory, **metrics: Measurement) -> RunStory:
    return replace(story, evaluation=replace(judged(story), metrics={**judged(story).metrics, **metrics}))


def test_headline_counts_catches_and_false_alarms_out_of_people() -> None:
    assert verdict(bookings()).headline == (
        "Catches about 8 of 10 cancellations (76 to 84 of 100) and is wrong about once in 5 warnings (16 to 23 of 100)."
    )


def test_not_ready_names_the_criterion_that_failed() -> None:
    found = verdict(bookings())
    assert not found.ready
    assert found.sentences[0].startswith("Not ready, because cancellations of “Groups” are caught less often")


def test_regression_headline_has_amount_unit_and_range() -> None:
    found = verdict(flats())
    assert found.ready
    assert found.headline == "Typically off by about 140 EUR (mean absolute error; 134 to 150 EUR)."


def test_multiclass_headline_counts_right_answers() -> None:
    assert verdict(tickets()).headline == "Right about 83 of 100 times (81 to 85 of 100)."


def test_no_better_than_a_guess_is_said_first() -> None:
    found = verdict(donors())
    assert found.headline == "No better than a simple guess."
    assert not found.ready
    assert "52" in found.sentences[0]
    assert found.sentences[1].startswith("Not ready")


def test_the_reason_is_not_given_twice_when_the_gate_already_says_it() -> None:
    assert sum("no better" in sentence for sentence in verdict(donors()).sentences) == 1


def test_no_model_is_said_with_its_reason() -> None:
    found = verdict(no_model())
    assert found.headline == "No model could be made from this data."
    assert "only 10 rows" in found.sentences[0]


def test_what_was_not_released_says_why() -> None:
    story = flats()
    assert story.release is not None
    judged = verdict(replace(story, release=replace(story.release, number=None)))
    assert not judged.ready
    assert "it was judged, and not released" in judged.sentences[0]
    lost = verdict(replace(story, release=replace(story.release, number=None, kept_back="It lost.")))
    assert "because it lost" in lost.sentences[0]


def test_a_gate_that_failed_without_a_reason_is_still_not_ready() -> None:
    assert not verdict(replace(flats(), gate=Gate(passed=False, verdicts=()))).ready


def test_a_model_nobody_judged_is_not_ready() -> None:
    found = verdict(replace(flats(), evaluation=None))
    assert found.headline == "A model was trained, but it was not judged."
    assert not found.ready


def test_several_failed_criteria_are_counted() -> None:
    failed = tuple(
        GateVerdict(criterion=f"c{i}", passed=False, measured=0.0, required=1.0, sentence=f"Reason {i}.")
        for i in range(3)
    )
    first = verdict(replace(flats(), gate=Gate(passed=False, verdicts=failed))).sentences[0]
    assert first == "Not ready, because reason 0. There are 2 more reasons."


@pytest.mark.parametrize(
    ("recall", "precision", "expected"),
    [
        (0.0, 0.0, "Catches none of the cancellations."),
        (1.0, 0.5, "Catches all cancellations that were kept aside and is wrong about once in 2 warnings."),
        (0.97, 0.3, "Catches about 97 of 100 cancellations and is wrong in about 7 of 10 warnings."),
        (0.5, 1.0, "Catches about 5 of 10 cancellations and is never wrong in its warnings so far."),
        (0.004, 0.996, "Catches 4 of 1,000 cancellations and is wrong in 4 of 1,000 warnings."),
        (float("nan"), 0.5, "The rows kept aside held no cancellations, so nobody can say how many it would catch."),
        (0.8, float("nan"), "Catches about 8 of 10 cancellations."),
    ],
)
def test_extreme_shares_read_well(recall: float, precision: float, expected: str) -> None:
    story = with_metrics(
        bookings(), recall=measure("recall", recall, None, None), precision=measure("precision", precision, None, None)
    )
    assert describe_performance(story, judged(story)) == expected


def test_without_a_threshold_the_ranking_is_told() -> None:
    story = bookings()
    auc = {"roc_auc": judged(story).metrics["roc_auc"]}
    story = replace(story, evaluation=replace(judged(story), metrics=auc))
    assert verdict(story).headline.startswith(
        "Shown one of the cancellations and one other, it picks the right one 87 of 100 times"
    )


def test_leaks_are_told_with_the_score_they_would_have_given() -> None:
    sentence = next(text for text in verdict(bookings()).sentences if "left out" in text)
    assert "0.996" in sentence
    assert "0.868" in sentence
    assert "booking_id" not in sentence


def test_a_random_split_is_named_as_flattering() -> None:
    sentence = next(text for text in verdict(bookings()).sentences if "at random" in text)
    assert "0.912 instead of 0.871" in sentence
    assert "flatters" in sentence


def test_a_random_split_that_does_not_flatter_is_not_accused() -> None:
    story = bookings()
    story = replace(story, evaluation=replace(judged(story), random_split=measure("roc_auc", 0.80, 0.78, 0.82)))
    assert not any("flatters" in text for text in verdict(story).sentences)


@pytest.mark.parametrize("name", [name for name in STORIES if name != "hostile"])
def test_words_that_promise_too_much_are_never_used(name: str) -> None:
    story = STORIES[name]()
    page = re.sub(r"<style>.*?</style>", "", render_report(story), flags=re.DOTALL)
    assert FORBIDDEN.findall(page + render_card(story)) == []


def test_beating_a_guess_alone_is_not_called_meeting_what_was_asked() -> None:
    default = GateVerdict(criterion="beats_baseline", passed=True, measured=0.9, required=0.5, sentence="It is better.")
    found = verdict(replace(flats(), gate=Gate(passed=True, verdicts=(default,))))
    assert found.ready
    assert found.sentences[0].startswith("Ready to try as release 3")


LOAN = Costs(false_positive=40.0, false_negative=0.6, amount="loan", review=12.0, rows_per_month=400.0)


def decided(costs: Costs, method: str, **more: float) -> RunStory:
    made = Decision(
        threshold=0.4,
        reason="From 40 in 100 upwards.",
        saving_per_row=replace(measure("saving_per_row", 6.9, 1.0, 10.0, unit="EUR"), method=method),
        costs=costs,
        typical=replace(costs, false_negative=620.5),
        **more,  # type: ignore[arg-type]  # numbers by name
    )
    return replace(bookings(), evaluation=replace(judged(bookings()), decision=made))


def test_a_saving_stands_beside_the_costs_it_is_reckoned_with() -> None:
    story = decided(LOAN, BETTER_ALL)
    said = describe_saving(story)
    assert "a false alarm 40 EUR, a missed case 0.6 of column “loan” (620.5 EUR on average in the rows judged)" in said
    assert "a person's look 12 EUR; 400 rows a month" in said
    assert said in verdict(story).sentences
    assert "620.5 EUR on average" in render_card(story)
    assert render_report(story).count("620.5 EUR on average") >= 1


@pytest.mark.parametrize(
    ("method", "other"),
    [
        (BETTER_ALL, "answering “yes” for everybody"),
        (BETTER_NONE, "answering “no” for everybody"),
        (AGAINST_NONE, "acting on nobody"),
    ],
)
def test_a_saving_names_what_it_is_held_against(method: str, other: str) -> None:
    story = decided(LOAN, method)
    story = replace(story, task=replace(story.task, classes=("no", "yes"), positive="yes"))
    assert f"against {other}" in describe_saving(story)


def test_where_acting_on_all_were_cheaper_still_it_is_said() -> None:
    story = decided(replace(LOAN, capacity_per_week=20.0), AGAINST_NONE, saving_against_all=-56.6)
    assert "56.6 EUR a row cheaper still, but you have no room to act on all" in describe_saving(story)


def test_the_table_does_not_compare_with_everybody_where_nobody_could_act_on_all() -> None:
    assert "acting on nobody" in describe_metric("saving_eur_row", method=AGAINST_NONE).plain
    assert "acting on every row" not in describe_metric("saving_eur_row", method=AGAINST_NONE).plain
    assert describe_metric("saving_eur_row").label == "Saved per row (EUR)"
    assert abbreviate_metric("saving_eur_row") != abbreviate_metric("saving_eur_month")


@pytest.mark.parametrize(
    ("flagged", "said"),
    [
        (0.074, "32 in 100 of your room stays unused unless you go on down the list by probability"),
        (0.235, "it does not stop when the room is full"),
    ],
)
def test_how_far_the_room_is_filled_is_said(flagged: float, said: str) -> None:
    costs = Costs(capacity_per_week=50.0, rows_per_month=2000.0)
    decision = Decision(threshold=0.4, reason="From 40 in 100 upwards.", costs=costs, flagged=flagged)
    evaluation = replace(judged(bookings()), decision=decision)
    assert said in describe_decision(evaluation)
    assert said in render_card(replace(bookings(), evaluation=evaluation))


def test_room_left_because_it_would_not_pay_is_said() -> None:
    costs = Costs(capacity_per_week=400, rows_per_month=2000, false_positive=9.0, false_negative=1.0)
    p = np.random.default_rng(0).uniform(size=2000)
    decision = choose_threshold((p > 0.5).astype(np.int64), p, costs=replace(costs, false_positive=1e4))
    found = describe_decision(
        replace(
            judged(bookings()), decision=replace(decision, costs=costs, flagged=float(np.mean(p >= decision.threshold)))
        )
    )
    assert "in 100 of your room stays unused, because by your costs acting on further rows would not pay" in found


def test_a_relative_error_is_printed_in_per_cent() -> None:
    story = with_metrics(flats(), mape=measure("mape", 0.53, 0.51, 0.55))
    row = next(row for row in build_metric_rows(judged(story)) if row.name == "mape")
    assert (row.value, row.interval) == ("53.0 %", "51.0 to 55.0")


def test_the_size_of_a_set_is_a_sentence() -> None:
    kept = Kept(
        coverage=Measurement(name="coverage", value=0.91, n=400, baseline=0.9),
        size=Measurement(name="set_size", value=1.25),
    )
    said = describe_promises(Evaluation(headline="log_loss", metrics={}, baselines=(), kept=kept))
    assert "On average the set holds 1.25 answers." in said


def test_all_groups_are_counted_not_only_those_shown() -> None:
    story = bookings()
    every = tuple(Slice(column="shop", level=str(i), n=90, metric=None, gap=None) for i in range(47))
    small = tuple(
        Slice(column="origin", level=f"o{i}", n=8, metric=None, gap=None, is_too_small=True) for i in range(7)
    )
    story = replace(
        story,
        task=replace(story.task, protected=("origin",)),
        evaluation=replace(judged(story), groups=(*every, *small), slices=every[:15]),
    )
    for text in (render_report(story), render_card(story)):
        plain = re.sub("[\u2068\u2069]", "", text)
        assert "Among the 47 groups compared, none is clearly worse off." in plain
        assert "7 groups were too small to say anything; of those to be protected: “origin”: “o0” (8 rows)" in plain
    assert "15 of 54 groups, the worst first" in render_report(story)


def test_trainings_that_kept_other_rows_aside_are_told_beside_the_looks() -> None:
    story = bookings()
    assert "other sets of rows" not in render_report(story)
    page = render_report(replace(story, split=replace(story.split, other_sealed=3)))
    assert "3 other sets of rows were judged on before" in page
    assert "its numbers flatter it" in page


def test_probabilities_at_their_word_come_with_a_range() -> None:
    (told,) = describe_calibration((CalibrationBin(n=80, predicted=0.45, observed=0.53, low=0.42, high=0.64),))
    assert "(42 to 64 of 100; 80 rows)" in told
