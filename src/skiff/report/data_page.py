"""The data report: what is in a table, what is wrong with it, and what to ask, as one HTML file without scripts."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from skiff.core.finding import sort_findings
from skiff.core.measurement import Measurement
from skiff.data.associations import Association
from skiff.data.contract.say import Sentence
from skiff.data.profile import ColumnProfile
from skiff.report.data_charts import LevelBar, Spark, build_level_bars, build_spark, describe_numbers
from skiff.report.data_story import DataStory
from skiff.report.glossary import describe_reason, quote
from skiff.report.html import build_environment, build_style
from skiff.report.note import describe_table, list_questions
from skiff.report.numbers import count_of, format_interval, format_percent, format_score
from skiff.report.page import describe_reading, list_findings

MAX_COLUMNS = 200
"""Columns shown one by one: with them the file stays below one megabyte; columns with findings come first."""

KINDS = {"number": "number", "boolean": "yes or no", "category": "category", "text": "text", "date": "date"}
MEANINGS = {
    "email": "e-mail address",
    "url": "web address",
    "uuid": "UUID",
    "ip_address": "internet address",
    "iban": "IBAN",
    "phone": "phone number",
    "id": "number or code of the row",
    "postcode": "postcode",
    "year": "year",
    "latitude": "latitude",
    "longitude": "longitude",
    "percentage": "percentage",
    "money": "amount of money",
}
"""`ColumnProfile.semantic` in words."""

PERSONAL = frozenset({"email", "phone", "iban", "ip_address", "id", "uuid"})
"""Meanings whose most frequent values are not shown, however many rows share them."""

STATUSES = {"confirmed": "confirmed", "rejected": "rejected", "proposed": "not answered"}
ASSOCIATIONS = {
    "spearman": "rank correlation",
    "cramers_v": "Cramér's V",
    "correlation_ratio": "correlation ratio",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCard:
    """One column on the page."""

    profile: ColumnProfile
    kind: str
    meaning: str
    role: str
    facts: tuple[tuple[str, str], ...]
    spark: Spark | None
    bars: tuple[LevelBar, ...]
    worst: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Two columns that go together."""

    first: str
    second: str
    measure: str
    value: str
    interval: str
    n: int


