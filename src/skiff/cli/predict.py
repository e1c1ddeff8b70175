"""``skiff predict``: answers for the rows of a file."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("predict", short_help="Answer the rows of a file with a released model.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where to write: .csv or .parquet."
)
@click.option("--release", type=click.IntRange(min=1), help="Which release.  [default: the one that answers now]")
@workspace_option
@answer("predict")
def command(file: Path, output: Path | None, release: int | None, workspace: Path) -> Outcome:
    """Answer every row of FILE; the answers stand in columns that begin with skiff_.

    Example:  skiff predict new_bookings.csv -o answers.csv --workspace bookings
    """
    from skiff.flows.predict import predict_file

    outcome = predict_file(workspace, file, output=output, release=release)

    def show() -> None:
        if outcome.output is None:
            click.echo(outcome.frame.write_csv(), nl=False)
            return
        click.echo(f"{outcome.rows:,} rows answered by release {outcome.release}, written to {outcome.output}")
        for label, share in list(outcome.shares.items())[:10]:
            click.echo(f"  {label}: {share:.1%}")

    return Outcome(result=outcome.as_result(), show=show)
