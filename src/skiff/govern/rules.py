"""Dated changes of rules, and which projects they touch."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from skiff.core.errors import SkiffError
from skiff.govern.questions import Position

COLUMNS = ("id", "framework", "changed", "applies_from", "touches", "what", "do")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One change.

    Parameters
    ----------
    id, framework : str
    changed, applies_from : str
        ISO dates: when the rule was changed, and from when it applies.
    touches : str
        Whom; see `TOUCHES`.
    what, do : str
    """

    id: str
    framework: str
    changed: str
    applies_from: str
    touches: str
    what: str
    do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A change that touches a project; `is_sure` is False where the questionnaire left it open."""

    rule: RuleChange
    is_sure: bool
    why: str


Asks = Callable[[Mapping[str, str], Position], bool | None]


def _is_eu(answers: Mapping[str, str], _: Position) -> bool | None:
    return None if "eu" not in answers else answers["eu"] == "yes"


def _is_class(*classes: str) -> Asks:
    return lambda _, position: None if position.risk == "open" else position.risk in classes


def _is_product(answers: Mapping[str, str], position: Position) -> bool | None:
    return None if "product" not in answers else position.risk == "high" and answers["product"] == "yes"


def _is_personal(answers: Mapping[str, str], _: Position) -> bool | None:
    return None if "personal" not in answers else answers["personal"] != "none"


def _talks(answers: Mapping[str, str], _: Position) -> bool | None:
    return None if "talks" not in answers else answers["talks"] == "yes"


def _is_deployer(answers: Mapping[str, str], position: Position) -> bool | None:
    return None if "user" not in answers or position.risk == "open" else position.risk == "high"


TOUCHES: Mapping[str, Asks] = {
    "all": lambda _answers, _position: True,
    "eu": _is_eu,
    "high": _is_class("high"),
    "high-product": _is_product,
    "deployer-high": _is_deployer,
    "transparency": _talks,
    "personal": _is_personal,
}
"""Name in the rules file to the question that decides."""


def parse_rules(text: str, *, file: str = "rules.csv") -> tuple[RuleChange, ...]:
    """Return the changes of a rules file.

    Raises
    ------
    SkiffError
        ``rules_unreadable``, naming the line.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise _refuse(file, 1, f"its first line must be {','.join(COLUMNS)}")
    found = []
    for line, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            raise _refuse(file, line, f"it has not {len(COLUMNS)} cells")
        if row["touches"] not in TOUCHES:
            raise _refuse(file, line, f"'touches' must be one of {', '.join(TOUCHES)}")
        for key in ("changed", "applies_from"):
            try:
                date.fromisoformat(row[key])
            except ValueError as error:
                raise _refuse(file, line, f"'{key}' must be a date such as 2026-07-27") from error
        found.append(RuleChange(**row))
    return tuple(found)


def find_touches(
    rules: tuple[RuleChange, ...], answers: Mapping[str, str], position: Position, *, mapped: Mapping[str, str]
) -> tuple[Touch, ...]:
    """Return the changes that touch a project and are newer than its last mapping of that framework.

    Parameters
    ----------
    rules : tuple of RuleChange
    answers : mapping of str to str
        Of the questionnaire; empty where nobody was asked.
    position : Position
    mapped : mapping of str to str
        Framework to the date of the tables that its last mapping here was made with.
    """
    found = []
    for rule in rules:
        last = mapped.get(rule.framework, "")
        if last[:10] >= rule.changed:
            continue
        is_outside = rule.framework == "aiact" and position.risk == "outside"
        verdict = False if is_outside else TOUCHES[rule.touches](answers, position)
        if verdict is False:
            continue
        since = f"last mapped with the tables of {last[:10]}" if last else "never mapped here"
        why = since if verdict else f"{since}; the questionnaire leaves open whether it applies (skiff govern ask)"
        found.append(Touch(rule=rule, is_sure=bool(verdict), why=why))
    return tuple(found)


def _refuse(file: str, line: int, why: str) -> SkiffError:
    return SkiffError(
        "rules_unreadable",
        what=f"The rules file {file} cannot be used: {why}.",
        where={"file": file, "line": line},
        fix="Mend that line; without --rules the rules that come with Skiff are used.",
    )
