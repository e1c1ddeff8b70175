"""The court in eighteen other trades: what clerks fill in afterwards is named, what was known before is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.benchmark import load_benchmark

from skiff.data.checks.leakage import find_leakage
from skiff.data.kinds import infer_inputs
from skiff.data.task import detect_time_and_group, infer_task

pytestmark = pytest.mark.slow


TRADES = load_benchmark("leak_domains")


def judge(trade: Any) -> tuple[set[str], set[str]]:
    """Return the columns that are blocked, and those that are at least asked about."""
    task, _ = infer_task(trade.frame, trade.target, time=trade.time, group=trade.group)
    time, group, _ = detect_time_and_group(trade.frame, task)
    task = replace(task, time=task.time or time, group=task.group or group)
    inputs = infer_inputs(trade.frame, exclude={trade.target, task.group or ""})
    found = find_leakage(trade.frame, task, inputs, threads=1)
    blocked = {name for finding in found if finding.severity == "block" for name in finding.columns}
    return blocked, blocked | {name for finding in found if finding.severity == "warn" for name in finding.columns}


@pytest.mark.parametrize("name", sorted(TRADES.DOMAINS))
def test_leaks_of_every_trade_are_named_and_honest_columns_are_not_blocked(name: str) -> None:
    trade = TRADES.DOMAINS[name](np.random.default_rng(11), 3_000)
    blocked, named = judge(trade)
    assert blocked <= {*trade.proven, *trade.asked}
    assert set(trade.proven) <= named
    clean = replace(trade, frame=trade.frame.drop(*trade.proven, *trade.asked), proven=(), asked=())
    assert judge(clean)[0] == set()
