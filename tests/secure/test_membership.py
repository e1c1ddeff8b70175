"""The attack finds memory where there is memory, and none where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import find_exact_interval
from skiff.secure.membership import (
    Membership,
    draw_members,
    find_confidence,
    judge_rates,
    measure_membership,
    score_members,
)
from skiff.secure.price import Shadows, attack_shadows, price_retraining, price_rounding

Float = NDArray[np.float64]

MODELS: dict[str, tuple[str, Callable[[int], Any]]] = {
    "1-NN": ("red", lambda _: make_pipeline(StandardScaler(), KNeighborsClassifier(1))),
    "unpruned tree": ("red", lambda seed: DecisionTreeClassifier(random_state=seed)),
    "logistic regression": ("green", lambda _: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))),
    "tree of depth 4": ("green", lambda seed: DecisionTreeClassifier(max_depth=4, min_samples_leaf=100, random_state=seed)),
}  # fmt: skip
SETS = {"adult_census": "income", "telco_churn": "Churn", "lending_club": "Class"}
NULL_LOW, NULL_HIGH = 0.005, 0.018
"""Where the rate at 1 % must lie if nothing is given away."""


def build_clients(n_rows: int = 3_000, *, seed: int = 0) -> tuple[Float, Float]:
    """Return clients whose answer is half chance: whoever fits all of it remembers."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_rows, 6))
    y = (random.random(n_rows) < 1 / (1 + np.exp(-X[:, 0] - 0.5 * X[:, 1]))).astype(np.float64)
    return X, y


def train_shadows(make: Callable[[int], Any], X: Float, y: Float, *, n_models: int, seed: int) -> Shadows:
    members = draw_members(len(y), n_models, seed=seed)
    fitted = [make(seed + number).fit(X[row], y[row]) for number, row in enumerate(members)]
    answers = np.stack([one.predict_proba(X) for one in fitted])
    return Shadows(answers=answers, members=members, y=y, kind="binary")


@pytest.mark.parametrize("name", MODELS)
def test_what_remembers_is_red_and_what_generalises_is_green(name: str) -> None:
    light, make = MODELS[name]
    X, y = build_clients()
    found = attack_shadows(train_shadows(make, X, y, n_models=10, seed=0))
    assert found.light == light
    assert NULL_LOW <= found.control_rate.value <= NULL_HIGH


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(os.environ.get("SKIFF_ATTACKS") != "all", reason="takes minutes: set SKIFF_ATTACKS=all")
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("table", SETS)
@pytest.mark.parametrize("name", MODELS)
def test_lights_hold_on_real_tables(name: str, table: str, seed: int, shared_data: Path) -> None:
    light, make = MODELS[name]
    frame = pl.read_csv(shared_data / "classification" / f"{table}.csv.gz", infer_schema_length=None)
    frame = frame.sample(min(8_000, frame.height), seed=seed)
    y = encode(frame[SETS[table]].cast(pl.String)) - 1
    X = np.stack([encode(column) for column in frame.drop(SETS[table])], axis=1)
    found = attack_shadows(train_shadows(make, X, y, n_models=16, seed=seed), seed=seed)
    assert found.light == light, found
    assert NULL_LOW <= found.control_rate.value <= NULL_HIGH


def encode(column: pl.Series) -> Float:
    if not column.dtype.is_numeric():
        column = column.cast(pl.String).fill_null("").rank("dense")
    return column.cast(pl.Float64).fill_null(-1).to_numpy()


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_memberships_give_chance(seed: int) -> None:
    X, y = build_clients()
    shadows = train_shadows(lambda _: DecisionTreeClassifier(random_state=0), X, y, n_models=10, seed=0)
    chance = np.random.default_rng(seed)
    shuffled = np.stack([chance.permutation(row) for row in shadows.members])
    confidence = find_confidence(shadows.answers, y, kind="binary")
    found = measure_membership(confidence, shuffled, seed=seed)
    assert found.rate is not None
    assert NULL_LOW <= found.rate.value <= NULL_HIGH
    assert found.light == "green"


def test_values_that_are_remembered_are_red_and_a_line_is_green() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(2_000, 5))
    y = np.exp(X[:, 0] + random.normal(0, 0.7, 2_000))
    members = draw_members(2_000, 10, seed=0)
    lights = {}
    for name, made in (("tree", DecisionTreeRegressor(random_state=0)), ("line", Ridge())):
        answers = np.stack([made.fit(X[row], y[row]).predict(X) for row in members])
        lights[name] = attack_shadows(Shadows(answers=answers, members=members, y=y, kind="regression")).light
    assert lights == {"tree": "red", "line": "green"}


