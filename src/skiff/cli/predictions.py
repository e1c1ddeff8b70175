"""``skiff predictions``: the prediction log, counted and exported."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.group("predictions", short_help="Count and export what was predicted, with outcomes.")
def command() -> None:
    """Count and export what was predicted, with outcomes."""


@command.command("count")
@workspace_option
@answer("predictions count")
def count(workspace: Path) -> Outcome:
    """Say how many predictions and outcomes the log holds."""
    from skiff.flows.predictions import count_predictions

    found = count_predictions(workspace)
    return Outcome(
        result=found,
        show=lambda: click.echo(f"{found['predictions']:,} predictions, {found['outcomes']:,} outcomes"),
    )


@command.command("export")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A .parquet file.")
@click.option("--since", type=DAY, help="From this day on (UTC).")
@click.option("--until", type=DAY, help="Before this day (UTC).")
@click.option("--release", type=click.IntRange(min=1), help="Only the answers of this release.")
@workspace_option
@answer("predictions export")
def export(
    *, output: Path, since: dt.datetime | None, until: dt.datetime | None, release: int | None, workspace: Path
) -> Outcome:
    """Write predictions, kept inputs and outcomes as one Parquet file, which DuckDB, pandas and others read in place.

    Example:  skiff predictions export -o march.parquet --since 2026-03-01 --until 2026-04-01 --workspace bookings
    """
    from skiff.flows.predictions import export_predictions

    rows = export_predictions(workspace, output, since=since, until=until, release=release)
    return Outcome(
        result={"rows": rows, "output": str(output)},
        show=lambda: click.echo(f"{rows:,} predictions written to {output}"),
    )
