"""``skiff verify``: whether a bundle or a certificate is what was signed."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer

SIGNS = {True: "ok ", False: "BAD", None: "-  "}


@click.command("verify", short_help="Check a handover bundle: signature, hashes, ledger, answers.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--key", default="", help="Fingerprint of the key you trust.")
@click.option("--no-run", is_flag=True, help="Do not run the model.")
@answer("verify")
def command(bundle: Path, key: str, *, no_run: bool) -> Outcome:
    """Check BUNDLE, or the certificate of an erasure. Exit code 1 means that something is not as it was signed.

    The same check lies in each bundle as verify.py and needs nothing but Python.
    """
    from skiff.flows.verify import verify_bundle

    found = verify_bundle(bundle, key=key, may_run=not no_run)

    def show() -> None:
        for item in found.checks:
            click.echo(f"{SIGNS[item.ok]} {item.what}")
        kind = "certificate" if found.checks[-1].check == "complete" else "bundle"
        click.echo(f"\nThe {kind} is as it was signed." if found.is_whole else f"\nDo not rely on this {kind}.")

    return Outcome(result=found.as_result(), show=show, is_yes=found.is_whole)
