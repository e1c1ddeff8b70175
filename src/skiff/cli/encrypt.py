"""``skiff encrypt``: encrypt a workspace that is in use."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import warn_of_loss, workspace_option


@click.command("encrypt", short_help="Encrypt what a workspace holds, by a passphrase or a key file.")
@workspace_option
@answer("encrypt")
def command(workspace: Path) -> Outcome:
    """Encrypt tables, models, releases, the catalog and the prediction log of a workspace that is in use.

    The passphrase is asked for, or read from SKIFF_PASSPHRASE or --passphrase-file; a key file that is named with --key-file is made
    where it is not there. If it is stopped, run it again: it goes on where it stopped.
    """
    from skiff.flows.encryption import encrypt

    made = encrypt(workspace, tell=lambda part: click.echo(f"Encrypting: {part}", err=True))

    def show() -> None:
        counts = made.counts
        click.echo(
            f"Encrypted: {counts['objects']} objects, {counts['release_files']} files of releases, "
            f"{counts['log_rows']:,} rows of the prediction log, and the catalog."
        )
        click.echo(f"It opens with: {', '.join(made.opened_by)}")
        click.echo("What was plain before may still lie on unused parts of this disk, and in older backups.", err=True)
        warn_of_loss()

    return Outcome(result=made.as_result(), show=show)
