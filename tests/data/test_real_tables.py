"""What is said about real tables: the right task, the honest split, few and true findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMClassifier

from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.checks.coverage import find_small_groups
from skiff.data.checks.duplicates import find_duplicate_rows
from skiff.data.checks.labels import rank_label_doubts
from skiff.data.checks.levels import find_inconsistent_categories, find_mixed_types
from skiff.data.checks.privacy import find_direct_identifiers
from skiff.data.checks.quality import find_constant, find_duplicate_columns
from skiff.data.checks.values import find_strange_values
from skiff.data.facts import gather_facts
from skiff.data.rows import code_rows
from skiff.data.splits import propose_split
from skiff.data.task import detect_time_and_group, encode_target, infer_task

pytestmark = pytest.mark.real

TABLES = [
    ("classification/adult_census.csv.gz", "income", "binary", ">50K", None),
    ("classification/credit_scoring_missing.csv.gz", "Status", "binary", "bad", None),
    ("classification/lending_club.csv.gz", "Class", "binary", "bad", None),
    ("classification/mammography_imbalanced.csv.gz", "class", "binary", "1", None),
    ("classification/storms.csv.gz", "status", "multiclass", None, "year"),
    ("classification/telco_churn.csv.gz", "Churn", "binary", "Yes", None),
    ("drift/bike_sharing_hour.csv.gz", "cnt", "regression", None, "dteday"),
    ("drift/elec2_nsw.csv.gz", "price_up", "binary", "1", "timestamp"),
    ("leakage/bank_marketing.csv.gz", "deposit", "binary", "yes", None),
    ("leakage/titanic_full.csv", "survived", "binary", "1", None),
    ("regression/ames_housing.csv.gz", "Sale_Price", "regression", None, "Year_Sold"),
    ("regression/california_housing.csv.gz", "median_house_value", "regression", None, None),
    ("regression/car_msrp.csv.gz", "MSRP", "regression", None, None),
    ("regression/cps1988_wages.csv.gz", "wage", "regression", None, None),
    ("regression/diamonds.csv.gz", "price", "regression", None, None),
    ("regression/medical_insurance.csv", "charges", "regression", None, None),
    ("text/sms_spam.csv.gz", "label", "binary", "spam", None),
    ("abtest/open_bandit_random_men.csv.gz", "click", "binary", "1", "timestamp"),
]


def _read(folder: Path, name: str) -> pl.DataFrame:
    """Read a tidy table with types, as the reading room would."""
    table = pl.read_csv(folder / name, infer_schema_length=3_000, null_values=[""], try_parse_dates=True)
    zoned = [column for column, dtype in table.schema.items() if dtype == pl.Datetime]
    return table.with_columns(pl.col(zoned).dt.replace_time_zone(None)) if zoned else table


@pytest.mark.parametrize(("name", "target", "kind", "positive", "time"), TABLES)
def test_the_task_and_the_split_are_what_an_expert_would_choose(  # noqa: PLR0917  pytest names them
    shared_data: Path, name: str, target: str, kind: str, positive: str | None, time: str | None
) -> None:
    table = _read(shared_data, name)
    task, _ = infer_task(table, target)
    found_time, group, _ = detect_time_and_group(table, task)
    assert (task.kind, task.positive, found_time, group) == (kind, positive, time, None)
    split, _ = propose_split(table, replace(task, time=found_time), seed=0)
    assert split.kind == ("time" if time else "random" if kind == "regression" else "stratified")
    assert 0.17 <= len(split.test) / (len(split.train) + len(split.test)) <= 0.23
    codes = code_rows(table)
    assert len(np.intersect1d(codes[split.train], codes[split.test])) == 0
    if kind == "binary":
        y, _ = encode_target(table, task)
        rate = y[split.train].mean()
        assert time or abs(y[split.test].mean() - rate) < 0.1 * rate


def _check(table: pl.DataFrame) -> list[Finding]:
    facts = gather_facts(table)
    return [
        *find_constant(facts),
        *find_duplicate_columns(facts),
        *find_strange_values(facts),
        *find_inconsistent_categories(facts),
        *find_mixed_types(facts),
        *find_direct_identifiers(facts),
        *find_duplicate_rows(table, facts),
        *find_small_groups(facts, among=table.columns),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("classification/credit_scoring_missing.csv.gz", set()),
        ("classification/lending_club.csv.gz", set()),
        ("classification/storms.csv.gz", set()),
        ("drift/bike_sharing_hour.csv.gz", set()),
        ("drift/elec2_nsw.csv.gz", set()),
        ("regression/california_housing.csv.gz", set()),
        ("regression/medical_insurance.csv", set()),
        ("segments/mall_customers.csv", set()),
        ("segments/wholesale_customers.csv", set()),
        ("classification/adult_census.csv.gz", {("quality.placeholder_missing", "capital_gain")}),
        ("abtest/cookie_cats.csv.gz", {("quality.outliers", "sum_game_rounds")}),
        (
            "leakage/bank_marketing.csv.gz",
            {("quality.placeholder_missing", "pdays"), ("quality.outliers", "previous")},
        ),
        (
            "regression/diamonds.csv.gz",
            {("quality.impossible_values", axis) for axis in "xyz"}
            | {("quality.outliers", "y"), ("quality.outliers", "z")},
        ),
    ],
)
def test_warnings_are_few_and_true(shared_data: Path, name: str, expected: set[tuple[str, str]]) -> None:
    found = _check(_read(shared_data, name))
    assert {
        (finding.code, column) for finding in found if finding.severity == "warn" for column in finding.columns
    } == expected


def test_documented_facts_are_found(shared_data: Path) -> None:
    adult = _check(_read(shared_data, "classification/adult_census.csv.gz"))
    assert ("education_num",) in [finding.columns for finding in adult if finding.code == "quality.duplicate_columns"]
    wages = _check(_read(shared_data, "regression/cps1988_wages.csv.gz"))
    assert {finding.code: finding.rows for finding in wages} == {
        "quality.impossible_values": 438,
        "quality.duplicate_rows": 2128,
    }
    mushrooms = _check(_read(shared_data, "labelerrors/mushrooms_flipped_labels.csv.gz"))
    assert ("veil_type",) in [finding.columns for finding in mushrooms if finding.action == "left_out"]
    titanic = _check(_read(shared_data, "leakage/titanic_full.csv"))
    assert ("name",) in [finding.columns for finding in titanic if finding.code == "privacy.direct_identifier"]


@pytest.mark.slow
def test_flipped_labels_are_found_with_three_quarters_precision_at_k(shared_data: Path) -> None:
    table = _read(shared_data, "labelerrors/mushrooms_flipped_labels.csv.gz")
    flipped = _read(shared_data, "labelerrors/mushrooms_flipped_labels_flipped.csv")["row_id"]
    is_flipped = table["row_id"].is_in(flipped.implode()).to_numpy()
    task, _ = infer_task(table, "edible")
    y, _ = encode_target(table, task)
    doubts = rank_label_doubts(y, _cross_fit(table.drop("row_id", "edible"), y, task))
    k = int(is_flipped.sum())
    assert is_flipped[doubts.places[:k]].sum() / k >= 0.75
    assert is_flipped[doubts.places].mean() >= 0.75


def _cross_fit(
    table: pl.DataFrame, y: np.ndarray[tuple[int], np.dtype[np.float64]], task: Task
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    X = table.select(pl.all().rank("dense").cast(pl.Float64)).fill_null(0.0).to_numpy()
    fold = np.random.default_rng(0).permutation(len(y)) % 3
    prob = np.zeros((len(y), len(task.classes)))
    for number in range(3):
        model = LGBMClassifier(n_estimators=40, num_leaves=15, n_jobs=1, verbose=-1, random_state=0)
        model.fit(X[fold != number], y[fold != number])
        prob[fold == number, 1] = model.booster_.predict(X[fold == number])
    prob[:, 0] = 1.0 - prob[:, 1]
    return prob
