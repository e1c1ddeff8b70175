"""Contradictions and wrong answers are found; hard cases are not called wrong."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.checks.conflicts import find_conflicting_labels
from skiff.data.checks.fixing import find_label_errors, list_fixes, measure_fixing, tell_fixes
from skiff.data.checks.imbalance import find_imbalance, find_rare_classes
from skiff.data.checks.labels import rank_label_doubts
from skiff.data.facts import gather_facts
from skiff.data.kinds import infer_inputs

TASK = Task(kind="binary", target="y", classes=("no", "yes"), positive="yes")


def _separable(n_rows: int = 2_000, *, flipped: int = 100, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return given labels, out-of-fold-like probabilities of the true ones, and which labels are wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n_rows)
    is_wrong = np.zeros(n_rows, dtype=bool)
    is_wrong[rng.choice(n_rows, flipped, replace=False)] = True
    prob = np.clip(np.where(truth == 1, 0.95, 0.05) + rng.normal(0, 0.02, n_rows), 0.001, 0.999)
    return np.where(is_wrong, 1 - truth, truth).astype(float), prob, is_wrong


def test_flipped_labels_of_separable_classes_are_found() -> None:
    y, prob, is_wrong = _separable()
    doubts = rank_label_doubts(y, prob)
    assert is_wrong[doubts.places].mean() >= 0.95
    assert len(doubts.places) >= 90
    assert np.array_equal(doubts.suggested, 1 - y[doubts.places])
    (finding,) = find_label_errors(y, prob, rows=np.arange(2_000) + 500, task=TASK)
    assert finding.severity == "warn"
    assert finding.sample_rows[0] == doubts.places[0] + 501


def test_clean_labels_are_not_doubted() -> None:
    y, prob, _ = _separable(flipped=0)
    assert find_label_errors(y, prob, rows=np.arange(2_000), task=TASK) == []


def test_overlapping_classes_are_hard_cases_and_not_mistakes() -> None:
    rng = np.random.default_rng(1)
    prob = rng.beta(1.2, 1.2, 3_000)
    y = (rng.random(3_000) < prob).astype(float)
    (finding,) = find_label_errors(y, prob, rows=np.arange(3_000), task=TASK)
    assert finding.severity == "info"
    assert finding.rows <= 0.005 * 3_000
    assert "can be real" in finding.what


def test_a_rare_blurred_class_is_not_hidden_by_a_frequent_clear_one() -> None:
    rng = np.random.default_rng(2)
    prob = np.where(rng.random(5_000) < 0.04, rng.uniform(0.2, 0.9, 5_000), 0.005)
    y = (rng.random(5_000) < prob).astype(float)
    assert all(finding.severity == "info" for finding in find_label_errors(y, prob, rows=np.arange(5_000), task=TASK))


def test_several_classes_and_rows_without_an_answer_work() -> None:
    y = np.repeat([0.0, 1.0, 2.0, np.nan], 50)
    prob = np.full((200, 3), 0.02)
    prob[np.arange(150), np.repeat([0, 1, 2], 50)] = 0.96
    prob[7] = (0.02, 0.02, 0.96)
    prob[160] = np.nan
    task = Task(kind="multiclass", target="y", classes=("a", "b", "c"))
    (finding,) = find_label_errors(y, prob, rows=np.arange(200), task=task)
    assert finding.sample_rows == (8,)


@pytest.mark.parametrize("rate", [0.01, 0.03, 0.1])
def test_wrong_answers_among_overlapping_classes_are_named_with_few_honest_ones(rate: float) -> None:
    rng = np.random.default_rng([5, int(1_000 * rate)])
    prob = rng.beta(0.15, 0.6, 8_000)
    truth = rng.random(8_000) < prob
    is_wrong = rng.random(8_000) < rate
    seen = prob * (1 - rate) + (1 - prob) * rate  # what a model learns from answers of which some are wrong
    doubts = rank_label_doubts((truth ^ is_wrong).astype(float), seen)
    assert doubts.clear_share < 0.9
    assert len(doubts.places) >= 10
    assert is_wrong[doubts.places].mean() >= 0.75


def test_slips_in_numbers_are_found_whatever_their_size() -> None:
    rng = np.random.default_rng(6)
    expected = rng.lognormal(7, 1, 3_000)
    price = expected * np.exp(0.1 * rng.normal(size=3_000))
    slips = rng.choice(3_000, 60, replace=False)
    price[slips] *= np.where(rng.random(60) < 0.5, 10.0, 0.1)
    task = Task(kind="regression", target="price")
    fixes = list_fixes(price, expected, rows=np.arange(3_000), task=task)
    assert fixes is not None
    assert fixes.is_sure
    named = {fix.row - 1 for fix in fixes.fixes}
    assert len(named & set(slips.tolist())) >= 55
    assert len(named - set(slips.tolist())) <= 5
    assert all(0.5 <= fix.confidence <= 1.0 and isinstance(fix.suggested, float) for fix in fixes.fixes)


def test_ordinary_errors_of_numbers_are_not_doubted() -> None:
    rng = np.random.default_rng(7)
    expected = rng.uniform(10, 500, 4_000)
    given = expected + expected * 0.2 * rng.normal(size=4_000)  # large amounts are missed by more
    assert find_label_errors(given, expected, rows=np.arange(4_000), task=Task(kind="regression", target="y")) == []


def test_too_few_numbers_are_not_judged() -> None:
    assert find_label_errors(np.ones(5), np.ones(5), rows=np.arange(5), task=Task(kind="regression", target="y")) == []


def test_fixing_wrong_answers_is_worth_something_on_the_other_rows() -> None:
    rng = np.random.default_rng(8)
    table = pl.DataFrame({f"x{place}": rng.normal(size=2_000) for place in range(4)})
    truth = (table["x0"] + table["x1"] > 0).to_numpy()
    wrong = rng.choice(2_000, 200, replace=False)
    given = truth.copy()
    given[wrong] = ~given[wrong]
    table = table.with_columns(y=pl.Series(np.where(given, "yes", "no")))
    prob = np.where(truth, 0.9, 0.1)
    rows = np.arange(2_000)
    fixes = list_fixes(given.astype(float), prob, rows=rows, task=TASK)
    assert fixes is not None
    assert set(fixes.rows.tolist()) == set(wrong.tolist())
    effect = measure_fixing(table, TASK, infer_inputs(table, exclude={"y"}), fixes, rows=rows)
    gain = effect["loss_saved"]
    assert isinstance(gain, Measurement)
    assert gain.low is not None
    assert gain.low > 0.3
    finding = tell_fixes(fixes, TASK, effect=effect)
    assert "less on the rows nobody doubts" in finding.why_it_matters


def test_a_gain_that_may_be_none_is_not_promised() -> None:
    fixes = list_fixes(*_separable(600, flipped=20)[:2], rows=np.arange(600), task=TASK)
    assert fixes is not None
    nothing = Measurement(name="loss_saved", value=0.01, low=-0.02, high=0.04, n=600)
    assert "less on the rows" not in tell_fixes(fixes, TASK, effect={"loss_saved": nothing}).why_it_matters


def test_equal_rows_with_different_answers_are_counted_once_per_lost_row() -> None:
    rng = np.random.default_rng(3)
    x = np.repeat(rng.normal(size=300), 2)
    y = np.repeat(rng.integers(0, 2, 300), 2).astype(float)
    y[:20:2] = 1 - y[1:20:2]
    table = pl.DataFrame({"x": x, "z": x**2, "id": [f"r{row}" for row in range(600)]})
    (finding,) = find_conflicting_labels(table, y, TASK, facts=gather_facts(table))
    assert (finding.rows, finding.evidence["rows_in_conflict"], finding.severity) == (10, 20, "warn")
    assert finding.evidence["best_accuracy"] == 590 / 600


def test_conflicts_in_a_table_of_few_values_are_natural() -> None:
    rng = np.random.default_rng(4)
    table = pl.DataFrame({"a": rng.integers(0, 3, 500), "b": rng.integers(0, 3, 500)})
    (finding,) = find_conflicting_labels(table, rng.integers(0, 2, 500).astype(float), TASK, facts=gather_facts(table))
    assert (finding.severity, finding.question) == ("info", "")


def test_imbalance_is_said_and_is_a_problem_only_when_rows_are_few() -> None:
    many = find_imbalance(np.array([0.0] * 9_000 + [1.0] * 500), TASK)
    few = find_imbalance(np.array([0.0] * 900 + [1.0] * 50), TASK)
    assert [finding.severity for finding in many] == ["info"]
    assert "not a problem" in many[0].what
    assert [finding.severity for finding in few] == ["warn"]
    assert find_imbalance(np.array([0.0] * 600 + [1.0] * 400), TASK) == []


def test_rare_and_too_many_classes_are_told() -> None:
    task = Task(kind="multiclass", target="y", classes=tuple(f"c{code:03d}" for code in range(120)))
    (finding,) = find_rare_classes(np.repeat(np.arange(120.0), 10), task)
    assert finding.evidence["classes"] == 120
    assert find_rare_classes(np.repeat([0.0, 1.0], 50), TASK) == []
