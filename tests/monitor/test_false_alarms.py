"""The budget of false alarms, kept over months in which nothing changes; ``SKIFF_MONTHS=1000`` for the figures of the docs."""

from __future__ import annotations

import os

import pytest
from scipy.stats import poisson
from tests.benchmark import load_benchmark

MONTHS = int(os.environ.get("SKIFF_MONTHS", "12"))
BUDGET = 1.0
"""False alarms a month that a release may raise over all columns and windows unless ``[alerts]`` says otherwise."""


NULL = load_benchmark("false_alarms")


def test_null_months_stay_within_the_budget() -> None:
    raised = sum(len(NULL.month(100_000 + seed, "nothing", 0.0)["signals"]) for seed in range(MONTHS))
    assert raised <= poisson.ppf(0.999, BUDGET * MONTHS)  # a judge exactly on budget fails once in a thousand


@pytest.mark.parametrize(("kind", "size", "key"), [("mean", 0.5, "n0"), ("gaps", 0.08, "n0"), ("level", 0.05, "c0")])
def test_planted_changes_are_found(kind: str, size: float, key: str) -> None:
    months = [NULL.month(seed, kind, size)["signals"] for seed in range(max(2, MONTHS // 6))]
    found = [any(name.endswith(f":{key}") for _, name in signals) for signals in months]
    assert sum(found) >= 0.8 * len(found)
