"""Associations are found with an interval that covers the truth, and noise is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, random_table, spearmanr
from scipy.stats.contingency import association

from skiff.data.associations import (
    correlate,
    find_associations,
    measure_chance_of_table,
    measure_correlation_ratio,
    measure_cramers_v,
)
from skiff.data.facts import gather_facts
from skiff.data.gaps import find_gaps


def test_each_kind_of_pair_has_its_measure() -> None:
    random = np.random.default_rng(0)
    size = random.normal(50, 10, 800)
    shop = random.choice(["Rome", "Oslo", "Graz"], 800)
    table = pl.DataFrame(
        {
            "size": size,
            "price": size * 3 + random.normal(0, 10, 800),
            "shop": shop,
            "country": [{"Rome": "IT", "Oslo": "NO", "Graz": "AT"}[city] for city in shop],
            "fee": [
                {"Rome": 1.0, "Oslo": 2.0, "Graz": 5.0}[city] + noise
                for city, noise in zip(shop, random.normal(0, 0.5, 800), strict=True)
            ],
            "noise": random.normal(0, 1, 800),
        }
    )
    found = {item.columns: item for item in find_associations(gather_facts(table))}
    assert found["size", "price"].measure.name == "spearman"
    assert found["size", "price"].pearson is not None
    assert found["shop", "country"].measure.value == pytest.approx(1.0, abs=0.01)
    assert found["shop", "fee"].measure.name == "correlation_ratio"
    assert all("noise" not in pair for pair in found)
    for item in found.values():
        assert (item.measure.low or 0) <= item.measure.value <= (item.measure.high or 0)


def test_correlations_agree_with_scipy() -> None:
    random = np.random.default_rng(1)
    a = random.normal(0, 1, 300)
    b = a + random.normal(0, 1, 300)
    assert correlate(a, b) == pytest.approx(pearsonr(a, b).statistic)
    (found,) = find_associations(gather_facts(pl.DataFrame({"a": a, "b": b})))
    assert found.measure.value == pytest.approx(spearmanr(a, b).statistic)
    interval = pearsonr(a, b).confidence_interval()
    assert found.pearson is not None
    assert (found.pearson.low, found.pearson.high) == pytest.approx((interval.low, interval.high))


def test_cramers_v_without_its_bias_is_below_the_plain_one() -> None:
    table = np.array([[20, 15, 10], [10, 18, 22]])
    found = measure_cramers_v(table)
    plain = association(table, method="cramer")
    assert 0.0 < found.value < plain
    assert (found.low or 0) < found.value < (found.high or 0)


@pytest.mark.slow
def test_the_intervals_cover_the_truth() -> None:
    """Of 200 tables each, about 95 % of the intervals hold the true strength."""
    random = np.random.default_rng(5)
    shares = np.array([[0.35, 0.15], [0.15, 0.35]])  # V = 0.4
    ratio = np.sqrt(0.25 / 1.25)  # means ±0.5, spread 1: variance between 0.25 of 1.25
    hits_v = hits_ratio = 0
    for _ in range(200):
        counts = random.multinomial(250, shares.ravel()).reshape(2, 2)
        found = measure_cramers_v(counts)
        hits_v += (found.low or 0) <= 0.4 <= (found.high or 0)
        codes = np.repeat([0, 1], 125)
        ratio_found = measure_correlation_ratio(random.normal(codes - 0.5, 1.0), codes)
        assert ratio_found is not None
        hits_ratio += ratio_found.value < 0.3 or (ratio_found.low or 0) <= ratio <= (ratio_found.high or 0)
    assert 180 <= hits_v <= 199
    assert 180 <= hits_ratio <= 200


@given(st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=2, max_size=5))
@settings(max_examples=60, deadline=None)
def test_cramers_v_stays_between_nothing_and_all(counts: list[list[int]]) -> None:
    table = np.array(counts)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) > 1 and table.sum() > 10:
        found = measure_cramers_v(table)
        assert 0.0 <= (found.low or 0.0) <= found.value <= (found.high or 1.0) <= 1.0


def test_gaps_that_belong_together_are_told_and_counted() -> None:
    is_skipped = np.arange(200) % 5 == 0
    table = pl.DataFrame(
        {
            "street": [None if skipped else "x" for skipped in is_skipped],
            "town": [None if skipped else "y" for skipped in is_skipped],
            "age": [None if number % 7 == 0 else number for number in range(200)],
            "id": range(200),
        }
    )
    gaps = find_gaps(gather_facts(table), 200)
    assert gaps.together == (("street", "town"),)
    assert gaps.cells == 40 + 40 + 29
    assert sum(pattern.rows for pattern in gaps.patterns) + gaps.complete_rows == 200


@pytest.mark.parametrize("size", [80, 600])
def test_of_many_columns_of_noise_no_two_are_said_to_go_together(size: int) -> None:
    random = np.random.default_rng(11)
    told = 0
    for _ in range(5):
        noise = {f"n{at}": random.normal(0, 1, size) for at in range(14)}
        rare = {f"r{at}": np.where(random.random(size) < 0.05, "yes", "no") for at in range(13)}
        words = {f"w{at}": random.choice(["a", "b", "c"], size) for at in range(13)}
        told += len(find_associations(gather_facts(pl.DataFrame({**noise, **rare, **words}))))
    assert told <= 1  # five tables, each with a chance of 5 % (rare levels: a little more)


@pytest.mark.parametrize("margins", [([77, 3], [77, 3]), ([40, 30, 5, 5], [60, 10, 5, 3, 2]), ([4] * 20, [8] * 10)])
def test_the_chance_of_a_table_holds_where_levels_are_rare(margins: tuple[list[int], list[int]]) -> None:
    drawn = random_table(*margins, seed=np.random.default_rng(3)).rvs(2_000)
    chances = np.array([measure_chance_of_table(table.astype(np.int64)) for table in drawn])
    assert (chances <= 0.01).mean() <= 0.03


@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-4, 0.02, 1.0])
def test_a_category_that_tells_a_number_has_an_interval_however_closely(noise: float) -> None:
    """SciPy's non-central F has no number far out in the tail; 4,800 rows and a strong tie reach it."""
    random = np.random.default_rng(2)
    codes = np.repeat([0, 1], 2_400)
    found = measure_correlation_ratio(codes * 0.8 + random.normal(0, 1, 4_800) * noise, codes)
    assert found is not None
    assert 0.3 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1.0
