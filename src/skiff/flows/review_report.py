"""Measure how people decide beside the model, keep it in the ledger, and write the page."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from skiff.core.evidence import Json
from skiff.core.measurement import Measurement
from skiff.flows.export import disarm_formulas
from skiff.flows.queueing import count_waiting
from skiff.flows.review import ReviewQueue, name_labels
from skiff.govern.referral import WORDS
from skiff.govern.review import Reviewed, measure_reviewer, measure_reviewers
from skiff.report.review import LabelStory, QueueCount, ReviewStory, render_review, say_headline
from skiff.store.clock import now_utc
from skiff.store.files import write_atomic
from skiff.store.reviews import ReviewRecord
from skiff.store.workspace import Workspace

TOLD = (
    "agreement", "agreement_right", "agreement_wrong", "over_reliance", "under_reliance", "switched", "weight_of_advice",
    "accuracy_first", "accuracy_final", "accuracy_advice", "median_s",
)  # fmt: skip
"""What the ledger keeps of all reviewers together; it names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOutcome:
    """What was measured, and where it stands."""

    story: ReviewStory
    files: dict[str, str]

    @property
    def is_yes(self) -> bool:
        """Whether no alarm rings."""
        return not self.story.alarms

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        story = self.story
        return {
            "headline": say_headline(story),
            "reviewers": [asdict(item) for item in story.reviewers],
            "together": asdict(story.together),
            "alarms": list(story.alarms),
            "queue": [asdict(item) for item in story.counts],
            "planted_left": story.planted_left,
            "notes": list(story.notes),
            "files": self.files,
            "evidence": story.evidence,
        }


def report_reviews(folder: Path, *, at: Callable[[], str] = now_utc) -> ReviewOutcome:
    """Measure every reviewer and write ``reports/review.html``.

    The ledger's record holds counts of all together and names nobody; the page names reviewers as they called themselves.
    """
    with Workspace.open(folder) as workspace:
        records = workspace.reviews.list(state="done")
        rows = [read_review(record) for record in records if record.source != "label"]
        reviewers, together = measure_reviewers(rows), measure_reviewer(rows)
        counts, planted_left = _count(workspace)
        story = ReviewStory(
            title=workspace.root.name,
            created=at(),
            reviewers=reviewers,
            together=together,
            counts=counts,
            planted_left=planted_left,
            labels=_tell_labels(workspace),
            notes=tuple(_list_notes(workspace, records)),
        )
        noted = workspace.ledger.append("review", subject=workspace.root.name, result=_tell_ledger(story), at=at())
        story = replace(story, evidence=noted.id)
        written = workspace.write_report("review.html", render_review(story).encode())
    return ReviewOutcome(story=story, files={"review_html": str(written)})


def show_status(folder: Path) -> dict[str, Any]:  # Any: a JSON document
    """Fill the queue and return what waits, what was decided, and what would spoil the measurement."""
    with Workspace.open(folder) as workspace:
        queue = ReviewQueue(workspace)
        try:
            return tell_status(workspace, queue)
        finally:
            queue.close()


def tell_status(workspace: Workspace, queue: ReviewQueue) -> dict[str, Any]:  # Any: a JSON document
    """Return what `show_status` shows, of a workspace that is open."""
    added = queue.fill()
    counts, planted_left = _count(workspace)
    done = workspace.reviews.list(state="done")
    names = sorted({record.reviewer or "" for record in done})
    return {
        "new": added,
        "waiting": count_waiting(workspace),
        "decided": len(done),
        "planted_left": planted_left,
        "by_reason": [asdict(item) for item in counts],
        "reviewers": [{"reviewer": name, "decided": sum(record.reviewer == name for record in done)} for name in names],
        "notes": list(_list_notes(workspace, done)),
    }


def list_waiting(folder: Path, *, limit: int = 50) -> dict[str, Any]:  # Any: a JSON document
    """Return the rows that wait, the first to be given out first, without their cells; planted rows stay hidden among them."""
    with Workspace.open(folder) as workspace:
        queue = ReviewQueue(workspace)
        try:
            queue.fill()
        finally:
            queue.close()
        rows = [record for record in workspace.reviews.list() if record.state != "done" and record.source == "log"]
        return {
            "waiting": len(rows),
            "rows": [
                {
                    "id": record.id, "prediction": record.item, "release": record.release, "reason": record.reason,
                    "rule": record.rule, "queued": record.queued, "state": record.state, "reviewer": record.reviewer,
                }
                for record in rows[:limit]
            ],
        }  # fmt: skip


