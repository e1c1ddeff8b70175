"""What every command shares: ``--json``, ``--debug``, one envelope, one table from result to exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from skiff.cli.exits import EXIT_DONE, EXIT_FAULT, EXIT_MISUSE, EXIT_NO, SAYS_NO
from skiff.core.errors import SkiffError
from skiff.core.finding import Finding

SCHEMA = 1
"""Version of the ``--json`` envelope (design §4.2)."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command gives back: one object for machines, one showing for people.

    Parameters
    ----------
    result : object
        Anything msgspec can encode; becomes ``result``.
    findings : sequence of Finding
    show : callable
        Prints the result for a person on standard output.
    is_yes : bool
        False where a gate or check said no (exit 1).
    """

    result: object
    show: Callable[[], None]
    findings: Sequence[Finding] = field(default_factory=tuple)
    is_yes: bool = True


def answer(name: str) -> Callable[[Function], Function]:
    """Turn a function that returns an `Outcome` into a command body with ``--json`` and ``--debug``."""

    def decorate(function: Function) -> Function:
        @click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of text.")
        @click.option("--debug", is_flag=True, help="Show a traceback if Skiff itself fails.")
        @functools.wraps(function)
        def body(*, is_json: bool, debug: bool, **options: object) -> int:
            del debug  # read by the outermost edge, which prints faults
            outcome: Outcome = function(**options)
            if is_json:
                write_json(
                    {
                        "schema": SCHEMA,
                        "command": name,
                        "ok": True,
                        "result": outcome.result,
                        "findings": list(outcome.findings),
                    }
                )
            else:
                outcome.show()
            return EXIT_DONE if outcome.is_yes else EXIT_NO

        return body  # type: ignore[return-value]  # click replaces the signature

    return decorate


def write_json(value: object) -> None:
    """Write one JSON object on standard output; infinities and NaN become null (JSON has neither)."""
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2) + b"\n")
    sys.stdout.flush()


def print_problem(error: SkiffError, *, command: str, is_json: bool) -> int:
    """Show a problem a person can mend and return the exit code: misuse, or no where the data cannot carry a model."""
    if is_json:
        write_json({"schema": SCHEMA, "command": command, "ok": False, "error": error.as_dict()})
    else:
        from skiff.cli.console import print_error

        print_error(error)
    return EXIT_NO if error.code in SAYS_NO else EXIT_MISUSE


def print_refusal(error: OSError, *, command: str, is_json: bool, is_debug: bool) -> int:
    """Show what the operating system refused outside of the store: a full disk or a permission is no fault of Skiff's."""
    from skiff.store.files import describe_os_error

    told = describe_os_error(error, Path(os.fsdecode(error.filename))) if error.filename else None
    if told is None or told.code == "file_unusable":
        return print_fault(error, command=command, is_json=is_json, is_debug=is_debug)
    return print_problem(told, command=command, is_json=is_json)


def print_fault(error: Exception, *, command: str, is_json: bool, is_debug: bool) -> int:
    """Show that Skiff itself failed, with the id of a local report that quotes no data."""
    if is_debug:
        import traceback

        traceback.print_exception(error)
    from skiff.store.faults import write_fault

    report_id, path = write_fault(error)
    fault = SkiffError(
        "internal_fault",
        what=f"Skiff itself failed ({type(error).__name__}). This is not your mistake; report id {report_id}.",
        where={"report": path},
        fix="The report names only lines of Skiff's code, none of your data. Try again with --debug to see more.",
    )
    print_problem(fault, command=command, is_json=is_json)
    return EXIT_FAULT
