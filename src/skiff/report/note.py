"""The short note about a table: the sentence on top, and what to ask the client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skiff.core.finding import Finding, sort_findings


def describe_table(findings: Sequence[Finding]) -> str:
    """Return the one sentence on top.

    Examples
    --------
    >>> describe_table([])
    'Nothing was found that needs your attention.'
    >>> describe_table([Finding(code="a.b", severity="block"), Finding(code="a.c", severity="warn")])
    'One thing to stop for and one to look at.'
    """
    blocks = sum(item.severity == "block" and item.action != "kept" for item in findings)
    warnings = sum(item.severity == "warn" or (item.severity == "block" and item.action == "kept") for item in findings)
    count = {1: "one"}
    parts = []
    if blocks:
        parts.append(f"{count.get(blocks, f'{blocks:,}')} thing{'' if blocks == 1 else 's'} to stop for")
    if warnings:
        noun = "" if blocks else f" thing{'' if warnings == 1 else 's'}"
        parts.append(f"{count.get(warnings, f'{warnings:,}')}{noun} to look at")
    if not parts:
        return "Nothing was found that needs your attention."
    sentence = " and ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def list_questions(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return what to ask the client, worst first, each question once.

    Examples
    --------
    >>> list_questions([Finding(code="leakage.x", severity="warn", question="When is this written?")] * 2)
    ('When is this written?',)
    """
    asked = [item.question for item in sort_findings(list(findings)) if item.question]
    return tuple(dict.fromkeys(asked))
