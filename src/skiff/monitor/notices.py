"""Which messages to send: a new alert at once, the same one not again before the cool-down, a recovery once it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from skiff.monitor.results import Signal

NoticeKind: TypeAlias = Literal["alert", "still", "recovered"]

QUIET_WINDOWS = 2
"""Windows without the signal, with enough rows, before it is called over: one quiet day in a bad week is no recovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that someone was told of.

    Parameters
    ----------
    key : str
        See `Signal.key`.
    release : int
    opened, told : str
        UTC, ISO 8601: when it was first seen, and when a message last went out (empty: none has).
    what, next_step : str
    quiet : int
        Windows since in which it did not show.
    """

    key: str
    release: int
    opened: str
    told: str
    what: str
    next_step: str
    quiet: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to say in the next message."""

    kind: NoticeKind
    alert: OpenAlert


def decide_notices(
    known: Sequence[OpenAlert],
    signals: Sequence[Signal],
    *,
    release: int,
    now: str,
    cool_down_hours: float,
    has_enough_rows: bool = True,
) -> tuple[tuple[Notice, ...], tuple[OpenAlert, ...]]:
    """Compare what is open with what the newest window shows.

    Parameters
    ----------
    known : sequence of OpenAlert
        Open alerts.
    signals : sequence of Signal
        Those of the window that someone must act on.
    release : int
        Which answered; alerts of another release end with it.
    now : str
        UTC, ISO 8601.
    cool_down_hours : float
        The same alert is not sent again before.
    has_enough_rows : bool
        A window that was too small proves no recovery.

    Returns
    -------
    notices : tuple of Notice
        What to send now; a failed delivery is tried again because `told` is only set by `mark_told`.
    still_open : tuple of OpenAlert

    Examples
    --------
    >>> signal = Signal(kind="missing", subject="price", what="'price' is empty in 30% of the rows.", next_step="Check the form.",
    ...                 chance=0.0, allowed=0.01, could_move="yes", is_alert=True)
    >>> first, open_ = decide_notices((), [signal], release=1, now="2026-03-01T06:00:00Z", cool_down_hours=24)
    >>> open_ = mark_told(open_, first, now="2026-03-01T06:00:00Z")
    >>> again, _ = decide_notices(open_, [signal], release=1, now="2026-03-01T12:00:00Z", cool_down_hours=24)
    >>> [notice.kind for notice in first], again
    (['alert'], ())
    """
    seen: Mapping[str, Signal] = {signal.key: signal for signal in signals}
    notices: list[Notice] = []
    still: list[OpenAlert] = []
    for alert in known:
        signal = seen.get(alert.key) if alert.release == release else None
        if signal is not None:
            updated = replace(alert, what=signal.what, next_step=signal.next_step, quiet=0)
            still.append(updated)
            if not alert.told:
                notices.append(Notice(kind="alert", alert=updated))
            elif find_hours(alert.told, now) >= cool_down_hours:
                notices.append(Notice(kind="still", alert=updated))
            continue
        quiet = alert.quiet + (1 if has_enough_rows else 0)
        if quiet >= QUIET_WINDOWS or alert.release != release:
            if alert.told:
                notices.append(Notice(kind="recovered", alert=replace(alert, quiet=quiet)))
            continue
        still.append(replace(alert, quiet=quiet))
    old = {alert.key for alert in known if alert.release == release}
    for key, signal in seen.items():
        if key not in old:
            fresh = OpenAlert(
                key=key, release=release, opened=now, told="", what=signal.what, next_step=signal.next_step
            )
            still.append(fresh)
            notices.append(Notice(kind="alert", alert=fresh))
    return tuple(notices), tuple(still)


def mark_told(alerts: Sequence[OpenAlert], notices: Sequence[Notice], *, now: str) -> tuple[OpenAlert, ...]:
    """Return the open alerts with the moment at which those in `notices` were sent."""
    sent = {notice.alert.key for notice in notices}
    return tuple(replace(alert, told=now) if alert.key in sent else alert for alert in alerts)


def find_hours(earlier: str, later: str) -> float:
    """Return the hours between two moments; a clock that went back counts as no time at all.

    Examples
    --------
    >>> find_hours("2026-03-01T06:00:00Z", "2026-03-02T07:30:00Z"), find_hours("2026-03-01T06:00:00Z", "2026-02-01T00:00:00Z")
    (25.5, 0.0)
    """
    span = dt.datetime.fromisoformat(later) - dt.datetime.fromisoformat(earlier)
    return max(span.total_seconds() / 3600, 0.0)


def write_message(
    notices: Sequence[Notice], *, workspace: str, owner: str, since: str, until: str, report: str
) -> tuple[str, str]:
    """Return title and text of one message for everything there is to say; plain text, no cell of the data.

    Examples
    --------
    >>> alert = OpenAlert(key="missing:price", release=1, opened="2026-03-01T06:00:00Z", told="", what="'price' is empty.",
    ...                   next_step="Check the form.")
    >>> title, text = write_message([Notice(kind="alert", alert=alert)], workspace="bookings", owner="Ada", since="", until="",
    ...                             report="reports/monitor.html")
    >>> title
    'Skiff, bookings: 1 alert'
    >>> print(text.splitlines()[0])
    ALERT: 'price' is empty.
    """
    heads = {"alert": "ALERT", "still": "STILL SO", "recovered": "RECOVERED"}
    counts = {kind: sum(notice.kind == kind for notice in notices) for kind in heads}
    parts = [
        _count(counts["alert"], "alert"),
        f"{counts['still']} still open" if counts["still"] else "",
        f"{counts['recovered']} recovered" if counts["recovered"] else "",
    ]
    lines: list[str] = []
    for notice in notices:
        lines.append(f"{heads[notice.kind]}: {notice.alert.what}")
        if notice.kind != "recovered":
            lines.append(f"  What to do next: {notice.alert.next_step}")
        lines.append(f"  Release {notice.alert.release}, first seen {notice.alert.opened[:16].replace('T', ' ')} UTC.")
        lines.append("")
    if since:
        lines.append(f"Window: {since[:16].replace('T', ' ')} to {until[:16].replace('T', ' ')} UTC.")
    lines.append(f"Who answers for it: {owner or 'nobody is named yet; set [alerts] owner'}.")
    lines.append(f"Details: {report} in the workspace {workspace}.")
    return f"Skiff, {workspace}: {', '.join(part for part in parts if part)}", "\n".join(lines)


def _count(n: int, word: str) -> str:
    return "" if not n else f"{n} {word}" + ("s" if n > 1 else "")
