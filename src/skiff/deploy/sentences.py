"""Say an answer and its reasons in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skiff.core.task import TaskKind
from skiff.deploy.answers import Answer

MOST_REASONS = 5
LEAST_POINTS = 0.005
"""Half a case in 100: what is less is not worth a sentence."""


def say_answer(
    answer: Answer, *, kind: TaskKind, positive: str = "", unit: str = "", row: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Return the answer, its reasons with the largest first, and whether a person should look.

    Parameters
    ----------
    answer : Answer
    kind : {"binary", "multiclass", "regression"}
    positive : str
        The class whose chance is told (two classes).
    unit : str
        Of a number.
    row : mapping, optional
        The row itself: its cells are then quoted. Leave it out where the sentences may be kept.

    Examples
    --------
    >>> made = Answer(label="yes", probability=0.62, base=0.27, contributions={"contract": 0.3, "tenure": 0.051, "fax": 0.0},
    ...               decision="review")
    >>> for sentence in say_answer(made, kind="binary", positive="yes", row={"contract": "monthly", "tenure": 2}):
    ...     print(sentence)
    The chance of “yes” is 62 in 100; the model starts from 27 in 100.
    contract is “monthly”: 30 in 100 more.
    tenure is “2”: 5 in 100 more.
    The answer is close: a person should look at it.
    """
    said = [_say_score(answer, kind, positive or (answer.label or ""), unit)]
    for name, part in list((answer.contributions or {}).items())[:MOST_REASONS]:
        if kind != "regression" and abs(part) < LEAST_POINTS:
            continue
        if part == 0:
            continue
        cell = "" if row is None or name not in row else f" is {quote_cell(row[name])}"
        said.append(f"{name}{cell}: {_say_part(part, kind, unit)}.")
    if answer.low is not None and answer.high is not None:
        said.append(f"The truth should lie between {_number(answer.low)} and {_number(answer.high)}{_unit(unit)}.")
    if len(answer.set) > 1:
        others = [quote_cell(name) for name in answer.set if name != answer.label]
        said.append(f"{', '.join(others)} cannot be ruled out either.")
    if answer.decision == "review":
        said.append("The answer is close: a person should look at it.")
    return tuple(said)


def _say_score(answer: Answer, kind: TaskKind, name: str, unit: str) -> str:
    base = answer.base
    if kind == "regression":
        known = "" if base is None else f"; the model starts from {_number(base)}{_unit(unit)}"
        return f"The answer is {_number(answer.score)}{_unit(unit)}{known}."
    known = "" if base is None else f"; the model starts from {_points(base)}"
    return f"The chance of “{name}” is {_points(answer.score)}{known}."


def _say_part(part: float, kind: TaskKind, unit: str) -> str:
    word = "more" if part > 0 else "less"
    return f"{_number(abs(part))}{_unit(unit)} {word}" if kind == "regression" else f"{_points(abs(part))} {word}"


def _points(chance: float) -> str:
    """Return a chance as a count, never rounded to nothing or to certainty where it is neither."""
    if 0 < chance < 0.0005:  # noqa: PLR2004  rounds to 0 in 1,000
        return "under 1 in 1,000"
    if 0 < chance < 0.0095:  # noqa: PLR2004  less than one in a hundred
        return f"{chance * 1000:.0f} in 1,000"
    if 0.995 <= chance < 1:  # noqa: PLR2004  rounds to 100 in 100
        return "over 99 in 100"
    return f"{chance * 100:.0f} in 100"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004  thousands are whole


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def quote_cell(cell: object) -> str:
    """Return a cell in quotes, as a person would say it.

    Examples
    --------
    >>> quote_cell(True), quote_cell(None), quote_cell("north")
    ('“yes”', 'missing', '“north”')
    """
    if isinstance(cell, bool):
        return "“yes”" if cell else "“no”"
    return "missing" if cell is None or cell == "" else f"“{cell}”"
