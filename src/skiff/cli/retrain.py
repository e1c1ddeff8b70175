"""``skiff retrain``: a challenger against the release that answers."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import Seconds, workspace_option


@click.command("retrain", short_help="Try a new model against the one that answers, and release it only if better.")
@click.option("--if-needed", is_flag=True, help="Do nothing unless a trigger of [retrain] says so.")
@click.option(
    "--mode",
    type=click.Choice(["suggest", "automatic"]),
    help="Who promotes: you, or Skiff.  [default: [retrain] mode in skiff.toml]",
)
@click.option("--budget", type=Seconds(), help="Time for training, such as 60s.  [default: [train] budget_s]")
@workspace_option
@answer("retrain")
def command(*, if_needed: bool, mode: str | None, budget: float | None, workspace: Path) -> Outcome:
    """Train a challenger on what really happened, and release it only if it is better by more than noise.

    Exit code 1 means that the challenger lost; the champion goes on answering and the report says why.
    """
    from skiff.cli.console import LiveProgress
    from skiff.cli.stopping import listen_for_stop
    from skiff.flows.probation import judge_probation
    from skiff.flows.retrain import retrain

    probation = judge_probation(workspace)
    with LiveProgress() as progress, listen_for_stop() as should_stop:
        made = retrain(
            workspace, if_needed=if_needed, mode=mode, budget_s=budget, should_stop=should_stop, progress=progress
        )

    def show() -> None:
        if probation.state != "none":
            click.echo(probation.sentence)
        for sentence in made.sentences:
            click.echo(sentence)
        if made.report:
            click.echo(f"\nRead: {made.report}")

    result = made.as_result() | {"probation": probation.as_result()}
    return Outcome(result=result, show=show, is_yes=made.state != "lost")
