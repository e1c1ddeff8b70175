"""Estimates without outcomes: right where calibration holds, and their intervals hold what is delivered."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import polars as pl
import pytest

from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.data.reference import build_reference
from skiff.evaluate.metrics import measure_classification
from skiff.evaluate.moves import measure_moves
from skiff.evaluate.yardstick import build_yardstick, find_variance_between
from skiff.monitor.errors import estimate_errors
from skiff.monitor.estimate import estimate_quality, rise
from skiff.monitor.reference import Reference, decode_reference

BINARY = Task(kind="binary", target="t", classes=("no", "yes"), positive="yes")


def draw(n: int, rng: np.random.Generator, *, move: float = 0.0) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Return rows, answers and stated probabilities that are too sure of themselves."""
    x = rng.normal(move, 1, n)
    p = 1 / (1 + np.exp(-1.3 * x + 0.8))
    stated = 1 / (1 + np.exp(-2.0 * x + 1.0))
    return pl.DataFrame({"x": x}), (rng.random(n) < p).astype(np.int64), np.stack([1 - stated, stated], axis=1)


def build(rng: np.random.Generator, n: int) -> Reference:
    train, _, p_train = draw(2_000, rng)
    sealed, y, p = draw(n, rng)
    inputs = infer_inputs(train)
    body = build_reference(train, inputs, predictions=p_train)
    body["judged"] = build_yardstick(
        BINARY,
        y,
        p,
        frame_train=train,
        frame_test=sealed,
        inputs=inputs,
        threshold=0.5,
        importances={},
        headline="roc_auc",
    )
    return decode_reference(msgspec.json.encode(body))


@pytest.mark.parametrize("n_sealed", [300, 4_000])
def test_the_interval_holds_what_is_delivered(n_sealed: int) -> None:
    inside = dict.fromkeys(("roc_auc", "accuracy", "f1", "log_loss", "brier_score"), 0)
    n_runs = 40
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        reference = build(rng, n_sealed)
        _, y, p = draw(800, rng, move=0.4)
        estimated = estimate_quality(p, reference, threshold=0.5, seed=seed)
        real = measure_classification(y, p, classes=BINARY.classes, threshold=0.5, seed=0, n_boot=20)
        for name in inside:
            low, high = estimated[name].low, estimated[name].high
            assert low is not None
            assert high is not None
            inside[name] += low <= real[name].value <= high
    for name, hits in inside.items():  # 95 % are promised; 33 of 40 is two standard errors below 90 %
        assert hits >= 33, f"{name}: {hits} of {n_runs}"


def test_many_rows_give_the_very_number() -> None:
    rng = np.random.default_rng(7)
    reference = build(rng, 20_000)
    _, y, p = draw(60_000, rng, move=0.3)
    estimated = estimate_quality(p, reference, threshold=0.5, seed=0)
    real = measure_classification(y, p, classes=BINARY.classes, threshold=0.5, seed=0, n_boot=20)
    for name in ("roc_auc", "accuracy", "precision", "recall", "average_precision"):
        assert estimated[name].value == pytest.approx(real[name].value, abs=0.015), name


