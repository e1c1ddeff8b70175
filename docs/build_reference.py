"""Write the reference pages that are made from the code, and check that nothing is undocumented.

``python docs/build_reference.py`` writes; ``--check`` changes nothing and exits with 1 where a page is stale, or a finding,
error, command or setting has no page or section.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import click

from skiff.cli.main import COMMANDS
from skiff.core.settings import list_settings

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "src" / "skiff"
FAMILIES = ("reading", "schema", "quality", "leakage", "imbalance", "labels", "coverage", "privacy", "task", "split")
NOT_CODES = {
    "leakage.x",
    "leakage.new_kind",
    "privacy.unknown",
    "split.group",
    "task.drop",
    "task.keep",
    "task.protected",
}
"""Examples in docstrings, names of settings, and reasons for leaving a column out that are no findings."""

FINDING = re.compile(r"[\"']((?:" + "|".join(FAMILIES) + r")\.[a-z_]+)[\"']")
READING = re.compile(r"_say\(\s*[\"']([a-z_]+)[\"']")
ERROR = re.compile(r"(?:SkiffError|refuse)\(\s*[\"']([a-z_]+)[\"']")


def find_codes(pattern: re.Pattern[str]) -> set[str]:
    """Return every code that occurs in the source."""
    settings = {doc.path for doc in list_settings()}
    found = {code for path in SOURCE.rglob("*.py") for code in pattern.findall(path.read_text())}
    return found - NOT_CODES - settings


def write_commands() -> str:
    """Return the page of all commands, as click describes them."""
    parts = [
        "# Commands",
        "",
        "Made from the code. Every command takes `--json` (one object on standard output) and `--debug`.",
        "",
    ]
    for name, (module, line) in COMMANDS.items():
        command = importlib.import_module(module).command
        parts += [f"## skiff {name}", "", line, ""]
        members = {f"skiff {name}": command}
        if isinstance(command, click.Group):
            members = {f"skiff {name} {sub}": item for sub, item in command.commands.items()}
        for path, item in members.items():
            context = click.Context(item, info_name=path, max_content_width=100)
            parts += ["```text", item.get_help(context).rstrip(), "```", ""]
    return "\n".join(parts)


def write_settings() -> str:
    """Return the page of all settings of ``skiff.toml``."""
    parts = [
        "# Settings",
        "",
        "Made from the code. All keys of `skiff.toml`; every one is optional, and the command line wins.",
        "",
    ]
    parts += ["| setting | meaning | example |", "| --- | --- | --- |"]
    parts += [f"| `{doc.path}` | {doc.meaning} | `{doc.example}` |" for doc in list_settings()]
    parts += ["", '`[reading."FILE"]` holds how a file was read, so that next month\'s file is read the same way.']
    return "\n".join([*parts, ""])


def write_findings(codes: set[str]) -> str:
    """Return the index of all findings."""
    parts = ["# Findings", "", "Made from the code. What a check may say about your data, one page each.", ""]
    for family in FAMILIES:
        own = sorted(code for code in codes if code.startswith(f"{family}."))
        if own:
            parts += [f"**{family}**: " + ", ".join(f"[{code}]({code}.md)" for code in own), ""]
    return "\n".join(parts)


def main() -> int:
    """Write or check all pages."""
    is_check = "--check" in sys.argv
    codes = find_codes(FINDING) | {f"reading.{name}" for name in find_codes(READING)}
    pages = {
        DOCS / "reference" / "commands.md": write_commands(),
        DOCS / "reference" / "settings.md": write_settings(),
        DOCS / "reference" / "findings" / "README.md": write_findings(codes),
    }
    problems = []
    for path, text in pages.items():
        if is_check and (not path.exists() or path.read_text() != text):
            problems.append(f"{path.relative_to(DOCS.parent)} is stale: run `make docs`")
        elif not is_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    missing = [code for code in sorted(codes) if not (DOCS / "reference" / "findings" / f"{code}.md").exists()]
    problems += [f"the finding {code} has no page in docs/reference/findings" for code in missing]
    errors = DOCS / "reference" / "errors.md"
    sections = set(re.findall(r"^## `?([a-z_]+)`?$", errors.read_text() if errors.exists() else "", re.MULTILINE))
    problems += [
        f"the error {code} has no section in docs/reference/errors.md" for code in sorted(find_codes(ERROR) - sections)
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if is_check and problems else 0


if __name__ == "__main__":
    sys.exit(main())
