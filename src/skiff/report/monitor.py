"""The page of a year of windows: one HTML file, no script, no network, nothing that was not measured."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files

from markupsafe import Markup

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.monitor.delivered import say_number, say_promise
from skiff.monitor.results import WindowReport
from skiff.monitor.track import TrackRecord
from skiff.report.glossary import describe_metric
from skiff.report.html import build_environment, build_style
from skiff.report.monitor_charts import build_drift_chart, build_line_charts, build_quality_chart

MAX_TOLD = 40
"""Alerts listed, the newest; the rest is counted."""

MAX_COLUMNS = 40

DATES = 10
"""Letters of a date in ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to the releases: ``release``, ``promote``, ``rollback`` or ``retrain``."""

    at: str
    kind: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStory:
    """Everything the page may say.

    Parameters
    ----------
    title, created, owner : str
    release : int
    task : Task
    headline : str
        Metric that leads.
    promised : Measurement or None
    windows : tuple of WindowReport
        Oldest first.
    events : tuple of Event
    track : TrackRecord
    false_alarms_per_month : float
    """

    title: str
    created: str
    owner: str
    release: int
    task: Task
    headline: str
    promised: Measurement | None
    windows: tuple[WindowReport, ...]
    events: tuple[Event, ...] = ()
    track: TrackRecord = field(default_factory=TrackRecord)
    false_alarms_per_month: float = 1.0


def render_monitor(story: MonitorStory) -> str:
    """Return the page as one HTML text.

    Notes
    -----
    A year of daily windows takes about 0.3 MB, most of it the two fonts; the browser draws it without running anything.

    Examples
    --------
    >>> story = MonitorStory(title="bookings", created="2026-03-01T06:00:00Z", owner="Ada", release=1,
    ...                      task=Task(kind="binary", target="cancelled", classes=("no", "yes")), headline="roc_auc",
    ...                      promised=None, windows=())
    >>> "No prediction has been judged yet" in render_monitor(story)
    True
    """
    style = "\n".join([build_style(), (files("skiff.report") / "assets" / "monitor.css").read_text(encoding="utf-8")])
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; form-action 'none'"
    template = build_environment().get_template("monitor.html.j2")
    return template.render(style=Markup(style), policy=policy, **_build_context(story))  # noqa: S704  our own style sheet


def _build_context(story: MonitorStory) -> dict[str, object]:
    newest = story.windows[-1] if story.windows else None
    dated = [report for report in story.windows if report.since]
    charts = []
    if dated:
        first = dated[0].since
        events = [(event.at, event.words) for event in story.events if first <= event.at <= dated[-1].until][-12:]
        made = build_quality_chart(dated, headline=story.headline, promised=story.promised, events=events)
        drift = build_drift_chart(dated)
        charts = [chart for chart in (made, drift) if chart is not None] + list(build_line_charts(dated))
    alerts = list(_list_alerts(story.windows))
    return {
        "story": story,
        "newest": newest,
        "status": {"alert": ("bad", "Act"), "quiet": ("good", "Quiet"), "too_few": ("", "Too early to say")}[
            newest.status if newest else "too_few"
        ],
        "promise": say_promise(newest.delivered) if newest and newest.delivered else "",
        "headline_words": describe_metric(story.headline) if story.headline else None,
        "estimate": _say_estimate(newest, story.headline),
        "charts": charts,
        "alerts": alerts[:MAX_TOLD],
        "n_alerts": len(alerts),
        "columns": _list_columns(newest),
        "span": (dated[0].since[:DATES], dated[-1].until[:DATES]) if dated else None,
    }


def _say_estimate(report: WindowReport | None, headline: str) -> str:
    found = report.estimated.get(headline) if report else None
    return say_number(found) if found is not None else ""


def _list_alerts(windows: tuple[WindowReport, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield date, sentence and next step of every alert, newest first; one that goes on is told when it began."""
    told: list[tuple[str, str, str]] = []
    open_keys: set[str] = set()
    for report in windows:
        keys = {signal.key for signal in report.alerts}
        told += [
            (report.since[:DATES] or "file", signal.what, signal.next_step)
            for signal in report.alerts
            if signal.key not in open_keys
        ]
        open_keys = keys
    yield from reversed(told)


def _list_columns(report: WindowReport | None) -> list[dict[str, str]]:
    if report is None:
        return []
    words = {"yes": "would", "no": "would not", "unknown": "cannot be told"}
    rows = []
    for item in sorted(report.columns, key=lambda column: -(column.js or 0.0))[:MAX_COLUMNS]:
        harm = report.harms.get(item.name)
        rows.append(
            {
                "name": item.name,
                "js": "–" if item.js is None else f"{item.js:.3f}",
                "psi": "–" if item.psi is None else f"{item.psi:.3f}",
                "moved": "–" if item.wasserstein is None else f"{item.wasserstein:.2f} sd",
                "missing": f"{item.missing_rate:.1%} ({item.missing_before:.1%})",
                "unseen": f"{item.unseen_rate:.1%}",
                "harm": words[harm.could_move] if harm else "–",
            }
        )
    return rows
