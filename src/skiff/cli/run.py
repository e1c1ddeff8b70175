"""``skiff run``: the whole journey."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import (
    ask_provenance,
    effort_options,
    gather_wishes,
    provenance_options,
    question_options,
    secret_options,
)


@click.command("run", short_help="The whole journey: from a file to a released, explained model.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@question_options
@effort_options
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to work in.  [default: named after FILE, beside it]",
)
@provenance_options
@secret_options
@answer("run")
def command(file: Path, workspace: Path | None, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Read FILE, look for leaks, train, judge on sealed rows, release one ONNX file and write a report.

    Exit code 0: released. 1: the data or a criterion said no (the report is written all the same).

    Example:  skiff run bookings.csv --target cancelled
    """
    from skiff.cli.console import LiveProgress, print_story
    from skiff.cli.stopping import listen_for_stop
    from skiff.flows.run import run
    from skiff.flows.wishes import default_folder

    folder = workspace or default_folder(file)
    provenance = ask_provenance(options, folder=folder, name=file.name)
    with LiveProgress() as progress, listen_for_stop() as should_stop:
        outcome = run(
            file,
            gather_wishes(options),
            folder=folder,
            provenance=provenance,
            should_stop=should_stop,
            progress=progress,
        )

    def show() -> None:
        print_story(outcome.story, files=outcome.papers)

    return Outcome(result=outcome.result, findings=outcome.story.findings, show=show, is_yes=outcome.is_yes)
