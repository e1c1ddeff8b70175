"""All columns together: whether a small forest can tell the window's rows from those of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import lightgbm
import numpy as np
import polars as pl
from scipy.special import ndtr

from skiff.core.measurement import Measurement
from skiff.data.bins import view_column
from skiff.evaluate.ranking import find_auc_interval, split_auc
from skiff.monitor.reference import ColumnReference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

MAX_ROWS = 20_000
"""Rows of each side: the error of an AUC of 0.5 is then 0.004, and more would only cost time (perf: 0.4 s)."""

MIN_ROWS = 400
"""Rows of the smaller side, half of which judge: fewer cannot tell an AUC of 0.6 from chance."""

ROUNDS = 50
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDrift:
    """Whether the window can be told from training by all columns together.

    Parameters
    ----------
    auc : Measurement
        0.5 where nothing tells them apart, 1 where every row does; on rows the forest had not seen.
    chance : float
    columns : tuple of (str, float)
        What told them apart, with its share of the forest's gain; largest first.
    """

    auc: Measurement
    chance: float
    columns: tuple[tuple[str, float], ...]


def measure_joint_drift(
    window: pl.DataFrame, training: pl.DataFrame, columns: Sequence[ColumnReference], *, seed: int
) -> JointDrift | None:
    """Train a forest to tell the window from training, and judge it on other rows.

    Parameters
    ----------
    window, training : polars.DataFrame
        At most `MAX_ROWS` rows of each are drawn.
    columns : sequence of ColumnReference
        Texts take part with their length.
    seed : int

    Returns
    -------
    JointDrift or None
        None with fewer than `MIN_ROWS` rows on a side.

    Notes
    -----
    Half of the rows train, the other half judges, so that the chance is that of a rank test whatever the forest did
    (Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests, https://arxiv.org/abs/1610.06545). It sees changes in
    how columns go together that no single column shows.
    """
    shared = [column for column in columns if column.name in window.columns and column.name in training.columns]
    if min(window.height, training.height) < MIN_ROWS or not shared:
        return None
    rng = np.random.default_rng(seed)
    now, before = _draw(window, rng), _draw(training, rng)
    X = np.vstack([_encode(now, shared), _encode(before, shared)])
    y = np.concatenate([np.ones(now.height), np.zeros(before.height)])
    trains = rng.permutation(len(y)) % 2 == 0
    settings = {
        "objective": "binary",
        "num_leaves": 15,
        "min_data_in_leaf": 40,
        "learning_rate": 0.1,
        "verbosity": -1,
        "num_threads": 2,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "max_bin": 63,
    }
    booster = lightgbm.train(settings, lightgbm.Dataset(X[trains], y[trains]), num_boost_round=ROUNDS)
    score = np.asarray(booster.predict(X[~trains]), dtype=np.float64)
    is_now = y[~trains] == 1
    n_now, n_before = int(is_now.sum()), int((~is_now).sum())
    auc, parts = split_auc(is_now, score)
    error = float(np.sqrt((parts**2).sum()))
    low, high = find_auc_interval(auc, error, n_positive=n_now, n_negative=n_before)
    # Under chance alone every order of the scores is as likely: the rank sum's own variance (Mann and Whitney 1947).
    spread = np.sqrt((n_now + n_before + 1) / (12 * n_now * n_before))
    gain = booster.feature_importance("gain")
    order = np.argsort(-gain, kind="stable")[:SHOWN]
    total = float(gain.sum()) or 1.0
    return JointDrift(
        auc=Measurement(
            name="roc_auc",
            value=auc,
            low=low,
            high=high,
            n=n_now + n_before,
            higher_is_better=None,
            method="domain classifier on a sample (Lopez-Paz and Oquab 2017); DeLong et al. 1988",
            baseline=0.5,
        ),
        chance=float(ndtr(-(auc - 0.5) / spread)),
        columns=tuple((shared[place].name, float(gain[place]) / total) for place in order if gain[place] > 0),
    )


def _draw(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    if frame.height <= MAX_ROWS:
        return frame
    rows: list[int] = np.sort(rng.choice(frame.height, MAX_ROWS, replace=False)).tolist()
    return frame[rows]


def _encode(frame: pl.DataFrame, columns: Sequence[ColumnReference]) -> Float:
    return np.stack([_encode_column(frame[column.name], column) for column in columns], axis=1)


def _encode_column(series: pl.Series, column: ColumnReference) -> Float:
    """Return numbers as they are, and levels by how frequent they were in training (unknown ones last)."""
    if column.kind != "category":
        values = view_column(series, column.kind)
        return np.where(np.isinf(values), np.nan, values)
    codes = {level: float(place) for place, level in enumerate(column.levels)}
    text = series.cast(pl.String)
    text = text.set(text == "", None)
    if not codes:
        return np.where(text.is_null().to_numpy(), np.nan, 0.0)
    found = text.replace_strict(codes, default=float(len(codes)), return_dtype=pl.Float64)
    return found.set(text.is_null(), None).to_numpy()
