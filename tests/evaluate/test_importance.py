from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from skiff.evaluate.importance import MAX_JUDGED, MAX_PREDICTED_ROWS, Bench, measure_importances


def build_bench(metric: str, n: int = 1000, n_noise: int = 3) -> Bench:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"strong": rng.normal(size=n), "weak": rng.normal(size=n)}
        | {f"noise{i}": rng.normal(size=n) for i in range(n_noise)}
    )

    def predict(rows: pl.DataFrame) -> np.ndarray:
        eta = -1 + 2 * rows["strong"].to_numpy() + 0.6 * rows["weak"].to_numpy()
        if metric == "rmse":
            return np.asarray(eta)
        return np.stack([1 - expit(eta), expit(eta)], axis=1)

    eta = -1 + 2 * frame["strong"].to_numpy() + 0.6 * frame["weak"].to_numpy()
    y = eta + rng.normal(size=n) if metric == "rmse" else (rng.uniform(size=n) < expit(eta)).astype(np.float64)
    return Bench(y=y, frame=frame, predict=predict, metric=metric, threshold=0.5, groups=None, unit="", seed=0)


@pytest.mark.parametrize("metric", ["roc_auc", "average_precision", "log_loss", "rmse"])
def test_columns_come_in_the_order_of_what_they_are_worth(metric: str) -> None:
    bench = build_bench(metric)
    found = measure_importances(bench, bench.frame.columns)
    assert [item.column for item in found[:2]] == ["strong", "weak"]
    for item in found[:2]:
        assert item.drop.low is not None
        assert item.drop.low > 0
    for item in found[2:]:
        assert item.drop.value == 0
        assert item.drop.method == "no change at all"


def test_a_column_that_misleads_has_a_negative_drop() -> None:
    bench = build_bench("rmse")
    wrong = replace(bench, predict=lambda rows: bench.predict(rows) - 2 * rows["noise0"].to_numpy())
    misleading = replace(wrong, y=bench.y + 2 * bench.frame["noise0"].to_numpy())
    [found] = [item for item in measure_importances(misleading, ["noise0"]) if item.column == "noise0"]
    assert found.drop.high is not None
    assert found.drop.high < 0


def test_wide_tables_are_screened_within_the_budget_and_the_strong_columns_found() -> None:
    bench = build_bench("roc_auc", n=2500, n_noise=600)
    asked = 0

    def counting(rows: pl.DataFrame) -> np.ndarray:
        nonlocal asked
        asked += rows.height
        return np.asarray(bench.predict(rows))

    found = measure_importances(replace(bench, predict=counting), bench.frame.columns)
    assert [item.column for item in found[:2]] == ["strong", "weak"]
    assert len(found) <= MAX_JUDGED
    assert asked <= 1.5 * MAX_PREDICTED_ROWS


def test_the_frame_given_is_not_changed() -> None:
    bench = build_bench("log_loss", n=300)
    before = bench.frame.clone()
    measure_importances(bench, bench.frame.columns)
    assert bench.frame.equals(before)


def test_the_same_seed_gives_the_same_importances() -> None:
    bench = build_bench("log_loss", n=300)
    assert measure_importances(bench, bench.frame.columns) == measure_importances(bench, bench.frame.columns)
