"""Say an answer and its reasons in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skiff.core.task import TaskKind
from skiff.data.sentences import say_figure
from skiff.deploy.answers import Answer

MOST_REASONS = 5
LEAST_POINTS = 0.005
"""Half a case in 100: what is less is not worth a sentence, where the chance itself is 10 in 100 or more."""

LEAST_PART = 0.05
"""Of a rarer chance (or one as near to certain), a twentieth: that is half a case in 100 at 10 in 100, so the two rules meet
there, and a chance of 1 in 100 is explained by what adds or takes half a case in 1,000."""

MINUS = "\u2212"
SCALES = (100, 1_000, 10_000)
NO_SEPARATOR_BELOW = 10_000
"""Four digits are written as they are: they may be a year."""


def say_answer(
    answer: Answer,
    *,
    kind: TaskKind,
    positive: str = "",
    unit: str = "",
    row: Mapping[str, Any] | None = None,
    threshold: float | None = None,
    coverage: float | None = None,
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
    threshold : float, optional
        The chance of `positive` from which on it is the answer (two classes).
    coverage : float, optional
        How often the truth lies in the range or among the classes, 0 to 1, as the release promises.

    Examples
    --------
    >>> made = Answer(label="yes", probability=0.62, base=0.27, contributions={"contract": 0.3, "tenure": 0.051, "fax": 0.0},
    ...               decision="review")
    >>> row = {"contract": "monthly", "tenure": 2}
    >>> for sentence in say_answer(made, kind="binary", positive="yes", row=row, threshold=0.4):
    ...     print(sentence)
    The answer is “yes”: that is said from a chance of 40 in 100 on.
    The chance of “yes” is 62 in 100; the model starts from 27 in 100.
    contract is “monthly”: 30 in 100 more.
    tenure is “2”: 5 in 100 more.
    The answer is close: a person should look at it.
    """
    said = [] if threshold is None or kind != "binary" else [_say_label(answer, positive, threshold)]
    said.append(_say_score(answer, kind, positive or (answer.label or ""), unit))
    least = 0.0 if kind == "regression" else find_least_part(answer)
    for name, part in list((answer.contributions or {}).items())[:MOST_REASONS]:
        if part == 0 or abs(part) < least:
            continue
        cell = "" if row is None or name not in row else f" is {quote_cell(row[name])}"
        said.append(f"{name}{cell}: {_say_part(part, kind, unit)}.")
    if answer.low is not None and answer.high is not None:
        often = "" if coverage is None else f" in about {coverage * 100:g} of 100 such rows"
        ends = f"{say_plain_number(answer.low)} and {say_plain_number(answer.high)}{_unit(unit)}"
        said.append(f"The truth should lie between {ends}{often}.")
    if len(answer.set) > 1:
        others = [quote_cell(name) for name in answer.set if name != answer.label]
        often = (
            ""
            if coverage is None
            else f": what is not ruled out holds the truth in about {coverage * 100:g} of 100 rows"
        )
        said.append(f"{', '.join(others)} cannot be ruled out either{often}.")
    if answer.decision == "review":
        said.append("The answer is close: a person should look at it.")
    return tuple(said)


def find_least_part(answer: Answer) -> float:
    """Return how much a column must add or take to be worth a sentence, in probability.

    Judged by the larger of the chance and where the model starts from, each by its distance from the nearer end of the scale:
    half a case in 100, or a twentieth of a chance that is rarer than 10 in 100.

    Examples
    --------
    >>> find_least_part(Answer(probability=0.4, base=0.02)), find_least_part(Answer(probability=0.004, base=0.01))
    (0.005, 0.0005)
    """
    ends = [answer.score, answer.score if answer.base is None else answer.base]
    return min(LEAST_POINTS, LEAST_PART * max(min(end, 1 - end) for end in ends))


def _say_label(answer: Answer, positive: str, threshold: float) -> str:
    from_on = f"said from a chance of {say_points(threshold)} on"
    label = quote_cell(answer.label)
    return f"The answer is {label}: " + (
        f"that is {from_on}." if answer.label == positive else f"{quote_cell(positive)} is only {from_on}."
    )


def _say_score(answer: Answer, kind: TaskKind, name: str, unit: str) -> str:
    base = answer.base
    if kind == "regression":
        known = "" if base is None else f"; the model starts from {say_plain_number(base)}{_unit(unit)}"
        return f"The answer is {say_plain_number(answer.score)}{_unit(unit)}{known}."
    known = "" if base is None else f"; the model starts from {say_points(base)}"
    return f"The chance of “{name}” is {say_points(answer.score)}{known}."


def _say_part(part: float, kind: TaskKind, unit: str) -> str:
    word = "more" if part > 0 else "less"
    said = f"{say_plain_number(abs(part))}{_unit(unit)}" if kind == "regression" else say_points(abs(part))
    return f"{said} {word}"


def say_points(chance: float) -> str:
    """Return a chance, or a difference of chances without its sign, as people count it.

    Examples
    --------
    >>> say_points(0.62), say_points(0.004), say_points(0.0003), say_points(0.0)
    ('62 in 100', '4 in 1,000', '3 in 10,000', '0 in 100')
    """
    if chance == 0:
        return "0 in 100"
    if 0.995 <= chance < 1:  # noqa: PLR2004  rounds to 100 in 100
        return "over 99 in 100"
    for scale in SCALES:
        if chance * scale >= 0.95:  # noqa: PLR2004  rounds to one
            return f"{chance * scale:.0f} in {scale:,}"
    return "less than 1 in 10,000"


def say_plain_number(value: float) -> str:
    """Return a number as it is written by hand: all its digits or four that count, thousands set apart, a true minus.

    Examples
    --------
    >>> say_plain_number(35120.0), say_plain_number(2015), say_plain_number(-12.3456), say_plain_number(0.00001234)
    ('35,120', '2015', '−12.35', '0.00001234')
    """
    size = abs(value)
    said = f"{size:.0f}" if size == round(size) and size < NO_SEPARATOR_BELOW else say_figure(size)
    return f"{MINUS if value < 0 else ''}{said}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def quote_cell(cell: object) -> str:
    """Return a cell in quotes, as a person would say it.

    Examples
    --------
    >>> quote_cell(True), quote_cell(None), quote_cell("north"), quote_cell(35000.0)
    ('“yes”', 'missing', '“north”', '“35000”')
    """
    if isinstance(cell, bool):
        return "“yes”" if cell else "“no”"
    if isinstance(cell, float) and cell.is_integer():
        return f"“{cell:.0f}”"
    return "missing" if cell is None or cell == "" else f"“{cell}”"
