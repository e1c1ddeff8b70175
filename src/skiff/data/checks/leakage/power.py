"""What one column can do alone: cross-fitted, so that a column of many levels cannot flatter itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.data.checks.leakage.case import N_FOLDS, Case
from skiff.data.checks.leakage.columns import encode_codes, learn_encoding
from skiff.data.checks.leakage.proof import estimate_determinism, measure_auc, measure_r2, rank_with_ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

MAX_BINS = 64
"""Bins of a number: a smooth relation loses under 0.001 of AUC at 64 bins, and each keeps some hundred sampled rows."""

MIN_BIN_ROWS = 15
"""Rows a bin aims at: fewer and the cross-fitted shares are mostly chance."""

SMOOTHING_ROWS = 2.0
"""Weight, in rows, of the overall share in the share of one bin or level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What one column says about the target alone.

    Parameters
    ----------
    column : InputColumn
    bins : ndarray of int64
        Bin or level of each sampled row; the last one holds the missing cells.
    score : Measurement
        ``roc_auc`` of the outcome it knows best, or ``r2``.
    label : str
        That outcome ("" for regression).
    code : int
        Its code, -1 for regression.
    out_of_fold : ndarray of float64
        Cross-fitted score of each sampled row for that outcome, or prediction.
    determinism : float
        `estimate_determinism` for ordered columns of a regression; 0 otherwise.
    n_distinct : int
        Distinct values in the sample.
    """

    column: InputColumn
    bins: Int
    score: Measurement
    label: str
    code: int
    out_of_fold: Float
    determinism: float
    n_distinct: int


def measure_alone(case: Case) -> Mapping[str, Power]:
    """Return the power of every column alone, by name. Text is judged by its length only (see `texts`)."""
    order = np.random.default_rng(case.seed + 1).random(len(case.sample))
    return {column.name: _measure_column(case, column, order=order) for column in case.inputs}


def _measure_column(case: Case, column: InputColumn, *, order: Float) -> Power:
    """Return the power of one column."""
    values = encode_codes(learn_encoding(case, column), case.frame[column.name][case.sample])
    bins, n_bins, n_distinct = _bin_values(values, is_ordered=column.kind != "category")
    y = case.y[case.sample]
    if case.is_regression:
        fitted = _cross_fit(bins, n_bins=n_bins, targets=y[:, None], weight=case.weight, fold=case.fold)[:, 0]
        known = np.isfinite(values)
        exact = 0.0
        if column.kind not in ("category", "text") and known.sum() >= 0.5 * len(y):
            exact = estimate_determinism(values[known], rank_with_ties(y[known]), order=order[known])
        score = measure_r2(y, fitted, method=f"{n_bins} bins, {N_FOLDS}-fold cross-fit")
        return Power(
            column=column,
            bins=bins,
            score=score,
            label="",
            code=-1,
            out_of_fold=fitted,
            determinism=exact,
            n_distinct=n_distinct,
        )
    score, label, code, fitted = _measure_outcomes(
        case, values, bins=bins, n_bins=n_bins, is_ordered=column.kind != "category"
    )
    return Power(
        column=column,
        bins=bins,
        score=score,
        label=label,
        code=code,
        out_of_fold=fitted,
        determinism=0.0,
        n_distinct=n_distinct,
    )


def _measure_outcomes(
    case: Case, values: Float, *, bins: Int, n_bins: int, is_ordered: bool
) -> tuple[Measurement, str, int, Float]:
    """Return score, label, code and out-of-fold shares of the outcome that the column knows best."""
    labels = case.labels[case.sample]
    targets = np.column_stack([labels == outcome.code for outcome in case.outcomes] or [labels == 0]).astype(np.float64)
    fitted = _cross_fit(bins, n_bins=n_bins, targets=targets, weight=case.weight, fold=case.fold)
    best: tuple[Measurement, str, int, Float] | None = None
    for place, outcome in enumerate(case.outcomes):
        is_positive = targets[:, place] > 0
        if not is_positive.any() or is_positive.all():
            continue
        score = measure_auc(is_positive, fitted[:, place], method=f"{n_bins} bins, {N_FOLDS}-fold cross-fit")
        scores = fitted[:, place]
        if is_ordered and np.isfinite(values).all():
            straight = measure_auc(is_positive, values, method="the value itself")
            if straight.value < 0.5:  # noqa: PLR2004  an AUC below one half reads the other way round
                straight = measure_auc(is_positive, -values, method="the value itself, reversed")
            if straight.value > score.value:
                score = straight
        if best is None or score.value > best[0].value:
            best = (score, outcome.label, outcome.code, scores)
    if best is None:
        nothing = Measurement(name="roc_auc", value=0.5, n=len(labels), method="no outcome with enough rows")
        return nothing, "", -1, np.zeros(len(labels))
    return best


def _bin_values(values: Float, *, is_ordered: bool) -> tuple[Int, int, int]:
    """Return the bin of each value (missing: the last), the number of bins, and of distinct values."""
    known = np.isfinite(values)
    present = values[known]
    distinct = np.unique(present)
    n_wanted = int(np.clip(len(present) // MIN_BIN_ROWS, 8, MAX_BINS))
    if not is_ordered or len(distinct) <= n_wanted:
        edges = distinct[1:]
    else:
        edges = np.unique(np.quantile(present, np.linspace(0.0, 1.0, n_wanted + 1)[1:-1]))
    bins = np.full(len(values), len(edges) + 1, dtype=np.int64)
    bins[known] = np.searchsorted(edges, present, side="right")
    return bins, len(edges) + 2, len(distinct)


def _cross_fit(bins: Int, *, n_bins: int, targets: Float, weight: Float, fold: Int) -> Float:
    """Return, for each row, the smoothed mean of `targets` in its bin over the other folds."""
    cell = fold * n_bins + bins
    n_cells = N_FOLDS * n_bins
    rows = np.bincount(cell, weights=weight, minlength=n_cells).reshape(N_FOLDS, n_bins)
    others = rows.sum(axis=0) - rows
    made = np.empty_like(targets)
    for place in range(targets.shape[1]):
        sums = np.bincount(cell, weights=weight * targets[:, place], minlength=n_cells).reshape(N_FOLDS, n_bins)
        rest = sums.sum(axis=0) - sums
        overall = rest.sum(axis=1, keepdims=True) / np.maximum(others.sum(axis=1, keepdims=True), 1e-12)
        table = (rest + SMOOTHING_ROWS * overall) / (others + SMOOTHING_ROWS)
        made[:, place] = table[fold, bins]
    return made
