"""Which column names something that comes back; which only repeats."""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.data.entities import find_group, measure_kinship
from skiff.data.facts import gather_facts

TASK = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")


def _visits(*, is_alike: bool, n_patients: int = 300, seed: int = 0) -> pl.DataFrame:
    """Return visits of patients: with attributes and habits of their own, or with none."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(0, n_patients, 4 * n_patients)
    owner = patient if is_alike else rng.integers(0, n_patients, len(patient))
    sex, town, habit = rng.integers(0, 2, n_patients), rng.integers(0, 40, n_patients), rng.random(n_patients)
    return pl.DataFrame(
        {
            "patient_id": patient + 10_000,
            "sex": np.array(["f", "m"])[sex[owner]],
            "town": [f"town {code}" for code in town[owner]],
            "weight": rng.normal(70, 10, len(patient)),
            "paid": np.where(rng.random(len(patient)) < np.where(habit[owner] > 0.5, 0.9, 0.1), "yes", "no"),
        }
    )


def test_patients_who_come_back_are_a_group() -> None:
    group, findings = find_group(_visits(is_alike=True), TASK)
    assert group == "patient_id"
    assert findings[0].code == "task.group"
    assert findings[0].severity == "info"


def test_numbers_drawn_at_random_are_no_group_whatever_their_header() -> None:
    assert find_group(_visits(is_alike=False), TASK) == (None, [])


def test_a_unique_identifier_is_no_group() -> None:
    table = _visits(is_alike=True).with_columns(patient_id=pl.int_range(pl.len()))
    assert find_group(table, TASK)[0] is None


def test_an_entity_with_few_values_is_a_category() -> None:
    table = _visits(is_alike=True, n_patients=40)
    assert measure_kinship(table, TASK, gather_facts(table)["patient_id"]) is None


def test_a_measured_whole_number_is_no_group() -> None:
    rng = np.random.default_rng(1)
    age = rng.integers(18, 90, 2_000)
    table = pl.DataFrame({"age": age, "decade": age // 10, "paid": np.where(age > 50, "yes", "no")})
    assert find_group(table, TASK) == (None, [])


def test_names_that_come_back_are_asked_about_and_not_proposed() -> None:
    table = _visits(is_alike=True)
    names = {
        code: f"{'BCDFGHJKLM'[code % 10]}{'aeiou'[code % 5]}{chr(97 + code // 26 % 26)}{chr(97 + code % 26)}o"
        for code in range(300)
    }
    table = table.with_columns(ship=(pl.col("patient_id") - 10_000).replace_strict(names, return_dtype=pl.String)).drop(
        "patient_id"
    )
    group, findings = find_group(table, TASK)
    assert group is None
    assert [(finding.severity, finding.columns, finding.action) for finding in findings] == [
        ("warn", ("ship",), "asked")
    ]


def test_free_text_that_repeats_is_no_entity() -> None:
    rng = np.random.default_rng(2)
    text = rng.integers(0, 300, 900)
    table = pl.DataFrame(
        {
            "note": [f"the guest wrote note number {code} today" for code in text],
            "paid": np.where(text > 150, "yes", "no"),
        }
    )
    assert find_group(table, TASK) == (None, [])
