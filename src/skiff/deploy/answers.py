"""What a model says about rows: plain values, ready to be served, written or shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skiff.core.task import TaskKind

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one row.

    Parameters
    ----------
    label : str or None
        Classification.
    probability : float or None
        Of the positive class (two classes), of the label (more).
    probabilities : dict of str to float, or None
    value : float or None
        Regression.
    low, high : float or None
        Where the truth lies as often as promised (regression).
    set : tuple of str
        Classes that cannot be ruled out (classification); empty where nothing was promised.
    decision : str or None
        ``act`` or ``review``.
    contributions : dict of str to float, or None
        What each column adds to `base`; together they make `score` exactly. Largest first.
    base : float or None
        The score of a row of which nothing is known.
    """

    label: str | None = None
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    set: tuple[str, ...] = ()
    decision: str | None = None
    contributions: dict[str, float] | None = None
    base: float | None = None

    @property
    def score(self) -> float:
        """Return the number that contributions explain: the value, or `probability`."""
        found = self.value if self.value is not None else self.probability
        return float("nan") if found is None else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """What each column adds to the score of each row.

    Parameters
    ----------
    columns : tuple of str
        Raw columns of the model; where only the weightiest are told apart, the last is ``(other columns)``.
    base : ndarray of shape (n_rows,)
        Score of a row of which nothing is known; it depends on the class that is explained.
    contributions : ndarray of shape (n_rows, n_columns)
        ``base + contributions.sum(axis=1)`` is the score: the value, the probability of the positive class (two classes) or
        that of the label (more).
    """

    columns: tuple[str, ...]
    base: Float
    contributions: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers to many rows, as arrays; iterate or index for single ones.

    Parameters
    ----------
    kind : {"binary", "multiclass", "regression"}
    classes : tuple of str
    labels : ndarray of str, shape (n_rows,)
        Classification; empty for numbers.
    probabilities : ndarray of shape (n_rows, n_classes)
    values, low, high : ndarray of shape (n_rows,)
        Regression; `low` and `high` are None where no range was promised.
    in_set : ndarray of bool, shape (n_rows, n_classes), or None
    decisions : ndarray of str, shape (n_rows,), or None
    reasons : Reasons or None
    """

    kind: TaskKind
    classes: tuple[str, ...]
    labels: NDArray[np.object_]
    probabilities: Float
    values: Float
    low: Float | None = None
    high: Float | None = None
    in_set: NDArray[np.bool_] | None = None
    decisions: NDArray[np.object_] | None = None
    reasons: Reasons | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values) if self.kind == "regression" else len(self.labels)

    def __iter__(self) -> Iterator[Answer]:
        """Yield the rows' answers in their order."""
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: int) -> Answer:
        """Return the answer to one row."""
        if not -len(self) <= row < len(self):
            message = "no such row"
            raise IndexError(message)
        decision = None if self.decisions is None else str(self.decisions[row])
        base = None if self.reasons is None else float(self.reasons.base[row])
        contributions = None if self.reasons is None else rank_contributions(self.reasons, row)
        if self.kind == "regression":
            return Answer(
                value=float(self.values[row]),
                low=None if self.low is None else float(self.low[row]),
                high=None if self.high is None else float(self.high[row]),
                decision=decision,
                contributions=contributions,
                base=base,
            )
        chances = self.probabilities[row].tolist()
        kept = [] if self.in_set is None else self.in_set[row].tolist()
        return Answer(
            label=str(self.labels[row]),
            probability=chances[1] if self.kind == "binary" else max(chances),
            probabilities=dict(zip(self.classes, chances, strict=True)),
            set=tuple(name for name, is_in in zip(self.classes, kept, strict=False) if is_in),
            decision=decision,
            contributions=contributions,
            base=base,
        )


def rank_contributions(reasons: Reasons, row: int) -> dict[str, float]:
    """Return one row's contributions by column, the weightiest first.

    Examples
    --------
    >>> made = Reasons(columns=("age", "city"), base=np.array([0.2]), contributions=np.array([[0.1, -0.3]]))
    >>> rank_contributions(made, 0)
    {'city': -0.3, 'age': 0.1}
    """
    parts = reasons.contributions[row].tolist()
    order = sorted(range(len(parts)), key=lambda place: -abs(parts[place]))
    return {reasons.columns[place]: parts[place] for place in order}
