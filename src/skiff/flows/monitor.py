"""Judge windows of predictions against the release that made them, keep the verdicts, and draw the year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.contract.rules import Contract, build_contract
from skiff.data.sentences import count_rows
from skiff.deploy.runtime import Predictor
from skiff.flows.contracts import hold
from skiff.flows.datasets import load_dataset
from skiff.flows.predictions import set_aside_decisions
from skiff.flows.read import read_table
from skiff.monitor.delivered import say_promise
from skiff.monitor.joint import MAX_ROWS as JOINT_ROWS
from skiff.monitor.reference import Reference, decode_reference
from skiff.monitor.results import WindowReport
from skiff.monitor.served import INPUT_PREFIX, SPANS, build_window, cut_spans
from skiff.monitor.track import TrackRecord, measure_track
from skiff.monitor.window import TREND_WINDOWS, Window, judge_window, sum_earlier
from skiff.report.monitor import Event, MonitorStory, render_monitor
from skiff.store.clock import Clock, now_utc
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.settings import SETTINGS_FILE
from skiff.store.workspace import Workspace

MAX_SPANS = 400
"""Spans judged in one go, the newest: a year of days and a month."""

AGAIN = 30
"""Windows that are looked at once more when outcomes have arrived since they were judged."""

REPORT = "monitor.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What is needed to judge windows of one release."""

    number: int
    task: Task
    threshold: float
    reference: Reference
    promised: Mapping[str, Measurement]
    training: pl.DataFrame | None
    contract: Contract | None = None


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
    moment = _read_time(now or now_utc(), option="now")
    with PredictionReader(_open_log(workspace)) as reader:
        spans, is_provisional = _choose_spans(workspace, reader, judge, since=since, until=until, rows=rows, now=moment)
        # A look at other rows, or at a window that is not over, must not count as that window.
        source = "look" if since or until or rows or is_provisional else "log"
        windows = [_judge_span(workspace, reader, judge, span, rows=rows, source=source) for span in spans]
        made = tuple(window for window in windows if window is not None)
        again: tuple[WindowReport, ...] = ()
        if not (since or until or rows or is_provisional):
            again = _judge_again(workspace, reader, judge, {report.since for report in made})
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
        served = _answer_rows(frame, judge, predictor)
        look = replace(build_window(served, judge.task, release=judge.number), days=1.0)
        report = _judge(workspace, judge, look, source="file")
        return _finish(workspace, judge, (report,), ())


def open_judge(workspace: Workspace, release: int | None) -> Judge:
    """Read what a release promised and was trained on."""
    number = release or workspace.releases.champion()
    if number is None:
        raise SkiffError(
            "no_release",
            what="No release of this workspace answers yet.",
            where={"workspace": str(workspace.root)},
            fix="Make one with `skiff run FILE --target COLUMN`, or promote one: see `skiff releases list`.",
        )
    manifest: dict[str, Any] = workspace.releases.read_manifest(number)
    task = msgspec.convert(manifest["task"], Task)
    training = None
    if workspace.settings.monitor.joint:
        training = _draw_training(workspace, str(manifest["dataset_sha256"]))
    return Judge(
        number=number,
        task=task,
        threshold=float(manifest.get("threshold") or 0.5),
        reference=decode_reference(workspace.releases.read_file(number, "reference.json")),
        promised={name: msgspec.convert(item, Measurement) for name, item in manifest["metrics"].items()},
        training=training,
        contract=build_contract(manifest["contract"]) if manifest.get("contract") else None,
    )


def read_reports(workspace: Workspace, *, release: int | None = None, last: int | None = None) -> list[WindowReport]:
    """Return judged windows of the log, oldest first; those that an older version wrote differently are left out."""
    found = []
    for record in workspace.windows.list(release=release, source="log", last=last):
        try:
            found.append(msgspec.json.decode(record.body, type=WindowReport))
        except msgspec.ValidationError:
            continue
    return found


def _judge(workspace: Workspace, judge: Judge, window: Window, *, source: str, n_decided: int = 0) -> WindowReport:
    before = [
        report
        for report in read_reports(workspace, release=judge.number, last=4 * TREND_WINDOWS)
        if not window.since or report.since < window.since
    ]
    report = judge_window(
        window,
        judge.reference,
        judge.task,
        threshold=judge.threshold,
        promised=judge.promised,
        per_month=workspace.settings.monitor.false_alarms_per_month,
        earlier=sum_earlier(before),
        training=judge.training,
        contract=find_contract_breaks(window, judge),
        seed=workspace.settings.train.seed,
    )
    if n_decided:
        report = replace(report, notes=(*report.notes, DECIDED.format(n=count_rows(n_decided))))
    workspace.windows.add(
        source=source,
        release=judge.number,
        since=report.since,
        until=report.until,
        rows=report.rows,
        body=msgspec.json.encode(report).decode(),
    )
    noted: dict[str, Json] = {
        "release": judge.number,
        "since": report.since,
        "until": report.until,
        "rows": report.rows,
        "status": report.status,
        "alerts": [signal.key for signal in report.alerts],
        "promise": say_promise(report.delivered) if report.delivered else None,
    }
    workspace.ledger.append("monitor", subject=f"release {judge.number}", result=noted, at=now_utc())
    return report


def find_contract_breaks(window: Window, judge: Judge) -> tuple[Finding, ...]:
    """Hold the window's inputs against the contract that the release carries; columns that were not kept are not missed."""
    if judge.contract is None:
        return ()
    here = window.inputs if window.has_inputs is None else window.inputs.filter(pl.Series(window.has_inputs))
    kinds = {column.name: column.kind for column in judge.reference.columns}
    names = [name for name in here.columns if name in kinds]
    if not names or not here.height:
        return ()
    # The log keeps dates as JSON does, as text.
    dates = [name for name in names if kinds[name] == "date" and here[name].dtype == pl.String]
    typed = here.select(names).with_columns(
        pl.col(name).str.to_datetime(strict=False, time_unit="us") for name in dates
    )
    return hold(typed, judge.contract, at=window.until or now_utc(), among=names)


