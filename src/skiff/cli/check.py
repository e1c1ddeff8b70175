"""``skiff check``: what is in the table, and can it be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import gather_wishes, question_options, secret_options


@click.command("check", short_help="Look for what ruins models: leaks, gaps, duplicates, imbalance.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@question_options
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Whose contract and answers hold.  [default: the folder named after FILE, beside it]",
)
@click.option(
    "--population",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A table (column, level, share) of known shares of the population.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the page.  [default: the workspace's reports, else beside FILE]",
)
@click.option("--no-report", is_flag=True, help="Write no page.")
@secret_options
@answer("check")
def command(
    file: Path,
    workspace: Path | None,
    population: Path | None,
    report: Path | None,
    no_report: bool,
    **options: Any,  # noqa: ANN401  one option each
) -> Outcome:
    """Look FILE over like a good colleague: worst first, each with its proof and what to do.

    With --target the leak court sits too. Writes a page for the client (data-report.html). Exit code 1 where something
    blocks. Answers given to an earlier run of the same file (--keep, --drop) are remembered.

    Example:  skiff check bookings.csv --target cancelled
    """
    from skiff.cli.console import LiveProgress, print_note
    from skiff.flows.check import check_file, recall_settings
    from skiff.flows.wishes import default_folder

    folder = workspace or default_folder(file)
    wishes = gather_wishes(options)
    settings = recall_settings(folder, wishes)
    with LiveProgress() as progress:
        outcome = check_file(file, wishes, settings=settings, folder=folder, population=population, progress=progress)
        written = None
        if not no_report:
            from skiff.flows.data_report import place_report, write_data_report

            progress.stage("Tell", "one page for the client")
            written = write_data_report(outcome, report or place_report(file, folder), settings=settings)
    result = outcome.as_result() | {"files": {"data_report": str(written)} if written else {}}
    return Outcome(
        result=result,
        findings=outcome.findings,
        show=lambda: print_note(
            outcome.findings,
            opening=outcome.opening,
            written=written,
            split=outcome.split,
            basis=outcome.sampling.say() if outcome.sampling else "",
        ),
        is_yes=not outcome.is_blocked,
    )
