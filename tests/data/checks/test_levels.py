"""One thing written in several ways, and numbers that became words."""

from __future__ import annotations

import polars as pl
import pytest

from skiff.core.finding import Finding
from skiff.data.checks.levels import find_inconsistent_categories, find_mixed_types
from skiff.data.facts import gather_facts


def _spellings(cells: list[str]) -> list[Finding]:
    return find_inconsistent_categories(gather_facts(pl.DataFrame({"city": cells})))


@pytest.mark.parametrize("variant", ["rome", "ROME", " Rome", "Rome ", "Róme", "Rome."])
def test_spellings_that_differ_by_little_are_found(variant: str) -> None:
    (finding,) = _spellings(["Rome"] * 30 + ["Oslo"] * 20 + [variant] * 6)
    assert (finding.rows, finding.evidence["spellings"]) == (6, ("Rome", variant))


def test_a_rare_spelling_is_counted_and_not_quoted() -> None:
    (finding,) = _spellings(["Rome"] * 30 + ["Oslo"] * 20 + ["ROMe"] * 2)
    assert finding.rows == 2
    assert "spellings" not in finding.evidence
    assert "ROMe" not in finding.what


@pytest.mark.parametrize("pair", [("<=50K", ">50K"), ("A+", "A-"), ("1.5", "15"), ("+", "-"), ("C", "C++")])
def test_signs_that_mean_something_are_not_spellings(pair: tuple[str, str]) -> None:
    assert _spellings([pair[0]] * 30 + [pair[1]] * 30) == []


def test_names_of_persons_are_their_own_business() -> None:
    assert _spellings([f"Name {row}" for row in range(50)] + ["name 1"]) == []


def test_a_few_words_among_numbers_are_found_with_their_rows() -> None:
    cells = [str(price) for price in range(100)]
    cells[4] = "ask"
    (finding,) = find_mixed_types(gather_facts(pl.DataFrame({"price": cells})))
    assert (finding.rows, finding.sample_rows) == (1, (5,))
    assert "ask" not in finding.what


def test_codes_with_leading_zeros_and_plain_words_are_not_mixed() -> None:
    table = pl.DataFrame({"zip": [f"{code:05d}" for code in range(99)] + ["n/a"], "city": ["Rome", "99"] * 50})
    assert find_mixed_types(gather_facts(table)) == []
