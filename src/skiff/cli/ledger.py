"""``skiff ledger``: what was done, and proof that the record is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.group("ledger", short_help="Show what was done, and prove that the record is whole.")
def command() -> None:
    """Show what was done, and prove that the record is whole."""


@command.command("show")
@click.argument("record", required=False)
@workspace_option
@answer("ledger show")
def show_(record: str | None, workspace: Path) -> Outcome:
    """Show all records, or one RECORD (such as ev_000003) with everything it holds."""
    from skiff.cli.console import print_table
    from skiff.core.errors import SkiffError
    from skiff.flows.workspace import Workspace

    with Workspace.open(workspace) as opened:
        records = [item for item in opened.ledger if record in {None, item.id}]
    if record and not records:
        raise SkiffError(
            "record_not_found",
            what=f"There is no record {record} in this ledger.",
            where={"record": record},
            fix="See all with: skiff ledger show",
        )

    def show() -> None:
        if record:
            import json

            click.echo(json.dumps(asdict(records[0]), indent=2, ensure_ascii=False))
            return
        rows = [(item.id, item.at[:19], item.actor, item.action, item.subject[:24]) for item in records]
        print_table(["record", "when (UTC)", "who", "what", "on"], rows)

    return Outcome(result=[asdict(item) for item in records], show=show)


@command.command("verify")
@workspace_option
@answer("ledger verify")
def verify(workspace: Path) -> Outcome:
    """Check that no record was changed, moved, added or removed. Exit code 1 where one was, naming the first."""
    from skiff.flows.workspace import Workspace

    with Workspace.open(workspace) as opened:
        check = opened.verify_ledger()

    def show() -> None:
        if check.ok:
            click.echo(f"The ledger is whole: {check.n} records, head {check.head[:16]}…")
        else:
            click.echo(f"The ledger is NOT as it was written. {check.reason}")

    return Outcome(result=asdict(check), show=show, is_yes=check.ok)
