"""What an attacker sees: the answers to rows, the decisions they lead to, and rows as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.core.task import TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]


class Ask(Protocol):
    """A released model seen from outside."""

    def __call__(self, frame: pl.DataFrame) -> Float:
        """Return probabilities of shape (n_rows, n_classes) or values of shape (n_rows,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """The model that is attacked, as its users have it.

    Parameters
    ----------
    ask : Ask
    kind : {"binary", "multiclass", "regression"}
    inputs : tuple of InputColumn
    threshold : float
        Probability of the positive class from which a binary decision is positive.

    Examples
    --------
    >>> flat = Suspect(ask=lambda frame: np.full((frame.height, 2), 0.5), kind="binary", inputs=(), threshold=0.4)
    >>> flat.decide(flat.ask(pl.DataFrame({"nights": [1, 2]}))).tolist()
    [1, 1]
    """

    ask: Ask
    kind: TaskKind
    inputs: tuple[InputColumn, ...]
    threshold: float = 0.5

    def decide(self, answers: Float) -> Int:
        """Return the class that each answer leads to."""
        if self.kind == "binary":
            return np.asarray(answers[:, 1] >= self.threshold, dtype=np.int64)
        return np.asarray(answers.argmax(axis=1), dtype=np.int64)


def build_numbers(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> Float:
    """Return rows as numbers: categories by the rank of their level (-1 for others), dates in microseconds; texts are left out.

    Parameters
    ----------
    frame : polars.DataFrame
    inputs : sequence of InputColumn

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        Missing cells are NaN.

    Examples
    --------
    >>> city = InputColumn(name="city", kind="category", levels=("Oslo", "Rome"))
    >>> build_numbers(pl.DataFrame({"city": ["Rome", None, "Bergen"]}), [city]).ravel().tolist()
    [1.0, nan, -1.0]
    """
    columns = [_number(frame[column.name], column) for column in inputs if column.kind != "text"]
    return np.stack(columns, axis=1) if columns else np.zeros((frame.height, 0))


def _number(cells: pl.Series, column: InputColumn) -> Float:
    if column.kind == "category":
        ranks = {level: float(rank) for rank, level in enumerate(column.levels)}
        found = cells.cast(pl.String).replace_strict(ranks, default=-1.0, return_dtype=pl.Float64)
        return found.set(cells.is_null(), None).fill_null(float("nan")).to_numpy()
    if column.kind == "date":
        cells = cells.cast(pl.Datetime("us"), strict=False).to_physical()
    return cells.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
