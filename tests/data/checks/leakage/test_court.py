"""The leak court end to end: every family on a small table with a known cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.checks.leakage import find_leakage
from skiff.data.kinds import infer_inputs

Float = NDArray[np.float64]
YES_NO = Task(kind="binary", target="answer", classes=("no", "yes"), positive="yes")
NUMBER = Task(kind="regression", target="price")


def make_columns(n: int, *, seed: int) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return honest columns that see a hidden score through noise, and the answers it gives."""
    rng = np.random.default_rng([seed, 7])  # not the stream of the tests' own draws
    hidden = rng.normal(size=n)
    columns = {
        "age": np.round(40 + 9 * (hidden + rng.normal(size=n)), 1),
        "visits": rng.poisson(np.exp(0.4 * hidden + 0.5)),
        "plan": np.array(["basic", "plus", "pro"])[
            np.clip(np.floor(hidden + rng.normal(size=n) + 1.5), 0, 2).astype(int)
        ],
        "spent": np.where(rng.random(n) < 0.6, 0.0, np.round(rng.lognormal(3, 1, n), 2)),
    }
    return columns, hidden + rng.normal(size=n) > 0.6


def judge(columns: Mapping[str, Any], task: Task = YES_NO, **options: Any) -> list[Finding]:
    """Hold court over a table."""
    frame = pl.DataFrame(columns, strict=False)
    return find_leakage(frame, task, infer_inputs(frame, exclude={task.target, task.group or ""}), threads=1, **options)


def name_answers(is_yes: NDArray[np.bool_]) -> list[str]:
    return ["yes" if yes else "no" for yes in is_yes]


def about(found: list[Finding], column: str) -> list[Finding]:
    return [finding for finding in found if column in finding.columns]


def blocked(found: list[Finding]) -> set[str]:
    return {name for finding in found if finding.severity == "block" for name in finding.columns}


def test_honest_table_is_acquitted() -> None:
    columns, is_yes = make_columns(800, seed=1)
    found = judge({**columns, "answer": name_answers(is_yes)})
    assert [finding for finding in found if finding.severity != "info"] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strong_honest_number_is_never_blocked(seed: int) -> None:
    columns, is_yes = make_columns(1_500, seed=seed)
    rng = np.random.default_rng(seed + 100)
    columns["strong"] = is_yes * 2.66 + rng.normal(size=len(is_yes))  # AUC = Phi(2.66 / sqrt 2) = 0.97
    found = judge({**columns, "answer": name_answers(is_yes)})
    assert blocked(found) == set()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strong_honest_grades_are_never_blocked(seed: int) -> None:
    columns, is_yes = make_columns(1_500, seed=seed)
    seen = is_yes * 2.66 + np.random.default_rng(seed + 100).normal(size=len(is_yes))
    columns["grade"] = np.array(list("ABCDE"))[np.searchsorted(np.quantile(seen, [0.2, 0.4, 0.6, 0.8]), seen)]
    assert blocked(judge({**columns, "answer": name_answers(is_yes)})) == set()


def test_target_recoded_is_a_copy() -> None:
    columns, is_yes = make_columns(600, seed=2)
    found = judge({**columns, "state": np.where(is_yes, "closed", "open"), "answer": name_answers(is_yes)})
    (finding,) = about(found, "state")
    assert (finding.code, finding.severity, finding.action) == ("leakage.target_copy", "block", "left_out")
    assert "600 of 600" in finding.what
    assert finding.question == "When is 'state' filled in: before or after 'answer' is known?"


def test_flag_rarely_set_but_always_right_is_blocked() -> None:
    columns, is_yes = make_columns(1_200, seed=3)
    flag = is_yes & (np.random.default_rng(3).random(len(is_yes)) < 0.3)
    (finding,) = about(judge({**columns, "refunded": flag, "answer": name_answers(is_yes)}), "refunded")
    assert (finding.code, finding.severity) == ("leakage.level_purity", "block")
    purity = finding.evidence["purity"]
    assert isinstance(purity, Measurement)
    assert purity.value == 1.0
    assert purity.low is not None
    assert purity.low > 0.94
    assert all(flag[row - 1] for row in finding.sample_rows)


