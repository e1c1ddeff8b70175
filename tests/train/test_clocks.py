"""Columns that only tell the time: found, and kept only where they earn it in period after period."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skiff.core.pipeline import FeatureMatrix
from skiff.train.aim import Aim
from skiff.train.clocks import do_clocks_help, find_clock_columns
from skiff.train.contest import Tried
from skiff.train.features import FoldRows
from skiff.train.linear import Constant

Float = NDArray[np.float64]

N_ROWS = 500
FOLDS = [FoldRows(fit=np.arange(start), held=np.arange(start, start + 100)) for start in (100, 200, 300, 400)]
NUMBERS = Aim(kind="regression")


def view(**columns: Float) -> FeatureMatrix:
    names = tuple(columns)
    return FeatureMatrix(
        tree=np.stack(list(columns.values()), axis=1), linear=np.zeros((N_ROWS, 0)), tree_names=names, linear_names=(),
        tree_columns=names, linear_columns=(), categorical=(),
    )  # fmt: skip


def tried(oof: Float, y: Float) -> Tried:
    loss = float(np.sqrt(np.mean((y[100:] - oof[100:]) ** 2)))
    return Tried(
        recipe=Constant(name="quick"), oof=oof, loss=loss, n_steps=1, factor=1.0, seconds=1.0, refit_seconds=1.0, is_cut=False
    )  # fmt: skip


def test_a_year_that_steps_once_is_suspected_and_a_season_that_returns_is_not() -> None:
    rows = np.arange(N_ROWS, dtype=float)
    found = find_clock_columns(
        view(row=rows, year=np.floor(rows / 260), month=np.floor(rows / 20) % 12, load=np.sin(rows)), FOLDS
    )
    assert found.unbounded == ("row",)
    assert found.stepping == ("year",)


def test_a_column_that_falls_without_return_is_suspected_and_one_that_stands_still_is_not() -> None:
    rows = np.arange(N_ROWS, dtype=float)
    found = find_clock_columns(view(left=-np.floor(rows / 170), still=np.zeros(N_ROWS)), FOLDS)
    assert found.unbounded + found.stepping == ("left",)


def test_gaps_are_no_step() -> None:
    price = np.sin(np.arange(N_ROWS, dtype=float))
    price[:100] = np.nan
    assert find_clock_columns(view(price=price), FOLDS).stepping == ()


def test_a_clock_stays_out_where_one_lucky_period_makes_all_its_gain() -> None:
    y = np.zeros(N_ROWS)
    plain, clock = np.full(N_ROWS, 1.0), np.full(N_ROWS, 1.0)
    clock[100:200] = 0.0
    assert not do_clocks_help(tried(clock, y), tried(plain, y), y=y, folds=FOLDS, aim=NUMBERS)


def test_a_clock_stays_where_it_helps_in_period_after_period() -> None:
    y = np.zeros(N_ROWS)
    plain, clock = np.full(N_ROWS, 1.0), np.full(N_ROWS, 0.8)
    clock[400:] = 1.01  # the latest period a little worse: growth that went on for years may pause
    clock[100:200] = 0.75
    assert do_clocks_help(tried(clock, y), tried(plain, y), y=y, folds=FOLDS, aim=NUMBERS)
