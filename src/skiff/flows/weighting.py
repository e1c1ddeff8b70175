"""What a score would be if the rows stood for the population as its known shares say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.measurement import Measurement
from skiff.data.coverage import measure_representation, weigh
from skiff.data.sentences import say_number, say_share
from skiff.deploy.predictor import Predictor
from skiff.flows.evaluate import answer_frame
from skiff.flows.prepare import Prepared
from skiff.flows.train import Candidate

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tell_weighted_score(prepared: Prepared, candidate: Candidate, population: Mapping[str, Mapping[str, float]]) -> str:
    """Return one sentence: how often the candidate is right (or how far off it is) on sealed rows, weighted and not."""
    rows = prepared.split.test
    test = prepared.frame[rows]
    _, weights = measure_representation(test, population)
    answers = answer_frame(Predictor(candidate.model), test)
    plain, weighted = weigh(_score(prepared, candidate, answers, prepared.y[rows]), weights)
    if prepared.task.kind == "regression":
        subject, unit = "it is off by", f" {prepared.task.unit}" if prepared.task.unit else ""
        shown = [f"{_say_amount(item.value)}{unit}{_span(item, _say_amount)}" for item in (weighted, plain)]
    else:
        subject = "it is right in"
        shown = [f"{say_share(item.value)} rows{_span(item, say_share)}" for item in (weighted, plain)]
    return (
        f"Weighted to the known shares of the population, {subject} {shown[0]}, against {shown[1]} as the rows are; "
        f"{len(rows):,} weighted rows tell as much as {weighted.n:,} without weights (Kish 1965)."
    )


def _score(
    prepared: Prepared, candidate: Candidate, answers: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    if prepared.task.kind == "regression":
        return np.abs(answers - y)
    if prepared.task.kind == "binary":
        found = (answers[:, 1] >= candidate.threshold).astype(np.float64)
    else:
        found = answers.argmax(axis=1).astype(np.float64)
    return np.where(np.isfinite(y), (found == y).astype(np.float64), np.nan)


def _say_amount(value: float) -> str:
    return say_number(float(f"{value:.4g}"))


def _span(item: Measurement, words: Callable[[float], str]) -> str:
    return f" ({words(item.low)} to {words(item.high)})" if item.low is not None and item.high is not None else ""
