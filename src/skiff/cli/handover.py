"""``skiff handover``: one signed file for the client."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("handover", short_help="Write one signed file that holds all the client needs.")
@click.option("--release", type=click.IntRange(min=1), help="By default the one that answers now.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="By default a file in reports/.")
@click.option("--page/--no-page", default=True, help="Put in the page on which the model answers offline (5 MB).")
@workspace_option
@answer("handover")
def command(release: int | None, output: Path | None, *, page: bool, workspace: Path) -> Outcome:
    """Write a zip with the model, report, card, datasheet, ledger, tests and a check that needs no Skiff.

    No row of your data goes into it. Check it with `skiff verify FILE`, or with the verify.py inside.
    """
    from skiff.flows.handover import hand_over

    made = hand_over(workspace, output, release=release, with_page=page)

    def show() -> None:
        click.echo(
            f"Release {made.release} is in {made.path} ({made.size_bytes / 1e6:.1f} MB, {len(made.files)} files)."
        )
        click.echo(f"SHA-256 {made.sha256}")
        click.echo(f"Signed with key {made.fingerprint}: tell the client this by another way than the file.")

    return Outcome(result=made.as_result(), show=show)
