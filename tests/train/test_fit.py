"""The whole training: answers that hold out of fold, parity with the graph, time, stopping, and poor tables."""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Layers
from skiff.core.signature import InputColumn
from skiff.core.task import ColumnKind, Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.parity import build_hostile_rows, measure_parity
from skiff.deploy.predictor import Predictor
from skiff.train.fit import train_pipeline
from skiff.train.trained import Trained

Float = NDArray[np.float64]
Folds = list[tuple[NDArray[np.int64], NDArray[np.int64]]]

CHURN = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes")
PRICE = Task(kind="regression", target="price")
SIZE = Task(kind="multiclass", target="size", classes=("s", "m", "l"))


class Ticking:
    """A clock that moves a little with every look, so that what time allows is the same on every machine."""

    def __init__(self, tick_s: float = 2e-3) -> None:
        """Start at 100 s."""
        self.at = 100.0
        self.tick_s = tick_s

    def __call__(self) -> float:
        """Return the time."""
        self.at += self.tick_s
        return self.at


def deal(n_rows: int, n_folds: int = 3) -> Folds:
    place = np.random.default_rng(0).permutation(n_rows) % n_folds
    return [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(n_folds)]


def bookings(n_rows: int = 400, *, seed: int = 0) -> tuple[pl.DataFrame, Float]:
    """A table of every kind of column, and a rule with noise."""
    chance = np.random.default_rng(seed)
    nights = chance.integers(1, 15, n_rows).astype(float)
    price = np.exp(chance.normal(4, 0.7, n_rows))
    price[chance.random(n_rows) < 0.1] = np.nan
    country = chance.choice(["IT", "FR", "DE", None], n_rows)  # type: ignore[arg-type]  # NumPy takes None
    late = chance.random(n_rows) < 0.4
    note = np.where(late, "arrives late tonight", "quiet room please")
    day = [datetime(2024, 1, 1) + timedelta(hours=int(hours)) for hours in chance.integers(0, 9_000, n_rows)]
    score = 0.3 * (nights - 7) + 1.5 * (country == "IT") + 1.2 * late + chance.normal(0, 1, n_rows)
    frame = pl.DataFrame({"nights": nights, "price": price, "country": country, "paid": late, "note": note, "day": day})
    return frame, np.asarray(score)


def describe(frame: pl.DataFrame, **kinds: ColumnKind) -> tuple[InputColumn, ...]:
    found = infer_inputs(frame)
    return tuple(InputColumn(name=one.name, kind=kinds.get(one.name, one.kind)) for one in found)


def train(frame: pl.DataFrame, y: Float, task: Task, **settings: Any) -> Trained:  # Any: passed on
    settings = {"folds": deal(len(y)), "now": Ticking(), "budget_s": 0.3, "threads": 1, **settings}
    inputs = settings.pop("inputs", None) or describe(frame, note="text")
    return train_pipeline(frame, y, task, inputs, featurize=featurize, **settings)


def prove(trained: Trained, frame: pl.DataFrame) -> float:
    """Return the largest difference between the graph and the library objects, hostile rows included."""
    parity = measure_parity(
        trained.pipeline,
        compile_pipeline(trained.pipeline),
        frame,
        hostile=build_hostile_rows(trained.pipeline, frame, seed=0),
        predict_native=trained.predict_native,
    )
    assert parity.is_equal
    return parity.max_abs_diff


@pytest.fixture(scope="module")
def churn() -> tuple[pl.DataFrame, Float, Trained]:
    frame, score = bookings()
    y = (score > 0.5).astype(float)
    return frame, y, train(frame, y, CHURN, budget_s=6.0)


def log_loss(y: Float, prob: Float) -> float:
    return float(-np.mean(np.log(prob[np.arange(len(y)), y.astype(int)])))


def test_a_binary_blend_beats_the_class_shares_out_of_fold(churn: tuple[pl.DataFrame, Float, Trained]) -> None:
    _, y, trained = churn
    share = np.repeat([[1 - y.mean(), y.mean()]], len(y), axis=0)
    assert trained.oof.shape == (len(y), 2)
    assert np.allclose(trained.oof.sum(axis=1), 1)
    assert log_loss(y, trained.oof) < 0.8 * log_loss(y, share)


