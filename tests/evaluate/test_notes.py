"""What an evaluation says about its own limits."""

from __future__ import annotations

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.evaluate.notes import Told, write_notes


def test_a_gain_within_noise_says_how_many_rows_would_show_it() -> None:
    within_noise = Measurement(name="roc_auc_difference", value=0.03, low=-0.03, high=0.09, higher_is_better=True)
    notes = write_notes(_tell(within_noise))
    assert "about 2,000 rows in all (4 times as many as now)" in notes[1]


def test_where_there_is_no_gain_other_columns_are_asked_for_instead_of_rows() -> None:
    none = Measurement(name="rmse_difference", value=0.5, low=-1.0, high=2.0, higher_is_better=False)
    notes = write_notes(_tell(none))
    assert "other columns" in notes[1]


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
