"""``skiff config``: every setting, its value, and where it comes from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("config", short_help="Show every setting, its value and where it comes from.")
@workspace_option
@answer("config")
def command(workspace: Path) -> Outcome:
    """Show every setting of skiff.toml, the value in force and whether it comes from the file or is the default."""
    from skiff.cli.console import print_table
    from skiff.store.layout import refuse_missing
    from skiff.store.settings import explain_settings

    refuse_missing(workspace, is_wanted=workspace.is_dir())  # a plain folder shows what would hold in it
    settings = explain_settings(workspace)

    def show() -> None:
        rows = [
            (item.path, "not set" if item.value in (None, "", (), []) else str(item.value), item.origin, item.meaning)
            for item in settings
        ]
        print_table(["setting", "value", "from", "meaning"], rows)

    return Outcome(result=[asdict(item) for item in settings], show=show)
