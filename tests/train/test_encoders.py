"""Encoders keep what varies, bound what is wild, and see the target only where they say so."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.pipeline import CategoryEncoder, DateEncoder, TextEncoder, ValueEncoder
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.featurizer import featurize
from skiff.train.encoders import MAX_CODES, fit_category, fit_date, fit_encoders, fit_number
from skiff.train.features import FoldRows, Source, build_features
from skiff.train.texts import fit_text
from skiff.train.values import PRIOR_ROWS, fit_frequencies, fit_target_means

Float = NDArray[np.float64]

PAID = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")


def test_empty_and_constant_columns_have_no_encoder() -> None:
    frame = pl.DataFrame(
        {
            "empty": [None] * 4,
            "same": [3.0] * 4,
            "shop": ["Rome"] * 4,
            "note": [None] * 4,
            "day": [datetime(2024, 1, 1)] * 4,
        },
        schema_overrides={"empty": pl.Float64, "note": pl.String},
    )
    kinds = {"empty": "number", "same": "number", "shop": "category", "note": "text", "day": "date"}
    inputs = [InputColumn(name=name, kind=kind) for name, kind in kinds.items()]  # type: ignore[arg-type]  # kinds, spelled right
    assert fit_encoders(frame, inputs, np.array([0.0, 1, 0, 1]), PAID) == ()


def test_a_constant_number_with_gaps_is_kept_for_its_gaps() -> None:
    fitted = fit_number(pl.Series("deposit", [5.0, None, 5.0]))
    assert fitted is not None
    assert fitted.has_indicator
    assert fitted.scale == 1.0


def test_a_long_tail_is_bent_and_cut() -> None:
    amounts = np.exp(np.random.default_rng(0).normal(3, 2, size=5_000))
    fitted = fit_number(pl.Series("amount", amounts))
    assert fitted is not None
    assert fitted.is_log
    assert fitted.high < np.log1p(amounts.max())
    made = featurize([InputColumn(name="amount", kind="number")], [fitted], pl.DataFrame({"amount": amounts}))
    assert abs(made.linear[:, 0].mean()) < 0.01
    assert abs(made.linear[:, 0].std() - 1) < 0.01
    assert np.abs(made.linear[:, 0]).max() <= 3 + 1e-12


def test_one_number_far_out_does_not_move_answers_far_and_two_values_stay_apart() -> None:
    areas = np.append(np.full(4_990, 0.0), np.arange(10) * 1_000.0)
    few = np.append(np.zeros(4_990), np.ones(10))
    wide, flag = fit_number(pl.Series("pool_area", areas)), fit_number(pl.Series("has_pool", few))
    assert wide is not None
    assert flag is not None
    assert (wide.high - wide.mean) / wide.scale == pytest.approx(3.0)
    assert (flag.low, flag.high) == (0.0, 1.0)


def test_infinities_count_as_missing_when_a_number_is_fitted() -> None:
    fitted = fit_number(pl.Series("rate", [1.0, 2.0, float("inf"), 3.0, float("nan")]))
    assert fitted is not None
    assert fitted.impute == 2.0
    assert fitted.has_indicator
    assert 1 <= fitted.low < fitted.high <= 3


def test_a_category_with_many_levels_gets_codes_for_the_frequent_and_means_for_all() -> None:
    chance = np.random.default_rng(1)
    city = pl.Series("city", [f"c{place:04d}" for place in (chance.pareto(1.0, size=5_000) * 20).astype(int) % 900])
    fitted = fit_category(city, chance.integers(0, 2, 5_000).astype(float), PAID)
    assert [type(encoder) for encoder in fitted] == [CategoryEncoder, ValueEncoder, ValueEncoder]
    codes = fitted[0]
    assert isinstance(codes, CategoryEncoder)
    assert len(codes.levels) <= MAX_CODES
    assert codes.n_hot <= 100


def test_levels_of_a_single_row_are_treated_as_unseen() -> None:
    [fitted] = fit_category(pl.Series("plan", ["a"] * 5 + ["b"] * 5 + ["once"]), np.zeros(11), PAID)
    assert isinstance(fitted, CategoryEncoder)
    assert fitted.levels == ("a", "b")


def test_target_means_lean_towards_the_overall_mean_by_ten_rows() -> None:
    column = pl.Series("shop", ["x"] * 10 + ["y"] * 30 + [None] * 10)
    y = np.array([1.0] * 10 + [0.0] * 40)
    fitted = fit_target_means(column, y, PAID)
    overall = 0.2
    means = dict(zip(fitted.levels, fitted.values[:, 0], strict=True))
    assert np.isclose(means["x"], (10 + PRIOR_ROWS * overall) / (10 + PRIOR_ROWS))
    assert np.isclose(fitted.default[0], overall)
    assert np.isclose(fitted.missing[0], PRIOR_ROWS * overall / (10 + PRIOR_ROWS))


def test_frequencies_rank_levels_by_rows() -> None:
    fitted = fit_frequencies(pl.Series("shop", ["x"] * 50 + ["y"] * 5))
    assert fitted.levels == ("x", "y")
    assert fitted.values[0, 0] > fitted.values[1, 0] > fitted.default[0]


def test_dates_keep_only_the_parts_that_vary() -> None:
    days = pl.Series("day", [datetime(2024, 3, 1) + timedelta(days=n) for n in range(20)])
    fitted = fit_date(days)
    assert isinstance(fitted, DateEncoder)
    assert fitted.parts == ("day", "weekday", "day_of_year", "elapsed_days")
    made = featurize([InputColumn(name="day", kind="date")], [fitted], pl.DataFrame({"day": days}))
    weekday = made.tree_names.index("day: weekday")
    assert made.tree[0, weekday] == 4  # 2024-03-01 was a Friday
    assert np.abs(made.linear[:, weekday].mean()) < 1e-12


def test_text_keeps_words_and_pairs_that_repeat_and_the_graph_finds_them() -> None:
    notes = pl.Series("note", ["Zimmer war sehr laut", "sehr laut, Größe okay", "Größe okay", None, ""])
    fitted, letters, _ = fit_text(notes)
    assert isinstance(fitted, TextEncoder)
    assert isinstance(letters, TextEncoder)
    assert (fitted.analyzer, letters.analyzer) == ("word", "char")
    assert set(fitted.vocabulary) == {"sehr", "laut", "sehr laut", "größe", "okay", "größe okay"}
    made = featurize([InputColumn(name="note", kind="text")], [fitted], pl.DataFrame({"note": notes}))
    assert (np.abs(made.linear[:3]).sum(axis=1) > 0).all()
    assert (made.linear[3:] == 0).all()


def test_no_row_sees_its_own_target_in_a_target_mean() -> None:
    chance = np.random.default_rng(5)
    shops = pl.DataFrame({"shop": [f"s{n}" for n in np.repeat(np.arange(60), 3)]})
    y = chance.integers(0, 2, 180).astype(float)
    inputs = [InputColumn(name="shop", kind="category")]
    folds = [FoldRows(fit=np.arange(90, 180), held=np.arange(90)), FoldRows(fit=np.arange(90), held=np.arange(90, 180))]

    def encode(targets: Float) -> tuple[Float, Float]:
        source = Source(
            frame=shops, inputs=inputs, encoders=fit_encoders(shops, inputs, targets, PAID), y=targets, task=PAID,
            featurize=featurize, seed=0,
        )  # fmt: skip
        made = build_features(source, folds)
        return np.asarray(made.held_out("tree", 0)[0]), np.asarray(made.fitting("tree", 0)[0])

    held, fitting = encode(y)
    for row in (90, 120, 179):
        flipped = y.copy()
        flipped[row] = 1 - flipped[row]
        assert (encode(flipped)[1][row - 90] == fitting[row - 90]).all()
    flipped = y.copy()
    flipped[:90] = 1 - flipped[:90]
    assert (encode(flipped)[0] == held).all()