def test_flag_with_too_few_rows_is_asked_about_not_blocked() -> None:
    columns, is_yes = make_columns(600, seed=4)
    flag = np.zeros(len(is_yes), dtype=bool)
    flag[np.flatnonzero(is_yes)[:20]] = True
    (finding,) = about(judge({**columns, "flag": flag, "answer": name_answers(is_yes)}), "flag")
    assert (finding.severity, finding.action) == ("warn", "asked")
    assert finding.question.startswith("When is 'flag' filled in")


def test_policy_that_nearly_always_ends_one_way_is_asked_about() -> None:
    columns, is_yes = make_columns(6_000, seed=42)
    rng = np.random.default_rng(42)
    deposit = np.where(rng.random(6_000) < np.where(is_yes, 0.3, 0.0008), "non-refundable", "none")
    (finding,) = about(judge({**columns, "deposit": deposit, "answer": name_answers(is_yes)}), "deposit")
    assert (finding.code, finding.severity, finding.action) == ("leakage.level_purity", "warn", "asked")


def test_telling_date_header_is_asked_about_where_the_date_helps() -> None:
    rng = np.random.default_rng(43)
    arrival = rng.integers(0, 300, 2_000)
    is_yes = rng.random(2_000) < 0.4
    status = arrival + np.where(is_yes, -rng.integers(0, 60, 2_000), rng.integers(1, 9, 2_000))
    start = date(2024, 1, 1)
    columns = {
        "week": arrival // 7,
        "status_date": [start + timedelta(days=int(day)) for day in status],
        "guests": rng.poisson(2, 2_000),
        "answer": name_answers(is_yes),
    }
    (finding,) = [f for f in about(judge(columns), "status_date") if f.severity != "info"]
    assert (finding.code, finding.severity) == ("leakage.after_the_event", "warn")


def test_column_filled_only_for_one_answer_is_blocked_with_scores() -> None:
    columns, is_yes = make_columns(900, seed=5)
    reason = [("price" if place % 2 else "moved") if yes else None for place, yes in enumerate(is_yes)]
    (finding,) = about(judge({**columns, "reason": reason, "answer": name_answers(is_yes)}), "reason")
    assert (finding.code, finding.severity) == ("leakage.missingness", "block")
    with_it, without = finding.evidence["score_with"], finding.evidence["score_without"]
    assert isinstance(with_it, Measurement)
    assert isinstance(without, Measurement)
    assert with_it.name == without.name == "roc_auc"
    assert with_it.value > 0.99
    assert without.low is not None
    assert without.high is not None
    assert without.low < without.value < without.high < 0.95


def test_blanks_that_only_lean_towards_an_answer_are_acquitted() -> None:
    columns, is_yes = make_columns(900, seed=6)
    filled = np.random.default_rng(6).random(len(is_yes)) < np.where(is_yes, 0.8, 0.3)
    columns["income"] = [float(place % 37) if there else None for place, there in enumerate(filled)]
    assert blocked(judge({**columns, "answer": name_answers(is_yes)})) == set()


def test_purity_that_the_rest_of_the_table_knows_is_acquitted() -> None:
    rng = np.random.default_rng(7)
    parts = rng.normal(size=(3_000, 4))
    total = parts.sum(axis=1) + 0.3 * rng.normal(size=3_000)
    columns = {f"part_{place}": parts[:, place] for place in range(4)}
    vip = parts.sum(axis=1) > 2.5  # always yes, but so say the parts
    found = judge({**columns, "vip": vip, "answer": name_answers(total > 0.5)})
    assert vip.sum() > 200
    assert (total[vip] > 0.5).all()
    assert blocked(found) == set()


def test_pure_levels_of_an_undeclared_entity_are_no_flag() -> None:
    rng = np.random.default_rng(41)
    storm = np.repeat(np.arange(200), 12)
    strength = rng.normal(size=200)[storm]
    wind = strength + 0.5 * rng.normal(size=2_400)
    columns = {
        "wind": wind,
        "storm": [f"s{code}" for code in storm],
        "answer": name_answers(strength + 0.3 * rng.normal(size=2_400) > 0.7),
    }
    assert blocked(judge(columns)) == set()


