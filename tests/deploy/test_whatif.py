"""Another value for a cell gives the answer that the changed row gets, and the strongest changes are found."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from fitted import build_bookings, fit_lightgbm

from skiff.core.errors import SkiffError
from skiff.deploy.answers import Answer
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.reasons import compile_reasons
from skiff.deploy.runtime import Runtime
from skiff.deploy.sentences import say_answer
from skiff.deploy.whatif import ask_what_if, find_levers


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def asked(request: pytest.FixtureRequest) -> tuple[Runtime, pl.DataFrame]:
    fitted = fit_lightgbm(request.param)
    frame = build_bookings(300, seed=5)
    return Runtime(compile_pipeline(fitted.pipeline), compile_reasons(fitted.pipeline, frame)), frame


def test_a_changed_row_is_answered_as_the_row_it_becomes(asked: tuple[Runtime, pl.DataFrame]) -> None:
    runtime, frame = asked
    first, second = frame.to_dicts()[:2]
    column = runtime.signature.inputs[0].name
    found = ask_what_if(runtime, first, {column: second[column]})
    assert found.after == runtime.answer([{**first, column: second[column]}], reasons=True)[0]
    assert found.before.contributions is not None
    with pytest.raises(SkiffError, match="no column"):
        ask_what_if(runtime, first, {"no such column": 1})


def test_the_strongest_single_change_comes_first_and_does_what_it_says(asked: tuple[Runtime, pl.DataFrame]) -> None:
    runtime, frame = asked
    row = frame.to_dicts()[0]
    assert find_levers(runtime, row) == ()  # this model knows neither levels nor ranges
    inputs = tuple(
        replace(column, low=0.0, high=30.0)
        if column.kind == "number"
        else replace(column, levels=("city 001", "city 002"))
        for column in runtime.signature.inputs
    )
    runtime.predictor.signature = replace(runtime.signature, inputs=inputs)
    levers = find_levers(runtime, row)
    assert levers
    assert [abs(lever.moved) for lever in levers] == sorted((abs(lever.moved) for lever in levers), reverse=True)
    for lever in levers:
        found = ask_what_if(runtime, row, {lever.column: lever.value})
        assert found.moved == pytest.approx(lever.moved, abs=1e-12)
        assert (found.after.label != found.before.label) is lever.changes_label


def test_another_value_that_makes_no_sense_is_refused_by_its_column_and_no_row(
    asked: tuple[Runtime, pl.DataFrame],
) -> None:
    runtime, frame = asked
    row = frame.to_dicts()[0]
    with pytest.raises(SkiffError) as caught:
        ask_what_if(runtime, row, {"nights": "abc"})
    assert caught.value.code == "bad_value"
    assert caught.value.what == "What is to stand in 'nights' (what-if) is not a number."
    assert caught.value.where == {"column": "nights", "option": "what-if"}
    with pytest.raises(SkiffError, match=r"^Row 1 of column 'nights' holds something other than a number\.") as own:
        ask_what_if(runtime, {**row, "nights": "abc"}, {"value": 3})
    assert own.value.where["row"] == 1


def test_a_rare_answer_gets_reasons_and_a_frequent_one_no_trifles() -> None:
    parts = {"claims": 0.003, "age": 0.0004}
    rare = say_answer(
        Answer(label="no", probability=0.012, base=0.0086, contributions=parts), kind="binary", positive="y"
    )
    often = say_answer(
        Answer(label="no", probability=0.412, base=0.4086, contributions=parts), kind="binary", positive="y"
    )
    assert "claims: 3 in 1,000 more." in rare
    assert not any("age" in sentence for sentence in rare)  # under a twentieth of 12 in 1,000
    assert not any("claims" in sentence for sentence in often)


def test_the_label_and_where_it_begins_are_said_and_how_often_the_range_holds() -> None:
    made = say_answer(Answer(label="no", probability=0.2), kind="binary", positive="yes", threshold=0.27)
    assert made[0] == "The answer is “no”: “yes” is only said from a chance of 27 in 100 on."
    number = say_answer(Answer(value=400.0, low=239.54, high=35_120.0), kind="regression", coverage=0.9)
    assert "The truth should lie between 239.5 and 35,120 in about 90 of 100 such rows." in number


def test_without_a_companion_there_are_no_reasons(asked: tuple[Runtime, pl.DataFrame]) -> None:
    runtime, frame = asked
    assert runtime.has_reasons
    assert len(runtime.answer(frame.head(0), reasons=True)) == 0
    bare = Runtime(compile_pipeline(fit_lightgbm(runtime.predictor.kind).pipeline))
    with pytest.raises(SkiffError) as caught:
        bare.answer(frame, reasons=True)
    assert caught.value.code == "no_reasons"
