"""A later table is compared with what the model takes."""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.data.checks.schema import find_schema_changes
from skiff.data.kinds import infer_inputs

AGREED = infer_inputs(
    pl.DataFrame({"price": np.linspace(0, 100, 50), "city": ["Rome", "Oslo"] * 25, "paid": [True, False] * 25})
)


def _codes(table: pl.DataFrame) -> dict[str, str]:
    return {finding.code: finding.severity for finding in find_schema_changes(table, AGREED)}


def test_the_same_table_has_no_findings() -> None:
    assert _codes(pl.DataFrame({"price": [5.0], "city": ["Rome"], "paid": [1]})) == {}


def test_missing_and_extra_columns_are_told_apart() -> None:
    assert _codes(pl.DataFrame({"price": [5.0], "paid": [True], "town": ["Rome"]})) == {
        "schema.missing_column": "block",
        "schema.extra_column": "info",
    }


def test_another_kind_blocks() -> None:
    assert _codes(pl.DataFrame({"price": ["5", "x"], "city": ["Rome"] * 2, "paid": [True] * 2})) == {
        "schema.kind_changed": "block"
    }


def test_new_levels_far_values_and_new_gaps_are_told_with_their_rows() -> None:
    table = pl.DataFrame({"price": [5.0, 900.0], "city": ["Rome", "Lima"], "paid": [True, None]})
    found = {finding.code: finding.sample_rows for finding in find_schema_changes(table, AGREED)}
    assert found == {"schema.new_levels": (2,), "schema.out_of_range": (2,), "schema.new_missing": (2,)}


def test_known_columns_pass_without_a_word() -> None:
    table = pl.DataFrame({"price": [5.0], "city": ["Rome"], "paid": [True], "cancelled": ["no"]})
    assert find_schema_changes(table, AGREED, known=["cancelled"]) == []