def test_threshold_of_another_column_is_a_derived_target() -> None:
    columns, _ = make_columns(900, seed=8)
    points = np.random.default_rng(8).integers(0, 100, 900)
    (finding,) = about(judge({**columns, "points": points, "answer": name_answers(points >= 50)}), "points")
    assert (finding.code, finding.severity) == ("leakage.derived_target", "block")


def test_difference_of_two_dates_that_decides_is_blocked() -> None:
    columns, is_yes = make_columns(700, seed=9)
    rng = np.random.default_rng(9)
    due = rng.integers(0, 300, 700)
    done = due + np.where(is_yes, rng.integers(1, 30, 700), -rng.integers(0, 20, 700))
    start = date(2024, 1, 1)
    columns["due"] = [start + timedelta(days=int(day)) for day in due]
    columns["done"] = [start + timedelta(days=int(day)) for day in done]
    found = judge({**columns, "answer": name_answers(is_yes)})
    (finding,) = about(found, "done")
    assert finding.severity == "block"
    assert finding.code == "leakage.after_the_event"


def test_of_two_amounts_that_decide_together_one_is_blocked_and_the_other_asked_about() -> None:
    columns, is_yes = make_columns(900, seed=10)
    rng = np.random.default_rng(10)
    income = rng.lognormal(6, 0.6, 900)
    columns |= {
        "income": income,
        "costs": income * np.where(is_yes, rng.uniform(1.02, 2, 900), rng.uniform(0.3, 0.98, 900)),
    }
    found = judge({**columns, "answer": name_answers(is_yes)})
    (finding,) = about(found, "costs")
    assert (finding.code, finding.severity) == ("leakage.derived_target", "block")
    assert finding.question == "Which of 'income' and 'costs' is known before 'answer' is?"
    (finding,) = about(found, "income")
    assert (finding.severity, finding.action) == ("warn", "asked")
    assert finding.question == "Is 'income' known before 'answer' is?"


def test_agreement_of_two_categories_that_decides_is_found() -> None:
    columns, _ = make_columns(900, seed=10)
    rng = np.random.default_rng(10)
    key, given = rng.choice(list("ABCD"), 900), rng.choice(list("ABCD"), 900)
    found = judge({**columns, "solution": key, "ticked": given, "answer": name_answers(key == given)})
    assert {finding.code for finding in about(found, "ticked")} == {"leakage.derived_target"}
    assert {finding.code for finding in about(found, "solution")} == {"leakage.derived_target"}
    assert {finding.severity for finding in about(found, "ticked") + about(found, "solution")} == {"block", "warn"}


def test_two_flags_that_decide_together_are_found() -> None:
    columns, _ = make_columns(900, seed=10)
    rng = np.random.default_rng(10)
    one, two = rng.random(900) < 0.5, rng.random(900) < 0.5
    found = judge({**columns, "checked_in": one, "checked_out": two, "answer": name_answers(one ^ two)})
    assert [finding.severity for finding in about(found, "checked_in") + about(found, "checked_out")].count(
        "block"
    ) == 1


def test_minutes_between_two_moments_are_a_derived_target() -> None:
    rng = np.random.default_rng(11)
    start = np.sort(rng.integers(0, 500_000, 400))
    minutes = rng.integers(5, 90, 400)
    begin = datetime(2024, 1, 1)
    columns = {
        "distance": minutes * rng.uniform(0.3, 0.9, 400),
        "picked_up": [begin + timedelta(minutes=int(at)) for at in start],
        "dropped_off": [begin + timedelta(minutes=int(at)) for at in start + minutes],
        "price": minutes.astype(float),
    }
    found = judge(columns, Task(kind="regression", target="price", time="picked_up"))
    assert blocked(found) == {"dropped_off"}
    assert "the time between 'dropped_off' and 'picked_up'" in about(found, "dropped_off")[0].what


