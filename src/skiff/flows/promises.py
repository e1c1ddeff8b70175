"""What a release promises besides its answers: ranges or sets, who looks at what, and reasons that add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.pipeline import Pipeline, Review
from skiff.core.settings import AnswersSettings
from skiff.core.task import Costs
from skiff.deploy.parity import build_hostile_rows, measure_reasons_gap
from skiff.deploy.reasons import compile_reasons
from skiff.evaluate.abstain import find_widest, fit_review
from skiff.evaluate.conformal import fit_range, fit_set, predict_ranges
from skiff.evaluate.prices import find_typical_costs
from skiff.flows.prepare import Prepared

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

REASONS_TOLERANCE = 1e-9
"""Largest allowed difference between the sum of the contributions and the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """The file that explains a model's answers, and how far its sums are from them."""

    file: bytes
    max_abs_diff: float


def add_promises(
    pipeline: Pipeline,
    y: NDArray[np.float64],
    oof: NDArray[np.float64],
    answers: AnswersSettings,
    *,
    costs: Costs | None,
    amounts: NDArray[np.float64] | None = None,
) -> Pipeline:
    """Return the pipeline with ranges or sets and the region of review, fitted on out-of-fold answers.

    Costs that are shares of `amounts` are taken at their mean: one region serves all rows, as one threshold does.

    A number gets no range where there are too few rows for one that keeps its promise.
    """
    known = ~np.isnan(oof if oof.ndim == 1 else oof[:, -1])
    y, oof = y[known], oof[known]
    if pipeline.kind == "regression":
        try:
            fitted_range = fit_range(y, oof, coverage=answers.coverage)
        except SkiffError:  # too_few_rows: the answer then stands alone
            return pipeline
        low, high = predict_ranges(fitted_range, oof, is_never_negative=pipeline.value_low >= 0)
        widest = Review(low=0.0, high=find_widest(high - low, share=answers.review_share))
        return replace(pipeline, value_range=fitted_range, review=widest)
    costs = costs if costs is None else find_typical_costs(costs, amounts)
    review = fit_review(pipeline.kind, oof, threshold=pipeline.threshold, share=answers.review_share, costs=costs)
    threshold = pipeline.threshold if pipeline.kind == "binary" else None
    fitted = fit_set(y.astype(np.int64), oof, coverage=answers.coverage, threshold=threshold)
    return replace(pipeline, answer_set=fitted, review=review)


def compile_companion(pipeline: Pipeline, model: bytes, prepared: Prepared) -> Companion | None:
    """Return the companion that explains the model, or None where its sums would differ from the answers.

    The sums are compared on every test row and on hostile rows.
    """
    train = prepared.frame[prepared.split.train]
    companion = compile_reasons(pipeline, train)
    rows = (prepared.frame[prepared.split.test], build_hostile_rows(pipeline, train, seed=0))
    gap = max(measure_reasons_gap(model, companion, frame) for frame in rows)
    return Companion(file=companion, max_abs_diff=gap) if gap <= REASONS_TOLERANCE else None


def find_amounts(frame: pl.DataFrame, costs: Costs) -> NDArray[np.float64] | None:
    """Return how much is at stake in each row, where ``[costs] amount`` names a column; a missing one counts as the mean.

    Raises
    ------
    SkiffError
        ``column_not_found``, or ``amount_not_a_number`` where the column does not hold numbers.
    """
    if costs.amount is None:
        return None
    if costs.amount not in frame.columns:
        raise SkiffError.column_not_found(costs.amount, columns=frame.columns, file="", option="[costs] amount")
    column = frame[costs.amount]
    if not column.dtype.is_numeric():
        raise SkiffError(
            "amount_not_a_number",
            what=f"The column '{costs.amount}' says how much is at stake in a row, but it does not hold numbers.",
            where={"setting": "costs.amount", "column": costs.amount},
            fix="Name a column of numbers under [costs] amount, or leave the setting out.",
        )
    amounts = column.cast(float).to_numpy().astype(np.float64)
    is_known = np.isfinite(amounts)
    return np.where(is_known, amounts, float(amounts[is_known].mean()) if is_known.any() else 0.0)
