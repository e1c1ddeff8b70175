"""What a run has to tell: one frozen value, filled by flows, shown by every document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.evaluate.results import Evaluation, Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnStory:
    """One column as it was read.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "category", "text", "date"}
    missing_rate : float
        Share of empty cells, 0 to 1.
    levels : int or None
        Number of different values, where counted.
    role : {"used", "target", "time", "group", "protected", "left_out"}
    dtype : str
        How it is stored: ``Int64``, ``Float64``, ``Boolean``, ``String``, ``Date`` or ``Datetime``; empty where nobody said.
    """

    name: str
    kind: str
    missing_rate: float = 0.0
    levels: int | None = None
    role: str = "used"
    dtype: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStory:
    """Where the data came from and what is in it; ``schema`` is empty where nobody listed the columns."""

    name: str
    sha256: str
    rows: int
    columns: int
    reading: Mapping[str, Json]
    provenance: Mapping[str, str]
    schema: tuple[ColumnStory, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStory:
    """Which rows trained and which judged.

    `looks` counts judgements on the rows kept aside, this one included; `other_sealed` the other sets of rows of the same table
    that were kept aside and judged on, by another seed or another way to divide.
    """

    kind: str
    reason: str
    train_rows: int
    test_rows: int
    looks: int
    other_sealed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStory:
    """How the model was made; ``asked`` holds what was demanded of it beside the target, as name and words.

    ``beside`` says what the best single model would be like, where a blend answers.
    """

    name: str
    members: tuple[tuple[str, float], ...]
    candidates: int
    train_seconds: float
    features: int
    seed: int
    budget_s: float
    versions: Mapping[str, str]
    asked: tuple[tuple[str, str], ...] = ()
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStory:
    """The compiled file and its proof; `number` is None where there is no release; `kept_back` then may say why."""

    number: int | None
    onnx_bytes: int
    parity_max_abs_diff: float
    parity_rows: int
    latency_us: float
    sha256: str
    kept_back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A column that was not used, and the finding that says why; ``score_name`` is the metric of the two scores."""

    column: str
    code: str
    score_with: float | None = None
    score_without: float | None = None
    score_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """Everything a report or card may say. A number that is not here is not printed.

    ``positive_name`` is the plural that a person would use for the cases to find (``cancellations``); empty where nobody said.
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
    positive_name: str = ""