def test_rounded_parts_of_a_product_are_seen_through() -> None:
    rng = np.random.default_rng(12)
    area = np.round(rng.lognormal(4.4, 0.35, 800), 1)
    price = np.round(area * np.exp(7.9 + 0.4 * rng.normal(size=800)), -2)
    columns = {"area": area, "price_m2": np.round(price / area), "rooms": np.round(area / 24), "price": price}
    found = judge(columns, NUMBER)
    assert blocked(found) == {"price_m2"}
    assert [finding.severity for finding in about(found, "area")] == ["warn"]


def test_all_parts_of_a_weighted_mean_come_with_it() -> None:
    rng = np.random.default_rng(13)
    able = rng.normal(size=500)
    exam, work = (np.round(62 + 12 * able + 7 * rng.normal(size=500), 1) for _ in range(2))
    columns = {
        "exam": exam,
        "work": work,
        "hours": np.round(9 + 2 * able + rng.normal(size=500)),
        "price": np.round(0.6 * exam + 0.4 * work, 1),
    }
    assert blocked(judge(columns, NUMBER)) == {"exam", "work"}


def test_what_is_left_of_a_stock_came_after_what_was_taken() -> None:
    rng = np.random.default_rng(14)
    stock = np.round(rng.lognormal(5, 0.3, 500) * 1.6)
    sold = np.minimum(stock, np.round(stock * rng.uniform(0.2, 0.7, 500)))
    columns = {"monday": stock, "sunday": stock - sold, "staff": rng.integers(2, 9, 500), "price": sold}
    assert blocked(judge(columns, NUMBER)) == {"sunday"}


def test_a_part_in_another_unit_goes_with_it() -> None:
    rng = np.random.default_rng(15)
    cold = np.round(500 + 120 * rng.normal(size=900), 2)
    heating = np.round(rng.lognormal(4, 0.3, 900), 2)
    columns = {
        "floor": rng.integers(0, 7, 900),
        "cold_rent": cold,
        "heating": heating,
        "deposit": np.round(3 * cold, 2),
        "price": np.round(cold + heating, 2),
    }
    found = judge(columns, NUMBER)
    assert {"cold_rent", "deposit"} <= blocked(found)
    assert "heating" in {name for finding in found if finding.severity != "info" for name in finding.columns}


def test_a_near_copy_of_the_guilty_part_does_not_testify_for_it() -> None:
    rng = np.random.default_rng(16)
    months = np.maximum(1, np.round(rng.lognormal(2.3, 0.7, 1_500)))
    fee = rng.choice([9.99, 14.99, 24.99], 1_500)
    columns = {
        "fee": fee,
        "first_week": rng.poisson(np.exp(0.2 + 0.25 * np.log(months))),
        "months": months,
        "invoices": months + rng.integers(0, 2, 1_500),
        "price": np.round(months * fee, 2),
    }
    assert blocked(judge(columns, NUMBER)) == {"months"}


def test_date_after_the_time_column_is_asked_about() -> None:
    columns, is_yes = make_columns(600, seed=11)
    rng = np.random.default_rng(11)
    booked = rng.integers(0, 300, 600)
    start = date(2024, 1, 1)
    columns["booked"] = [start + timedelta(days=int(day)) for day in booked]
    columns["stay"] = [start + timedelta(days=int(day)) for day in booked + rng.integers(3, 60, 600)]
    task = Task(kind="binary", target="answer", classes=("no", "yes"), positive="yes", time="booked")
    (finding,) = [
        f for f in about(judge({**columns, "answer": name_answers(is_yes)}, task), "stay") if f.severity != "info"
    ]
    assert (finding.code, finding.severity, finding.action) == ("leakage.after_the_event", "warn", "asked")
    assert finding.question == "Is 'stay' already known at 'booked', as a plan, or is it written down when it happens?"


def test_telling_header_alone_condemns_nothing() -> None:
    columns, is_yes = make_columns(800, seed=12)
    columns["call_duration"] = np.random.default_rng(12).normal(size=800)
    assert about(judge({**columns, "answer": name_answers(is_yes)}), "call_duration") == []


def test_telling_header_with_power_is_asked_about_in_other_languages() -> None:
    columns, is_yes = make_columns(1_500, seed=13)
    columns["Gesprächsdauer_Dauer"] = is_yes * 1.3 + np.random.default_rng(13).normal(size=1_500)
    (finding,) = about(judge({**columns, "answer": name_answers(is_yes)}), "Gesprächsdauer_Dauer")
    assert (finding.code, finding.severity, finding.action) == ("leakage.after_the_event", "warn", "asked")


