"""All checks together: sorted, quiet on a clean table, and respectful of what the user keeps."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from skiff.core.finding import Finding, sort_findings
from skiff.core.task import Task
from skiff.data.checks import check_table, columns_left_out
from skiff.data.checks.coverage import find_small_groups
from skiff.data.checks.privacy import find_direct_identifiers
from skiff.data.facts import gather_facts
from skiff.data.kinds import infer_inputs
from skiff.data.splits import propose_split

RNG = np.random.default_rng(0)
TASK = Task(kind="binary", target="paid", classes=("no", "yes"), positive="yes")


def _clean(n_rows: int = 600) -> pl.DataFrame:
    price = RNG.normal(50, 9, n_rows)
    return pl.DataFrame(
        {
            "price": price,
            "city": RNG.choice(["Rome", "Oslo", "Lima"], n_rows),
            "paid": np.where(RNG.random(n_rows) < 1 / (1 + np.exp((price - 50) / 9)), "yes", "no"),
        }
    )


def _check(table: pl.DataFrame, keep: tuple[str, ...] = ()) -> list[Finding]:
    split, _ = propose_split(table, TASK, seed=0)
    return check_table(table, TASK, inputs=infer_inputs(table, exclude={"paid"}), split=split, keep=keep)


def test_a_clean_table_is_met_with_silence() -> None:
    assert _check(_clean()) == []


def test_findings_come_worst_first_and_left_out_columns_are_named() -> None:
    table = _clean().with_columns(
        currency=pl.lit("EUR"),
        town=pl.col("city").replace({"Rome": "R", "Oslo": "O", "Lima": "L"}),
        contact=pl.format("guest{}@example.org", pl.int_range(pl.len())),
    )
    found = _check(table)
    assert found == sort_findings(found)
    left_out = columns_left_out(found)
    assert left_out["currency"] == "quality.constant"
    assert left_out["town"] == "quality.duplicate_columns"
    assert left_out["contact"] in {"privacy.direct_identifier", "leakage.identifier"}
    assert "privacy.direct_identifier" in {finding.code for finding in found}
    assert "price" not in left_out
    assert "city" not in left_out


def test_what_the_user_keeps_is_not_left_out() -> None:
    table = _clean().with_columns(currency=pl.lit("EUR"))
    found = _check(table, keep=("currency",))
    assert columns_left_out(found) == {}
    assert [finding.action for finding in found if finding.code == "quality.constant"] == ["kept"]


def test_the_target_copy_is_left_to_the_leak_court() -> None:
    table = _clean().with_columns(settled=pl.col("paid").replace({"yes": "1", "no": "0"}))
    codes = {finding.code.partition(".")[0] for finding in _check(table) if "settled" in finding.columns}
    assert codes == {"leakage"}


def test_without_a_task_only_the_table_is_judged() -> None:
    table = _clean().with_columns(gap=pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.lit(1.5)))
    found = check_table(table, None, inputs=infer_inputs(table))
    assert {finding.code for finding in found} == {"quality.missing"}


def test_an_empty_table_is_no_fault() -> None:
    assert check_table(_clean().head(0), None, inputs=()) == []


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("contact", [f"guest{row}@example.org" for row in range(40)]),
        ("mobile", [f"+39 347 {row:07d}" for row in range(40)]),
        ("last_name", [f"Rossi{row}" for row in range(40)]),
        ("name", [f"Rossi{row}, Mrs. Ada" for row in range(40)]),
    ],
)
def test_direct_identifiers_are_found(name: str, cells: list[str]) -> None:
    found = find_direct_identifiers(gather_facts(pl.DataFrame({name: cells})))
    assert [finding.columns for finding in found] == [(name,)]
    assert all(cell not in finding.what for finding in found for cell in cells)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("name", [f"Pizza {row}" for row in range(40)]),
        ("storm_name", ["Amy", "Bob"] * 20),
        ("order", [f"{row:08d}" for row in range(40)]),
        ("product_name", [f"Chair {row}, Oak" for row in range(40)]),
    ],
)
def test_names_of_things_are_not_persons(name: str, cells: list[str]) -> None:
    assert find_direct_identifiers(gather_facts(pl.DataFrame({name: cells}))) == []


def test_small_groups_warn_only_for_protected_columns() -> None:
    table = pl.DataFrame({"sex": ["f"] * 980 + ["m"] * 12 + ["x"] * 8, "shop": ["Rome"] * 990 + ["Oslo"] * 10})
    found = find_small_groups(gather_facts(table), among=["sex", "shop"], protected=["sex"])
    assert [(finding.severity, finding.columns) for finding in found] == [("warn", ("sex",)), ("info", ("shop",))]
    assert found[0].evidence == {"m": 12, "x": 8}
