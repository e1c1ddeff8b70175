from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skiff.report.numbers import (
    describe_rarity,
    describe_share,
    describe_share_range,
    format_amount,
    format_range,
    format_score,
)

shares = st.floats(0, 1)


@given(shares)
def test_a_share_told_as_counts_is_at_most_a_fortieth_off(share: float) -> None:
    text = describe_share(share)
    told = {"none": 0.0, "all": 1.0}.get(text)
    if told is None:
        count, _, base = text.replace(",", "").partition(" of ")
        told = int(count) / int(base)
    assert abs(told - share) <= 0.0251


@given(shares)
def test_only_nothing_is_none_and_only_everything_is_all(share: float) -> None:
    assert (describe_share(share) == "none") == (share == 0)
    assert (describe_share(share) == "all") == (share == 1)


@given(shares, shares)
def test_a_range_of_shares_is_told_in_order(one: float, other: float) -> None:
    text = describe_share_range(min(one, other), max(one, other)).replace(",", "")
    counts = [int(word) for word in text.split() if word.isdigit()][:-1]
    assert counts == sorted(counts)


@given(st.floats(0.0005, 1))
def test_once_in_k_is_close_to_the_share(share: float) -> None:
    text = describe_rarity(share)
    if text.startswith("once in"):
        assert abs(1 / int(text.split()[-1]) - share) <= 0.08 * share


@given(st.floats(1e-9, 1e12))
def test_an_amount_keeps_two_digits(value: float) -> None:
    assert math.isclose(float(format_amount(value).replace(",", "")), value, rel_tol=0.051)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_not_a_number_is_a_dash(value: float | None) -> None:
    assert format_score(value) == "–"


def test_what_is_not_a_number_has_no_range() -> None:
    assert format_range(float("nan"), 1.0) == ""
    assert describe_share_range(float("nan"), 1.0) == ""
    assert describe_share(float("nan")) == "an unknown share"
    assert format_amount(float("nan"), "EUR") == "unknown EUR"


def test_a_range_around_zero_keeps_its_signs() -> None:
    assert format_range(-0.05, 0.21) == "−0.05 to 0.21"
    assert format_range(0.0, 0.0) == "0 to 0"
