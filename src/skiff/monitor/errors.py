"""The error of predicted amounts before any outcome is known, from where the window's rows stand.

The tree of the release says how large errors were on sealed rows, leaf by leaf; a window that has moved to the leaves with
large errors is expected to err more. NannyML calls the idea direct loss estimation; a tree with leaves that were filled by
rows it was not grown on has in addition an error of its own for every leaf (Athey and Imbens 2016,
https://doi.org/10.1073/pnas.1510489113). It cannot see that the same inputs now have other amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.data.bins import place_rows
from skiff.monitor.moves import draw_moves
from skiff.monitor.reference import ErrorTree, Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

N_DRAWS = 400
METHOD = "estimated without outcomes (expected error by leaf); interval: errors of the leaves, their moves, chance"


def estimate_errors(
    frame: pl.DataFrame, values: Float, reference: Reference, *, unit: str = "", seed: int
) -> dict[str, Measurement]:
    """Estimate ``mae`` and ``rmse`` of a window of predicted amounts.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of the window.
    values : ndarray of shape (n_rows,)
        The served amounts.
    reference : Reference
    unit : str
        Of the target.
    seed : int

    Returns
    -------
    dict of str to Measurement
        Empty where the release has no tree of errors.
    """
    tree = reference.errors
    if tree is None or not len(values):
        return {}
    leaves = find_leaves(frame, values, reference, tree)
    rows = np.bincount(leaves, minlength=len(tree.n)).astype(np.float64)
    used = rows > 0
    rows, n = rows[used], tree.n[used]
    rng = np.random.default_rng(seed)
    moves = np.exp(draw_moves(reference, N_DRAWS, rng)[:, 0])
    mean, square = tree.mean[used], tree.square[used]
    found = {}
    for name, middle, spread, power in (
        ("mae", mean, square - mean**2, 1.0),
        ("rmse", square, tree.fourth[used] - square**2, 2.0),
    ):
        variance = np.maximum(spread, 0.0) * (1 / np.maximum(n, 1.0) + 1 / rows)
        drawn = (
            np.maximum(middle + rng.normal(size=(N_DRAWS, len(middle))) * np.sqrt(variance), 0.0) @ rows / rows.sum()
        )
        value = float(middle @ rows / rows.sum()) ** (1 / power)
        low, high = np.quantile(drawn ** (1 / power) * moves, [0.025, 0.975])
        found[name] = Measurement(
            name=name,
            value=value,
            low=min(float(low), value),
            high=max(float(high), value),
            n=len(values),
            unit=unit,
            higher_is_better=False,
            method=METHOD,
        )
    return found


def find_leaves(frame: pl.DataFrame, values: Float, reference: Reference, tree: ErrorTree) -> Int:
    """Return the leaf of every row; a column that is absent counts as missing."""
    features: dict[int, Float] = {}
    for place in {int(item) for item in tree.feature if item >= 0}:
        if place == len(tree.columns):
            features[place] = np.searchsorted(tree.answer_edges, values, side="left").astype(np.float64)
            continue
        name = tree.columns[place]
        bins = reference[name].bins
        if bins is None:
            continue
        series = frame[name] if name in frame.columns else pl.Series(name, [None] * len(values), dtype=pl.String)
        features[place] = tree.orders[place][place_rows(series, bins)]
    nodes = np.zeros(len(values), dtype=np.int64)
    feature, cut = tree.feature.astype(np.int64), tree.cut
    left, right = tree.left.astype(np.int64), tree.right.astype(np.int64)
    # Parents stand before their children, so that one pass over the nodes moves every row to its leaf.
    for node in range(len(feature)):
        if feature[node] < 0:
            continue
        here = np.flatnonzero(nodes == node)
        if len(here):
            goes_left = features[int(feature[node])][here] <= cut[node]
            nodes[here] = np.where(goes_left, left[node], right[node])
    return nodes
