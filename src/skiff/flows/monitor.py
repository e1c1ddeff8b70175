"""Judge windows of predictions against the release that made them, keep the verdicts, and draw the year."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.deploy.predictor import Predictor
from skiff.flows.judge_windows import (
    Judge,
    Span,
    answer_rows,
    judge_again,
    judge_frame,
    judge_span,
    open_judge,
    read_reports,
    read_time,
)
from skiff.flows.read import read_table
from skiff.flows.stand_ins import clear_table
from skiff.monitor.delivered import say_promise
from skiff.monitor.results import WindowReport
from skiff.monitor.served import SPANS, build_window, cut_spans
from skiff.monitor.track import TrackRecord, measure_track
from skiff.report.monitor import Event, MonitorStory, render_monitor
from skiff.store.clock import Clock, now_utc
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.workspace import Workspace

MAX_SPANS = 400
"""Spans judged in one go, the newest: a year of days and a month."""

REPORT = "monitor.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorOutcome:
    """What monitoring found: the windows judged now, oldest first, and where the page is."""

    release: int
    windows: tuple[WindowReport, ...]
    again: tuple[WindowReport, ...] = ()
    track: TrackRecord = field(default_factory=TrackRecord)
    page: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody has to act."""
        return not any(report.alerts for report in (*self.windows, *self.again))

    def as_result(self) -> dict[str, object]:
        """Return what ``--json`` prints."""
        newest = self.windows[-1] if self.windows else None
        return {
            "release": self.release,
            "status": "alert" if not self.is_quiet else newest.status if newest else "too_few",
            "why": newest.why if newest else "No prediction has been logged yet.",
            "promise": say_promise(newest.delivered) if newest and newest.delivered else None,
            "alerts": [asdict(signal) for report in (*self.windows, *self.again) for signal in report.alerts],
            "windows": [asdict(report) for report in self.windows],
            "judged_again": [asdict(report) for report in self.again],
            "track_record": asdict(self.track),
            "files": {"monitor_html": self.page or None},
        }


def monitor_log(
    folder: Path,
    *,
    since: str | None = None,
    until: str | None = None,
    rows: int | None = None,
    release: int | None = None,
    clock: Clock = now_utc,
) -> MonitorOutcome:
    """Judge the prediction log: every whole window not judged yet, or the span or the last rows that are named.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``bad_time``, ``no_predictions``.
    """
    with Workspace.open(folder, clock=clock) as workspace, workspace.lock("monitor"):
        return monitor_workspace(workspace, since=since, until=until, rows=rows, release=release)


def monitor_workspace(
    workspace: Workspace,
    *,
    since: str | None = None,
    until: str | None = None,
    rows: int | None = None,
    release: int | None = None,
    now: str | None = None,
) -> MonitorOutcome:
    """Judge the prediction log of an open workspace; see `monitor_log`."""
    judge = open_judge(workspace, release)
    moment = read_time(now or now_utc(), option="now")
    with PredictionReader(_open_log(workspace)) as reader:
        spans, is_provisional = _choose_spans(workspace, reader, judge, since=since, until=until, rows=rows, now=moment)
        # A look at other rows, or at a window that is not over, must not count as that window.
        source = "look" if since or until or rows or is_provisional else "log"
        windows = [judge_span(workspace, reader, judge, span, rows=rows, source=source) for span in spans]
        made = tuple(window for window in windows if window is not None)
        again: tuple[WindowReport, ...] = ()
        if not (since or until or rows or is_provisional):
            again = judge_again(workspace, reader, judge, {report.since for report in made})
    if not made and not again and not workspace.windows.list(release=judge.number, last=1):
        raise SkiffError(
            "no_predictions",
            what=f"Release {judge.number} has answered nothing yet that could be judged.",
            where={"workspace": str(workspace.root)},
            fix="Serve it with `skiff serve`, or judge a file of rows with `skiff monitor --file FILE`.",
        )
    return _finish(workspace, judge, made, again)


