"""Two releases in words: which is better, by how much, in which unit, or that it cannot be told."""

from __future__ import annotations

import pytest

from skiff.core.measurement import Measurement
from skiff.report.comparison import count_difference, describe_pairing, tabulate_pairing


def differ(name: str, value: float, reach: float, *, up: bool, unit: str = "") -> Measurement:
    return Measurement(
        name=f"{name}_difference", value=value, low=value - reach, high=value + reach, n=90, unit=unit, higher_is_better=up
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "begins"),
    [
        (differ("roc_auc", 0.03, 0.01, up=True), "Release 2 is better than release 1: ranking (ROC AUC) 0.030 higher (0.020 to 0.040 higher; higher"),
        (differ("log_loss", 0.03, 0.01, up=False), "Release 1 is better than release 2: surprise (log loss) 0.030 higher for release 2 ("),
        (differ("rmse", -3.0, 1.0, up=False), "Release 2 is better than release 1: typical error, large ones weighing more (RMSE) 3.0 lower"),
        (differ("roc_auc", 0.03, 0.04, up=True), "Too close to call between releases 1 and 2: ranking (ROC AUC) of release 2 is 0.030 higher"),
    ],
)  # fmt: skip
def test_the_better_release_is_named(found: Measurement, begins: str) -> None:
    told = describe_pairing(found, (1, 2), rows=90)
    assert told.startswith(begins)
    assert told.endswith("on 90 rows neither was trained on.")
    assert "_" not in told


def test_savings_carry_their_currency_and_errors_their_unit() -> None:
    saving, error = differ("saving", -1.8, 16.0, up=True, unit="EUR"), differ("mae", 2.0, 1.0, up=False)
    rows = tabulate_pairing([saving, error], (1, 2), unit="days")
    assert rows[0] == (
        "Saved in a row", "higher", "1.8 EUR lower (17.8 EUR lower to 14.2 EUR higher)", "too close to call",
    )  # fmt: skip
    assert rows[1][1:] == ("lower", "2.0 days higher (1.0 to 3.0 days higher)", "release 1 is better")


def test_what_cannot_be_counted_is_not() -> None:
    assert count_difference(differ("rmse", -3.0, 1.0, up=False), 2) == ""
