"""Train and judge as separate steps in a workspace, for those who want to look in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from skiff.core.finding import Finding
from skiff.core.progress import Progress, Silent
from skiff.data.sentences import say_figure
from skiff.flows.answers import remember_answers
from skiff.flows.candidates import load_latest_candidate, save_candidate
from skiff.flows.conclude import Journey, Meter, RunOutcome, conclude
from skiff.flows.datasets import load_dataset
from skiff.flows.fixes import write_fix_list
from skiff.flows.prepare import prepare, refuse_nothing_to_learn
from skiff.flows.recording import record_checks
from skiff.flows.scale import open_workers
from skiff.flows.settle import settle_effort, settle_question
from skiff.flows.train import Candidate, SmallModel, list_versions, train_candidate
from skiff.flows.trials import open_memory
from skiff.flows.unfit import refuse_unfit
from skiff.flows.wishes import Wishes
from skiff.report.numbers import describe_shape
from skiff.store.clock import now_utc
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOutcome:
    """A trained candidate that nobody has judged yet."""

    dataset: DatasetRecord
    candidate: Candidate
    findings: tuple[Finding, ...]
    evidence: str

    @property
    def is_yes(self) -> bool:
        """Return whether the rows can carry a model at all."""
        return not self.candidate.doubt

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        made = self.candidate
        return {
            "dataset": {"id": self.dataset.id, "name": self.dataset.name},
            "model": {
                "members": [{"name": name, "weight": weight} for name, weight in made.members],
                "candidates": [{"name": name, "loss": loss, "weight": weight} for name, loss, weight in made.tried],
                "train_seconds": made.train_seconds,
                "stopped": made.stopped,
            },
            "threshold": made.threshold,
            "parity_max_abs_diff": made.parity.max_abs_diff,
            "onnx_bytes": len(made.model),
            "latency_us": made.latency_us,
            "notes": list(made.notes),
            "doubt": made.doubt or None,
            "small": describe_small(made),
            "evidence": self.evidence,
        }


def describe_small(made: Candidate) -> dict[str, object] | None:
    """Return the small model that is kept beside the blend, as ``--json`` prints it."""
    small = made.small
    if small is None:
        return None
    return {
        "name": small.name,
        "loss": small.loss,
        "blend_loss": small.blend_loss,
        "is_within_noise": small.is_within_noise,
        "onnx_bytes": len(small.model),
        "latency_us": small.latency_us,
        "parity_max_abs_diff": small.parity_max_abs_diff,
    }


def tell_small(small: SmallModel) -> str:
    """Return what is kept beside the blend, as a sentence."""
    gap = "the rows cannot tell the two apart" if small.is_within_noise else "measurably worse than the blend"
    return (
        f"Kept beside it: {small.name} alone, {len(small.model) / 1e6:.2f} MB, {small.latency_us:.0f} µs a row, loss "
        f"{say_figure(small.loss)} against {say_figure(small.blend_loss)} ({gap})."
    )


def train_in_workspace(
    folder: Path,
    wishes: Wishes,
    *,
    dataset: str | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> TrainOutcome:
    """Train a candidate on a dataset of the workspace (by default the newest) and keep it for judging."""
    progress = progress or Silent()
    with Workspace.open(folder) as workspace, workspace.lock("train"):
        settings = workspace.settings
        question = settle_question(settings, wishes)
        effort = settle_effort(settings, wishes, should_stop=should_stop)
        record, table = load_dataset(workspace, dataset)
        progress.stage("Check", describe_shape(record.rows, record.columns))
        prepared = prepare(table, question, threads=effort.threads, progress=progress)
        refuse_nothing_to_learn(prepared, file=record.name)
        refuse_unfit(settings, prepared)
        remember_answers(workspace.root, settings, question)
        record_checks(workspace, prepared, dataset_id=record.id, at=at)
        progress.stage("Train", f"up to {effort.budget_s:.0f} s")
        memory = open_memory(workspace, prepared, effort, dataset_sha256=record.sha256, versions=list_versions())
        if memory.n_known:
            progress.note(
                f"Going on from an interrupted training: {memory.n_known} candidate{' is' if memory.n_known == 1 else 's are'} known already."
            )
        with open_workers(settings) as workers:
            candidate = train_candidate(
                prepared, replace(effort, workers=workers), costs=settings.costs, memory=memory, progress=progress
            )
        if candidate.stopped != "interrupted":
            memory.trials.clear()
        evidence = save_candidate(workspace, candidate, prepared, dataset_id=record.id, at=at())
        write_fix_list(workspace, candidate.fixes)
    findings = (*prepared.findings, *candidate.label_findings)
    return TrainOutcome(dataset=record, candidate=candidate, findings=findings, evidence=evidence)


def evaluate_in_workspace(
    folder: Path,
    *,
    may_release: bool = False,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> RunOutcome:
    """Judge the candidate that was trained last on its sealed test set; the look is counted.

    Parameters
    ----------
    may_release : bool
        Whether to publish it if its gate says yes.
    """
    progress = progress or Silent()
    meter = Meter()
    with Workspace.open(folder) as workspace, workspace.lock("evaluate"):
        found = load_latest_candidate(workspace)
        refuse_unfit(workspace.settings, found.prepared)
        before = {record.action: record.id for record in workspace.ledger.records() if record.id <= found.evidence}
        evidence = {"dataset": before.get("data.add", ""), "check": before.get("check", "")}
        evidence |= {"split": before.get("split", ""), "train": found.evidence}
        journey = Journey(
            read=found.table,
            prepared=found.prepared,
            candidate=found.candidate,
            dataset=found.dataset,
            evidence={topic: id_ for topic, id_ in evidence.items() if id_},
            meter=meter,
        )
        return conclude(workspace, journey, at=at, progress=progress, may_release=may_release)
