from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.flows.windows import prepare_window

CLAIMS = Task(kind="regression", target="claims", exposure="years", weight="survey", quantile=None)


def build_rows(n: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 80, n)
    return pl.DataFrame({"age": age, "years": rng.uniform(0.1, 2, n), "claims": rng.poisson(age / 40)})


def test_what_was_asked_of_the_first_training_is_asked_of_a_challenger() -> None:
    recent = build_rows(100, 1).with_columns(
        pl.when(pl.col("age") > 70).then(None).otherwise(pl.col("years")).alias("years")
    )
    found = prepare_window(
        build_rows(200, 0), recent, CLAIMS, window="all", n_sealed=40, monotone={"age": "up"}
    ).demands
    assert found.monotone == (("age", 1),)
    assert found.exposure_column == "years"
    assert found.exposure is not None
    assert found.exposure.min() > 0  # a row that came without one counts for 1
    assert found.weights is None  # no later row has one


def test_a_challenger_to_a_quantile_predicts_that_quantile() -> None:
    task = Task(kind="regression", target="claims", quantile=0.9)
    assert (
        prepare_window(build_rows(200, 0), build_rows(100, 1), task, window="all", n_sealed=40).demands.quantile == 0.9
    )
