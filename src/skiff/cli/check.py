"""``skiff check``: what is in the table, and can it be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import gather_wishes, question_options


@click.command("check", short_help="Look for what ruins models: leaks, gaps, duplicates, imbalance.")
@click.argument("file", type=click.Path(path_type=Path))
@question_options
@answer("check")
def command(file: Path, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Look FILE over like a good colleague: worst first, each with its proof and what to do.

    With --target the leak court sits too. Exit code 1 where something blocks. Answers given to an earlier run of the same
    file (--keep, --drop) are remembered.

    Example:  skiff check bookings.csv --target cancelled
    """
    from skiff.cli.console import LiveProgress, print_findings, summarise_findings
    from skiff.flows.check import check_file, recall_settings

    wishes = gather_wishes(options)
    with LiveProgress() as progress:
        outcome = check_file(file, wishes, settings=recall_settings(file, wishes), progress=progress)

    def show() -> None:
        click.echo(
            f"{outcome.name}: {outcome.rows:,} rows, {outcome.columns} columns. {summarise_findings(outcome.findings)}"
        )
        if outcome.split is not None:
            click.echo(f"Proposed split: {outcome.split['kind']}. {outcome.split['reason']}")
        click.echo()
        print_findings(outcome.findings)

    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=show, is_yes=not outcome.is_blocked)
