"""What a reviewer sees and gets back, and how one may be called: light, because servers start with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from skiff.core.errors import SkiffError

MOST_NAME_LETTERS = 128
NAME = rf"\w(?:[\w .@+-]{{0,{MOST_NAME_LETTERS - 2}}}\w)?"
"""How a reviewer may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """From which chance of it on an answer is given."""

    answer: str
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the model says of a row.

    Parameters
    ----------
    answer : str
        A label, or a number as text.
    chance : float or None
        Of that label, as the model has it.
    low, high : float or None
        Where a number should lie.
    given : str or None
        The label that stands in the table, where it looks wrong.
    line : Line or None
        From where on the model says the second of two labels, where that is not one half.
    reasons : tuple of (str, float)
        Columns and how far each speaks for the answer (negative: against it), in chance, or what it adds to a number.
    """

    answer: str
    chance: float | None = None
    low: float | None = None
    high: float | None = None
    given: str | None = None
    line: Line | None = None
    reasons: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row as its reviewer sees it.

    Parameters
    ----------
    id : str
    reason, rule : str
        Why it is for a person.
    key : str or None
        The client's own name for the case.
    cells : dict
        The inputs that are kept, by column; empty where none are.
    answers : tuple of str
        The labels there are; empty for a number.
    first : str or None
        What was answered before the suggestion was seen.
    suggestion : Suggestion or None
        None until it may be seen.
    """

    id: str
    reason: str
    rule: str
    cells: dict[str, Any]  # Any: cells as JSON has them
    answers: tuple[str, ...] = ()
    key: str | None = None
    first: str | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What became of a final answer.

    Parameters
    ----------
    id, final : str
    first : str or None

    Notes
    -----
    Whether the answer became an outcome is not told: a planted row's never does, which would give it away.
    """

    id: str
    final: str
    first: str | None


def check_name(reviewer: str) -> str:
    """Return a reviewer's name, without blanks around it.

    Raises
    ------
    SkiffError
        ``reviewer_missing``.

    Examples
    --------
    >>> check_name(" ada ")
    'ada'
    """
    name = reviewer.strip()
    if re.fullmatch(NAME, name) is None:
        raise SkiffError(
            "reviewer_missing",
            what="It is not said who reviews, or the name is not a short one.",
            where={"field": "reviewer"},
            fix=f"Give a name of up to {MOST_NAME_LETTERS} letters, digits and signs of . @ + - _, the same each time.",
        )
    return name
