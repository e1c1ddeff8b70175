"""A client's columns may be called anything, what Skiff calls its own counts above all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from skiff.flows.run import run
from skiff.flows.wishes import Wishes


def test_columns_may_be_called_what_counts_are_called(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    nights = random.normal(size=600)
    columns = {
        name: random.choice(["web", "phone", "agency"], 600) for name in ("count", "n_rows", "len", "level", "label")
    }
    target = np.where(nights + 0.3 * random.normal(size=600) > 0, "yes", "no")
    pl.DataFrame({"nights": nights.round(3), **columns, "n": target}).write_csv(tmp_path / "bookings.csv")
    made = run(tmp_path / "bookings.csv", Wishes(target="n", budget_s=1.0), folder=tmp_path / "bookings")
    assert made.story.task.classes == ("no", "yes")
