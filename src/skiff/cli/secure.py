"""``skiff secure``: the model under attack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import Seconds, workspace_option

if TYPE_CHECKING:
    from skiff.flows.secure import SecureOutcome

ATTACKS = ("membership", "attributes", "inversion", "evasion", "extraction", "poison")
"""Written out so that the command's help loads nothing; a test holds it to `skiff.flows.secure`."""


@click.command("secure", short_help="Attack a release as strangers would; each attack ends in a light.")
@click.option("--release", type=click.IntRange(min=1), help="Which one.  [default: the one that answers now]")
@click.option("--attack", "attacks", multiple=True, type=click.Choice(ATTACKS), help="Only this one; can be repeated.")
@click.option("--budget", type=Seconds(), default=60.0, show_default="60s", help="Time for membership inference.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed: same attack.")
@workspace_option
@answer("secure")
def command(release: int | None, attacks: tuple[str, ...], budget: float, seed: int, workspace: Path) -> Outcome:
    """Attack a release as strangers would: who was learned from, what it tells, how to turn it over, how to copy or mislead it.

    Each attack ends in a light (red, amber, green) with what helps and what was not measured. Exit code 1 where an attack named under
    [secure] gate ends red. Nothing about the release changes.
    """
    from skiff.cli.console import LiveProgress
    from skiff.flows.secure import SecureWishes, secure

    wishes = SecureWishes(release=release, attacks=attacks or ATTACKS, budget_s=budget, seed=seed)  # type: ignore[arg-type]  # click has checked the names
    with LiveProgress() as progress:
        made = secure(workspace, wishes, progress=progress)
    return Outcome(result=made.as_result(), show=lambda: _show(made), is_yes=made.is_yes)


def _show(made: SecureOutcome) -> None:
    from skiff.report.glossary import clean_name

    def say(text: str, *, indent: str = "  ", hanging: str = "  ") -> None:
        click.echo(click.wrap_text(clean_name(text), width=100, initial_indent=indent, subsequent_indent=hanging))

    story = made.story
    click.echo(story.headline)
    for item in story.told:
        click.echo(f"\n{item.status.upper()}: {item.title}")
        say(item.headline)
        for sentence in item.sentences:
            say(sentence, indent="  - ", hanging="    ")
        if item.remedy:
            say(f"What helps: {item.remedy}")
        if item.not_measured:
            say(f"Not measured: {item.not_measured}")
    for sentence in story.skipped:
        click.echo("")
        say(sentence, indent="", hanging="")
    click.echo(f"\nRead: {made.files['secure_html']} (ledger: {story.evidence})")
