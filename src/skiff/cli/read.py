"""``skiff read``: a messy file becomes a clean table."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer

SHOWN_COLUMNS = 60
"""More columns than this are not read on a screen; ``--json`` has them all."""


@click.command("read", short_help="Read a messy file and write a clean table.")
@click.argument("file")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: .csv or .parquet."
)
@click.option("--sheet", help="Which sheet of a workbook.")
@click.option("--query", help="Which rows of a database, as SQL.")
@answer("read")
def command(file: str, output: Path | None, sheet: str | None, query: str | None) -> Outcome:
    """Read FILE whatever its encoding, delimiter and dates, say every decision, and write a clean table.

    FILE may be a folder of files with the same columns, - for standard input, or the address of a database.

    Example:  skiff read export.xlsx -o clean.csv
    """
    from skiff.cli.console import print_findings, print_table
    from skiff.flows.export import read_and_write
    from skiff.report.numbers import describe_shape

    outcome = read_and_write(file, output, sheet=sheet, query=query)

    def show() -> None:
        click.echo(f"{outcome.name}: {describe_shape(outcome.rows, outcome.columns)}")
        print_table(
            ["column", "read as", "missing"],
            [(c.name, c.kind, f"{c.missing:,}") for c in outcome.details[:SHOWN_COLUMNS]],
            numbers=["missing"],
        )
        if len(outcome.details) > SHOWN_COLUMNS:
            click.echo(f"… and {len(outcome.details) - SHOWN_COLUMNS:,} more columns (--json lists them all)")
        click.echo()
        print_findings(outcome.findings)
        if outcome.output:
            click.echo(f"\nWritten: {outcome.output}")

    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=show)
