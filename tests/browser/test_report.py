"""The report in a real browser: light and dark, wide and narrow, on paper, by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from tests.report.stories import STORIES

from skiff.report.html import render_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not on this machine"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield opened
        opened.close()


def _open(
    browser: Browser, tmp_path: Path, name: str, *, width: int = 1100, scheme: Literal["light", "dark"] = "light"
) -> tuple[Page, list[str]]:
    path = tmp_path / f"{name}.html"
    path.write_text(render_report(STORIES[name]()), encoding="utf-8")
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else said.append(request.url))
    page.goto(path.as_uri())
    return page, said


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("name", sorted(STORIES))
def test_nothing_is_blocked_loaded_or_wider_than_the_window(
    browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    page, said = _open(browser, tmp_path, name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert said == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_and_its_charts_follow_the_scheme(
    browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    page, said = _open(browser, tmp_path, "bookings", scheme=scheme)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    label = page.evaluate("getComputedStyle(document.querySelector('#chart-importance text:last-of-type')).fill")
    assert paper == {"light": "rgb(251, 250, 246)", "dark": "rgb(19, 24, 29)"}[scheme]
    assert (
        label
        in {"light": {"rgb(89, 99, 110)", "rgb(27, 35, 44)"}, "dark": {"rgb(163, 173, 183)", "rgb(233, 229, 220)"}}[
            scheme
        ]
    )
    assert said == []
    page.context.close()


def test_the_fonts_inside_the_file_are_used(browser: Browser, tmp_path: Path) -> None:
    page, said = _open(browser, tmp_path, "bookings")
    assert page.evaluate("document.fonts.ready.then(() => [...document.fonts].map(face => face.status))") == [
        "loaded",
        "loaded",
    ]
    assert said == []
    page.context.close()


def test_a_reader_with_a_keyboard_reaches_the_verdict_first(browser: Browser, tmp_path: Path) -> None:
    page, said = _open(browser, tmp_path, "bookings")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the verdict"
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("img", name=re.compile("With and without each column")).count() == 1
    assert page.get_by_role("table", name="What was asked for").count() == 1
    page.get_by_text("Every group compared").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("table", name="Each group against all other rows").is_visible()
    assert said == []
    page.context.close()


def test_it_prints_on_a4_with_its_folds_open(browser: Browser, tmp_path: Path) -> None:
    page, said = _open(browser, tmp_path, "bookings", scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()") == "#1b232c"
    paper = page.pdf(prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
    assert 4 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") <= 12
    assert said == []
    page.context.close()


def test_tables_on_a_phone_keep_words_whole_and_say_that_there_is_more(browser: Browser, tmp_path: Path) -> None:
    page, said = _open(browser, tmp_path, "bookings", width=380)
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    narrow = "[...document.querySelectorAll('th[scope=row]')].filter(cell => cell.getBoundingClientRect().width < 100).length"
    assert page.evaluate(narrow) == 0
    wrap = "[...document.querySelectorAll('td, thead th')].filter(cell => getComputedStyle(cell).overflowWrap == 'anywhere').length"
    assert page.evaluate(wrap) == 0
    outside = "[...document.querySelectorAll('table')].filter(table => !table.closest('.scroll')).length"
    assert page.evaluate(outside) == 0
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.scroll')).backgroundAttachment")
        == "local, local, scroll, scroll"
    )
    hint = "getComputedStyle(document.querySelector('.scroll .metrics caption'), '::after').content"
    assert "scroll sideways" in page.evaluate(hint)
    assert said == []
    page.context.close()
