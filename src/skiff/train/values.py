"""Numbers looked up per level of a category: smoothed target means and frequencies.

A target mean must never be seen by the rows it was made from, or the model learns to trust it too much. `fit.py` therefore
gives training rows means fitted on other rows (`deal_parts`), and later rows those fitted on all of them.

References
----------
.. [1] D. Micci-Barreca, 2001, "A preprocessing scheme for high-cardinality categorical attributes in classification and
   prediction problems", SIGKDD Explorations 3(1), https://doi.org/10.1145/507533.507538, eq. 3-4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.pipeline import ValueEncoder
from skiff.core.task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.int64]

TARGET_MEAN = "target mean"
"""`label` of the encoders that were fitted on the target."""

FREQUENCY = "frequency"

PRIOR_ROWS = 10.0
"""Rows of the overall mean mixed into the mean of each level ([1]_ with a fixed weight): a level of ten rows is believed
by half."""

MAX_LEVELS = 20_000
"""Levels looked up, most frequent first: about 0.5 MB in the graph."""

MAX_TARGETS = 10
"""Classes up to which each gets its own mean; above, the columns would crowd out all others."""

N_PARTS = 5
"""Parts for the means that training rows see: each part's are fitted on the other four."""


def fit_target_means(column: pl.Series, y: Float, task: Task) -> ValueEncoder:
    """Fit the smoothed mean of the target per level; unseen levels get the overall mean.

    Regression targets are averaged as they are, of two classes the share of the positive, of up to ten the share of each
    but the last; of more than ten classes the mean rank of the class by size, which at least tells common from rare.
    """
    targets = _list_targets(y, task)
    overall = targets.mean(axis=0)
    names = [f"t{place}" for place in range(targets.shape[1])]
    table = pl.DataFrame({"level": column.cast(pl.String).fill_null(""), **dict(zip(names, targets.T, strict=True))})
    grouped = (
        table.group_by("level")
        .agg(pl.len().alias("n"), *(pl.col(name).sum() for name in names))
        .sort(["n", "level"], descending=[True, False])
    )
    sums, counts = grouped.select(names).to_numpy(), grouped["n"].to_numpy()[:, None]
    means = (sums + PRIOR_ROWS * overall) / (counts + PRIOR_ROWS)
    is_missing = (grouped["level"] == "").to_numpy()
    is_kept = ~is_missing & (counts[:, 0] > 1)
    is_kept &= np.cumsum(is_kept) <= MAX_LEVELS
    places = np.flatnonzero(is_kept)
    spread = np.repeat(means, counts[:, 0], axis=0)
    return ValueEncoder(
        column=column.name,
        label=TARGET_MEAN,
        levels=tuple(grouped["level"].gather(places).to_list()),
        values=means[is_kept],
        default=overall,
        missing=means[is_missing][0] if is_missing.any() else overall,
        mean=spread.mean(axis=0),
        scale=_widen(spread.std(axis=0)),
    )


def fit_frequencies(column: pl.Series) -> ValueEncoder:
    """Fit the logarithm of how often each level occurs in 10,000 rows; unseen levels count as half a row."""
    text = column.cast(pl.String).fill_null("").alias("level")
    counted = text.value_counts(name="n").sort(["n", "level"], descending=[True, False])
    per_row = 10_000.0 / max(1, column.len())
    found = np.log1p(counted["n"].to_numpy() * per_row)
    is_missing = (counted["level"] == "").to_numpy()
    unseen = float(np.log1p(0.5 * per_row))
    is_kept = ~is_missing & (counted["n"].to_numpy() > 1)
    is_kept &= np.cumsum(is_kept) <= MAX_LEVELS
    spread = np.repeat(found, counted["n"].to_numpy())
    return ValueEncoder(
        column=column.name,
        label=FREQUENCY,
        levels=tuple(counted["level"].gather(np.flatnonzero(is_kept)).to_list()),
        values=found[is_kept][:, None],
        default=np.array([unseen]),
        missing=np.array([found[is_missing][0] if is_missing.any() else unseen]),
        mean=np.array([spread.mean()]),
        scale=_widen(np.array([spread.std()])),
    )


def deal_parts(n_rows: int, *, seed: int, groups: NDArray[np.int64] | None = None) -> Rows:
    """Return a part from 0 to 4 for each row, at random but repeatable; rows of one group share a part.

    Examples
    --------
    >>> sorted(set(deal_parts(10, seed=0).tolist()))
    [0, 1, 2, 3, 4]
    """
    chance = np.random.default_rng(seed)
    if groups is None:
        return np.asarray(chance.permutation(n_rows) % N_PARTS)
    _, codes = np.unique(groups, return_inverse=True)
    return np.asarray(chance.permutation(int(codes.max(initial=0)) + 1)[codes] % N_PARTS)


def _list_targets(y: Float, task: Task) -> Float:
    if task.kind == "regression":
        return y[:, None]
    n_classes = len(task.classes)
    if n_classes > MAX_TARGETS:
        sizes = np.bincount(y.astype(np.int64), minlength=n_classes)
        rank = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
        return rank[y.astype(np.int64)].astype(np.float64)[:, None]
    wanted = range(1, n_classes) if task.kind == "binary" else range(n_classes - 1)
    return np.stack([(y == place).astype(np.float64) for place in wanted], axis=1)


def _widen(scale: Float) -> Float:
    return np.where(scale > 0, scale, 1.0)
