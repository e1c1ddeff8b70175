"""The command table: names and one line each; a command's module is imported when it is called."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

import skiff
from skiff.cli.exits import EXIT_DONE, EXIT_STOPPED
from skiff.core.errors import SkiffError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("skiff.cli.run", "The whole journey: from a file to a released, explained model."),
    "read": ("skiff.cli.read", "Read a messy file and write a clean table."),
    "check": ("skiff.cli.check", "Look for what ruins models: leaks, gaps, duplicates, imbalance."),
    "init": ("skiff.cli.init", "Make a workspace with a commented skiff.toml."),
    "data": ("skiff.cli.data", "Add, list, show and export the datasets of a workspace."),
    "train": ("skiff.cli.train", "Train a candidate on a dataset of the workspace."),
    "evaluate": ("skiff.cli.evaluate", "Judge the latest candidate on its sealed test set."),
    "releases": ("skiff.cli.releases", "List, show, promote, roll back and compare releases."),
    "predict": ("skiff.cli.predict", "Answer the rows of a file with a released model."),
    "outcomes": ("skiff.cli.outcomes", "Take what really happened from a file."),
    "predictions": ("skiff.cli.predictions", "Count and export what was predicted, with outcomes."),
    "serve": ("skiff.cli.serve", "Answer over HTTP with the release that stands."),
    "pii": ("skiff.cli.pii", "Find personal data; write a masked or pseudonymised copy."),
    "keys": ("skiff.cli.keys", "Make, list and revoke the API keys of `skiff serve`."),
    "monitor": ("skiff.cli.monitor", "Judge what the model answered: drift, estimated and delivered quality."),
    "watch": ("skiff.cli.watch", "Judge on a schedule, and send alerts."),
    "retrain": ("skiff.cli.retrain", "Try a new model against the one that answers; release it only if better."),
    "review": ("skiff.cli.review", "Decide rows the model should not, and label rows; see who reads."),
    "secure": ("skiff.cli.secure", "Attack a release as strangers would; each attack ends in a light."),
    "ledger": ("skiff.cli.ledger", "Show what was done, and prove that the record is whole."),
    "access": ("skiff.cli.access", "Gather all that is held on a person, for them (GDPR Art. 15)."),
    "erase": ("skiff.cli.erase", "Erase a person everywhere, the models too; ends in a signed certificate."),
    "retention": ("skiff.cli.retention", "Show what must go when, and let go of what is due."),
    "govern": ("skiff.cli.govern", "Set what was done against NIST, ISO, GDPR and the EU AI Act."),
    "handover": ("skiff.cli.handover", "Write one signed file that holds all the client needs."),
    "verify": ("skiff.cli.verify", "Check a handover bundle: signature, hashes, ledger, answers."),
    "backup": ("skiff.cli.backup", "Write one file from which the workspace can be put back."),
    "restore": ("skiff.cli.restore", "Put a workspace back from a backup."),
    "encrypt": ("skiff.cli.encrypt", "Encrypt what a workspace holds, by a passphrase or a key file."),
    "decrypt": ("skiff.cli.decrypt", "Write what an encrypted workspace holds as plain files again."),
    "vault": ("skiff.cli.vault", "Show and change what opens an encrypted workspace."),
    "config": ("skiff.cli.config", "Show every setting, its value and where it comes from."),
    "doctor": ("skiff.cli.doctor", "Check this machine and this installation."),
}
"""Command name to the module that holds it (as ``command``) and its line in ``skiff --help``."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and lines without importing them: ``skiff --help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the journey."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the closest command when a name is unknown."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"There is no command '{args[0]}'.{hint} See: skiff --help", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands from their lines alone."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(skiff.__version__, prog_name="skiff")
def group() -> None:
    """Skiff: from a client's messy file to a machine-learning model you can stand behind.

    Start with:  skiff run FILE --target COLUMN
    """


def run_command_line(arguments: Sequence[str]) -> int:  # noqa: PLR0911  one return for each way a command ends
    """Run one command and return its exit code; every error leaves as one clear message, never a traceback.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``skiff``.
    """
    is_json = "--json" in arguments
    command = name_command(arguments)
    try:
        code = group.main(list(arguments), prog_name="skiff", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        from skiff.cli.face import print_problem

        return print_problem(_describe_misuse(error), command=command, is_json=is_json)
    except SkiffError as error:
        from skiff.cli.face import print_problem

        return print_problem(error, command=command, is_json=is_json)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\nStopped. Nothing half-written was kept; running the same command again starts afresh.\n")
        return EXIT_STOPPED
    except BrokenPipeError:
        return EXIT_DONE
    except OSError as error:
        from skiff.cli.face import print_refusal

        return print_refusal(error, command=command, is_json=is_json, is_debug="--debug" in arguments)
    except Exception as error:  # noqa: BLE001  the outermost edge: whatever is left is our own fault
        from skiff.cli.face import print_fault

        return print_fault(error, command=command, is_json=is_json, is_debug="--debug" in arguments)
    return code if isinstance(code, int) else EXIT_DONE


def name_command(arguments: Sequence[str]) -> str:
    """Return the command that was asked for, with the part of a group: what ``--json`` calls it, done or not.

    Examples
    --------
    >>> name_command(["data", "show", "zzz"]), name_command(["data", "nope"]), name_command(["--version"])
    ('data show', 'data', '')
    """
    words = [word for word in arguments if not word.startswith("-")]
    if not words:
        return ""
    first, *rest = words
    found = group.get_command(click.Context(group), first)
    return f"{first} {rest[0]}" if rest and isinstance(found, click.Group) and rest[0] in found.commands else first


def _describe_misuse(error: click.ClickException) -> SkiffError:
    """Turn click's complaint into the four parts."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "skiff"
    return SkiffError("misuse", what=error.format_message(), where={"command": path}, fix=f"See: {path} --help")
