"""What the answer to one row would be if some of its cells were different, and which single cell would change it most."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.signature import InputColumn
from skiff.deploy.answers import Answer
from skiff.deploy.runtime import Runtime
from skiff.deploy.tensors import KIND_WORDS, convert_cells

Row = Mapping[str, Any]  # Any: cells of any library

MOST_LEVELS = 20
STEPS = 9
"""Values of a number that are tried, evenly from the smallest to the largest seen in training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """One row's answer as it is and as it would be.

    Parameters
    ----------
    changes : mapping of str to object
    before, after : Answer
        With contributions where the release has them.
    """

    changes: Row
    before: Answer
    after: Answer

    @property
    def moved(self) -> float:
        """Return how far the score moves: probability of the positive class, or value; of several classes that of the first label."""
        if self.before.probabilities is None or self.after.probabilities is None:
            return self.after.score - self.before.score
        if len(self.before.probabilities) > 2 and self.before.label is not None:  # noqa: PLR2004  more than two classes
            return self.after.probabilities[self.before.label] - self.before.probabilities[self.before.label]
        return self.after.score - self.before.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """One other value of one column, and what it alone would do to the answer."""

    column: str
    value: Any  # of the kind of the column
    moved: float
    changes_label: bool


def ask_what_if(runtime: Runtime, row: Row, changes: Row) -> WhatIf:
    """Answer a row as it is and with some of its cells replaced.

    Raises
    ------
    SkiffError
        ``column_not_found`` where a change names a column that the model does not use; ``missing_column``, ``bad_value``.
    """
    names = [column.name for column in runtime.signature.inputs]
    for name in changes:
        if name not in names:
            raise SkiffError.column_not_found(name, columns=names, file="the model", option="what-if")
    refuse_bad_changes(runtime.signature.inputs, changes)
    if changes:
        runtime.predictor.build_feed([row])  # so that a bad cell of the row is told of one row, not of the two below
    before, after = runtime.answer([row, {**row, **changes}], reasons=runtime.has_reasons)
    return WhatIf(changes=dict(changes), before=before, after=after)


def refuse_bad_changes(inputs: Sequence[InputColumn], changes: Row) -> None:
    """Refuse another value that makes no sense in its column, by the name of the option: no row holds it.

    Raises
    ------
    SkiffError
        ``bad_value``.

    Examples
    --------
    >>> refuse_bad_changes([InputColumn(name="nights", kind="number")], {"nights": "abc"})
    Traceback (most recent call last):
    skiff.core.errors.SkiffError: What is to stand in 'nights' (what-if) is not a number. Give a number for 'nights', or nothing for a missing value.
    """
    for column in inputs:
        if column.name not in changes:
            continue
        try:
            convert_cells(column, [changes[column.name]])
        except SkiffError as error:
            kind = KIND_WORDS[column.kind]
            raise SkiffError(
                "bad_value",
                what=f"What is to stand in '{column.name}' (what-if) is not {kind}.",
                where={"column": column.name, "option": "what-if"},
                fix=f"Give {kind} for '{column.name}', or nothing for a missing value.",
            ) from error


def find_strangers(inputs: Sequence[InputColumn], changes: Row) -> dict[str, tuple[str, ...]]:
    """Return the changes to levels that training never saw, each with the closest levels that it did.

    Examples
    --------
    >>> column = InputColumn(name="contract", kind="category", levels=("monthly", "two year"))
    >>> find_strangers([column], {"contract": "two_year"})
    {'contract': ('two year',)}
    """
    levels = {column.name: column.levels for column in inputs if column.kind == "category"}
    strange = {name: str(value) for name, value in changes.items() if name in levels and str(value) not in levels[name]}
    return {
        name: tuple(difflib.get_close_matches(value, levels[name], n=3, cutoff=0.5))
        for name, value in strange.items()
        if value
    }


def find_levers(runtime: Runtime, row: Row, *, most: int = 5) -> tuple[Lever, ...]:
    """Return the single changes that move the answer most, at most one for each column, the strongest first.

    Tries the known levels of categories, yes and no, and steps over the range of numbers seen in training; texts and dates
    are left as they are.

    Notes
    -----
    This is about the model, not about the world: that another value would be answered differently does not mean that changing
    it would change what happens.
    """
    tried = [(column, value) for column in runtime.signature.inputs for value in _list_values(column)]
    if not tried:
        return ()
    answers = runtime.answer([row, *({**row, column.name: value} for column, value in tried)])
    scores = answers.values if answers.kind == "regression" else _follow_first(answers.probabilities, answers.kind)
    moved = scores[1:] - scores[0]
    labels = answers.labels.tolist() if len(answers.labels) else [None] * len(answers)
    best: dict[str, Lever] = {}
    for (column, value), step, label in zip(tried, moved.tolist(), labels[1:], strict=True):
        known = best.get(column.name)
        if abs(step) > (0.0 if known is None else abs(known.moved)):
            changes_label = label != labels[0]
            best[column.name] = Lever(column=column.name, value=value, moved=step, changes_label=changes_label)
    return tuple(sorted(best.values(), key=lambda lever: -abs(lever.moved))[:most])


def _follow_first(
    probabilities: np.ndarray[Any, np.dtype[np.float64]], kind: str
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the probability that is followed: the positive class's, or that of the first row's label."""
    return probabilities[:, 1] if kind == "binary" else probabilities[:, int(probabilities[0].argmax())]


def _list_values(column: InputColumn) -> Sequence[Any]:  # Any: of the kind of the column
    if column.kind == "category":
        return column.levels[:MOST_LEVELS]
    if column.kind == "boolean":
        return (False, True)
    if column.kind == "number" and column.low is not None and column.high is not None:
        steps = np.linspace(column.low, column.high, STEPS)
        return list(np.unique(steps.round() if column.is_integer else steps).tolist())
    return ()
