from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from tests.report.stories import HOSTILE, STORIES, bookings, flats, hostile, no_model

from skiff.core.measurement import Measurement
from skiff.evaluate.results import Fairness, GroupRates, Kept
from skiff.report.card import build_metadata, escape_markdown, render_card


def _metadata(card: str) -> dict[str, object]:
    _, block, _ = card.split("---\n", 2)
    return {line.partition(": ")[0]: json.loads(line.partition(": ")[2]) for line in block.strip().splitlines()}


@pytest.mark.parametrize("name", sorted(STORIES))
def test_metadata_parses_and_names_the_task(name: str) -> None:
    story = STORIES[name]()
    fields = _metadata(render_card(story))
    assert fields["pipeline_tag"] in {"tabular-classification", "tabular-regression"}
    assert fields["library_name"] == "onnxruntime"
    assert ("model-index" in fields) == (story.evaluation is not None)


def test_every_number_has_range_n_and_evidence() -> None:
    rows = [line for line in render_card(bookings()).splitlines() if "(ROC AUC) |" in line]
    assert rows == ["| Ranking (ROC AUC) | 0.871 | 0.856 to 0.886 | 2,383 | 0.500 | ev_000005 |"]


def test_only_known_licences_become_identifiers() -> None:
    assert '"cc-by-4.0"' in build_metadata(flats())
    assert '"other"' in build_metadata(replace(flats(), licence="Ask Maria first"))
    assert "license" not in build_metadata(bookings())


def test_unanswered_questions_are_printed_as_unanswered() -> None:
    assert "- Licence: not answered" in render_card(bookings())


def test_names_cannot_become_html_or_links() -> None:
    card = render_card(hostile())
    _, _, body = card.split("---\n", 2)
    assert HOSTILE not in body
    assert not re.search(r"(?<!\\)<", body)
    assert "\x1b" not in card


def test_a_pipe_in_a_name_does_not_split_a_table() -> None:
    assert escape_markdown("a|b [c](d) _e_ f_g") == r"a\|b \[c\](d) \_e\_ f_g"


def test_no_model_claims_nothing() -> None:
    card = render_card(no_model())
    assert "Nothing was measured." in card
    assert "nothing is claimed" in card


def test_the_card_says_what_is_promised_what_moves_it_and_how_groups_fare() -> None:
    story = bookings()
    assert story.evaluation is not None

    def rate(name: str, value: float) -> Measurement:
        return Measurement(name=name, value=value, low=value - 0.05, high=value + 0.05, n=300)

    groups = (
        GroupRates(column="sex", level="f|x", n=300, rates={"selection_rate": rate("selection_rate", 0.2)}),
        GroupRates(column="sex", level="m", n=12, rates={}),
    )
    coverage = replace(rate("coverage", 0.91), baseline=0.9)
    card = render_card(
        replace(
            story, evaluation=replace(story.evaluation, fairness=Fairness(groups=groups), kept=Kept(coverage=coverage))
        )
    )
    assert "should hold the truth 90 times in 100: it did 91 times" in card
    first = story.evaluation.importances[0].column
    assert re.search(rf"^\| {re.escape(escape_markdown(first))} \| \d", card, re.MULTILINE)
    assert "| sex: f\\|x | 300 | 0.200 (0.150 to 0.250) |" in card
    assert "| sex: m | 12 | – (too few rows) |" in card
    heads = [line for line in card.splitlines() if line.startswith("| Group | n |")]
    after = card.splitlines()[card.splitlines().index(heads[0]) + 1]
    assert after.count("|") == heads[0].count("|")
