"""``skiff pii``: whose data is in a file, and a copy without them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import secret_options

if TYPE_CHECKING:
    from skiff.data.personal import PersonalColumn
    from skiff.flows.pii import PiiOutcome


@click.command("pii", short_help="Find personal data; write a masked or pseudonymised copy.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mask", is_flag=True, help="Write a copy in which persons are replaced by [KIND] and traits are coarse."
)
@click.option(
    "--pseudonymise", is_flag=True, help="Write a copy with tokens: the same person, the same token, in every table."
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: .csv or .parquet."
)
@click.option("--rotate", is_flag=True, help="Make a new key first; older tokens can then no longer be joined.")
@click.option("--sensitive", metavar="COL", default="", help="What must not become known of a person (l-diversity).")
@click.option("--quasi", multiple=True, metavar="COL", help="Traits to look at together.  [default: those found]")
@click.option("--personal", multiple=True, metavar="COL", help="This column is personal; remembered.")
@click.option("--not-personal", multiple=True, metavar="COL", help="This column is not personal; remembered.")
@click.option(
    "--workspace",
    "-w",
    type=click.Path(path_type=Path, file_okay=False),
    help="Whose answers and key hold.  [default: the folder named after FILE, else the one you are in; key: the latter]",
)
@click.option("--yes", "-y", is_flag=True, help="Never ask; take what Skiff finds.")
@secret_options
@answer("pii")
def command(file: Path, workspace: Path | None, **options: Any) -> Outcome:  # noqa: ANN401  one option each
    """Say of every column of FILE whether it is about persons, why, and how easily rows lead back to them.

    Nothing leaves this machine. At a terminal you are asked once whether each column found is personal; the answers stand in
    skiff.toml.

    Example:  skiff pii guests.csv --pseudonymise -o guests-safe.csv
    """
    from skiff.data.personal.kinds import PersonalAnswers
    from skiff.flows.pii import list_unanswered, place_answers, remember_personal, scan_file, treat_file

    treatment = _read_treatment(options)
    folder = place_answers(file, workspace)
    said = PersonalAnswers(yes=options["personal"], no=options["not_personal"])
    wanted = {"folder": folder, "sensitive": options["sensitive"], "traits": options["quasi"]}
    scan = scan_file(file, said=said, **wanted)
    if not options["yes"] and "--json" not in sys.argv and sys.stdin.isatty() and sys.stderr.isatty():
        said = _ask(list_unanswered(scan.outcome, folder), said)
    if said.yes or said.no:
        remember_personal(folder, said)
        scan = scan_file(file, said=said, **wanted)
    outcome = scan.outcome
    if treatment:
        outcome = treat_file(
            scan, options["output"], treatment=treatment, folder=workspace or Path(), rotate=options["rotate"]
        )
    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=lambda: _show(outcome))


def _read_treatment(options: dict[str, Any]) -> Any:  # noqa: ANN401  Treatment, which is imported late
    if options["mask"] and options["pseudonymise"]:
        raise click.UsageError("Choose one: --mask or --pseudonymise.")
    treatment = "mask" if options["mask"] else "pseudonymise" if options["pseudonymise"] else None
    if (treatment is None) != (options["output"] is None):
        raise click.UsageError("A copy needs both: --mask or --pseudonymise, and -o OUT.")
    if options["rotate"] and treatment != "pseudonymise":
        raise click.UsageError("--rotate goes with --pseudonymise.")
    return treatment


def _ask(columns: tuple[PersonalColumn, ...], said: Any) -> Any:  # noqa: ANN401  PersonalAnswers, which is imported late
    from dataclasses import replace

    open_ones = [column for column in columns if column.column not in (*said.yes, *said.no)]
    if open_ones:
        click.echo("Asked once, remembered in skiff.toml (--yes asks nothing):", err=True)
    for column in open_ones:
        is_personal = click.confirm(f"  '{column.column}': {column.reason} Is this personal?", default=True, err=True)
        said = replace(
            said, **({"yes": (*said.yes, column.column)} if is_personal else {"no": (*said.no, column.column)})
        )
    return said


def _show(outcome: PiiOutcome) -> None:
    from skiff.cli.console import print_table
    from skiff.report.privacy import say_reidentification

    click.echo(
        f"{outcome.name}: {outcome.rows:,} rows; {len(outcome.personal)} of {len(outcome.columns)} columns are about persons."
    )
    rows = [
        (
            c.column,
            c.type,
            c.risk,
            f"{c.share:.0%}",
            outcome.changed.get(c.column, "kept as it is") if outcome.treatment else c.reason,
        )
        for c in outcome.personal
    ]
    if rows:
        print_table(
            ["column", "kind", "risk", "cells", "done" if outcome.treatment else "why"], rows, numbers=["cells"]
        )
    for title, risk in (("Before", outcome.before), ("After", outcome.after)):
        if risk:
            click.echo(f"\n{title if outcome.treatment else 'Traits together'}: {say_reidentification(risk)}")
    for name in outcome.still_direct:
        click.echo(f"\nLook at '{name}' yourself: a second look still finds persons in it.")
    if outcome.output:
        click.echo(f"\nWritten: {outcome.output}")
    if outcome.key:
        click.echo(
            f"Key {outcome.key}, in .skiff/keys: whoever has it can repeat the tokens. Keep it apart from the table."
        )
    click.echo("\nRare names and street addresses are seen least surely: look once more before you hand anything on.")
