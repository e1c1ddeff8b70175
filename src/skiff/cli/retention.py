"""``skiff retention``: what must go when."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("retention", short_help="Show what must go when, and let go of what is due.")
@click.option("--once", is_flag=True, help="Let go of what is past its day, then end; skiff watch does the same.")
@workspace_option
@answer("retention")
def command(*, once: bool, workspace: Path) -> Outcome:
    """Show which tables, columns and parts of the prediction log must go, and when; change that with skiff data terms.

    Exit code 1 where something is past its day, or the reason to keep a model has ended.
    """
    from skiff.flows.retention import keep_retention, show_retention

    found = keep_retention(workspace) if once else show_retention(workspace)

    def show() -> None:
        for item in found.gone:
            place = f"{item.name}, column '{item.column}'" if item.column else item.name
            click.echo(f"Gone: {place} ({item.rows:,} rows)")
        for due in found.due:
            place = f"{due.name}, column '{due.column}'" if due.column else due.name
            when = "always, by the age of each row" if due.kind == "log" else due.due[:10]
            click.echo(
                f"  {when:<32}{place} (kept for {due.days:g} days){' PAST ITS DAY' if due.kind != 'log' and due.is_due else ''}"
            )
        if not found.due:
            click.echo("Nothing has a day. Say how long a table may be kept: skiff data terms --keep-for 2y")
        for reminder in found.reminders:
            click.echo(f"  ! {reminder.sentence}")

    is_past = any(item.is_due for item in found.due if item.kind != "log")
    return Outcome(result=found.as_result(), show=show, is_yes=not is_past and not found.reminders)
