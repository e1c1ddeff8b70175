"""What one column can do alone: cross-fitted, so that a column of many levels cannot flatter itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.data.abreast import map_abreast
from skiff.data.checks.leakage.case import N_FOLDS, Case
from skiff.data.checks.leakage.columns import Encoding, encode_codes, learn_encoding
from skiff.data.checks.leakage.proof import (
    estimate_determinism,
    measure_auc_of_counts,
    measure_r2,
    rank_with_ties,
)

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binned:
    """A column over the sample: its values, the bin of each, and what the different values are.

    `place` points into `distinct` and is its length where the cell is missing; so is the last bin, of `n_bins`.
    """

    values: Float
    distinct: Float
    place: Int
    bins: Int
    n_bins: int

    @property
    def is_complete(self) -> bool:
        """Whether no cell is missing."""
        return len(self.place) == 0 or int(self.place.max()) < len(self.distinct)


def find_telling_rows(case: Case, power: Power, *, n_rows: int = 10) -> tuple[int, ...]:
    """Return the numbers of the rows, from 1 in the client's table, where a column alone is surest and right.

    For a number to predict, those are the rows whose prediction lies farthest from the mean and on the right side of it.
    """
    if not len(power.out_of_fold):
        return ()
    told = power.out_of_fold - float(np.average(power.out_of_fold, weights=case.weight))
    if case.is_regression:
        y = case.y[case.sample]
        is_right = told * (y - float(np.average(y, weights=case.weight))) > 0
    else:
        is_right = (told > 0) == (case.labels[case.sample] == power.code)
    surest = np.argsort(-np.where(is_right, np.abs(told), 0.0), kind="stable")[:n_rows]
    return tuple(sorted(int(case.rows[case.sample[place]]) + 1 for place in surest if is_right[place]))


def measure_alone(case: Case) -> Mapping[str, Power]:
    """Return the power of every column alone, by name. Text is judged by its length only (see `texts`)."""
    order = np.random.default_rng(case.seed + 1).random(len(case.sample))
    drawn = case.frame.select([column.name for column in case.inputs])[case.sample]
    labels = case.labels[case.sample]
    truths = [(labels == outcome.code).astype(np.float64) for outcome in case.outcomes]
    pairs = list(zip(case.inputs, drawn.get_columns(), strict=True))
    powers = map_abreast(
        lambda pair: _measure_column(case, *pair, truths=truths, order=order), pairs, threads=case.threads
    )
    return {power.column.name: power for power in powers}


def _measure_column(
    case: Case, column: InputColumn, cells: pl.Series, *, truths: Sequence[Float], order: Float
) -> Power:
    """Return the power of one column, of which `cells` are the sampled rows."""
    is_ordered = column.kind != "category"
    encoding = learn_encoding(column, cells) if column.kind == "category" else Encoding(column=column)
    binned = _bin_values(encode_codes(encoding, cells), is_ordered=is_ordered)
    bins, n_bins, n_distinct = binned.bins, binned.n_bins, len(binned.distinct)
    y = case.y[case.sample]
    if case.is_regression:
        cell = case.fold * n_bins + bins
        fitted = _fit_cells(cell, n_bins, target=y, weight=case.weight)[cell]
        known = binned.place < n_distinct
        exact = 0.0
        if column.kind not in ("category", "text") and known.sum() >= 0.5 * len(y):
            exact = estimate_determinism(binned.values[known], rank_with_ties(y[known]), order=order[known])
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
    score, label, code, fitted = _measure_outcomes(case, binned, truths=truths, is_ordered=is_ordered)
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
    case: Case, binned: _Binned, *, truths: Sequence[Float], is_ordered: bool
) -> tuple[Measurement, str, int, Float]:
    """Return score, label, code and out-of-fold shares of the outcome that the column knows best."""
    cell = case.fold * binned.n_bins + binned.bins
    how = f"{binned.n_bins} bins, {N_FOLDS}-fold cross-fit"
    is_whole = is_ordered and binned.is_complete
    rows_of_value = _count(binned.place, len(binned.distinct)) if is_whole else np.zeros(0)
    best: tuple[Measurement, str, int, Float] | None = None
    for outcome, is_positive in zip(case.outcomes, truths, strict=True):
        n_positive = int(np.count_nonzero(is_positive))
        if n_positive in (0, len(is_positive)):
            continue
        shares = _fit_cells(cell, binned.n_bins, target=is_positive, weight=case.weight)
        score = _measure_cells(cell, shares, is_positive, method=how)
        if is_whole:
            n_true = _count(binned.place, len(rows_of_value), of=is_positive)
            straight = measure_auc_of_counts(n_true, rows_of_value - n_true, method="the value itself")
            if straight.value < 0.5:  # noqa: PLR2004  an AUC below one half reads the other way round
                n_true, n_false = n_true[::-1], (rows_of_value - n_true)[::-1]
                straight = measure_auc_of_counts(n_true, n_false, method="the value itself, reversed")
            if straight.value > score.value:
                score = straight
        if best is None or score.value > best[0].value:
            best = (score, outcome.label, outcome.code, shares[cell])
    if best is None:
        n_rows = len(binned.place)
        nothing = Measurement(name="roc_auc", value=0.5, n=n_rows, method="no outcome with enough rows")
        return nothing, "", -1, np.zeros(n_rows)
    return best


def _measure_cells(cell: Int, shares: Float, is_positive: Float, *, method: str) -> Measurement:
    """Return the AUC of the share of each row's cell."""
    n_rows, n_true = _count(cell, len(shares)), _count(cell, len(shares), of=is_positive)
    met = np.flatnonzero(n_rows)
    distinct, place = np.unique(shares[met], return_inverse=True)
    positive, negative = (_count(place, len(distinct), of=n[met]) for n in (n_true, n_rows - n_true))
    return measure_auc_of_counts(positive, negative, method=method)


