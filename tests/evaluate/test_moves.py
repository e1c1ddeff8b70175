"""Periods that differ are told from periods that do not, and the estimate holds what comes."""

from __future__ import annotations

import numpy as np
import pytest

from skiff.evaluate.lines import to_logit
from skiff.evaluate.moves import measure_moves

SIZE = 600
Array = np.ndarray


def make_periods(n_periods: int, offset_sd: float, slope_sd: float, *, seed: int) -> tuple[Array, Array, list[Array]]:
    """Return answers, probabilities and the rows of periods whose truth moves by the given standard deviations."""
    random = np.random.default_rng(seed)
    score = random.uniform(0.05, 0.95, size=n_periods * SIZE)
    places = np.repeat(np.arange(n_periods), SIZE)
    offsets, slopes = random.normal(0, offset_sd, n_periods), np.exp(random.normal(0, slope_sd, n_periods))
    true = 1 / (1 + np.exp(-(offsets[places] + slopes[places] * to_logit(score))))
    y = (random.uniform(size=len(score)) < true).astype(np.int64)
    return y, np.stack([1 - score, score], axis=1), np.split(np.arange(len(score)), n_periods)


def find(y: Array, prediction: Array, periods: list[Array]) -> tuple[float, ...]:
    moves = measure_moves(y, prediction, periods, is_number=False)
    assert moves is not None
    return moves.covariance


def test_steady_periods_hardly_move() -> None:
    found = [find(*make_periods(5, 0.0, 0.0, seed=seed)) for seed in range(20)]
    assert np.mean(found, axis=0)[[0, 3]] == pytest.approx([0.0, 0.0], abs=0.02)


def test_moves_are_found_in_their_size() -> None:
    found = np.mean([find(*make_periods(8, 0.8, 0.3, seed=seed)) for seed in range(30)], axis=0)
    assert found[0] == pytest.approx(0.64, rel=0.3)
    assert 0.03 < found[3] < 0.2


def test_errors_of_amounts_move() -> None:
    random = np.random.default_rng(0)
    scale = np.repeat(np.exp(random.normal(0, 0.5, 6)), SIZE)
    prediction = random.uniform(10, 20, size=6 * SIZE)
    y = prediction + random.normal(size=6 * SIZE) * scale
    moves = measure_moves(y, prediction, np.split(np.arange(6 * SIZE), 6), is_number=True)
    assert moves is not None
    assert moves.periods == 6
    assert moves.covariance[0] == pytest.approx(np.log(np.unique(scale)).var(ddof=1), rel=0.25)


@pytest.mark.parametrize("n_periods", [1, 2])
def test_too_few_periods_say_nothing(n_periods: int) -> None:
    assert measure_moves(*make_periods(n_periods, 0.5, 0.1, seed=0), is_number=False) is None
