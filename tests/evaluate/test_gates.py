from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from skiff.core.errors import SkiffError
from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Costs, Task
from skiff.evaluate.criteria import list_known
from skiff.evaluate.gates import judge_gate, parse_criterion
from skiff.evaluate.judge import judge
from skiff.evaluate.results import Decision, Evaluation

COSTS = Costs(false_positive=1, false_negative=5, rows_per_month=1000)


def evaluate(*, signal: float = 2.0, n: int = 1500, costs: Costs | None = COSTS) -> Evaluation:
    rng = np.random.default_rng(0)
    x = rng.normal(size=2 * n)
    sex = np.where(np.arange(2 * n) % 2 == 0, "female", "male")
    y = (rng.uniform(size=2 * n) < expit(-1 + signal * x)).astype(np.float64)
    seen = np.where(sex == "female", x, 0.6 * x + 0.8 * rng.normal(size=2 * n))
    p = expit(-1 + signal * seen) if signal else np.full(2 * n, 0.3) + 1e-3 * x
    frame = pl.DataFrame({"x": x, "sex": sex})
    return judge(
        Task(kind="binary", target="left", classes=("no", "yes"), positive="yes", protected=("sex",)),
        y[n:],
        np.stack([1 - p[n:], p[n:]], axis=1),
        y_train=y[:n],
        frame_train=frame[:n],
        frame_test=frame[n:],
        inputs=[InputColumn(name="x", kind="number")],
        threshold=0.35,
        decision=Decision(threshold=0.35, reason="asked"),
        costs=costs,
        predict=None,
        seed=0,
    )


@pytest.fixture(scope="module")
def good() -> Evaluation:
    return evaluate()


@pytest.mark.parametrize(
    ("text", "name", "operator", "required"),
    [
        ("roc_auc >= 0.75", "roc_auc", ">=", 0.75),
        ("recall_at_precision_0.9 >= 0.6", "recall_at_precision_0.9", ">=", 0.6),
        ("recall_at_precision_.90>=60 %", "recall_at_precision_0.9", ">=", 0.6),
        ("worst_group_gap(recall, sex) <= 0.1", "recall", "<=", 0.1),
        ("saving_eur_month >= 500", "saving_eur_month", ">=", 500.0),
        ("saving_chf_row > -1.5", "saving_chf_row", ">", -1.5),
        ("latency_us <= 200", "latency_us", "<=", 200.0),
        ("size_mb ≤ 5", "size_mb", "<=", 5.0),
        ("rmse <= 12.5", "rmse", "<=", 12.5),
        ("LOG_LOSS < 1e-1", "log_loss", "<", 0.1),
        ("beats_baseline", "beats_baseline", ">=", None),
    ],
)
def test_the_whole_language_is_understood(text: str, name: str, operator: str, required: float | None) -> None:
    found = parse_criterion(text)
    assert (found.name, found.operator, found.required) == (name, operator, required)


