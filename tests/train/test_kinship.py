"""Word vectors draw akin words towards like weights, leave no trace in the graph, and are used only where they earn it."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array

from skiff.core.pipeline import ShapeEncoder
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.deploy.parity import build_hostile_rows, measure_parity
from skiff.train.aim import Aim
from skiff.train.encoders import fit_encoders
from skiff.train.features import Source, build_features
from skiff.train.fit import train_pipeline
from skiff.train.kinship import KIN_LENGTH, find_kin, fold_kin, join_kin
from skiff.train.limits import Limit
from skiff.train.linear import Linear
from skiff.train.portfolio import KIN_NAME
from skiff.train.recipes import Effort, Rows
from skiff.train.texts import count_terms
from skiff.train.trained import Trained

Array = np.ndarray[Any, Any]
TASK = Task(kind="binary", target="angry", classes=("no", "yes"), positive="yes")
INPUTS = (InputColumn(name="note", kind="text"),)
GOOD = [f"good{number}" for number in range(60)]
BAD = [f"bad{number}" for number in range(60)]
FILL = [f"fill{number}" for number in range(80)]


def look_up(words: Sequence[str]) -> Array:
    """Vectors in which the good words point one way, the bad ones the other; the rest is unknown."""
    found = np.full((len(words), 3), np.nan)
    for place, word in enumerate(words):
        if word.startswith(("good", "bad")):
            found[place] = [1.0 if word.startswith("good") else -1.0, 0.1 * (len(word) % 3), 0.0]
    return found


def say_nothing(words: Sequence[str]) -> Array:
    """Vectors that have nothing to do with the answer."""
    return np.stack([np.random.default_rng(zlib.crc32(word.encode())).normal(size=3) for word in words])


def write_notes(n_rows: int, *, seed: int) -> tuple[pl.DataFrame, Array]:
    """Notes in which each telling word is rare, so that its weight is hard to learn by itself."""
    chance = np.random.default_rng(seed)
    y = (chance.random(n_rows) < 0.4).astype(np.float64)
    notes = [
        " ".join([*chance.choice(FILL, 8), *chance.choice(BAD if angry else GOOD, 1), str(chance.choice(GOOD + BAD))])
        for angry in y
    ]
    return pl.DataFrame({"note": notes}), y


def train(frame: pl.DataFrame, y: Array, **settings: Any) -> Trained:
    place = np.random.default_rng(0).permutation(len(y)) % 3
    folds = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(3)]
    return train_pipeline(
        frame,
        y,
        TASK,
        INPUTS,
        folds=folds,
        featurize=featurize,
        now=time.monotonic,
        budget_s=120,
        threads=1,
        **settings,
    )


@pytest.fixture(scope="module")
def notes() -> tuple[pl.DataFrame, Array]:
    return write_notes(500, seed=1)


@pytest.fixture(scope="module")
def akin(notes: tuple[pl.DataFrame, Array]) -> Trained:
    return train(*notes, look_up=look_up)


def test_vectors_that_tell_are_used_and_lower_the_loss(akin: Trained) -> None:
    losses = {one.name: one.loss for one in akin.candidates}
    assert losses[KIN_NAME] < 0.97 * losses["linear"]
    assert next(one.weight for one in akin.candidates if one.name == KIN_NAME) > 0


def test_the_graph_answers_as_the_fitted_model_and_holds_no_vectors(
    akin: Trained, notes: tuple[pl.DataFrame, Array]
) -> None:
    frame, y = notes
    model = compile_pipeline(akin.pipeline)
    proof = measure_parity(
        akin.pipeline, model, frame, hostile=build_hostile_rows(akin.pipeline, frame, seed=0),
        predict_native=akin.predict_native,
    )  # fmt: skip
    assert proof.is_equal
    assert proof.max_abs_diff <= 1e-9
    widths = {len(one.part.weights[0]) for one in akin.pipeline.members if one.name == KIN_NAME}  # type: ignore[union-attr]  # layers
    looks = sum(len(one.measures) for one in akin.pipeline.encoders if isinstance(one, ShapeEncoder))
    assert widths == {count_terms(akin.pipeline.encoders) + looks}
    assert len(y)


def test_vectors_that_tell_nothing_are_left_out(notes: tuple[pl.DataFrame, Array]) -> None:
    trained = train(*notes, look_up=say_nothing)
    assert KIN_NAME not in {one.name for one in trained.candidates}


def test_without_vectors_or_texts_there_is_no_such_candidate(notes: tuple[pl.DataFrame, Array]) -> None:
    frame, y = notes
    assert KIN_NAME not in {one.name for one in train(frame, y).candidates}

    def know_none(words: Sequence[str]) -> Array:
        return np.full((len(words), 3), np.nan)

    assert KIN_NAME not in {one.name for one in train(frame, y, look_up=know_none).candidates}


def test_folding_gives_the_scores_of_the_wider_model() -> None:
    chance = np.random.default_rng(0)
    X, kin, wide = csr_array(chance.random((20, 6))), chance.normal(size=(6, 3)), chance.normal(size=(9, 2))
    assert np.allclose(join_kin(X, kin) @ wide, X @ fold_kin(wide, kin), atol=1e-12)


def test_a_number_is_learned_from_akin_words_too() -> None:
    chance = np.random.default_rng(2)
    kin = np.repeat([[1.0], [-1.0]], 40, axis=0)
    X = csr_array((chance.random((150, 80)) < 0.03).astype(float))
    y = np.asarray(X @ kin)[:, 0] + 0.2 * chance.normal(size=150)
    effort = Effort(limit=Limit(clock=lambda: 0.0, ends_at=1.0), kin=kin)
    losses = [
        Linear(name="linear", has_kin=has_kin)
        .fit_fold(Rows(X=X[:100], y=y[:100]), Rows(X=X[100:], y=y[100:]), Aim(kind="regression"), effort)
        .losses.min()
        for has_kin in (False, True)
    ]
    assert losses[1] < 0.9 * losses[0]


def test_the_vectors_of_texts_have_a_settled_length(notes: tuple[pl.DataFrame, Array]) -> None:
    frame, y = notes
    encoders = fit_encoders(frame, INPUTS, y, TASK)
    source = Source(frame=frame, inputs=INPUTS, encoders=encoders, y=y, task=TASK, featurize=featurize, seed=0)
    features = build_features(source, [])
    kin = find_kin(features, encoders, look_up)
    assert kin is not None
    assert np.isclose(features.measure_length(kin), KIN_LENGTH)
    named = [name for name, row in zip(features.matrix.linear_names, kin, strict=True) if row.any()]
    assert named
    assert all(name.startswith(("note: good", "note: bad")) and name.count(" ") == 1 for name in named)
    assert find_kin(features, encoders, None) is None