def export_reviews(folder: Path, output: Path) -> int:
    """Write every decided row as CSV or Parquet, one line each, without cells, and return how many there are."""
    with Workspace.open(folder) as workspace:
        records = workspace.reviews.list(state="done")
    names = (
        "id",
        "source",
        "item",
        "release",
        "reason",
        "queued",
        "reviewer",
        "seen",
        "first",
        "final",
        "why",
        "answered",
    )
    rows = [
        {
            **{name: getattr(record, name) for name in names},
            "suggestion": json.loads(record.advice)["answer"] if record.advice else None,
            "truth": json.loads(record.truth)["answer"] if record.truth else None,
            "first_seconds": None if record.first_ms is None else record.first_ms / 1000,
            "seconds": None if record.total_ms is None else record.total_ms / 1000,
        }
        for record in records
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame({name: [] for name in names})
    buffer = io.BytesIO()
    if output.suffix.lower() == ".parquet":
        frame.write_parquet(buffer)
    else:
        disarm_formulas(frame).write_csv(buffer)
    write_atomic(output.absolute(), buffer.getvalue())
    return len(rows)


def read_review(record: ReviewRecord) -> Reviewed:
    """Return a decided row as it is measured."""
    advice = json.loads(record.advice) if record.advice else None
    truth = json.loads(record.truth) if record.truth else {}
    margin = truth.get("margin")
    if margin is None and advice is not None and advice.get("low") is not None and advice.get("high") is not None:
        margin = (advice["high"] - advice["low"]) / 2
    return Reviewed(
        reviewer=record.reviewer or "",
        final=record.final or "",
        first=record.first,
        advice=None if advice is None else str(advice["answer"]),
        seen=record.seen or "never",  # type: ignore[arg-type]  # one of the three that were written
        truth=truth.get("answer"),
        margin=margin,
        seconds=None if record.first_ms is None else record.first_ms / 1000,
        words=record.words or 0,
    )


def _count(workspace: Workspace) -> tuple[tuple[QueueCount, ...], int]:
    """Return rows by reason and how many planted ones wait; planted rows count under the reason that is shown, so that nobody finds them."""
    found = workspace.reviews.count()
    made = []
    for code, words in WORDS.items():
        mine = [(state, n) for (_, state, reason), n in found.items() if reason == code]
        waiting = sum(n for state, n in mine if state != "done")
        decided = sum(n for state, n in mine if state == "done")
        if waiting or decided:
            made.append(QueueCount(reason=words, waiting=waiting, decided=decided))
    planted = sum(n for (source, state, _), n in found.items() if source == "planted" and state == "open")
    return tuple(made), planted


def _list_notes(workspace: Workspace, done: Sequence[ReviewRecord]) -> list[str]:
    """Return what limits the measurement here."""
    counts = workspace.reviews.count()
    settings = workspace.settings
    notes = []
    planted = sum(n for (source, _, _), n in counts.items() if source == "planted")
    if not planted and not any(record.source == "label" for record in done):
        notes.append("No row with a known answer was planted, so nobody can be measured: see `skiff review plant`.")
    has_control = any(source == "log" and reason == "control" for source, _, reason in counts)
    has_planted_control = any(source == "planted" and reason == "control" for source, _, reason in counts)
    if has_planted_control and not has_control:
        notes.append(
            "Rows “chosen by chance” are all planted ones here, so an attentive reviewer can tell them: set [serving] control_share."
        )
    if settings.serving.keep_inputs in ("none", "hashed"):
        notes.append("The prediction log keeps no inputs that can be read, so reviewers see a row's key alone.")
    if count_waiting(workspace) >= settings.review.most_waiting:
        notes.append(
            f"The queue is full ({settings.review.most_waiting:,} rows); more rows wait in the prediction log."
        )
    return notes


def _tell_labels(workspace: Workspace) -> tuple[LabelStory, ...]:
    """Return what was last found out about the labels of each dataset."""
    made = []
    for record in workspace.datasets.list():
        state = workspace.windows.read_state(name_labels(record.sha256))
        if state.get("sentence"):
            points = tuple((int(n), Measurement(**loss)) for n, loss in state.get("points", ()))
            made.append(
                LabelStory(
                    dataset=record.name,
                    sentence=str(state["sentence"]),
                    hours=str(state.get("hours", "")),
                    points=points,
                )
            )
    return tuple(made)


def _tell_ledger(story: ReviewStory) -> dict[str, Json]:
    together = story.together
    measured: dict[str, Json] = {}
    for name in TOLD:
        found = getattr(together, name)
        if isinstance(found, Measurement):
            measured[name] = {"value": found.value, "low": found.low, "high": found.high, "n": found.n}
    return {
        "rows": together.n_rows,
        "planted": together.n_planted,
        "reviewers": len(story.reviewers),
        "overrides": together.overrides,
        "alarms": len(story.alarms),
        "too_few": sum(report.alarm.state == "too_few" for report in story.reviewers),
        "measured": measured,
    }
