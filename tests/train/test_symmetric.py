"""CatBoost's trees leave the room as arrays that answer as the library does, and are tried only where it is installed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skiff.core.pipeline import Calibration, FeatureMatrix, Member, NumberEncoder, Pipeline
from skiff.core.signature import InputColumn
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.parity import build_hostile_rows, measure_parity
from skiff.train import portfolio
from skiff.train.aim import Aim
from skiff.train.export import read_as_catboost, trees_from_catboost
from skiff.train.limits import Limit
from skiff.train.portfolio import Shape, list_recipes
from skiff.train.recipes import Effort, Rows
from skiff.train.symmetric import Symmetric

Array = np.ndarray[Any, Any]
Walk = Callable[..., Any]
TIGHT = 1e-12
SHAPE = Shape(n_rows=500, n_tree=5, n_linear=9, is_sparse=False)
PATIENT = Limit(clock=time.monotonic, ends_at=float("inf"))

BINARY, THREE = Aim(kind="binary", n_classes=2), Aim(kind="multiclass", n_classes=3)
NUMBER = Aim(kind="regression")


def test_without_the_library_nothing_is_tried_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio, "has_extra", lambda _: False)
    assert not any(isinstance(one, Symmetric) for one in list_recipes(BINARY, SHAPE))


def test_with_the_library_it_is_tried_once_and_once_by_the_law_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portfolio, "has_extra", lambda _: True)
    assert [one.name for one in list_recipes(BINARY, SHAPE) if isinstance(one, Symmetric)] == ["catboost"]
    counts = Aim(kind="regression", is_skewed=True, law="poisson")
    names = [one.name for one in list_recipes(counts, SHAPE) if isinstance(one, Symmetric)]
    assert names == ["catboost, log scale", "catboost tweedie"]


@pytest.fixture(scope="module")
def catboost() -> Any:
    """The library, which the development environment leaves out for its size (100 MB packed)."""
    return pytest.importorskip("catboost", reason='CatBoost is not installed: pip install "skiff-ml[catboost]"')


def _draw_rows(n_rows: int, *, seed: int) -> tuple[Array, Array]:
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(n_rows, 5))
    X[:, 2] = chance.integers(0, 9, size=n_rows)
    X[:, 3] = np.round(X[:, 3] * 1e6) / 10.0  # more digits than float32 holds
    X[chance.random(n_rows) < 0.2, 1] = np.nan
    score = X[:, 0] + 2 * np.isin(X[:, 2], [1, 4]) - np.nan_to_num(X[:, 1], nan=1.5) + 1e-6 * X[:, 3]
    return X, score + chance.normal(size=n_rows)


def _view(X: Array) -> FeatureMatrix:
    return FeatureMatrix(
        tree=X, linear=X, tree_names=(), linear_names=(), tree_columns=(), linear_columns=(), categorical=()
    )


def _fit(recipe: Symmetric, aim: Aim, X: Array, y: Array, *, n_steps: int = 20, seed: int = 0) -> Any:
    return recipe.fit_whole(Rows(X=X, y=y), aim, Effort(limit=PATIENT, seed=seed), n_steps=n_steps, factor=1.0)


def _stand_at_borders(trees: Any, X: Array) -> Array:
    """Rows that stand at a border and on either side of it: a step of float64, of float32, and half a step of float32."""
    rows = []
    for feature, split in list(zip(trees.feature.tolist(), trees.split.tolist(), strict=True))[:60]:
        up, down = (float(np.nextafter(np.float32(split), np.float32(to))) for to in (np.inf, -np.inf))
        for value in (
            split, np.nextafter(split, np.inf), np.nextafter(split, -np.inf), up, down, (split + up) / 2, (split + down) / 2,
        ):  # fmt: skip
            row = X[len(rows) % len(X)].copy()
            row[feature] = value
            rows.append(row)
    hostile = np.array(
        [[np.nan] * 5, [1e300] * 5, [-1e300] * 5, [3.4e38] * 5, [-3.4e38] * 5, [0.0, -0.0, 40, 1e-45, 5e-324]]
    )
    return np.vstack([np.array(rows).reshape(-1, 5), hostile, X[:20]])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # it holds no state
@given(seed=st.integers(0, 10_000), depth=st.integers(1, 7), case=st.sampled_from(["binary", "three", "number", "law"]))
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_the_arrays_answer_as_the_library_on_both_sides_of_every_border(
    catboost: Any, walk_trees: Walk, seed: int, depth: int, case: str
) -> None:
    X, score = _draw_rows(200, seed=seed)
    y = {"binary": score > 0, "three": np.digitize(score, [-1, 1]), "number": score, "law": np.exp(score / 3)}[case]
    loss = {"binary": "Logloss", "three": "MultiClass", "number": "RMSE", "law": "Tweedie:variance_power=1.5"}[case]
    model = catboost.CatBoost(
        {"loss_function": loss, "iterations": 12, "depth": depth, "random_seed": seed, "thread_count": 1,
         "learning_rate": 0.3, "allow_writing_files": False, "logging_level": "Silent"}
    )  # fmt: skip
    model.fit(catboost.Pool(read_as_catboost(X), y.astype(np.float64)))
    n_scores = 3 if case == "three" else 1
    trees = trees_from_catboost(model, np.zeros(n_scores), n_columns=5, targets=range(n_scores))
    rows = _stand_at_borders(trees, X)
    raw = np.asarray(model.predict(read_as_catboost(rows), prediction_type="RawFormulaVal")).reshape(len(rows), -1)
    assert np.abs(walk_trees(trees, rows) - raw).max() <= TIGHT


def test_questions_are_those_of_the_librarys_own_file(catboost: Any, tmp_path: Path, walk_trees: Walk) -> None:
    X, score = _draw_rows(400, seed=1)
    model = catboost.CatBoost(
        {"loss_function": "RMSE", "iterations": 9, "depth": 5, "allow_writing_files": False, "logging_level": "Silent"}
    )
    model.fit(catboost.Pool(read_as_catboost(X), score))
    model.save_model(str(tmp_path / "model.json"), format="json")
    told = json.loads((tmp_path / "model.json").read_text())
    scale, [bias] = told["scale_and_bias"]
    cells = read_as_catboost(X[:50]).astype(np.float64)
    expected = np.full(50, float(bias))
    for tree in told["oblivious_trees"]:
        bits = [cells[:, one["float_feature_index"]] > np.float32(one["border"]) for one in tree["splits"]]
        leaf = sum((bit.astype(int) << level for level, bit in enumerate(bits)), np.zeros(50, dtype=int))
        expected += scale * np.array(tree["leaf_values"])[leaf]
    trees = trees_from_catboost(model, np.zeros(1), n_columns=5)
    assert np.abs(walk_trees(trees, X[:50])[:, 0] - expected).max() <= TIGHT


@pytest.mark.usefixtures("catboost")
@pytest.mark.parametrize(
    ("aim", "law", "is_log"),
    [(BINARY, "", False), (THREE, "", False), (NUMBER, "", False), (NUMBER, "", True), (NUMBER, "poisson", False)],
)
def test_the_graph_answers_as_the_library(aim: Aim, law: Any, is_log: bool) -> None:
    names = ("nights", "price", "rooms", "paid", "days")
    inputs = tuple(InputColumn(name=name, kind="number") for name in names)
    encoders = tuple(
        NumberEncoder(
            column=name, impute=0.0, is_log=False, low=-9.0, high=9.0, mean=0.0, scale=1.0, has_indicator=False
        )
        for name in names
    )
    X, score = _draw_rows(300, seed=4)
    y = {"binary": score > 0, "multiclass": np.digitize(score, [-1, 1]), "regression": np.round(np.exp(score / 2 + 3))}
    fitted = _fit(Symmetric(name="catboost", law=law, is_log=is_log), aim, X, y[aim.kind].astype(np.float64))
    pipeline = Pipeline(
        kind=aim.kind, inputs=inputs, encoders=encoders, classes=("a", "b", "c")[: aim.n_classes],
        members=(Member(name="catboost", view="tree", part=fitted.part, link=fitted.link, weight=1.0),),
        calibration=Calibration(kind="none"),
    )  # fmt: skip
    frame = pl.DataFrame(dict(zip(names, X.T, strict=True)))
    proof = measure_parity(
        pipeline, compile_pipeline(pipeline), frame, hostile=build_hostile_rows(pipeline, frame, seed=0),
        predict_native=fitted.answer,
    )  # fmt: skip
    assert proof.is_equal
    assert proof.max_abs_diff <= 1e-9


@pytest.mark.usefixtures("catboost")
def test_a_class_that_the_rows_never_met_is_next_to_impossible_and_nothing_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    X, score = _draw_rows(200, seed=2)
    y = np.where(score > 0, 2.0, 0.0)
    recipe = Symmetric(name="catboost", max_rounds=20)
    fold = recipe.fit_fold(
        Rows(X=X[:150], y=y[:150]), Rows(X=X[150:], y=np.full(50, 1.0)), THREE, Effort(limit=PATIENT)
    )
    assert fold.answer(3).shape == (50, 3)
    assert fold.answer(3)[:, 1].max() < 1e-12
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("catboost")
@pytest.mark.parametrize("law", ["", "poisson"])
def test_columns_that_never_vary_give_the_mean(law: Any) -> None:
    X, y = np.zeros((40, 5)), np.arange(40.0)
    recipe = Symmetric(name="catboost", law=law)
    fold = recipe.fit_fold(Rows(X=X, y=y), Rows(X=X[:3], y=y[:3]), NUMBER, Effort(limit=PATIENT))
    assert np.allclose(fold.answer(1), 19.5)
    assert np.allclose(_fit(recipe, NUMBER, X, y).answer(_view(X[:2])), 19.5)


@pytest.mark.usefixtures("catboost")
def test_the_same_seed_gives_the_same_trees() -> None:
    X, score = _draw_rows(300, seed=5)
    one, same, other = (_fit(Symmetric(name="catboost"), NUMBER, X, score, seed=seed).part for seed in (3, 3, 4))
    assert np.array_equal(one.leaf_weight, same.leaf_weight)
    assert not np.array_equal(one.leaf_weight, other.leaf_weight)


@pytest.mark.usefixtures("catboost")
def test_a_fold_ends_with_its_time_and_a_late_final_fit_takes_larger_steps() -> None:
    X, score = _draw_rows(300, seed=6)
    at = [0.0]

    def tick() -> float:
        at[0] += 1.0
        return at[0]

    recipe = Symmetric(name="catboost", rate=0.02)
    hurried = Effort(limit=Limit(clock=tick, ends_at=30.0))
    fold = recipe.fit_fold(Rows(X=X[:200], y=score[:200]), Rows(X=X[200:], y=score[200:]), NUMBER, hurried)
    assert fold.is_cut
    assert len(fold.losses) < 40
    at[0] = 0.0
    late = Effort(limit=Limit(clock=tick, ends_at=5.0))
    made = recipe.fit_whole(Rows(X=X, y=score), NUMBER, late, n_steps=400, factor=1.0)
    assert len(made.part.roots) < 60
    whole = _fit(recipe, NUMBER, X, score, n_steps=400)
    gap = np.corrcoef(made.answer(_view(X)), whole.answer(_view(X)))[0, 1]
    assert gap > 0.95
