"""Honest splits: by time where there is time, by group where entities repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.int64]

SplitKind: TypeAlias = Literal["time", "group", "stratified", "random"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which rows train and which are sealed.

    Parameters
    ----------
    kind : {"time", "group", "stratified", "random"}
    reason : str
        One plain sentence.
    train, test : ndarray of int64
        Positions in the table; disjoint. Rows without a target are in neither.
    folds : tuple of (ndarray, ndarray)
        Positions *within* `train`: fitting rows and held-out rows of each fold; forward in time for ``time``.
    """

    kind: SplitKind
    reason: str
    train: Rows
    test: Rows
    folds: tuple[tuple[Rows, Rows], ...]