def test_the_graph_answers_as_the_fitted_models_do(churn: tuple[pl.DataFrame, Float, Trained]) -> None:
    frame, _, trained = churn
    assert prove(trained, frame) <= 1e-12
    assert trained.pipeline.threshold == 0.5
    assert np.isclose(sum(member.weight for member in trained.pipeline.members), 1)


def test_candidates_tell_loss_time_and_weight(churn: tuple[pl.DataFrame, Float, Trained]) -> None:
    trained = churn[2]
    assert {score.metric for score in trained.candidates} == {"log_loss"}
    assert len(trained.candidates) >= 5
    weights = {score.name: score.weight for score in trained.candidates if score.weight > 0}
    assert weights == {member.name: member.weight for member in trained.pipeline.members}
    best = min(score.loss for score in trained.candidates)
    assert best < next(score.loss for score in trained.candidates if score.name == "constant")


def test_the_same_seed_gives_the_same_model() -> None:
    frame, score = bookings(150)
    y = (score > 0.5).astype(float)
    first, second = (train(frame, y, CHURN) for _ in range(2))
    assert compile_pipeline(first.pipeline) == compile_pipeline(second.pipeline)
    assert np.array_equal(first.oof, second.oof)


def test_small_is_preferred_where_the_rows_cannot_tell() -> None:
    frame, score = bookings(120)
    trained = train(frame, (score > 0.5).astype(float), CHURN, prefer="small")
    assert len(trained.pipeline.members) == 1


def test_a_skewed_target_is_fitted_on_a_log_scale_and_stays_in_its_range() -> None:
    frame, score = bookings(300)
    y = np.exp(score + 5)
    trained = train(frame, y, Task(kind="regression", target="sum"), budget_s=1.0)
    assert any(score.name.endswith("log scale") and score.weight > 0 for score in trained.candidates)
    rmse = np.sqrt(np.mean((trained.oof - y) ** 2))
    assert rmse < 0.95 * y.std()
    assert trained.pipeline.value_low == 0.0
    assert trained.pipeline.value_high > y.max()
    wild = frame.head(20).with_columns(pl.lit(1e9).alias("nights"), pl.lit(1e12).alias("price"))
    answer = trained.predict_native(featurize(trained.pipeline.inputs, trained.pipeline.encoders, wild))
    assert answer.max() <= trained.pipeline.value_high
    assert prove(trained, frame) <= 1e-12


def test_a_class_that_a_fold_never_saw_does_no_harm() -> None:
    frame, score = bookings(200)
    y = np.digitize(score, [0.0, 1.5]).astype(float)
    y[:2] = 3.0
    folds = deal(200)
    rare = np.arange(2)
    folds = [
        (np.setdiff1d(fit, rare), np.union1d(held, rare))
        if n == 0
        else (np.setdiff1d(fit, rare), np.setdiff1d(held, rare))
        for n, (fit, held) in enumerate(folds)
    ]
    task = Task(kind="multiclass", target="plan", classes=("a", "b", "c", "rare", "never"))
    trained = train(frame, y, task, folds=folds, budget_s=0.8)
    assert trained.oof.shape == (200, 5)
    assert np.isfinite(trained.oof).all()
    assert trained.oof[:, 4].max() < 0.05
    assert prove(trained, frame) <= 1e-12


def test_stopping_early_keeps_the_best_so_far() -> None:
    frame, score = bookings(200)
    looks = iter(range(10_000))
    trained = train(frame, (score > 0.5).astype(float), CHURN, should_stop=lambda: next(looks) > 40, budget_s=60.0)
    assert trained.stopped == "interrupted"
    assert 1 <= len(trained.candidates) <= 3
    assert np.isfinite(trained.oof).all()


