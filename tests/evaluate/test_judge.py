from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.gates import judge_gate
from skiff.evaluate.judge import judge
from skiff.evaluate.promised import Promised
from skiff.evaluate.results import Decision, Evaluation

BINARY = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes", protected=("sex",))
INPUTS = [InputColumn(name="x", kind="number"), InputColumn(name="plan", kind="category")]


def build_frame(n: int, seed: int = 0) -> tuple[pl.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "x": rng.normal(size=n),
            "plan": rng.choice(["a", "b", "c"], size=n),
            "sex": rng.choice(["f", "m"], size=n),
        }
    )
    return frame, frame["x"].to_numpy() + (frame["plan"] == "a").to_numpy()


def judge_binary(
    n: int = 600,
    *,
    base: float = -1.0,
    costs: Costs | None = None,
    groups: np.ndarray | None = None,
    predict: Callable[[pl.DataFrame], np.ndarray] | None = None,
    random_split: Measurement | None = None,
) -> Evaluation:
    frame, eta = build_frame(2 * n)
    y = (np.random.default_rng(1).uniform(size=2 * n) < expit(base + eta)).astype(np.float64)
    p = expit(base + eta)[n:]
    return judge(
        BINARY,
        y[n:],
        np.stack([1 - p, p], axis=1),
        y_train=y[:n],
        frame_train=frame[:n],
        frame_test=frame[n:],
        inputs=INPUTS,
        threshold=0.35,
        decision=Decision(threshold=0.35, reason="asked"),
        costs=costs,
        groups=groups,
        predict=predict,
        random_split=random_split,
        seed=0,
    )


def predict_binary(frame: pl.DataFrame) -> np.ndarray:
    p = expit(-1 + frame["x"].to_numpy() + (frame["plan"] == "a").to_numpy())
    return np.stack([1 - p, p], axis=1)


def test_a_binary_model_is_judged_from_every_side() -> None:
    flattering = Measurement(name="roc_auc", value=0.9)
    found = judge_binary(
        costs=Costs(false_positive=1, false_negative=1, rows_per_month=100),
        predict=predict_binary,
        random_split=flattering,
    )
    assert found.headline == "roc_auc"
    assert found.beats_baseline
    assert [baseline.name for baseline in found.baselines] == ["naive", "simple"]
    assert found.confusion is not None
    assert sum(map(sum, found.confusion.counts)) == 600
    assert found.confusion.labels == ("no", "yes")
    assert sum(item.n for item in found.calibration) == 600
    assert found.decision is not None
    assert found.decision.saving_per_row is not None
    assert found.metrics["saving_eur_month"].value == pytest.approx(100 * found.decision.saving_per_row.value)
    assert [item.column for item in found.importances] == ["x", "plan"]
    assert found.roc[0] == (0.0, 0.0)
    assert found.roc[-1] == (1.0, 1.0)
    assert found.precision_recall[-1][0] == 1.0
    assert found.residuals == ()
    assert found.random_split is flattering
    assert {"sex", "plan", "x"} == {slice_.column for slice_ in found.groups}
    assert found.operating_points["recall_at_precision_0.5"].value > 0.3


def test_confusion_agrees_with_recall_and_precision() -> None:
    found = judge_binary()
    assert found.confusion is not None
    (_, false_alarms), (missed, caught) = found.confusion.counts
    assert found.metrics["recall"].value == pytest.approx(caught / (caught + missed))
    assert found.metrics["precision"].value == pytest.approx(caught / (caught + false_alarms))


def test_rare_positives_change_the_headline() -> None:
    found = judge_binary(3000, base=-4.0)
    assert found.headline == "average_precision"
    assert found.beats_baseline
    assert found.metrics["average_precision"].baseline is not None
    assert found.metrics["average_precision"].baseline < 0.1


