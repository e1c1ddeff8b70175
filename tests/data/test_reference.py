"""What a release is later compared with holds no row and no rare level."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from skiff.core.evidence import Json
from skiff.data.kinds import infer_inputs
from skiff.data.reference import build_reference

N = 500


def _build() -> dict[str, Json]:
    rng = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "price": [None, *rng.normal(50, 9, N - 1).tolist()],
            "rooms": rng.integers(1, 5, N),
            "paid": rng.random(N) < 0.5,
            "city": ["Rome"] * (N - 6) + ["Oslo"] * 5 + ["my village"],
            "note": [f"this is the long note number {row} of them" for row in range(N)],
            "day": [date(2024, 1, 1) + timedelta(days=row) for row in range(N)],
        }
    )
    return build_reference(
        table, infer_inputs(table), predictions=np.column_stack([np.linspace(0, 1, N), np.linspace(1, 0, N)])
    )


def _column(name: str) -> dict[str, Json]:
    columns = _build()["columns"]
    assert isinstance(columns, dict)
    column = columns[name]
    assert isinstance(column, dict)
    return column


def test_numbers_keep_999_quantiles_in_order() -> None:
    price = _column("price")
    quantiles = price["quantiles"]
    assert isinstance(quantiles, list)
    assert len(quantiles) == 999
    assert quantiles == sorted(quantiles)  # type: ignore[type-var]  # numbers, by the assertion before
    assert price["missing_rate"] == pytest.approx(1 / N)


def test_few_valued_numbers_also_keep_counts() -> None:
    counts = _column("rooms")["counts"]
    assert isinstance(counts, list)
    assert [pair[0] for pair in counts if isinstance(pair, list)] == [1.0, 2.0, 3.0, 4.0]
    assert "counts" not in _column("price")


def test_a_rare_level_is_counted_and_not_named() -> None:
    city = _column("city")
    assert city["levels"] == {"Rome": N - 6, "Oslo": 5}
    assert city["other"] == 1


def test_texts_keep_only_their_lengths() -> None:
    note = _column("note")
    assert set(note) == {"kind", "n", "missing_rate", "length_quantiles", "cumulative", "low", "high", "mean", "sd"}
    assert "note" not in json.dumps(note)


def test_answers_keep_quantiles_per_output_and_everything_is_json() -> None:
    made = _build()
    answers = made["predictions"]
    assert isinstance(answers, list)
    assert len(answers) == 2
    assert json.loads(json.dumps(made)) == made
    assert "my village" not in json.dumps(made)


def test_answers_of_one_output_and_of_no_rows_are_summarised_too() -> None:
    table = pl.DataFrame({"price": [1.0, 2.0, 3.0]})
    one = build_reference(table, infer_inputs(table), predictions=np.array([0.1, 0.2, 0.3]))["predictions"]
    none = build_reference(table.head(0), infer_inputs(table), predictions=np.zeros(0))["predictions"]
    assert isinstance(one, list)
    assert len(one) == 1
    assert none == [{"n": 0, "quantiles": []}]
