from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.results import Slice
from skiff.evaluate.slices import find_groups, measure_slices, select_slices

TASK = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes", protected=("sex",))


def draw(n: int = 2000) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """A model that is blind for one region."""
    rng = np.random.default_rng(0)
    region = rng.choice(["north", "south", "east", "west"], size=n)
    x = rng.normal(size=n)
    y = (rng.uniform(size=n) < expit(-0.5 + 2 * x)).astype(np.float64)
    p = expit(-0.5 + 2 * np.where(region == "west", rng.normal(size=n), x))
    frame = pl.DataFrame({"region": region, "x": x, "sex": rng.choice(["f", "m"], size=n)})
    return frame, y, np.stack([1 - p, p], axis=1)


INPUTS = [InputColumn(name="region", kind="category"), InputColumn(name="x", kind="number")]


def test_the_group_where_the_model_is_blind_comes_first_and_alone() -> None:
    frame, y, prob = draw()
    found = measure_slices(TASK, y, prob, frame, INPUTS, threshold=0.5)
    assert (found[0].column, found[0].level) == ("region", "west")
    assert [slice_.level for slice_ in found if slice_.is_worse and slice_.column == "region"] == ["west"]
    gap = found[0].gap
    assert gap is not None
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low < gap.value < gap.high < 0


def test_protected_columns_are_judged_although_the_model_does_not_use_them() -> None:
    frame, y, prob = draw()
    found = measure_slices(TASK, y, prob, frame, INPUTS, threshold=0.5)
    sexes = {slice_.level: slice_ for slice_ in found if slice_.column == "sex"}
    assert set(sexes) == {"f", "m"}
    assert not any(slice_.is_worse for slice_ in sexes.values())
    assert set(sexes["f"].metrics) == {
        "roc_auc", "accuracy", "recall", "precision", "false_positive_rate", "selection_rate",
    }  # fmt: skip


def test_small_groups_are_named_as_too_small_and_tiny_ones_not_at_all() -> None:
    frame, y, prob = draw(400)
    frame = frame.with_columns(shop=pl.Series(["big"] * 370 + ["small"] * 27 + ["alone"] * 3))
    found = measure_slices(TASK, y, prob, frame, [InputColumn(name="shop", kind="category")], threshold=0.5)
    shops = {slice_.level: slice_ for slice_ in found if slice_.column == "shop"}
    assert set(shops) == {"big", "small"}
    assert shops["small"].is_too_small
    assert shops["small"].metric is None


def test_a_group_without_enough_positives_is_too_small_to_judge() -> None:
    frame, y, prob = draw(400)
    group = np.where(np.arange(400) < 60, "quiet", "rest")
    y[:60] = 0
    y[:3] = 1
    frame = frame.with_columns(shop=pl.Series(group))
    found = measure_slices(TASK, y, prob, frame, [InputColumn(name="shop", kind="category")], threshold=0.5)
    # With two groups each is the other's comparison, so neither can be judged.
    assert {slice_.level for slice_ in found if slice_.column == "shop" and slice_.is_too_small} == {"quiet", "rest"}


def test_numbers_and_dates_are_cut_into_quarters_with_readable_names() -> None:
    day = [date(2024, 1, 1) + timedelta(days=n) for n in range(200)]
    frame = pl.DataFrame({"amount": [float(n) * 50 for n in range(200)], "day": day})
    columns = [InputColumn(name="amount", kind="number"), InputColumn(name="day", kind="date")]
    levels = [group.level for group in find_groups(frame, columns, protected=())]
    assert levels[:4] == ["up to 2450", "2450 to 4950", "4950 to 7450", "above 7450"]
    assert levels[4] == "up to 2024-02-19"


def test_quarters_that_lie_close_together_get_the_digits_that_tell_them_apart() -> None:
    frame = pl.DataFrame({"longitude": [-118.41 + 0.001 * place for place in range(100)]})
    found = [group.level for group in find_groups(frame, [InputColumn(name="longitude", kind="number")], protected=())]
    assert found == ["up to -118.39", "-118.39 to -118.36", "-118.36 to -118.34", "above -118.34"]