def test_several_classes_lead_with_log_loss_and_tell_accuracy() -> None:
    rng = np.random.default_rng(0)
    frame, eta = build_frame(1200)
    prob = np.exp(np.stack([eta, -eta, 0 * eta], axis=1))
    prob /= prob.sum(axis=1, keepdims=True)
    y = (prob.cumsum(axis=1) > rng.uniform(size=(1200, 1))).argmax(axis=1)
    found = judge(
        Task(kind="multiclass", target="t", classes=("p", "q", "r")),
        y[600:],
        prob[600:],
        y_train=y[:600],
        frame_train=frame[:600],
        frame_test=frame[600:],
        inputs=INPUTS,
        threshold=0.5,
        decision=None,
        costs=None,
        predict=None,
        seed=0,
    )
    assert found.headline == "log_loss"
    assert found.beats_baseline
    assert "accuracy" in found.metrics
    assert found.confusion is not None
    assert np.array(found.confusion.counts).shape == (3, 3)
    assert found.decision is None
    assert found.roc == ()


def test_numbers_lead_with_rmse_and_show_residuals_over_the_whole_range() -> None:
    frame, eta = build_frame(2000)
    y = 100 + 10 * eta + 3 * np.random.default_rng(0).normal(size=2000)
    found = judge(
        Task(kind="regression", target="t", unit="EUR"),
        y[1000:],
        100 + 10 * eta[1000:],
        y_train=y[:1000],
        frame_train=frame[:1000],
        frame_test=frame[1000:],
        inputs=INPUTS,
        threshold=0.5,
        decision=None,
        costs=None,
        predict=lambda rows: np.asarray(100 + 10 * rows["x"].to_numpy() + 10 * (rows["plan"] == "a").to_numpy()),
        seed=0,
    )
    assert found.headline == "rmse"
    assert found.metrics["rmse"].value == pytest.approx(3, abs=0.2)
    assert found.metrics["rmse"].unit == "EUR"
    assert len(found.residuals) == 500
    shown = [predicted for _, predicted in found.residuals]
    assert min(shown) == pytest.approx((100 + 10 * eta[1000:]).min())
    assert max(shown) == pytest.approx((100 + 10 * eta[1000:]).max())
    assert found.confusion is None
    assert found.importances[0].column == "x"
    assert found.importances[0].drop.unit == "EUR"


def test_no_better_than_a_guess_is_the_first_note() -> None:
    frame, _ = build_frame(800)
    y = (np.random.default_rng(1).uniform(size=800) < 0.4).astype(np.float64)
    p = np.random.default_rng(2).uniform(0.3, 0.5, size=400)
    found = judge(
        BINARY,
        y[400:],
        np.stack([1 - p, p], axis=1),
        y_train=y[:400],
        frame_train=frame[:400],
        frame_test=frame[400:],
        inputs=INPUTS,
        threshold=0.4,
        decision=None,
        costs=None,
        predict=None,
        seed=0,
    )
    assert not found.beats_baseline
    assert found.notes[0] == "The model is not surely better than a guess that looks at nothing: do not rely on it."
    assert found.against_baseline is not None
    assert found.against_baseline.low is not None
    assert found.against_baseline.low <= 0


def test_a_tiny_test_set_without_positives_is_judged_without_failing() -> None:
    frame, _ = build_frame(60)
    y = np.zeros(60)
    y[:8] = 1
    p = np.full(20, 0.1)
    found = judge(
        BINARY,
        y[40:],
        np.stack([1 - p, p], axis=1),
        y_train=y[:40],
        frame_train=frame[:40],
        frame_test=frame[40:],
        inputs=INPUTS,
        threshold=0.5,
        decision=Decision(threshold=0.5, reason="asked"),
        costs=Costs(false_positive=1, false_negative=1, rows_per_month=10),
        predict=predict_binary,
        seed=0,
    )
    assert not found.beats_baseline
    assert "roc_auc" not in found.metrics
    assert all(math.isfinite(item.value) for item in found.metrics.values())
    gate = judge_gate(found, ["recall >= 0.5", "recall_at_precision_0.9 >= 0.5", "accuracy >= 0.5"])
    assert [verdict.passed for verdict in gate.verdicts] == [False, False, False, True]
    assert "no such rows were kept aside" in gate.verdicts[1].sentence
    assert any("No row kept aside is “yes”" in note for note in found.notes)
    assert "too few rows" in found.notes[0]


