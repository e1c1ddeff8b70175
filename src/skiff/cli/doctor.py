"""``skiff doctor``: is this machine fit for the work."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option

SIGNS = {True: "ok  ", False: "NO  ", None: "-   "}


@click.command("doctor", short_help="Check this machine and this installation.")
@click.option(
    "--advisories", type=click.Path(path_type=Path, exists=True), help="A copy of the OSV advisories (ZIP or folder)."
)
@workspace_option
@answer("doctor")
def command(advisories: Path | None, workspace: Path) -> Outcome:
    """Check Python, libraries, memory, disk and that a model can be compiled and run here. Exit code 1 where not.

    The installed packages are "not audited" until you bring a copy of the public advisories: Skiff asks nobody by itself.
    """
    from skiff.flows.doctor import examine

    checks = examine(advisories, folder=workspace)

    def show() -> None:
        for check in checks:
            click.echo(f"{SIGNS[check.is_fine]}{check.name}: {check.what}")
            if not check.is_fine:
                click.echo(f"      {check.fix}")

    return Outcome(
        result=[asdict(check) for check in checks],
        show=show,
        is_yes=all(check.is_fine is not False for check in checks),
    )
