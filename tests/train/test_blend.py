"""A blend of numbers is chosen by most rows, not by the three that nobody comes near."""

from __future__ import annotations

import numpy as np

from skiff.train.aim import Aim, measure_loss
from skiff.train.blend import choose_weights, tame_targets

AIM = Aim(kind="regression")
N_ROWS, N_STRANGE = 1_000, 3


def test_rows_that_nobody_comes_near_do_not_choose_the_members() -> None:
    chance = np.random.default_rng(0)
    y = chance.normal(size=N_ROWS)
    careful, lucky = y + chance.normal(0, 0.3, N_ROWS), y + chance.normal(0, 0.6, N_ROWS)
    y[:N_STRANGE] += 200.0
    lucky[:N_STRANGE] += 2.0
    answers = [careful, lucky]
    by_luck = choose_weights(y, answers, AIM)
    by_most = choose_weights(tame_targets(y, answers, AIM), answers, AIM)
    assert measure_loss(y, lucky, AIM) < measure_loss(y, careful, AIM)
    assert by_luck[1] == 1.0
    assert by_most[0] > 0.6  # their errors are independent: the best share is 0.8, and the tamed rows still count
    assert by_most[0] > by_most[1]


def test_without_strange_rows_hardly_anything_moves() -> None:
    chance = np.random.default_rng(1)
    y = chance.normal(size=N_ROWS)
    answers = [y + chance.normal(0, 0.3, N_ROWS), y + chance.normal(0, 0.4, N_ROWS)]
    plain = choose_weights(y, answers, AIM)
    tamed = choose_weights(tame_targets(y, answers, AIM), answers, AIM)
    assert np.abs(plain - tamed).max() <= 0.05


def test_only_squared_errors_are_tamed() -> None:
    y = np.array([0.0, 1.0] * 200)
    chances = [np.stack([1 - y * 0.5, y * 0.5], axis=1)]
    assert tame_targets(y, chances, Aim(kind="binary", n_classes=2)) is y
    assert tame_targets(y, [np.zeros(400)], Aim(kind="regression", quantile=0.9)) is y


def test_a_candidate_that_is_right_nearly_everywhere_tames_nothing() -> None:
    y = np.append(np.zeros(500), 7.0)
    assert tame_targets(y, [np.zeros(501)], AIM) is y
