"""What the answers do to protected groups: rates, what cannot hold at once, proxies."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.evaluate.fairness import find_proxies, measure_fairness
from skiff.evaluate.results import Fairness

INPUTS = (InputColumn(name="title", kind="category"), InputColumn(name="score", kind="number"))


def judge(y: np.ndarray, prediction: np.ndarray, sex: list[str], *, kind: str = "binary") -> Fairness | None:
    frame = pl.DataFrame(
        {"sex": sex, "title": ["Ms" if one == "f" else "Mr" for one in sex], "score": np.arange(len(sex)) % 97}
    )
    classes = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c"), "regression": ()}[kind]
    task = Task(kind=kind, target="hired", classes=classes, protected=("sex",))  # type: ignore[arg-type]  # one of three
    return measure_fairness(task, y, prediction, frame_test=frame, frame_train=frame, inputs=INPUTS, threshold=0.5)


def two_columns(p: np.ndarray) -> np.ndarray:
    return np.stack([1 - p, p], axis=1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_the_rates_of_each_group_obey_the_identity_that_the_trade_off_rests_on(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], size=900).tolist()
    y = (rng.uniform(size=900) < np.where(np.array(sex) == "f", 0.3, 0.6)).astype(np.float64)
    found = judge(y, two_columns(np.clip(0.35 * y + rng.uniform(0.1, 0.65, size=900), 0, 1)), sex)
    assert found is not None
    for group in found.groups:
        rates = {name: rate.value for name, rate in group.rates.items()}
        odds = rates["base_rate"] / (1 - rates["base_rate"])
        implied = odds * (1 - rates["precision"]) / rates["precision"] * rates["recall"]
        assert implied == pytest.approx(rates["false_positive_rate"], abs=1e-12)  # Chouldechova 2017, eq. 2.6
        assert all(rate.low <= rate.value <= rate.high for rate in group.rates.values())  # type: ignore[operator]
    (tradeoff,) = found.tradeoffs
    assert tradeoff.levels == ("f", "m")
    assert tradeoff.false_positive_rates[0] < tradeoff.false_positive_rates[1]


def test_groups_that_do_not_differ_are_not_told_apart_more_often_than_stated() -> None:
    misses = tradeoffs = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        sex = rng.choice(["f", "m"], size=800).tolist()
        y = (rng.uniform(size=800) < 0.4).astype(np.float64)
        found = judge(y, two_columns(rng.uniform(size=800)), sex)
        assert found is not None
        ratio = found.ratios["sex"]
        misses += ratio.high is not None and ratio.high < 1
        tradeoffs += len(found.tradeoffs)
    assert misses <= 12  # 5 of 100 are stated; 13 or more happen by chance once in 700 (binomial)
    assert (
        tradeoffs <= 4
    )  # two 95 % ranges that do not touch: 6 of 1,000 where nothing differs (Schenker and Gentleman 2001)


def test_a_small_group_is_named_and_not_judged() -> None:
    y = np.tile([0.0, 1.0], 210)
    found = judge(y, two_columns(y * 0.8 + 0.1), ["f"] * 20 + ["m"] * 400)
    assert found is not None
    small, large = found.groups
    assert (small.level, small.n, dict(small.rates)) == ("f", 20, {})
    assert large.rates["recall"].value == 1.0
    assert found.ratios == {}
    assert found.tradeoffs == ()


def test_a_group_that_is_never_flagged_has_the_ratio_zero_and_not_none() -> None:
    sex = ["f"] * 100 + ["m"] * 100
    y = np.tile([0.0, 1.0], 100)
    found = judge(y, two_columns(np.array([0.1] * 100 + [0.9, 0.1] * 50)), sex)
    assert found is not None
    ratio = found.ratios["sex"]
    assert (ratio.value, ratio.low) == (0.0, 0.0)
    assert ratio.high == pytest.approx(0.0369935 / 0.4038315, rel=1e-4)  # Wilson 1927: 0 of 100 over 50 of 100
    nobody = judge(y, two_columns(np.full(200, 0.1)), sex)
    assert nobody is not None
    assert nobody.ratios == {}


def test_numbers_say_in_which_direction_a_group_is_misjudged() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(100, 10, size=400)
    sex = ["f", "m"] * 200
    found = judge(y, y + np.where(np.array(sex) == "f", -5.0, 5.0), sex, kind="regression")
    assert found is not None
    assert [round(group.rates["mean_error"].value, 6) for group in found.groups] == [-5.0, 5.0]


def test_several_classes_have_the_share_of_right_answers() -> None:
    y = np.tile([0.0, 1.0, 2.0], 100)
    found = judge(y, np.eye(3)[y.astype(int)], ["f", "m"] * 150, kind="multiclass")
    assert found is not None
    assert [group.rates["accuracy"].value for group in found.groups] == [1.0, 1.0]


def test_nothing_is_measured_where_nothing_is_protected() -> None:
    frame = pl.DataFrame({"score": [1.0, 2.0]})
    task = Task(kind="regression", target="sold")
    y = np.array([1.0, 2.0])
    assert measure_fairness(task, y, y, frame_test=frame, frame_train=frame, inputs=(), threshold=0.5) is None


def test_a_column_that_says_the_same_is_a_proxy_and_noise_is_none() -> None:
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], size=3000)
    frame = pl.DataFrame(
        {
            "sex": sex,
            "title": np.where(rng.uniform(size=3000) < 0.1, "Dr", np.where(sex == "f", "Ms", "Mr")),
            "height": rng.normal(np.where(sex == "f", 165.0, 178.0), 7.0),
            "noise": rng.normal(size=3000),
            "shop": rng.choice(["a", "b", "c"], size=3000),
            "note": [f"text {place}" for place in range(3000)],
            "none": [None] * 3000,
        }
    )
    found = list(find_proxies(frame, ["sex"], [*frame.columns[1:], "absent"]))
    assert [proxy.by for proxy in found] == ["title", "height"]
    assert list(find_proxies(frame, ["note", "absent", "none"], ["title"])) == []


def test_rows_that_belong_together_widen_a_groups_rates() -> None:
    rng = np.random.default_rng(6)
    customer = np.repeat(np.arange(80), 10)
    sex = np.array(["f", "m"])[customer % 2]
    y = (rng.uniform(size=80) < 0.5)[customer].astype(np.int64)
    p = np.where(rng.uniform(size=80)[customer] < 0.5, 0.2, 0.8)
    frame = pl.DataFrame({"sex": sex})
    task = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes", protected=("sex",))
    found = [
        measure_fairness(
            task, y, np.stack([1 - p, p], axis=1), frame_test=frame, frame_train=frame, inputs=(), threshold=0.5,
            together=together,
        )
        for together in (None, customer)
    ]  # fmt: skip
    widths = []
    for one in found:
        assert one is not None
        rate = one.groups[0].rates["selection_rate"]
        assert rate.high is not None
        assert rate.low is not None
        widths.append(rate.high - rate.low)
    assert widths[1] > 2 * widths[0]
