"""``skiff erase``: a person out of everything."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import effort_options, workspace_option


@click.command("erase", short_help="Erase a person everywhere, the models too; ends in a signed certificate.")
@click.option(
    "--subject",
    required=True,
    metavar="ID",
    help="The name or number as it stands in the data; - reads it from standard input.",
)
@click.option("--column", metavar="COL", help="Look in this column only.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would go.")
@click.option(
    "--justify", metavar="TEXT", help="Why models that learned from the person stay for a while; needs --until."
)
@click.option("--until", metavar="DATE", help="Until when they stay: skiff doctor and skiff watch remind.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@effort_options
@workspace_option
@answer("erase")
def command(
    subject: str,
    column: str | None,
    *,
    is_dry: bool,
    justify: str | None,
    until: str | None,
    yes: bool,
    budget: float | None,
    workspace: Path,
) -> Outcome:
    """Erase a person: datasets, prediction log, outcomes, reports, stored files, and the models that learned from them.

    The model that answers is trained again from what is left, judged by the same gate, and takes over; with --justify and --until
    it stays for a while instead. A certificate in reports/ says what was done; the person stands in it only as a keyed hash. Stopped
    half way? Run the same command again. Exit code 1 where something is still left.

    Example:  skiff erase --subject 7590-VHVEG --dry-run --workspace churn
    """
    from skiff.cli.console import LiveProgress
    from skiff.cli.erasing import ask_erasure, show_erasure, show_plan
    from skiff.cli.stopping import listen_for_stop
    from skiff.flows.erase_plan import Justification, plan_erasure

    if subject == "-":
        subject = sys.stdin.readline()
    if is_dry:
        plan = plan_erasure(workspace, subject, column=column)
        return Outcome(result=plan.as_result(), show=lambda: show_plan(plan))
    if not yes:
        ask_erasure(plan_erasure(workspace, subject, column=column))
    from skiff.flows.erase import erase  # loads what trains

    justification = Justification(why=justify or "", until=until or "") if justify or until else None
    with LiveProgress() as progress, listen_for_stop() as should_stop:
        made = erase(
            workspace,
            subject,
            column=column,
            justification=justification,
            budget_s=budget,
            should_stop=should_stop,
            progress=progress,
        )
    return Outcome(result=made.as_result(), show=lambda: show_erasure(made), is_yes=made.certificate.is_complete)
