"""Documents as they were last looked at; regenerate with ``SKIFF_UPDATE_GOLDEN=1 pytest tests/golden`` and review the diff."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.report.stories import STORIES

from skiff.report.card import render_card
from skiff.report.content import RunStory
from skiff.report.datasheet import build_datasheet
from skiff.report.html import render_report
from skiff.report.run_json import build_result

HERE = Path(__file__).parent
FONT = re.compile(r"data:font/woff2;base64,[A-Za-z0-9+/=]+")
STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
HASH = re.compile(r"'sha256-[^']+'")
LOOKED_AT = ("bookings", "flats", "tickets", "donors", "no_model")


def _without_style(page: str) -> str:
    """The style sheet has a file of its own to be reviewed in; fonts are not for reading."""
    return HASH.sub("'sha256-…'", STYLE.sub("<style>…</style>", page)) + "\n"


def _page(story: RunStory) -> str:
    return _without_style(render_report(story))


def _sheet(story: RunStory) -> str:
    return json.dumps(build_datasheet(story), indent=1, ensure_ascii=False) + "\n"


def _result(story: RunStory) -> str:
    return json.dumps(build_result(story), indent=1, ensure_ascii=False) + "\n"


MAKERS: dict[str, Callable[[RunStory], str]] = {
    "report.html": _page,
    "card.md": render_card,
    "datasheet.json": _sheet,
    "result.json": _result,
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_document_is_what_was_last_looked_at(name: str, kind: str) -> None:
    made = MAKERS[kind](STORIES[name]())
    path = HERE / f"{name}.{kind}"
    if os.environ.get("SKIFF_UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8"), (
        f"{path.name} changed; look at it, then run SKIFF_UPDATE_GOLDEN=1 pytest tests/golden"
    )
