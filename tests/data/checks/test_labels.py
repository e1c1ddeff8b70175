"""Contradictions and wrong answers are found; hard cases are not called wrong."""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.task import Task
from skiff.data.checks.imbalance import find_imbalance, find_rare_classes
from skiff.data.checks.labels import find_conflicting_labels, find_label_errors, rank_label_doubts
from skiff.data.facts import gather_facts

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
    assert (finding.severity, finding.rows) == ("info", 20)


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


def test_regression_has_no_labels_to_doubt() -> None:
    assert find_label_errors(np.ones(5), np.ones(5), rows=np.arange(5), task=Task(kind="regression", target="y")) == []


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
