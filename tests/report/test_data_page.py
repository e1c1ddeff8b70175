"""The data report: one file, nothing loaded, nothing of the client's rows on it, small however wide the table."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from tests.report.stories import HOSTILE, LONG

from skiff.core.finding import Finding
from skiff.data.associations import find_associations
from skiff.data.contract.learn import learn_contract
from skiff.data.contract.say import list_sentences
from skiff.data.coverage import measure_representation
from skiff.data.facts import gather_facts
from skiff.data.gaps import find_gaps
from skiff.data.profile import profile_table
from skiff.data.provenance import list_answers
from skiff.report.data_page import MAX_COLUMNS, render_data_report
from skiff.report.data_story import DataStory
from skiff.report.note import describe_table


def build_story(table: pl.DataFrame, findings: tuple[Finding, ...] = ()) -> DataStory:
    facts = gather_facts(table)
    contract = learn_contract(table, name="t", now_s=1.8e9, facts=facts)
    return DataStory(
        name="stays.csv",
        sha256="ab" * 32,
        created="2026-03-02T09:30:00Z",
        skiff_version="0.1.0",
        profile=profile_table(table, facts=facts),
        gaps=find_gaps(facts, table.height),
        associations=find_associations(facts),
        findings=findings,
        sentences=list_sentences(contract.rules),
        provenance=list_answers({}),
    )


def build_table(n_rows: int = 200) -> pl.DataFrame:
    random = np.random.default_rng(0)
    nights = random.poisson(3, n_rows)
    return pl.DataFrame(
        {
            "name": [f"Guest {number} Secretsson" for number in range(n_rows)],
            "nights": nights,
            "price": nights * 80.0 + random.normal(0, 9, n_rows),
            "city": random.choice(["Rome", "Oslo"], n_rows),
            "note": [None if number % 3 else f"written by hand, number {number}" for number in range(n_rows)],
        }
    )


class Balance(HTMLParser):
    """Counts tags that are opened and never closed, and everything that would load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "path", "rect"}:
            self.open.append(tag)
        self.loads += [
            f"{tag} {name}" for name, value in attrs if name in {"src", "href"} and not str(value).startswith("#")
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"path", "rect"}:
            return
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = render_data_report(build_story(build_table()))
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert parser.loads == []
    assert "<script" not in page
    assert page.count("not answered") >= 5


def test_no_cell_of_the_data_is_on_it() -> None:
    page = render_data_report(build_story(build_table()))
    assert "Secretsson" not in page
    assert "written by hand" not in page
    assert "Rome" in page  # a level that many rows share


@pytest.mark.parametrize("name", [HOSTILE, LONG, "שם", "a\x1b[31m", "”quoted“", ""])
def test_names_of_columns_drive_nothing(name: str) -> None:
    table = build_table().rename({"nights": name})
    finding = Finding(code="quality.missing", severity="warn", columns=(name,), rows=3, what=f"'{name}' has gaps.")
    page = render_data_report(replace(build_story(table, (finding,)), name=name or "x", target=name))
    assert "<script" not in page
    assert "\x1b" not in page


def test_a_wide_table_stays_small_and_shows_what_matters() -> None:
    random = np.random.default_rng(0)
    table = pl.DataFrame({f"column_{number}": random.normal(0, 1, 80) for number in range(2_000)})
    finding = Finding(
        code="quality.outliers", severity="warn", columns=("column_1999",), rows=1, what="'column_1999' is odd."
    )
    page = render_data_report(build_story(table, (finding,)))
    assert len(page) < 1_000_000
    assert page.count("<article") == MAX_COLUMNS
    assert page.count("column_1999") >= 2


def test_the_population_stands_beside_the_rows() -> None:
    table = build_table()
    found, _ = measure_representation(table, {"city": {"Rome": 0.9, "Oslo": 0.1}})
    page = render_data_report(replace(build_story(table), representation=found))
    assert "not as in the population" in page
    assert "Kish 1965" in page


def test_an_empty_column_and_one_row_are_no_trouble() -> None:
    render_data_report(build_story(pl.DataFrame({"a": [None], "b": [1]}, schema={"a": pl.String, "b": pl.Int64})))


@pytest.mark.parametrize(
    ("severities", "words"),
    [
        ([], "Nothing was found"),
        (["info"], "Nothing was found"),
        (["warn"], "One thing to look at."),
        (["block", "block", "warn"], "2 things to stop for and one to look at."),
    ],
)
def test_the_first_sentence_counts(severities: list[str], words: str) -> None:
    made = [Finding(code="a.b", severity=severity) for severity in severities]  # type: ignore[arg-type]  # literals
    assert describe_table(made).startswith(words)


def test_it_is_the_same_each_time() -> None:
    assert render_data_report(build_story(build_table())) == render_data_report(build_story(build_table()))
    ids = re.findall(r'\bid="([^"]+)"', render_data_report(build_story(build_table())))
    assert len(ids) == len(set(ids))