def draw_three(n: int, rng: np.random.Generator, *, rarer: float = 0.0) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Return rows, answers and right probabilities of three classes, the last one rarer by so much on the log scale."""
    raw = rng.normal(size=(n, 3)) * 1.5 - np.array([0.0, 0.0, rarer])
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return pl.DataFrame({"x": raw[:, 0]}), y, p


def build_three(rng: np.random.Generator, *, rarer: float = 0.0) -> Reference:
    task = Task(kind="multiclass", target="t", classes=("a", "b", "c"))
    train, _, p_train = draw_three(1_000, rng, rarer=rarer)
    sealed, y, p = draw_three(3_000, rng, rarer=rarer)
    body = build_reference(train, infer_inputs(train), predictions=p_train)
    body["judged"] = build_yardstick(
        task, y, p, frame_train=train, frame_test=sealed, inputs=infer_inputs(train), threshold=0.5, importances={}
    )
    return decode_reference(msgspec.json.encode(body))


def test_three_classes_have_an_accuracy_and_a_log_loss() -> None:
    rng = np.random.default_rng(3)
    reference = build_three(rng)
    _, y, p = draw_three(5_000, rng)
    estimated = estimate_quality(p, reference, threshold=0.5, seed=0)
    assert estimated["accuracy"].value == pytest.approx((p.argmax(axis=1) == y).mean(), abs=0.02)
    assert estimated["log_loss"].value == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), abs=0.03)


def test_a_class_that_hardly_occurs_does_not_take_the_range_away() -> None:
    rng = np.random.default_rng(3)
    reference = build_three(rng, rarer=7.0)
    _, _, p = draw_three(150, rng, rarer=7.0)
    assert 0.05 < p[:, 2].sum() < 0.7  # so that most draws of the outcomes hold none of it
    found = estimate_quality(p, reference, threshold=0.5, seed=0)["roc_auc"]
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_amounts_have_an_expected_error_that_follows_the_rows() -> None:
    rng = np.random.default_rng(5)

    def amounts(n: int, move: float = 0.0) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
        x, place = rng.normal(move, 1, n), rng.choice(["in", "out"], n)
        spread = np.where(x > 0, 3.0, 0.5) * np.where(place == "in", 1.0, 2.0)
        pred = 10 + 2 * x
        return pl.DataFrame({"x": x, "place": place}), pred + spread * rng.normal(size=n), pred

    train, _, p_train = amounts(3_000)
    sealed, y, p = amounts(3_000)
    body = build_reference(train, infer_inputs(train), predictions=p_train)
    body["judged"] = build_yardstick(
        Task(kind="regression", target="t"), y, p, frame_train=train, frame_test=sealed, inputs=infer_inputs(train),
        threshold=0.5, importances={}, headline="mae",
    )  # fmt: skip
    reference = decode_reference(msgspec.json.encode(body))
    frame, y, p = amounts(1_500, move=1.0)
    found = estimate_errors(frame, p, reference, seed=0)
    real = float(np.abs(y - p).mean())
    before = float(np.abs(amounts(5_000)[1] - 10).mean())
    assert found["mae"].low is not None
    assert found["mae"].high is not None
    assert found["mae"].low <= real <= found["mae"].high
    assert found["mae"].value > 1.2
    assert before > 0
    gone = estimate_errors(frame.drop("place"), p, reference, seed=0)
    assert gone["mae"].value > 0


def test_no_calibration_no_estimate() -> None:
    empty = Reference(rows=0, columns=(), answers=())
    assert estimate_quality(np.full((5, 2), 0.5), empty, threshold=0.5, seed=0) == {}
    assert estimate_errors(pl.DataFrame({"x": [1.0]}), np.ones(1), empty, seed=0) == {}


def test_rising_is_scikit_learns_isotonic_regression() -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(0)
    values, weights = rng.random(60), rng.integers(1, 9, 60).astype(float)
    theirs = IsotonicRegression().fit_transform(np.arange(60), values, sample_weight=weights)
    assert rise(values, weights) == pytest.approx(theirs)


def test_moves_between_blocks_are_seen_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    still = [find_variance_between(rng.normal(0, 0.2, 10), np.full(10, 0.04)) for _ in range(200)]
    moving = [find_variance_between(rng.normal(0, 0.5, 10), np.full(10, 0.04)) for _ in range(200)]
    assert np.mean(still) < 0.02
    assert np.mean(moving) == pytest.approx(0.21, abs=0.05)


def draw_period(
    n: int, rng: np.random.Generator, offset_sd: float = 0.7, slope_sd: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Return answers and stated probabilities of a period in which the truth has moved from what is stated."""
    stated = rng.uniform(0.03, 0.97, size=n)
    offset, slope = rng.normal(0, offset_sd), np.exp(rng.normal(0, slope_sd))
    true = 1 / (1 + np.exp(-(offset + slope * np.log(stated / (1 - stated)))))
    return (rng.random(n) < true).astype(np.int64), np.stack([1 - stated, stated], axis=1)


def test_where_periods_differ_the_interval_holds_the_next_one() -> None:
    inside, without = 0, 0
    n_runs = 40
    for seed in range(n_runs):
        rng = np.random.default_rng(seed)
        periods = [draw_period(600, rng) for _ in range(5)]
        y, p = (np.concatenate(part) for part in zip(*periods, strict=True))
        moves = measure_moves(y, p, np.split(np.arange(len(y)), 5), is_number=False)
        y_sealed, p_sealed = draw_period(700, rng)
        frame = pl.DataFrame({"x": p_sealed[:, 1]})
        body = build_reference(frame, infer_inputs(frame), predictions=p_sealed)
        body["judged"] = build_yardstick(
            BINARY,
            y_sealed,
            p_sealed,
            frame_train=frame,
            frame_test=frame,
            inputs=infer_inputs(frame),
            threshold=0.5,
            importances={},
            headline="log_loss",
            moves=moves,
        )
        reference = decode_reference(msgspec.json.encode(body))
        y_next, p_next = draw_period(700, rng)
        real = measure_classification(y_next, p_next, classes=BINARY.classes, threshold=0.5, seed=0, n_boot=20)[
            "log_loss"
        ]
        for known in (reference, replace(reference, periods=0)):
            found = estimate_quality(p_next, known, threshold=0.5, seed=seed)["log_loss"]
            assert found.low is not None
            assert found.high is not None
            holds = found.low <= real.value <= found.high
            inside, without = inside + (holds and known is reference), without + (holds and known is not reference)
    assert inside >= 33  # 95 % are promised; 33 of 40 is two standard errors below 90 %
    assert without < 25
