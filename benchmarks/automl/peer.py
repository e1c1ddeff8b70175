"""Train a peer on the same rows, in the peer's own environment: pandas and the peer, nothing of ours.

    <environment>/bin/python peer.py FOLDER TOOL BUDGET SEED

FOLDER holds train.parquet, test.parquet and task.json; answer.npy and facts.json are written beside them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import shutil
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

CORES = 2
TARGET = "__target__"


def main(folder: Path, tool: str, *, budget_s: float, seed: int) -> None:
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    fit = {"autogluon": fit_autogluon, "autogluon_good": fit_autogluon, "flaml": fit_flaml}[tool]
    begin = time.perf_counter()
    answer, artifact = fit(train, task, folder, tool, budget_s=budget_s, seed=seed)
    seconds = time.perf_counter() - begin
    begin = time.perf_counter()
    values = answer(test)
    rows_per_s = len(test) / (time.perf_counter() - begin)
    n_single = 20
    begin = time.perf_counter()
    for place in range(n_single):
        answer(test.iloc[place : place + 1])
    one_row_ms = 1e3 * (time.perf_counter() - begin) / n_single
    np.save(folder / "answer.npy", values)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    facts = {
        "fit_s": seconds,
        "one_row_ms": one_row_ms,
        "rows_per_s": rows_per_s,
        "artifact_mb": measure_folder(artifact),
        "peak_rss_mb": max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children) / 1024,
    }
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    shutil.rmtree(artifact, ignore_errors=True)


def measure_folder(path: Path) -> float:
    if path.is_file():
        return path.stat().st_size / 1e6
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


def fit_autogluon(train: pd.DataFrame, task: dict, folder: Path, tool: str, *, budget_s: float, seed: int):  # noqa: ANN201, ARG001  it takes no seed
    from autogluon.tabular import TabularPredictor

    kind = task["kind"]
    path = folder / "autogluon"
    predictor = TabularPredictor(
        label=TARGET,
        problem_type=kind,
        eval_metric={"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[kind],
        path=str(path),
        verbosity=0,
    )
    preset = "good_quality" if tool.endswith("good") else "medium_quality"
    predictor.fit(train, presets=preset, time_limit=budget_s, num_cpus=CORES, num_gpus=0)

    def answer(rows: pd.DataFrame) -> np.ndarray:
        if kind == "regression":
            return predictor.predict(rows).to_numpy()
        return spread(predictor.predict_proba(rows).to_numpy(), list(predictor.class_labels), task)

    return answer, path


def fit_flaml(train: pd.DataFrame, task: dict, folder: Path, tool: str, *, budget_s: float, seed: int):  # noqa: ANN201, ARG001  it has no presets
    import pickle  # the peer's way to keep a model

    from flaml import AutoML

    kind = task["kind"]
    automl = AutoML()
    settings = {
        "time_budget": budget_s,
        "metric": {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[kind],
        "task": "regression" if kind == "regression" else "classification",
        "n_jobs": CORES,
        "seed": seed,
        "verbose": 0,
    }
    automl.fit(prepare(train.drop(columns=TARGET)), train[TARGET], **settings)
    path = folder / "flaml.bin"
    path.write_bytes(pickle.dumps(automl))

    def answer(rows: pd.DataFrame) -> np.ndarray:
        table = prepare(rows)
        if kind == "regression":
            return np.asarray(automl.predict(table))
        return spread(automl.predict_proba(table), list(automl.classes_), task)

    return answer, path


def prepare(table: pd.DataFrame) -> pd.DataFrame:
    """FLAML takes numbers and categories: text columns become categories, dates days."""
    made = table.copy()
    for name in made.columns:
        first = made[name].first_valid_index()
        if made[name].dtype == object and first is not None and isinstance(made[name][first], dt.date):
            made[name] = pd.to_datetime(made[name])  # plain dates come as objects
        if made[name].dtype == object or str(made[name].dtype) in {"string", "str"}:
            made[name] = made[name].astype("category")
        elif str(made[name].dtype) == "bool":
            made[name] = made[name].astype(int)
        elif "datetime" in str(made[name].dtype):
            made[name] = (made[name] - pd.Timestamp(0)) / pd.Timedelta(
                days=1
            )  # FLAML fails to copy its own settings for dates
    return made


def spread(values: np.ndarray, known: list, task: dict) -> np.ndarray:
    full = np.zeros((len(values), task["n_classes"]))
    full[:, [int(code) for code in known]] = values
    return full


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    os.environ["OMP_NUM_THREADS"] = str(CORES)
    main(Path(sys.argv[1]), sys.argv[2], budget_s=float(sys.argv[3]), seed=int(sys.argv[4]))