def test_a_row_that_gives_itself_away_is_named_first() -> None:
    members = draw_members(500, 12, seed=3)
    confidence = np.random.default_rng(0).normal(size=members.shape)
    confidence[:, 77] += 9.0 * members[:, 77]
    found = measure_membership(confidence, members)
    assert found.exposed[0].row == 77
    assert found.exposed[0].recognised == found.exposed[0].learned == int(members[:, 77].sum())


def test_few_rows_are_too_few_to_say() -> None:
    def look(n_rows: int) -> Membership:
        members = draw_members(n_rows, 8, seed=0)
        return measure_membership(np.random.default_rng(0).normal(size=members.shape), members)

    assert look(60).light is None
    assert look(60).rate is None
    assert look(400).rate is not None
    assert look(400).low_rate is None
    assert look(1_000).low_rate is not None


def test_scores_do_not_know_the_attacked_models_own_membership() -> None:
    members = draw_members(300, 8, seed=0)
    confidence = np.random.default_rng(1).normal(size=members.shape)
    changed = members.copy()
    changed[2] = ~changed[2]
    before, after = score_members(confidence, members), score_members(confidence, changed)
    # Only the two deviations, one for all rows, see it; the order of a model's own scores may not.
    assert np.corrcoef(before[2], after[2])[0, 1] > 0.99


def test_constant_answers_give_nothing_away() -> None:
    members = draw_members(400, 8, seed=0)
    found = measure_membership(np.zeros(members.shape), members)
    assert found.light == "green"
    assert found.rate is not None
    assert found.rate.value == pytest.approx(0.01)
    assert found.auc.value == pytest.approx(0.5)


@pytest.mark.parametrize(("hits", "n"), [(0, 50), (1, 50), (37, 1_000), (50, 50)])
def test_bounds_are_those_of_clopper_and_pearson(hits: int, n: int) -> None:
    wanted = binomtest(hits, n).proportion_ci(0.95, "exact")
    assert find_exact_interval(hits, n) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "advantage", "light"),
    [(0.085, 0.211, "red"), (0.063, 0.2, "red"), (0.032, 0.464, "red"), (0.276, 0.413, "red"), (0.037, 0.115, "amber"),
     (0.016, 0.029, "green"), (0.011, 0.012, "green"), (0.009, 0.004, "green")],
)  # fmt: skip
def test_lights_part_the_models_whose_memory_is_known(rate: float, advantage: float, light: str) -> None:
    found = [Measurement(name="", value=value, low=value - 0.004, high=value + 0.004) for value in (rate, advantage)]
    assert judge_rates(found[0], found[1]) == light


@pytest.mark.parametrize("seed", range(3))
def test_where_there_is_nothing_nobody_is_named_and_no_lead_is_sure(seed: int) -> None:
    members = draw_members(300, 16, seed=seed)
    random = np.random.default_rng(seed)
    found = measure_membership(random.normal(size=members.shape) + 3 * random.normal(size=300), members, seed=seed)
    assert found.light in {"green", None}
    assert found.exposed == ()
    assert found.advantage.low is not None
    assert found.advantage.low <= 0  # the largest of many differences would lie above 0 by chance alone


def test_what_chance_could_do_is_too_few_to_say() -> None:
    sure = Measurement(name="", value=0.01, low=0.005, high=0.02)
    for rate, advantage in ((0.06, 0.0), (0.01, 0.2)):
        unsure = [Measurement(name="", value=value, low=-0.01, high=0.5) for value in (rate, advantage)]
        assert judge_rates(unsure[0], unsure[1]) is None
    assert judge_rates(sure, Measurement(name="", value=0.2, low=0.1, high=0.3)) == "red"


def test_the_attackers_without_models_of_the_row_and_the_control_have_ranges_too() -> None:
    X, y = build_clients(1_000)
    found = attack_shadows(train_shadows(MODELS["unpruned tree"][1], X, y, n_models=8, seed=0))
    assert found.rate is not None
    for item in (found.offline_rate, found.control_rate):
        assert item.low is not None
        assert item.high is not None
        assert item.low <= item.value <= item.high
    assert found.control_rate.low is not None
    assert found.control_rate.low <= 0.01


def test_remedies_are_priced_on_rows_that_were_not_learned_from() -> None:
    X, y = build_clients()
    before = train_shadows(MODELS["unpruned tree"][1], X, y, n_models=8, seed=0)
    after = train_shadows(MODELS["tree of depth 4"][1], X, y, n_models=8, seed=0)
    made = price_retraining("strict", before, after)
    assert made.membership.light == "green"
    accuracy, loss = made.price
    assert accuracy.name == "accuracy_change"
    assert accuracy.low is not None
    assert accuracy.low > 0  # a tree that remembers is also worse, so forgetting pays
    assert loss.high is not None
    assert loss.high < 0
    rounded = price_rounding(train_shadows(MODELS["logistic regression"][1], X, y, n_models=8, seed=0))
    assert abs(rounded.price[0].value) < 0.01
