from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tests.report.stories import HOSTILE, STORIES, bookings

from skiff.evaluate.results import Decision
from skiff.report.html import build_style, describe_provenance, isolate, render_report
from skiff.report.money import describe_decision
from skiff.report.sources import build_sources

VOID = {"meta", "link", "br", "hr", "img", "input", "area", "base", "col", "embed", "source", "track", "wbr"}
NAMES = sorted(STORIES)


@cache
def rendered(name: str) -> str:
    return render_report(STORIES[name]())


class Page(HTMLParser):
    """A page as a reader without eyes meets it: tags in order, text, attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", NAMES)
def test_every_tag_is_closed_in_order(name: str) -> None:
    page = Page(rendered(name))
    assert page.wrong == []
    assert page.open == []


@pytest.mark.parametrize("name", NAMES)
def test_the_page_loads_and_runs_nothing(name: str) -> None:
    page = Page(rendered(name))
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "img", "form", "base"}
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style", "xlink:href"}]
        assert attributes.get("href", "#").startswith("#")
    assert re.findall(r"url\((?!data:font)", build_style()) == []
    assert "@import" not in build_style()


def test_the_policy_allows_nothing_but_this_style_sheet() -> None:
    page = Page(rendered("bookings"))
    policy = next(item["content"] for item in page.all("meta") if item.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(build_style().encode()).digest()).decode()
    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    )
    assert f"<style>{build_style()}</style>" in rendered("bookings")


def test_hostile_names_stay_text() -> None:
    html = rendered("hostile")
    assert HOSTILE not in html
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert HOSTILE in Page(html).text


@pytest.mark.parametrize("name", NAMES)
def test_headings_go_down_one_step_at_a_time(name: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(rendered(name)).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", NAMES)
def test_everything_pointed_at_exists_once(name: str) -> None:
    page = Page(rendered(name))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        targets = attributes.get("aria-labelledby", "").split() + attributes.get("aria-describedby", "").split()
        if attributes.get("href", "#") != "#":
            targets.append(attributes["href"].removeprefix("#"))
        assert set(targets) <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_without_eyes_finds_the_way(name: str) -> None:
    page = Page(rendered(name))
    tags = [tag for tag, _ in page.tags]
    assert page.all("html")[0]["lang"] == "en"
    assert tags.count("table") == tags.count("caption")
    assert tags.count("main") == tags.count("header") == tags.count("footer") == 1
    for attributes in page.all("svg"):
        assert attributes.get("aria-hidden") == "true" or (
            attributes["role"] == "img" and ("aria-label" in attributes or "aria-labelledby" in attributes)
        )
    for attributes in page.all("th"):
        assert attributes["scope"] in {"row", "col"}


def test_chapters_stand_in_the_promised_order() -> None:
    ids = [item["id"] for item in Page(rendered("bookings")).all("section")]
    assert ids == ["verdict", "mistakes", "leaks", "data", "numbers", "made", "limits", "evidence"]


def test_every_number_chapter_cites_the_ledger() -> None:
    html = rendered("bookings")
    for source in build_sources(bookings()):
        assert f'href="#source-{source.number}"' in html
        assert f'id="source-{source.number}"' in html
        assert source.id in html


def test_every_metric_stands_with_interval_rows_and_guess() -> None:
    text = Page(rendered("bookings")).text
    for part in ("0.871", "0.856 to 0.886", "2,383", "0.500", "0.713"):
        assert part in text


def test_a_story_without_evidence_cites_nothing() -> None:
    html = render_report(replace(bookings(), evidence={}))
    assert "source-" not in html
    assert 'id="evidence"' not in html


def test_no_model_gives_a_short_honest_page() -> None:
    text = Page(rendered("no_model")).text
    assert "No model could be made from this data." in text
    assert "nothing is claimed" in text
    assert "Where the model is wrong" not in text


def test_the_verdict_comes_before_every_other_chapter() -> None:
    html = rendered("donors")
    assert html.index("No better than a simple guess.</h2>".replace("</h2>", "")) < html.index('id="mistakes"')


def test_four_hundred_findings_fold() -> None:
    page = Page(rendered("hostile"))
    findings = [item for item in page.all("li") if item.get("class", "").startswith("finding")]
    assert len(findings) == 8
    assert "392 more findings, in brief" in page.text
    assert "394 more questions" in page.text


def test_sixty_classes_show_the_worst_mix_ups_only() -> None:
    page = Page(rendered("many_classes"))
    assert not [item for item in page.all("table") if item.get("class") == "confusion"]
    assert "The ten most frequent mix-ups among 60 answers" in page.text


def test_nine_classes_show_the_whole_table() -> None:
    page = Page(rendered("tickets"))
    assert len([item for item in page.all("table") if item.get("class") == "confusion"]) == 1


def test_no_findings_is_said_without_promising_that_there_are_none() -> None:
    text = Page(rendered("tickets")).text
    assert "not a proof that there is none" in text


def test_a_number_model_shows_its_error_beside_that_of_a_guess() -> None:
    text = Page(rendered("flats")).text
    assert "off by 140 EUR (134 to 150)" in text
    assert "off by 480 EUR" in text


def test_the_same_story_gives_the_same_page() -> None:
    assert render_report(bookings()) == rendered("bookings")


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "paper"),
        ("muted", "paper"),
        ("accent", "paper"),
        ("bad", "paper"),
        ("good", "good-bg"),
        ("bad", "bad-bg"),
        ("warn", "warn-bg"),
        ("ink", "warn-bg"),
        ("warn", "paper"),
        ("good", "paper"),
        ("accent", "warn-bg"),
    ],
)
def test_text_has_enough_contrast_in_both_schemes(ink: str, paper: str, scheme: int) -> None:
    def color(name: str) -> str:
        return str(re.findall(rf"--{name}: (#[0-9a-f]{{6}});", build_style())[scheme])

    light, dark = sorted((_luminance(color(ink)), _luminance(color(paper))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_straight_quotes_become_round_and_apostrophes_stay() -> None:
    assert isolate("'boat' is the guests' and nobody's.") == "“\u2068boat\u2069” is the guests' and nobody's."


def test_an_answer_given_once_is_not_printed_as_unanswered() -> None:
    story = replace(bookings(), dataset=replace(bookings().dataset, provenance={"owner": "", "source": "till"}))
    assert ("owner", "Hotel Miramar, Rijeka") in describe_provenance(story)


def test_the_threshold_is_said_once() -> None:
    evaluation = bookings().evaluation
    assert evaluation is not None
    said = Decision(threshold=0.52, reason="A row is flagged from a probability of 52 in 100 upwards.")
    assert describe_decision(replace(evaluation, decision=said)) == said.reason
    assert describe_decision(evaluation).startswith("It gives a warning from a probability of 43 % on.")
