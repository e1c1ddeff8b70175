"""What is predicted, and what a wrong answer costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

TaskKind: TypeAlias = Literal["binary", "multiclass", "regression"]
CostName: TypeAlias = Literal["false_positive", "false_negative", "true_positive", "true_negative"]
ColumnKind: TypeAlias = Literal["number", "boolean", "category", "text", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be predicted.

    Parameters
    ----------
    kind : {"binary", "multiclass", "regression"}
    target : str
        Column that is predicted.
    classes : tuple of str
        Class labels as text, sorted; empty for regression. For ``binary`` the positive class is the last.
    positive : str or None
        The class whose probability is the headline (binary only).
    time, group : str or None
        Column that orders the rows in time; column that says which rows belong together.
    protected : tuple of str
        Columns kept out of training but used for judging.
    unit : str
        Unit of a regression target, e.g. ``"EUR"``; empty if unknown.
    weight, exposure : str or None
        Column that says how much a row counts; column that says how much of it each row could have counted (insured years).
    quantile : float or None
        Regression: the share of rows that shall lie at or under the answer, where not the mean is asked for.
    """

    kind: TaskKind
    target: str
    classes: tuple[str, ...] = ()
    positive: str | None = None
    time: str | None = None
    group: str | None = None
    protected: tuple[str, ...] = ()
    unit: str = ""
    weight: str | None = None
    exposure: str | None = None
    quantile: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What each outcome of a yes/no decision costs, in the user's money (negative is a gain).

    Parameters
    ----------
    currency : str
        ISO 4217 code.
    false_positive, false_negative : float or None
        Cost per row, in `currency`; None where nobody said, and then no money is told.
    true_positive, true_negative : float
        Cost per row, in `currency`.
    rows_per_month : float or None
        Expected decisions a month, to turn a saving per row into a saving per month.
    amount : str or None
        Column that says how much is at stake in a row: the costs named in `by_amount` are then shares of it.
    by_amount : tuple of str
        Which of the four costs are multiplied by the row's amount.
    capacity_per_week : float or None
        How many rows can be acted on in a week; needs `rows_per_month`.
    review : float or None
        Cost of a person's look at one row, in `currency`.
    """

    currency: str = "EUR"
    false_positive: float | None = None
    false_negative: float | None = None
    true_positive: float = 0.0
    true_negative: float = 0.0
    rows_per_month: float | None = None
    amount: str | None = None
    by_amount: tuple[CostName, ...] = ("false_negative",)
    capacity_per_week: float | None = None
    review: float | None = None
