"""What is asked beyond closeness is kept: weights, exposure, directions, quantiles, in the compiled file as well."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.parity import build_hostile_rows, measure_parity
from skiff.deploy.predictor import Predictor
from skiff.deploy.reference import predict_reference
from skiff.train.demands import Demands, settle_directions
from skiff.train.fit import train_pipeline
from skiff.train.trained import Trained

Float = NDArray[np.float64]
RENT = Task(kind="regression", target="rent")
LATE = Task(kind="binary", target="late", classes=("no", "yes"), positive="yes")


def fit(frame: pl.DataFrame, y: Float, task: Task, demands: Demands, **settings: Any) -> Trained:  # Any: passed on
    place = np.random.default_rng(0).permutation(len(y)) % 3
    folds = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(3)]
    settings = {"budget_s": 2.0, "threads": 1, **settings}
    return train_pipeline(
        frame, y, task, infer_inputs(frame), folds=folds, featurize=featurize, now=time.monotonic, demands=demands, **settings
    )  # fmt: skip


def prove(trained: Trained, frame: pl.DataFrame) -> Predictor:
    model = compile_pipeline(trained.pipeline)
    parity = measure_parity(
        trained.pipeline, model, frame.head(60), hostile=build_hostile_rows(trained.pipeline, frame, seed=0),
        predict_native=trained.predict_native, predict_second=lambda rows: predict_reference(trained.pipeline, rows),
    )  # fmt: skip
    assert parity.is_equal, parity
    return Predictor(model)


def test_rows_of_more_weight_are_answered_better() -> None:
    chance = np.random.default_rng(0)
    x = chance.normal(size=600)
    is_heavy = chance.random(600) < 0.5
    y = np.where(is_heavy, 10.0, 0.0) + chance.normal(0, 0.1, 600)  # the column tells nothing about which kind a row is
    frame = pl.DataFrame({"x": x})
    trained = fit(frame, y, RENT, Demands(weights=np.where(is_heavy, 9.0, 1.0)), budget_s=1.0)
    assert abs(trained.oof.mean() - 9.0) < 0.5
    prove(trained, frame)


def test_answers_rise_along_a_column_that_may_only_raise_them() -> None:
    chance = np.random.default_rng(1)
    income, other = chance.normal(size=500), chance.normal(size=500)
    y = (income + np.sin(4 * income) + other + chance.normal(0, 1, 500) > 0).astype(float)  # it falls now and then
    frame = pl.DataFrame({"income": income, "other": other})
    trained = fit(frame, y, LATE, Demands(monotone=(("income", 1),)))
    predictor = prove(trained, frame)
    for fixed in (-1.0, 0.0, 1.0):
        grid = pl.DataFrame({"income": np.linspace(-4, 4, 400), "other": np.full(400, fixed)})
        found = predictor.predict_columns(grid).probabilities[:, 1]
        assert np.diff(found).min() >= -1e-12
        assert found[-1] > found[0]


def test_a_quantile_has_its_share_of_rows_under_it() -> None:
    chance = np.random.default_rng(2)
    x = chance.uniform(1, 3, 900)
    y = np.exp(x + chance.normal(0, 0.5, 900))
    frame = pl.DataFrame({"x": x})
    trained = fit(frame, y, RENT, Demands(quantile=0.9))
    assert 0.85 < np.mean(y <= trained.oof) < 0.95
    assert {score.metric for score in trained.candidates} == {"pinball_loss"}
    assert any("asked: 90%" in note for note in trained.notes)
    prove(trained, frame)


def test_counts_grow_with_their_exposure() -> None:
    chance = np.random.default_rng(3)
    years = chance.uniform(0.1, 2.0, 800)
    age = chance.uniform(18, 80, 800)
    y = chance.poisson(years * np.exp(0.5 - 0.02 * age)).astype(float)
    frame = pl.DataFrame({"age": age, "years": years})
    trained = fit(frame, y, RENT, Demands(exposure=years, exposure_column="years"))
    assert abs(trained.oof.sum() / y.sum() - 1) < 0.1
    predictor = prove(trained, frame)
    twice = predictor.predict_columns(pl.DataFrame({"age": [40.0, 40.0, 40.0], "years": [1.0, 2.0, None]})).values
    assert twice[1] == pytest.approx(2 * twice[0])
    assert twice[2] == pytest.approx(twice[0], rel=1e-12)
    assert {column.name for column in predictor.signature.inputs} == {"age", "years"}


def test_directions_that_cannot_be_kept_are_refused() -> None:
    columns = infer_inputs(pl.DataFrame({"city": ["a", "b"], "age": [1, 2]}))
    for asked, task in (
        ({"city": "up"}, RENT),
        ({"gone": "up"}, RENT),
        ({"age": "up"}, Task(kind="multiclass", target="t")),
        ({"age": "up"}, Task(kind="regression", target="rent", quantile=0.9)),
    ):
        with pytest.raises(SkiffError, match="direction"):
            settle_directions(asked, columns, task)  # type: ignore[arg-type]  # the words are literals
