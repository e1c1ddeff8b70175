"""Keep a candidate between training and judging: plain arrays and JSON, never a pickled object."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import msgspec
import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.evidence import EvidenceRecord
from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.checks.fixing import Fix
from skiff.data.splits import Split, SplitKind
from skiff.data.task import encode_target
from skiff.deploy.parity import Parity
from skiff.evaluate.moves import Moves
from skiff.evaluate.results import Decision
from skiff.flows.datasets import load_dataset
from skiff.flows.positions import pack_rows, unpack_rows
from skiff.flows.prepare import Prepared
from skiff.flows.read import ReadTable
from skiff.flows.train import Candidate, SmallModel
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallDocument:
    """The small model beside a candidate, its file named by hash."""

    name: str
    model_sha256: str
    loss: float
    blend_loss: float
    is_within_noise: bool
    parity_max_abs_diff: float
    latency_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateDocument:
    """A candidate and the question it answers, as JSON; arrays and the model are named by hash."""

    dataset: str
    model_sha256: str
    train_sha256: str
    test_sha256: str
    split_kind: SplitKind
    split_reason: str
    task: Task
    inputs: tuple[InputColumn, ...]
    findings: tuple[Finding, ...]
    left_out: dict[str, str]
    threshold: float
    decision: Decision | None
    parity: Parity
    latency_us: float
    members: tuple[tuple[str, float], ...]
    tried: tuple[tuple[str, float, float], ...]
    train_seconds: float
    stopped: str
    features: int
    budget_s: float
    seed: int
    notes: tuple[str, ...]
    label_findings: tuple[Finding, ...]
    random_split: Measurement | None
    versions: dict[str, str]
    fixes: tuple[Fix, ...] = ()
    reasons_max_abs_diff: float | None = None
    companion_sha256: str | None = None
    small: SmallDocument | None = None
    doubt: str = ""
    seed_scores: tuple[float, ...] = ()
    moves: Moves | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCandidate:
    """A candidate found again, with its data and split."""

    candidate: Candidate
    prepared: Prepared
    dataset: DatasetRecord
    table: ReadTable
    evidence: str


SHARED = tuple(item.name for item in fields(Candidate) if item.name not in {"model", "companion", "small"})


def save_candidate(workspace: Workspace, candidate: Candidate, prepared: Prepared, *, dataset_id: str, at: str) -> str:
    """Keep the candidate among the workspace's objects and return the id of the ledger record that names it."""
    shared: dict[str, Any] = {name: getattr(candidate, name) for name in SHARED}  # Any: one of each field
    document = CandidateDocument(
        dataset=dataset_id,
        model_sha256=workspace.objects.put(candidate.model),
        train_sha256=workspace.objects.put(pack_rows(prepared.split.train)),
        test_sha256=workspace.objects.put(pack_rows(prepared.split.test)),
        split_kind=prepared.split.kind,
        split_reason=prepared.split.reason,
        task=prepared.task,
        inputs=prepared.inputs,
        findings=tuple(prepared.findings),
        left_out=prepared.left_out,
        companion_sha256=None if candidate.companion is None else workspace.objects.put(candidate.companion),
        small=_save_small(workspace, candidate),
        **shared,
    )
    sha256 = workspace.objects.put(msgspec.json.encode(document))
    noted = workspace.ledger.append(
        "train",
        subject=document.model_sha256,
        result={
            "candidate": sha256,
            "dataset": dataset_id,
            "members": [[name, weight] for name, weight in candidate.members],
            "candidates_tried": [[name, loss] for name, loss, _ in candidate.tried],
            "train_seconds": candidate.train_seconds,
            "seed": candidate.seed,
            "parity_max_abs_diff": candidate.parity.max_abs_diff,
            "latency_us": candidate.latency_us,
            "onnx_bytes": len(candidate.model),
        },
        at=at,
    )
    return noted.id


def load_latest_candidate(workspace: Workspace) -> LoadedCandidate:
    """Return the candidate that was trained last, ready to be judged.

    Raises
    ------
    SkiffError
        ``no_candidate`` where nothing was trained yet.
    """
    trained = [record for record in workspace.ledger.records() if record.action == "train"]
    if not trained:
        raise SkiffError(
            "no_candidate",
            what="No candidate was trained in this workspace yet.",
            where={"workspace": str(workspace.root)},
            fix="Train one with: skiff train --target COLUMN",
        )
    return _load(workspace, trained[-1])


def load_candidate_of(workspace: Workspace, model_sha256: str) -> LoadedCandidate | None:
    """Return the candidate whose compiled file has this hash, the latest if there are several; None where there is none.

    Its data may have been deleted since: then there is none either.
    """
    trained = [
        record for record in workspace.ledger.records() if record.action == "train" and record.subject == model_sha256
    ]
    if not trained:
        return None
    try:
        return _load(workspace, trained[-1])
    except SkiffError:  # the dataset or an array is gone, as erasure may want it
        return None


def _load(workspace: Workspace, record: EvidenceRecord) -> LoadedCandidate:
    document = msgspec.json.decode(workspace.objects.get(str(record.result["candidate"])), type=CandidateDocument)
    dataset, table = load_dataset(workspace, document.dataset)
    split = Split(
        kind=document.split_kind,
        reason=document.split_reason,
        train=unpack_rows(workspace.objects.get(document.train_sha256)),
        test=unpack_rows(workspace.objects.get(document.test_sha256)),
        folds=(),
    )
    y, has_target = encode_target(table.frame, document.task)
    prepared = Prepared(
        frame=table.frame,
        y=np.where(has_target, y, np.nan),
        task=document.task,
        inputs=document.inputs,
        split=split,
        findings=list(document.findings),
        left_out=document.left_out,
    )
    shared: dict[str, Any] = {name: getattr(document, name) for name in SHARED}  # Any: one of each field
    candidate = Candidate(
        model=workspace.objects.get(document.model_sha256),
        companion=None if document.companion_sha256 is None else workspace.objects.get(document.companion_sha256),
        small=_load_small(workspace, document.small),
        **shared,
    )
    return LoadedCandidate(candidate=candidate, prepared=prepared, dataset=dataset, table=table, evidence=record.id)


def _save_small(workspace: Workspace, candidate: Candidate) -> SmallDocument | None:
    if candidate.small is None:
        return None
    facts = {item.name: getattr(candidate.small, item.name) for item in fields(SmallModel) if item.name != "model"}
    return SmallDocument(model_sha256=workspace.objects.put(candidate.small.model), **facts)


def _load_small(workspace: Workspace, document: SmallDocument | None) -> SmallModel | None:
    if document is None:
        return None
    facts = {item.name: getattr(document, item.name) for item in fields(SmallModel) if item.name != "model"}
    return SmallModel(model=workspace.objects.get(document.model_sha256), **facts)


def hash_split(workspace: Workspace, split: Split) -> str:
    """Return the hash of the sealed rows, by which looks at them are counted."""
    return workspace.objects.put(pack_rows(split.test))


def with_labels(prepared: Prepared, candidate: Candidate) -> Prepared:
    """Return the prepared table with what training found about its labels."""
    return replace(prepared, findings=[*prepared.findings, *candidate.label_findings])
