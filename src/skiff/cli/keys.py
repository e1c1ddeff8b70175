"""``skiff keys``: who may ask the server."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option

SCOPES = ("predict", "outcome", "read", "review", "admin")
_SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}


class Lifetime(click.ParamType[int]):
    """How long a key lives: ``12h``, ``90d``, ``4w``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401  click's signature
        """Return seconds."""
        found = re.fullmatch(r"(\d{1,6})(h|d|w)", str(value).strip().lower())
        if not found or int(found[1]) == 0:
            self.fail("Write for example 12h, 90d or 4w.", param, ctx)
        return int(found[1]) * _SECONDS[found[2]]


@click.group("keys", short_help="Make, list and revoke the API keys of `skiff serve`.")
def command() -> None:
    """Make, list and revoke the API keys of `skiff serve`."""


@command.command("create")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="What it opens.")
@click.option("--name", default="", help="Whose it is, to tell keys apart later.")
@click.option("--expires", type=Lifetime(), help="How long it lives: 12h, 90d, 4w.  [default: until revoked]")
@workspace_option
@answer("keys create")
def create(scopes: tuple[str, ...], name: str, expires: int | None, workspace: Path) -> Outcome:
    """Make a key and show it, once: only a hash of it is kept.

    Example:  skiff keys create --scope predict --scope outcome --name shop --expires 90d
    """
    from skiff.flows.keys import create_key

    made, secret = create_key(workspace, name=name, scopes=scopes, lifetime_s=expires)

    def show() -> None:
        click.echo(secret)
        click.echo("Keep it now: it is not shown again. Send it as  Authorization: Bearer KEY", err=True)

    return Outcome(result={**made, "key": secret}, show=show)


@command.command("list")
@workspace_option
@answer("keys list")
def list_(workspace: Path) -> Outcome:
    """List the keys, without the keys themselves."""
    from skiff.cli.console import print_table
    from skiff.flows.keys import list_keys

    keys = list_keys(workspace)

    def show() -> None:
        rows = [(key["id"], key["name"], ", ".join(key["scopes"]), key["state"], _date(key["expires"])) for key in keys]
        print_table(["key", "whose", "opens", "state", "until (UTC)"], rows)

    return Outcome(result=list(keys), show=show)


@command.command("revoke")
@click.argument("key")
@workspace_option
@answer("keys revoke")
def revoke(key: str, workspace: Path) -> Outcome:
    """Close the key with the id KEY for good; running servers notice within a second."""
    from skiff.flows.keys import revoke_key

    closed = revoke_key(workspace, key)
    return Outcome(result=closed, show=lambda: click.echo(f"Revoked: {closed['id']}"))


def _date(seconds: int | None) -> str:
    return "" if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M")