def test_time_that_runs_out_still_leaves_a_model() -> None:
    frame, score = bookings(200)
    trained = train(frame, (score > 0.5).astype(float), CHURN, budget_s=1.0, now=Ticking(0.02))
    assert trained.stopped == "budget"
    assert any("time ran out" in note for note in trained.notes)
    assert trained.pipeline.members


@pytest.mark.slow
def test_the_budget_is_not_burnt_when_the_portfolio_is_done() -> None:
    frame, score = bookings(60)
    frame = frame.select("nights", "paid")
    trained = train(frame, (score > 0.5).astype(float), CHURN, budget_s=600.0, folds=deal(60, 2))
    assert trained.stopped == "done"
    assert trained.train_seconds < 240


def test_no_usable_column_is_said_plainly() -> None:
    frame = pl.DataFrame({"same": [1.0] * 30})
    with pytest.raises(SkiffError) as caught:
        train(frame, np.tile([0.0, 1.0], 15), CHURN)
    assert caught.value.code == "no_usable_columns"
    with pytest.raises(SkiffError):
        train_pipeline(frame, np.tile([0.0, 1.0], 15), CHURN, (), folds=deal(30), featurize=featurize, now=Ticking())


def test_one_column_and_twenty_rows_are_enough_to_answer() -> None:
    frame = pl.DataFrame({"nights": np.arange(20.0)})
    trained = train(frame, (np.arange(20) > 9).astype(float), CHURN)
    assert trained.oof.shape == (20, 2)
    assert prove(trained, frame) <= 1e-12


def test_without_a_usable_fold_the_answer_is_constant_and_says_so() -> None:
    frame = pl.DataFrame({"nights": np.arange(12.0)})
    y = np.array([0.0] * 9 + [1.0] * 3)
    trained = train(frame, y, CHURN, folds=[(np.arange(9), np.arange(9, 12))])
    assert [member.name for member in trained.pipeline.members] == ["constant"]
    assert len(np.unique(trained.oof[:, 1])) == 1
    assert any("too few rows" in note for note in trained.notes)
    assert prove(trained, frame) <= 1e-12


def test_twins_differ_by_their_seed_alone_and_end_with_the_time() -> None:
    nights, price = np.random.default_rng(3).normal(size=(2, 600))
    frame, y = pl.DataFrame({"nights": nights, "price": price}), ((nights > 0) ^ (price > 0)).astype(float)
    trained = train(frame, y, CHURN, budget_s=6.0, n_twins=2)
    features = featurize(trained.pipeline.inputs, trained.pipeline.encoders, frame)
    own = trained.predict_native(features)
    assert len(trained.twins) == 2
    for twin in trained.twins:
        assert 0 < np.abs(twin(features) - own).max() < 0.5
    short = train(frame, y, CHURN, budget_s=0.02, n_twins=2)
    assert short.twins == ()
    assert any("other seeds" in note for note in short.notes)
    assert not any("other seeds" in note for note in trained.notes)


def test_text_alone_is_learned() -> None:
    chance = np.random.default_rng(2)
    is_spam = chance.random(300) < 0.3
    words = np.array(["win", "free", "prize", "lunch", "meeting", "tomorrow", "call", "now"])
    odds = np.where(is_spam[:, None], [4, 4, 4, 1, 1, 1, 2, 2], [1, 1, 1, 4, 4, 4, 2, 2])
    text = [" ".join(chance.choice(words, 6, p=row / row.sum())) for row in odds]
    frame = pl.DataFrame({"note": text})
    trained = train(frame, is_spam.astype(float), CHURN, budget_s=1.0)
    assert log_loss(is_spam.astype(float), trained.oof) < 0.4
    assert prove(trained, frame) <= 1e-12


