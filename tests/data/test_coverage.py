"""Known shares of a population: groups that are off are named, weights bring them back, and the cost is said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.data.coverage import build_population, find_unrepresentative, measure_representation, rake, weigh


def build_people(n_rows: int = 1_000, *, women: float = 0.3, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "sex": random.choice(["f", "m"], n_rows, p=[women, 1 - women]),
            "age": random.choice(["young", "old"], n_rows, p=[0.7, 0.3]),
        }
    )


def test_a_group_that_is_off_is_named_with_its_interval() -> None:
    found, weights = measure_representation(build_people(), {"sex": {"f": 0.51, "m": 0.49}})
    (told,) = find_unrepresentative(found)
    assert (told.code, told.severity, told.columns) == ("coverage.unrepresentative", "warn", ("sex",))
    assert "too few 'f'" in told.what
    people = build_people()["sex"].to_numpy()
    assert weights[people == "f"].sum() / weights.sum() == pytest.approx(0.51, abs=1e-6)


def test_raking_meets_several_columns_at_once() -> None:
    people = build_people()
    known = {"sex": {"f": 0.51, "m": 0.49}, "age": {"young": 0.4, "old": 0.6}}
    found, weights = measure_representation(people, known)
    assert found.is_settled
    for column, shares in known.items():
        for level, share in shares.items():
            assert weights[people[column].to_numpy() == level].sum() / weights.sum() == pytest.approx(share, abs=0.005)
    assert found.effective_rows == pytest.approx(len(weights) / found.design_effect)
    assert found.design_effect == pytest.approx((weights**2).mean() / weights.mean() ** 2)


def test_a_table_like_its_population_is_left_alone() -> None:
    found, _ = measure_representation(build_people(women=0.5), {"sex": {"f": 0.5, "m": 0.5}})
    assert find_unrepresentative(found) == []
    assert found.design_effect == pytest.approx(1.0, abs=0.01)


def test_groups_too_small_to_judge_are_named() -> None:
    found, _ = measure_representation(build_people(), {"sex": {"f": 0.3, "m": 0.69, "x": 0.01}})
    (told,) = find_unrepresentative(found)
    assert (told.code, told.severity) == ("coverage.small_group", "info")
    assert "'x'" in told.what


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"column": ["sex"], "share": [1.0]}),
        pl.DataFrame({"column": ["sex", "sex"], "level": ["f", "m"], "share": [0.5, 0.4]}),
        pl.DataFrame({"column": ["sex", "sex"], "level": ["f", None], "share": [0.5, 0.5]}),
        pl.DataFrame({"column": ["sex", "sex"], "level": ["f", "m"], "share": [-0.5, 1.5]}),
    ],
)
def test_a_table_of_shares_that_is_none_is_refused(table: pl.DataFrame) -> None:
    with pytest.raises(SkiffError) as refused:
        build_population(table)
    assert refused.value.code == "population_unreadable"


def test_a_column_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(SkiffError, match="gender"):
        measure_representation(build_people(), {"gender": {"f": 0.5, "m": 0.5}})


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=80), st.floats(0.01, 0.98))
@settings(max_examples=80, deadline=None)
def test_weights_are_positive_bounded_and_mean_one(rows: list[tuple[int, int]], share: float) -> None:
    codes = {"a": np.array([row[0] for row in rows]), "b": np.array([row[1] for row in rows])}
    shares = {"a": np.array([share, (1 - share) / 2, (1 - share) / 2]), "b": np.array([0.5, 0.5])}
    weights, _ = rake(codes, shares, n_rows=len(rows))
    assert weights.mean() == pytest.approx(1.0)
    assert (weights > 0).all()
    assert weights.max() / weights.min() <= 30.0 + 1e-9


def test_a_weighted_mean_is_unbiased_where_the_plain_one_is_not() -> None:
    people = build_people(20_000)
    _, weights = measure_representation(people, {"sex": {"f": 0.5, "m": 0.5}})
    right = np.where(people["sex"].to_numpy() == "f", 0.6, 0.9)
    plain, weighted = weigh(right, weights)
    assert plain.value == pytest.approx(0.81, abs=0.01)
    assert weighted.value == pytest.approx(0.75, abs=1e-6)
    assert weighted.n < plain.n
