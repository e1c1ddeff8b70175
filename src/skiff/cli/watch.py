"""``skiff watch``: judge predictions on a schedule and tell whoever must act."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("watch", short_help="Judge on a schedule, and send alerts.")
@click.option("--once", is_flag=True, help="Look if a moment of the schedule is due, then end (for cron and systemd).")
@click.option("--now", is_flag=True, help="Look now, due or not, then end.")
@click.option("--test", "is_test", is_flag=True, help="Send a test message to every address, then end.")
@workspace_option
@answer("watch")
def command(*, once: bool, now: bool, is_test: bool, workspace: Path) -> Outcome:
    """Judge the prediction log at the moments of [watch] schedule, and send alerts to [alerts] to, until stopped.

    What is past its time of keeping goes at the same moments (skiff retention).

    Exit code 1 where something needs somebody to act, or a test message did not arrive.

    Example:  skiff watch --once --workspace bookings
    """
    from skiff.cli.watching import keep_watching, show_deliveries, show_watch
    from skiff.flows.watch import send_test_message, watch_once

    if is_test:
        sent = send_test_message(workspace)
        is_yes = all(delivery.is_sent for delivery in sent)
        return Outcome(result={"deliveries": sent}, show=lambda: show_deliveries(sent), is_yes=is_yes)
    if once or now:
        outcome = watch_once(workspace, is_forced=now)
        is_quiet = outcome.found is None or outcome.found.is_quiet
        is_yes = is_quiet and not (outcome.retention and outcome.retention.reminders)
        return Outcome(result=outcome.as_result(), show=lambda: show_watch(outcome), is_yes=is_yes)
    looks = keep_watching(workspace)
    return Outcome(result={"looks": looks}, show=lambda: click.echo(f"Stopped after {looks} looks."))