def test_column_names_may_have_blanks_and_quotes() -> None:
    assert parse_criterion("worst_group_gap(recall, Age group) <= 0.1").column == "Age group"
    assert parse_criterion("worst_group_gap( accuracy , 'Age, in years' ) <= 10%").column == "Age, in years"


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("roc_acu >= 0.75", "Did you mean 'roc_auc'?"),
        ("recal >= 0.75", "Did you mean 'recall'?"),
        ("beat_baseline >= 1", "Did you mean 'beats_baseline'?"),
        ("saving_euro_month >= 5", "Did you mean 'saving_eur_month'?"),
        ("worst_group_gap(recal, sex) <= 0.1", "Did you mean 'recall'?"),
        ("roc_auc = 0.75", "Write a name, >= or <=, and a number, such as:  roc_auc >= 0.75"),
        ("roc_auc", "Write a name, >= or <=, and a number, such as:  roc_auc >= 0.75"),
        ("", "Write a name, >= or <=, and a number, such as:  roc_auc >= 0.75"),
        ("rmse >= 12", "Write:  rmse <= 12"),
        ("recall <= 0.9", "Write:  recall >= 0.9"),
        ("worst_group_gap(recall, sex) >= 0.1", "Write:  worst_group_gap(recall, sex) <= 0.1"),
        ("roc_auc >= 75", "Write:  roc_auc >= 0.75"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_way_out(text: str, fix: str) -> None:
    with pytest.raises(SkiffError) as caught:
        parse_criterion(text)
    assert caught.value.code == "bad_criterion"
    assert caught.value.fix == fix
    assert caught.value.where["setting"] == "criteria.require"


def test_a_wild_name_lists_what_is_known() -> None:
    with pytest.raises(SkiffError) as caught:
        parse_criterion("zzzzqqq >= 1")
    assert "roc_auc" in caught.value.fix
    assert "latency_us" in caught.value.fix
    assert "worst_group_gap(recall, column)" in list_known()


def test_beating_the_baseline_is_always_asked_first(good: Evaluation) -> None:
    gate = judge_gate(good, [], extra={})
    assert gate.passed
    assert [verdict.criterion for verdict in gate.verdicts] == ["beats_baseline"]
    assert gate.verdicts[0].sentence.startswith("The model is better than a guess that looks at nothing (roc_auc 0.7")
    twice = judge_gate(good, ["beats_baseline"], extra={})
    assert len(twice.verdicts) == 1


def test_a_model_without_signal_does_not_pass() -> None:
    gate = judge_gate(evaluate(signal=0.0), [], extra={})
    assert not gate.passed
    assert "not surely better" in gate.verdicts[0].sentence


def test_every_kind_of_criterion_is_judged(good: Evaluation) -> None:
    criteria = [
        "roc_auc >= 0.75",
        "recall_at_precision_0.7 >= 0.2",
        "precision_at_recall_0.8 >= 0.3",
        "worst_group_gap(recall, sex) <= 0.5",
        "saving_eur_month >= -500",
        "saving_eur_row >= -0.5",
        "latency_us <= 200",
        "size_mb <= 5",
    ]
    gate = judge_gate(good, criteria, extra={"latency_us": 80.0, "size_mb": 0.4})
    assert [verdict.sentence for verdict in gate.verdicts if not verdict.passed] == []
    assert [verdict.criterion for verdict in gate.verdicts[1:]] == criteria
    for verdict in gate.verdicts[1:]:
        assert verdict.measured is not None
        assert verdict.required is not None


def test_a_violated_criterion_says_by_how_much(good: Evaluation) -> None:
    gate = judge_gate(good, ["latency_us <= 200", "roc_auc >= 0.99"], extra={"latency_us": 250.0})
    assert not gate.passed
    latency, auc = gate.verdicts[1:]
    assert (
        latency.sentence == "The time for one answer in microseconds (latency_us) is 250: 50 above the 200 you allow."
    )
    assert auc.measured is not None
    assert f"{0.99 - auc.measured:.3f}".rstrip("0") in auc.sentence
    assert "short of the 0.99 you ask for" in auc.sentence


def test_the_size_names_its_file_and_what_lies_beside_it(good: Evaluation) -> None:
    aside = {"size_mb": "Not counted is reasons.onnx (5.40 MB)."}
    size = judge_gate(good, ["size_mb <= 5"], extra={"size_mb": 0.4}, asides=aside).verdicts[1]
    assert size.passed
    assert size.sentence.startswith("The size of model.onnx, the file that answers, in MB (size_mb) is 0.4")
    assert size.sentence.endswith(aside["size_mb"])


def test_a_criterion_met_by_luck_says_so(good: Evaluation) -> None:
    auc = good.metrics["roc_auc"]
    assert auc.low is not None
    verdict = judge_gate(good, [f"roc_auc >= {(auc.low + auc.value) / 2:.4f}"]).verdicts[1]
    assert verdict.passed
    assert "more rows could show otherwise" in verdict.sentence


def test_the_group_gap_names_the_groups_and_their_ranges(good: Evaluation) -> None:
    verdict = judge_gate(good, ["worst_group_gap(recall, sex) <= 0.01"]).verdicts[1]
    assert not verdict.passed
    assert "where sex is male" in verdict.sentence
    assert "where it is female" in verdict.sentence
    assert "above the 0.01 you allow" in verdict.sentence


def test_groups_of_a_column_that_has_none_are_refused(good: Evaluation) -> None:
    with pytest.raises(SkiffError) as caught:
        judge_gate(good, ["worst_group_gap(recall, gender) <= 0.1"])
    assert caught.value.code == "bad_criterion"
    assert "sex" in caught.value.fix


def test_money_without_costs_says_where_to_put_them() -> None:
    with pytest.raises(SkiffError) as caught:
        judge_gate(evaluate(costs=None), ["saving_eur_month >= 500"])
    assert "[costs]" in caught.value.fix


def test_a_metric_of_another_kind_of_task_is_refused(good: Evaluation) -> None:
    with pytest.raises(SkiffError, match="not measured for this kind of answer"):
        judge_gate(good, ["rmse <= 3"])


def test_groups_too_small_to_compare_do_not_pass_in_silence() -> None:
    verdict = judge_gate(evaluate(n=50), ["worst_group_gap(recall, sex) <= 0.5"]).verdicts[1]
    assert not verdict.passed
    assert verdict.measured is None
    assert "too few rows" in verdict.sentence


def test_a_measured_number_exactly_at_a_strict_limit_fails_with_a_sensible_sentence(good: Evaluation) -> None:
    verdict = judge_gate(good, ["latency_us < 200"], extra={"latency_us": 200.0}).verdicts[1]
    assert not verdict.passed
    assert "exactly 200" in verdict.sentence


def test_a_miss_is_told_of_the_number_that_is_printed() -> None:
    made = Evaluation(
        headline="rmse", baselines=(), metrics={"rmse": Measurement(name="rmse", value=239.98, low=220.0, high=260.0, n=90)}
    )  # fmt: skip
    sentence = judge_gate(made, ["rmse <= 200"]).verdicts[-1].sentence
    assert sentence.endswith(" is 240 (220 to 260): 40 above the 200 you allow.")
