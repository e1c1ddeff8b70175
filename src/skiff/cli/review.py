"""``skiff review``: rows for a person, one after the other."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option

ADVICE = ("after", "first", "never")


class SessionGroup(click.Group):
    """A group whose plain call, with options or without, begins a session: ``skiff review`` is ``skiff review start``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``start`` where no command is named."""
        if (not args or args[0] not in self.commands) and not {"-h", "--help"} & set(args[:1]):
            args = ["start", *args]
        return super().parse_args(ctx, args)


@click.group("review", cls=SessionGroup, short_help="Decide rows the model should not, and label rows; see who reads.")
def command() -> None:
    """Decide the rows that the model should not, or label rows of a dataset; measure how people decide beside the model.

    Without a command it begins a session, like `skiff review start`.
    """


@command.command("start")
@click.option(
    "--reviewer", metavar="NAME", help="Who reviews, the same each time.  [default: your name on this machine]"
)
@click.option(
    "--show-advice", type=click.Choice(ADVICE), help="When the suggestion is shown.  [default: [review] advice]"
)
@click.option(
    "--label", metavar="DATASET", help="Label rows of this dataset (id, hash or name), the most useful first."
)
@click.option("--rows", type=click.IntRange(min=1), help="Stop after so many.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="For the choice of rows to label."
)
@workspace_option
@answer("review start")
def start(
    *, reviewer: str | None, show_advice: str | None, label: str | None, rows: int | None, seed: int, workspace: Path
) -> Outcome:
    """Go through rows by keyboard: the row, your answer, then what the model suggests; keep or change it, and say why.

    Answers are kept as they are given; end with q, or Ctrl-C.

    Example:  skiff review --reviewer ada --workspace bookings
    """
    from skiff.cli.console import LiveProgress
    from skiff.cli.reviewing import Terminal, say_left, say_welcome, tell_tally
    from skiff.flows.sessions import ReviewSession

    is_json = bool(click.get_current_context().params.get("is_json"))

    def say(line: str) -> None:
        click.echo(line, err=is_json)

    with LiveProgress() as progress:
        session = ReviewSession(workspace, label=label, seed=seed, progress=progress)
    with session:
        for line in say_welcome(session):
            say(line)
        keys = sys.stdin
        if isinstance(keys, io.TextIOWrapper):  # a byte that is no letter must not end a session
            keys.reconfigure(errors="replace")
        terminal = Terminal(
            queue=session.queue,
            reviewer=reviewer or session.actor,
            keys=keys,
            prompt=lambda text: click.echo(text, err=is_json, nl=not keys.isatty()),
            say=say,
            advice=show_advice,
            label=session.plan.sha256 if session.plan else None,
        )
        tally = terminal.run(most=rows)
        waiting, queue = session.count_waiting(), session.queue
        left = say_left(gone=queue.n_gone, stuck=queue.n_stuck)
    result = {
        **tally.as_result(),
        "reviewer": terminal.reviewer,
        "waiting": waiting,
        "gone": queue.n_gone,
        "stuck": queue.n_stuck,
    }
    if session.plan:
        result |= {"next_labels": session.plan.curve.advice, "dataset": session.plan.dataset}

    def show() -> None:
        click.echo(f"\n{tell_tally(tally, waiting=waiting)}")
        for line in left:
            click.echo(line)
        if label is not None and tally.answered:
            click.echo("Take them into the dataset with `skiff review apply`, then `skiff train`.")

    return Outcome(result=result, show=show)


@command.command("status")
@workspace_option
@answer("review status")
def status(workspace: Path) -> Outcome:
    """Say how many rows wait and why, who decided how many, and what would spoil the measurement."""
    from skiff.cli.console import print_table
    from skiff.flows.review_report import show_status

    found = show_status(workspace)

    def show() -> None:
        click.echo(
            f"{found['waiting']:,} rows wait, {found['decided']:,} were decided, {found['planted_left']:,} planted are left"
        )
        if found["by_reason"]:
            counted = [(item["reason"], f"{item['waiting']:,}", f"{item['decided']:,}") for item in found["by_reason"]]
            print_table(["reason", "waiting", "decided"], counted, numbers=["waiting", "decided"])
        for item in found["reviewers"]:
            click.echo(f"{item['reviewer']}: {item['decided']:,}")
        for note in found["notes"]:
            click.echo(click.wrap_text(f"Note: {note}", width=92, subsequent_indent="  "))

    return Outcome(result=found, show=show)


@command.command("list")
@click.option("--rows", type=click.IntRange(min=1), default=20, show_default=True, help="How many at most.")
@workspace_option
@answer("review list")
def list_(rows: int, workspace: Path) -> Outcome:
    """List the rows that wait, the first to be given out first: by prediction and reason, without their cells."""
    from skiff.cli.console import print_table
    from skiff.flows.review_report import list_waiting

    found = list_waiting(workspace, limit=rows)

    def show() -> None:
        click.echo(f"{found['waiting']:,} rows wait")
        if found["rows"]:
            told = [(item["prediction"], str(item["release"]), item["reason"], item["rule"]) for item in found["rows"]]
            print_table(["prediction", "release", "reason", "rule"], told, numbers=["release"])

    return Outcome(result=found, show=show)


@command.command("report")
@workspace_option
@answer("review report")
def report(workspace: Path) -> Outcome:
    """Measure how far people rely on suggestions, and write reports/review.html. Exit code 1 where the alarm rings."""
    from skiff.data.sentences import count_rows
    from skiff.flows.review_report import report_reviews
    from skiff.report.review import say_alarm, say_headline, say_seconds, say_share

    made = report_reviews(workspace)

    def show() -> None:
        click.echo(say_headline(made.story))
        for item in made.story.reviewers:
            click.echo(f"\n{item.reviewer}: {count_rows(item.n_rows)}, {item.n_planted:,} of them with a known answer")
            click.echo(f"  followed right suggestions  {say_share(item.agreement_right)}")
            click.echo(f"  followed wrong suggestions  {say_share(item.agreement_wrong)}")
            click.echo(f"  over-reliance               {say_share(item.over_reliance)}")
            click.echo(f"  under-reliance              {say_share(item.under_reliance)}")
            click.echo(
                f"  right alone                 {say_share(item.accuracy_first)}\n"
                f"  right in the end            {say_share(item.accuracy_final)}"
            )
            click.echo(f"  median time                 {say_seconds(item.median_s)}")
            click.echo(f"  alarm                       {say_alarm(item.alarm)}")
        for label in made.story.labels:
            click.echo(f"\nLabels of {label.dataset}: {label.sentence} {label.hours}")
        for note in made.story.notes:
            click.echo(click.wrap_text(f"Note: {note}", width=92, subsequent_indent="  "))
        click.echo(f"\nReport  {made.files['review_html']}")

    return Outcome(result=made.as_result(), show=show, is_yes=made.is_yes)


@command.command("plant")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--rows", type=click.IntRange(min=1, max=10_000), default=100, show_default=True, help="How many, by chance."
)
@click.option(
    "--key", metavar="COL", help="Column with your own key: without it planted rows stand out beside keyed ones."
)
@click.option("--subject", metavar="COL", help="Column that names the person of each row, for access and erasure.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed, same rows.")
@workspace_option
@answer("review plant")
def plant(*, file: Path | None, rows: int, key: str | None, subject: str | None, seed: int, workspace: Path) -> Outcome:
    """Plant rows whose answer is known among those that reviewers get: of FILE, or of the rows the release was judged on.

    A share of their suggestions ([review] wrong_advice_share) is wrong, on purpose if need be; each session says that there are such.
    """
    from skiff.flows.planting import plant as plant_rows
    from skiff.flows.predict import Columns

    made = plant_rows(workspace, file, n_rows=rows, columns=Columns(key=key, subject=subject), seed=seed)

    def show() -> None:
        click.echo(f"{made.rows:,} rows planted of {made.known:,} with a known answer; {made.waiting:,} wait")
        click.echo(f"{made.wrong:,} of the chosen rows carry a wrong suggestion, {made.turned:,} of them on purpose")

    return Outcome(result=made.as_result(), show=show)


@command.command("export")
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path, dir_okay=False), help=".csv or .parquet")
@workspace_option
@answer("review export")
def export(output: Path, workspace: Path) -> Outcome:
    """Write every decided row (who, what, first and final answer, suggestion, reason, seconds) without its cells."""
    from skiff.flows.review_report import export_reviews

    rows = export_reviews(workspace, output)
    return Outcome(
        result={"rows": rows, "output": str(output)},
        show=lambda: click.echo(f"{rows:,} decided rows written to {output}"),
    )


@command.command("apply")
@click.argument("dataset", required=False)
@workspace_option
@answer("review apply")
def apply(dataset: str | None, workspace: Path) -> Outcome:
    """Keep a DATASET (by default the newest) anew with the labels that people gave: filled in where one was missing, or corrected."""
    from skiff.flows.labelling import apply_labels

    made = apply_labels(workspace, dataset)
    return Outcome(
        result=made,
        show=lambda: click.echo(
            f"Kept as {made['dataset']}: {made['filled']:,} labels filled in, {made['corrected']:,} corrected"
        ),
    )
