"""Stand-ins, impossible values and outliers are found; honest tails are left alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from skiff.core.finding import Finding
from skiff.data.checks.values import find_strange_values
from skiff.data.facts import gather_facts

RNG = np.random.default_rng(0)
INCOME = RNG.normal(3_000, 400, 2_000).round(0)


def _look(values: object, name: str = "income") -> list[Finding]:
    return find_strange_values(gather_facts(pl.DataFrame({name: values})))


def _with(values: np.ndarray[tuple[int], np.dtype[np.float64]], stand_in: float, n: int) -> list[float]:
    changed = values.copy()
    changed[:n] = stand_in
    return changed.tolist()


@pytest.mark.parametrize("stand_in", [-999.0, 99_999.0, -1.0, 9_999.0, 999_999.0])
def test_a_number_typed_for_not_known_is_found(stand_in: float) -> None:
    values = INCOME if abs(stand_in) != 1.0 else np.abs(RNG.integers(0, 400, 2_000)).astype(float)
    (finding,) = _look(_with(values, stand_in, 40))
    assert (finding.code, finding.rows, finding.evidence["value"]) == ("quality.placeholder_missing", 40, stand_in)
    assert finding.sample_rows[:2] == (1, 2)


def test_an_unusual_stand_in_is_found_by_its_gap() -> None:
    (finding,) = _look(_with(INCOME, 55_555.0, 40))
    assert finding.code == "quality.placeholder_missing"


def test_a_date_far_from_all_others_that_many_rows_share_is_a_stand_in() -> None:
    days = [date(2023, 1, 1) + timedelta(days=int(day)) for day in RNG.integers(0, 500, 300)]
    days[:9] = [date(1900, 1, 1)] * 9
    (finding,) = _look(days, "seen")
    assert finding.code == "quality.placeholder_missing"
    assert "1900" not in finding.what


@pytest.mark.parametrize(
    "values",
    [
        INCOME,
        RNG.lognormal(3, 1.0, 2_000),
        RNG.exponential(40, 2_000),
        np.minimum(RNG.lognormal(12, 0.5, 2_000), 400_000),  # capped: many rows at the top, without a gap
        RNG.integers(0, 100, 2_000).astype(float),  # 99 is simply the largest
        np.maximum(0, RNG.normal(10, 20, 2_000)),  # many zeros next to small values
        np.where(RNG.random(2_000) < 0.6, 0.0, RNG.normal(500, 60, 2_000)),  # most have none: a real zero
        RNG.normal(2.3, 1.0, 2_000),  # passes smoothly through zero
        RNG.poisson(2, 2_000).astype(float),
        RNG.standard_t(5, 2_000),
    ],
)
def test_honest_columns_are_left_alone(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert _look(values.tolist()) == []


def test_honest_tails_rarely_look_strange() -> None:
    rng = np.random.default_rng(7)
    tables = [rng.lognormal(0, 1.2, 1_000) for _ in range(50)] + [rng.standard_t(4, 1_000) for _ in range(50)]
    assert sum(bool(_look(values.tolist())) for values in tables) <= 3


@pytest.mark.parametrize("centre", [2.5, 3.0, 3.5])
@pytest.mark.parametrize("n_rows", [100, 1_500])
def test_a_bell_curve_may_reach_below_zero_in_any_of_hundreds_of_columns(n_rows: int, centre: float) -> None:
    noise = np.random.default_rng(5).normal(centre, 1.0, (n_rows, 300)).round(3)
    assert find_strange_values(gather_facts(pl.DataFrame(noise))) == []


def test_tails_of_hundreds_of_columns_hold_about_one_false_outlier() -> None:
    tails = np.random.default_rng(6).pareto(3.0, (1_000, 400))
    assert len(find_strange_values(gather_facts(pl.DataFrame(tails)))) <= 4
    slip = tails.copy()
    slip[17, 5] = 1e6
    found = find_strange_values(gather_facts(pl.DataFrame(slip)))
    assert [finding.sample_rows for finding in found if finding.columns == ("column_5",)] == [(18,)]


def test_a_zero_far_from_everything_is_impossible_when_rare_and_a_stand_in_when_common() -> None:
    (rare,) = _look(_with(INCOME, 0.0, 8))
    assert (rare.code, rare.rows) == ("quality.impossible_values", 8)
    (common,) = _look(_with(INCOME, 0.0, 100))
    assert (common.code, common.rows) == ("quality.placeholder_missing", 100)


def test_negative_values_that_break_off_are_impossible() -> None:
    amounts = RNG.uniform(0, 300, 3_000)
    amounts[:12] = -RNG.uniform(0, 300, 12)
    (finding,) = _look(amounts.tolist(), "total")
    assert (finding.code, finding.rows) == ("quality.impossible_values", 12)
    assert finding.question == "Can 'total' be negative?"


def test_a_header_that_counts_from_zero_is_evidence_too() -> None:
    values = RNG.normal(25, 12, 3_000).round(0)
    n_negative = int((values < 0).sum())
    assert _look(values.tolist(), "temperature") == []
    (finding,) = _look(values.tolist(), "years_of_experience")
    assert (finding.code, finding.rows) == ("quality.impossible_values", n_negative)


def test_a_slip_of_the_keyboard_is_an_outlier_with_its_row() -> None:
    values = INCOME.copy()
    values[1_233] = 300_000
    (finding,) = _look(values.tolist())
    assert (finding.code, finding.rows, finding.sample_rows) == ("quality.outliers", 1, (1_234,))


def test_short_or_yes_no_columns_are_not_judged() -> None:
    assert _look([1.0, 2.0, 900.0]) == []
    assert _look([0.0, 1.0] * 100) == []
