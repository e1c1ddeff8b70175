"""Two versions of a table: what moved is named, what did not is left alone, whatever chance does."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from skiff.data.drift import compare_tables, correct_by_holm, find_drift, measure_moved


def build_stays(n_rows: int, *, seed: int, shift: float = 0.0, web: float = 0.5) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "price": random.normal(100 + shift, 20, n_rows).round(2),
            "nights": random.poisson(3, n_rows),
            "channel": random.choice(["web", "phone"], n_rows, p=[web, 1 - web]),
            "booking": [f"B{seed}{number}" for number in range(n_rows)],
            "paid": random.random(n_rows) < 0.5,
        }
    )


def test_what_moved_is_told_and_the_rest_is_not() -> None:
    found = compare_tables(build_stays(2_000, seed=1), build_stays(1_500, seed=2, shift=15, web=0.3))
    verdicts = {column.name: column.verdict for column in found.columns}
    assert (
        verdicts == {"price": "strong", "channel": "changed", "nights": "same", "paid": "same"}
        or verdicts["channel"] == "strong"
    )
    assert found.not_compared == ("booking",)
    channel = next(column for column in found.columns if column.name == "channel")
    assert (channel.moved.low or 0) < 0.2 < (channel.moved.high or 1)
    assert {item.code for item in find_drift(found)} == {"schema.drift"}


def test_a_false_alarm_is_as_rare_as_promised() -> None:
    """100 pairs of tables without drift, three columns each: any false verdict in about 5 of 100."""
    alarms = 0
    for seed in range(100):
        found = compare_tables(build_stays(400, seed=seed), build_stays(300, seed=1_000 + seed))
        alarms += any(column.verdict != "same" for column in found.columns)
    assert alarms <= 12  # P(X > 12 | 0.05) < 0.2 %


def test_columns_that_come_go_or_change_their_kind_are_told() -> None:
    before = build_stays(100, seed=1)
    after = before.drop("paid").rename({"channel": "kanal"}).with_columns(price=pl.lit("soon"))
    found = compare_tables(before, after)
    assert (found.gone, found.added) == (("channel", "paid"), ("kanal",))
    assert found.retyped == (("price", "number", "category"),)
    codes = [(item.code, item.severity) for item in find_drift(found)]
    assert codes == [
        ("schema.missing_column", "warn"),
        ("schema.extra_column", "info"),
        ("schema.kind_changed", "warn"),
    ]


def test_a_table_is_like_itself() -> None:
    table = build_stays(500, seed=3)
    found = compare_tables(table, table)
    assert all(column.verdict == "same" and column.moved.value == 0.0 for column in found.columns)


def test_few_rows_are_too_few() -> None:
    found = compare_tables(build_stays(20, seed=1), build_stays(500, seed=2, shift=80))
    assert {column.verdict for column in found.columns} == {"too_few"}


def test_holm_is_never_below_the_plain_values_and_keeps_their_order() -> None:
    plain = [0.2, 0.001, 0.04, 0.04]
    corrected = correct_by_holm(plain)
    assert all(after >= before for before, after in zip(plain, corrected, strict=True))
    assert corrected[1] == pytest.approx(0.004)


def test_the_interval_of_what_moved_covers_the_truth() -> None:
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(100):
        old, new = random.multinomial(800, [0.5, 0.3, 0.2]), random.multinomial(600, [0.4, 0.3, 0.3])
        found = measure_moved(old, new, generator=random)
        hits += (found.low or 0) <= 0.1 <= (found.high or 1)
    assert hits >= 88
