"""The report a client reads: one HTML file, without scripts, without the network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skiff.report import charts as drawing
from skiff.report.content import RunStory
from skiff.report.fairness import describe_caption, describe_fairness, list_heads, list_rows
from skiff.report.glossary import ACTIONS, SEVERITIES, SPLITS, TASKS, clean_name, describe_reason, quote, shorten
from skiff.report.limits import describe_limits
from skiff.report.mistakes import (
    count_groups,
    describe_calibration,
    describe_confusion,
    describe_residuals,
    describe_slices,
    find_mix_ups,
    format_gap_range,
    format_signed,
)
from skiff.report.money import describe_decision, describe_saving
from skiff.report.note import list_questions
from skiff.report.numbers import (
    count_of,
    format_amount,
    format_bytes,
    format_micros,
    format_percent,
    format_range,
    format_score,
    format_seconds,
)
from skiff.report.page import (
    SHOWN_CLASSES,
    build_confusion_cells,
    build_dots,
    build_metric_rows,
    describe_date,
    describe_evidence,
    describe_reading,
    list_findings,
)
from skiff.report.promises import describe_promises
from skiff.report.sources import build_sources
from skiff.report.svg import render_svg
from skiff.report.words import (
    Verdict,
    describe_flattery,
    describe_leaks,
    describe_looks,
    describe_stability,
    find_baseline,
    find_demands,
    name_score,
    verdict,
)

FONTS = (
    ("Skiff Sans", "source-sans-3-latin-wght-normal.woff2", "200 900"),
    ("Skiff Serif", "source-serif-4-latin-wght-normal.woff2", "200 900"),
)
QUOTED = re.compile(r"“([^”]*)”")
STRAIGHT = re.compile(r"(?<!\w)'([^'\n]+)'(?!\w)")
"""A name in straight quotes; an apostrophe inside a word or after a plural does not open one."""
ERROR_BAR_PX = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBar:
    """One bar of the picture that compares the typical error with that of a guess."""

    name: str
    words: str
    kind: str
    width: float


def render_report(story: RunStory) -> str:
    """Return the whole report as one HTML page.

    Parameters
    ----------
    story : RunStory
        Everything the page may say; a number that is not in it is not printed.

    Returns
    -------
    str
        A page that needs no script, no network and no other file; it follows the reader's light or dark scheme,
        prints on A4, and refuses (by its own content security policy) to load or run anything.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> "Catches 8 of 10" in render_report(build_example_story()).replace("about ", "")
    True
    """
    style = build_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    template = build_environment().get_template("report.html.j2")
    return template.render(style=Markup(style), policy=policy, **build_context(story))  # noqa: S704  our own style sheet


def build_style(*more: str) -> str:
    """Return the style sheet with the fonts inside; the same bytes each time, so that the page can name its hash.

    Parameters
    ----------
    more : str
        Names of further style sheets among the assets.
    """
    assets = files("skiff.report") / "assets"
    faces = [
        f'@font-face{{font-family:"{family}";font-weight:{weights};font-display:swap;src:url(data:font/woff2;base64,'
        f'{base64.b64encode((assets / name).read_bytes()).decode()}) format("woff2")}}'
        for family, name, weights in FONTS
    ]
    sheets = [(assets / name).read_text(encoding="utf-8") for name in ("report.css", *more)]
    return "\n".join([*faces, *sheets])


@cache
def build_environment() -> Environment:
    """Return the template engine: everything is escaped, an unknown name is an error.

    One for the process: each engine compiles its templates anew, which takes longer than writing a report with them.
    """
    environment = Environment(
        loader=PackageLoader("skiff.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(FILTERS)
    return environment


def _draw(chart: drawing.Chart) -> Markup:
    return Markup(render_svg(chart))  # noqa: S704  the renderer escapes every text; a test holds it to that


class _Isolated(str):
    """Text that is clean already and carries isolates of our own."""

    __slots__ = ()


def _finalize(value: object) -> object:
    """Clean every text on its way to the page, whatever the template forgot; escaping comes after."""
    return clean_name(value) if isinstance(value, str) and not isinstance(value, (Markup, _Isolated)) else value


def isolate(text: str) -> str:
    """Set quoted names in round quotes and isolate their direction: right-to-left names do not reorder the sentence.

    Examples
    --------
    >>> isolate("“age” leaks.") == "“\u2068age\u2069” leaks."
    True
    """
    return _Isolated(QUOTED.sub("“\u2068\\1\u2069”", STRAIGHT.sub(r"“\1”", clean_name(text))))


FILTERS: dict[str, Callable[..., object]] = {
    "action": lambda action: ACTIONS.get(action, action),
    "bytes": format_bytes,
    "clean": clean_name,
    "count": count_of,
    "date": describe_date,
    "gap_range": format_gap_range,
    "isolate": isolate,
    "micro": format_micros,
    "proof": describe_evidence,
    "quoted": quote,
    "score": format_score,
    "seconds": format_seconds,
    "severity": lambda severity: SEVERITIES.get(severity, severity),
    "share": format_percent,
    "short": shorten,
    "signed": format_signed,
    "svg": _draw,
    "why": describe_reason,
}
"""What the templates may call."""


def build_context(story: RunStory) -> dict[str, object]:
    """Return every name that the templates use."""
    found = verdict(story)
    evaluation = story.evaluation
    leaks = list_findings(story.findings, ("leakage",))
    confusion = evaluation.confusion if evaluation else None
    fits = confusion is not None and 2 < len(confusion.labels) <= SHOWN_CLASSES  # noqa: PLR2004  two classes are told in words
    rows = build_metric_rows(evaluation) if evaluation else ()
    headline = evaluation.metrics.get(evaluation.headline) if evaluation else None
    fairness = evaluation.fairness if evaluation else None
    return {
        "story": story,
        "verdict": found,
        "status": describe_status(story, found),
        "task_words": TASKS[story.task.kind],
        "chapters": list_chapters(story),
        "sources": build_sources(story),
        "pictograms": build_dots(story),
        "errors": build_error_bars(story),
        "questions": list_questions(story.findings),
        "charts": build_charts(story),
        "confusion_words": describe_confusion(story, confusion) if confusion else (),
        "cells": build_confusion_cells(confusion) if confusion and fits else (),
        "mix_ups": find_mix_ups(confusion) if confusion and len(confusion.labels) > SHOWN_CLASSES else (),
        "mix_ups_title": f"The ten most frequent mix-ups among {len(confusion.labels)} answers" if confusion else "",
        "decision_words": describe_decision(evaluation) if evaluation else "",
        "residual_words": describe_residuals(story),
        "slices_words": describe_slices(evaluation.every_slice, protected=story.task.protected) if evaluation else "",
        "slices_shown": count_groups(evaluation.every_slice, shown=len(evaluation.slices)) if evaluation else "",
        "fairness_words": describe_fairness(story),
        "fairness_caption": describe_caption(story),
        "fairness_heads": list_heads(fairness) if fairness else (),
        "fairness_rows": list_rows(fairness) if fairness else (),
        "calibration_words": describe_calibration(evaluation.calibration, "it") if evaluation else (),
        "leak_words": describe_leaks(story),
        "leak_score": next((name_score(item) for item in story.left_out if item.score_with is not None), ""),
        "leaks": leaks,
        "others": list_findings(story.findings, ("leakage",), others=True),
        "reading": describe_reading(story.dataset.reading),
        "provenance": describe_provenance(story),
        "metrics": rows,
        "has_simple": any(row.simple != "–" for row in rows),
        "level": format_percent(headline.level if headline else 0.95),
        "flattery": (*describe_flattery(evaluation), *describe_stability(evaluation)) if evaluation else (),
        "saving": describe_saving(story),
        "promises": describe_promises(evaluation, unit=story.task.unit) if evaluation else (),
        "split_words": SPLITS.get(story.split.kind, story.split.kind),
        "looks_words": describe_looks(story.split) if evaluation else (),
        "made": describe_making(story),
        "versions": tuple(sorted(story.model.versions.items())) if story.model else (),
        "limits": describe_limits(story),
    }


def describe_status(story: RunStory, found: Verdict) -> str:
    """Return the two or three words on the pill.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> story = build_example_story()
    >>> describe_status(story, verdict(story))
    'Ready to use'
    """
    if story.model is None:
        return "No model"
    if not found.ready:
        return "Not ready"
    return "Ready to use" if find_demands(story) else "Ready to try"


def list_chapters(story: RunStory) -> tuple[tuple[str, str], ...]:
    """Return the chapters that exist in this report: id and title."""
    titles = (
        ("mistakes", "Where it is wrong", story.evaluation is not None),
        ("leaks", "Leaks", True),
        ("data", "The data", True),
        ("numbers", "The numbers", story.evaluation is not None),
        ("made", "How it was made", True),
        ("limits", "Limits", True),
        ("evidence", "Evidence", bool(story.evidence)),
    )
    return tuple((name, title) for name, title, is_there in titles if is_there)


def build_charts(story: RunStory) -> dict[str, drawing.Chart | None]:
    """Return the charts for which there are numbers."""
    evaluation = story.evaluation
    charts: dict[str, drawing.Chart | None] = dict.fromkeys(
        ("residuals", "slices", "calibration", "curve", "gain", "profit", "importance"), None
    )
    charts["leaks"] = drawing.build_leak_chart(story.left_out)
    if evaluation is None:
        return charts
    charts["slices"] = drawing.build_slices_chart(evaluation.slices)
    charts["curve"] = drawing.build_curve_chart(evaluation)
    charts["gain"] = drawing.build_gain_chart(evaluation)
    saving = evaluation.decision.saving_per_row if evaluation.decision else None
    charts["profit"] = drawing.build_profit_chart(evaluation, currency=saving.unit if saving else "")
    if evaluation.residuals:
        charts["residuals"] = drawing.build_residuals_chart(evaluation.residuals, unit=story.task.unit)
    if evaluation.calibration:
        charts["calibration"] = drawing.build_calibration_chart(evaluation.calibration)
    if evaluation.importances:
        charts["importance"] = drawing.build_importance_chart(evaluation.importances)
    return charts


def build_error_bars(story: RunStory) -> tuple[ErrorBar, ...]:
    """Return the typical error of a number model beside that of always giving the usual value."""
    if story.evaluation is None or story.task.kind != "regression" or "mae" not in story.evaluation.metrics:
        return ()
    if story.task.quantile is not None:  # meant to be too high or too low, so its distance from the truth says nothing
        return ()
    mae, guess = story.evaluation.metrics["mae"], find_baseline(story.evaluation, "mae")
    unit = story.task.unit or mae.unit
    widest = max(mae.value, guess or 0.0) or 1.0
    reach = format_range(mae.low, mae.high)
    own = ErrorBar(
        name="This model",
        words=f"off by {format_amount(mae.value, unit)}" + (f" ({reach})" if reach else ""),
        kind="own",
        width=round(mae.value / widest * ERROR_BAR_PX, 1),
    )
    if guess is None:
        return (own,)
    other = ErrorBar(
        name="Always the usual value",
        words=f"off by {format_amount(guess, unit)}",
        kind="guess",
        width=round(guess / widest * ERROR_BAR_PX, 1),
    )
    return (own, other)


def describe_provenance(story: RunStory) -> tuple[tuple[str, str], ...]:
    """Return where the data came from, unanswered questions included.

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> describe_provenance(build_example_story())[1]
    ('owner', 'not said')
    """
    answers = {"owner": story.owner, "licence": story.licence, "purpose": story.purpose}
    for name, value in story.dataset.provenance.items():
        answers[name] = value or answers.get(name, "")
    told = [(name.replace("_", " "), clean_name(value) or "not said") for name, value in answers.items()]
    return (("fingerprint (SHA-256)", story.dataset.sha256), *told)


def describe_making(story: RunStory) -> tuple[tuple[str, str], ...]:
    """Return the settings and costs of the run."""
    facts: list[tuple[str, str]] = []
    if story.model:
        facts += [*story.model.asked]
        facts += [("best single model beside it", story.model.beside)] if story.model.beside else []
        facts += [
            ("columns it looks at", f"{story.model.features:,}"),
            ("time allowed for training", format_seconds(story.model.budget_s)),
            ("seed", str(story.model.seed)),
        ]
    if story.release:
        facts.append(("fingerprint of the file (SHA-256)", story.release.sha256))
    names = {"wall_s": "time of the whole run", "cpu_s": "computing time", "peak_rss_mb": "memory at most"}
    for key, name in names.items():
        if key in story.cost:
            value = story.cost[key]
            facts.append((name, f"{value:,.0f} MB" if key.endswith("_mb") else format_seconds(value)))
    return tuple(facts)
