"""``skiff govern``: what was done, set against the rules that people ask about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.group("govern", short_help="Set what was done against NIST, ISO, GDPR and the EU AI Act.")
def command() -> None:
    """Set what was done against the rules that people ask about.

    Each point stands as shown by evidence, stated by a person, or open. Nothing here judges whether a rule is met.
    """


def _add_mapping(name: str, title: str) -> None:
    @command.command(
        name, short_help=f"Map to {title}.", help=f"Map to {title}; writes HTML, PDF and CSV into reports/."
    )
    @workspace_option
    @answer(f"govern {name}")
    def mapping(workspace: Path) -> Outcome:
        from dataclasses import asdict

        from skiff.flows.govern import write_mapping

        made = write_mapping(workspace, name)  # type: ignore[arg-type]  # one of the four names below

        def show() -> None:
            counts = made.counts
            click.echo(f"{made.framework}, {made.version}")
            click.echo(
                f"  {counts['shown']} shown by evidence, {counts['stated']} stated by a person, {counts['open']} open"
            )
            for kind, path in made.files.items():
                click.echo(f"  {kind.upper():<5}{path}")
            if made.open:
                click.echo(f'\nOpen first: {", ".join(made.open[:6])}. Say what was done: skiff govern state ID "text"')

        return Outcome(result=asdict(made), show=show)


for _name, _title in {
    "nist": "the NIST AI Risk Management Framework",
    "iso": "ISO/IEC 42001",
    "gdpr": "the GDPR",
    "aiact": "the EU AI Act",
}.items():
    _add_mapping(_name, _title)


def _add_paper(name: str, title: str) -> None:
    @command.command(
        name, short_help=f"Write {title} into reports/.", help=f"Write {title} into reports/, as it was published."
    )
    @click.option("--release", type=click.IntRange(min=1), help="By default the one that answers now.")
    @workspace_option
    @answer(f"govern {name}")
    def paper(release: int | None, workspace: Path) -> Outcome:
        from skiff.flows.govern import write_paper

        made = write_paper(workspace, name, release=release)  # type: ignore[arg-type]  # one of the two names below
        return Outcome(result=made, show=lambda: click.echo(f"Release {made['release']}: {made['file']}"))


_add_paper("card", "the model card of a release")
_add_paper("datasheet", "the datasheet of its training data (Croissant)")


@command.command("register")
@workspace_option
@answer("govern register")
def register(workspace: Path) -> Outcome:
    """Write the record of processing (GDPR Art. 30(2)) into reports/, filled from what was run."""
    from skiff.flows.govern import write_register

    made = write_register(workspace)

    def show() -> None:
        for kind, path in made["files"].items():
            click.echo(f"{kind.upper():<5}{path}")
        click.echo(f"{made['not_answered']} points were not answered.")

    return Outcome(result=made, show=show)


@command.command("breach")
@click.option(
    "--known-at",
    default="",
    metavar="TIME",
    help="Since when the controller is aware of it (UTC): starts the 72 hours.",
)
@click.option("--since", default="", metavar="DATE", help="List only what was done from this day on.")
@click.option("--nature", default="", metavar="TEXT", help="What happened.")
@click.option("--contact", default="", metavar="TEXT", help="Who answers questions.")
@click.option("--consequences", default="", metavar="TEXT", help="The likely consequences for the persons.")
@click.option("--measures", default="", metavar="TEXT", help="What was done and is proposed.")
@workspace_option
@answer("govern breach")
def breach(workspace: Path, known_at: str, since: str, **answers: str) -> Outcome:
    """Write a worksheet for a personal data breach (GDPR Art. 33) into reports/: what is on record, the clock, what is unanswered."""
    from skiff.flows.breach import write_breach

    made = write_breach(workspace, answers=answers, known_at=known_at, since=since)

    def show() -> None:
        click.echo(made["clock"]["sentence"])
        for kind, path in made["files"].items():
            click.echo(f"{kind.upper():<5}{path}")
        click.echo(f"{made['unanswered']} points are unanswered.")

    return Outcome(result=made, show=show)


@command.command("state")
@click.argument("provision")
@click.argument("text", required=False)
@click.option("--who", help="Whose statement it is.  [default: the owner in skiff.toml]")
@click.option("--withdraw", is_flag=True, help="Take the statement back.")
@workspace_option
@answer("govern state")
def state_(provision: str, text: str | None, who: str | None, *, withdraw: bool, workspace: Path) -> Outcome:
    """State what was done about PROVISION (MEASURE 2.8, A.3.2, GDPR-30, AIA-4 …); kept in the ledger with name and time.

    Say what was done, not a verdict: words such as "compliant" are refused.
    """
    from skiff.flows import govern

    if withdraw:
        made = govern.withdraw(workspace, provision)
        return Outcome(result=made, show=lambda: click.echo(f"{made['id']}: the statement was taken back."))
    made = govern.state(workspace, provision, text or "", who=who)
    return Outcome(
        result=made,
        show=lambda: click.echo(f"{made['id']}, stated by {made['who']} ({made['evidence']}): {made['text']}"),
    )


def _question_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for key, help_, choices in reversed(QUESTIONS):
        function = click.option(f"--{key}", type=click.Choice(choices), help=help_)(function)
    return function


QUESTIONS = (
    ("eu", "Used in the European Union?", ("yes", "no")),
    ("name", "Whose name does the model carry?", ("mine", "client")),
    ("user", "Who uses it under their own authority?", ("me", "client", "both")),
    ("personal", "Data about people, on whose instructions?", ("client", "mine", "none")),
    ("prohibited", "One of the practices of Art. 5?", ("yes", "no")),
    ("product", "Safety part of a product under Annex I?", ("yes", "no")),
    (
        "area",
        "Area of Annex III.",
        (
            "none",
            "biometrics",
            "infrastructure",
            "education",
            "employment",
            "services",
            "police",
            "migration",
            "justice",
        ),
    ),
    ("profiling", "Does it rate or sort single people?", ("yes", "no")),
    ("narrow", "Only a narrow or preparing step?", ("yes", "no")),
    ("talks", "Does it talk with people or make content?", ("yes", "no")),
)
"""Written out so that the command's help loads nothing; a test holds it to `skiff.govern.questions`."""


