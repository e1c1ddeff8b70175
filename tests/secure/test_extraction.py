"""A simple model is copied by asking, chance is not."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect
from skiff.secure.extraction import measure_extraction

INPUTS = (
    InputColumn(name="income", kind="number"),
    InputColumn(name="city", kind="category", levels=("Oslo", "Rome")),
)


def build_rows(n_rows: int = 600) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame({"income": random.normal(size=n_rows), "city": random.choice(["Oslo", "Rome"], n_rows)})


def ask_line(frame: pl.DataFrame) -> NDArray[np.float64]:
    p = 1 / (1 + np.exp(-3 * frame["income"].to_numpy() - 2 * (frame["city"] == "Rome").to_numpy()))
    return np.stack([1 - p, p], axis=1)


def ask_chaos(frame: pl.DataFrame) -> NDArray[np.float64]:
    p = (np.sin(1e4 * frame["income"].to_numpy()) > 0) * 0.98 + 0.01
    return np.stack([1 - p, p], axis=1)


def test_a_line_is_copied_and_chaos_is_not() -> None:
    rows = build_rows()
    line = measure_extraction(Suspect(ask=ask_line, kind="binary", inputs=INPUTS), rows, rows)
    chaos = measure_extraction(Suspect(ask=ask_chaos, kind="binary", inputs=INPUTS), rows, rows)
    assert line.light == "red"
    assert chaos.light == "green"
    assert [item.name for item in line.fidelity] == ["fidelity_at_100", "fidelity_at_1000", "fidelity_at_5000"]


def test_values_and_several_classes_have_a_fidelity_too() -> None:
    rows = build_rows()
    value = Suspect(ask=lambda frame: frame["income"].to_numpy() * 3, kind="regression", inputs=INPUTS)
    assert measure_extraction(value, rows, rows).fidelity[1].value > 0.9
    three = Suspect(
        ask=lambda frame: np.stack([ask_line(frame)[:, 0], ask_line(frame)[:, 1], np.full(frame.height, 0.4)], axis=1),
        kind="multiclass",
        inputs=INPUTS,
    )
    assert measure_extraction(three, rows, rows).fidelity[1].value > 0.9


def test_no_real_row_is_asked() -> None:
    rows = build_rows().with_columns(city=pl.when(pl.col("income") > 0).then(pl.lit("Oslo")).otherwise(pl.lit("Rome")))
    asked: list[pl.DataFrame] = []

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        asked.append(frame)
        return ask_line(frame)

    measure_extraction(Suspect(ask=ask, kind="binary", inputs=INPUTS), rows, rows)
    made_up = asked[0]
    assert made_up.filter((pl.col("income") > 0) & (pl.col("city") == "Rome")).height > 1_000


def test_text_alone_is_not_copied_and_nothing_is_said() -> None:
    rows = pl.DataFrame({"remark": [f"as agreed {place}" for place in range(300)]})
    inputs = (InputColumn(name="remark", kind="text"),)
    flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=inputs)
    found = measure_extraction(flat, rows, rows)
    assert found.light is None
    assert found.fidelity == ()


def test_agreeing_as_often_as_who_always_says_the_same_is_no_copy() -> None:
    rows = build_rows()

    def ask(frame: pl.DataFrame) -> NDArray[np.float64]:
        p = (frame["income"].to_numpy() > 2.3) * 0.9
        return np.stack([1 - p, p], axis=1)

    found = measure_extraction(Suspect(ask=ask, kind="binary", inputs=INPUTS), rows, rows)
    assert found.fidelity[1].value > 0.98
    assert found.light is None
    always = Suspect(ask=lambda frame: np.full(frame.height, 3.0), kind="regression", inputs=INPUTS)
    assert measure_extraction(always, rows, rows).light is None


def test_the_share_of_the_variance_has_a_range() -> None:
    rows = build_rows()
    value = Suspect(ask=lambda frame: np.sin(3 * frame["income"].to_numpy()), kind="regression", inputs=INPUTS)
    for found in measure_extraction(value, rows, rows).fidelity:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_fifty_rows_are_needed() -> None:
    rows = build_rows(40)
    assert measure_extraction(Suspect(ask=ask_line, kind="binary", inputs=INPUTS), rows, rows).light is None