def test_identifiers_are_left_out_but_not_blocked() -> None:
    columns, is_yes = make_columns(600, seed=14)
    rng = np.random.default_rng(14)
    columns["customer"] = [f"C-{code:06x}" for code in rng.permutation(16**5)[:600]]
    columns["number"] = rng.permutation(2_000)[:600]
    found = judge({**columns, "answer": name_answers(is_yes)})
    told = {
        finding.columns: (finding.code, finding.severity, finding.action)
        for finding in found
        if finding.severity != "info"
    }
    assert told == {
        ("customer",): ("leakage.identifier", "warn", "left_out"),
        ("number",): ("leakage.identifier", "warn", "left_out"),
    }


def test_measured_numbers_without_repeats_are_no_identifiers() -> None:
    columns, is_yes = make_columns(600, seed=15)
    columns["revenue"] = np.random.default_rng(15).lognormal(9, 1, 600)
    columns["salary"] = np.round(np.random.default_rng(16).lognormal(15, 0.7, 600))
    assert not any(
        finding.code == "leakage.identifier" for finding in judge({**columns, "answer": name_answers(is_yes)})
    )


def test_row_number_of_a_sorted_list_is_blocked() -> None:
    columns, is_yes = make_columns(800, seed=17)
    frame = pl.DataFrame({**columns, "answer": name_answers(is_yes)}).sort("answer").with_row_index("line")
    found = judge(frame.to_dict())
    (finding,) = about(found, "line")
    assert (finding.code, finding.severity, finding.action) == ("leakage.row_order", "block", "left_out")


def test_sorted_list_without_row_numbers_is_told() -> None:
    columns, is_yes = make_columns(800, seed=18)
    found = judge(pl.DataFrame({**columns, "answer": name_answers(is_yes)}).sort("answer").to_dict())
    assert [(finding.code, finding.columns) for finding in found if finding.severity == "warn"] == [
        ("leakage.row_order", ())
    ]


def test_text_that_names_the_answer_is_blocked_and_not_quoted() -> None:
    rng = np.random.default_rng(19)
    is_yes = rng.random(700) < 0.4
    words = np.array(["the", "guest", "asked", "about", "room", "breakfast", "parking", "late", "towels", "invoice"])[
        rng.integers(0, 10, (700, 6))
    ]
    notes = [" ".join(row) + (" cancelled today" if yes else "") for row, yes in zip(words, is_yes, strict=True)]
    task = Task(kind="binary", target="state", classes=("cancelled", "kept"), positive="kept")
    found = judge({"nights": rng.poisson(3, 700), "notes": notes, "state": np.where(is_yes, "cancelled", "kept")}, task)
    (finding,) = about(found, "notes")
    assert (finding.code, finding.severity) == ("leakage.text_names_target", "block")
    assert "today" not in finding.what


def test_words_that_merely_go_with_an_answer_are_what_texts_are_for() -> None:
    rng = np.random.default_rng(20)
    is_yes = rng.random(900) < 0.3
    words = np.array(["we", "meet", "at", "noon", "near", "the", "old", "bridge", "for", "lunch"])[
        rng.integers(0, 10, (900, 6))
    ]
    prize = is_yes & (rng.random(900) < 0.4)
    texts = [" ".join(row) + (" claim your prize" if won else "") for row, won in zip(words, prize, strict=True)]
    assert blocked(judge({"text": texts, "answer": name_answers(is_yes)})) == set()


def test_sum_of_parts_is_a_derived_target() -> None:
    rng = np.random.default_rng(21)
    parts = {name: np.round(rng.lognormal(2, 0.5, 500), 2) for name in ("fare", "tip", "toll")}
    price = np.round(sum(parts.values()), 2)
    found = judge({**parts, "noise": rng.normal(size=500), "price": price}, NUMBER)
    (finding,) = [f for f in found if f.severity == "block"]
    assert (finding.code, set(finding.columns)) == ("leakage.derived_target", {"fare", "tip", "toll"})
    assert finding.question == "Which of 'fare', 'tip' and 'toll' are known before 'price' is?"


