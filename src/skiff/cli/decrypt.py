"""``skiff decrypt``: make an encrypted workspace plain again."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("decrypt", short_help="Write what an encrypted workspace holds as plain files again.")
@workspace_option
@answer("decrypt")
def command(workspace: Path) -> Outcome:
    """Decrypt everything and forget the key. If it is stopped, run it again: it goes on where it stopped."""
    from skiff.flows.encryption import decrypt

    made = decrypt(workspace, tell=lambda part: click.echo(f"Decrypting: {part}", err=True))

    def show() -> None:
        counts = made.counts
        click.echo(
            f"Decrypted: {counts['objects']} objects, {counts['release_files']} files of releases, "
            f"{counts['log_rows']:,} rows of the prediction log, and the catalog. Whoever can read this disk can read them."
        )

    return Outcome(result=made.as_result(), show=show)