def test_trees_over_words_answer_in_the_graph_as_they_were_fitted() -> None:
    chance = np.random.default_rng(12)
    words = np.array(["never", "again", "today", "well", "room", "quiet", "", "  "])
    frame = pl.DataFrame(
        {"note": [" ".join(chance.choice(words, 5)) for _ in range(500)], "nights": chance.random(500)}
    )
    y = frame["note"].str.contains("never").to_numpy().astype(float) * (frame["nights"].to_numpy() > 0.3)
    trained = train(frame, y, CHURN, budget_s=6.0)
    assert any(score.name == "lightgbm words" and score.loss < 0.2 for score in trained.candidates)
    small = [member for member in trained.pipeline.members if member.name == "lightgbm words"]
    assert small
    assert prove(trained, frame) <= 1e-12


def test_trees_over_words_see_what_a_text_looks_like_and_linear_models_do_not() -> None:
    chance = np.random.default_rng(13)
    words = np.array(["win", "free", "lunch", "today", "call", "now"])
    y = (chance.random(400) < 0.4).astype(float)
    plain = [" ".join(chance.choice(words, 5)) for _ in y]
    frame = pl.DataFrame({"note": [text.upper() if is_loud else text for text, is_loud in zip(plain, y, strict=True)]})
    trained = train(frame, y, CHURN, budget_s=6.0)
    losses = {score.name: score.loss for score in trained.candidates}
    assert losses["lightgbm words"] < 0.1  # capitals say all, and words are lower-cased
    assert losses["linear"] > 0.6
    assert prove(trained, frame) <= 1e-12


@pytest.mark.parametrize(("task", "is_tried"), [(CHURN, True), (PRICE, False), (SIZE, False)])
def test_terms_are_weighed_by_their_ratios_where_there_are_two_classes(task: Task, *, is_tried: bool) -> None:
    chance = np.random.default_rng(14)
    frame = pl.DataFrame({"note": [" ".join(chance.choice(["late", "room", "quiet"], 4)) for _ in range(200)]})
    y = chance.integers(0, max(2, len(task.classes)), 200).astype(float)
    names = {score.name for score in train(frame, y, task, budget_s=2.0).candidates}
    assert ("linear, naive Bayes ratios" in names) is is_tried


def _forward(n_rows: int) -> Folds:
    edges = np.linspace(n_rows * 0.4, n_rows, 5).astype(int)
    return [(np.arange(start), np.arange(start, end)) for start, end in itertools.pairwise(edges)]


def test_a_column_that_only_counts_the_days_is_left_out_when_time_goes_forward() -> None:
    chance = np.random.default_rng(4)
    n_rows = 600
    load = chance.normal(size=n_rows)
    day = [datetime(2023, 1, 1) + timedelta(days=n) for n in range(n_rows)]
    frame = pl.DataFrame({"load": load, "day": day, "row": np.arange(n_rows)})
    y = 3 * load + chance.normal(size=n_rows)
    task = Task(kind="regression", target="demand", time="day")
    trained = train(frame, y, task, folds=_forward(n_rows), is_time_ordered=True, now=Ticking(2e-4))
    assert "row" not in {column.name for column in trained.pipeline.inputs}
    [date] = [encoder for encoder in trained.pipeline.encoders if encoder.column == "day"]
    assert "elapsed_days" not in date.parts  # type: ignore[union-attr]  # the encoder of a date
    assert any("'row'" in note for note in trained.notes)
    assert np.isnan(trained.oof[:200]).all()
    assert np.isfinite(trained.oof[240:]).all()


def test_a_year_that_only_steps_is_shown_to_trees_and_not_to_linear_models() -> None:
    chance = np.random.default_rng(8)
    n_rows = 600
    load = chance.normal(size=n_rows)
    year = 2020.0 + np.floor(np.arange(n_rows) / 300)
    frame = pl.DataFrame({"load": load, "year": year})
    y = 3 * load - 0.8 * (year - 2021) + chance.normal(size=n_rows)
    task = Task(kind="regression", target="demand", time="day")
    trained = train(frame, y, task, folds=_forward(n_rows), is_time_ordered=True, budget_s=6.0)
    assert "year" in {column.name for column in trained.pipeline.inputs}
    linear = [member.part for member in trained.pipeline.members if member.view == "linear"]
    assert linear
    assert all(isinstance(part, Layers) and not part.weights[0][1].any() for part in linear)
    assert prove(trained, frame) <= 1e-12


