"""What one half of a real table teaches holds in the other half: a contract that cries wolf is switched off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skiff.data.contract.check import find_broken_rules
from skiff.data.contract.learn import learn_contract
from skiff.flows.read import read_table

pytestmark = pytest.mark.real

TABLES = [
    "classification/adult_census.csv.gz",
    "classification/credit_scoring_missing.csv.gz",
    "classification/lending_club.csv.gz",
    "classification/storms.csv.gz",
    "classification/telco_churn.csv.gz",
    "leakage/titanic_full.csv",
    "regression/ames_housing.csv.gz",
    "regression/car_msrp.csv.gz",
    "regression/diamonds.csv.gz",
]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_warning_between_two_halves_of_one_table(shared_data: Path, name: str, seed: int) -> None:
    table = read_table(shared_data / name).frame
    table = table[np.random.default_rng(seed).permutation(table.height)]
    half = table.height // 2
    learned = learn_contract(table[:half], name=name, now_s=1.8e9)
    broken = find_broken_rules(table[half:], learned, now_s=1.8e9)
    assert [item.what for item in broken if item.severity != "info"] == []
