"""The report on paper: the same words as on screen, with nothing taken from the machine it was made on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.report.stories import STORIES

from skiff.report.glyphs import STANDS_FOR
from skiff.report.html import render_report
from skiff.report.leaves import PAPER_ROWS, read_blocks
from skiff.report.pdf import render_pdf


@pytest.mark.parametrize("name", sorted(STORIES))
def test_every_report_can_be_set_and_says_what_standard_it_keeps(name: str) -> None:
    made = render_pdf(render_report(STORIES[name]()))
    assert made.startswith(b"%PDF-1.7")
    assert len(made) < 1_500_000


def test_the_same_page_gives_the_same_bytes() -> None:
    page = render_report(STORIES["bookings"]())
    assert render_pdf(page) == render_pdf(page)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_paper_and_screen_say_the_same(tmp_path: Path) -> None:
    page = render_report(STORIES["bookings"]())
    (tmp_path / "report.pdf").write_bytes(render_pdf(page))
    told = subprocess.run(
        ["pdftotext", "-layout", "report.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    words = set(re.findall(r"[a-z_]{4,}", told))
    asked = {word for block in read_blocks(page) for word in re.findall(r"[a-z_]{4,}", str(block.get("runs", "")))}
    missing = {word for word in asked if word not in words} - {
        "runs",
        "text",
        "bold",
        "classes",
        "raised",
        "source",
        "code",
    }
    assert len(missing) <= 0.1 * len(asked), sorted(missing)[:20]  # a word broken at a line's end is none of these
    assert "Catches about 8 of 10 cancellations" in told


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts (poppler-utils) is not installed")
def test_every_font_is_inside_and_ours(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(render_pdf(render_report(STORIES["hostile"]())))
    listed = subprocess.run(["pdffonts", "report.pdf"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    fonts = listed.splitlines()[2:]
    assert fonts
    for line in fonts:
        assert re.search(r"SourceSans|SourceSerif|DejaVuSansMono|Libertinus", line), line
        assert re.search(r"\byes\s+(yes|no)\s+(yes|no)\s", line), line


def test_signs_without_a_picture_are_shown_as_boxes_and_that_is_said() -> None:
    page = "<html><title>日本</title><body><p>Sales in 東京</p></body></html>"
    assert render_pdf(page).startswith(b"%PDF")
    assert STANDS_FOR not in str(read_blocks(page))


def test_links_lead_to_places_that_exist() -> None:
    page = "<p>See <a href='#nowhere'>this</a> and <a href='#here'>that</a>.</p><h2 id='here'>Here</h2>"
    assert render_pdf(page).startswith(b"%PDF")


def test_a_page_is_read_in_order() -> None:
    kinds = [block["kind"] for block in read_blocks(render_report(STORIES["bookings"]()))]
    assert kinds[0] == "masthead"
    assert {"heading", "paragraph", "list", "table", "figure", "facts", "box", "row"} <= set(kinds)


def test_a_very_long_table_is_cut_on_paper_and_that_is_said() -> None:
    rows = "".join(f"<tr id='r{number}'><td>column {number}</td></tr>" for number in range(5_000))
    page = f"<p>See <a href='#r4999'>the last</a>.</p><table><tr><th>Column</th></tr>{rows}</table>"
    _, table, said = read_blocks(page)
    assert len(table["rows"]) == PAPER_ROWS
    assert said["runs"] == [{"text": "4,700 more rows of this table are on the page for the screen."}]
    assert render_pdf(page).startswith(b"%PDF")
