"""``skiff backup``: the workspace in one file."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("backup", short_help="Write one file from which the workspace can be put back.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@click.option("--with-keys", is_flag=True, help="Put in the keys too; keep such a file as secret as they are.")
@workspace_option
@answer("backup")
def command(output: Path, *, with_keys: bool, workspace: Path) -> Outcome:
    """Write catalog, data, releases, prediction log and settings into one signed file; servers go on meanwhile.

    It holds the client's data. Try it: skiff restore FILE DIR
    """
    from skiff.flows.backup import back_up

    made = back_up(workspace, output, with_keys=with_keys)

    def show() -> None:
        click.echo(
            f"{made.file}: {made.files} files, {made.size_bytes / 1e6:.1f} MB, {made.ledger_records} ledger records"
        )
        click.echo(f"SHA-256 {made.sha256}")
        click.echo(f"Signed with key {made.fingerprint}")
        if made.is_encrypted:
            click.echo("Encrypted as the workspace is: only what opens it today opens this file.", err=True)
        if not with_keys:
            click.echo(
                "Keys are not in it: a workspace put back from it signs with a new key and needs new API keys.",
                err=True,
            )

    return Outcome(result=made.as_result(), show=show)