@pytest.mark.parametrize("costs", [Costs(capacity_per_week=10, rows_per_month=100), Costs(rows_per_month=100)])
def test_no_money_is_told_where_nobody_gave_a_cost(costs: Costs) -> None:
    found = judge_binary(costs=costs)
    assert not [name for name in found.metrics if name.startswith("saving")]
    assert found.profit == ()
    assert found.decision is not None
    assert found.decision.saving_per_row is None
    assert found.decision.flagged is not None


def test_the_costs_behind_a_saving_stand_beside_it() -> None:
    costs = Costs(false_positive=1, false_negative=4, capacity_per_week=10, rows_per_month=100)
    decision = judge_binary(costs=costs).decision
    assert decision is not None
    assert decision.costs == decision.typical == costs
    assert decision.saving_against_all is not None


def test_few_positives_are_told() -> None:
    found = judge_binary(300, base=-3.0)
    assert any("rows kept aside are “yes”" in note for note in found.notes)


def test_grouped_rows_are_judged_by_group_and_few_groups_are_told() -> None:
    found = judge_binary(groups=np.arange(600) % 20)
    assert "Obuchowski" in found.metrics["roc_auc"].method
    assert "groups" in found.metrics["f1"].method
    assert any("only 20 different groups" in note for note in found.notes)


def test_a_simple_table_that_does_as_well_is_told() -> None:
    frame, _ = build_frame(1200)
    y = (np.random.default_rng(1).uniform(size=1200) < np.where((frame["plan"] == "a").to_numpy(), 0.7, 0.2)).astype(
        float
    )
    p = np.where((frame["plan"] == "a").to_numpy(), 0.6, 0.3) + 0.3 * np.random.default_rng(2).normal(size=1200)
    p = np.clip(p, 0.01, 0.99)[600:]
    found = judge(
        BINARY,
        y[600:],
        np.stack([1 - p, p], axis=1),
        y_train=y[:600],
        frame_train=frame[:600],
        frame_test=frame[600:],
        inputs=INPUTS,
        threshold=0.5,
        decision=None,
        costs=None,
        predict=None,
        seed=0,
    )
    assert any("A simple table does as well" in note and "'plan'" in note for note in found.notes)


def test_the_same_seed_gives_the_same_evaluation() -> None:
    assert judge_binary(300, predict=predict_binary) == judge_binary(300, predict=predict_binary)


def test_judging_twenty_thousand_rows_takes_seconds() -> None:
    begin = time.process_time()
    judge_binary(20_000, costs=Costs(false_positive=1, false_negative=1, rows_per_month=10), predict=predict_binary)
    assert time.process_time() - begin < 10  # 2 s on an idle core


def test_a_second_look_widens_operating_points_and_coverage_too() -> None:
    frame, eta = build_frame(800)
    y = (np.random.default_rng(1).uniform(size=800) < expit(eta)).astype(np.float64)
    p = expit(eta)
    prob = np.stack([1 - p, p], axis=1)
    promised = Promised(coverage=0.9, in_set=np.stack([p < 0.8, p > 0.2], axis=1), reviewed=np.abs(p - 0.5) < 0.1)

    def look(looks: int) -> Evaluation:
        return judge(
            BINARY, y, prob, y_train=y, frame_train=frame, frame_test=frame, inputs=INPUTS, threshold=0.5, decision=None,
            costs=None, predict=None, seed=0, promised=promised, looks=looks,
        )  # fmt: skip

    first, third = look(1), look(3)
    assert first.kept is not None
    assert third.kept is not None
    pairs = [
        (first.operating_points["recall_at_precision_0.7"], third.operating_points["recall_at_precision_0.7"]),
        (first.kept.coverage, third.kept.coverage),
        (first.kept.classes[1].coverage, third.kept.classes[1].coverage),
        (first.kept.acted, third.kept.acted),
        (first.metrics["roc_auc"], third.metrics["roc_auc"]),
    ]
    for one, later in pairs:
        assert one is not None
        assert later is not None
        assert one.low is not None
        assert later.low is not None
        assert later.low < one.low
        assert "3 looks" in later.method
    assert first.kept.acted is not None
    is_right = (p >= 0.5) == (y == 1)
    assert first.kept.acted.value == pytest.approx(is_right[np.abs(p - 0.5) >= 0.1].mean())
