"""What a run has to tell: one frozen value, filled by flows, shown by every document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.evaluate.results import Evaluation, Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStory:
    """Where the data came from and what is in it."""

    name: str
    sha256: str
    rows: int
    columns: int
    reading: Mapping[str, Json]
    provenance: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStory:
    """Which rows trained and which judged."""

    kind: str
    reason: str
    train_rows: int
    test_rows: int
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStory:
    """How the model was made."""

    name: str
    members: tuple[tuple[str, float], ...]
    candidates: int
    train_seconds: float
    features: int
    seed: int
    budget_s: float
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStory:
    """The compiled file and its proof; `number` is None where the gate or the proof said no."""

    number: int | None
    onnx_bytes: int
    parity_max_abs_diff: float
    parity_rows: int
    latency_us: float
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A column that was not used, and the finding that says why."""

    column: str
    code: str
    score_with: float | None = None
    score_without: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """Everything a report or card may say. A number that is not here is not printed.

    ``evidence`` maps a topic (``dataset``, ``check``, ``split``, ``train``, ``evaluate``, ``gate``, ``release``) to the id of
    the ledger record that holds its numbers.
    """

    title: str
    created: str
    skiff_version: str
    task: Task
    dataset: DatasetStory
    split: SplitStory
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]
    model: ModelStory | None
    evaluation: Evaluation | None
    gate: Gate
    release: ReleaseStory | None
    cost: Mapping[str, float]
    owner: str = ""
    licence: str = ""
    purpose: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