def _count(place: Int, n_places: int, *, of: Float | None = None) -> Float:
    """Return how many rows, or how much `of`, each place holds."""
    return np.bincount(place, weights=of, minlength=n_places).astype(np.float64)


def _bin_values(values: Float, *, is_ordered: bool) -> _Binned:
    """Return the bin of each value."""
    known = np.isfinite(values)
    distinct, inverse = np.unique(values[known], return_inverse=True)
    place = np.full(len(values), len(distinct), dtype=np.int64)
    place[known] = inverse
    n_known = len(inverse)
    n_wanted = int(np.clip(n_known // MIN_BIN_ROWS, 8, MAX_BINS))
    if not is_ordered or len(distinct) <= n_wanted:
        edges = distinct[1:]
    else:
        ends = np.cumsum(np.bincount(inverse))  # sorted values without sorting again
        levels = np.linspace(0.0, 1.0, n_wanted + 1)[1:-1] * (n_known - 1)
        low, high = (
            distinct[np.searchsorted(ends, np.minimum(rank, n_known - 1), side="right")]
            for rank in (np.floor(levels), np.floor(levels) + 1)
        )
        edges = np.unique(low + (levels - np.floor(levels)) * (high - low))
    bin_of = np.append(np.searchsorted(edges, distinct, side="right"), len(edges) + 1)
    return _Binned(values=values, distinct=distinct, place=place, bins=bin_of[place], n_bins=len(edges) + 2)


def _fit_cells(cell: Int, n_bins: int, *, target: Float, weight: Float) -> Float:
    """Return for each fold and bin (numbered fold by fold) the smoothed mean of `target` in that bin over the other folds."""
    n_cells = N_FOLDS * n_bins
    rows = np.bincount(cell, weights=weight, minlength=n_cells).reshape(N_FOLDS, n_bins)
    others = rows.sum(axis=0) - rows
    sums = np.bincount(cell, weights=weight * target, minlength=n_cells).reshape(N_FOLDS, n_bins)
    rest = sums.sum(axis=0) - sums
    overall = rest.sum(axis=1, keepdims=True) / np.maximum(others.sum(axis=1, keepdims=True), 1e-12)
    fitted: Float = (rest + SMOOTHING_ROWS * overall) / (others + SMOOTHING_ROWS)
    return fitted.ravel()