def monitor_file(folder: Path, source: Path, *, release: int | None = None, clock: Clock = now_utc) -> MonitorOutcome:
    """Judge a file: rows as the model takes them, rows with answers of ``skiff predict``, or an export of the log.

    A column named like the target holds outcomes.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``missing_column``, and what reading says.
    """
    with Workspace.open(folder, clock=clock) as workspace, workspace.lock("monitor"):
        judge = open_judge(workspace, release)
        predictor = Predictor(workspace.releases.read_file(judge.number, "model.onnx"))
        texts = tuple(column.name for column in predictor.signature.inputs if column.kind in {"category", "text"})
        words = (*texts, judge.task.target) if judge.task.kind != "regression" else texts
        frame = read_table(source, keep_text=texts, keep_words=words).frame
        served = answer_rows(clear_table(frame, predictor.signature.inputs), judge, predictor)
        look = replace(build_window(served, judge.task, release=judge.number), days=1.0)
        report = judge_frame(workspace, judge, look, source="file")
        return _finish(workspace, judge, (report,), ())


def _choose_spans(
    workspace: Workspace,
    reader: PredictionReader,
    judge: Judge,
    *,
    since: str | None,
    until: str | None,
    rows: int | None,
    now: dt.datetime,
) -> tuple[list[Span], bool]:
    """Return the spans to judge, and whether they are provisional: a window that is not over yet."""
    if since or until or rows:
        begin = read_time(since, option="--since") if since else dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        return [(begin, read_time(until, option="--until") if until else now)], False
    days = SPANS[workspace.settings.monitor.window]
    known = workspace.windows.list(release=judge.number, source="log", last=1)
    if known and known[0].until:
        first = read_time(known[0].until, option="since")
    else:
        found = _find_first(reader, judge.number, now)
        if found is None:
            return [], False
        first = found
    spans = [span for span in cut_spans(first, now, days=days) if span[0] >= first or not known][-MAX_SPANS:]
    if spans or known:
        return spans, False
    return [(first, now)], True


def _find_first(reader: PredictionReader, release: int, now: dt.datetime) -> dt.datetime | None:
    """Return the moment of the first answer, found by halving: the log is counted, not read."""
    if not reader.count(None, now, release=release):
        return None
    low, high = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), now
    while high - low > dt.timedelta(minutes=1):
        middle = low + (high - low) / 2
        if reader.count(None, middle, release=release):
            high = middle
        else:
            low = middle
    return low


def _finish(
    workspace: Workspace, judge: Judge, made: tuple[WindowReport, ...], again: tuple[WindowReport, ...]
) -> MonitorOutcome:
    history = read_reports(workspace, release=None, last=MAX_SPANS)
    track = measure_track([report for report in history if report.release == judge.number])
    shown = history or list(made)
    story = MonitorStory(
        title=workspace.root.name,
        created=now_utc(),
        owner=workspace.settings.alerts.owner or workspace.settings.owner.name,
        release=judge.number,
        task=judge.task,
        headline=judge.reference.headline or next(iter(judge.promised), ""),
        promised=judge.promised.get(judge.reference.headline),
        windows=tuple(shown if not made or made[-1] in history else [*history, made[-1]]),
        events=_list_events(workspace),
        track=track,
        false_alarms_per_month=workspace.settings.monitor.false_alarms_per_month,
    )
    page = workspace.write_report(REPORT, render_monitor(story).encode())
    return MonitorOutcome(release=judge.number, windows=made, again=again, track=track, page=str(page))


def _list_events(workspace: Workspace) -> tuple[Event, ...]:
    """Return what happened to releases, from the ledger."""
    words = {"release": "released", "promote": "promoted", "rollback": "rolled back", "retrain": "retrained"}
    events = []
    for record in workspace.ledger.records():
        if record.action in words:
            number = record.result.get("number") or record.result.get("release")
            events.append(Event(at=record.at, kind=record.action, words=f"Release {number} {words[record.action]}"))
    return tuple(events)


def _open_log(workspace: Workspace) -> Any:  # noqa: ANN401  either of two stores
    return open_store(
        workspace.root / ".skiff",
        database=workspace.settings.store.database,
        is_read_only=workspace.is_read_only,
        box=workspace.box,
    )
