"""Train Skiff on one set and write what it answers to the sealed rows: run as a process of its own, so memory is its own."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from sets import SETS, read_set

from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.predictor import Predictor
from skiff.train.fit import train_pipeline


def main(folder: Path, name: str, home: Path, *, budget_s: float, seed: int) -> None:
    parted = read_set(name, home, seed=seed)
    frame, split = parted.frame, parted.split
    inputs = infer_inputs(frame, exclude=set(parted.excluded))
    train, test = frame[split.train], frame[split.test]
    begin = time.perf_counter()
    trained = train_pipeline(
        train, parted.y[split.train], parted.task, inputs, folds=split.folds, featurize=featurize, now=time.monotonic,
        budget_s=budget_s, seed=seed, groups=group_codes(train, SETS[name].group), is_time_ordered=split.kind == "time",
    )  # fmt: skip
    model = compile_pipeline(trained.pipeline)
    seconds = time.perf_counter() - begin
    predictor = Predictor(model)
    rows = test.head(200).to_dicts()
    predictor.predict_row(rows[0])
    begin = time.perf_counter()
    for row in rows:
        predictor.predict_row(row)
    one_row_s = (time.perf_counter() - begin) / len(rows)
    begin = time.perf_counter()
    found = predictor.predict_columns(test)
    rows_per_s = test.height / (time.perf_counter() - begin)
    np.save(folder / "answer.npy", found.values if parted.task.kind == "regression" else found.probabilities)
    facts = {
        "fit_s": seconds,
        "one_row_ms": 1e3 * one_row_s,
        "rows_per_s": rows_per_s,
        "artifact_mb": len(model) / 1e6,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tried": len(trained.candidates),
        "promise": None if trained.promise is None else [trained.promise.low, trained.promise.high],
        "members": [f"{member.name} {member.weight:.2f}" for member in trained.pipeline.members],
    }
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def group_codes(frame: pl.DataFrame, group: str | None) -> np.ndarray | None:
    if group is None:
        return None
    return frame[group].cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), budget_s=float(sys.argv[4]), seed=int(sys.argv[5]))
