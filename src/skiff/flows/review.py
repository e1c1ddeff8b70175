"""The review queue at work: filled from the prediction log when somebody asks, one row to one person, answers kept as outcomes."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from skiff.core.errors import SkiffError
from skiff.flows.answered import list_parts
from skiff.flows.desk import draw
from skiff.flows.outcomes import write_outcome
from skiff.flows.queueing import STATE, OpenReleases, count_waiting, fill_queue, read_cells
from skiff.flows.shown import KeptAnswer, Line, ShownRow, Suggestion, check_name
from skiff.flows.standing import Standing
from skiff.govern.referral import WORDS
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.ids import read_time
from skiff.store.predictions.log import open_store
from skiff.store.predictions.records import Outcome, PredictionRow, Store
from skiff.store.reviews import ReviewRecord, Wanted
from skiff.store.workspace import Workspace

MOST_REASONS = 5


class ReviewQueue:
    """The queue of an open workspace.

    Parameters
    ----------
    workspace : Workspace
    releases : OpenReleases, optional
        Those of a server, which opens each once.

    Attributes
    ----------
    n_gone : int
        Rows that left the queue undecided, because the log no longer has what they are about.
    """

    def __init__(self, workspace: Workspace, *, releases: OpenReleases | None = None) -> None:
        """Keep the parts."""
        self._workspace = workspace
        self._settings = workspace.settings
        self._releases = releases or OpenReleases(workspace)
        self._store: Store | None = None
        self.n_gone = 0
        self._stuck: set[str] = set()
        _refuse_read_only(workspace)

    def close(self) -> None:
        """Let go of the log."""
        if self._store is not None:
            self._store.close()
            self._store = None

    @property
    def n_stuck(self) -> int:
        """Return how many rows were passed over, because the release that answered them cannot be opened."""
        return len(self._stuck)

    @property
    def log(self) -> Store:
        """Return the prediction log."""
        if self._store is None:
            self._store = open_store(
                self._workspace.root / SKIFF_FOLDER, database=self._settings.store.database, box=self._workspace.box
            )
        return self._store

    def fill(self, *, most_rows: int | None = None) -> int:
        """Queue what came into the log, and finish what a killed process left undone; returns how many rows are new."""
        self._settle()
        return fill_queue(self._workspace, self.log, self._releases, most_rows=most_rows)

    def tell_counts(self, *, most_rows: int | None = None) -> dict[str, object]:
        """Queue what came in and return how many rows of the log wait, are with somebody, and were decided; planted ones stay hidden."""
        self.fill(most_rows=most_rows)
        found = self._workspace.reviews.count()
        by_state = {
            words: sum(n for (source, state, _), n in found.items() if source == "log" and state == code)
            for code, words in (("open", "waiting"), ("claimed", "being_decided"), ("done", "decided"))
        }
        open_rows = {
            reason: sum(
                n for (source, state, code), n in found.items() if (source, state, code) == ("log", "open", reason)
            )
            for reason in WORDS
        }
        return {**by_state, "by_reason": {reason: n for reason, n in open_rows.items() if n}}

    def count_waiting(self) -> int:
        """Return how many rows of the log wait or are being decided."""
        return count_waiting(self._workspace)

    def give(
        self, reviewer: str, *, advice: str | None = None, label: str | None = None, without: Collection[str] = ()
    ) -> ShownRow | None:
        """Give the next row to a reviewer; None where nothing waits.

        Parameters
        ----------
        reviewer : str
        advice : {"after", "first", "never"}, optional
            When the suggestion is shown; by default as ``[review] advice`` says.
        label : str, optional
            Hash of a dataset whose rows are labelled, instead of rows of the log.
        without : collection of str
            Ids that were skipped.
        """
        name = check_name(reviewer)
        reviews, settings = self._workspace.reviews, self._settings.review
        is_planted = draw("planted", f"{name} {reviews.count_done(name)} {len(without)}") < settings.planted_share
        wanted = Wanted(
            sources=("label",) if label else ("planted", "log") if is_planted else ("log",),
            is_hidden=settings.planted_share < 1,
            dataset_sha256=label,
            without=without,
        )
        while True:
            record = reviews.claim(name, wanted, hold_s=settings.claim_minutes * 60, seen=advice or settings.advice)
            if record is None:
                return None
            if record.source != "label" and self._releases.open(record.release) is None:
                wanted = replace(wanted, without={*wanted.without, record.id})
                if record.first is None:
                    reviews.skip(record.id, name)
                self._stuck.add(record.id)
                continue
            shown = self._show(record)
            if shown is not None:
                return shown
            reviews.remove(record.id)
            self.n_gone += record.source == "log"

    def take_first(self, id_: str, reviewer: str, answer: str | float | bool, *, is_exact: bool = False) -> ShownRow:
        """Keep an answer given before the suggestion was seen, and return the row with the suggestion.

        Raises
        ------
        SkiffError
            ``review_not_found``, ``review_not_held``, ``review_answered``, ``bad_outcome``.
        """
        record = self._workspace.reviews.get(id_)
        told = self._check(record, answer, is_exact=is_exact)
        record = self._workspace.reviews.answer_first(id_, check_name(reviewer), told)
        shown = self._show(record)
        return shown if shown is not None else ShownRow(id=id_, reason="", rule="", cells={}, first=record.first)

    def take_final(
        self, id_: str, reviewer: str, answer: str | float | bool, *, why: str | None = None, is_exact: bool = False
    ) -> KeptAnswer:
        """Keep the answer that counts; where reviewers can see the truth it becomes the prediction's outcome.

        Raises
        ------
        SkiffError
            As `take_first`, and ``review_not_first``.
        """
        record = self._workspace.reviews.get(id_)
        told = self._check(record, answer, is_exact=is_exact)
        done = self._workspace.reviews.answer_final(id_, check_name(reviewer), told, why=(why or "").strip() or None)
        self._keep_outcome(done)
        return KeptAnswer(id=id_, final=told, first=done.first)

    def skip(self, id_: str, reviewer: str) -> None:
        """Give a row back, behind all others."""
        self._workspace.reviews.skip(id_, check_name(reviewer))

    def list_answers(self, record: ReviewRecord) -> tuple[tuple[str, ...], bool]:
        """Return the labels a row may have, and whether it wants a number instead."""
        if record.source == "label":
            state = self._workspace.windows.read_state(name_labels(record.dataset_sha256 or ""))
            return tuple(state.get("classes", ())), bool(state.get("is_number"))
        standing = self._releases.open(record.release)
        if standing is None:
            raise SkiffError(
                "release_not_found",
                what="The release that answered this row is gone, so nobody knows which answers there are.",
                where={"release": record.release or 0},
                fix="Skip the row, or put the release back from a backup.",
            )
        return standing.classes, standing.kind == "regression"

    def _check(self, record: ReviewRecord, answer: str | float | bool, *, is_exact: bool) -> str:
        classes, is_number = self.list_answers(record)
        return write_outcome(answer, classes=classes, is_number=is_number, is_exact=is_exact)

    def _show(self, record: ReviewRecord) -> ShownRow | None:
        """Return a row for its reviewer; None where its prediction is gone."""
        key, kept = record.key, record.inputs
        if record.source == "log":
            prediction = self._read_prediction(record.item)
            if prediction is None:
                return None
            key, kept = prediction.key, prediction.inputs
        cells = read_cells(self._workspace, kept)
        classes, _ = self.list_answers(record)
        may_see = record.seen == "first" or (record.seen == "after" and record.first is not None)
        return ShownRow(
            id=record.id,
            reason=WORDS[record.reason],  # type: ignore[index]  # a code of ours
            rule=record.rule,
            key=key,
            cells=cells,
            answers=classes,
            first=record.first,
            suggestion=self._suggest(record, cells) if may_see else None,
        )

    def _suggest(self, record: ReviewRecord, cells: Mapping[str, Any]) -> Suggestion | None:
        if record.advice is None:
            return None
        told: dict[str, Any] = json.loads(record.advice)
        is_turned = bool(told.pop("turned", False))
        standing = self._releases.open(record.release)
        if standing is None:
            return Suggestion(**told)
        reasons = _explain(standing, cells)
        if standing.kind == "binary" and (told["answer"] == standing.classes[0]) != is_turned:
            reasons = [(name, -part) for name, part in reasons]  # they are told for the second class
        return Suggestion(**told, line=_find_line(standing), reasons=tuple(reasons))

    def _read_prediction(self, id_: str) -> PredictionRow | None:
        at = read_time(id_)
        return next((row.prediction for row in self.log.read(at, at + 1) if row.prediction.id == id_), None)

    def _settle(self) -> None:
        """Keep the outcomes of rows that were decided just before a process was killed."""
        windows = self._workspace.windows
        settled = str(windows.read_state(STATE).get("settled", ""))
        done = self._workspace.reviews.list_done(since=settled)
        for record in done:
            self._keep_outcome(record)
        if done and done[-1].answered != settled:
            windows.write_state(STATE, {**windows.read_state(STATE), "settled": done[-1].answered})

    def _keep_outcome(self, record: ReviewRecord) -> None:
        """Take a decision as what happened, unless what really happened is known already."""
        if record.source != "log" or self._settings.review.answers_are != "outcomes" or record.final is None:
            return
        if not self.log.read_history(record.item):
            self.log.add_outcomes([Outcome(value=record.final, id=record.item)], received=time.time_ns() // 1000)


def _find_line(standing: Standing) -> Line | None:
    """Return the second of two labels and from which chance on it is said; None where that is one half, as everybody expects."""
    if standing.kind != "binary":
        return None
    threshold = standing.runtime.predictor.threshold
    return None if f"{threshold:.2f}" == "0.50" else Line(answer=standing.classes[1], chance=round(threshold, 4))


def _explain(standing: Standing, cells: Mapping[str, Any]) -> list[tuple[str, float]]:  # Any: cells as JSON has them
    """Return what moved the model, where the release can say it and all inputs are kept."""
    if not standing.runtime.has_reasons or not set(standing.columns) <= set(cells):
        return []
    try:
        parts = list_parts(standing.answer([cells], reasons=True), most_reasons=MOST_REASONS)
    except SkiffError:  # a row that the model would refuse is still one that a person can decide
        return []
    return [(item.column, round(item.contribution, 4)) for item in (parts.reasons or [[]])[0]]


def name_labels(dataset_sha256: str) -> str:
    """Return under which name it is remembered what the rows of a dataset may be labelled."""
    return f"{STATE}.label.{dataset_sha256[:32]}"


def _refuse_read_only(workspace: Workspace) -> None:
    if workspace.is_read_only:
        raise SkiffError(
            "read_only",
            what="The disk of this workspace can only be read, so no answer could be kept.",
            where={"workspace": str(workspace.root)},
            fix="Review where the workspace can be written.",
        )
