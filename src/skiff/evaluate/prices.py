"""What each outcome of a yes/no decision costs in each row, and whether anybody said so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.task import CostName, Costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]

MATRIX: tuple[CostName, ...] = ("false_positive", "false_negative", "true_positive", "true_negative")

AGAINST_NONE = "against flagging none"
"""In the method of a saving where capacity is limited: then nobody could flag every row."""

NOT_PAYING = "acting on them would not pay"
"""In the reason of a threshold that leaves part of the capacity unused because of the costs."""

BETTER_ALL = "flagging all is the cheaper"
BETTER_NONE = "flagging none is the cheaper"
"""In the method of any other saving: which of the two answers that are always the same it is held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCosts:
    """What each of the four outcomes costs in each row, shape (n_rows,) each."""

    false_positive: Float
    false_negative: Float
    true_positive: Float
    true_negative: Float

    def price(self, is_positive: Mask, flagged: Mask) -> Float:
        """Return what each row costs, given what is true and what was done."""
        right = np.where(is_positive, self.true_positive, self.true_negative)
        wrong = np.where(is_positive, self.false_negative, self.false_positive)
        return np.where(is_positive == flagged, right, wrong)


def has_matrix(costs: Costs | None) -> bool:
    """Return whether somebody said what both kinds of mistake cost; without that there is no money to tell of.

    Examples
    --------
    >>> has_matrix(Costs(capacity_per_week=50)), has_matrix(Costs(false_positive=1, false_negative=1))
    (False, True)
    """
    return costs is not None and costs.false_positive is not None and costs.false_negative is not None


def refuse_half_costs(costs: Costs | None) -> None:
    """Refuse costs of which one half would have to be made up: before the training, not after it.

    Capacity, rows a month and currency alone are no costs; any price, or a column of amounts, needs both kinds of mistake.

    Raises
    ------
    SkiffError
        ``costs_incomplete``.

    Examples
    --------
    >>> refuse_half_costs(Costs(capacity_per_week=10, rows_per_month=100))
    >>> try:
    ...     refuse_half_costs(Costs(false_positive=5))
    ... except SkiffError as refused:
    ...     print(refused.what)
    [costs] gives false_positive, but not false_negative.
    """
    if costs is None or has_matrix(costs):
        return
    missing = [name for name in ("false_positive", "false_negative") if getattr(costs, name) is None]
    said: list[str] = [name for name in MATRIX if getattr(costs, name)] or [
        name for name in ("false_positive", "false_negative") if getattr(costs, name) is not None
    ]
    said += [name for name in ("amount", "review") if getattr(costs, name) is not None]
    if not said:
        return
    raise SkiffError(
        "costs_incomplete",
        what=f"[costs] gives {' and '.join(said)}, but not {' and '.join(missing)}.",
        where={"setting": f"costs.{missing[0]}"},
        fix=f"Write {' and '.join(missing)} too (0 where it costs nothing), or leave the costs out: none is made up.",
    )


def get_mistakes(costs: Costs) -> tuple[float, float]:
    """Return what a false alarm and a missed case cost.

    Raises
    ------
    SkiffError
        ``costs_incomplete`` where one of them was not said.

    Examples
    --------
    >>> get_mistakes(Costs(false_positive=5, false_negative=80))
    (5, 80)
    """
    if costs.false_positive is None or costs.false_negative is None:
        refuse_half_costs(costs)
        raise SkiffError(
            "costs_incomplete",
            what="Nobody said what a false alarm and a missed case cost.",
            where={"setting": "costs.false_positive"},
            fix="Write false_positive and false_negative under [costs].",
        )
    return costs.false_positive, costs.false_negative


def spread_costs(costs: Costs, n_rows: int, amounts: Float | None = None) -> RowCosts:
    """Return the costs of each row: those named in ``by_amount`` are multiplied by the amount at stake in it.

    Raises
    ------
    SkiffError
        ``costs_incomplete``.

    Examples
    --------
    >>> made = spread_costs(Costs(false_positive=1, false_negative=0.5, amount="loan"), 2, np.array([100.0, 300.0]))
    >>> made.false_negative.tolist(), made.false_positive.tolist()
    ([50.0, 150.0], [1.0, 1.0])
    """
    get_mistakes(costs)
    ones = np.ones(n_rows)
    scaled = () if costs.amount is None or amounts is None else costs.by_amount
    parts = {
        name: getattr(costs, name) * (amounts if name in scaled and amounts is not None else ones) for name in MATRIX
    }
    return RowCosts(**parts)


def find_typical_costs(costs: Costs, amounts: Float | None) -> Costs:
    """Return the costs in money where some are shares of an amount: those of the mean row.

    Examples
    --------
    >>> loan = Costs(false_positive=1, false_negative=0.5, amount="loan")
    >>> find_typical_costs(loan, np.array([100.0, 300.0])).false_negative
    100.0
    """
    n_rows = 1 if amounts is None else len(amounts)
    if not n_rows or not has_matrix(costs):
        return costs
    priced = spread_costs(costs, n_rows, amounts)
    return replace(
        costs,
        false_positive=float(priced.false_positive.mean()),
        false_negative=float(priced.false_negative.mean()),
        true_positive=float(priced.true_positive.mean()),
        true_negative=float(priced.true_negative.mean()),
    )


def say_money(value: float) -> str:
    """Return a price as it is written in a sentence.

    Examples
    --------
    >>> say_money(40.0), say_money(0.6), say_money(1234.567)
    ('40', '0.6', '1,234.57')
    """
    text = f"{value:,.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.2g}"  # noqa: PLR2004  a cent
    return text.removesuffix(".00") if text.endswith(".00") else text.rstrip("0") if "." in text else text
