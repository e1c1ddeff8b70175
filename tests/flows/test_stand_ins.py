"""A word that stood for "no value" in the training table is no value later either, however the rows come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.core.sheet import Sheet
from skiff.flows.predict import predict_file
from skiff.flows.run import run
from skiff.flows.standing import Standing, open_standing
from skiff.flows.wishes import Wishes
from skiff.store.champion import ReleaseShelf


def build_rows(n_rows: int = 500) -> pl.DataFrame:
    random = np.random.default_rng(3)
    job = random.choice(["cook", "clerk", "nurse", "?"], n_rows, p=[0.4, 0.3, 0.2, 0.1])
    age = random.integers(18, 70, n_rows)
    age[random.random(n_rows) < 0.06] = -999
    risk = 0.15 + 0.5 * (job == "cook") + 0.25 * (job == "?") + 0.2 * (age < 0)
    return pl.DataFrame({"job": job, "age": age, "left": np.where(random.random(n_rows) < risk, "yes", "no")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("client") / "staff.csv"
    build_rows().write_csv(source)
    made = source.parent / "staff"
    run(source, Wishes(target="left", budget_s=3.0), folder=made)
    return made


@pytest.fixture(scope="module")
def standing(folder: Path) -> Standing:
    return open_standing(ReleaseShelf(folder / ".skiff"), 1, keep="all")


def test_the_release_knows_the_words(standing: Standing) -> None:
    known = {column.name: column.missing_words for column in standing.inputs}
    assert known == {"job": ("?",), "age": ("-999",)}
    assert not any("?" in column.levels for column in standing.inputs)


def test_a_file_is_answered_as_if_the_cells_were_empty(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "next.csv").write_text("job,age\n?,30\ncook,-999\n ? ,41\n")
    (tmp_path / "empty.csv").write_text("job,age\n,30\ncook,\n,41\n")
    stood, empty = (predict_file(folder, tmp_path / name, is_logged=False) for name in ("next.csv", "empty.csv"))
    assert stood.frame["skiff_probability"].to_list() == empty.frame["skiff_probability"].to_list()
    assert {finding.code for finding in stood.findings} == {"schema.new_missing"}


@pytest.mark.parametrize("is_sheet", [False, True])
def test_rows_are_cleared_for_the_contract_and_the_log(standing: Standing, *, is_sheet: bool) -> None:
    rows = [{"job": " ?", "age": -999}, {"job": "cook", "age": 41}]
    given = Sheet(("job", "age"), ((" ?", "cook"), (-999, 41))) if is_sheet else rows
    assert list(standing.clear_rows(given)) == [{"job": None, "age": None}, {"job": "cook", "age": 41}]
    clean = [{"job": "cook", "age": 41}]
    assert standing.clear_rows(clean)[0] is clean[0]


def test_every_way_into_the_graph_takes_them_alike(standing: Standing) -> None:
    predictor = standing.runtime.predictor
    row, empty = {"job": "?", "age": -999}, {"job": None, "age": None}
    one = predictor.predict_row(row).probabilities
    assert one == predictor.predict_row(empty).probabilities
    table = predictor.predict_columns(pl.DataFrame([row, row]))
    assert table.probabilities[0, 1] == predictor.predict_columns({"job": [None], "age": [None]}).probabilities[0, 1]
