"""A model in Python keeps scikit-learn's habits, and says plainly what it cannot do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.utils.validation import check_is_fitted

import skiff
from skiff.core.errors import SkiffError


@pytest.fixture(scope="module")
def model() -> skiff.Model:
    random = np.random.default_rng(3)
    lead = random.gamma(2.0, 20.0, 400)
    gone = random.random(400) < 1 / (1 + np.exp(2 - 0.05 * lead))
    table = pl.DataFrame({"lead": lead, "nights": random.integers(1, 9, 400), "gone": gone})
    return skiff.train(table, target="gone", budget_s=2.0)


ROWS = [{"lead": 5.0, "nights": 2}, {"lead": 120.0, "nights": 3}]


def test_scikit_learn_takes_it_for_a_fitted_classifier(model: skiff.Model) -> None:
    check_is_fitted(model)
    assert is_classifier(model)
    assert clone(model) is model
    table = pl.DataFrame(ROWS * 10)
    answers = np.array(["false", "true"] * 10, dtype=object)
    assert get_scorer("roc_auc")(model, table, answers) == 1.0
    assert model.score(table, [False, True] * 10) == np.mean(model.predict(table) == answers)
    with pytest.raises(SkiffError, match="cannot be fitted again"):
        model.fit(table, answers)


def test_an_array_with_the_columns_in_order_is_a_table(model: skiff.Model) -> None:
    array = np.array([[row[name] for name in model.feature_names_in_] for row in ROWS], dtype=object)
    assert model.predict_proba(array).tolist() == model.predict_proba(ROWS).tolist()


@pytest.mark.parametrize("table", [5, "orders.csv", np.zeros((2, 7))])
def test_what_is_no_table_is_refused_in_four_parts(model: skiff.Model, table: object) -> None:
    with pytest.raises(SkiffError) as caught:
        model.predict(table)
    assert caught.value.code == "not_a_table"
    assert caught.value.where
    assert "frame" in caught.value.fix


def test_saving_keeps_measurements_and_findings(model: skiff.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    again = skiff.load(tmp_path / "model")
    assert again.measurements == model.measurements
    assert [item.what for item in again.findings] == [item.what for item in model.findings]
    assert [item.columns for item in again.findings] == [item.columns for item in model.findings]
    assert again.findings[0].evidence == model.findings[0].evidence


def test_training_twice_and_checking_before_it_works(model: skiff.Model) -> None:
    del model
    table = pl.DataFrame({"lead": range(60), "gone": ["yes", "no"] * 30})
    assert skiff.check(table, target="gone")
    assert callable(skiff.train)


def test_a_notebook_shows_the_numbers_with_range_and_guess_and_no_exponent(model: skiff.Model) -> None:
    shown = model._repr_html_()
    assert "Ranking (ROC AUC)" in shown
    assert "a guess" in shown
    assert "0.5</td>" in shown
    assert "e+0" not in shown


def test_a_notebook_shows_what_a_check_found_as_a_table() -> None:
    table = pl.DataFrame({"price<b>": [1.0, 2.0, 3.0] * 20, "same": ["x"] * 60})
    shown = skiff.check(table)._repr_html_()
    assert "<th>What to do</th>" in shown
    assert "same" in shown
    assert "<b>" not in shown