def test_only_one_part_kept_gives_two_findings() -> None:
    rng = np.random.default_rng(22)
    parts = {name: np.round(rng.lognormal(2, 0.5, 500), 2) for name in ("fare", "tip")}
    found = judge(
        {**parts, "noise": rng.normal(size=500), "price": np.round(parts["fare"] + parts["tip"], 2)},
        NUMBER,
        keep=("fare",),
    )
    assert {(finding.columns, finding.action) for finding in found if finding.severity == "block"} == {
        (("tip",), "left_out"),
        (("fare",), "kept"),
    }


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("product", lambda a, b: a * b),
        ("ratio", lambda a, b: a / b),
        ("rounded product", lambda a, b: np.round(a * b)),
        ("product and shipping", lambda a, b: a * b + 4.9),
    ],
)
def test_product_and_ratio_are_derived_targets(name: str, make: Any) -> None:
    rng = np.random.default_rng(23)
    one, two = np.round(rng.lognormal(4, 0.5, 500), 2), rng.integers(1, 9, 500).astype(float)
    found = judge({"unit_price": one, "pieces": two, "noise": rng.normal(size=500), "price": make(one, two)}, NUMBER)
    assert blocked(found) == {"unit_price"}, name
    assert [(finding.severity, finding.action) for finding in about(found, "pieces")] == [("warn", "asked")], name


@pytest.mark.parametrize("make", [np.log, np.sqrt, lambda y: 1.19 * y + 3, lambda y: np.round(y, 1), lambda y: -y])
def test_bent_and_rescaled_targets_are_copies(make: Any) -> None:
    rng = np.random.default_rng(24)
    price = rng.lognormal(5, 0.6, 600)
    found = judge({"hint": make(price), "noise": rng.normal(size=600), "price": price}, NUMBER)
    (finding,) = about(found, "hint")
    assert (finding.code, finding.severity) == ("leakage.target_copy", "block")


def test_ranges_of_the_target_are_a_copy() -> None:
    rng = np.random.default_rng(25)
    price = rng.lognormal(5, 0.6, 900)
    band = np.array(["low", "mid", "high", "top"])[np.searchsorted(np.quantile(price, [0.3, 0.6, 0.9]), price)]
    (finding,) = about(judge({"band": band, "noise": rng.normal(size=900), "price": price}, NUMBER), "band")
    assert (finding.code, finding.severity) == ("leakage.target_copy", "block")


def test_strong_honest_number_is_acquitted_for_a_number_target() -> None:
    rng = np.random.default_rng(26)
    carat = rng.lognormal(0, 0.5, 2_000)
    price = 4_000 * carat**1.7 * np.exp(0.2 * rng.normal(size=2_000))
    assert blocked(judge({"carat": carat, "noise": rng.normal(size=2_000), "price": np.round(price)}, NUMBER)) == set()


def test_target_of_later_rows_is_blocked_and_of_earlier_rows_is_not() -> None:
    rng = np.random.default_rng(27)
    price = np.round(100 + np.cumsum(rng.normal(size=500)), 3)
    columns = {
        "tomorrow": np.roll(price, -1),
        "yesterday": np.roll(price, 1),
        "noise": rng.normal(size=500),
        "price": price,
    }
    assert blocked(judge(columns, NUMBER)) == {"tomorrow"}


def test_second_sitting_finds_what_hid_behind_the_first() -> None:
    columns, is_yes = make_columns(1_200, seed=28)
    rng = np.random.default_rng(28)
    columns["copy"] = np.where(is_yes, "closed", "open")
    columns["earned"] = rng.lognormal(6, 0.5, 1_200)
    columns["spent_all"] = columns["earned"] * np.where(
        is_yes, rng.uniform(1.05, 2, 1_200), rng.uniform(0.4, 0.95, 1_200)
    )
    found = judge({**columns, "answer": name_answers(is_yes)})
    sittings = {finding.columns: finding.evidence["sitting"] for finding in found if finding.severity == "block"}
    assert sittings == {("copy",): 1, ("spent_all",): 2}


