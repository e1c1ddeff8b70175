"""Which of many tests may count: false alarms over all columns and all windows stay within an agreed number a month.

Every window gets the part of the month's budget that its length is of a month; the part is divided among its tests by
weight, and a test counts where its chance is at most its own part. The expected number of false alarms is then at most the
sum of the parts, which is the budget, whatever the tests have to do with each other, because expectations add up.

References
----------
Spjøtvoll, E. (1972). On the optimality of some multiple comparison procedures. Ann. Math. Statist. 43, 398-411
(https://doi.org/10.1214/aoms/1177692621): bounding the *expected number* of false rejections, now called the per-family
error rate.

Genovese, C., Roeder, K. and Wasserman, L. (2006). False discovery control with p-value weighting. Biometrika 93, 509-524
(https://doi.org/10.1093/biomet/93.3.509): weights fixed before the tests keep the bound and put power where it matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

TestKind: TypeAlias = Literal[
    "contract",
    "distribution",
    "missing",
    "unseen",
    "trend",
    "joint",
    "answers",
    "review",
    "latency",
    "failures",
    "estimate",
    "delivered",
    "concept",
    "slice",
]

DAYS_IN_MONTH = 365.25 / 12

SHARES: Mapping[str, float] = {
    "distribution": 0.25,
    "trend": 0.15,
    "missing": 0.10,
    "unseen": 0.10,
    "joint": 0.05,
    "answers": 0.05,
    "review": 0.02,
    "latency": 0.03,
    "failures": 0.05,
    "estimate": 0.05,
    "delivered": 0.05,
    "concept": 0.05,
    "slice": 0.05,
}
"""How the budget is divided among kinds of tests. Fixed beforehand, or it would be no budget; they add up to one."""

OUTCOME_KINDS = frozenset({"delivered", "concept", "slice"})
"""Tests that are asked again of the same window when more of its outcomes have arrived."""

LEAST_WEIGHT = 0.5
"""Half of a kind's budget is spread evenly over columns, half by importance: a column that was measured as useless keeps a
voice, because importance was measured on the past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One question that was asked of a window, and how often chance alone would answer as it did."""

    kind: TestKind
    subject: str
    chance: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgeted:
    """A test with the part of the budget it may spend; it counts where its chance is at most that."""

    test: Test
    allowed: float

    @property
    def counts(self) -> bool:
        """Whether the test says more than the budget leaves to chance."""
        return self.test.chance <= self.allowed


def find_spend(days: float, *, per_month: float) -> float:
    """Return the part of the budget that a window of so many days may spend.

    Examples
    --------
    >>> round(find_spend(1.0, per_month=1.0), 4), find_spend(90.0, per_month=1.0)
    (0.0329, 0.5)
    """
    # One window never spends more than half a false alarm: a chance above that would be no evidence.
    return min(max(days, 0.0) / DAYS_IN_MONTH * per_month, 0.5)


def weigh_columns(importances: Mapping[str, float | None]) -> dict[str, float]:
    """Return a weight for each column: half the same for all, half by measured importance; together one a column.

    Examples
    --------
    >>> weigh_columns({"price": 0.3, "colour": 0.0, "size": 0.1})["colour"]
    0.5
    >>> weigh_columns({"price": None, "size": None})
    {'price': 1.0, 'size': 1.0}
    """
    known = {name: max(value, 0.0) for name, value in importances.items() if value is not None}
    total = sum(known.values())
    if total <= 0:
        return dict.fromkeys(importances, 1.0)
    return {
        name: LEAST_WEIGHT + (1 - LEAST_WEIGHT) * len(importances) * known.get(name, 0.0) / total
        for name in importances
    }


def apply_budget(tests: Sequence[Test], *, spend: float, look: int = 1) -> tuple[Budgeted, ...]:
    """Divide what a window may spend among its tests, by kind and then by weight.

    Parameters
    ----------
    tests : sequence of Test
        All that were asked, whatever they said: leaving the quiet ones out would spend more than the budget.
    spend : float
        Expected false alarms this window may add; see `find_spend`.
    look : int
        The how many-th look at the window's outcomes this is, from 1. Each look spends half of what the looks before it
        left, so that any number of them stays within the budget (a spending function; Lan and DeMets 1983,
        https://doi.org/10.1093/biomet/70.3.659).

    Examples
    --------
    >>> made = apply_budget([Test(kind="missing", subject="price", chance=1e-5), Test(kind="missing", subject="size", chance=0.02)],
    ...                     spend=0.03)
    >>> [item.counts for item in made], made[0].allowed
    ([True, False], 0.015)
    """
    totals: dict[str, float] = {}
    for test in tests:
        totals[test.kind] = totals.get(test.kind, 0.0) + test.weight
    # What kinds that were not asked would have spent goes to the others: whether one can be asked (are there outcomes?)
    # does not depend on what it would say.
    asked = sum(SHARES[kind] for kind in totals)
    return tuple(
        Budgeted(
            test=test,
            allowed=spend
            * SHARES[test.kind]
            / asked
            * test.weight
            / totals[test.kind]
            * (0.5**look if test.kind in OUTCOME_KINDS else 1.0),
        )
        for test in tests
    )
