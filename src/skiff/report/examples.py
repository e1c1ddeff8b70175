"""A small made-up story, to try a sentence or a template on."""

from __future__ import annotations

from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.gaps import Gaps
from skiff.data.profile import ColumnProfile, Profile
from skiff.data.provenance import list_answers
from skiff.evaluate.results import Confusion, Evaluation, Gate, GateVerdict
from skiff.report.content import DatasetStory, ModelStory, ReleaseStory, RunStory, SplitStory
from skiff.report.data_story import DataStory


def build_example_story(*, positive_name: str = "") -> RunStory:
    """Return the story of a small hotel whose bookings are sometimes cancelled.

    Examples
    --------
    >>> build_example_story().task.target
    'cancelled'
    """
    metrics = {
        "roc_auc": _measure("roc_auc", 0.86, 0.83, 0.89, baseline=0.5),
        "recall": _measure("recall", 0.80, 0.76, 0.84),
        "precision": _measure("precision", 0.81, 0.77, 0.85),
    }
    verdicts = (
        GateVerdict(
            criterion="recall >= 0.75",
            passed=True,
            measured=0.8,
            required=0.75,
            sentence="Recall is 0.80, at or above the 0.75 you asked for.",
        ),
    )
    return RunStory(
        title="Cancelled bookings",
        created="2026-03-02T09:30:00Z",
        skiff_version="0.1.0",
        task=Task(kind="binary", target="cancelled", classes=("no", "yes"), positive="yes"),
        dataset=DatasetStory(
            name="bookings.csv", sha256="ab" * 32, rows=4000, columns=12, reading={"delimiter": ";"}, provenance={}
        ),
        split=SplitStory(
            kind="random", reason="Nothing orders or groups the rows.", train_rows=3200, test_rows=800, looks=1
        ),
        findings=(),
        left_out=(),
        model=ModelStory(
            name="lightgbm",
            members=(("lightgbm 31 leaves", 1.0),),
            candidates=9,
            train_seconds=21.5,
            features=10,
            seed=0,
            budget_s=60.0,
            versions={"lightgbm": "4.7.0"},
        ),
        evaluation=Evaluation(
            headline="roc_auc",
            metrics=metrics,
            baselines=(),
            confusion=Confusion(labels=("no", "yes"), counts=((450, 70), (56, 224))),
        ),
        gate=Gate(passed=True, verdicts=verdicts),
        release=ReleaseStory(
            number=1, onnx_bytes=412_000, parity_max_abs_diff=3e-14, parity_rows=800, latency_us=61.0, sha256="cd" * 32
        ),
        cost={"wall_s": 31.0, "cpu_s": 48.0, "peak_rss_mb": 412.0},
        evidence={"dataset": "ev_000001", "evaluate": "ev_000005"},
        positive_name=positive_name,
    )


def build_example_data_story() -> DataStory:
    """Return what there is to say of a small, tidy table with one finding."""
    columns = (
        ColumnProfile(
            name="nights", kind="number", n=400, distinct=3, minimum=1.0, maximum=3.0, histogram=(200, 150, 50)
        ),
        ColumnProfile(name="city", kind="category", n=390, missing=10, distinct=2, top=(("Rome", 300), ("Oslo", 90))),
    )
    return DataStory(
        name="stays.csv",
        sha256="ab" * 32,
        created="2026-03-02T09:30:00Z",
        skiff_version="0.1.0",
        profile=Profile(rows=400, columns=columns),
        gaps=Gaps(cells=10, complete_rows=390, together=(), patterns=()),
        associations=(),
        findings=(
            Finding(code="quality.missing", severity="warn", columns=("city",), rows=10, what="'city' has gaps."),
        ),
        provenance=list_answers({"owner": "Example Hotels Ltd"}),
    )


def _measure(name: str, value: float, low: float, high: float, *, baseline: float | None = None) -> Measurement:
    return Measurement(name=name, value=value, low=low, high=high, n=800, higher_is_better=True, baseline=baseline)
