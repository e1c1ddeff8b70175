"""``skiff restore``: a workspace from its backup."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import secret_options


@click.command("restore", short_help="Put a workspace back from a backup.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", default="", help="Fingerprint of the key you trust.")
@click.option(
    "--tombstones",
    type=click.Path(path_type=Path),
    help="A workspace, or a file, that says who was erased since.  [default: FILE.erased.json]",
)
@secret_options
@answer("restore")
def command(file: Path, folder: Path, key: str, tombstones: Path | None) -> Outcome:
    """Put the workspace in FILE back into FOLDER, which must be new or empty. A damaged backup changes nothing."""
    from skiff.flows.backup import restore

    made = restore(file, folder, key=key, tombstones=tombstones)

    def show() -> None:
        click.echo(
            f"{made.workspace} is as it was on {made.created[:16]} UTC: {made.files} files, all with their hashes."
        )
        click.echo(f"The backup was signed with key {made.fingerprint}")
        if made.left_out:
            people = "person was" if made.left_out == 1 else "persons were"
            click.echo(f"{made.left_out} {people} erased after this backup was written and left out again.")
        if made.without_model:
            click.echo(
                "The release that answered had learned from them and is not put back: make one with skiff train and skiff "
                "evaluate --release.",
                err=True,
            )
        if not made.with_keys:
            click.echo(
                "Keys were not in it: make API keys with `skiff keys create`; the next release makes a signing key.",
                err=True,
            )

    return Outcome(result=made.as_result(), show=show)
