"""An interrupted training goes on where it stopped; a cluster gives what one process gives; the future keeps its promise."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.deploy.compiler import compile_pipeline
from skiff.deploy.featurizer import featurize
from skiff.store.trials import Trials
from skiff.train.fit import train_pipeline
from skiff.train.memory import Remembered
from skiff.train.promise import promise_loss
from skiff.train.trained import Trained

Float = NDArray[np.float64]
LATE = Task(kind="binary", target="late", classes=("no", "yes"), positive="yes")


class Remembering:
    """Keeps trials in memory, and counts."""

    def __init__(self) -> None:
        self.kept: dict[str, Remembered] = {}
        self.recalled = 0

    def recall(self, name: str) -> Remembered | None:
        found = self.kept.get(name)
        self.recalled += found is not None
        return found

    def keep(self, name: str, made: Remembered) -> None:
        self.kept[name] = made


def table(n_rows: int = 160, *, strength: float = 2.0, seed: int = 0) -> tuple[pl.DataFrame, Float]:
    chance = np.random.default_rng(seed)
    x, z = chance.normal(size=n_rows), chance.choice(["a", "b", "c"], n_rows)
    y = (strength * x + (z == "a") * strength + chance.normal(size=n_rows) > 0).astype(float)
    return pl.DataFrame({"x": x, "z": z}), y


def fit(frame: pl.DataFrame, y: Float, **settings: Any) -> Trained:  # Any: passed on
    place = np.random.default_rng(0).permutation(len(y)) % 2
    folds = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(2)]
    settings = {"budget_s": 600.0, "threads": 1, "folds": folds, "now": time.monotonic, **settings}
    return train_pipeline(frame, y, LATE, infer_inputs(frame), featurize=featurize, **settings)


def test_a_stopped_training_goes_on_and_ends_where_an_undisturbed_one_does() -> None:
    frame, y = table()
    whole = fit(frame, y)
    memory = Remembering()
    stopped = fit(frame, y, memory=memory, should_stop=lambda: len(memory.kept) >= 3)
    assert stopped.stopped == "interrupted"
    assert len(stopped.candidates) == len(memory.kept) == 3
    went_on = fit(frame, y, memory=memory)
    assert memory.recalled == 3
    assert [one.name for one in went_on.candidates] == [one.name for one in whole.candidates]
    assert compile_pipeline(went_on.pipeline) == compile_pipeline(whole.pipeline)


def test_trials_on_the_disk_are_whole_or_not_there(tmp_path: Path) -> None:
    trials = Trials(tmp_path / "trials", "one")
    assert trials.get("linear") is None
    oof = np.array([[0.1, 0.9], [np.nan, np.nan]])
    trials.put("linear", oof, np.arange(5.0))
    found = trials.get("linear")
    assert found is not None
    assert np.array_equal(found[0], oof, equal_nan=True)
    [path] = (tmp_path / "trials").rglob("*.npz")
    path.write_bytes(path.read_bytes()[:-20])
    assert trials.get("linear") is None  # torn: tried again
    Trials(tmp_path / "trials", "two").put("linear", oof, np.arange(5.0))
    assert Trials(tmp_path / "trials", "one").count() == 0  # another training forgets it
    trials.clear()
    assert not (tmp_path / "trials").exists()


def test_a_cluster_gives_the_same_model_as_one_process() -> None:
    distributed = pytest.importorskip("distributed")
    from skiff.connect.cluster import Cluster

    frame, y = table(120)
    here = fit(frame, y)
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        distributed.Client(local),
    ):
        there = fit(frame, y, workers=Cluster())
    assert [(one.name, one.loss) for one in there.candidates] == [(one.name, one.loss) for one in here.candidates]
    assert compile_pipeline(there.pipeline) == compile_pipeline(here.pipeline)


def test_the_best_single_model_is_kept_beside_the_blend() -> None:
    frame, y = table(400, strength=1.0)
    trained = fit(frame, y, budget_s=4.0)
    if len(trained.pipeline.members) == 1:
        assert trained.small is None
        return
    small = trained.small
    assert small is not None
    assert len(small.pipeline.members) == 1
    assert small.pipeline.members[0].weight == 1.0
    assert len(compile_pipeline(small.pipeline)) < len(compile_pipeline(trained.pipeline))
    assert small.loss >= small.blend_loss - 0.01


def test_rows_without_a_signal_cannot_carry_a_model() -> None:
    frame, _ = table(200)
    y = (np.random.default_rng(5).random(200) < 0.4).astype(float)
    doubt = fit(frame, y, budget_s=4.0).doubt
    assert doubt is not None
    assert "cannot carry a model" in doubt.tell()
    assert [point.n_rows for point in doubt.curve] == [50, 100, 200]


def test_a_faint_signal_is_told_with_the_rows_it_would_take() -> None:
    told = []
    for seed in range(4):
        frame, y = table(150, strength=0.12, seed=seed)
        doubt = fit(frame, y, budget_s=2.0).doubt
        if doubt is not None and doubt.rows_needed is not None:
            told.append(doubt)
    assert all(doubt.rows_needed > doubt.n_rows for doubt in told if doubt.rows_needed)
    assert all(f"{doubt.rows_needed:,} rows would be needed" in doubt.tell() for doubt in told)


def test_rows_with_a_clear_signal_can() -> None:
    frame, y = table(200)
    assert fit(frame, y, budget_s=2.0).doubt is None


def test_the_promised_interval_holds_the_next_period_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(7)
    held = 0
    for _ in range(2_000):
        periods = np.exp(chance.normal(-1.0, 0.15, 5))
        promise = promise_loss(periods[:4].tolist(), "log_loss")
        assert promise is not None
        held += bool(promise.low <= periods[4] <= promise.high)
    assert 0.87 <= held / 2_000 <= 0.96
    climbing = promise_loss([0.4, 0.5, 0.6, 0.7], "log_loss")
    assert climbing is not None
    assert climbing.high > 0.8