def test_missing_cells_are_a_group_of_their_own() -> None:
    frame = pl.DataFrame({"plan": ["a"] * 50 + [None] * 50, "age": [None] * 40 + [float(n) for n in range(60)]})
    columns = [InputColumn(name="plan", kind="category"), InputColumn(name="age", kind="number")]
    missing = {
        group.column: int(group.rows.sum())
        for group in find_groups(frame, columns, protected=())
        if group.level == "(missing)"
    }
    assert missing == {"plan": 50, "age": 40}


def test_groups_of_one_column_do_not_overlap() -> None:
    frame, _, _ = draw(500)
    total = np.zeros(500)
    for group in find_groups(frame, [InputColumn(name="x", kind="number")], protected=()):
        total += group.rows
    assert np.array_equal(total, np.ones(500))


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_a_bad_group_is_found_for_every_kind_of_task(kind: str) -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"shop": rng.choice(["a", "b", "c"], size=900)})
    bad = (frame["shop"] == "c").to_numpy()
    if kind == "regression":
        task = Task(kind="regression", target="sold", unit="EUR")
        y = rng.normal(size=900)
        answer = y + np.where(bad, 3, 1) * rng.normal(size=900)
    else:
        task = Task(kind="multiclass", target="colour", classes=("x", "y", "z"))
        y = rng.integers(0, 3, size=900).astype(np.float64)
        shown = np.where(bad, rng.integers(0, 3, size=900), y).astype(np.int64)
        answer = 0.1 + 0.7 * np.eye(3)[shown]
    found = measure_slices(task, y, answer, frame, [InputColumn(name="shop", kind="category")], threshold=0.5)
    assert found[0].level == "c"
    assert found[0].is_worse
    assert found[0].metric is not None
    assert found[0].metric.unit == ("EUR" if kind == "regression" else "")


def test_looking_at_more_groups_widens_each_interval() -> None:
    frame, y, prob = draw()
    rng = np.random.default_rng(3)
    wide = frame.with_columns(pl.Series(f"n{i}", rng.choice(["a", "b"], size=len(y))) for i in range(30))
    columns = [*INPUTS, *(InputColumn(name=f"n{i}", kind="category") for i in range(30))]

    def width(found: tuple[Slice, ...]) -> float:
        [gap] = [item.gap for item in found if item.level == "west"]
        assert gap is not None
        assert gap.low is not None
        assert gap.high is not None
        return gap.high - gap.low

    few = width(measure_slices(TASK, y, prob, frame, INPUTS, threshold=0.5))
    many = width(measure_slices(TASK, y, prob, wide, columns, threshold=0.5))
    assert many > 1.1 * few


def test_at_most_fifteen_are_shown_and_protected_groups_always() -> None:
    frame, y, prob = draw()
    rng = np.random.default_rng(3)
    wide = frame.with_columns(pl.Series(f"n{i}", rng.choice(["a", "b"], size=len(y))) for i in range(30))
    columns = [*INPUTS, *(InputColumn(name=f"n{i}", kind="category") for i in range(30))]
    shown = select_slices(measure_slices(TASK, y, prob, wide, columns, threshold=0.5), protected=TASK.protected)
    assert len(shown) == 15
    assert {slice_.level for slice_ in shown if slice_.column == "sex"} == {"f", "m"}
    assert shown[0].level == "west"


def test_the_other_half_of_a_column_of_two_is_shown_beside_the_worse_one() -> None:
    groups = [Slice(column=f"n{i}", level="a", n=90, metric=None, gap=None) for i in range(20)]
    worse = Slice(column="parttime", level="false", n=90, metric=None, gap=None, is_worse=True)
    partner = Slice(column="parttime", level="true", n=40, metric=None, gap=None)
    shown = select_slices((worse, *groups, partner), protected=())
    assert shown[0] == worse
    assert shown[-1] == partner
    assert len(shown) == 16
