"""``skiff vault``: what opens an encrypted workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.group("vault", short_help="Show and change what opens an encrypted workspace.")
def command() -> None:
    """Show and change what opens an encrypted workspace: passphrase, key files, the key itself."""


@command.command("show")
@workspace_option
@answer("vault show")
def show_(workspace: Path) -> Outcome:
    """Show whether the workspace is encrypted, and what opens it. No key is needed for that."""
    from skiff.flows.encryption import show_vault

    return _tell(show_vault(workspace))


@command.command("passphrase")
@click.option(
    "--new-passphrase-file",
    "new_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File whose first line is the new passphrase.  [default: asked]",
)
@workspace_option
@answer("vault passphrase")
def passphrase(new_file: Path | None, workspace: Path) -> Outcome:
    """Replace the passphrase, or set one; nothing is encrypted anew. Backups made before still open with the old one."""
    from skiff.flows.encryption import change_passphrase

    return _tell(change_passphrase(workspace, new_file=new_file))


@command.command("add-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@workspace_option
@answer("vault add-key")
def add_key(file: Path, workspace: Path) -> Outcome:
    """Let FILE open the workspace too; it is made where it is not there. Keep it outside the workspace, in another place.

    Example:  skiff vault add-key /media/stick/bookings.key
    """
    from skiff.flows.encryption import add_key_file

    return _tell(add_key_file(workspace, file))


@command.command("drop")
@click.argument("name")
@workspace_option
@answer("vault drop")
def drop(name: str, workspace: Path) -> Outcome:
    """Let the key file called NAME (or the "passphrase") no longer open the workspace.

    Whoever kept a copy of vault.json from before can still use it: after a theft, run skiff vault rotate.
    """
    from skiff.flows.encryption import drop_slot

    return _tell(drop_slot(workspace, name))


@command.command("rotate")
@workspace_option
@answer("vault rotate")
def rotate(workspace: Path) -> Outcome:
    """Draw a new key and encrypt everything with it. If it is stopped, run it again: it goes on where it stopped.

    What is given now opens the new key; other key files have to be added again.
    """
    from skiff.flows.encryption import rotate as rotate_key

    made = rotate_key(workspace, tell=lambda part: click.echo(f"Encrypting anew: {part}", err=True))

    def show() -> None:
        click.echo(f"A new key. It opens with: {', '.join(made.opened_by)}")
        if made.dropped:
            click.echo(f"No longer: {', '.join(made.dropped)}. Add them again with skiff vault add-key FILE.")
        click.echo("Backups made before still open with the old key.", err=True)

    return Outcome(result=made.as_result(), show=show)


def _tell(found: dict[str, Any]) -> Outcome:
    def show() -> None:
        if not found["encrypted"]:
            click.echo(f"{found['workspace']} is not encrypted. Encrypt it with: skiff encrypt")
            return
        click.echo(f"{found['workspace']} is encrypted ({found['cipher']}, key {found['key']}).")
        if found["state"] != "encrypted":
            click.echo(f"It is in the middle of being changed over ({found['state']}): run that command again.")
        click.echo(f"It opens with: {', '.join(found['opened_by'])}")
        if "key_file" in found:
            click.echo(f"The key in {found['key_file']} is called {found['name']}.")
        if len(found["opened_by"]) == 1:
            click.echo(
                "If that is lost, nothing can be recovered. Make a second one: skiff vault add-key FILE", err=True
            )

    return Outcome(result=found, show=show)
