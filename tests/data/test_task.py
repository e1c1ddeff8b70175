"""What is to be predicted, settled and explained."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.task import detect_time_and_group, encode_target, infer_task, label_target


def _find(findings: list[Finding], code: str) -> Finding:
    return next(finding for finding in findings if finding.code == code)


def _refusal(table: pl.DataFrame, target: str, **asked: str) -> SkiffError:
    with pytest.raises(SkiffError) as caught:
        infer_task(table, target, **asked)
    return caught.value


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["yes", "no", "yes", "yes"], "yes"),
        (["No", "Yes", "Yes", "Yes"], "Yes"),
        ([1, 0, 1, 1], "1"),
        ([1.0, 0.0, 1.0, 1.0], "1"),
        ([-1, 1, 1, 1], "1"),
        ([True, False, True, True], "true"),
        (["ja", "nein", "ja", "ja"], "ja"),
        (["good", "bad", "good", "good"], "bad"),
        ([2, 1, 1, 1], "2"),
    ],
)
def test_the_positive_class_is_the_word_that_says_so_else_the_rarer_one(values: list[object], positive: str) -> None:
    task, findings = infer_task(pl.DataFrame({"answer": values * 10}), "answer")
    assert task.kind == "binary"
    assert task.positive == task.classes[-1] == positive
    told = _find(findings, "task.positive_class")
    assert f"'{positive}'" in told.what
    assert told.evidence["positive"] == positive


def test_a_word_for_the_event_that_is_the_usual_case_gives_way_to_the_rare_answer() -> None:
    paid = pl.DataFrame({"paid": ["yes"] * 180 + ["no"] * 20})
    task, findings = infer_task(paid, "paid")
    assert task.positive == "no"
    assert "rarer" in _find(findings, "task.positive_class").what
    assert infer_task(paid, "paid", positive="yes")[0].positive == "yes"


def test_the_users_choice_of_positive_wins_and_is_matched_loosely() -> None:
    table = pl.DataFrame({"churn": ["Yes", "No", "No"] * 20})
    task, findings = infer_task(table, "churn", positive="no")
    assert task.classes == ("Yes", "No")
    assert "you said so" in _find(findings, "task.positive_class").what
    numeric, _ = infer_task(pl.DataFrame({"churn": [0, 1, 1] * 20}), "churn", positive="0.0")
    assert numeric.positive == "0"


def test_whole_numbers_with_few_levels_are_classes_and_others_are_amounts() -> None:
    stars = pl.DataFrame({"stars": [1, 2, 3, 4, 5] * 40})
    task, findings = infer_task(stars, "stars")
    assert (task.kind, task.classes) == ("multiclass", ("1", "2", "3", "4", "5"))
    assert "classes" in _find(findings, "task.kind").what
    assert infer_task(pl.DataFrame({"price": [0.5, 1.5, 2.5] * 100}), "price")[0].kind == "regression"
    assert infer_task(pl.DataFrame({"count": list(range(8)) * 5}), "count")[0].kind == "regression"
    assert infer_task(pl.DataFrame({"count": list(range(100)) * 5}), "count")[0].kind == "regression"


def test_classes_of_text_are_sorted() -> None:
    task, findings = infer_task(pl.DataFrame({"kind": ["pug", "collie", "beagle"] * 10}), "kind")
    assert (task.kind, task.classes) == ("multiclass", ("beagle", "collie", "pug"))
    assert findings == []


def test_rows_without_a_target_are_counted_and_named() -> None:
    table = pl.DataFrame({"paid": ["yes", "no", None, " "] * 10})
    task, findings = infer_task(table, "paid")
    told = _find(findings, "quality.missing_target")
    assert (told.rows, told.severity, told.sample_rows[:3]) == (20, "warn", (3, 4, 7))
    y, has_target = encode_target(table, task)
    assert has_target.sum() == 20
    assert np.isnan(y[~has_target]).all()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([None] * 30, "target_missing_everywhere"),
        (["yes"] * 30, "target_has_one_value"),
        (["yes", "no"], "too_few_rows"),
        ([], "too_few_rows"),
        ([f"customer {number} of the shop" for number in range(300)], "target_is_an_identifier"),
        ([date(2024, 1, 1), date(2024, 1, 2)] * 30, "target_is_a_date"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused_with_a_fix(values: list[object], code: str) -> None:
    error = _refusal(pl.DataFrame({"answer": values}), "answer")
    assert error.code == code
    assert error.where["column"] == "answer"
    assert error.fix


def test_a_wrong_column_gets_the_close_match() -> None:
    error = _refusal(pl.DataFrame({"churned": ["yes", "no"] * 20}), "churn")
    assert error.code == "column_not_found"
    assert "'churned'" in error.fix


def test_a_wrong_positive_names_the_two_classes_and_no_rare_cell() -> None:
    table = pl.DataFrame({"churn": ["Yes", "No", "No"] * 20})
    error = _refusal(table, "churn", positive="maybe")
    assert error.code == "positive_not_found"
    assert "'Yes'" in error.what
    rare = pl.DataFrame({"churn": ["secret name", *["No"] * 40]})
    assert "secret" not in _refusal(rare, "churn", positive="maybe").what


def test_a_positive_class_needs_two_classes() -> None:
    assert (
        _refusal(pl.DataFrame({"price": list(range(200))}), "price", positive="1").code == "positive_needs_two_classes"
    )


def test_roles_must_fit() -> None:
    table = pl.DataFrame({"churn": ["Yes", "No"] * 20, "city": ["Rome", "Oslo"] * 20})
    assert _refusal(table, "churn", time="city").code == "time_cannot_order"
    assert _refusal(table, "churn", time="churn").code == "column_used_twice"
    assert _refusal(table, "churn", group="town").code == "column_not_found"


def test_labels_are_the_text_of_the_value() -> None:
    assert label_target(pl.Series([1.0, 2.0, float("nan")])).to_list() == ["1", "2", None]
    assert label_target(pl.Series([1.5, 2.0])).to_list() == ["1.5", "2.0"]
    assert label_target(pl.Series([" a ", ""])).to_list() == ["a", None]


def test_infinite_amounts_count_as_missing() -> None:
    y, has_target = encode_target(
        pl.DataFrame({"price": [1.0, float("inf"), None]}), Task(kind="regression", target="price")
    )
    assert has_target.tolist() == [True, False, False]
    assert y[0] == 1.0


def test_what_the_task_names_is_not_looked_for_again() -> None:
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(100)]
    table = pl.DataFrame({"day": days, "other": days[::-1], "sold": range(100)})
    task = Task(kind="regression", target="sold", time="other", group="day")
    assert detect_time_and_group(table, task) == ("other", "day", [])
