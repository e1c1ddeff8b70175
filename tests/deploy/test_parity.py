"""The compiled graph gives the fitted libraries' answers, and a graph that does not is caught."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import onnx
import polars as pl
import pytest
from fitted import CITIES, Fitted, fit_extra_trees, fit_lightgbm

from skiff.core.pipeline import Layers, Review, Trees, ValueRange
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.parity import HOSTILE_NUMBERS, build_hostile_rows, measure_parity
from skiff.deploy.reference import predict_reference


@pytest.fixture(scope="module")
def booking_model() -> Fitted:
    return fit_lightgbm("binary")


@pytest.mark.parametrize("fit", [fit_lightgbm, fit_extra_trees])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_graph_is_the_fitted_library_on_real_and_hostile_rows(fit: partial[Fitted], kind: str) -> None:
    fitted = fit(kind)
    hostile = build_hostile_rows(fitted.pipeline, fitted.frame, seed=0)
    parity = measure_parity(
        fitted.pipeline,
        compile_pipeline(fitted.pipeline),
        fitted.frame,
        hostile=hostile,
        predict_native=fitted.predict_native,
    )
    assert parity.hostile_rows > 100
    assert parity.max_abs_diff < 1e-12
    assert parity.label_mismatches == 0
    assert parity.is_equal


def test_the_second_twin_reads_the_encoders_for_itself(booking_model: Fitted) -> None:
    rows = booking_model.frame.head(60)
    parity = measure_parity(
        booking_model.pipeline,
        compile_pipeline(booking_model.pipeline),
        rows,
        hostile=build_hostile_rows(booking_model.pipeline, rows, seed=1).head(150),
        predict_native=booking_model.predict_native,
        predict_second=partial(predict_reference, booking_model.pipeline),
    )
    assert parity.is_equal


def test_ranges_around_huge_values_are_proved_although_their_widths_are_rounded() -> None:
    fitted = fit_lightgbm("regression")
    pipeline = fitted.pipeline
    huge = [replace(one, part=_multiply(one.part, 1e8)) for one in pipeline.members]
    pipeline = replace(
        pipeline,
        members=tuple(huge),
        value_low=-np.inf,
        value_high=np.inf,
        value_range=ValueRange(edges=(), below=(1e8 / 3,), above=(1e8 / 7,), coverage=0.9),
        review=Review(low=0.0, high=1e8 / 3 + 1e8 / 7),
    )
    rows = fitted.frame.head(100)
    parity = measure_parity(
        pipeline,
        compile_pipeline(pipeline),
        rows,
        hostile=build_hostile_rows(pipeline, rows, seed=1).head(100),
        predict_native=lambda features: 1e8 * np.asarray(fitted.predict_native(features)),
    )
    assert parity.is_equal


def _multiply(part: Trees | Layers, factor: float) -> Trees:
    assert isinstance(part, Trees)
    return replace(part, leaf_weight=part.leaf_weight * factor, base=part.base * factor)


def _shift_threshold(trees: Trees) -> Trees:
    """Move each threshold by one representable number: a mistake that real rows almost never show."""
    return replace(trees, split=np.where(trees.mode == 0, np.nextafter(trees.split, -np.inf), trees.split))


def _swap_missing(trees: Trees) -> Trees:
    return replace(trees, missing_to_true=1 - trees.missing_to_true)


def _nudge_leaf(trees: Trees) -> Trees:
    weights = trees.leaf_weight.copy()
    weights += 1e-8
    return replace(trees, leaf_weight=weights)


def _forget_a_level(trees: Trees) -> Trees:
    return replace(trees, members=tuple(group[1:] for group in trees.members))


@pytest.mark.parametrize("spoil", [_shift_threshold, _swap_missing, _nudge_leaf, _forget_a_level])
def test_a_graph_that_differs_is_caught(booking_model: Fitted, spoil: partial[Trees]) -> None:
    [member] = booking_model.pipeline.members
    assert isinstance(member.part, Trees)
    wrong = replace(booking_model.pipeline, members=(replace(member, part=spoil(member.part)),))
    parity = measure_parity(
        booking_model.pipeline,
        compile_pipeline(wrong),
        booking_model.frame,
        hostile=build_hostile_rows(booking_model.pipeline, booking_model.frame, seed=0),
        predict_native=booking_model.predict_native,
    )
    assert not parity.is_equal


def test_a_graph_that_says_the_wrong_label_is_caught(booking_model: Fitted) -> None:
    wrong = replace(booking_model.pipeline, threshold=0.6)
    parity = measure_parity(
        booking_model.pipeline,
        compile_pipeline(wrong),
        booking_model.frame,
        hostile=booking_model.frame.head(0),
        predict_native=booking_model.predict_native,
    )
    assert parity.max_abs_diff < 1e-12
    assert parity.label_mismatches > 0
    assert not parity.is_equal


def test_an_answer_that_is_no_number_on_one_side_only_is_caught() -> None:
    fitted = fit_lightgbm("regression", n_trees=3)
    parity = measure_parity(
        fitted.pipeline,
        compile_pipeline(fitted.pipeline),
        fitted.frame.head(5),
        hostile=fitted.frame.head(0),
        predict_native=lambda features: np.full(len(features.tree), np.nan),
    )
    assert parity.max_abs_diff == float("inf")
    assert not parity.is_equal


def test_hostile_rows_hold_every_kind_of_trouble(booking_model: Fitted) -> None:
    hostile = build_hostile_rows(booking_model.pipeline, booking_model.frame, seed=0)
    assert hostile.head(1).fill_nan(None).null_count().row(0)[:2] == (1, 1)
    assert hostile["city"][0] == ""
    assert hostile["arrival"][0] is None
    numbers = hostile["value"].to_numpy()
    for number in HOSTILE_NUMBERS:
        assert np.isnan(numbers).any() if np.isnan(number) else (numbers == number).any()
    [member] = booking_model.pipeline.members
    assert isinstance(member.part, Trees)
    splits = set(member.part.split[(member.part.feature == 1) & (member.part.mode == 0)].tolist()) & set(numbers)
    assert len(splits) >= 50
    assert {float(np.nextafter(split, np.inf)) for split in splits} <= set(numbers.tolist())
    assert {float(np.nextafter(split, -np.inf)) for split in splits} <= set(numbers.tolist())
    assert any(len(city) == 5_000 for city in hostile["city"])
    assert not {"", "never seen before"} & set(CITIES)
    years = hostile["arrival"].dt.year().drop_nulls().to_numpy()
    assert years.min() < 1
    assert years.max() > 9999


def test_hostile_rows_repeat_for_a_seed_and_come_from_any_number_of_rows(booking_model: Fitted) -> None:
    pipeline, frame = booking_model.pipeline, booking_model.frame
    assert build_hostile_rows(pipeline, frame, seed=3).equals(
        build_hostile_rows(pipeline, frame, seed=3), null_equal=True
    )
    for n_rows in (0, 1, 2):
        hostile = build_hostile_rows(pipeline, frame.head(n_rows), seed=0)
        assert hostile.height > 50
        assert hostile.columns == ["nights", "value", "city", "arrival"]


def test_a_graph_with_trees_only_computes_nothing_for_other_models(booking_model: Fitted) -> None:
    graph = onnx.load_from_string(compile_pipeline(booking_model.pipeline)).graph
    made = {name for node in graph.node for name in node.output}
    used = {name for node in graph.node for name in node.input} | {item.name for item in graph.output}
    assert made <= used
    assert len(graph.node) < 60


def test_rows_of_any_typed_column_can_be_made_hostile(booking_model: Fitted) -> None:
    typed = booking_model.frame.with_columns(
        pl.col("nights").cast(pl.Int32), pl.col("city").cast(pl.Categorical), pl.col("arrival").cast(pl.Date)
    )
    assert build_hostile_rows(booking_model.pipeline, typed, seed=0).schema["arrival"] == pl.Datetime("us")


def test_an_unbounded_threshold_makes_hostile_rows_too(booking_model: Fitted) -> None:
    [member] = booking_model.pipeline.members
    assert isinstance(member.part, Trees)
    split = member.part.split.copy()
    split[np.flatnonzero((member.part.feature == 1) & (member.part.mode == 0))] = np.finfo(np.float64).max
    unbounded = replace(booking_model.pipeline, members=(replace(member, part=replace(member.part, split=split)),))
    numbers = build_hostile_rows(unbounded, booking_model.frame, seed=0)["value"].to_numpy()
    assert {float(np.finfo(np.float64).max), np.inf} <= set(numbers.tolist())
