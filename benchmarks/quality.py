"""Loss of a trained pipeline against LightGBM's defaults and plain linear models, same rows, same features, one run.

    python benchmarks/quality.py [--budget 60] [--seed 0] [--data ../shared/data] [set ...]

Prints one line for each set: losses on the sealed rows as ratios to LightGBM's defaults (below 1 is better), seconds, size of
the compiled file and peak memory so far. Sets that are not on this machine are skipped.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from skiff.core.pipeline import FeatureMatrix
from skiff.data.kinds import infer_inputs
from skiff.data.splits import propose_split
from skiff.data.task import encode_target, infer_task
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.train.aim import Aim, measure_loss, take_aim
from skiff.train.encoders import fit_encoders
from skiff.train.fit import train_pipeline

HOME = Path(__file__).parents[2] / "shared" / "data"
MISSING = ["", " ", "?", "NA"]


@dataclass(frozen=True)
class Set:
    """A table, what to predict, and what must be left out for an honest figure (leaks and identifiers)."""

    path: str
    target: str
    time: str | None = None
    group: str | None = None
    drop: tuple[str, ...] = ()


SETS = {
    "adult": Set("classification/adult_census.csv.gz", "income", drop=("source_split",)),
    "credit": Set("classification/credit_scoring_missing.csv.gz", "Status"),
    "lending": Set("classification/lending_club.csv.gz", "Class"),
    "mammography": Set("classification/mammography_imbalanced.csv.gz", "class"),
    "storms": Set("classification/storms.csv.gz", "status", group="name", drop=("category",)),
    "telco": Set("classification/telco_churn.csv.gz", "Churn", drop=("customerID",)),
    "bank": Set("leakage/bank_marketing.csv.gz", "deposit", drop=("duration",)),
    "electricity": Set("drift/elec2_nsw.csv.gz", "price_up", time="timestamp"),
    "sms": Set("text/sms_spam.csv.gz", "label"),
    "alexa": Set("text/alexa_reviews.csv.gz", "feedback", drop=("rating",)),
    "ames": Set("regression/ames_housing.csv.gz", "Sale_Price"),
    "california": Set("regression/california_housing.csv.gz", "median_house_value"),
    "cars": Set("regression/car_msrp.csv.gz", "MSRP"),
    "wages": Set("regression/cps1988_wages.csv.gz", "wage"),
    "diamonds": Set("regression/diamonds.csv.gz", "price"),
    "insurance": Set("regression/medical_insurance.csv", "charges"),
    "bike": Set("drift/bike_sharing_hour.csv.gz", "cnt", time="dteday", drop=("casual", "registered")),
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Quality against simple baselines.")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=HOME)
    parser.add_argument("--detail", action="store_true", help="list every candidate")
    parser.add_argument("sets", nargs="*", default=list(SETS))
    given = parser.parse_args(arguments)
    print(
        f"{'set':12} {'metric':8} {'skiff':>10} {'/lightgbm':>9} {'/linear':>8} {'1-auc/lgb':>9} {'oof':>10}"
        f" {'s':>6} {'MB':>6} {'peak MB':>7}  stopped, members"
    )
    ratios = []
    for name in given.sets:
        if not (given.data / SETS[name].path).exists():
            print(f"{name:12} skipped: {given.data / SETS[name].path} is not on this machine")
            continue
        ratios.append(measure_set(name, given.data, budget_s=given.budget, seed=given.seed, has_detail=given.detail))
    if ratios:
        print(f"geometric mean of losses against LightGBM's defaults: {np.exp(np.mean(np.log(ratios))):.3f}")


def measure_set(name: str, home: Path, *, budget_s: float, seed: int, has_detail: bool) -> float:
    one = SETS[name]
    frame = pl.read_csv(home / one.path, null_values=MISSING, try_parse_dates=True, infer_schema_length=None)
    task, _ = infer_task(frame, one.target, time=one.time, group=one.group)
    y, _ = encode_target(frame, task)
    split, _ = propose_split(frame, task, seed=seed)
    inputs = infer_inputs(frame, exclude={one.target, *one.drop, *([one.group] if one.group else [])})
    train, test = frame[split.train], frame[split.test]
    y_train, y_test = y[split.train], y[split.test]
    begin = time.perf_counter()
    trained = train_pipeline(
        train, y_train, task, inputs, folds=split.folds, featurize=featurize, now=time.monotonic, budget_s=budget_s,
        seed=seed, groups=group_codes(train, one.group), is_time_ordered=split.kind == "time",
    )  # fmt: skip
    seconds = time.perf_counter() - begin
    pipeline = trained.pipeline
    answer = trained.predict_native(featurize(pipeline.inputs, pipeline.encoders, test))
    aim = take_aim(y_train, task)
    loss = measure_loss(y_test, answer, aim)

    encoders = fit_encoders(train, inputs, y_train, task)
    fitting, held = featurize(inputs, encoders, train), featurize(inputs, encoders, test)
    boosted = answer_by_defaults(fitting, y_train, held, aim)
    plain = answer_by_linear(fitting, y_train, held, aim)
    auc_ratio = "-"
    if task.kind == "binary":
        auc_ratio = f"{(1 - roc_auc_score(y_test, answer[:, 1])) / (1 - roc_auc_score(y_test, boosted[:, 1])):.3f}"
    known = np.isfinite(trained.oof if trained.oof.ndim == 1 else trained.oof[:, 0])
    ratio = loss / measure_loss(y_test, boosted, aim)
    print(
        f"{name:12} {aim.metric:8} {loss:10.5g} {ratio:9.3f} {loss / measure_loss(y_test, plain, aim):8.3f} {auc_ratio:>9}"
        f" {measure_loss(y_train[known], trained.oof[known], aim):10.5g} {seconds:6.1f}"
        f" {len(compile_pipeline(pipeline)) / 1e6:6.2f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:7.0f}"
        f"  {trained.stopped}, {len(pipeline.members)}",
        flush=True,
    )
    for note in trained.notes:
        print(f"    {note}")
    if has_detail:
        for tried in trained.candidates:
            print(f"    {tried.name:32} {tried.loss:10.5g} {tried.seconds:6.2f} s  weight {tried.weight:.2f}")
    return float(ratio)


def group_codes(frame: pl.DataFrame, group: str | None) -> np.ndarray | None:
    return (
        None if group is None else frame[group].cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    )


def answer_by_defaults(fitting: FeatureMatrix, y: np.ndarray, held: FeatureMatrix, aim: Aim) -> np.ndarray:
    """LightGBM as it comes, on the tree view; the constant where there is none (text alone)."""
    if fitting.tree.shape[1] == 0:
        return np.repeat(
            np.bincount(y.astype(int), minlength=aim.n_classes)[None, :] / len(y), len(held.linear), axis=0
        )
    made = LGBMRegressor if aim.kind == "regression" else LGBMClassifier
    model = made(verbosity=-1, n_jobs=2, random_state=0)
    model.fit(fitting.tree, y, categorical_feature=list(fitting.categorical))
    if aim.kind == "regression":
        return np.asarray(model.predict(held.tree))
    return spread(model.predict_proba(held.tree), model.classes_, aim)


def answer_by_linear(fitting: FeatureMatrix, y: np.ndarray, held: FeatureMatrix, aim: Aim) -> np.ndarray:
    """Logistic or ridge regression as it comes, on the linear view."""
    if aim.kind == "regression":
        return np.asarray(Ridge().fit(fitting.linear, y).predict(held.linear))
    model = LogisticRegression(max_iter=500).fit(fitting.linear, y)
    return spread(model.predict_proba(held.linear), model.classes_, aim)


def spread(answer: np.ndarray, known: np.ndarray, aim: Aim) -> np.ndarray:
    full = np.zeros((len(answer), aim.n_classes))
    full[:, known.astype(int)] = answer
    return full


if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore")
    main(sys.argv[1:])
