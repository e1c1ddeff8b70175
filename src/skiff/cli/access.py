"""``skiff access``: all that is held on a person."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("access", short_help="Gather all that is held on a person, for them (GDPR Art. 15).")
@click.option(
    "--subject",
    required=True,
    metavar="ID",
    help="The name or number as it stands in the data; - reads it from standard input.",
)
@click.option("--column", metavar="COL", help="Look in this column only.")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="A new folder, or a .zip file.")
@workspace_option
@answer("access")
def command(subject: str, column: str | None, output: Path, workspace: Path) -> Outcome:
    """Write everything on a person as JSON, CSV and a page: rows, predictions with what moved them, purposes, recipients, source.

    Example:  skiff access --subject 7590-VHVEG -o for-them.zip --workspace churn
    """
    from skiff.flows.access import give_access

    made = give_access(workspace, sys.stdin.readline() if subject == "-" else subject, output, column=column)

    def show() -> None:
        for name, rows in made.rows.items():
            click.echo(f"  {name}: {rows:,} {'row' if rows == 1 else 'rows'}")
        if not made.rows:
            click.echo("Nothing of this person was found. Is the name written as in the data?")
        click.echo(f"Written to {made.output}: {', '.join(made.files)}")
        click.echo(
            "It holds the person's data. Look through it before you hand it out: a row may name others too.", err=True
        )

    return Outcome(result=made.as_result(), show=show)
