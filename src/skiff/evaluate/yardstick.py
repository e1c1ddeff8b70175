"""What the sealed rows say about the answers, kept with the release so that later windows can be judged without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from sklearn.tree import DecisionTreeRegressor

from skiff.core.evidence import Json
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.bins import Bins, count_named, count_ordered, learn_bins, place_rows, view_column
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.reference import summarise_numbers
from skiff.evaluate.lines import fit_line, to_logit
from skiff.evaluate.moves import Moves
from skiff.evaluate.scores import decide_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MAX_SCORE_BINS = 200
"""Bins of equal mass in which stated probabilities are compared with what happened: finer than any calibration needs."""

ROWS_PER_BIN = 25
"""Fewer rows to a bin would make its share mostly noise; isotonic pooling joins what is still out of order."""

MAX_CLASSES = 20
"""Classes with a calibration of their own."""

N_BLOCKS = 10
"""Blocks of sealed rows, in their order, between which the calibration is seen to move."""

MAX_LEAVES = 24
MIN_LEAF = 25
"""Rows in a leaf of the tree of errors, so that the mean error of each has an error of its own that is known."""


def build_yardstick(  # noqa: PLR0913  everything the sealed rows can tell, named at the call
    task: Task,
    y: Float | Int,
    prediction: Float,
    *,
    frame_train: pl.DataFrame,
    frame_test: pl.DataFrame,
    inputs: Sequence[InputColumn],
    threshold: float,
    importances: Mapping[str, float],
    headline: str = "",
    moves: Moves | None = None,
) -> dict[str, Json]:
    """Summarise the answers to the sealed rows, without keeping a row.

    Parameters
    ----------
    task : Task
    y : ndarray of shape (n_rows,)
        Class codes or values of the sealed rows.
    prediction : ndarray of shape (n_rows, n_classes) or (n_rows,)
    frame_train, frame_test : polars.DataFrame
        Rows the model learned from, and the sealed rows.
    inputs : sequence of InputColumn
    threshold : float
    importances : mapping of str to float
        By how much the headline metric fell when a column was shuffled; a column that is not named was not measured.
    headline : str
        The metric that leads, which later windows are held to.
    moves : Moves, optional
        How earlier periods differed from each other, where time orders the rows.

    Returns
    -------
    dict
        ``answers`` (quantiles of the answers to rows the model had not seen; those to training rows are too sure),
        ``calibration`` (stated probability against what happened, per class and for the most likely one), ``errors`` (a
        small tree of absolute errors, regression), ``shift`` (by how much either moves between blocks of rows),
        ``columns`` (bins with the rows of training, the sealed rows and the errors in each), ``importances``.

    Examples
    --------
    >>> from skiff.data.kinds import infer_inputs
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"size": rng.uniform(size=400)})
    >>> p = frame["size"].to_numpy()
    >>> y = (rng.uniform(size=400) < p).astype(np.int64)
    >>> made = build_yardstick(Task(kind="binary", target="sold", classes=("no", "yes")), y, np.stack([1 - p, p], axis=1),
    ...                        frame_train=frame, frame_test=frame, inputs=infer_inputs(frame), threshold=0.5, importances={})
    >>> made["n"], len(made["calibration"]["classes"][0]["n"]), len(made["columns"]["size"]["wrong"])
    (400, 16, 11)
    """
    outputs = prediction.T if prediction.ndim > 1 else prediction[None, :]
    wrong = np.abs(y - prediction) if task.kind == "regression" else (decide_labels(prediction, threshold) != y) * 1.0
    test_facts, train_facts = gather_facts(frame_test), gather_facts(frame_train)
    bins = {column.name: learn_bins(train_facts[column.name], column.kind) for column in inputs}
    made: dict[str, Json] = {
        "n": len(y),
        "headline": headline,
        "answers": [summarise_numbers(np.sort(output[np.isfinite(output)])) for output in outputs],
        "wrong_rate": float(wrong.mean()) if len(y) else None,
        "importances": {name: float(value) for name, value in importances.items()},
        "columns": {
            column.name: _tell_column(
                train_facts[column.name], test_facts[column.name].series, bins[column.name], column, wrong
            )
            for column in inputs
        },
    }
    if len(y) < 2 * MIN_LEAF:
        return made
    told = (
        _tell_errors(y.astype(np.float64), prediction, frame_test, bins)
        if task.kind == "regression"
        else _tell_calibration(y.astype(np.int64), prediction)
    )
    if moves is not None:
        shift: Mapping[str, Json] = told["shift"]  # type: ignore[assignment]  # made above
        told["shift"] = {**shift, "periods": moves.periods, "between_periods": list(moves.covariance)}
    return made | told


def _tell_column(train: ColumnFacts, test: pl.Series, bins: Bins, column: InputColumn, wrong: Float) -> dict[str, Json]:
    places = place_rows(test, bins)
    rows = np.bincount(places, minlength=bins.n_bins)
    sums = np.bincount(places, weights=wrong, minlength=bins.n_bins)
    squares = np.bincount(places, weights=wrong**2, minlength=bins.n_bins)
    means = sums / np.maximum(rows, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(rows, 1) - means**2, 0.0))
    return {
        **bins.as_json(),
        "train": _count_train(train, bins, column).tolist(),
        "test": rows.tolist(),
        "wrong": means.tolist(),
        "wrong_sd": spread.tolist(),
    }


def _count_train(facts: ColumnFacts, bins: Bins, column: InputColumn) -> Int:
    if column.kind == "category":
        counted = facts.levels
        return count_named(
            counted["level"].to_list(), counted["n"].to_numpy(), bins, n_missing=facts.n_rows - int(counted["n"].sum())
        )
    values = view_column(facts.series, column.kind)
    known = np.sort(values[~np.isnan(values)])
    return count_ordered(known, bins, n_missing=len(values) - len(known))


def _tell_calibration(y: Int, prob: Float) -> dict[str, Json]:
    n_classes = prob.shape[1]
    chosen = range(1, n_classes) if n_classes == 2 else range(min(n_classes, MAX_CLASSES))  # noqa: PLR2004  of two, one says all
    classes: list[Json] = [{"class": code, **_tell_bins(prob[:, code], y == code)} for code in chosen]
    top = prob.max(axis=1)
    is_right = prob.argmax(axis=1) == y
    score, happened = (prob[:, 1], y == 1) if n_classes == 2 else (top, is_right)  # noqa: PLR2004
    shift: dict[str, Json] = {"logit_variance": _find_moves(score, happened), "blocks": N_BLOCKS}
    return {"calibration": {"classes": classes, "top": _tell_bins(top, is_right)}, "shift": shift}


def _tell_bins(score: Float, happened: NDArray[np.bool_]) -> dict[str, Json]:
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    hits = np.concatenate([[0], np.cumsum(happened[order])])
    n_bins = int(np.clip(len(score) // ROWS_PER_BIN, 1, MAX_SCORE_BINS))
    cuts = np.unique(np.searchsorted(ordered, ordered[np.arange(1, n_bins) * len(score) // n_bins], side="left"))
    bounds = np.unique(np.concatenate([[0], cuts, [len(score)]]))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    rows = np.diff(bounds)
    line = fit_line(score, happened)
    return {
        "score": (np.diff(sums[bounds]) / rows).tolist(),
        "n": rows.tolist(),
        "hits": np.diff(hits[bounds]).tolist(),
        "line": line.weights.tolist(),
        "line_covariance": line.covariance.ravel().tolist(),
    }


def _find_moves(score: Float, happened: NDArray[np.bool_]) -> float:
    """Return the variance of the calibration's offset (in log odds) between blocks, beyond what chance explains.

    Each block's offset is one Newton step from the stated probabilities; DerSimonian and Laird (1986, eq. 9,
    https://doi.org/10.1016/0197-2456(86)90046-2) give the variance between blocks.
    """
    x = to_logit(score)
    p = 1 / (1 + np.exp(-x))
    blocks = np.arange(len(score)) * N_BLOCKS // len(score)
    information = np.bincount(blocks, weights=p * (1 - p), minlength=N_BLOCKS)
    offsets = np.bincount(blocks, weights=happened - p, minlength=N_BLOCKS) / np.maximum(information, 1e-9)
    return find_variance_between(offsets, 1 / np.maximum(information, 1e-9))


def find_variance_between(effects: Float, variances: Float) -> float:
    """Return the variance between effects beyond their own errors (DerSimonian and Laird 1986).

    Examples
    --------
    >>> find_variance_between(np.array([1.0, 1.1, 0.9]), np.array([0.1, 0.1, 0.1]))
    0.0
    >>> round(find_variance_between(np.array([0.0, 2.0]), np.array([0.1, 0.1])), 2)
    1.9
    """
    weights = 1 / variances
    middle = float(weights @ effects / weights.sum())
    q = float(weights @ (effects - middle) ** 2)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    return max(0.0, (q - (len(effects) - 1)) / scale) if scale > 0 else 0.0


def _tell_errors(y: Float, pred: Float, frame: pl.DataFrame, bins: Mapping[str, Bins]) -> dict[str, Json]:
    """Grow a small tree of absolute errors over the columns' bins and the tenths of the answer itself."""
    off = np.abs(y - pred)
    names = [name for name in bins if bins[name].kind != "text"]
    answer_edges = np.unique(np.quantile(pred, np.arange(1, 20) / 20))
    orders: list[list[int]] = []
    features = []
    for name in names:
        places = place_rows(frame[name], bins[name])
        rows = np.bincount(places, minlength=bins[name].n_bins)
        mean = np.bincount(places, weights=off, minlength=bins[name].n_bins) / np.maximum(rows, 1)
        # Levels have no order of their own: that of their errors lets one cut part them (Breiman et al. 1984, §4.2.2).
        rank = np.argsort(np.argsort(mean, kind="stable")) if bins[name].kind == "category" else np.arange(len(mean))
        orders.append(rank.tolist())
        features.append(rank[places])
    features.append(np.searchsorted(answer_edges, pred, side="left"))
    grid = np.stack(features, axis=1).astype(np.float64)
    half = (
        np.arange(len(off)) % 2 == 0
    )  # grown on one half, filled by the other: leaves tell the truth (Athey, Imbens 2016)
    tree = DecisionTreeRegressor(max_leaf_nodes=MAX_LEAVES, min_samples_leaf=MIN_LEAF, random_state=0)
    tree.fit(grid[half], off[half])
    leaves = tree.apply(grid)
    inner = tree.tree_
    size = inner.node_count
    rows = np.bincount(leaves[~half], minlength=size).astype(np.float64)
    mean = np.bincount(leaves[~half], weights=off[~half], minlength=size) / np.maximum(rows, 1)
    square = np.bincount(leaves[~half], weights=off[~half] ** 2, minlength=size) / np.maximum(rows, 1)
    fourth = np.bincount(leaves[~half], weights=off[~half] ** 4, minlength=size) / np.maximum(rows, 1)
    overall = float(off.mean()), float((off**2).mean()), float((off**4).mean())
    thin = rows < MIN_LEAF / 4
    mean[thin], square[thin], fourth[thin] = overall
    expected = mean[leaves]
    blocks = np.arange(len(off)) * N_BLOCKS // len(off)
    ratios, variances = [], []
    for block in range(N_BLOCKS):
        chosen = blocks == block
        if chosen.sum() < 2 or off[chosen].mean() <= 0:  # noqa: PLR2004  a spread needs two rows
            continue
        ratios.append(math.log(off[chosen].mean() / max(expected[chosen].mean(), 1e-300)))
        variances.append(max(float(off[chosen].var()), 1e-300) / off[chosen].mean() ** 2 / int(chosen.sum()))
    shift = find_variance_between(np.array(ratios), np.array(variances)) if len(ratios) > 1 else 0.0
    return {
        "errors": {
            "columns": list(names),
            "orders": [list(order) for order in orders],
            "answer_edges": answer_edges.tolist(),
            "feature": inner.feature.tolist(),
            "cut": inner.threshold.tolist(),
            "left": inner.children_left.tolist(),
            "right": inner.children_right.tolist(),
            "n": rows.tolist(),
            "mean": mean.tolist(),
            "square": square.tolist(),
            "fourth": fourth.tolist(),
        },
        "shift": {"log_variance": shift, "blocks": N_BLOCKS},
    }
