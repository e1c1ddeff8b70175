"""``skiff data contract``: what the client's tables are agreed to look like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option

if TYPE_CHECKING:
    from skiff.flows.contracts import ContractOutcome

MARKS = {"confirmed": "✓", "rejected": "✗", "proposed": "?"}

name_option = click.option("--name", help="Which contract.  [default: the one that was changed last]", metavar="NAME")


@click.group("contract", short_help="What later files must look like: learn, confirm, reject, check.")
def contract() -> None:
    """Learn what is always so in a table, let the client confirm it, and hold every later file against it."""


@contract.command("learn")
@click.argument("dataset", required=False)
@workspace_option
@answer("data contract learn")
def learn(dataset: str | None, workspace: Path) -> Outcome:
    """Learn the sentences of a DATASET (by default the newest); what was answered before stays answered."""
    from skiff.flows.contracts import learn_in_workspace

    return _show(learn_in_workspace(workspace, dataset=dataset))


@contract.command("show")
@name_option
@click.option("--version", type=click.IntRange(min=1), help="Which version.  [default: the newest]")
@workspace_option
@answer("data contract show")
def show_(name: str | None, version: int | None, workspace: Path) -> Outcome:
    """Print the sentences, numbered, with what each rests on."""
    from skiff.flows.contracts import show_contract

    return _show(show_contract(workspace, name=name, version=version))


@contract.command("confirm")
@click.argument("numbers", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "is_all", is_flag=True, help="All sentences that nobody has answered yet.")
@name_option
@workspace_option
@answer("data contract confirm")
def confirm(numbers: tuple[int, ...], is_all: bool, name: str | None, workspace: Path) -> Outcome:
    """Say that the sentences with these NUMBERS are so: a later file that breaks one is stopped for."""
    from skiff.flows.contracts import answer_contract

    _refuse_nothing(numbers, is_all=is_all)
    return _show(answer_contract(workspace, numbers, status="confirmed", name=name))


@contract.command("reject")
@click.argument("numbers", nargs=-1, type=click.IntRange(min=1))
@click.option("--all", "is_all", is_flag=True, help="All sentences that nobody has answered yet.")
@name_option
@workspace_option
@answer("data contract reject")
def reject(numbers: tuple[int, ...], is_all: bool, name: str | None, workspace: Path) -> Outcome:
    """Say that the sentences with these NUMBERS are not so: nothing is held against them any more."""
    from skiff.flows.contracts import answer_contract

    _refuse_nothing(numbers, is_all=is_all)
    return _show(answer_contract(workspace, numbers, status="rejected", name=name))


@contract.command("state")
@click.argument("column")
@click.option("--min", "low", type=float, help="It is never below this.")
@click.option("--max", "high", type=float, help="It is never above this.")
@click.option("--level", "levels", multiple=True, help="It is one of these (repeat the option).", metavar="VALUE")
@click.option("--filled", is_flag=True, help="It is never empty.")
@click.option("--unique", is_flag=True, help="No value comes twice.")
@click.option("--not-more-than", "above", help="It is never more than this column.", metavar="COL")
@name_option
@workspace_option
@answer("data contract state")
def state(column: str, name: str | None, workspace: Path, **said: Any) -> Outcome:  # noqa: ANN401  one option each
    """Say what is so of COLUMN although the data did not show it.

    Example:  skiff data contract state price --min 0 --max 5000
    """
    from skiff.data.contract.answers import build_rules
    from skiff.flows.contracts import state_in_contract

    return _show(state_in_contract(workspace, build_rules(column, **said), name=name))


@contract.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@name_option
@workspace_option
@answer("data contract check")
def check(file: Path, name: str | None, workspace: Path) -> Outcome:
    """Hold FILE against the contract. Exit code 1 where it breaks what was confirmed."""
    from skiff.cli.console import print_findings
    from skiff.flows.contracts import check_against_contract

    found = check_against_contract(workspace, file, name=name)

    def show() -> None:
        record = found.record
        click.echo(f"{file.name}: {found.rows:,} rows, held against '{record.name}', version {record.version}.")
        if found.findings:
            print_findings(found.findings)
        else:
            click.echo("Everything is as agreed.")

    return Outcome(result=found.as_result(), findings=found.findings, show=show, is_yes=found.is_kept)


@contract.command("export")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help="A .json file.")
@name_option
@workspace_option
@answer("data contract export")
def export(output: Path, name: str | None, workspace: Path) -> Outcome:
    """Write the contract as a JSON Schema of one row."""
    from skiff.flows.contracts import export_schema

    found = export_schema(workspace, output, name=name)
    return Outcome(result=found.as_result() | {"output": str(output)}, show=lambda: click.echo(f"Written: {output}"))


def _refuse_nothing(numbers: tuple[int, ...], *, is_all: bool) -> None:
    if bool(numbers) == is_all:
        raise click.UsageError("Give the numbers of sentences, or --all.")


def _show(found: ContractOutcome) -> Outcome:
    from skiff.cli.console import print_table

    def show() -> None:
        record = found.record
        click.echo(f"{record.name}, version {record.version}: {len(found.sentences)} sentences.")
        click.echo()
        rows = [(str(item.number), MARKS[item.status], item.text, item.support) for item in found.sentences]
        print_table(["no.", "", "sentence", "rests on"], rows, numbers=["no."])
        if any(item.status == "proposed" for item in found.sentences):
            click.echo("\n✓ confirmed, ✗ rejected, ? not answered. Ask the client, then:")
            click.echo("  skiff data contract confirm NUMBER…    skiff data contract reject NUMBER…")

    return Outcome(result=found.as_result(), show=show)
