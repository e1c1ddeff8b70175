"""Look at the predictions on a schedule, tell whoever must act, and remember what was told."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec

from skiff.connect.messages import Delivery, check_addresses, send_message
from skiff.core.errors import SkiffError
from skiff.flows.monitor import MonitorOutcome, monitor_workspace
from skiff.flows.retention import RetentionOutcome, let_go
from skiff.monitor.notices import Notice, OpenAlert, decide_notices, mark_told, write_message
from skiff.monitor.schedule import Schedule, find_due, read_schedule, remember
from skiff.store.clock import Clock, now_utc
from skiff.store.workspace import Workspace

STATE = "watch"

LONGEST_SLEEP_S = 30.0
"""The clock is read this often while waiting: after a suspend or a jump the next look is at most this late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """What is remembered between looks: moments that are done, and alerts that are open."""

    done: tuple[str, ...] = ()
    alerts: tuple[OpenAlert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOutcome:
    """What one look gave; ``due`` is empty where nothing was due."""

    due: str = ""
    next_due: str = ""
    found: MonitorOutcome | None = None
    notices: tuple[Notice, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    open_alerts: tuple[OpenAlert, ...] = ()
    problem: str = ""
    retention: RetentionOutcome | None = None

    def as_result(self) -> dict[str, object]:
        """Return what ``--json`` prints."""
        return {
            "due": self.due or None,
            "next_due": self.next_due or None,
            "monitor": self.found.as_result() if self.found else None,
            "notices": [asdict(notice) for notice in self.notices],
            "deliveries": [asdict(delivery) for delivery in self.deliveries],
            "open_alerts": [asdict(alert) for alert in self.open_alerts],
            "problem": self.problem or None,
            "retention": self.retention.as_result() if self.retention else None,
        }


def watch_once(folder: Path, *, is_forced: bool = False, clock: Clock = now_utc) -> WatchOutcome:
    """Look if a moment of the schedule is due; at most once for each moment, however often it is called.

    Parameters
    ----------
    folder : Path
    is_forced : bool
        Look now, due or not; the moment counts as done.
    clock : callable

    Notes
    -----
    The first call on a workspace looks at once. What was found is kept before anything is sent, and a message counts as
    sent after a server took it: a process that dies in between sends it again rather than never.

    Raises
    ------
    SkiffError
        ``schedule_unreadable``, ``alert_address_unknown``, ``no_release``.
    """
    with Workspace.open(folder, clock=clock) as workspace:
        watch, alerts = workspace.settings.watch, workspace.settings.alerts
        schedule = read_schedule(watch.schedule, timezone=watch.timezone)
        check_addresses(alerts.to)
        now = dt.datetime.fromisoformat(clock())
        state = read_state(workspace)
        due = _find_due(schedule, now, state, is_forced=is_forced)
        following = schedule.find_next(now).isoformat()
        if due is None:
            return WatchOutcome(next_due=following, open_alerts=state.alerts)
        with workspace.lock("watch"):
            state = read_state(workspace)  # another watch may have been first
            if _find_due(schedule, now, state, is_forced=is_forced) is None:
                return WatchOutcome(next_due=following, open_alerts=state.alerts)
            made = replace(_look(workspace, state, due, clock=clock), retention=_keep_terms(workspace, clock=clock))
    return replace(made, due=due.isoformat(), next_due=following)


def watch_forever(
    folder: Path,
    *,
    tell: Callable[[WatchOutcome], None],
    is_stopped: threading.Event,
    clock: Clock = now_utc,
    longest_sleep_s: float = LONGEST_SLEEP_S,
) -> None:
    """Look at every moment of the schedule until stopped.

    Parameters
    ----------
    folder : Path
    tell : callable
        Called with each look that was due.
    is_stopped : threading.Event
    clock : callable
    longest_sleep_s : float
    """
    while not is_stopped.is_set():
        outcome = watch_once(folder, clock=clock)
        if outcome.due:
            tell(outcome)
            continue  # the next moment may have come meanwhile
        wait = (dt.datetime.fromisoformat(outcome.next_due) - dt.datetime.fromisoformat(clock())).total_seconds()
        is_stopped.wait(min(max(wait, 0.05), longest_sleep_s))


def send_test_message(folder: Path) -> tuple[Delivery, ...]:
    """Send a message that only says that it is one.

    Raises
    ------
    SkiffError
        ``no_alert_address`` where none is configured; ``alert_address_unknown``.
    """
    with Workspace.open(folder) as workspace:
        alerts = workspace.settings.alerts
        name = workspace.root.name
    if not alerts.to:
        raise SkiffError(
            "no_alert_address",
            what="There is no address to send alerts to.",
            where={"setting": "alerts.to"},
            fix='Add one to skiff.toml:  [alerts]  to = ["mailtos://user:password@example.org"]',
        )
    check_addresses(alerts.to)
    text = f"This is a test. Alerts about the workspace {name} will arrive here.\nWho answers for it: {alerts.owner or 'nobody is named yet'}."
    return send_message(f"Skiff, {name}: test", text, to=alerts.to, allow_private=alerts.allow_private)


def read_state(workspace: Workspace) -> WatchState:
    """Return what the watch remembers."""
    return msgspec.convert(workspace.windows.read_state(STATE) or {}, WatchState)


def _find_due(schedule: Schedule, now: dt.datetime, state: WatchState, *, is_forced: bool) -> dt.datetime | None:
    if is_forced:
        return schedule.find_last(now)
    return find_due(schedule, now, done=set(state.done), started=dt.datetime.min.replace(tzinfo=dt.UTC))


def _look(workspace: Workspace, state: WatchState, due: dt.datetime, *, clock: Clock) -> WatchOutcome:
    alerts, now = workspace.settings.alerts, clock()
    done = remember(state.done, due)
    try:
        found = monitor_workspace(workspace, now=now)
    except SkiffError as error:
        if error.code != "no_predictions":
            raise
        _write_state(workspace, WatchState(done=done, alerts=state.alerts))
        return WatchOutcome(open_alerts=state.alerts, problem=error.what)
    if not found.windows and not found.again:
        _write_state(workspace, WatchState(done=done, alerts=state.alerts))
        return WatchOutcome(found=found, open_alerts=state.alerts)
    newest = found.windows[-1] if found.windows else found.again[-1]
    signals = [signal for report in (*found.again, *found.windows) for signal in report.alerts]
    notices, still = decide_notices(
        state.alerts,
        signals,
        release=found.release,
        now=now,
        cool_down_hours=alerts.cool_down_hours,
        has_enough_rows=bool(found.windows) and newest.status != "too_few",
    )
    # Kept before anything is sent: alerts that nobody was told of are sent at the next look.
    _write_state(workspace, WatchState(done=done, alerts=still))
    if not notices:
        return WatchOutcome(found=found, open_alerts=still)
    deliveries: tuple[Delivery, ...] = ()
    if alerts.to:
        title, text = write_message(
            notices,
            workspace=workspace.root.name,
            owner=alerts.owner or workspace.settings.owner.name,
            since=newest.since,
            until=newest.until,
            report="reports/monitor.html",
        )
        is_good_news = all(notice.kind == "recovered" for notice in notices)
        deliveries = send_message(
            title,
            text,
            to=alerts.to,
            allow_private=alerts.allow_private,
            tone="success" if is_good_news else "warning",
        )
    if not alerts.to or any(delivery.is_sent for delivery in deliveries):
        still = mark_told(still, notices, now=now)
        _write_state(workspace, WatchState(done=done, alerts=still))
    sent: dict[str, object] = {
        "alerts": [notice.alert.key for notice in notices],
        "deliveries": [[delivery.to, delivery.is_sent] for delivery in deliveries],
    }
    workspace.ledger.append("alert", subject=f"release {found.release}", result=sent, at=clock())
    return WatchOutcome(found=found, notices=notices, deliveries=deliveries, open_alerts=still)


def _keep_terms(workspace: Workspace, *, clock: Clock) -> RetentionOutcome:
    """Let go of what is past its day, and remind of models that were to stay only until now."""
    found = let_go(workspace, at=clock)
    alerts = workspace.settings.alerts
    if found.reminders and alerts.to:
        text = "\n\n".join(item.sentence for item in found.reminders)
        send_message(
            f"Skiff, {workspace.root.name}: a model was to go", text, to=alerts.to, allow_private=alerts.allow_private
        )
    return found


def _write_state(workspace: Workspace, state: WatchState) -> None:
    workspace.windows.write_state(STATE, msgspec.to_builtins(state))
