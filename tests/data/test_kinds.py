"""What each column is to a model."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pytest

from skiff.data.kinds import infer_inputs, kind_of


def test_every_dtype_has_its_kind() -> None:
    table = pl.DataFrame(
        {
            "nights": [1, 2, 3],
            "price": [1.5, None, 2.0],
            "paid": [True, False, None],
            "city": ["Rome", "Oslo", "Rome"],
            "day": [date(2024, 1, 1), None, date(2024, 1, 3)],
            "at": [datetime(2024, 1, 1, 12), datetime(2024, 1, 2), datetime(2024, 1, 3)],
        }
    )
    kinds = {column.name: column.kind for column in infer_inputs(table)}
    assert kinds == {
        "nights": "number",
        "price": "number",
        "paid": "boolean",
        "city": "category",
        "day": "date",
        "at": "date",
    }


def test_ranges_wholeness_and_gaps_are_described() -> None:
    table = pl.DataFrame(
        {"price": [1.5, None, float("nan"), 3.0], "rooms": [2.0, 4.0, 1.0, 3.0], "seen": [date(1970, 1, 2)] * 4}
    )
    price, rooms, seen = infer_inputs(table)
    assert (price.low, price.high, price.is_integer, price.nullable) == (1.5, 3.0, False, True)
    assert (rooms.low, rooms.high, rooms.is_integer, rooms.nullable) == (1.0, 4.0, True, False)
    assert (seen.low, seen.high) == (86_400.0, 86_400.0)


def test_infinite_numbers_do_not_set_the_range() -> None:
    (column,) = infer_inputs(pl.DataFrame({"ratio": [1.0, float("inf"), 2.0]}))
    assert (column.low, column.high) == (1.0, 2.0)


def test_levels_come_by_frequency_then_alphabet_and_stop_at_a_thousand() -> None:
    (few,) = infer_inputs(pl.DataFrame({"size": ["b", "c", "a", "c", ""]}))
    assert few.levels == ("c", "a", "b")
    assert few.nullable
    (many,) = infer_inputs(pl.DataFrame({"code": [f"k{number:05d}" for number in range(1_500)] + ["k01400"]}))
    assert len(many.levels) == 1_000
    assert many.levels[:2] == ("k01400", "k00000")


def test_excluded_columns_are_skipped() -> None:
    table = pl.DataFrame({"a": [1], "b": [2]})
    assert [column.name for column in infer_inputs(table, exclude={"a"})] == ["b"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"The room number {number} was clean" for number in range(50)], "text"),
        ([f"部屋はとても{number}きれいでした" for number in range(50)], "text"),
        (["Bed and breakfast only", "All inclusive with spa"] * 50, "category"),
        ([f"550e8400-e29b-41d4-a716-4466554{number:05d}" for number in range(50)], "category"),
        ([f"+39 02 12 34 {number:03d}" for number in range(50)], "category"),
        ([f"C{number}" for number in range(50)], "category"),
        (["", "", ""], "category"),
    ],
)
def test_prose_is_told_from_codes_and_fixed_answers(cells: list[str], kind: str) -> None:
    assert kind_of(pl.Series("cell", cells)) == kind


def test_an_empty_table_has_columns_without_a_range() -> None:
    (column,) = infer_inputs(pl.DataFrame({"price": pl.Series([], dtype=pl.Float64)}))
    assert (column.kind, column.low, column.high) == ("number", None, None)


def test_a_column_of_nothing_is_a_category_without_levels() -> None:
    (column,) = infer_inputs(pl.DataFrame({"empty": [None, None]}))
    assert (column.kind, column.levels, column.nullable) == ("category", (), True)
