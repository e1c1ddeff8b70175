from __future__ import annotations

import pytest

from skiff.core.errors import SkiffError
from skiff.core.task import Costs, Task
from skiff.evaluate.criteria import refuse_unmeasured

CHURN = Task(kind="binary", target="left", classes=("no", "yes"), positive="yes")
GRADE = Task(kind="multiclass", target="grade", classes=("a", "b", "c"))
SOLD = Task(kind="regression", target="sold")
STOCK = Task(kind="regression", target="sold", quantile=0.9)
CALLS = Costs(false_positive=5.0, false_negative=80.0, rows_per_month=1000.0)


@pytest.mark.parametrize(
    ("line", "task", "costs"),
    [
        ("recall_at_precision_0.9 >= 0.6", CHURN, None),
        ("worst_group_gap(recall, sex) <= 0.1", CHURN, None),
        ("worst_group_gap(accuracy, sex) <= 0.1", GRADE, None),
        ("worst_group_gap(median_absolute_error, shop) <= 3", SOLD, None),
        ("worst_group_gap(pinball_loss, shop) <= 3", STOCK, None),
        ("saving_eur_month >= 500", CHURN, CALLS),
        ("saving_eur_row >= 1", CHURN, Costs(false_positive=1.0, false_negative=1.0)),
        ("latency_us <= 200", GRADE, None),
        ("roc_auc >= 0.7", GRADE, None),
        ("mae <= 4.5", SOLD, None),
        ("pinball_loss <= 2", STOCK, None),
        ("beats_baseline", SOLD, None),
    ],
)
def test_what_this_kind_of_answer_has_may_be_asked_for(line: str, task: Task, costs: Costs | None) -> None:
    refuse_unmeasured([line], task, costs)


@pytest.mark.parametrize(
    ("line", "task", "costs"),
    [
        ("roc_auc >= 0.7", SOLD, None),
        ("pinball_loss <= 2", SOLD, None),
        ("mae <= 4.5", CHURN, None),
        ("average_precision >= 0.5", GRADE, None),
        ("recall_at_precision_0.9 >= 0.6", GRADE, None),
        ("worst_group_gap(rmse, Marital) <= 0.1", CHURN, None),
        ("worst_group_gap(recall, sex) <= 0.1", GRADE, None),
        ("worst_group_gap(recall, shop) <= 0.1", SOLD, None),
        ("worst_group_gap(pinball_loss, shop) <= 3", SOLD, None),
        ("saving_eur_month >= 500", CHURN, None),
        ("saving_usd_month >= 500", CHURN, CALLS),
        ("saving_eur_month >= 500", CHURN, Costs(false_positive=1.0, false_negative=1.0)),
        ("saving_eur_month >= 500", CHURN, Costs(capacity_per_week=10.0, rows_per_month=100.0)),
        ("saving_eur_row >= 1", SOLD, CALLS),
    ],
)
def test_what_it_has_not_is_refused_before_the_training(line: str, task: Task, costs: Costs | None) -> None:
    with pytest.raises(SkiffError, match="not measured") as caught:
        refuse_unmeasured([line], task, costs)
    assert caught.value.code == "bad_criterion"


@pytest.mark.parametrize(
    ("costs", "missing"),
    [
        (Costs(false_positive=5.0), "false_negative"),
        (Costs(false_negative=80.0, rows_per_month=100.0), "false_positive"),
        (Costs(true_positive=-3.0), "false_positive and false_negative"),
        (Costs(amount="loan"), "false_positive and false_negative"),
        (Costs(review=3.0), "false_positive and false_negative"),
    ],
)
def test_half_of_the_costs_is_refused_before_the_training(costs: Costs, missing: str) -> None:
    with pytest.raises(SkiffError, match=f"but not {missing}") as caught:
        refuse_unmeasured([], CHURN, costs)
    assert caught.value.code == "costs_incomplete"
    refuse_unmeasured([], SOLD, costs)  # a number has no such costs


def test_capacity_alone_is_no_cost() -> None:
    refuse_unmeasured([], CHURN, Costs(capacity_per_week=10.0, rows_per_month=100.0))


def test_capacity_of_nobody_knows_how_many_is_refused_before_the_training() -> None:
    with pytest.raises(SkiffError) as caught:
        refuse_unmeasured([], CHURN, Costs(capacity_per_week=10.0))
    assert caught.value.code == "capacity_without_rows"


def test_a_gap_in_what_a_group_has_not_names_what_it_has() -> None:
    with pytest.raises(SkiffError) as caught:
        refuse_unmeasured(["worst_group_gap(rmse, Marital) <= 0.1"], CHURN, None)
    assert "where the answer is one of two" in caught.value.what
    assert "recall, precision, false_positive_rate, selection_rate, accuracy, roc_auc" in caught.value.fix
