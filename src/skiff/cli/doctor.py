"""``skiff doctor``: is this machine fit for the work."""

from __future__ import annotations

from dataclasses import asdict

import click

from skiff.cli.face import Outcome, answer


@click.command("doctor", short_help="Check this machine and this installation.")
@answer("doctor")
def command() -> Outcome:
    """Check Python, libraries, memory, disk and that a model can be compiled and run here. Exit code 1 where not."""
    from skiff.flows.doctor import examine

    checks = examine()

    def show() -> None:
        for check in checks:
            click.echo(f"{'ok  ' if check.is_fine else 'NO  '}{check.name}: {check.what}")
            if not check.is_fine:
                click.echo(f"      {check.fix}")

    return Outcome(result=[asdict(check) for check in checks], show=show, is_yes=all(check.is_fine for check in checks))
