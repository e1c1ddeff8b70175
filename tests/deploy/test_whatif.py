"""Another value for a cell gives the answer that the changed row gets, and the strongest changes are found."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from fitted import build_bookings, fit_lightgbm

from skiff.core.errors import SkiffError
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.reasons import compile_reasons
from skiff.deploy.runtime import Runtime
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


def test_without_a_companion_there_are_no_reasons(asked: tuple[Runtime, pl.DataFrame]) -> None:
    runtime, frame = asked
    assert runtime.has_reasons
    assert len(runtime.answer(frame.head(0), reasons=True)) == 0
    bare = Runtime(compile_pipeline(fit_lightgbm(runtime.predictor.kind).pipeline))
    with pytest.raises(SkiffError) as caught:
        bare.answer(frame, reasons=True)
    assert caught.value.code == "no_reasons"
