"""``skiff read``: a messy file becomes a clean table."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer


@click.command("read", short_help="Read a messy file and write a clean table.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: .csv or .parquet."
)
@click.option("--sheet", help="Which sheet of a workbook.")
@click.option("--query", help="Which rows of a database, as SQL.")
@answer("read")
def command(file: Path, output: Path | None, sheet: str | None, query: str | None) -> Outcome:
    """Read FILE whatever its encoding, delimiter and dates, say every decision, and write a clean table.

    Example:  skiff read export.xlsx -o clean.csv
    """
    from skiff.cli.console import print_findings, print_table
    from skiff.flows.export import read_and_write

    outcome = read_and_write(file, output, sheet=sheet, query=query)

    def show() -> None:
        click.echo(f"{outcome.name}: {outcome.rows:,} rows, {outcome.columns} columns")
        print_table(
            ["column", "read as", "missing"],
            [(c.name, c.kind, f"{c.missing:,}") for c in outcome.details],
            numbers=["missing"],
        )
        click.echo()
        print_findings(outcome.findings)
        if outcome.output:
            click.echo(f"\nWritten: {outcome.output}")

    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=show)