def test_kept_column_stays_in_and_says_so() -> None:
    columns, is_yes = make_columns(600, seed=29)
    found = judge(
        {**columns, "state": np.where(is_yes, "closed", "open"), "answer": name_answers(is_yes)}, keep=("state",)
    )
    (finding,) = about(found, "state")
    assert (finding.severity, finding.action, finding.question) == ("block", "kept", "")
    assert "You said that it is known in time" in finding.remedy


def test_a_question_that_was_answered_is_shown_as_answered() -> None:
    columns, is_yes = make_columns(1_500, seed=13)
    columns["call_duration"] = is_yes * 1.3 + np.random.default_rng(13).normal(size=1_500)
    table = {**columns, "answer": name_answers(is_yes)}
    (asked,) = about(judge(table), "call_duration")
    assert (asked.severity, asked.action) == ("warn", "asked")
    assert asked.question
    (answered,) = about(judge(table, keep=("call_duration",)), "call_duration")
    assert (answered.severity, answered.action, answered.question) == ("info", "kept", "")
    assert answered.remedy.startswith("Answered:")
    assert answered.what == asked.what


def test_copied_rows_across_the_split_are_told() -> None:
    columns, is_yes = make_columns(900, seed=30)
    frame = pl.DataFrame(
        {**columns, "weight": np.random.default_rng(30).normal(size=900), "answer": name_answers(is_yes)}
    )
    frame = pl.concat([frame, frame.head(60)])
    rows, test_rows = np.arange(100, 960), np.arange(100)
    found = judge(frame.to_dict(), rows=rows, test_rows=test_rows)
    (finding,) = [f for f in found if f.code == "leakage.overlap"]
    assert (finding.severity, finding.rows, finding.sample_rows[:3]) == ("warn", 60, (1, 2, 3))


def test_rows_entered_twice_are_told_in_a_random_split() -> None:
    columns, is_yes = make_columns(900, seed=40)
    frame = pl.DataFrame({**columns, "answer": name_answers(is_yes)})
    frame = pl.concat([frame, frame.head(200)])
    order = np.random.default_rng(40).permutation(frame.height)
    found = judge(frame.to_dict(), rows=np.sort(order[220:]), test_rows=np.sort(order[:220]))
    assert [(f.code, f.severity, f.action) for f in found if f.code == "leakage.overlap"] == [
        ("leakage.overlap", "warn", "asked")
    ]


def test_look_alikes_in_a_narrow_table_are_not_worth_a_word() -> None:
    rng = np.random.default_rng(31)
    columns = {
        "sex": rng.choice(["f", "m"], 600),
        "band": rng.choice(["a", "b", "c"], 600),
        "answer": rng.choice(["no", "yes"], 600),
    }
    found = judge(columns, rows=np.arange(400), test_rows=np.arange(400, 600))
    assert found == []


def test_group_on_both_sides_is_told() -> None:
    columns, is_yes = make_columns(600, seed=32)
    columns["patient"] = [f"p{place % 120}" for place in range(600)]
    task = Task(kind="binary", target="answer", classes=("no", "yes"), positive="yes", group="patient")
    found = judge({**columns, "answer": name_answers(is_yes)}, task, rows=np.arange(450), test_rows=np.arange(450, 600))
    assert [(f.code, f.severity, f.rows) for f in found if f.code == "leakage.group"] == [
        ("leakage.group", "warn", 150)
    ]
    remedy = next(f.remedy for f in found if f.code == "leakage.group")
    assert "name --group patient without --time" in remedy  # a bare --group was given already


def test_drift_along_a_date_is_mentioned() -> None:
    rng = np.random.default_rng(33)
    days = np.arange(1_500)
    is_yes = rng.random(1_500) < 0.2 + 0.5 * days / 1_500
    found = judge(
        {
            "day": [date(2020, 1, 1) + timedelta(days=int(day)) for day in days],
            "x": rng.normal(size=1_500),
            "answer": name_answers(is_yes),
        }
    )
    assert ("leakage.time", "info", ("day",)) in {(f.code, f.severity, f.columns) for f in found}


