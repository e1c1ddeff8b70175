"""A year of windows is one small page without scripts."""

from __future__ import annotations

import datetime as dt

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.monitor.delivered import Delivered
from skiff.monitor.drift import ColumnDrift
from skiff.monitor.operations import Operations
from skiff.monitor.results import Signal, WindowReport
from skiff.report.monitor import Event, MonitorStory, render_monitor

PROMISED = Measurement(name="roc_auc", value=0.81, low=0.77, high=0.85, n=900, higher_is_better=True)
HOSTILE = "</style><script>alert(1)</script>"


def build_year(days: int) -> tuple[WindowReport, ...]:
    rng = np.random.default_rng(0)
    made = []
    for day in range(days):
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day)
        value = 0.8 + 0.01 * rng.normal()
        now = Measurement(
            name="roc_auc", value=value, low=value - 0.04, high=value + 0.04, n=400, higher_is_better=True
        )
        is_bad = day % 50 == 49
        signal = Signal(
            kind="missing", subject=HOSTILE, what=f"'{HOSTILE}' is empty.", next_step="Look.", chance=0.0, allowed=0.01,
            could_move="yes", is_alert=True,
        )  # fmt: skip
        made.append(
            WindowReport(
                release=1, rows=400, since=begin.isoformat(), until=(begin + dt.timedelta(days=1)).isoformat(), days=1.0,
                status="alert" if is_bad else "quiet", why="Nothing.", spend=0.03, signals=(signal,) if is_bad else (),
                columns=tuple(
                    ColumnDrift(name=f"column {place}" if place else HOSTILE, kind="number", n=400, js=float(abs(rng.normal()) / 10))
                    for place in range(30)
                ),
                operations=Operations(rows=400, decided=400, review=40, p95_us=200.0),
                estimated={"roc_auc": now},
                delivered=Delivered(name="roc_auc", n_outcomes=300, promised=PROMISED, delivered=now, expected=now),
            )
        )  # fmt: skip
    return tuple(made)


def build_story(days: int) -> MonitorStory:
    return MonitorStory(
        title="bookings", created="2027-01-01T06:00:00Z", owner="Ada", release=1,
        task=Task(kind="binary", target="cancelled", classes=("no", "yes")), headline="roc_auc", promised=PROMISED,
        windows=build_year(days), events=(Event(at="2026-06-01T00:00:00Z", kind="release", words="Release 2 released"),),
    )  # fmt: skip


def test_a_year_fits_into_a_megabyte_and_names_cannot_break_out() -> None:
    page = render_monitor(build_story(365))
    assert len(page.encode()) < 1_000_000
    assert "<script" not in page
    assert "promised 0.81 (0.77–0.85)" in page
    assert "Release 2 released" in page
    assert page.count("<svg class=") >= 4


def test_a_page_without_windows_says_so() -> None:
    assert "No prediction has been judged yet" in render_monitor(build_story(0))