def render_data_report(story: DataStory) -> str:
    """Return the data report as one HTML page.

    Returns
    -------
    str
        A page that needs no script, no network and no other file; it follows the reader's light or dark scheme and
        prints on A4. Cells are not shown, except levels that at least five rows share.

    Examples
    --------
    >>> from skiff.report.examples import build_example_data_story
    >>> "One thing to look at." in render_data_report(build_example_data_story())
    True
    """
    style = build_style("data_report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    template = build_environment().get_template("data_report.html.j2")
    return template.render(style=Markup(style), policy=policy, **build_context(story))  # noqa: S704  our own style sheet


def build_context(story: DataStory) -> dict[str, object]:
    """Return every name that the template uses."""
    cards = build_cards(story)
    return {
        "story": story,
        "sources": (),
        "headline": describe_table(story.findings),
        "is_good": not any(item.severity == "block" and item.action != "kept" for item in story.findings),
        "worst": sort_findings(list(story.findings))[:5],
        "questions": list_questions(story.findings),
        "leaks": list_findings(story.findings, ("leakage",)),
        "others": list_findings(story.findings, ("leakage",), others=True),
        "cards": cards,
        "n_hidden": len(story.profile.columns) - len(cards),
        "gap_words": describe_gaps(story),
        "pairs": [_build_pair(item) for item in story.associations],
        "sentences": _order_sentences(story.sentences),
        "statuses": STATUSES,
        "reading": describe_reading({key: value for key, value in story.reading.items() if key != "columns"}),
        "unanswered": [answer.question for answer in story.provenance if not answer.text],
        "chapters": _list_chapters(story),
    }


def build_cards(story: DataStory) -> tuple[ColumnCard, ...]:
    """Return the columns in the order of the table; of very wide tables those with findings, then the first."""
    worst: dict[str, str] = {}
    for item in sort_findings(list(story.findings)):
        for name in item.columns:
            worst.setdefault(name, item.severity)
    columns = story.profile.columns
    if len(columns) > MAX_COLUMNS:
        told = [column.name for column in columns if worst.get(column.name, "info") != "info"]
        first = [column.name for column in columns if column.name not in set(told)]
        shown = {*told[:MAX_COLUMNS], *first[: max(0, MAX_COLUMNS - len(told))]}
        columns = tuple(column for column in columns if column.name in shown)
    return tuple(_build_card(column, story, worst=worst.get(column.name, "")) for column in columns)


def _build_card(column: ColumnProfile, story: DataStory, *, worst: str) -> ColumnCard:
    role = "to predict" if column.name == story.target else ""
    if column.name in story.left_out:
        role = f"left out: {describe_reason(story.left_out[column.name]).lower()}"
    is_personal = any(item.code.startswith("privacy.") and column.name in item.columns for item in story.findings)
    return ColumnCard(
        profile=column,
        kind=KINDS[column.kind],
        meaning=MEANINGS.get(column.semantic, ""),
        role=role,
        facts=describe_numbers(column),
        spark=build_spark(column),
        bars=() if column.semantic in PERSONAL or is_personal else build_level_bars(column),
        worst=worst if worst != "info" else "",
    )


def describe_gaps(story: DataStory) -> tuple[str, ...]:
    """Return where cells are empty, in sentences."""
    gaps, rows = story.gaps, story.profile.rows
    if not gaps.cells:
        return ("No cell is empty.",)
    share = gaps.cells / max(1, rows * len(story.profile.columns))
    words = [f"{gaps.cells:,} cells are empty ({format_percent(share)} of all)."]
    if gaps.complete_rows:
        words.append(
            f"{count_of(gaps.complete_rows, 'row')} of {rows:,} {'has' if gaps.complete_rows == 1 else 'have'} no gap."
        )
    words += [f"{_list(group)} are always empty in the same rows." for group in gaps.together[:8]]
    grouped = {frozenset(group) for group in gaps.together}
    for pattern in gaps.patterns:
        if len(pattern.columns) > 1 and frozenset(pattern.columns) not in grouped:
            words.append(f"In {count_of(pattern.rows, 'row')} just {_list(pattern.columns)} are empty.")
    return tuple(words)


def _list(names: Sequence[str]) -> str:
    quoted = [quote(name) for name in names[:6]]
    if len(names) > len(quoted):
        return f"{', '.join(quoted)} and {len(names) - len(quoted)} more"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]


def _build_pair(item: Association) -> PairRow:
    measure: Measurement = item.measure
    line = f", along a line {format_score(item.pearson.value)}" if item.pearson is not None else ""
    return PairRow(
        first=item.columns[0],
        second=item.columns[1],
        measure=ASSOCIATIONS[measure.name] + line,
        value=format_score(measure.value),
        interval=format_interval(measure),
        n=measure.n,
    )


def _order_sentences(sentences: Sequence[Sentence]) -> Mapping[str, tuple[Sentence, ...]]:
    """Return the sentences by what was said of them, the open ones first."""
    return {
        status: found
        for status in ("proposed", "confirmed", "rejected")
        if (found := tuple(item for item in sentences if item.status == status))
    }


def _list_chapters(story: DataStory) -> tuple[tuple[str, str], ...]:
    chapters = (
        ("findings", "What was found", True),
        ("columns", "Columns", True),
        ("together", "What goes together", True),
        ("groups", "Groups and population", story.representation is not None),
        ("agreed", "What is agreed", bool(story.sentences)),
        ("origin", "Where it comes from", True),
    )
    return tuple((name, title) for name, title, is_there in chapters if is_there)
