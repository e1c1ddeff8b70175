"""Options that several commands share, written once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

_UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Seconds(click.ParamType[float]):
    """A span of time such as ``60s``, ``5m``, ``1h`` or plain seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  click's signature
        """Return seconds."""
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|)\s*", str(value).lower())
        if not found or float(found[1]) <= 0:
            self.fail(f"'{value}' is not a span of time. Write for example 60s, 5m or 1h.", param, ctx)
        return float(found[1]) * _UNITS_S[found[2]]


def workspace_option(function: Function) -> Function:
    """Add ``--workspace``, by default the folder one stands in, and what opens an encrypted one."""
    return click.option(
        "--workspace",
        "-w",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        show_default="the folder you are in",
        help="Folder of the workspace.",
    )(secret_options(function))


def secret_options(function: Function) -> Function:
    """Add what opens an encrypted workspace; it is offered to whoever opens one while the command runs."""
    place = click.Path(path_type=Path, dir_okay=False)
    options = [
        click.option(
            "--passphrase-file",
            type=place,
            expose_value=False,
            callback=_offer("passphrase_file"),
            help="File whose first line is the passphrase of an encrypted workspace.  [default: SKIFF_PASSPHRASE, or asked]",
        ),
        click.option(
            "--key-file",
            type=place,
            expose_value=False,
            callback=_offer("key_file"),
            help="File whose key opens an encrypted workspace.  [default: SKIFF_KEY_FILE, or store.key_file]",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _offer(field: str) -> Callable[[click.Context, click.Parameter, Path | None], None]:
    def keep(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
        del param
        from dataclasses import replace

        from skiff.store.secret import OFFER

        is_asked = sys.stdin.isatty() and sys.stderr.isatty() and "--json" not in sys.argv
        offer = replace(OFFER.get(), ask=_ask if is_asked else None)
        if value is not None and field == "key_file":
            offer = replace(offer, key_file=value)
        elif value is not None:
            offer = replace(offer, passphrase_file=value)
        token = OFFER.set(offer)
        ctx.call_on_close(lambda: OFFER.reset(token))

    return keep


def _ask(question: str) -> str:
    answer: str = click.prompt(question, hide_input=True, err=True)
    return answer


def warn_of_loss() -> None:
    """Say once what encryption takes away and what it leaves open."""
    click.echo(
        "If the passphrase and every key file are lost, nothing can be recovered: not by you, not by anybody.", err=True
    )
    click.echo("Make a second key now and keep it elsewhere: skiff vault add-key FILE", err=True)
    click.echo(
        "reports/, handover bundles and exports are meant to be given away: they stay plain, as does skiff.toml.",
        err=True,
    )


def question_options(function: Function) -> Function:
    """Add what says which question is asked of the data."""
    options = [
        click.option("--target", help="Column to predict.", metavar="COL"),
        click.option("--time", help="Column that says when a row happened; the newest rows then judge.", metavar="COL"),
        click.option("--group", help="Column that says which rows belong together (a customer …).", metavar="COL"),
        click.option("--positive", help="The answer to catch, where there are two.", metavar="VALUE"),
        click.option(
            "--keep", multiple=True, help="Use this column although a check would leave it out.", metavar="COL"
        ),
        click.option("--drop", multiple=True, help="Leave this column out.", metavar="COL"),
        click.option(
            "--protected", multiple=True, help="Judge by this column but do not learn from it.", metavar="COL"
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**31 - 1), help="Same seed, same data: same model.  [default: 0]"
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def effort_options(function: Function) -> Function:
    """Add how long training may take."""
    return click.option("--budget", type=Seconds(), help="Time for training, such as 60s or 5m.  [default: 60s]")(
        function
    )


def provenance_options(function: Function) -> Function:
    """Add where the data comes from; what is not said is asked once, where there is somebody to ask."""
    options = [
        click.option("--source", help="Where the table comes from: a system, an export, a survey.", metavar="TEXT"),
        click.option("--owner", help="Whose data it is.", metavar="TEXT"),
        click.option("--licence", help="Under which terms it may be used.", metavar="TEXT"),
        click.option("--legal-basis", help="Why it may be used, where it is about people.", metavar="TEXT"),
        click.option("--collected", help="In which period it was collected.", metavar="TEXT"),
        click.option("--purpose", help="What it is used for.", metavar="TEXT"),
        click.option("--keep-for", help="How long it may be kept: 90d, 18m, 2y.", metavar="SPAN"),
        click.option("--yes", "-y", is_flag=True, help="Never ask; take what Skiff proposes."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def ask_provenance(options: dict[str, Any], *, folder: Path, name: str) -> dict[str, str]:
    """Return the answers about the origin of a table: those of the options, and of the person at the terminal.

    Nobody is asked with ``--yes`` or ``--json``, without a terminal, or once a table has been kept; Enter leaves a question open.
    """
    from skiff.flows.datasets import list_open_questions
    from skiff.flows.provenance import KEYS, TERMS
    from skiff.govern.retention import parse_span

    given = {key: options.pop(key) or "" for key in (*KEYS, *TERMS)}
    if given["keep_for"]:
        parse_span(given["keep_for"])
    is_quiet = options.pop("yes") or "--json" in sys.argv
    if is_quiet or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return given
    questions = [(key, question) for key, question in list_open_questions(folder, name) if not given[key]]
    if questions:
        click.echo("Some questions about the data, asked once (Enter leaves one open; --yes asks none):", err=True)
    for key, question in questions:
        given[key] = click.prompt(f"  {question}", default="", show_default=False, err=True)
    if given["keep_for"]:
        parse_span(given["keep_for"])
    return given


def gather_wishes(options: dict[str, Any]) -> Any:  # noqa: ANN401  Wishes, which is imported late
    """Return the options of `question_options` and `effort_options` as one value."""
    from skiff.flows.wishes import Wishes

    return Wishes(
        target=options.get("target"),
        time=options.get("time"),
        group=options.get("group"),
        positive=options.get("positive"),
        seed=options.get("seed"),
        keep=tuple(options.get("keep", ())),
        drop=tuple(options.get("drop", ())),
        protected=tuple(options.get("protected", ())),
        budget_s=options.get("budget"),
    )
