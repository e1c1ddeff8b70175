"""Columns that say nothing, say it twice, or mostly say nothing."""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.data.checks.duplicates import find_duplicate_rows
from skiff.data.checks.quality import find_constant, find_duplicate_columns, find_missing, find_near_constant
from skiff.data.facts import gather_facts

RNG = np.random.default_rng(0)


def test_gaps_are_one_warning_and_one_line() -> None:
    table = pl.DataFrame(
        {
            "full": range(100),
            "half": [None] * 60 + [1] * 40,
            "most": [None] * 90 + ["x"] * 10,
            "few": [None] * 3 + [1.0] * 97,
            "blank": [""] * 5 + ["y"] * 95,
        }
    )
    mostly, partly = find_missing(gather_facts(table))
    assert (mostly.severity, mostly.columns, mostly.evidence["most"]) == ("warn", ("most", "half"), 0.9)
    assert (partly.severity, partly.columns, partly.rows) == ("info", ("blank", "few"), 5)
    assert partly.sample_rows == (1, 2, 3, 4, 5)


def test_constant_and_empty_columns_are_left_out_and_a_lone_value_with_gaps_is_not() -> None:
    table = pl.DataFrame(
        {
            "same": [1.0] * 20,
            "empty": [None] * 20,
            "word": ["x"] * 20,
            "flag": ["x"] * 5 + [None] * 15,
            "day": [True] * 20,
        }
    )
    found = find_constant(gather_facts(table))
    assert {finding.columns[0] for finding in found} == {"same", "empty", "word", "day"}
    assert {finding.action for finding in found} == {"left_out"}


def test_nearly_constant_columns_are_one_line_and_kept() -> None:
    table = pl.DataFrame({"a": [0] * 995 + [1] * 5, "b": ["x"] * 991 + ["y"] * 9, "c": [0] * 900 + [1] * 100})
    (finding,) = find_near_constant(gather_facts(table))
    assert (finding.columns, finding.action) == (("a", "b"), "kept")


def test_the_same_content_and_the_same_grouping_are_duplicates() -> None:
    code = RNG.integers(0, 6, 300)
    price = RNG.normal(size=300).round(4)
    table = pl.DataFrame(
        {
            "level": [f"level {value}" for value in code],
            "level_no": code * 7 - 3,
            "price": price,
            "price_again": price,
            "other": RNG.permutation(code),
            "noise": RNG.normal(size=300),
        }
    )
    found = find_duplicate_columns(gather_facts(table))
    assert {(finding.columns[0], finding.evidence["same_as"]) for finding in found} == {
        ("level_no", "level"),
        ("price_again", "price"),
    }


def test_identifiers_and_rare_flags_are_not_duplicates_of_each_other() -> None:
    flag = np.arange(300) < 4
    table = pl.DataFrame(
        {"id": range(300), "code": [f"c{299 - row}" for row in range(300)], "a": flag, "b": flag.astype(int)}
    )
    assert find_duplicate_columns(gather_facts(table)) == []


def test_the_duplicate_that_the_user_keeps_stays() -> None:
    code = RNG.integers(0, 6, 300)
    table = pl.DataFrame({"a": code, "b": code})
    (finding,) = find_duplicate_columns(gather_facts(table), keep=["b"])
    assert (finding.columns, finding.action) == (("a",), "left_out")
    (both,) = find_duplicate_columns(gather_facts(table), keep=["a", "b"])
    assert both.action == "kept"


def test_repeated_rows_are_counted_after_the_first() -> None:
    table = pl.DataFrame({"x": np.append(RNG.normal(size=200), [0.5, 0.5, 0.5]), "y": range(203)}).with_columns(
        y=pl.when(pl.col("x") == 0.5).then(0).otherwise("y")
    )
    (finding,) = find_duplicate_rows(table, gather_facts(table))
    assert (finding.rows, finding.sample_rows) == (2, (202, 203))


def test_a_table_of_few_values_repeats_itself_naturally() -> None:
    table = pl.DataFrame({"a": RNG.integers(0, 3, 500), "b": RNG.integers(0, 3, 500)})
    (finding,) = find_duplicate_rows(table, gather_facts(table))
    assert (finding.severity, finding.question) == ("info", "")
    assert "natural" in finding.what


def test_columns_that_name_the_same_thing_differently_are_said_to_do_so() -> None:
    given, true = ["poison", "edible"] * 40, ["p", "e"] * 40
    table = pl.DataFrame({"true": true, "given": given, "again": true})
    said = {finding.columns: finding.what for finding in find_duplicate_columns(gather_facts(table))}
    assert said["given",].endswith(
        "in other words: each value of one always stands beside the same value of the other."
    )
    assert said["again",] == "'again' says the same as 'true' in every row."
