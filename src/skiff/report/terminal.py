"""The story of a run in about twenty-five lines, for a terminal: what to say, not how to colour it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skiff.report.content import RunStory
from skiff.report.glossary import abbreviate_metric, describe_reason, quote
from skiff.report.mistakes import describe_slices
from skiff.report.note import list_questions
from skiff.report.numbers import count_of, format_bytes, format_score, format_seconds
from skiff.report.page import build_metric_rows
from skiff.report.words import describe_flattery, describe_stability, name_score, verdict

LABEL = 10
"""Width of the words in front: they stand in one column."""
SHOWN_METRICS = 3
SHOWN_LEFT_OUT = 3
SHOWN_MEMBERS = 4
SHOWN_QUESTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One paragraph: its text, how far it is indented, how far its later lines hang, and a style name."""

    text: str = ""
    indent: int = 2
    hanging: int = 0
    style: str = ""


def build_lines(story: RunStory, *, files: Mapping[str, str]) -> tuple[Line, ...]:
    """Return the story, verdict first, files to open last.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> lines = build_lines(build_example_story(positive_name="cancellations"), files={"Report": "reports/report.html"})
    >>> print(lines[1].text)
    Catches about 8 of 10 cancellations (76 to 84 of 100) and is wrong about once in 5 warnings (15 to 23 of 100).
    """
    found = verdict(story)
    style = "bold green" if found.ready else "bold red"
    return (
        Line(),
        Line(text=found.headline, style="bold"),
        *(
            Line(text=text, style=style if text.startswith(("Ready", "Not ready")) else "")
            for text in found.sentences[:2]
        ),
        Line(),
        *_tell_data(story),
        *_tell_left_out(story),
        *_tell_model(story),
        *_tell_numbers(story),
        *_tell_questions(story),
        *_tell_files(files),
    )


def _labelled(label: str, text: str) -> Line:
    return Line(text=f"{label:<{LABEL}}{text}", hanging=LABEL)


def _tell_data(story: RunStory) -> list[Line]:
    data, split = story.dataset, story.split
    lines = [
        _labelled("Data", f"{data.name}: {count_of(data.rows, 'row')}, {count_of(data.columns, 'column')}"),
        _labelled("Split", f"{split.train_rows:,} to learn from, {split.test_rows:,} to judge. {split.reason}"),
    ]
    if story.evaluation and story.evaluation.slices:
        lines.append(_labelled("Groups", describe_slices(story.evaluation.every_slice, protected=story.task.protected)))
    return lines


def _tell_left_out(story: RunStory) -> list[Line]:
    if not story.left_out:
        return [_labelled("Left out", "no column")]
    lines = [
        Line(
            text=f"{'Left out' if index == 0 else '':<{LABEL}}{quote(item.column)}: {describe_reason(item.code).lower()}"
            + (
                f" ({format_score(item.score_with)} with it, {format_score(item.score_without)} without: {name_score(item)})"
                if item.score_with is not None and item.score_without is not None
                else ""
            ),
            hanging=LABEL,
        )
        for index, item in enumerate(story.left_out[:SHOWN_LEFT_OUT])
    ]
    more = len(story.left_out) - SHOWN_LEFT_OUT
    if more > 0:
        lines.append(_labelled("", f"and {count_of(more, 'more column')}"))
    return lines


def _tell_model(story: RunStory) -> list[Line]:
    if story.model is None:
        return []
    model = story.model
    parts = ", ".join(f"{name} {weight:.0%}" for name, weight in model.members[:SHOWN_MEMBERS])
    if len(model.members) > SHOWN_MEMBERS:
        parts += f" and {count_of(len(model.members) - SHOWN_MEMBERS, 'more', 'more')}"
    lines = [_labelled("Model", f"{parts}; {model.candidates} tried in {format_seconds(model.train_seconds)}")]
    if story.release is not None:
        release = story.release
        name = f"{release.number}" if release.number is not None else "none"
        gap = release.parity_max_abs_diff
        lines.append(
            _labelled(
                "Release",
                f"{name}: one file, {format_bytes(release.onnx_bytes)}, {release.latency_us:,.0f} µs an answer, "
                f"same as trained{f' to {gap:.0e}' if gap else ''}",
            )
        )
    return lines


def _tell_numbers(story: RunStory) -> list[Line]:
    if story.evaluation is None:
        return []
    lines = []
    for index, row in enumerate(build_metric_rows(story.evaluation)[:SHOWN_METRICS]):
        found = story.evaluation.metrics[row.name]
        guess = f", a guess {row.guess}" if row.guess != "–" else ""
        text = f"{abbreviate_metric(row.name)} {row.value} ({row.interval}, n={found.n:,}){guess}"
        lines.append(_labelled("Numbers" if index == 0 else "", text))
    said = (*describe_flattery(story.evaluation), *describe_stability(story.evaluation))
    lines.extend(_labelled("", sentence) for sentence in said)
    return lines


def _tell_questions(story: RunStory) -> list[Line]:
    questions = list_questions(story.findings)
    lines = [
        _labelled("Ask" if index == 0 else "", question) for index, question in enumerate(questions[:SHOWN_QUESTIONS])
    ]
    more = len(questions) - SHOWN_QUESTIONS
    return [*lines, _labelled("", f"and {count_of(more, 'more question')} in the report")] if more > 0 else lines


def _tell_files(files: Mapping[str, str]) -> list[Line]:
    if not files:
        return []
    width = max(LABEL, *(len(label) + 2 for label in files))
    shown = [Line(text=f"{label:<{width}}{path}", hanging=width, style="cyan") for label, path in files.items()]
    return [Line(), *shown]
