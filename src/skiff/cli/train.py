"""``skiff train``: a candidate on a dataset of the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import effort_options, gather_wishes, question_options, workspace_option


@click.command("train", short_help="Train a candidate on a dataset of the workspace.")
@click.argument("dataset", required=False)
@question_options
@effort_options
@workspace_option
@answer("train")
def command(dataset: str | None, workspace: Path, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Train on a DATASET of the workspace (id, hash or name; by default the newest). Judge it with `skiff evaluate`.

    Example:  skiff train --target cancelled --budget 60s
    """
    from skiff.cli.console import LiveProgress, print_table
    from skiff.cli.stopping import listen_for_stop
    from skiff.data.sentences import say_figure
    from skiff.flows.steps import tell_small, train_in_workspace
    from skiff.report.numbers import count_of

    with LiveProgress() as progress, listen_for_stop() as should_stop:
        outcome = train_in_workspace(
            workspace, gather_wishes(options), dataset=dataset, should_stop=should_stop, progress=progress
        )

    def show() -> None:
        made = outcome.candidate
        click.echo(
            f"Trained on {outcome.dataset.name} in {made.train_seconds:.0f} s: {count_of(len(made.tried), 'candidate')} tried."
        )
        rows = [(name, say_figure(loss), f"{weight:.2f}") for name, loss, weight in made.tried]
        print_table(["candidate", "loss (out of fold)", "share"], rows, numbers=["loss (out of fold)", "share"])
        for note in made.notes:
            click.echo(note)
        if made.small is not None:
            click.echo(tell_small(made.small))
        if made.doubt:
            click.echo(f"\n{made.doubt}")
            return
        click.echo("\nNext: skiff evaluate   (opens the sealed test set; each look is counted)")

    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=show, is_yes=outcome.is_yes)
