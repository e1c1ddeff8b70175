"""``skiff run``: the whole journey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import effort_options, gather_wishes, question_options


@click.command("run", short_help="The whole journey: from a file to a released, explained model.")
@click.argument("file", type=click.Path(path_type=Path))
@question_options
@effort_options
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to work in.  [default: named after FILE, beside it]",
)
@click.option("--yes", "-y", is_flag=True, help="Never ask; take what Skiff proposes.")
@answer("run")
def command(file: Path, workspace: Path | None, yes: bool, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Read FILE, look for leaks, train, judge on sealed rows, release one ONNX file and write a report.

    Exit code 0: released. 1: the data or a criterion said no (the report is written all the same).

    Example:  skiff run bookings.csv --target cancelled
    """
    del yes  # nothing is asked so far: what would be asked is in the findings as a question
    from skiff.cli.console import LiveProgress, print_story
    from skiff.cli.stopping import listen_for_stop
    from skiff.flows.run import run
    from skiff.flows.settle import default_folder

    with LiveProgress() as progress, listen_for_stop() as should_stop:
        outcome = run(
            file,
            gather_wishes(options),
            folder=workspace or default_folder(file),
            should_stop=should_stop,
            progress=progress,
        )

    def show() -> None:
        print_story(outcome.story, files=outcome.papers)

    return Outcome(result=outcome.result, findings=outcome.story.findings, show=show, is_yes=outcome.is_yes)