Span = tuple[dt.datetime, dt.datetime]


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
        begin = _read_time(since, option="--since") if since else dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
        return [(begin, _read_time(until, option="--until") if until else now)], False
    days = SPANS[workspace.settings.monitor.window]
    known = workspace.windows.list(release=judge.number, source="log", last=1)
    if known and known[0].until:
        first = _read_time(known[0].until, option="since")
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


def _judge_span(
    workspace: Workspace,
    reader: PredictionReader,
    judge: Judge,
    span: Span,
    *,
    rows: int | None,
    look: int = 1,
    source: str = "log",
) -> WindowReport | None:
    frame = reader.read_window(*span, release=judge.number)
    if rows is not None:
        frame = frame.tail(rows)
    if not frame.height:
        return None
    frame, n_decided = set_aside_decisions(workspace, frame)
    since, until = (None, None) if rows is not None else span
    window = build_window(
        frame,
        judge.task,
        release=judge.number,
        since=since,
        until=until,
        is_hashed=workspace.settings.serving.keep_inputs == "hashed",
        look=look,
    )
    return _judge(workspace, judge, window, source=source, n_decided=n_decided)


def _judge_again(
    workspace: Workspace, reader: PredictionReader, judge: Judge, fresh: set[str]
) -> tuple[WindowReport, ...]:
    """Judge earlier windows once more whose outcomes have grown by half since: late outcomes are the rule."""
    records = [
        record
        for record in workspace.windows.list(release=judge.number, source="log", last=AGAIN)
        if record.since and record.since not in fresh
    ]
    found = []
    for record in records:
        judged = _read_time(record.judged, option="judged")
        if not reader.count_outcomes(judged):
            continue
        try:
            before = msgspec.json.decode(record.body, type=WindowReport)
        except msgspec.ValidationError:
            continue
        span = _read_time(record.since, option="since"), _read_time(record.until, option="until")
        known = before.delivered.n_outcomes if before.delivered else 0
        frame, _ = set_aside_decisions(workspace, reader.read_window(*span, release=judge.number))
        if frame["outcome"].drop_nulls().len() < max(1.5 * known, known + 1):
            continue
        look = before.look + (1 if known else 0)
        report = _judge_span(workspace, reader, judge, span, rows=None, look=look)
        if report is not None:
            # What the inputs said was said when the window was new; only what the outcomes say is news.
            found.append(replace(report, signals=tuple(item for item in report.signals if item.kind in NEWS)))
    return tuple(found)


DECIDED = (
    "In {n} the outcome is what a reviewer decided. They do not count for the delivered quality: people are given the rows the model "
    "is least sure of."
)

NEWS = frozenset({"delivered", "concept", "slice"})


def _answer_rows(frame: pl.DataFrame, judge: Judge, predictor: Predictor) -> pl.DataFrame:
    """Return a file's rows in the shape of the log, answered by the release where they carry no answers yet."""
    task = judge.task
    if {"role", "value", "release"} <= set(frame.columns):
        return frame
    inputs = [column.name for column in predictor.signature.inputs if column.name in frame.columns]
    columns: dict[str, pl.Series] = {}
    if task.kind == "regression" and "skiff_value" in frame.columns:
        columns["value"] = frame["skiff_value"].cast(pl.Float64)
    elif task.kind == "binary" and "skiff_probability" in frame.columns:
        columns["value"] = frame["skiff_probability"].cast(pl.Float64)
        columns["label"] = frame["skiff_label"].cast(pl.String)
    else:
        found = predictor.predict_columns(frame)
        if task.kind == "regression":
            columns["value"] = pl.Series("value", found.values)
        else:
            last = found.probabilities[:, 1] if task.kind == "binary" else found.probabilities.max(axis=1)
            columns["value"] = pl.Series("value", last)
            columns["label"] = pl.Series("label", found.labels.astype(str).tolist(), dtype=pl.String)
            if task.kind == "multiclass":
                columns["probabilities"] = pl.Series("probabilities", found.probabilities.tolist())
    if task.target in frame.columns:
        columns["outcome"] = frame[task.target].cast(pl.String)
    served = pl.DataFrame({name: series.alias(name) for name, series in columns.items()})
    return served.hstack(frame.select(pl.col(name).alias(f"{INPUT_PREFIX}{name}") for name in inputs))


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


def _draw_training(workspace: Workspace, sha256: str) -> pl.DataFrame | None:
    """Return a sample of the dataset's rows; None where it is no longer there (erased, or another machine)."""
    try:
        _, table = load_dataset(workspace, f"ds_{sha256[:12]}")
    except SkiffError:
        return None
    frame = table.frame
    if frame.height <= JOINT_ROWS:
        return frame
    rows: Sequence[int] = np.sort(np.random.default_rng(0).choice(frame.height, JOINT_ROWS, replace=False)).tolist()
    return frame[rows]


def _open_log(workspace: Workspace) -> Any:  # noqa: ANN401  either of two stores
    return open_store(
        workspace.root / ".skiff",
        database=workspace.settings.store.database,
        is_read_only=workspace.is_read_only,
        box=workspace.box,
    )


def _read_time(text: str, *, option: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise SkiffError(
            "bad_time",
            what=f"The value of {option} is no date or time.",
            where={"option": option, "file": SETTINGS_FILE},
            fix="Write it as 2026-03-01 or 2026-03-01T06:00:00Z.",
        ) from error
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
