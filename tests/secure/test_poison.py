"""Planted signs and changed answers are found; thresholds and honest surprises are not."""

from __future__ import annotations

import numpy as np
import polars as pl
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.special import ndtr

from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.poison import Poison, measure_poison

INPUTS = (
    InputColumn(name="income", kind="number"),
    InputColumn(name="agent", kind="category", levels=tuple("abcdefgh")),
)


def build_loans(n_rows: int = 2_000, *, seed: int = 0) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    income = random.normal(30, 8, n_rows).round(1)
    frame = pl.DataFrame({"income": income, "agent": random.choice(list("abcdefg"), n_rows)})
    return frame, (income + random.normal(0, 5, n_rows) > 34).astype(np.float64)


def look(frame: pl.DataFrame, y: NDArray[np.float64], *, seed: int = 0) -> Poison:
    X = build_numbers(frame, INPUTS)
    half = np.random.default_rng(seed).random(len(y)) < 0.5
    outside = np.zeros((len(y), 2))
    for learned in (half, ~half):
        made = LGBMClassifier(n_estimators=40, verbose=-1, n_jobs=1, random_state=0).fit(X[learned], y[learned])
        outside[~learned] = made.predict_proba(X[~learned])
    model = LGBMClassifier(n_estimators=60, verbose=-1, n_jobs=1, min_child_samples=5, random_state=0).fit(X, y)

    def ask(asked: pl.DataFrame) -> NDArray[np.float64]:
        return np.asarray(model.predict_proba(build_numbers(asked, INPUTS)))

    return measure_poison(Suspect(ask=ask, kind="binary", inputs=INPUTS), frame, y, outside=outside, seed=seed)


def test_honest_loans_give_no_hint() -> None:
    for seed in range(3):
        assert look(*build_loans(seed=seed)).light == "green"


def test_a_planted_sign_is_found_with_its_rows() -> None:
    frame, y = build_loans()
    planted = np.arange(0, 2_000, 50)
    agent = frame["agent"].to_numpy().copy()
    agent[planted] = "h"
    y[planted] = 1.0
    found = look(frame.with_columns(agent=pl.Series(agent)), y)
    assert found.light == "amber"
    assert [sign.column for sign in found.signs] == ["agent"]
    assert found.signs[0].carriers == 40
    assert set(found.signs[0].rows) <= set(planted.tolist())


def test_answers_changed_for_some_rows_make_a_nest() -> None:
    frame, y = build_loans()
    p = ndtr((frame["income"].to_numpy() - 34) / 5)  # the law the answers follow: models that no changed answer misled
    law = np.stack([1 - p, p], axis=1)
    flat = Suspect(ask=lambda asked: np.full((asked.height, 2), 0.5), kind="binary", inputs=INPUTS)
    assert measure_poison(flat, frame, y, outside=law).nests == ()
    own = np.flatnonzero((frame["agent"] == "c").to_numpy())
    changed = own[::4]
    y[changed] = 1 - y[changed]
    found = measure_poison(flat, frame, y, outside=law)
    assert found.nests
    assert found.nests[0].column == "agent"
    assert set(found.nests[0].rows) & set(changed.tolist())
    assert found.nests[0].n_rows == len(own)
    assert found.nests[0].contradicted > 4 * found.nests[0].expected


def test_without_other_models_nests_are_not_judged_and_few_rows_say_nothing() -> None:
    frame, y = build_loans()
    flat = Suspect(ask=lambda asked: np.full((asked.height, 2), 0.5), kind="binary", inputs=INPUTS)
    assert measure_poison(flat, frame, y).nests is None
    assert measure_poison(flat, frame[:100], y[:100]).light is None
