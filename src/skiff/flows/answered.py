"""The answers to rows as they go over the wire, made from a model's arrays column by column."""

from __future__ import annotations

from itertools import compress, repeat
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from skiff.deploy.answers import Answers, rank_contributions
from skiff.deploy.answers import Reasons as Contributions

MOST_REASONS = 5
"""Reasons given for a row: more are read by nobody, and the rest are small."""

_encode = msgspec.json.Encoder().encode
_NOTHING, _NO = repeat(None), repeat(False)  # noqa: FBT003  a column of them
Column = list[Any]  # Any: texts or numbers, as the column has them


class Reason(msgspec.Struct, frozen=True):
    """What one column adds to the score of a row."""

    column: str
    contribution: float


class Answered(msgspec.Struct, omit_defaults=True):
    """The answer to one row, as it goes over the wire; what does not apply is left out.

    Parameters
    ----------
    id : str
        Name it when you report what really happened.
    release : int
    label : str, optional
    probability : float, optional
        Of the positive class (two classes) or of the label (more).
    probabilities : dict, optional
        By class, where there are more than two.
    value : float, optional
        A number that is predicted.
    interval : (float, float), optional
        Where the true number lies as often as was promised.
    set : list of str, optional
        Classes that cannot be ruled out.
    decision : str, optional
        ``act``, or ``review`` where a person should look.
    control : bool, optional
        True where the decision must not follow the model, so that it can be judged without its own influence.
    breaks : list of str, optional
        What the row breaks of what was agreed about the data; such a row is for a person to look at.
    reasons : list of Reason, optional
    base : float, optional
        The score of a row of which nothing is known; all contributions add up to the score from there.
    """

    id: str
    release: int
    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    interval: tuple[float, float] | None = None
    set: list[str] | None = None
    decision: str | None = None
    control: bool = False
    breaks: list[str] | None = None
    reasons: list[Reason] | None = None
    base: float | None = None


class Parts(NamedTuple):
    """What is said of rows, by column; None where a release does not say it. A tuple, because one is made for every request.

    Parameters
    ----------
    numbers : list of float
        The predicted number, or the probability of the positive class (two classes) or of the label (more).
    labels : list of str or None
    chances : list of list of float, or None
        All probabilities, where there are more than two classes.
    classes : tuple of str
    low, high : list of float or None
    sets : list of list of str, or None
    decisions : list of str or None
    reasons : list of list of Reason, or None
    bases : list of float or None
    """

    numbers: list[float]
    labels: list[str] | None = None
    chances: list[list[float]] | None = None
    classes: tuple[str, ...] = ()
    low: list[float] | None = None
    high: list[float] | None = None
    sets: list[list[str]] | None = None
    decisions: list[str] | None = None
    reasons: list[list[Reason]] | None = None
    bases: list[float] | None = None

    def write_chances(self) -> list[str] | None:
        """Return all probabilities of each row as a JSON list, for the log."""
        return None if self.chances is None else [_encode(row).decode() for row in self.chances]

    def answer(self, ids: list[str], release: int, *, controls: list[bool] | None) -> list[Answered]:
        """Return the answer to each row."""
        labels, numbers, chances, low, high = self.labels, self.numbers, self.chances, self.low, self.high
        return list(
            map(  # in the order of the fields of `Answered`
                Answered,
                ids,
                repeat(release),
                labels or _NOTHING,
                numbers if labels is not None else _NOTHING,
                _NOTHING if chances is None else [dict(zip(self.classes, row, strict=True)) for row in chances],
                numbers if labels is None else _NOTHING,
                _NOTHING if low is None or high is None else zip(low, high, strict=True),
                self.sets or _NOTHING,
                self.decisions or _NOTHING,
                controls or _NO,
                _NOTHING,  # what a row breaks is known later
                self.reasons or _NOTHING,
                self.bases or _NOTHING,
            )
        )


def list_parts(found: Answers, *, most_reasons: int = MOST_REASONS) -> Parts:
    """Return what a model's answers say, by column."""
    decisions = None if found.decisions is None else found.decisions.tolist()
    reasons = None if found.reasons is None else _list_reasons(found.reasons, most_reasons)
    bases = None if found.reasons is None else found.reasons.base.tolist()
    if found.kind == "regression":
        return Parts(
            numbers=found.values.tolist(),
            low=None if found.low is None else found.low.ravel().tolist(),
            high=None if found.high is None else found.high.ravel().tolist(),
            decisions=decisions,
            reasons=reasons,
            bases=bases,
        )
    chances = None if found.kind == "binary" else found.probabilities.tolist()
    return Parts(
        numbers=found.probabilities[:, 1].tolist() if chances is None else [max(row) for row in chances],
        labels=found.labels.tolist(),
        chances=chances,
        classes=found.classes,
        sets=None if found.in_set is None else _list_sets(found.classes, found.in_set),
        decisions=decisions,
        reasons=reasons,
        bases=bases,
    )


def _list_sets(classes: tuple[str, ...], in_set: NDArray[np.bool_]) -> list[list[str]]:
    """Return the classes that cannot be ruled out in each row; there are few different sets, and rows share them."""
    if len(in_set) == 1:
        return [list(compress(classes, in_set[0].tolist()))]
    rows = [tuple(row) for row in in_set.tolist()]
    sets = {row: list(compress(classes, row)) for row in set(rows)}
    return [sets[row] for row in rows]


def _list_reasons(found: Contributions, most_reasons: int) -> list[list[Reason]]:
    ranked = [rank_contributions(found, place) for place in range(len(found.base))]
    return [[Reason(name, part) for name, part in list(row.items())[:most_reasons]] for row in ranked]
