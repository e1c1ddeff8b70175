"""How many of the answers that Skiff doubts are really wrong: known and planted wrong answers on real tables.

Each table is trained as ``skiff train`` would, once as it is and once with 1, 3 and 10 of 100 answers made wrong: a class becomes
another one at random; a number is ten times too large, ten times too small, or another row's. Printed are how many rows are
named, how many of them are wrong (with a Wilson interval), how many of the wrong ones are among them, whether Skiff warns or only
mentions, and how much less a quick model errs once the list is corrected.

    python benchmarks/label_errors.py ../shared/data            # about five minutes on two cores
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from skiff.core.measurement import Measurement
from skiff.core.progress import Silent
from skiff.data.checks.fixing import list_fixes, measure_fixing
from skiff.deploy.featurizer import featurize
from skiff.flows.prepare import Prepared, Question, prepare
from skiff.flows.read import read_table
from skiff.train.fit import train_pipeline

RATES = (0.0, 0.01, 0.03, 0.1)


@dataclass(frozen=True)
class Source:
    """A table whose answers are taken for right, but for those listed as wrong."""

    name: str
    file: str
    target: str
    rows: int = 15_000
    truth: str = ""


SOURCES = (
    Source(
        "mushrooms (6 % known wrong)",
        "labelerrors/mushrooms_flipped_labels.csv.gz",
        "edible",
        truth="labelerrors/mushrooms_flipped_labels_flipped.csv",
    ),
    Source("text messages: spam", "text/sms_spam.csv.gz", "label"),
    Source("telephone: churn", "classification/telco_churn.csv.gz", "Churn"),
    Source("census: income", "classification/adult_census.csv.gz", "income", rows=10_000),
    Source("bank: deposit", "leakage/bank_marketing.csv.gz", "deposit", rows=10_000),
    Source("storms: nine kinds", "classification/storms.csv.gz", "status", rows=10_000),
    Source("diamonds: price", "regression/diamonds.csv.gz", "price"),
    Source("districts: house value", "regression/california_housing.csv.gz", "median_house_value", rows=10_000),
)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (E. B. Wilson 1927, JASA 22(158), doi:10.1080/01621459.1927.10502953)."""
    z2 = 1.959964**2
    middle = (hits + z2 / 2) / (n + z2)
    half = (z2 * (hits * (n - hits) / n + z2 / 4)) ** 0.5 / (n + z2)
    return middle - half, middle + half


def load(source: Source, folder: Path) -> tuple[Prepared, NDArray[np.bool_]]:
    """Return the prepared table and which of its rows are known to be wrong."""
    frame = read_table(folder / source.file, keep_words=(source.target,)).frame
    is_wrong = np.zeros(frame.height, dtype=np.bool_)
    if source.truth:
        known = pl.read_csv(folder / source.truth)["row_id"]
        is_wrong = frame["row_id"].is_in(known.implode()).to_numpy().copy()
    if frame.height > source.rows:
        chosen = np.sort(np.random.default_rng(0).choice(frame.height, source.rows, replace=False))
        frame, is_wrong = frame[chosen], is_wrong[chosen]
    return prepare(read_table(frame), Question(target=source.target)), is_wrong


def plant(prepared: Prepared, rate: float) -> tuple[Prepared, NDArray[np.bool_]]:
    """Make a share of the training answers wrong; return the table and which rows were touched."""
    rng = np.random.default_rng([1, int(1_000 * rate)])
    y, train = prepared.y.copy(), prepared.split.train
    rows = rng.choice(train, round(rate * len(train)), replace=False)
    if prepared.task.kind == "regression":
        kind = rng.integers(0, 3, len(rows))
        y[rows] = np.select([kind == 0, kind == 1], [10 * y[rows], y[rows] / 10], y[rng.choice(train, len(rows))])
        answers = pl.Series(y)
    else:
        n_classes = len(prepared.task.classes)
        y[rows] = (y[rows] + rng.integers(1, n_classes, len(rows))) % n_classes
        answers = pl.Series([prepared.task.classes[int(code)] if np.isfinite(code) else None for code in y])
    touched = np.zeros(len(y), dtype=np.bool_)
    touched[rows] = y[rows] != prepared.y[rows]
    return replace(prepared, y=y, frame=prepared.frame.with_columns(answers.alias(prepared.task.target))), touched


def answer(prepared: Prepared, budget_s: float) -> NDArray[np.float64]:
    """Train and return the out-of-fold answers."""
    split = prepared.split
    trained = train_pipeline(
        prepared.frame[split.train],
        prepared.y[split.train],
        prepared.task,
        prepared.inputs,
        folds=split.folds,
        featurize=featurize,
        budget_s=budget_s,
        seed=0,
        threads=2,
        now=time.monotonic,
        should_stop=lambda: False,
        groups=None,
        is_time_ordered=split.kind == "time",
        progress=Silent(),
    )
    return trained.oof


def judge(prepared: Prepared, is_wrong: NDArray[np.bool_], budget_s: float) -> str:
    """Return one cell row: named, wrong among them, found, verdict, saved."""
    rows = prepared.split.train
    n_wrong = int(is_wrong[rows].sum())
    fixes = list_fixes(prepared.y[rows], answer(prepared, budget_s), rows=rows, task=prepared.task)
    if fixes is None:
        return f"{n_wrong:,} | 0 | | {'0 %' if n_wrong else ''} | nothing said | |"
    n_named, n_right = len(fixes.rows), int(is_wrong[fixes.rows].sum())
    low, high = wilson(n_right, n_named)
    top = float(is_wrong[fixes.rows[:20]].mean())
    saved = measure_fixing(prepared.frame, prepared.task, prepared.inputs, fixes, rows=rows).get("loss_saved")
    told = f"{100 * saved.low:.0f} to {100 * saved.high:.0f} %" if isinstance(saved, Measurement) else ""
    precision = f"**{n_right / n_named:.2f}** ({low:.2f} to {high:.2f}), top 20: {top:.2f}" if n_wrong else "0"
    found = f"{100 * n_right / n_wrong:.0f} %" if n_wrong else ""
    return f"{n_wrong:,} | {n_named:,} | {precision} | {found} | {'warns' if fixes.is_sure else 'mentions'} | {told} |"


def main() -> int:
    """Run all tables and print one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the tables")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of training each")
    parser.add_argument("--only", default="", help="only tables whose name contains this")
    options = parser.parse_args()
    print("| table | planted | wrong | named | of these wrong | found | Skiff | errs less once corrected (95 %) |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for source in SOURCES:
        if options.only not in source.name:
            continue
        if not (options.folder / source.file).exists():
            print(f"{source.file} is not there: skipped.", file=sys.stderr)
            continue
        prepared, known = load(source, options.folder)
        for rate in RATES[:1] if source.truth else RATES:
            spoilt, touched = plant(prepared, rate)
            print(f"| {source.name} | {100 * rate:g} % | {judge(spoilt, touched | known, options.budget)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
