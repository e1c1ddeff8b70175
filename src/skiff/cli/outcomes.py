"""``skiff outcomes``: what really happened, from a file."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.command("outcomes", short_help="Take what really happened from a file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "id_", metavar="COL", help="Column with the prediction's id.  [default: id or skiff_id]")
@click.option("--key", metavar="COL", help="Column with your own key.  [default: key]")
@click.option("--value", metavar="COL", help="Column with the outcome.  [default: value, outcome or the target]")
@click.option("--at", metavar="COL", help="Column that says when it happened.  [default: at]")
@workspace_option
@answer("outcomes")
def command(
    *, file: Path, id_: str | None, key: str | None, value: str | None, at: str | None, workspace: Path
) -> Outcome:
    """Join the outcomes in FILE with the predictions they are about. Exit code 1 where a value was refused.

    Late, repeated and corrected outcomes are welcome: the last one counts, earlier ones are kept.

    Example:  skiff outcomes returned.csv --key booking --value cancelled --workspace bookings
    """
    from skiff.flows.take_outcomes import OutcomeColumns, take_outcomes

    columns = OutcomeColumns(id=id_, key=key, value=value, at=at)
    summary = take_outcomes(workspace, file, columns=columns)
    words = {
        "new": "new",
        "corrected": "corrected an earlier one",
        "duplicate": "known already",
        "unknown": "for a prediction that is not in the log",
        "refused": "refused: not a possible value of the target, or no readable time",
        "empty": "empty",
    }

    def show() -> None:
        click.echo(f"{summary.rows:,} outcomes read")
        for state, count in summary.counts.items():
            if count:
                rows = summary.shown.get(state)
                more = f"  (rows {', '.join(map(str, rows))}{' …' if count > len(rows) else ''})" if rows else ""
                click.echo(f"  {count:,} {words[state]}{more}")

    return Outcome(result=summary.as_result(), show=show, is_yes=not summary.counts["refused"])
