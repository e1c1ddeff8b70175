from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.abstain import fit_review, measure_review_saving
from skiff.evaluate.judge import judge
from skiff.evaluate.promised import Promised
from skiff.evaluate.threshold import find_typical_costs

LOAN = Costs(false_positive=400.0, false_negative=0.6, amount="loan", review=12.0)


def test_the_region_of_review_takes_shares_of_an_amount_for_money() -> None:
    amounts = np.array([5000.0, 25000.0])
    p = np.empty((0, 2))
    assert (
        fit_review("binary", p, costs=LOAN).high == fit_review("binary", p, costs=LOAN).low
    )  # 0.6 of a euro: nobody looks
    found = fit_review("binary", p, costs=find_typical_costs(LOAN, amounts))
    assert round(found.low, 6) == round(12 / 9000, 6)
    assert found.high == 0.97


def test_a_look_that_costs_more_than_it_spares_loses_money() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=800)
    y = (rng.uniform(size=800) < p).astype(float)
    unsure = np.abs(p - 0.5) < 0.1
    worth = measure_review_saving(y, p, 0.5, unsure, Costs(false_positive=1, false_negative=1, review=0.1))
    dear = measure_review_saving(y, p, 0.5, unsure, Costs(false_positive=1, false_negative=1, review=3.0))
    assert worth.low is not None
    assert dear.high is not None
    assert worth.low > 0 > dear.high


def test_judging_tells_the_price_of_looking() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(size=400)
    y = (rng.uniform(size=400) < p).astype(np.int64)
    frame = pl.DataFrame({"x": p})
    costs = Costs(false_positive=1, false_negative=1, review=0.1)
    promised = Promised(coverage=0.9, in_set=np.ones((200, 2), dtype=bool), reviewed=np.abs(p[200:] - 0.5) < 0.1)
    kept = judge(
        Task(kind="binary", target="bad", classes=("no", "yes"), positive="yes"), y[200:],
        np.stack([1 - p[200:], p[200:]], axis=1), y_train=y[:200], frame_train=frame[:200], frame_test=frame[200:],
        inputs=[InputColumn(name="x", kind="number")], threshold=0.5, decision=None, costs=costs, predict=None, seed=0,
        promised=promised,
    ).kept  # fmt: skip
    assert kept is not None
    assert kept.review_cost == 0.1
    assert kept.review_saving is not None
    assert kept.review_saving.low is not None
