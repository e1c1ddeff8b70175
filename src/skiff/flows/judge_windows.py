"""Judge one window of a release's answers, keep the verdict, and judge it once more when late outcomes have come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.core.task import Task
from skiff.data.contract.rules import Contract, build_contract
from skiff.data.sentences import count_rows
from skiff.deploy.predictor import Predictor
from skiff.flows.contracts import hold
from skiff.flows.datasets import load_dataset
from skiff.flows.feedback import cast_inputs
from skiff.flows.predictions import set_aside_decisions
from skiff.flows.standing import refuse_none
from skiff.monitor.delivered import say_promise
from skiff.monitor.joint import MAX_ROWS as JOINT_ROWS
from skiff.monitor.reference import Reference, decode_reference
from skiff.monitor.results import WindowReport
from skiff.monitor.served import INPUT_PREFIX, build_window
from skiff.monitor.window import TREND_WINDOWS, Window, judge_window, sum_earlier
from skiff.store.clock import now_utc
from skiff.store.predictions.reader import PredictionReader
from skiff.store.workspace import Workspace

AGAIN = 30
"""Windows that are looked at once more when outcomes have arrived since they were judged."""

DECIDED = (
    "In {n} the outcome is what a reviewer decided. They do not count for the delivered quality: people are given the rows the model "
    "is least sure of."
)

NEWS = frozenset({"delivered", "concept", "slice"})


Span = tuple[dt.datetime, dt.datetime]


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
    inputs: tuple[InputColumn, ...] = ()


def open_judge(workspace: Workspace, release: int | None) -> Judge:
    """Read what a release promised and was trained on."""
    number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
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
        inputs=msgspec.convert(manifest["inputs"], tuple[InputColumn, ...]),
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


def judge_frame(workspace: Workspace, judge: Judge, window: Window, *, source: str, n_decided: int = 0) -> WindowReport:
    """Judge a window beside the windows before it, and keep the verdict and its ledger record."""
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


def judge_span(
    workspace: Workspace,
    reader: PredictionReader,
    judge: Judge,
    span: Span,
    *,
    rows: int | None,
    look: int = 1,
    source: str = "log",
) -> WindowReport | None:
    """Judge the answers of a span, or of its last rows; None where there are none."""
    frame = reader.read_window(*span, release=judge.number)
    if rows is not None:
        frame = frame.tail(rows)
    if not frame.height:
        return None
    frame, n_decided = set_aside_decisions(workspace, cast_inputs(frame, judge.inputs))
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
    return judge_frame(workspace, judge, window, source=source, n_decided=n_decided)


def judge_again(
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
        judged = read_time(record.judged, option="judged")
        if not reader.count_outcomes(judged):
            continue
        try:
            before = msgspec.json.decode(record.body, type=WindowReport)
        except msgspec.ValidationError:
            continue
        span = read_time(record.since, option="since"), read_time(record.until, option="until")
        known = before.delivered.n_outcomes if before.delivered else 0
        frame, _ = set_aside_decisions(workspace, reader.read_window(*span, release=judge.number))
        if frame["outcome"].drop_nulls().len() < max(1.5 * known, known + 1):
            continue
        look = before.look + (1 if known else 0)
        report = judge_span(workspace, reader, judge, span, rows=None, look=look)
        if report is not None:
            # What the inputs said was said when the window was new; only what the outcomes say is news.
            found.append(replace(report, signals=tuple(item for item in report.signals if item.kind in NEWS)))
    return tuple(found)


def answer_rows(frame: pl.DataFrame, judge: Judge, predictor: Predictor) -> pl.DataFrame:
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


def read_time(text: str, *, option: str) -> dt.datetime:
    """Return a moment in UTC; ``bad_time`` where the text is none."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise SkiffError(
            "bad_time",
            what=f"The value of {option} is no date or time.",
            where={"option": option},
            fix="Write it as 2026-03-01 or 2026-03-01T06:00:00Z.",
        ) from error
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
