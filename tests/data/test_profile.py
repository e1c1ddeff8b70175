"""A table in numbers, equal to what slower ways compute."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from skiff.data.facts import gather_facts
from skiff.data.profile import QUANTILES, profile_table
from skiff.data.semantics import guess_semantic, match_form

RNG = np.random.default_rng(0)


def test_numbers_agree_with_numpy() -> None:
    values = RNG.lognormal(size=1_000).round(2)
    column = profile_table(pl.DataFrame({"price": [*values.tolist(), None, float("nan")]}))["price"]
    assert (column.n, column.missing) == (1_000, 2)
    assert column.distinct == len(np.unique(values))
    assert column.mean == pytest.approx(values.mean())
    assert column.sd == pytest.approx(values.std(ddof=1))
    assert column.quantiles == pytest.approx(np.quantile(values, QUANTILES))
    assert column.histogram == tuple(np.histogram(values, bins=20)[0])
    assert (column.minimum, column.maximum) == (values.min(), values.max())


def test_infinite_numbers_are_left_out_of_the_numbers() -> None:
    column = profile_table(pl.DataFrame({"ratio": [1.0, 2.0, float("inf"), float("-inf")]}))["ratio"]
    assert (column.minimum, column.maximum, column.mean) == (1.0, 2.0, 1.5)


def test_rare_levels_are_counted_and_not_named() -> None:
    column = profile_table(pl.DataFrame({"city": ["Rome"] * 9 + ["Oslo"] * 5 + ["a person's village"]}))["city"]
    assert (column.distinct, column.top) == (3, (("Rome", 9), ("Oslo", 5)))
    assert column.text_length is not None
    assert column.text_length == pytest.approx((4.0, (14 * 4 + 18) / 15, 18.0))


def test_yes_no_and_dates_are_numbers_too() -> None:
    profile = profile_table(pl.DataFrame({"paid": [True, False, None, True], "day": [date(1970, 1, 2)] * 3 + [None]}))
    assert profile["paid"].mean == pytest.approx(2 / 3)
    assert profile["paid"].missing_rate == 0.25
    assert (profile["day"].minimum, profile["day"].distinct) == (86_400.0, 1)


def test_an_empty_table_and_an_empty_column_have_profiles() -> None:
    profile = profile_table(
        pl.DataFrame({"price": pl.Series([], dtype=pl.Float64), "note": pl.Series([], dtype=pl.String)})
    )
    assert (profile.rows, profile["price"].mean, profile["note"].text_length) == (0, None, None)
    with pytest.raises(KeyError):
        profile["other"]


@pytest.mark.parametrize(
    ("name", "cells", "semantic"),
    [
        ("contact", ["ada@example.org", "bo@example.com", "c.d@example.net"], "email"),
        ("link", ["https://example.org", "http://example.com/a"], "url"),
        ("tel", ["+39 02 1234 567", "(020) 7946-0958", "0049 30 123456"], "phone"),
        ("account", ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"], "iban"),
        ("account", ["GB83 WEST 1234 5698 7654 32", "DE88370400440532013000"], ""),
        ("customer_id", [f"C{number:04d}" for number in range(30)], "id"),
        ("plz", ["01067", "10115"], "postcode"),
        ("amount", [1.5, 2.5], "money"),
        ("tax_rate", [0.1, 0.2], "percentage"),
        ("order_no", [17, 18, 21], "id"),
        ("build_year", [1999, 2004, 1999], "year"),
        ("lat", [45.1, -33.2], "latitude"),
        ("rooms", [1, 2, 2], ""),
        ("serial", ["4711", "4712", "4713"], ""),
    ],
)
def test_cells_and_headers_say_what_a_column_means(name: str, cells: list[object], semantic: str) -> None:
    assert guess_semantic(gather_facts(pl.DataFrame({name: cells}))[name]) == semantic


def test_one_cell_proves_no_form() -> None:
    assert match_form(pl.Series(["ada@example.org"])) == ""
