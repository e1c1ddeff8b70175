"""What stands on the page, worked out before the template: the template only places it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skiff.core.evidence import Json
from skiff.core.finding import EvidenceValue, Finding, sort_findings
from skiff.core.measurement import Measurement
from skiff.evaluate.results import Baseline, Confusion, Evaluation
from skiff.report.content import RunStory
from skiff.report.glossary import MetricWords, clean_name, describe_metric
from skiff.report.numbers import format_amount, format_interval, format_score
from skiff.report.words import find_baseline

DOTS = 100
SHOWN_FINDINGS = 8
"""Findings told in full per chapter; the others are listed under a fold."""
SHOWN_CLASSES = 12
"""Up to this many classes the whole table of mix-ups fits a page."""
MAX_TINT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """A hundred dots: up to `sure` certain, up to `reach` within the range, the rest empty."""

    title: str
    sure: int
    value: int
    reach: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One line of the table of numbers."""

    name: str
    words: MetricWords
    value: str
    interval: str
    n: int
    guess: str
    simple: str
    method: str
    leads: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table of mix-ups; `tint` 0 to 5 by its share of the row."""

    count: int
    tint: int
    is_right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingList:
    """Findings of a chapter: told in full, and listed briefly under a fold."""

    told: tuple[Finding, ...]
    folded: tuple[Finding, ...]

    @property
    def n(self) -> int:
        """Return how many there are together."""
        return len(self.told) + len(self.folded)


def build_dots(story: RunStory) -> tuple[Dots, ...]:
    """Return the pictograms of the verdict: what is caught and what is right, out of a hundred.

    References
    ----------
    Galesic, M., Garcia-Retamero, R. and Gigerenzer, G. (2009). Using icon arrays to communicate medical risks.
    Health Psychology 28(2), 210-216. https://doi.org/10.1037/a0014474

    Examples
    --------
    >>> from skiff.report.examples import build_example_story
    >>> [(dots.title, dots.value) for dots in build_dots(build_example_story())]
    [('Of 100 cases to find', 80), ('Of 100 warnings', 81)]
    """
    metrics = story.evaluation.metrics if story.evaluation else {}
    named = {
        "binary": (
            ("recall", f"Of 100 {story.positive_name or 'cases to find'}", "caught"),
            ("precision", "Of 100 warnings", "right"),
        ),
        "multiclass": (("accuracy", "Of 100 answers", "right"),),
        "regression": (),
    }[story.task.kind]
    return tuple(
        _dots(metrics[name], title, word) for name, title, word in named if name in metrics and _is_share(metrics[name])
    )


def _is_share(found: Measurement) -> bool:
    return 0 <= found.value <= 1


def _dots(found: Measurement, title: str, word: str) -> Dots:
    value = round(found.value * DOTS)
    has_range = found.low is not None and found.high is not None
    low = round((found.low or 0.0) * DOTS) if has_range else value
    high = round((found.high or 0.0) * DOTS) if has_range else value
    tail = f" ({low} to {high})" if has_range else ""
    return Dots(
        title=title, sure=min(low, value), value=value, reach=min(max(high, value), DOTS), words=f"{value} {word}{tail}"
    )


def build_metric_rows(evaluation: Evaluation) -> tuple[MetricRow, ...]:
    """Return the table of numbers, the leading one first, then in the order they were measured."""
    simple = next((item for item in evaluation.baselines if item.name == "simple"), None)
    names = sorted(evaluation.metrics, key=lambda name: name != evaluation.headline)
    return tuple(_metric_row(evaluation, name, simple) for name in names)


def _metric_row(evaluation: Evaluation, name: str, simple: Baseline | None) -> MetricRow:
    found = evaluation.metrics[name]
    other = simple.metrics.get(name) if simple else None
    guess = _round_away(find_baseline(evaluation, name), found.value)
    times, unit = (100, "%") if name == "mape" else (1, found.unit)  # an error relative to the truth reads as per cent
    return MetricRow(
        name=name,
        words=describe_metric(name, method=found.method),
        value=with_unit(_format_times(found.value, times), unit),
        interval=format_interval(
            replace(
                found,
                low=None if found.low is None else found.low * times,
                high=None if found.high is None else found.high * times,
            )
        ),
        n=found.n,
        guess=_format_times(guess, times),
        simple=_format_times(other.value if other else None, times),
        method=found.method,
        leads=name == evaluation.headline,
    )


def _format_times(value: float | None, times: int) -> str:
    return format_score(None if value is None else value * times)


def _round_away(guess: float | None, value: float) -> float | None:
    """Return zero for what is nothing beside the model's own number: −2e-08 beside 0.98 is an accident of rounding."""
    return 0.0 if guess is not None and abs(guess) < abs(value) / 2000 else guess


