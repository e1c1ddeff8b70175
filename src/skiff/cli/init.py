"""``skiff init``: a workspace with every setting explained."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import secret_options, warn_of_loss


@click.command("init", short_help="Make a workspace with a commented skiff.toml.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--target", help="Column to predict.", metavar="COL")
@click.option("--encrypt", is_flag=True, help="Encrypt what .skiff will hold, by a passphrase or a key file.")
@secret_options
@answer("init")
def command(folder: Path, target: str | None, *, encrypt: bool) -> Outcome:
    """Make a workspace in FOLDER (by default where you are); nothing that exists is changed.

    Example:  skiff init bookings --target cancelled
    """
    from skiff.flows.workspace import make_workspace

    made = make_workspace(folder, target=target, encrypt=encrypt)

    def show() -> None:
        state = "A new workspace" if made["is_new"] else "Already a workspace"
        click.echo(f"{state}: {made['workspace']}")
        click.echo(f"Settings, each explained: {made['settings']}")
        if encrypt:
            warn_of_loss()
        click.echo("Next: skiff data add FILE, or skiff run FILE --target COLUMN --workspace " + str(folder))

    return Outcome(result=made, show=show)
