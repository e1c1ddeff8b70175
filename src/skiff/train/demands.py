"""What the answer must keep to, besides being close to the truth: weights, exposure, directions, a quantile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.signature import InputColumn
from skiff.core.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

Direction: TypeAlias = Literal["up", "down"]

SIGNS: Mapping[Direction, int] = {"up": 1, "down": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What is asked of a training beyond the target.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,), optional
        How much each row counts, for fitting, comparing and blending alike; positive.
    exposure : ndarray of shape (n_rows,), optional
        How much of it each row could have counted (insured years, visits, hours); positive. The target divided by it is
        learned, weighted by it, which for counts is a Poisson model with the exposure's logarithm as offset [1]_; answers are
        multiplied by the exposure of the row that asks.
    exposure_column : str
        Where later rows have their exposure.
    monotone : tuple of (str, int)
        Columns of numbers along which the answer (of two classes, the positive one's chance) may only rise (1) or fall (-1).
    quantile : float, optional
        Regression: the share of rows that shall lie at or under the answer, 0 to 1.

    References
    ----------
    .. [1] McCullagh, P. and Nelder, J. (1989). Generalized linear models, 2nd ed., section 6.2.
    """

    weights: Float | None = None
    exposure: Float | None = None
    exposure_column: str = ""
    monotone: tuple[tuple[str, int], ...] = ()
    quantile: float | None = None

    @property
    def row_weights(self) -> Float | None:
        """Return the weights by which rows are fitted and compared, None where all count the same."""
        if self.exposure is None:
            return self.weights
        return self.exposure if self.weights is None else self.exposure * self.weights

    def take(self, rows: NDArray[np.int64]) -> Demands:
        """Return what is asked of some rows."""
        return replace(
            self,
            weights=None if self.weights is None else self.weights[rows],
            exposure=None if self.exposure is None else self.exposure[rows],
        )


def read_amounts(frame: pl.DataFrame, column: str, needed: NDArray[np.bool_], *, setting: str) -> Float:
    """Return a column of positive numbers, such as weights; rows that are not `needed` count as 1.

    Raises
    ------
    SkiffError
        ``amount_unfit`` where a needed row has none, or one that is not above 0.

    Examples
    --------
    >>> import polars as pl
    >>> read_amounts(pl.DataFrame({"w": [2, 1]}), "w", np.array([True, True]), setting="task.weight").tolist()
    [2.0, 1.0]
    """
    dtype = frame[column].dtype
    found = frame[column].cast(float).to_numpy() if dtype.is_numeric() else np.full(frame.height, np.nan)
    wrong = np.flatnonzero(needed & ~(np.isfinite(found) & (found > 0)))
    if len(wrong):
        raise SkiffError(
            "amount_unfit",
            what=f"The column '{column}' must hold a number above 0 in every row; {len(wrong):,} rows have none.",
            where={"setting": setting, "column": column, "row": int(wrong[0]) + 1},
            fix="Fill those cells, leave those rows out, or take the setting away.",
        )
    return np.where(needed, found, 1.0)


def settle_directions(
    asked: Mapping[str, Direction], inputs: Sequence[InputColumn], task: Task
) -> tuple[tuple[str, int], ...]:
    """Return the columns and signs that are asked for, refusing what cannot be kept.

    Raises
    ------
    SkiffError
        ``monotone_unfit`` for a column that is no number among the inputs, more than two classes, or a quantile: the one
        kind of model that keeps a direction (boosting) moves its leaves to the quantile afterwards, past the promise.

    Examples
    --------
    >>> settle_directions({"income": "up"}, [InputColumn(name="income", kind="number")], Task(kind="regression", target="rent"))
    (('income', 1),)
    """
    kinds = {column.name: column.kind for column in inputs}
    if asked and task.kind == "multiclass":
        raise SkiffError(
            "monotone_unfit",
            what="A column can only be tied to one direction where the answer is a number or one of two classes.",
            where={"setting": "train.monotone"},
            fix="Take the line away from skiff.toml, or predict one class against all others.",
        )
    if asked and task.quantile is not None:
        raise SkiffError(
            "monotone_unfit",
            what="A direction cannot be promised for a quantile, only for a mean or for the chance of one of two classes.",
            where={"setting": "train.monotone"},
            fix="Take either monotone or quantile out of [train] in skiff.toml.",
        )
    for name in asked:
        if kinds.get(name) not in {"number", "boolean"}:
            what = f"is {kinds[name]}" if name in kinds else "is not among the columns that train"
            raise SkiffError(
                "monotone_unfit",
                what=f"Only a column of numbers can be tied to a direction; '{name}' {what}.",
                where={"setting": "train.monotone", "column": name},
                fix="Name a column of numbers that is not left out, or take the name away.",
            )
    return tuple((name, SIGNS[way]) for name, way in sorted(asked.items()))
