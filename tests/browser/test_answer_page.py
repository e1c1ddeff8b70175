"""The page that runs the model: the same answers as Python, in a real browser, from a plain folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from tests.browser.test_report import CHROMIUM, FLAGS
from tests.deploy.fitted import fit_lightgbm

from skiff.core.task import Task
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.manifest import build_manifest
from skiff.deploy.predictor import Predictor
from skiff.report.answers import render_answer_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not on this machine"),
]
ROWS = 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield opened
        opened.close()


def _publish(kind: str, folder: Path) -> tuple[Predictor, pl.DataFrame]:
    fitted = fit_lightgbm(kind)
    model = compile_pipeline(fitted.pipeline)
    predictor = Predictor(model)
    classes = predictor.classes
    task = Task(kind=kind, target="outcome", classes=classes, positive=classes[1] if kind == "binary" else None)  # type: ignore[arg-type]
    manifest = build_manifest(
        task=task, signature=predictor.signature, threshold=predictor.threshold, left_out={}, members=[],
        dataset_sha256="0" * 64, metrics={}, verdicts=[], parity={}, versions={},
    )  # fmt: skip
    page = render_answer_page(manifest | {"number": 3}, model, title="Bookings: outcome")
    (folder / "index.html").write_text(page, encoding="utf-8")
    return predictor, fitted.frame.head(ROWS)


def _open(browser: Browser, folder: Path) -> tuple[Page, list[str]]:
    page = browser.new_context(viewport={"width": 1100, "height": 1000}, offline=True).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else said.append(request.url),
    )
    page.goto((folder / "index.html").as_uri())
    page.locator("#status.good").wait_for(timeout=60_000)
    return page, said


def _write_rows(frame: pl.DataFrame, path: Path) -> None:
    text = frame.with_columns(pl.col("arrival").dt.strftime("%Y-%m-%dT%H:%M:%S"))
    text.write_csv(path, null_value="", float_precision=17)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_table_gets_the_answers_that_python_gives(browser: Browser, tmp_path: Path, kind: str) -> None:
    predictor, rows = _publish(kind, tmp_path)
    _write_rows(rows, tmp_path / "rows.csv")
    page, said = _open(browser, tmp_path)
    page.set_input_files("#file", str(tmp_path / "rows.csv"))
    page.get_by_text("rows answered").wait_for(timeout=60_000)
    answers: list[dict[str, Any]] = page.evaluate("window.skiffAnswers")
    expected = predictor.predict_columns(rows)
    assert len(answers) == ROWS
    if kind == "regression":
        assert np.allclose([made["value"] for made in answers], expected.values, atol=1e-5, rtol=1e-9)
    else:
        found = np.array([made["probabilities"] for made in answers])
        assert np.abs(found - expected.probabilities).max() < 1e-9
        assert [made["label"] for made in answers] == expected.labels.tolist()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save all answers as a table").click()
    saved.value.save_as(tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == ROWS
    assert set(rows.columns) < set(written[0])
    assert said == []
    page.context.close()


def test_a_form_answers_one_case_and_says_what_is_odd(browser: Browser, tmp_path: Path) -> None:
    predictor, rows = _publish("binary", tmp_path)
    page, said = _open(browser, tmp_path)
    first = rows.row(0, named=True)
    page.get_by_label("nights").fill("" if first["nights"] is None else str(first["nights"]))
    page.get_by_label("value").fill("ten")
    page.get_by_role("button", name="Ask the model").click()
    assert "value must be a number" in page.locator("#notes").inner_text()
    page.get_by_label("value").fill("1e9")
    page.get_by_role("button", name="Ask the model").click()
    page.locator("#answer", has_text="of 100").wait_for()
    assert (
        "outside what the model has seen" in page.locator("#notes").inner_text()
        or predictor.signature.inputs[1].low is None
    )
    made = page.evaluate("window.skiffAnswer")
    expected = predictor.predict_row({"nights": first["nights"], "value": 1e9, "city": "", "arrival": None})
    assert expected.probabilities is not None
    assert abs(made["probabilities"][1] - list(expected.probabilities.values())[1]) < 1e-9
    assert said == []
    page.context.close()


def test_an_empty_form_is_told_before_it_is_answered(browser: Browser, tmp_path: Path) -> None:
    _publish("binary", tmp_path)
    page, said = _open(browser, tmp_path)
    page.get_by_role("button", name="Ask the model").click()
    page.locator("#answer", has_text="of 100").wait_for()
    assert "Nothing is filled in" in page.locator("#empty").inner_text()
    page.get_by_label("nights").fill("3")
    page.get_by_role("button", name="Ask the model").click()
    page.locator("#empty", has_text="3 of 4 fields are empty").wait_for()
    assert page.evaluate(
        "document.getElementById('empty').compareDocumentPosition(document.getElementById('answer')) & 4"
    )
    assert said == []
    page.context.close()


def test_a_file_without_a_column_is_refused_by_name(browser: Browser, tmp_path: Path) -> None:
    _, rows = _publish("binary", tmp_path)
    _write_rows(
        rows.drop("city").with_columns(city=pl.lit(None)).select("nights", "value", "arrival"), tmp_path / "rows.csv"
    )
    page, said = _open(browser, tmp_path)
    page.set_input_files("#file", str(tmp_path / "rows.csv"))
    page.get_by_text("The file lacks: city").wait_for(timeout=20_000)
    assert said == []
    page.context.close()


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    _publish("binary", tmp_path)
    first = (tmp_path / "index.html").read_bytes()
    _publish("binary", tmp_path)
    assert (tmp_path / "index.html").read_bytes() == first