def with_unit(text: str, unit: str) -> str:
    """Return a printed number with its unit; a rate needs none.

    Examples
    --------
    >>> with_unit("3,214", "EUR"), with_unit("0.81", "rate")
    ('3,214 EUR', '0.81')
    """
    return f"{text} {unit}" if unit and unit != "rate" else text


def build_confusion_cells(confusion: Confusion) -> tuple[tuple[str, int, tuple[Cell, ...]], ...]:
    """Return the table of mix-ups, row by row: label, number of rows, cells."""
    return tuple(
        (label, sum(counts), tuple(_cell(count, sum(counts), is_right=i == j) for j, count in enumerate(counts)))
        for i, (label, counts) in enumerate(zip(confusion.labels, confusion.counts, strict=True))
    )


def _cell(count: int, total: int, *, is_right: bool) -> Cell:
    share = count / total if total else 0.0
    return Cell(count=count, tint=min(MAX_TINT, -int(-share * MAX_TINT // 1)) if count else 0, is_right=is_right)


def list_findings(findings: Iterable[Finding], families: Sequence[str], *, others: bool = False) -> FindingList:
    """Return the findings of some families (or of all others), worst first, notes under the fold."""
    chosen = sort_findings([item for item in findings if (item.code.partition(".")[0] in families) != others])
    loud = [item for item in chosen if item.severity != "info"]
    told = tuple(loud[:SHOWN_FINDINGS])
    return FindingList(told=told, folded=tuple(item for item in chosen if item not in told))


def describe_evidence(evidence: Mapping[str, EvidenceValue]) -> tuple[tuple[str, str], ...]:
    """Return a finding's proof as name and text.

    Examples
    --------
    >>> describe_evidence({"share_missing": 0.25, "levels": ("a", "b")})
    (('share missing', '0.250'), ('levels', 'a, b'))
    """
    return tuple((name.replace("_", " "), _show(value)) for name, value in evidence.items())


def _show(value: EvidenceValue) -> str:
    if isinstance(value, Measurement):
        reach = f" ({format_interval(value)})" if value.low is not None and value.high is not None else ""
        n = f", {value.n:,} rows" if value.n else ""
        return f"{with_unit(format_score(value.value), value.unit)}{reach}{n}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return format_score(value)
    if isinstance(value, tuple):
        return ", ".join(_show(item) for item in value[:10]) + (" …" if len(value) > 10 else "")  # noqa: PLR2004  a line's worth
    return "–" if value is None else clean_name(str(value))


def describe_reading(reading: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """Return how the file was read as name and text; nested parts become one line each.

    Examples
    --------
    >>> describe_reading({"delimiter": ";", "header_row": 1, "dates": {"day": "%d.%m.%Y"}})
    (('delimiter', 'semicolon'), ('header row', '1'), ('dates', 'day: %d.%m.%Y'))
    """
    return tuple(
        (name.replace("_", " "), _show_json(value))
        for name, value in reading.items()
        if value not in (None, "", [], {}) and name != "columns"  # these are listed one by one below
    )


SIGNS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar", ".": "point", " ": "blank", ":": "colon"}


def _show_json(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format_amount(value, digits=4)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        parts = [f"{clean_name(name)}: {_show_json(part)}" for name, part in list(value.items())[:8]]
        return "; ".join(parts) + (" …" if len(value) > 8 else "")  # noqa: PLR2004  a line's worth
    if isinstance(value, list):
        return ", ".join(_show_json(part) for part in value[:8]) + (" …" if len(value) > 8 else "")  # noqa: PLR2004  the same
    return "–" if value is None else SIGNS.get(value, clean_name(value))


def describe_date(created: str) -> str:
    """Return a moment as people write it; what is not a date stays as it is.

    Examples
    --------
    >>> describe_date("2026-03-02T09:30:00Z"), describe_date("some day")
    ('2 March 2026, 09:30 UTC', 'some day')
    """
    try:
        at = datetime.fromisoformat(created)
    except ValueError:
        return created
    zone = at.strftime(" %Z") if at.tzinfo else ""
    return f"{at.day} {at:%B %Y, %H:%M}{zone}"
