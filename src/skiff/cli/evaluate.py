"""``skiff evaluate``: judge the latest candidate."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("evaluate", short_help="Judge the latest candidate on its sealed test set.")
@click.option("--release", is_flag=True, help="Release it if it meets its criteria.")
@workspace_option
@answer("evaluate")
def command(release: bool, workspace: Path) -> Outcome:
    """Judge the candidate that was trained last on rows it has never seen. Each look at them is counted.

    Exit code 1 where a criterion says no.
    """
    from skiff.cli.console import LiveProgress, print_story
    from skiff.flows.steps import evaluate_in_workspace

    with LiveProgress() as progress:
        outcome = evaluate_in_workspace(workspace, may_release=release, progress=progress)

    def show() -> None:
        print_story(outcome.story, files=outcome.papers)

    return Outcome(result=outcome.result, findings=outcome.story.findings, show=show, is_yes=outcome.is_yes)