@command.command("ask")
@_question_options
@workspace_option
@answer("govern ask")
def ask_(workspace: Path, **given: str | None) -> Outcome:
    """Answer ten questions on your role and the risk class, or change answers; what is not given is asked at a terminal."""
    from skiff.flows import govern
    from skiff.govern.questions import QUESTIONS as ASKED

    answers = {key: value for key, value in given.items() if value is not None}
    if not answers and "--json" not in sys.argv and sys.stdin.isatty() and sys.stderr.isatty():
        known = govern.read_answers(workspace)
        for question in ASKED:
            answers[question.key] = click.prompt(
                f"{question.text} [{question.why}]",
                type=click.Choice(question.choices),
                default=known.get(question.key),
                err=True,
            )
    made = govern.ask(workspace, answers)

    def show() -> None:
        click.echo(
            f"Risk class: {made['risk']}" + (f", duties from {made['applies_from']}" if made["applies_from"] else "")
        )
        click.echo(f"Your roles: {', '.join(made['roles']) or 'none named'}")
        for reason in made["reasons"]:
            click.echo(f"  {reason}")
        if made["open_questions"]:
            click.echo(f"Not answered: {', '.join(made['open_questions'])}")
        click.echo(f"Rules of {made['rules']}. This says where to look; it is no legal advice.")

    return Outcome(result=made, show=show)


@command.command("updates")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path())
@click.option("--rules", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="A newer rules file (CSV).")
@answer("govern updates")
def updates(folder: Path, rules: Path | None) -> Outcome:
    """List which workspaces in and below FOLDER a change of rules touches. Exit code 1 where there is one."""
    from dataclasses import asdict

    from skiff.flows.govern import find_updates

    found = find_updates(folder, rules)

    def show() -> None:
        for item in found:
            click.echo(f"{item.workspace} (risk class: {item.risk})")
            if not item.touches:
                click.echo(f"  {item.problem or 'nothing new since it was last mapped'}")
            for touch in item.touches:
                click.echo(
                    f"  {'touched' if touch.is_sure else 'perhaps'}, from {touch.rule.applies_from}: {touch.rule.what}"
                )
                click.echo(f"           {touch.rule.do} ({touch.why})")
        if not found:
            click.echo("There is no workspace in or below this folder.")

    is_quiet = not any(item.touches or item.problem for item in found)
    return Outcome(result=[asdict(item) for item in found], show=show, is_yes=is_quiet)
