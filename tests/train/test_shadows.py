"""Shadows are the released recipe, and they know nothing of the rows they did not learn from."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.featurizer import featurize
from skiff.train.shadows import REGULARISED, STRICT, ShadowPlan, fit_shadows, plan_shadows

TASK = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes")


def build_clients(n_rows: int = 400) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "income": random.normal(30, 10, n_rows),
            "street": [f"s{number}" for number in random.integers(0, 40, n_rows)],
        }
    )
    y = (random.random(n_rows) < 1 / (1 + np.exp(-(frame["income"].to_numpy() - 30) / 10))).astype(np.float64)
    return frame, y


def plan(members: list[tuple[str, float]], *, y: NDArray[np.float64] | None = None) -> ShadowPlan:
    frame, truth = build_clients()
    return plan_shadows(
        frame, truth if y is None else y, TASK, infer_inputs(frame), members=members, featurize=featurize,
        now=time.monotonic, budget_s=20.0,
    )  # fmt: skip


def test_members_are_found_by_their_names() -> None:
    made = plan([("linear", 0.2), ("lightgbm quick, longer", 0.5), ("lightgbm drawn 3", 0.3)])
    assert made.names == ("lightgbm quick", "lightgbm drawn 3", "linear")
    assert [round(share, 2) for _, share in made.members] == [0.5, 0.3, 0.2]
    assert made.stand_ins == ()


def test_what_is_not_known_gets_a_stand_in_and_is_named() -> None:
    made = plan([("catboost", 0.6), ("linear", 0.4)])
    assert made.stand_ins == ("catboost",)


@pytest.mark.parametrize("name", [REGULARISED, STRICT])
def test_remedies_are_recipes_too(name: str) -> None:
    made = plan([(name, 1.0)])
    assert made.names == (name,)
    assert made.stand_ins == ()


@pytest.mark.parametrize("members", [[("lightgbm quick", 0.5), ("linear", 0.5)], [("extra trees", 1.0)]])
def test_a_shadow_knows_nothing_of_rows_it_did_not_learn_from(members: list[tuple[str, float]]) -> None:
    _, y = build_clients()
    learned = np.zeros((1, len(y)), dtype=bool)
    learned[0, :200] = True
    before = plan(members)
    other = np.where(learned[0], y, 1 - y)
    frame, _ = build_clients()
    after = ShadowPlan(
        table=type(before.table)(
            frame=frame, y=other, task=TASK, inputs=before.table.inputs, folds=(), featurize=featurize,
            aim=before.table.aim, seed=0, threads=2, groups=None,
        ),
        members=before.members,
    )  # fmt: skip
    [first], [second] = fit_shadows(before, learned), fit_shadows(after, learned)
    assert first.shape == (400, 2)
    np.testing.assert_array_equal(first, second)


def test_the_same_seed_gives_the_same_shadows_in_any_batches() -> None:
    members = np.random.default_rng(0).random((3, 400)) < 0.5
    made = plan([("lightgbm slow", 1.0)])
    at_once = fit_shadows(made, members, seed=5)
    singly = [fit_shadows(made, members[number : number + 1], seed=5 + number)[0] for number in range(3)]
    np.testing.assert_array_equal(np.stack(at_once), np.stack(singly))


def test_trees_that_ask_for_single_levels_are_found_again_in_rows_that_have_none() -> None:
    frame, y = build_clients()
    frame = frame.select("income")  # as in a half whose rows happen to be of four cities
    made = plan_shadows(
        frame, y, TASK, infer_inputs(frame), members=[("lightgbm single levels", 1.0)], featurize=featurize,
        now=time.monotonic, budget_s=20.0,
    )  # fmt: skip
    assert made.names == ("lightgbm single levels",)
    assert made.stand_ins == ()
