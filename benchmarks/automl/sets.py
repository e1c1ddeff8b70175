"""The tables of the contest, and how each is parted into rows to learn from and rows to judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.data.splits import Split, propose_split
from skiff.data.task import encode_target, infer_task

HOME = Path(__file__).parents[3] / "shared" / "data"
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
    "bank": Set("leakage/bank_marketing.csv.gz", "deposit", drop=("duration",)),
    "credit": Set("classification/credit_scoring_missing.csv.gz", "Status"),
    "telco": Set("classification/telco_churn.csv.gz", "Churn", drop=("customerID",)),
    "ames": Set("regression/ames_housing.csv.gz", "Sale_Price"),
    "insurance": Set("regression/medical_insurance.csv", "charges"),
    "lending": Set("classification/lending_club.csv.gz", "Class"),
    "mammography": Set("classification/mammography_imbalanced.csv.gz", "class"),
    "storms": Set("classification/storms.csv.gz", "status", group="name", drop=("category",)),
    "electricity": Set("drift/elec2_nsw.csv.gz", "price_up", time="timestamp"),
    "bike": Set("drift/bike_sharing_hour.csv.gz", "cnt", time="dteday", drop=("casual", "registered")),
    "california": Set("regression/california_housing.csv.gz", "median_house_value"),
    "cars": Set("regression/car_msrp.csv.gz", "MSRP"),
    "wages": Set("regression/cps1988_wages.csv.gz", "wage"),
    "diamonds": Set("regression/diamonds.csv.gz", "price"),
    "sms": Set("text/sms_spam.csv.gz", "label"),
    "alexa": Set("text/alexa_reviews.csv.gz", "feedback", drop=("rating",)),
}


@dataclass(frozen=True)
class Parted:
    """One set, read and split; `y` are class codes or values."""

    frame: pl.DataFrame
    y: np.ndarray
    task: Task
    split: Split
    excluded: frozenset[str]


def read_set(name: str, home: Path, *, seed: int) -> Parted:
    """Return a set parted by the rule that Skiff itself proposes for it; every tool gets the same rows."""
    one = SETS[name]
    frame = pl.read_csv(home / one.path, null_values=MISSING, try_parse_dates=True, infer_schema_length=None)
    task, _ = infer_task(frame, one.target, time=one.time, group=one.group)
    y, _ = encode_target(frame, task)
    split, _ = propose_split(frame, task, seed=seed)
    excluded = frozenset({one.target, *one.drop, *([one.group] if one.group else [])})
    return Parted(frame=frame, y=y, task=task, split=split, excluded=excluded)
