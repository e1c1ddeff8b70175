"""Blends stay quick: members that are hardly missed go, and fits are repeated only while there is room."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.featurizer import featurize
from skiff.train.aim import Aim
from skiff.train.boosting import Boosting
from skiff.train.contest import Arena, Tried
from skiff.train.encoders import fit_encoders
from skiff.train.features import Source, build_features
from skiff.train.forests import Forest
from skiff.train.lean import MOST_LOSS, MOST_QUESTIONS, count_questions, lighten, share_out_repeats
from skiff.train.linear import Linear
from skiff.train.recipes import Recipe
from skiff.train.selection import Standing

Array = np.ndarray[Any, Any]

AIM = Aim(kind="regression")
N_ROWS = 2_000
MANY = MOST_QUESTIONS // 8
"""Rounds of 16 leaves that take half of all questions."""


@pytest.fixture(name="arena")
def build_arena() -> Arena:
    y = np.random.default_rng(0).normal(size=N_ROWS)
    frame, inputs = pl.DataFrame({"size": y}), (InputColumn(name="size", kind="number"),)
    task = Task(target="price", kind="regression")
    source = Source(
        frame=frame, inputs=inputs, encoders=fit_encoders(frame, inputs, y, task), y=y, task=task, featurize=featurize, seed=0
    )  # fmt: skip
    return Arena(features=build_features(source, []), y=y, aim=AIM, seed=0, threads=1, n_final_rows=N_ROWS)


def _boost(name: str, *, is_drawn: bool = True) -> Boosting:
    return Boosting(name=name, leaves=16, settings={"bagging_freq": 1} if is_drawn else {})


def _stand(arena: Arena, members: list[tuple[Recipe, int, Array]]) -> Standing:
    standing = Standing()
    for recipe, n_steps, error in members:
        oof = arena.y + error
        standing.add(
            Tried(
                recipe=recipe, oof=oof, loss=float(np.sqrt(np.mean(error**2))), n_steps=n_steps, factor=1.0, seconds=1.0,
                refit_seconds=1.0, is_cut=False,
            ),
            arena,
        )  # fmt: skip
    return standing


def _draw_errors(n_errors: int) -> list[Array]:
    chance = np.random.default_rng(1)
    return [chance.normal(size=N_ROWS) for _ in range(n_errors)]


def test_a_contest_is_decided_by_most_rows_and_not_by_the_few_that_nobody_comes_near(arena: Arena) -> None:
    careful, lucky = _draw_errors(2)
    careful, lucky = 0.3 * careful, 0.6 * lucky
    careful[:3], lucky[:3] = -300.0, -297.0
    standing = _stand(arena, [(Linear(name="careful"), 1, careful), (_boost("lucky"), 10, lucky)])
    assert standing.tried[1].loss < standing.tried[0].loss
    assert standing.weights[0] > 0.6  # where errors are independent the best share is 0.8


def test_a_member_that_is_hardly_missed_is_left_out_of_a_slow_blend(arena: Arena) -> None:
    first, second, third, fourth = _draw_errors(4)
    standing = _stand(
        arena,
        [
            (Linear(name="linear"), 1, first),
            (_boost("one"), MANY, second),
            (_boost("its twin"), MANY, 0.99 * second + 0.141 * fourth),
            (_boost("another"), MANY // 2, third),
        ],
    )
    before = standing.loss
    assert sum(standing.weights > 0) == 4
    standing.weights, standing.loss = lighten(standing.tried, standing.weights, arena)
    left = {one.recipe.name for one, _ in standing.list_chosen()}
    assert len(left) == 3
    assert {"linear", "another"} < left
    assert standing.loss <= (1 + MOST_LOSS) * before
    assert np.isclose(standing.weights.sum(), 1.0)


def test_members_that_count_stay_however_slow_the_blend(arena: Arena) -> None:
    first, second = _draw_errors(2)
    standing = _stand(arena, [(_boost("one"), 2 * MANY, first), (_boost("another"), 2 * MANY, second)])
    weights, _ = lighten(standing.tried, standing.weights, arena)
    assert np.array_equal(standing.weights, weights)


def test_a_quick_blend_is_left_as_it_is(arena: Arena) -> None:
    first, second = _draw_errors(2)
    standing = _stand(arena, [(_boost("one"), 10, first), (_boost("twin"), 10, 0.999 * first + 0.01 * second)])
    weights, _ = lighten(standing.tried, standing.weights, arena)
    assert np.array_equal(standing.weights, weights)


def test_fits_are_repeated_heaviest_first_while_there_is_room(arena: Arena) -> None:
    first, second, third = _draw_errors(3)
    members: list[tuple[Recipe, int, Array]] = [
        (_boost("heavy"), MANY // 2, first),
        (_boost("settled", is_drawn=False), MANY // 4, 1.3 * second),
        (_boost("light"), MANY // 2, 1.6 * third),
    ]
    chosen = _stand(arena, members).list_chosen()
    assert [one.recipe.name for one, _ in chosen] == ["heavy", "settled", "light"]
    assert share_out_repeats(chosen, AIM, most=3) == [2, 1, 1]
    assert share_out_repeats(chosen, AIM, most=1) == [1, 1, 1]
    assert share_out_repeats(chosen[:1], AIM, most=3) == [3]


def test_each_class_has_trees_of_its_own() -> None:
    three = Aim(kind="multiclass", n_classes=3)
    assert count_questions(_boost("one"), 10, three) == 3 * count_questions(_boost("one"), 10, AIM)
    assert count_questions(Linear(name="linear"), 5, three) == 0.0
    assert 500 < count_questions(Forest(name="forest"), 1, AIM) < 2_000
