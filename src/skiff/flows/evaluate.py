"""Judge one candidate on the sealed test set, with the released file's own answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from skiff.core.progress import Progress, Silent
from skiff.core.task import Costs
from skiff.deploy.answers import Answers
from skiff.deploy.predictor import Predictor
from skiff.evaluate.gates import judge_gate
from skiff.evaluate.judge import judge
from skiff.evaluate.promised import Promised
from skiff.evaluate.results import Evaluation, Gate
from skiff.evaluate.stability import measure_stability
from skiff.flows.prepare import Prepared
from skiff.flows.promises import find_amounts
from skiff.flows.train import Candidate

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What judging found, and whether the candidate may be released."""

    evaluation: Evaluation
    gate: Gate


def answer_frame(predictor: Predictor, frame: pl.DataFrame) -> NDArray[np.float64]:
    """Return probabilities of shape (n_rows, n_classes) or values of shape (n_rows,) for a typed frame."""
    answers = predictor.predict_columns(frame)
    found = answers.values if predictor.kind == "regression" else answers.probabilities
    return np.asarray(found, dtype=np.float64)


def judge_candidate(
    prepared: Prepared,
    candidate: Candidate,
    *,
    costs: Costs | None = None,
    criteria: Sequence[str] = (),
    looks: int = 1,
    progress: Progress | None = None,
) -> Verdict:
    """Measure the candidate on the sealed rows and hold it against the criteria.

    The answers come from the compiled file, so what is judged is what will be served.
    """
    progress = progress or Silent()
    progress.stage("Judge", "on rows the model has never seen")
    predictor = Predictor(candidate.model)
    split = prepared.split
    frame_test = prepared.frame[split.test]
    groups = None
    if prepared.task.group is not None:
        groups = frame_test[prepared.task.group].cast(str).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    answers = predictor.answer(frame_test)
    evaluation = judge(
        prepared.task,
        prepared.y[split.test],
        answers.values if predictor.kind == "regression" else answers.probabilities,
        y_train=prepared.y[split.train],
        frame_train=prepared.frame[split.train],
        frame_test=frame_test,
        inputs=prepared.inputs,
        threshold=candidate.threshold,
        decision=candidate.decision,
        costs=costs,
        groups=groups,
        predict=lambda frame: answer_frame(predictor, frame),
        random_split=candidate.random_split,
        seed=candidate.seed,
        amounts=None if costs is None else find_amounts(frame_test, costs),
        promised=_list_promised(predictor, answers),
        looks=looks,
    )
    own = evaluation.metrics.get(evaluation.headline)
    if own is not None and candidate.seed_scores:
        found = measure_stability([own.value, *candidate.seed_scores], evaluation.headline)
        evaluation = replace(evaluation, stability=found)
    evaluation = replace(evaluation, notes=(*candidate.notes, *evaluation.notes))
    gate = judge_gate(evaluation, criteria, extra=_measure_artifact(candidate), asides=_tell_artifact(candidate))
    return Verdict(evaluation=evaluation, gate=gate)


def _list_promised(predictor: Predictor, answers: Answers) -> Promised | None:
    """Return what the file promises about its answers, where it promises anything."""
    promise = predictor.promises.get("range") or predictor.promises.get("set")
    if promise is None:
        return None
    return Promised(
        coverage=float(promise["coverage"]),
        low=answers.low,
        high=answers.high,
        in_set=answers.in_set,
        reviewed=None if answers.decisions is None else answers.decisions == "review",
    )


def _measure_artifact(candidate: Candidate) -> Mapping[str, float]:
    return {"latency_us": candidate.latency_us, "size_mb": len(candidate.model) / BYTES_PER_MB}


def _tell_artifact(candidate: Candidate) -> Mapping[str, str]:
    """Return what ``size_mb`` does not count: the file that explains answers is given beside the model, and not needed to answer."""
    if candidate.companion is None:
        return {}
    size_mb = len(candidate.companion) / BYTES_PER_MB
    return {
        "size_mb": f"Not counted is reasons.onnx ({size_mb:,.2f} MB): it lies beside the model, explains answers and is not needed to answer."
    }
