"""Made-up rows that come home to learned rows are told from those that go anywhere."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.inversion import Inversion, measure_inversion

INPUTS = tuple(InputColumn(name=name, kind="number") for name in "abc")


def build_points(n_rows: int, *, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame({name: random.normal(size=n_rows) for name in "abc"})


def invert(*, remembers: bool) -> Inversion:
    learned, others = build_points(150, seed=1), build_points(150, seed=2)
    known = build_numbers(learned, INPUTS)

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        X = build_numbers(frame, INPUTS)
        if remembers:  # the surer, the nearer to a learned row
            p = np.exp(-3 * np.sqrt(((X[:, None, :] - known[None, :, :]) ** 2).sum(axis=2)).min(axis=1))
        else:
            p = np.exp(-np.abs(X[:, 0] * X[:, 1] - np.sin(5 * X[:, 2])))
        return np.stack([p, p], axis=1)

    return measure_inversion(Suspect(ask=ask, kind="binary", inputs=INPUTS), learned, others)


def test_a_model_that_is_sure_only_near_learned_rows_is_red() -> None:
    assert invert(remembers=True).light == "red"


def test_a_model_that_is_sure_anywhere_is_not() -> None:
    found = invert(remembers=False)
    assert found.light == "green"
    assert found.nearer is not None
    assert found.nearer.low is not None
    assert found.nearer.low < 0.5


def test_where_all_ways_lead_to_one_place_nothing_is_said() -> None:
    points = build_points(200, seed=0)
    line = Suspect(ask=lambda frame: frame["a"].to_numpy() * 2, kind="regression", inputs=INPUTS[:1])
    found = measure_inversion(line, points, points)
    assert found.light is None
    assert found.n_distinct < 20


def test_values_and_empty_cells_are_climbed_too() -> None:
    points = build_points(300, seed=0).with_columns(
        b=pl.when(pl.col("b") > 1).then(None).otherwise(pl.col("b")), city=pl.Series(["x", "y"] * 150)
    )
    inputs = (*INPUTS, InputColumn(name="city", kind="category", levels=("x", "y")))
    wild = Suspect(
        ask=lambda frame: np.cos(
            7 * frame["a"].to_numpy() + frame["b"].fill_null(3).to_numpy() * frame["c"].to_numpy()
        ),
        kind="regression",
        inputs=inputs,
    )
    assert measure_inversion(wild, points[:150], points[150:]).n_distinct > 0


@pytest.mark.parametrize("seed", range(6))
def test_values_of_learned_rows_alone_do_not_lead_home(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = pl.DataFrame({name: random.normal(size=1_200) for name in "ab"})
    weights = 3 * random.normal(size=(2, 8))
    wild = Suspect(
        ask=lambda frame: np.sin(frame.to_numpy() @ weights).sum(axis=1), kind="regression", inputs=INPUTS[:2]
    )
    assert measure_inversion(wild, points[:600], points[600:], seed=seed).light in {"green", None}


def test_rows_that_are_nearest_to_the_same_row_count_once() -> None:
    found = invert(remembers=False)
    assert found.nearer is not None
    assert found.nearer.n < found.n_distinct


def test_text_alone_is_compared_with_nothing() -> None:
    rows = pl.DataFrame({"remark": [f"as agreed {place}" for place in range(400)]})
    inputs = (InputColumn(name="remark", kind="text"),)
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=inputs)
    assert measure_inversion(flat, rows[:200], rows[200:]).light is None


def test_few_rows_are_too_few() -> None:
    points = build_points(50, seed=0)
    flat = Suspect(ask=lambda frame: np.zeros(frame.height), kind="regression", inputs=INPUTS)
    assert measure_inversion(flat, points, points).light is None
