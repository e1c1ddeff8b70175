"""``skiff data``: the datasets of a workspace."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from skiff.cli.contract import contract
from skiff.cli.face import Outcome, answer
from skiff.cli.options import ask_provenance, provenance_options, workspace_option


@click.group("data", short_help="Add, list, show and export the datasets of a workspace.")
def command() -> None:
    """Add, list, show and export the datasets of a workspace."""


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@provenance_options
@workspace_option
@answer("data add")
def add(file: Path, workspace: Path, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Read FILE and keep it, with where it came from. The same table is kept once.

    A later file is held against the contract of the first. Exit code 1 where it breaks what was confirmed.
    """
    from skiff.cli.console import print_findings
    from skiff.flows.workspace import add_data
    from skiff.report.numbers import describe_shape

    provenance = ask_provenance(options, folder=workspace, name=file.name)
    record, findings = add_data(workspace, file, provenance=provenance)

    def show() -> None:
        click.echo(f"Kept as {record.id}: {record.name}, {describe_shape(record.rows, record.columns)}")
        print_findings(findings)

    is_kept = not any(item.severity == "block" and item.code.startswith("schema.") for item in findings)
    return Outcome(result=asdict(record), findings=findings, show=show, is_yes=is_kept)


@command.command("list")
@workspace_option
@answer("data list")
def list_(workspace: Path) -> Outcome:
    """List the datasets of the workspace, oldest first."""
    from skiff.cli.console import print_table
    from skiff.flows.workspace import Workspace

    with Workspace.open(workspace) as opened:
        records = opened.datasets

    def show() -> None:
        rows = [(item.id, item.name, f"{item.rows:,}", str(item.columns), item.created[:16]) for item in records]
        print_table(["dataset", "name", "rows", "columns", "added (UTC)"], rows, numbers=["rows", "columns"])

    return Outcome(result=[asdict(record) for record in records], show=show)


@command.command("show")
@click.argument("dataset", required=False)
@workspace_option
@answer("data show")
def show_(dataset: str | None, workspace: Path) -> Outcome:
    """Show one DATASET (id, hash or name; by default the newest): provenance and columns."""
    from skiff.cli.console import print_table
    from skiff.data.provenance import list_answers
    from skiff.flows.datasets import find_dataset
    from skiff.flows.workspace import Workspace
    from skiff.report.numbers import describe_shape

    with Workspace.open(workspace) as opened:
        record = find_dataset(opened.store, dataset)

    def show() -> None:
        click.echo(
            f"{record.id}: {record.name}, {describe_shape(record.rows, record.columns)}, added {record.created[:16]} UTC"
        )
        click.echo(f"Hash of the source file: sha256 {record.source_sha256}")
        for item in list_answers(record.provenance):
            click.echo(f"{item.key.replace('_', ' ').capitalize()}: {item.said}")
        click.echo()
        print_table(["column", "kind"], list(record.kinds.items()))

    return Outcome(result=asdict(record), show=show)


@command.command("export")
@click.argument("dataset", required=False)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True, help=".csv or .parquet")
@workspace_option
@answer("data export")
def export(dataset: str | None, output: Path, workspace: Path) -> Outcome:
    """Write a DATASET (by default the newest) as CSV or Parquet."""
    from skiff.flows.workspace import Workspace, export_data

    with Workspace.open(workspace) as opened:
        record = export_data(opened.store, dataset, output)
    return Outcome(
        result={"dataset": record.id, "output": str(output)},
        show=lambda: click.echo(f"{record.id} ({record.rows:,} rows) written to {output}"),
    )


@command.command("terms")
@click.argument("dataset", required=False)
@click.option("--column", metavar="COL", help="Of this column alone.")
@click.option("--purpose", metavar="TEXT", help="What it is used for.")
@click.option("--legal-basis", metavar="TEXT", help="Why it may be used, where it is about people.")
@click.option("--keep-for", metavar="SPAN", help="How long it may be kept, from the day it was taken in: 90d, 18m, 2y.")
@workspace_option
@answer("data terms")
def terms(  # noqa: PLR0917  click hands options over by name
    dataset: str | None,
    column: str | None,
    purpose: str | None,
    legal_basis: str | None,
    keep_for: str | None,
    workspace: Path,
) -> Outcome:
    """Show or change for what, on which legal basis and how long a DATASET (by default the newest) or a column is kept.

    Example:  skiff data terms --column email --keep-for 90d --workspace bookings
    """
    from skiff.flows.retention import agree_terms
    from skiff.govern.retention import parse_span, tell_terms

    news: dict[str, str | float] = {"purpose": purpose or "", "legal_basis": legal_basis or ""}
    news = {key: value for key, value in news.items() if value}
    if keep_for:
        news["keep_days"] = parse_span(keep_for)
    name, agreed = agree_terms(workspace, dataset, column=column, news=news)
    lines = tell_terms(name, agreed)
    return Outcome(
        result={"dataset": name, **asdict(agreed)},
        show=lambda: click.echo("\n".join(lines)),
    )


@command.command("compare")
@click.argument("before")
@click.argument("after")
@workspace_option
@answer("data compare")
def compare(before: str, after: str, workspace: Path) -> Outcome:
    """Say what differs between two versions of a table: each a dataset of the workspace or a file.

    Example:  skiff data compare bookings-2026-11.csv bookings-2026-12.csv
    """
    from skiff.cli.console import print_drift
    from skiff.flows.compare import compare_data

    found = compare_data(before, after, folder=workspace)
    return Outcome(result=found.as_result(), findings=found.findings, show=lambda: print_drift(found))


command.add_command(contract)
