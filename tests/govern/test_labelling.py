"""Labels: which rows first, whether more would help, and how long they take."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from skiff.core.signature import InputColumn
from skiff.govern.labelling import (
    LEAST_LABELS,
    NEXT_LABELS,
    draw_curve,
    estimate_hours,
    lay_out,
    measure_doubt,
    rank_rows,
)

ROUNDS = 400
SIZES = (100, 200, 400)


def draw_losses(chance: np.random.Generator, *, exponent: float, n_rows: int = 400) -> np.ndarray:  # type: ignore[type-arg]  # floats
    """Return losses of rows that share what makes them hard, falling as a power of the labels."""
    hard = chance.exponential(1.0, n_rows)[:, None]
    noise = chance.lognormal(0.0, 0.3, (n_rows, len(SIZES)))
    return np.asarray(hard * noise * np.array([(size / 100) ** -exponent for size in SIZES]))


def test_the_interval_of_the_next_gain_holds_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(1)
    for exponent in (0.0, 0.5):
        truth = 1 - ((400 + NEXT_LABELS) / 400) ** -exponent
        held = 0
        for _ in range(ROUNDS):
            gain = draw_curve(
                draw_losses(chance, exponent=exponent), SIZES, n_labels=400, worth=0.01, metric="log_loss"
            ).gain
            assert gain is not None
            assert gain.low is not None
            assert gain.high is not None
            held += gain.low <= truth <= gain.high
        assert abs(held / ROUNDS - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / ROUNDS)


def test_a_steep_curve_goes_on_and_a_flat_one_stops() -> None:
    chance = np.random.default_rng(2)
    steep = draw_curve(draw_losses(chance, exponent=0.6), SIZES, n_labels=400, worth=0.01, metric="log_loss")
    assert steep.advice == "go_on"
    assert steep.sentence.startswith("Go on.")
    flat = draw_curve(
        draw_losses(chance, exponent=0.0, n_rows=20_000), SIZES, n_labels=20_000, worth=0.01, metric="log_loss"
    )
    assert flat.advice == "stop"
    assert "Stop: more labels will not help." in flat.sentence
    assert [point.n_labels for point in flat.points] == list(SIZES)


def test_few_labels_say_nothing() -> None:
    found = draw_curve(np.ones((LEAST_LABELS - 1, 3)), SIZES, n_labels=59, worth=0.01, metric="log_loss")
    assert (found.advice, found.gain) == ("too_few", None)


def test_doubt_is_largest_where_two_answers_are_alike() -> None:
    prob = np.array([[0.34, 0.33, 0.33], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert measure_doubt(prob).argmax() == 1
    assert measure_doubt(prob, by="entropy").argmax() == 0
    for by in ("margin", "entropy"):
        found = measure_doubt(prob, by=by)  # type: ignore[arg-type]  # one of the two
        assert found.min() >= 0
        assert found.max() <= 1 + 1e-12


def test_chosen_rows_are_doubtful_and_unlike_each_other() -> None:
    chance = np.random.default_rng(3)
    centres = np.repeat(np.arange(10.0) * 5, 30)
    X = np.column_stack([centres, np.zeros(300)]) + chance.normal(0, 0.1, (300, 2))
    doubt = chance.uniform(0.8, 1.0, 300)
    doubt[centres > 20] = 0.01
    chosen = rank_rows(doubt, X, n_rows=5, seed=0)
    assert len({int(centres[row]) for row in chosen}) == 5
    assert (centres[chosen] <= 20).all()
    assert rank_rows(doubt, X, n_rows=5, seed=0).tolist() == chosen.tolist()
    assert rank_rows(doubt[:3], X[:3], n_rows=9).shape == (3,)
    assert rank_rows(np.empty(0), np.empty((0, 1)), n_rows=9).shape == (0,)


def test_rows_are_laid_out_without_gaps() -> None:
    frame = pl.DataFrame(
        {
            "n": [1.0, None, 3.0],
            "flag": [True, None, False],
            "city": ["Oslo", None, "Oslo"],
            "note": ["late arrival", None, "arrival late"],
            "empty": pl.Series([None, None, None], dtype=pl.Float64),
        }
    )
    inputs = [
        InputColumn(name="n", kind="number"),
        InputColumn(name="flag", kind="boolean"),
        InputColumn(name="city", kind="category"),
        InputColumn(name="note", kind="text"),
        InputColumn(name="empty", kind="number"),
    ]
    found = lay_out(frame, inputs)
    assert np.isfinite(found).all()
    assert found[0, -33:-1] == pytest.approx(found[2, -33:-1])
    assert lay_out(frame, []).shape == (3, 1)


def test_hours_come_with_a_range_and_not_from_four_labels() -> None:
    assert estimate_hours([10.0] * 4, 100).hours is None
    found = estimate_hours([8.0, 10.0, 12.0] * 10, 720)
    assert found.hours is not None
    assert found.hours.value == pytest.approx(2.0)
    assert found.hours.low is not None
    assert found.hours.low < 2.0
