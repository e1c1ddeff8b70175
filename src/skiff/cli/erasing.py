"""What a person sees of an erasure in the terminal. The name that was given is never printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from skiff.core.errors import SkiffError

if TYPE_CHECKING:
    from skiff.flows.erase import EraseOutcome, ErasePlan


NOTHING = "Nothing of this person was found. Is the name written as in the data?"


def show_plan(plan: ErasePlan, *, err: bool = False) -> None:
    """Print what an erasure would reach."""

    def say(text: str) -> None:
        click.echo(text, err=err)

    if plan.is_resumed:
        say("An erasure of this person was begun and not finished; it would go on.")
    looked = (
        ", ".join(f"'{name}'" for name in plan.columns)
        or "no column, as none stands for one person (name one with --column)"
    )
    say(f"Looked in {looked}, and in the subjects and keys of the prediction log.")
    for place, count in plan.found.items():
        say(f"  {place:<16}{count:>8,}")
    for dataset, rows in plan.datasets.items():
        say(f"  {dataset}: {rows:,} {'row' if rows == 1 else 'rows'} would go")
    for number, rows in plan.releases.items():
        role = ", which answers now" if number == plan.champion else ""
        if rows:
            does = "trained again, and removed" if number == plan.champion else "removed"
            say(
                f"  Release {number}{role}: learned from {rows:,} of the rows; it would be {does}, or stay with --justify and --until"
            )
        else:
            say(
                f"  Release {number}{role}: learned from none of the rows; it stays unless a file of it names the person"
            )
    if not any(plan.found.values()):
        say(NOTHING)


def ask_erasure(plan: ErasePlan) -> None:
    """Show what would go and ask; refuse where nobody can be asked.

    Raises
    ------
    SkiffError
        ``erasure_not_confirmed``.
    """
    if "--json" in sys.argv or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SkiffError(
            "erasure_not_confirmed",
            what="Nothing was erased: an erasure cannot be taken back, and nobody could be asked.",
            where={"option": "--yes"},
            fix="See what would go with --dry-run, then add --yes.",
        )
    show_plan(plan, err=True)
    click.confirm("This cannot be taken back. Erase?", abort=True, err=True)


def show_erasure(made: EraseOutcome) -> None:
    """Print what was done, and what is left."""
    from skiff.report.erasure import FATES, count, say_search, say_with_it

    found = made.certificate
    for item in found.places:
        left = f", {item.left:,} left" if item.left else ""
        named = f": {', '.join(item.names)}" if item.names else ""
        click.echo(f"  {item.place:<16}{count(item.found, item.unit):>16}{left}{named}")
    if not any(item.found for item in found.places):
        click.echo(NOTHING)
    for model in found.models:
        fate = FATES[model.fate].format(why=model.why, until=model.until)
        click.echo(
            f"  Release {model.release}: {fate[0].lower()}{fate[1:]}"
            + (f"; release {model.successor} answers in its place" if model.successor else "")
            + say_with_it(model.waiting, model.undecided, model.bundles)
        )
    click.echo(say_search(found.search.as_plain()))
    for hit in found.search.hits:
        click.echo(f"  ! {hit}")
    for name in found.search.unread:
        click.echo(f"  ? could not be looked into: {name}")
    for line in (*made.notes, *found.beyond):
        click.echo(f"  · {line}")
    click.echo(
        "Done."
        if found.is_complete
        else "Not finished: see what is left above, mend it, and run the same command again."
    )
    click.echo(f"Certificate: {made.files['html']}\nTo check it: skiff verify {made.files['json']}")