def test_only_training_rows_are_judged_and_rows_are_numbered_in_the_whole_table() -> None:
    columns, is_yes = make_columns(900, seed=34)
    flag = is_yes & (np.arange(900) >= 300)
    found = judge({**columns, "flag": flag, "answer": name_answers(is_yes)}, rows=np.arange(300, 900))
    (finding,) = about(found, "flag")
    assert finding.severity == "block"
    assert min(finding.sample_rows) > 300
    assert about(judge({**columns, "flag": flag, "answer": name_answers(is_yes)}, rows=np.arange(300)), "flag") == []


def test_rows_of_one_entity_count_once() -> None:
    rng = np.random.default_rng(35)
    entity = np.repeat(np.arange(60), 20)
    is_yes = np.repeat(rng.random(60) < 0.4, 20)
    flag = is_yes & (entity < 12)
    columns = {"x": rng.normal(size=1_200), "flag": flag, "entity": entity, "answer": name_answers(is_yes)}
    alone = judge({name: column for name, column in columns.items() if name != "entity"})
    task = Task(kind="binary", target="answer", classes=("no", "yes"), positive="yes", group="entity")
    assert blocked(alone) == {"flag"}
    assert blocked(judge(columns, task)) == set()


def test_several_classes_are_judged_one_by_one() -> None:
    rng = np.random.default_rng(36)
    x = rng.normal(size=1_200)
    label = np.array(["a", "b", "c"])[np.clip(np.floor(x + 0.8 * rng.normal(size=1_200) + 1.5), 0, 2).astype(int)]
    code = [1.0 if value == "c" else None for value in label]
    task = Task(kind="multiclass", target="kind", classes=("a", "b", "c"))
    found = judge({"x": x, "z": rng.normal(size=1_200), "code": code, "kind": label}, task)
    (finding,) = about(found, "code")
    assert (finding.code, finding.severity) == ("leakage.missingness", "block")
    score = finding.evidence["score_with"]
    assert isinstance(score, Measurement)
    assert (score.name, score.higher_is_better) == ("log_loss", False)


def test_same_seed_gives_the_same_findings() -> None:
    columns, is_yes = make_columns(700, seed=37)
    table = {**columns, "state": np.where(is_yes, "closed", "open"), "answer": name_answers(is_yes)}
    assert judge(table, seed=5) == judge(table, seed=5)


@pytest.mark.parametrize("n", [0, 1, 10, 23])
def test_too_few_rows_are_not_judged(n: int) -> None:
    frame = pl.DataFrame(
        {"x": pl.Series(range(n), dtype=pl.Int64), "answer": pl.Series(["yes", "no"] * n, dtype=pl.String).head(n)}
    )
    assert find_leakage(frame, YES_NO, infer_inputs(frame, exclude={"answer"})) == []


def test_odd_columns_do_not_stop_the_court() -> None:
    columns, is_yes = make_columns(300, seed=38)
    columns |= {
        "empty": [None] * 300,
        "blank": [""] * 300,
        "constant": [1.0] * 300,
        "infinite": [float("inf"), float("-inf"), float("nan")] * 100,
        "nearly_empty": [1.0] + [None] * 299,
        "never_a_date": pl.Series([None] * 300, dtype=pl.Date),
    }
    answers: list[str | None] = [*name_answers(is_yes)]
    answers[:20] = [None] * 20
    found = judge({**columns, "answer": answers})
    assert blocked(found) == set()
    assert blocked(judge({**columns, "price": np.random.default_rng(1).normal(size=300)}, NUMBER)) == set()


def test_every_verdict_speaks_in_sentences() -> None:
    columns, is_yes = make_columns(800, seed=39)
    flag = is_yes & (np.random.default_rng(39).random(800) < 0.5)
    found = judge(
        {**columns, "flag": flag, "code": [f"K{place:07d}" for place in range(800)], "answer": name_answers(is_yes)}
    )
    assert len(found) == 2
    for finding in found:
        for sentence in (finding.what, finding.why_it_matters, finding.remedy):
            assert sentence[0].isupper() or sentence[0] == "'"
            assert sentence.endswith(".")
        assert finding.question.endswith("?")
        assert finding.code.startswith("leakage.")
