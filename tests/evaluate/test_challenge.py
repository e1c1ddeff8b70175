"""A challenger wins by more than noise or not at all."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.challenge import Challenge, Rows, judge_challenge

TASK = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")
SHOP = (InputColumn(name="shop", kind="category"),)


def _rows(name: str, n: int, *, champion: float, challenger: float, seed: int) -> Rows:
    """Return answers whose logits are off the truth by the given amounts."""
    random = np.random.default_rng(seed)
    logit = random.normal(0, 1.5, n)
    y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(np.float64)

    def answer(noise: float) -> np.ndarray:
        chance = 1 / (1 + np.exp(-(logit + noise * random.normal(size=n))))
        return np.column_stack([1 - chance, chance])

    return Rows(name=name, y=y, champion=answer(champion), challenger=answer(challenger))


def _judge(recent: Rows, frozen: Rows | None, *, is_promise_kept: bool = True) -> Challenge:
    frame = pl.DataFrame({"shop": np.where(np.arange(len(recent.y)) % 4 == 0, "north", "south")})
    return judge_challenge(TASK, recent, frozen, frame, SHOP, is_promise_kept=is_promise_kept, seed=0)


def test_an_equal_challenger_does_not_win_more_often_than_noise_allows() -> None:
    won = sum(
        _judge(
            _rows("recent", 400, champion=0.8, challenger=0.8, seed=seed),
            _rows("frozen", 400, champion=0.8, challenger=0.8, seed=1_000 + seed),
        ).is_won
        for seed in range(60)
    )
    assert won <= 4  # 2.5 % in the long run


def test_a_better_one_wins_and_the_size_is_said() -> None:
    made = _judge(
        _rows("recent", 800, champion=2.0, challenger=0.2, seed=1),
        _rows("frozen", 800, champion=1.0, challenger=0.3, seed=2),
    )
    assert made.is_won
    assert "better by more than noise" in made.reasons[0]
    assert [name for name, _ in made.differences] == ["recent", "frozen", "together"]


@pytest.mark.parametrize("is_promise_kept", [True, False])
def test_one_that_forgot_wins_only_where_the_old_world_is_gone(is_promise_kept: bool) -> None:
    made = _judge(
        _rows("recent", 800, champion=2.5, challenger=0.2, seed=3),
        _rows("frozen", 800, champion=0.2, challenger=2.5, seed=4),
        is_promise_kept=is_promise_kept,
    )
    assert made.is_won is not is_promise_kept
    assert any("worse by more than noise" in reason for reason in made.reasons)


def test_a_group_that_would_be_worse_off_blocks_and_is_named() -> None:
    rows = _rows("recent", 1_200, champion=1.5, challenger=0.1, seed=5)
    north = np.arange(1_200) % 4 == 0
    spoiled = rows.challenger.copy()
    spoiled[north] = 1 - rows.champion[north] * 0.98 - 0.01
    worse = Rows(name="recent", y=rows.y, champion=rows.champion, challenger=spoiled)
    made = _judge(worse, None)
    assert not made.is_won
    assert [(group.column, group.level) for group in made.worse] == [("shop", "north")]
    assert "'north'" in made.reasons[-1]
