"""What a person sees of monitoring in the terminal."""

from __future__ import annotations

import signal
import textwrap
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from skiff.connect.messages import Delivery
    from skiff.flows.monitor import MonitorOutcome
    from skiff.flows.watch import WatchOutcome
    from skiff.monitor.results import WindowReport

WIDTH = 92
MARKS = {"alert": "✗", "quiet": "✓", "too_few": "·"}


def show_monitor(outcome: MonitorOutcome) -> None:
    """Print the newest window in full and the others in one line each."""
    reports = [*outcome.again, *outcome.windows]
    if not reports:
        click.echo("Nothing new to judge since the last time.")
    for report in reports[:-1]:
        click.echo(f"{MARKS[report.status]} {_say_span(report)}: {report.rows:,} rows. {report.why}")
    if reports:
        _show_window(reports[-1])
    if outcome.track.windows:
        _wrap(outcome.track.sentence)
    if outcome.page:
        click.echo(f"\nPage: {outcome.page}")


def show_watch(outcome: WatchOutcome) -> None:
    """Print what one look gave."""
    if not outcome.due:
        click.echo(f"Nothing is due. The next look is at {_say_time(outcome.next_due)}.")
        return
    if outcome.problem:
        click.echo(outcome.problem)
    if outcome.found is not None:
        show_monitor(outcome.found)
    for gone in outcome.retention.gone if outcome.retention else ():
        click.echo(
            f"Kept long enough, and gone: {gone.name}{f', column {gone.column}' if gone.column else ''} ({gone.rows:,} rows)"
        )
    for reminder in outcome.retention.reminders if outcome.retention else ():
        _wrap(f"! {reminder.sentence}")
    for notice in outcome.notices:
        click.echo(f"{notice.kind}: {notice.alert.what}")
    show_deliveries(outcome.deliveries)
    click.echo(f"The next look is at {_say_time(outcome.next_due)}.")


def show_deliveries(deliveries: Sequence[Delivery]) -> None:
    """Print what became of messages."""
    for delivery in deliveries:
        click.echo(f"✓ sent to {delivery.to}" if delivery.is_sent else f"✗ not sent to {delivery.to}: {delivery.why}")


def keep_watching(workspace: Path) -> int:
    """Watch until Ctrl-C or SIGTERM, and return how often it looked."""
    from skiff.flows.watch import watch_forever

    is_stopped = threading.Event()
    looks = 0

    def tell(outcome: WatchOutcome) -> None:
        nonlocal looks
        looks += 1
        show_watch(outcome)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: is_stopped.set())
    watch_forever(workspace, tell=tell, is_stopped=is_stopped)
    return looks


def _show_window(report: WindowReport) -> None:
    from skiff.monitor.delivered import say_number, say_promise

    click.echo(f"{MARKS[report.status]} {_say_span(report)}: {report.rows:,} rows answered by release {report.release}")
    _wrap(report.why)
    for item in report.signals:
        mark = "!" if item.is_alert else "·"
        _wrap(f"{mark} {item.what}")
        if item.is_alert:
            _wrap(f"  What to do next: {item.next_step}")
    if report.delivered is not None:
        _wrap(f"Quality ({report.delivered.name}): {say_promise(report.delivered)}")
    if report.delivered and report.delivered.name in report.estimated:
        name = report.delivered.name
        _wrap(f"Estimated without outcomes: {say_number(report.estimated[name])}")
    elif report.estimated:
        name, found = next(iter(report.estimated.items()))
        _wrap(f"Estimated without outcomes ({name}): {say_number(found)}")
    if report.feedback and report.feedback.sentence:
        _wrap(report.feedback.sentence)
    for note in report.notes:
        _wrap(f"· {note}")


def _say_span(report: WindowReport) -> str:
    return f"{_say_time(report.since)} to {_say_time(report.until)}" if report.since else "File"


def _say_time(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _wrap(text: str) -> None:
    indent = "    " if text[:2] in {"! ", "· ", "  "} else "  "
    click.echo(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent=indent))