def test_recent_rows_that_get_harder_are_pointed_out() -> None:
    chance = np.random.default_rng(6)
    load = chance.normal(size=500)
    noise = np.where(np.arange(500) > 430, 4.0, 1.0)
    y = 3 * load + noise * chance.normal(size=500)
    task = Task(kind="regression", target="demand", time="day")
    trained = train(pl.DataFrame({"load": load}), y, task, folds=_forward(500), is_time_ordered=True)
    assert any("most recent rows" in note for note in trained.notes)


def test_progress_names_what_is_tried_and_how_good_it_is() -> None:
    heard: list[str] = []

    class Listening:
        def stage(self, name: str, detail: str = "") -> None:
            heard.append(name + detail)

        def step(self, message: str, *, done: float | None = None, total: float | None = None) -> None:
            assert done is None or total is None or 0 <= done <= 1.1 * total
            heard.append(message)

        def note(self, message: str) -> None:
            heard.append(message)

    frame, score = bookings(100)
    train(frame, (score > 0.5).astype(float), CHURN, progress=Listening())
    assert any("lightgbm quick: log_loss" in message for message in heard)


def test_identifiers_earn_nothing_out_of_fold() -> None:
    chance = np.random.default_rng(9)
    frame = pl.DataFrame({"customer": [f"c{n // 2}" for n in range(300)]})
    y = chance.integers(0, 2, 300).astype(float)
    trained = train(frame, y, CHURN, inputs=describe(frame, customer="category"))
    assert log_loss(y, trained.oof) > 0.67


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [40, 900])
def test_five_thousand_columns_fit_in_the_budget(n_rows: int) -> None:
    n_columns = 5_000
    chance = np.random.default_rng(0)
    cells = chance.normal(size=(n_rows, n_columns))
    frame = pl.DataFrame(cells, schema=[f"m{n}" for n in range(n_columns)])
    y = (cells[:, 7] + chance.normal(size=n_rows) > 0).astype(float)
    begin = time.monotonic()
    trained = train(frame, y, CHURN, budget_s=6.0, threads=2, now=time.monotonic)
    assert time.monotonic() - begin < 120.0  # the budget is held on a quiet machine; a busy one only must not hang
    native = trained.predict_native(featurize(trained.pipeline.inputs, trained.pipeline.encoders, frame.head(20)))
    given = Predictor(compile_pipeline(trained.pipeline)).predict_columns(frame.head(20)).probabilities
    assert np.abs(native - given).max() <= 1e-9


@pytest.mark.slow
def test_half_a_million_rows_fit_in_the_budget() -> None:
    chance = np.random.default_rng(0)
    n_rows = 500_000
    frame = pl.DataFrame({f"n{n}": chance.normal(size=n_rows) for n in range(8)}).with_columns(
        pl.Series("shop", chance.choice([f"s{n}" for n in range(400)], n_rows))
    )
    y = (frame["n0"].to_numpy() + frame["n1"].to_numpy() ** 2 + chance.normal(size=n_rows) > 1).astype(float)
    begin = time.monotonic()
    trained = train(frame, y, CHURN, budget_s=15.0, threads=2, now=time.monotonic, folds=deal(n_rows, 5))
    assert time.monotonic() - begin < 240.0  # only must not hang: times are measured in benchmarks
    assert any("random sample" in note for note in trained.notes)
    known = np.isfinite(trained.oof[:, 1])
    assert 50_000 <= known.sum() <= 60_000
    assert prove(trained, frame.head(500)) <= 1e-9


def test_a_first_candidate_that_was_cut_short_gets_its_time_later() -> None:
    frame, score = bookings(120)
    trained = train(
        frame.select("nights"),
        (score > 0.5).astype(float),
        CHURN,
        budget_s=3000.0,
        now=Ticking(1.0),
        folds=deal(120, 2),
    )
    names = [candidate.name for candidate in trained.candidates]
    assert "lightgbm quick, longer" in names
