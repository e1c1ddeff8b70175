"""Pipelines around models that real libraries fitted, with the libraries' own answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from skiff.core.pipeline import (
    Calibration,
    CategoryEncoder,
    DateEncoder,
    Encoder,
    FeatureMatrix,
    Link,
    Member,
    NumberEncoder,
    Pipeline,
    Trees,
)
from skiff.core.signature import InputColumn
from skiff.deploy.featurizer import featurize
from skiff.train.export import trees_from_forest, trees_from_lightgbm

Float = NDArray[np.float64]

CITIES = tuple(f"city {number:03d}" for number in range(300))
INPUTS = (
    InputColumn(name="nights", kind="number"),
    InputColumn(name="value", kind="number"),
    InputColumn(name="city", kind="category"),
    InputColumn(name="arrival", kind="date"),
)
ENCODERS: tuple[Encoder, ...] = (
    *(
        NumberEncoder(column=name, impute=0.0, is_log=True, low=-5.0, high=5.0, mean=0.0, scale=1.0, has_indicator=True)
        for name in ("nights", "value")
    ),
    CategoryEncoder(column="city", levels=CITIES, n_hot=20),
    DateEncoder(
        column="arrival",
        parts=("year", "month", "elapsed_days"),
        origin_s=1_600_000_000,
        mean=np.array([2022.0, 6.0, 400.0]),
        scale=np.array([1.0, 3.0, 300.0]),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A pipeline, rows for it, and what the fitted library says of features."""

    pipeline: Pipeline
    frame: pl.DataFrame
    predict_native: Callable[[FeatureMatrix], Float]


def build_bookings(n_rows: int, *, seed: int) -> pl.DataFrame:
    """Return bookings with missing cells, cents up to a million, and 300 cities."""
    random = np.random.default_rng(seed)
    begin = dt.datetime(2021, 1, 1)
    return pl.DataFrame(
        {
            "nights": pl.Series(random.integers(1, 30, n_rows)).cast(pl.Float64),
            "value": np.where(random.random(n_rows) < 0.1, np.nan, random.lognormal(8, 2, n_rows).round(2)),
            "city": [None if place > 310 else f"city {place:03d}" for place in random.integers(0, 320, n_rows)],
            "arrival": [
                None if hours > 17_000 else begin + dt.timedelta(hours=int(hours))
                for hours in random.integers(0, 17_500, n_rows)
            ],
        }
    )


def _draw_target(features: FeatureMatrix, kind: str, *, seed: int) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    score = np.log1p(np.nan_to_num(features.tree[:, 1])) - 0.2 * features.tree[:, 0] + features.tree[:, 5] % 3
    score = score + random.normal(size=len(score))
    if kind == "regression":
        return score
    bounds = [np.median(score)] if kind == "binary" else np.quantile(score, [0.3, 0.7])
    return np.searchsorted(np.asarray(bounds), score)


def fit_lightgbm(kind: str, *, seed: int = 0, n_trees: int = 40) -> Fitted:
    """Fit LightGBM with native categories on 1,500 bookings."""
    frame = build_bookings(1_500, seed=seed)
    features = featurize(INPUTS, ENCODERS, frame)
    y = _draw_target(features, kind, seed=seed)
    objective = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[kind]
    settings: dict[str, Any] = {
        "objective": objective,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
        "min_data_in_leaf": 5,
    }
    if kind == "multiclass":
        settings["num_class"] = 3
    data = lgb.Dataset(features.tree, y, categorical_feature=list(features.categorical))
    booster = lgb.train(settings, data, num_boost_round=n_trees)
    link: Link = {"binary": "logistic", "multiclass": "softmax", "regression": "identity"}[kind]  # type: ignore[assignment]  # one of the links

    def predict_native(rows: FeatureMatrix) -> Float:
        found = np.asarray(booster.predict(rows.tree), dtype=np.float64)
        return np.stack([1 - found, found], axis=1) if kind == "binary" else found

    return Fitted(pipeline=_wrap(kind, trees_from_lightgbm(booster), link), frame=frame, predict_native=predict_native)


def fit_extra_trees(kind: str, *, seed: int = 0) -> Fitted:
    """Fit ExtraTrees on 800 bookings, missing values and all."""
    frame = build_bookings(800, seed=seed)
    features = featurize(INPUTS, ENCODERS, frame)
    y = _draw_target(features, kind, seed=seed)
    maker = ExtraTreesRegressor if kind == "regression" else ExtraTreesClassifier
    forest = maker(n_estimators=10, min_samples_leaf=3, random_state=seed).fit(features.tree, y)
    link: Link = "identity" if kind == "regression" else "normalise"

    def predict_native(rows: FeatureMatrix) -> Float:
        with np.errstate(over="ignore"):  # scikit-learn refuses what float32 cannot hold; a tree reads it as endless
            narrow = rows.tree.astype(np.float32)
        shares = [
            (one.tree_.predict(narrow) if kind != "regression" else one.tree_.predict(narrow)[:, None])
            for one in forest.estimators_
        ]
        mean: Float = np.mean(shares, axis=0).reshape(len(narrow), -1)
        return mean[:, 0] if kind == "regression" else mean

    return Fitted(pipeline=_wrap(kind, trees_from_forest(forest), link), frame=frame, predict_native=predict_native)


def _wrap(kind: str, trees: Trees, link: Link) -> Pipeline:
    return Pipeline(
        kind=kind,  # type: ignore[arg-type]  # one of the kinds
        inputs=INPUTS,
        encoders=ENCODERS,
        members=(Member(name="trees", view="tree", part=trees, link=link, weight=1.0),),
        calibration=Calibration(kind="none"),
        classes={"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[kind],
        threshold=0.4,
    )
