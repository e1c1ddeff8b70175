"""``skiff predict``: answers for the rows of a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("predict", short_help="Answer the rows of a file with a released model.")
@click.argument("file", type=click.Path(path_type=Path, readable=False))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: .csv or .parquet."
)
@click.option("--release", type=click.IntRange(min=1), help="Which release.  [default: the one that answers now]")
@click.option("--key", metavar="COL", help="Column with your own name for each case, to report outcomes by.")
@click.option("--subject", metavar="COL", help="Column with the person a row is about, for access and erasure.")
@click.option("--no-log", is_flag=True, help="Do not keep the answers in the prediction log.")
@click.option("--reasons", type=click.IntRange(min=0), default=0, help="Name this many reasons for each answer.")
@click.option("--row", type=click.IntRange(min=1), help="Explain the answer to this row alone, counted from 1.")
@click.option("--what-if", "changes", multiple=True, metavar="COLUMN=VALUE", help="Answer --row again with this cell.")
@workspace_option
@answer("predict")
def command(  # noqa: PLR0913  click hands options over by name
    *,
    file: Path,
    output: Path | None,
    release: int | None,
    reasons: int,
    row: int | None,
    changes: tuple[str, ...],
    key: str | None,
    subject: str | None,
    no_log: bool,
    workspace: Path,
) -> Outcome:
    """Answer every row of FILE, of any size; the answers stand in columns that begin with skiff_.

    Example:  skiff predict new_bookings.csv -o answers.csv --reasons 3 --workspace bookings

    One row:  skiff predict new_bookings.csv --row 12 --what-if nights=3 --workspace bookings
    """
    if row is not None or changes:
        return _explain(file, release=release, row=row or 1, changes=changes, workspace=workspace)
    from skiff.cli.console import LiveProgress, print_findings
    from skiff.flows.predict import Columns, predict_file
    from skiff.report.numbers import count_of

    with LiveProgress() as progress:
        outcome = predict_file(
            workspace,
            file,
            output=output,
            release=release,
            columns=Columns(key=key, subject=subject),
            is_logged=not no_log,
            n_reasons=reasons,
            progress=progress,
        )

    def show() -> None:
        if outcome.findings:
            print_findings(outcome.findings, sys.stderr)
        if outcome.output is None:
            click.echo(outcome.frame.write_csv(), nl=False)
            return
        click.echo(
            f"{count_of(outcome.rows, 'row')} answered by release {outcome.release}, written to {outcome.output}"
        )
        for label, share in list(outcome.shares.items())[:10]:
            click.echo(f"  {label}: {share:.1%}")
        if outcome.reviews:
            click.echo(f"{outcome.reviews:,} of them should be looked at by a person (skiff_decision is review)")

    return Outcome(result=outcome.as_result(), findings=outcome.findings, show=show)


def _explain(file: Path, *, release: int | None, row: int, changes: tuple[str, ...], workspace: Path) -> Outcome:
    from skiff.flows.whatif import ask_row

    pairs = [change.partition("=") for change in changes]
    for name, sign, _ in pairs:
        if not sign:
            raise click.UsageError(f"--what-if takes COLUMN=VALUE, such as nights=3; '{name}' has no '='.")
    values = {name.strip(): value.strip() for name, _, value in pairs}
    outcome = ask_row(workspace, file, row=row, changes=values, release=release)

    def show() -> None:
        for sentence in outcome.sentences:
            click.echo(sentence)

    return Outcome(result=outcome.as_result(), show=show)
