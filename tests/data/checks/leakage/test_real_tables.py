"""The court on real tables: every documented leak named, nothing blocked where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.core.finding import Finding
from skiff.core.task import TaskKind
from skiff.data.checks.leakage import find_leakage
from skiff.data.kinds import infer_inputs
from skiff.data.task import infer_task

pytestmark = [pytest.mark.real, pytest.mark.slow]


def judge(path: Path, target: str, kind: TaskKind) -> list[Finding]:
    frame = pl.read_csv(path, infer_schema_length=None, try_parse_dates=True, null_values=["", "NA", " "])
    task = replace(infer_task(frame, target)[0], time=None, group=None)
    assert task.kind == kind
    order = np.random.default_rng(0).permutation(frame.height)
    cut = frame.height // 5
    return find_leakage(
        frame, task, infer_inputs(frame, exclude={target}), rows=np.sort(order[cut:]), test_rows=np.sort(order[:cut])
    )


def named(found: list[Finding], severity: str) -> set[str]:
    return {name for finding in found if finding.severity == severity for name in finding.columns}


@pytest.mark.parametrize(
    ("file", "target", "kind", "blocked"),
    [
        ("leakage/titanic_full.csv", "survived", "binary", {"boat", "body"}),
        ("text/alexa_reviews.csv.gz", "feedback", "binary", {"rating"}),
        ("drift/bike_sharing_hour.csv.gz", "cnt", "regression", {"casual", "registered"}),
        ("classification/storms.csv.gz", "status", "multiclass", {"category"}),
    ],
)
def test_documented_leaks_are_blocked_and_nothing_else(
    shared_data: Path, file: str, target: str, kind: TaskKind, blocked: set[str]
) -> None:
    assert named(judge(shared_data / file, target, kind), "block") == blocked


@pytest.mark.parametrize(
    ("file", "target", "kind", "asked"),
    [
        ("leakage/bank_marketing.csv.gz", "deposit", "binary", {"duration"}),
        ("classification/storms.csv.gz", "status", "multiclass", {"wind"}),
        ("classification/telco_churn.csv.gz", "Churn", "binary", {"customerID"}),
        ("leakage/titanic_full.csv", "survived", "binary", {"name", "ticket"}),
        ("abtest/cookie_cats.csv.gz", "retention_7", "binary", {"userid"}),
    ],
)
def test_what_cannot_be_proven_is_asked_about(
    shared_data: Path, file: str, target: str, kind: TaskKind, asked: set[str]
) -> None:
    assert asked <= named(judge(shared_data / file, target, kind), "warn")


@pytest.mark.parametrize(
    ("file", "target", "kind"),
    [
        ("classification/adult_census.csv.gz", "income", "binary"),
        ("classification/credit_scoring_missing.csv.gz", "Status", "binary"),
        ("classification/lending_club.csv.gz", "Class", "binary"),
        ("classification/mammography_imbalanced.csv.gz", "class", "binary"),
        ("classification/telco_churn.csv.gz", "Churn", "binary"),
        ("drift/elec2_nsw.csv.gz", "price_up", "binary"),
        ("labelerrors/mushrooms_flipped_labels.csv.gz", "edible", "binary"),
        ("text/sms_spam.csv.gz", "label", "binary"),
        ("regression/ames_housing.csv.gz", "Sale_Price", "regression"),
        ("regression/california_housing.csv.gz", "median_house_value", "regression"),
        ("regression/car_msrp.csv.gz", "MSRP", "regression"),
        ("regression/cps1988_wages.csv.gz", "wage", "regression"),
        ("regression/diamonds.csv.gz", "price", "regression"),
        ("regression/medical_insurance.csv", "charges", "regression"),
    ],
)
def test_nothing_is_blocked_where_nothing_leaks(shared_data: Path, file: str, target: str, kind: TaskKind) -> None:
    assert named(judge(shared_data / file, target, kind), "block") == set()


def test_costs_of_a_bird_strike_are_asked_about() -> None:
    path = Path(__file__).parents[4] / "examples" / "birdstrikes.csv"
    found = judge(path, "Effect Amount of damage", "multiclass")
    assert {"Cost Repair", "Cost Total $"} <= named(found, "warn") | named(found, "block")
