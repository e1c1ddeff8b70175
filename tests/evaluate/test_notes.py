"""What an evaluation says about its own limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.evaluate.notes import Told, write_notes
from skiff.evaluate.results import Baseline


def test_a_gain_within_noise_says_how_many_rows_would_show_it() -> None:
    within_noise = Measurement(name="roc_auc_difference", value=0.03, low=-0.03, high=0.09, higher_is_better=True)
    notes = write_notes(_tell(within_noise))
    assert "about 2,000 rows in all (4 times as many as now)" in notes[1]


def test_where_there_is_no_gain_other_columns_are_asked_for_instead_of_rows() -> None:
    none = Measurement(name="rmse_difference", value=0.5, low=-1.0, high=2.0, higher_is_better=False)
    notes = write_notes(_tell(none))
    assert "other columns" in notes[1]


def test_a_model_that_ranks_well_but_states_worse_chances_than_one_column_says_so() -> None:
    simple = Baseline(
        name="simple",
        description="Looks at 'price' alone, in a few bins.",
        metrics={"roc_auc": _measure("roc_auc", 0.86), "log_loss": _measure("log_loss", 0.45)},
    )
    told = replace(
        _tell(Measurement(name="roc_auc_difference", value=0.3, low=0.2, high=0.4, higher_is_better=True)),
        task=Task(kind="binary", target="up", classes=("no", "yes"), positive="yes"),
        y_test=np.repeat([0, 1], 500),
        metrics={"roc_auc": _measure("roc_auc", 0.89), "log_loss": _measure("log_loss", 0.60)},
        baselines=(simple,),
        beats_baseline=True,
        headline="roc_auc",
    )
    (note,) = write_notes(told)
    assert note.startswith("One column alone states truer chances than the model (log loss 0.450 against 0.600)")
    assert note.endswith("It looks at 'price' alone, in a few bins.")
    close = {"roc_auc": _measure("roc_auc", 0.89), "log_loss": _measure("log_loss", 0.455)}
    assert write_notes(replace(told, metrics=close)) == ()  # within its range


def _measure(name: str, value: float) -> Measurement:
    return Measurement(
        name=name, value=value, low=value - 0.01, high=value + 0.01, n=1000, higher_is_better=name == "roc_auc"
    )


def _tell(difference: Measurement) -> Told:
    return Told(
        task=Task(kind="regression", target="sold"),
        y_test=np.zeros(100),
        metrics={},
        against_baseline=difference,
        beats_baseline=False,
        baselines=(),
        slices=(),
        headline="rmse",
        n_train=400,
    )


def test_one_rare_answer_occurs() -> None:
    y = np.array([0] * 50 + [1] * 50 + [2] * 3)
    task = Task(kind="multiclass", target="status", classes=("a", "b", "c"))
    told = Told(
        task=task, y_test=y, metrics={}, against_baseline=None, beats_baseline=True, baselines=(), slices=(), headline="log_loss"
    )  # fmt: skip
    assert any("1 of the 3 answers occurs fewer" in note for note in write_notes(told))
