"""``skiff monitor``: judge windows of predictions."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("monitor", short_help="Judge what the model answered: drift, estimated and delivered quality.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), help="Judge a file of rows instead of the log."
)
@click.option("--since", metavar="TIME", help="Only answers from this time on, such as 2026-03-01.")
@click.option("--until", metavar="TIME", help="Only answers before this time.")
@click.option("--rows", type=click.IntRange(min=1), help="Only the last so many answers.")
@click.option("--release", type=click.IntRange(min=1), help="Which release.  [default: the one that answers now]")
@workspace_option
@answer("monitor")
def command(
    *, file: Path | None, since: str | None, until: str | None, rows: int | None, release: int | None, workspace: Path
) -> Outcome:
    """Judge every window of the prediction log that has not been judged yet, and draw reports/monitor.html.

    Exit code 1 where something needs somebody to act.

    Examples:  skiff monitor --workspace bookings   ·   skiff monitor --file march.csv --workspace bookings
    """
    from skiff.cli.watching import show_monitor
    from skiff.flows.monitor import monitor_file, monitor_log

    if file is not None:
        if since or until or rows:
            raise click.UsageError(
                "--since, --until and --rows choose rows of the log; with --file all rows are judged."
            )
        outcome = monitor_file(workspace, file, release=release)
    else:
        outcome = monitor_log(workspace, since=since, until=until, rows=rows, release=release)
    return Outcome(result=outcome.as_result(), show=lambda: show_monitor(outcome), is_yes=outcome.is_quiet)
