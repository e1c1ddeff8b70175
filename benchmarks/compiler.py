"""Latency, throughput and parity of compiled graphs against the scikit-learn pipelines they replace, in one run.

    python benchmarks/compiler.py [--rows 10000]

Made-up bookings with 17 columns (numbers, categories, dates, missing cells). Each model is fitted twice with the same
settings: as a scikit-learn pipeline on a pandas frame, and as a Skiff pipeline compiled to ONNX. They are two fits on two
encodings, so they are not compared with each other; parity is the graph against the library objects it was made from.
One thread each. Ratios are what counts: the machine is whatever it is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skiff.core.pipeline import Calibration, Encoder, FeatureMatrix, Member, Pipeline
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.parity import build_hostile_rows, measure_parity
from skiff.deploy.predictor import Predictor
from skiff.train.encoders import fit_encoders
from skiff.train.export import layers_from_linear, trees_from_forest, trees_from_lightgbm

Float = NDArray[np.float64]
TRAIN_ROWS = 8_000
BEGIN = dt.datetime(2021, 1, 1)  # noqa: DTZ001  frames hold naive UTC


@dataclass(frozen=True, kw_only=True)
class Contest:
    """One model in both forms."""

    name: str
    sklearn: Sequence[SklearnPipeline]
    pipeline: Pipeline
    predict_native: Callable[[FeatureMatrix], Float]


def build_bookings(n_rows: int, *, seed: int) -> pl.DataFrame:
    """Return 8 columns of numbers, 7 of categories and 2 of dates, with missing cells."""
    random = np.random.default_rng(seed)
    columns: dict[str, object] = {}
    for number in range(8):
        values = random.lognormal(3, 1, n_rows)
        columns[f"number {number}"] = np.where(random.random(n_rows) < 0.05, np.nan, values)
    for number in range(7):
        levels = 5 * (number + 1)
        columns[f"category {number}"] = [
            None if place == levels else f"level {place}" for place in random.integers(0, levels + 1, n_rows)
        ]
    for number in range(2):
        columns[f"date {number}"] = [
            BEGIN + dt.timedelta(hours=int(hours)) for hours in random.integers(0, 20_000, n_rows)
        ]
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def draw_answer(frame: pl.DataFrame, *, seed: int) -> NDArray[np.int64]:
    """Return 0 or 1: by two numbers, a category and a date, with noise."""
    score = frame["number 0"].fill_null(20).log().to_numpy() - frame["number 1"].fill_null(20).log().to_numpy()
    score = score + (frame["category 0"] == "level 1").fill_null(value=False).to_numpy()
    score = score + frame["date 0"].dt.month().to_numpy() / 6 + np.random.default_rng(seed).normal(size=frame.height)
    return np.asarray(score > np.median(score), dtype=np.int64)


def build_contests(frame: pl.DataFrame, y: NDArray[np.int64]) -> list[Contest]:
    """Fit every model in both forms."""
    inputs = infer_inputs(frame)
    task = Task(kind="binary", target="y", classes=("0", "1"), positive="1")
    encoders = fit_encoders(frame, inputs, y.astype(np.float64), task)
    features = featurize(inputs, encoders, frame)

    booster = lgb.LGBMClassifier(n_estimators=200, num_leaves=31, n_jobs=1, random_state=0, verbose=-1)
    booster.fit(features.tree, y, categorical_feature=list(features.categorical))
    forest = ExtraTreesClassifier(100, min_samples_leaf=5, n_jobs=1, random_state=0).fit(features.tree, y)
    line = LogisticRegression(max_iter=500).fit(features.linear, y)
    members = (
        Member(name="lightgbm", view="tree", part=trees_from_lightgbm(booster.booster_), link="logistic", weight=0.6),
        Member(name="extra trees", view="tree", part=trees_from_forest(forest), link="normalise", weight=0.2),
        Member(
            name="linear",
            view="linear",
            part=layers_from_linear(line.coef_.T, line.intercept_),
            link="logistic",
            weight=0.2,
        ),
    )

    def ask_booster(rows: FeatureMatrix) -> Float:
        positive = np.asarray(booster.booster_.predict(rows.tree), dtype=np.float64)
        return np.stack([1 - positive, positive], axis=1)

    def ask_line(rows: FeatureMatrix) -> Float:
        return np.asarray(line.predict_proba(rows.linear), dtype=np.float64)

    def ask_forest(rows: FeatureMatrix) -> Float:
        with np.errstate(over="ignore"):  # scikit-learn itself refuses what float32 cannot hold
            narrow = rows.tree.astype(np.float32)
        return np.asarray(np.mean([one.tree_.predict(narrow) for one in forest.estimators_], axis=0), dtype=np.float64)

    def ask_all(rows: FeatureMatrix) -> Float:
        return 0.6 * ask_booster(rows) + 0.2 * ask_forest(rows) + 0.2 * ask_line(rows)

    table = to_pandas(frame)
    twins = [
        SklearnPipeline(
            [
                ("encode", encode_for(frame, is_linear=False)),
                ("model", lgb.LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1)),
            ]
        ),
        SklearnPipeline(
            [
                ("encode", encode_for(frame, is_linear=False)),
                ("model", ExtraTreesClassifier(100, min_samples_leaf=5, n_jobs=1)),
            ]
        ),
        SklearnPipeline([("encode", encode_for(frame, is_linear=True)), ("model", LogisticRegression(max_iter=500))]),
    ]
    for twin in twins:
        twin.fit(table, y)
    return [
        Contest(
            name="lightgbm 200 x 31",
            sklearn=twins[:1],
            pipeline=wrap(inputs, encoders, members[:1]),
            predict_native=ask_booster,
        ),
        Contest(
            name="linear", sklearn=twins[2:], pipeline=wrap(inputs, encoders, members[2:]), predict_native=ask_line
        ),
        Contest(name="blend of three", sklearn=twins, pipeline=wrap(inputs, encoders, members), predict_native=ask_all),
    ]


def wrap(inputs: Sequence[InputColumn], encoders: Sequence[Encoder], members: Sequence[Member]) -> Pipeline:
    """Return members, their weights made to sum to 1, as a pipeline."""
    total = sum(member.weight for member in members)
    shares = [Member(name=m.name, view=m.view, part=m.part, link=m.link, weight=m.weight / total) for m in members]
    return Pipeline(
        kind="binary",
        inputs=tuple(inputs),
        encoders=tuple(encoders),
        members=tuple(shares),
        calibration=Calibration(kind="none"),
        classes=("0", "1"),
    )


def encode_for(frame: pl.DataFrame, *, is_linear: bool) -> ColumnTransformer:
    """Return the encoding a careful scikit-learn user would write."""
    numbers = [name for name in frame.columns if not name.startswith("category")]
    numbers += [f"{name} {part}" for name in frame.columns if name.startswith("date") for part in ("month", "weekday")]
    numbers = [name for name in numbers if not (name.startswith("date") and name[-1].isdigit())]
    categories = [name for name in frame.columns if name.startswith("category")]
    if is_linear:
        scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
        coded = make_pipeline(SimpleImputer(strategy="constant", fill_value=""), OneHotEncoder(handle_unknown="ignore"))
    else:
        scaled = "passthrough"
        coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer([("numbers", scaled, numbers), ("categories", coded, categories)], sparse_threshold=0.0)


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Return the frame as pandas with two calendar parts for each date, which the pipelines take."""
    dates = [name for name in frame.columns if name.startswith("date")]
    parts = [pl.col(name).dt.month().alias(f"{name} month") for name in dates]
    parts += [pl.col(name).dt.weekday().alias(f"{name} weekday") for name in dates]
    return frame.with_columns(parts).drop(dates).to_pandas()


