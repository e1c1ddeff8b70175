"""Which candidates are tried, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.featurizer import featurize
from skiff.train.aim import Aim
from skiff.train.contest import Arena
from skiff.train.encoders import fit_encoders
from skiff.train.features import Source, build_features
from skiff.train.portfolio import SMALL_ROWS, Shape, list_recipes
from skiff.train.selection import shape_of

SINGLE = "lightgbm single levels"
PRICE, CHURN = Aim(kind="regression"), Aim(kind="binary", n_classes=2)
N_ROWS = 300


def _name(aim: Aim, *, n_rows: int = 500, has_levels: bool = False) -> list[str]:
    shape = Shape(n_rows=n_rows, n_tree=5, n_linear=9, is_sparse=False, has_levels=has_levels)
    return [recipe.name for recipe in list_recipes(aim, shape)]


def _shape(cities: Sequence[str]) -> Shape:
    y = np.arange(N_ROWS) % 2.0
    frame, inputs = pl.DataFrame({"city": cities}), (InputColumn(name="city", kind="category"),)
    task = Task(target="left", kind="binary", classes=("no", "yes"))
    source = Source(
        frame=frame, inputs=inputs, encoders=fit_encoders(frame, inputs, y, task), y=y, task=task, featurize=featurize, seed=0
    )  # fmt: skip
    return shape_of(Arena(features=build_features(source, []), y=y, aim=CHURN, seed=0, threads=1, n_final_rows=N_ROWS))


@pytest.mark.parametrize(("n_levels", "is_tried"), [(3, False), (4, False), (5, True), (40, True)])
def test_single_levels_are_asked_for_where_sets_of_levels_are_a_choice(n_levels: int, *, is_tried: bool) -> None:
    shape = _shape([f"city {place % n_levels:02d}" for place in range(N_ROWS)])
    names = [recipe.name for recipe in list_recipes(CHURN, shape)]
    assert (SINGLE in names) is is_tried


def test_it_is_the_slow_boosting_with_one_question_more() -> None:
    made = {
        recipe.name: recipe
        for recipe in list_recipes(CHURN, Shape(n_rows=500, n_tree=5, n_linear=9, is_sparse=False, has_levels=True))
    }
    extra = set(made[SINGLE].settings.items()) - set(made["lightgbm slow"].settings.items())  # type: ignore[attr-defined]  # both are Boosting
    assert extra == {("max_cat_to_onehot", 64)}


def test_whole_forests_come_early_for_numbers_from_few_rows_alone() -> None:
    few, many = _name(PRICE), _name(PRICE, n_rows=SMALL_ROWS)
    assert few.index("extra trees deep") < few.index("perceptron") < few.index("extra trees")
    assert "extra trees deep" not in many
    assert many.index("perceptron") < many.index("extra trees")
    classes = _name(CHURN)
    assert classes.index("perceptron") < classes.index("extra trees") < classes.index("extra trees deep")


@pytest.mark.parametrize("aim", [CHURN, PRICE, Aim(kind="regression", is_skewed=True, law="poisson")])
def test_no_two_candidates_share_a_name(aim: Aim) -> None:
    names = _name(aim, has_levels=True)
    assert len(names) == len(set(names))
