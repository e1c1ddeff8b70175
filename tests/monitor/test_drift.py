"""Distances equal those of SciPy on all rows, and chances stay honest."""

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.data.reference import build_reference
from skiff.monitor.chances import find_beyond_chance, find_ks_chance, find_rate_chance, find_table_chance
from skiff.monitor.drift import MIN_ROWS, measure_drift
from skiff.monitor.reference import Reference, decode_reference
from skiff.monitor.window import Window, judge_window


def build(frame: pl.DataFrame) -> Reference:
    body = build_reference(frame, infer_inputs(frame), predictions=np.zeros(frame.height))
    return decode_reference(msgspec.json.encode(body))


@pytest.mark.parametrize("law", ["normal", "exponential", "integers", "zero_inflated", "constant"])
def test_distances_from_a_saved_reference_are_those_of_all_rows(law: str) -> None:
    rng = np.random.default_rng(1)
    draws = {
        "normal": lambda n, move: rng.normal(move, 1, n),
        "exponential": lambda n, move: rng.exponential(1 + move, n),
        "integers": lambda n, move: rng.poisson(30 * (1 + move), n).astype(float),
        "zero_inflated": lambda n, move: np.where(rng.random(n) < 0.4, 0.0, rng.gamma(2, 1 + move, n)),
        "constant": lambda n, move: np.full(n, 3.0 + move),
    }
    before, now = draws[law](20_000, 0.0), draws[law](5_000, 0.2)
    [found] = measure_drift(pl.DataFrame({"x": now}), build(pl.DataFrame({"x": before})))
    exact = stats.ks_2samp(now, before).statistic
    assert found.ks is not None
    assert exact - 0.0011 <= found.ks <= exact + 1e-12
    spread = before.std()
    if spread > 0:
        area = stats.wasserstein_distance(now, before) / spread
        assert found.wasserstein == pytest.approx(area, abs=1e-2)


def test_levels_are_compared_with_all_of_them() -> None:
    rng = np.random.default_rng(2)
    before = rng.choice(["a", "b", "c"], 6_000, p=[0.5, 0.3, 0.2])
    now = rng.choice(["a", "b", "c"], 2_000, p=[0.4, 0.4, 0.2])
    [found] = measure_drift(pl.DataFrame({"x": now}), build(pl.DataFrame({"x": before})))
    counts = [[(side == level).sum() for level in "abc"] for side in (now, before)]
    exact = stats.chi2_contingency(counts, correction=False)
    assert found.chance == pytest.approx(exact.pvalue, rel=1e-9)
    assert found.js == pytest.approx(jensenshannon(counts[0], counts[1], base=2), abs=1e-12)


@given(hits=st.integers(0, 30), n=st.integers(1, 200), before=st.integers(0, 300), m=st.integers(1, 3_000))
@settings(max_examples=60, deadline=None)
def test_the_chance_of_two_shares_is_fishers(hits: int, n: int, before: int, m: int) -> None:
    hits, before = min(hits, n), min(before, m)
    table = [[hits, n - hits], [before, m - before]]
    doubled = min(1.0, 2 * min(stats.fisher_exact(table, side).pvalue for side in ("less", "greater")))
    assert find_rate_chance(hits, n, before, m) == pytest.approx(doubled, rel=1e-6)


def test_the_chance_of_ks_is_scipys() -> None:
    for distance, n, m in ((0.05, 1_000, 4_000), (0.12, 300, 900), (0.3, 60, 80)):
        theirs = stats.distributions.kstwo.sf(distance, round(n * m / (n + m)))
        assert find_ks_chance(distance, n, m) == pytest.approx(theirs, rel=0.15)


def test_eight_rows_raise_no_alarm_and_say_so() -> None:
    assert find_rate_chance(2, 8, 100, 1_000) > 0.3
    assert find_table_chance(np.array([6.0, 2.0]), np.array([500.0, 500.0]))[1] > 0.01
    assert MIN_ROWS > 8


@pytest.mark.parametrize("n_before", [400, 5_000])
def test_chances_are_not_smaller_than_they_say_when_nothing_changed(n_before: int) -> None:
    rng = np.random.default_rng(3)
    found: dict[str, list[float]] = {"values": [], "missing": [], "unseen": []}
    for _ in range(250):

        def draw(n: int) -> pl.DataFrame:
            value = np.where(rng.random(n) < 0.03, np.nan, rng.exponential(1, n))
            return pl.DataFrame({"x": value, "c": rng.choice([f"l{k}" for k in range(12)], n)}).fill_nan(None)

        for column in measure_drift(draw(300), build(draw(n_before))):
            found["values"].append(column.chance)
            found["missing"].append(column.chance_missing)
            found["unseen"].append(column.chance_unseen)
    for name, chances in found.items():
        for level in (0.05, 0.01):
            hits = sum(chance <= level for chance in chances)
            allowed = stats.binom.ppf(0.9999, len(chances), level)
            assert hits <= allowed, f"{name} at {level}: {hits} of {len(chances)}"


def test_rows_beyond_every_earlier_row_are_as_rare_as_they_should_be() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(2_000):
        before, now = rng.random(50), rng.random(20)
        hits += find_beyond_chance(int((now > before.max()).sum()), 20, 50) <= 0.05
    assert hits / 2_000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2_000)


def test_gaps_texts_dates_and_absent_columns() -> None:
    import datetime as dt

    before = pl.DataFrame(
        {
            "paid": [True, False] * 300,
            "day": [dt.date(2025, 1, 1) + dt.timedelta(days=k % 90) for k in range(600)],
            "note": [f"a longer note about the stay number {k}" for k in range(600)],
            "gone": [1.0] * 600,
        }
    )
    now = pl.DataFrame(
        {
            "paid": [None] * 150 + [True] * 150,
            "day": [dt.date(2025, 6, 1)] * 300,
            "note": ["short"] * 300,
        }
    )
    found = {column.name: column for column in measure_drift(now, build(before))}
    assert set(found) == {"paid", "day", "note"}
    assert found["paid"].missing_rate == 0.5
    assert found["paid"].chance_missing < 1e-20
    assert found["day"].n_unseen == 300
    assert found["note"].chance < 1e-20


def test_a_window_without_any_value_is_all_gaps_and_no_error() -> None:
    before = pl.DataFrame({"x": np.arange(500.0), "c": ["a", "b"] * 250})
    now = pl.DataFrame({"x": [None] * 120, "c": [None] * 120}, schema={"x": pl.Float64, "c": pl.String})
    for column in measure_drift(now, build(before)):
        assert column.missing_rate == 1.0
        assert column.chance == 1.0


def test_time_that_goes_on_is_no_change_of_the_world_but_dates_that_go_back_are() -> None:
    rng = np.random.default_rng(0)
    start = dt.datetime(2024, 1, 1)

    def list_hours(first_hour: int, n_rows: int) -> pl.DataFrame:
        at = [start + dt.timedelta(hours=first_hour + place) for place in range(n_rows)]
        return pl.DataFrame({"at": at, "price": rng.normal(50, 9, n_rows)})

    training = list_hours(0, 4_000)
    reference = build(training)
    task = Task(kind="regression", target="sold")
    for first_hour, is_silent in ((4_000, True), (-4_000, False)):
        rows = list_hours(first_hour, 2_000)
        window = Window(release=1, inputs=rows, prediction=np.zeros(2_000), days=30.0)
        report = judge_window(window, reference, task, training=training)
        assert (report.signals == ()) == is_silent, report.signals
        assert any("'at'" in note for note in report.notes) == is_silent