def measure_us(call: Callable[[int], object], *, n_calls: int) -> float:
    """Return the median microseconds of a call, after a warm-up."""
    for number in range(min(n_calls, 20)):
        call(number)
    spent = []
    for number in range(n_calls):
        begin = time.perf_counter()
        call(number)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent) * 1e6


def judge(contest: Contest, test: pl.DataFrame) -> bool:
    """Print the line of one model and return whether graph and library agree."""
    model = compile_pipeline(contest.pipeline)
    predictor = Predictor(model)
    rows, table = test.head(200).to_dicts(), to_pandas(test)
    single = [table.iloc[[place]] for place in range(50)]

    def ask_twins(frame: pd.DataFrame) -> list[Float]:
        return [twin.predict_proba(frame) for twin in contest.sklearn]

    one_us = measure_us(lambda call: predictor.predict_row(rows[call % 200]), n_calls=2_000)
    twin_one_us = measure_us(lambda call: ask_twins(single[call % 50]), n_calls=50)
    many_us = measure_us(lambda _: predictor.predict_columns(test), n_calls=5)
    twin_many_us = measure_us(lambda _: ask_twins(table), n_calls=5)
    parity = measure_parity(
        contest.pipeline,
        model,
        test,
        hostile=build_hostile_rows(contest.pipeline, test, seed=0),
        predict_native=contest.predict_native,
    )
    print(
        f"{contest.name:<18} {one_us:>9.0f} {twin_one_us:>9.0f} {twin_one_us / one_us:>6.0f}x {many_us / 1e3:>9.0f} "
        f"{twin_many_us / 1e3:>9.0f} {twin_many_us / many_us:>6.1f}x {len(model) / 1e3:>6.0f} {parity.max_abs_diff:>9.1e}"
    )
    return parity.is_equal


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the large batch")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    train, test = build_bookings(TRAIN_ROWS, seed=0), build_bookings(chosen.rows, seed=1)
    print(
        f"{'model':<18} {'1 row us':>9} {'sklearn':>9} {'ratio':>7} {'batch ms':>9} {'sklearn':>9} {'ratio':>7} "
        f"{'KB':>6} {'parity':>9}"
    )
    agreed = [judge(contest, test) for contest in build_contests(train, draw_answer(train, seed=0))]
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
