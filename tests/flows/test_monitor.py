"""The whole way: a release, its log, outcomes, the verdicts, the page, the messages."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from tests.bookings import build_bookings

from skiff.cli.main import group
from skiff.deploy.predictor import Predictor
from skiff.flows.conclude import RunOutcome
from skiff.flows.judge_windows import read_reports
from skiff.flows.monitor import monitor_file, monitor_log
from skiff.flows.watch import watch_once
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.predictions.records import Outcome, PredictionRow
from skiff.store.workspace import Workspace

DAY = 86_400_000_000
START = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
ROWS = 250


def at(days: float) -> str:
    return (START + dt.timedelta(days=days)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def log_days(
    folder: Path,
    days: range,
    *,
    lead_times: float = 1.0,
    turned: float = 0.0,
    has_outcomes: bool = True,
    is_mixed: bool = False,
) -> None:
    """Answer days of bookings as a server would, and take their outcomes."""
    predictor = Predictor((folder / ".skiff/releases/0001/model.onnx").read_bytes())
    names = [column.name for column in predictor.signature.inputs]
    first = int(START.timestamp() * 1e6)
    maker = IdMaker()
    with PredictionLog(open_store(folder / ".skiff"), clock=lambda: first + 300 * DAY) as log:
        for day in days:
            rng = np.random.default_rng(day)
            frame = build_bookings(ROWS, seed=500 + day).with_columns(pl.col("lead_days") * lead_times)
            flips = pl.Series(rng.random(ROWS) < turned)
            other = pl.when(pl.col("cancelled") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes"))
            frame = frame.with_columns(pl.when(flips).then(other).otherwise("cancelled").alias("cancelled"))
            found = predictor.predict_columns(frame)
            rows, outcomes = [], []
            for place, row in enumerate(frame.iter_rows(named=True)):
                moment = first + day * DAY + place * DAY // ROWS
                p = float(found.probabilities[place, 1])
                cells = {name: row[name] for name in names}
                if is_mixed and place % 2:  # another caller, who writes numbers as text and yes as true
                    texts = {name: str(cell) for name, cell in cells.items() if isinstance(cell, float)}
                    cells |= {**texts, "breakfast": row["breakfast"] == "yes"}
                rows.append(
                    PredictionRow(
                        id=maker.make(moment), at=moment, release=1, role="champion", label=str(found.labels[place]), value=p,
                        inputs=json.dumps(cells), decision="act", latency_us=90 + place % 7,
                    )
                )  # fmt: skip
                outcomes.append(Outcome(value=row["cancelled"], id=rows[-1].id))
            log.append(rows)
            if has_outcomes:
                log.add_outcomes(outcomes)


@pytest.fixture
def workspace(finished: tuple[RunOutcome, Path], tmp_path: Path) -> Path:
    folder = tmp_path / "bookings"
    shutil.copytree(finished[1], folder)
    return folder


def test_quiet_days_are_quiet_and_a_change_of_the_answers_is_named(workspace: Path) -> None:
    log_days(workspace, range(5))
    calm = monitor_log(workspace, clock=lambda: at(5.2))
    assert len(calm.windows) == 5
    assert calm.is_quiet, [report.why for report in calm.windows]
    log_days(workspace, range(5, 7), turned=0.9)
    loud = monitor_log(workspace, clock=lambda: at(7.2))
    assert [report.since[:10] for report in loud.windows] == ["2026-01-10", "2026-01-11"]
    kinds = {signal.kind for report in loud.windows for signal in report.alerts}
    assert {"delivered", "concept"} & kinds
    assert not any(signal.kind == "distribution" for report in loud.windows for signal in report.alerts)
    assert "promised" in str(loud.as_result()["promise"])
    page = (workspace / "reports" / "monitor.html").read_text()
    assert len(page) < 1_000_000
    assert "Concept drift" in page or "Less was delivered" in page
    assert "<script" not in page
    with Workspace.open(workspace) as opened:
        assert len(read_reports(opened)) == 7
        assert opened.ledger.verify().ok


def test_cells_written_in_other_ways_count_as_what_they_were_answered_as(workspace: Path) -> None:
    log_days(workspace, range(2), is_mixed=True)
    mixed = monitor_log(workspace, clock=lambda: at(2.2))
    assert mixed.is_quiet, [report.why for report in mixed.windows]
    assert not [signal.what for report in mixed.windows for signal in report.signals if signal.kind == "contract"]
    for name in ("lead_days", "breakfast"):
        assert all((item.js or 0.0) < 0.2 for item in mixed.windows[0].columns if item.name == name)


def test_late_outcomes_are_held_against_the_window_they_belong_to(workspace: Path) -> None:
    log_days(workspace, range(3), has_outcomes=False)
    first = monitor_log(workspace, clock=lambda: at(3.2))
    assert all(report.delivered is None for report in first.windows)
    ids = pl.DataFrame()
    from skiff.store.predictions.reader import PredictionReader

    with PredictionReader(open_store(workspace / ".skiff")) as reader:
        ids = reader.read_window()
    later = int(START.timestamp() * 1e6) + 30 * DAY
    with PredictionLog(open_store(workspace / ".skiff"), clock=lambda: later) as log:
        log.add_outcomes([Outcome(value="no", id=name) for name in ids["id"].head(ROWS).to_list()])
    again = monitor_log(workspace, clock=lambda: at(3.4))
    assert [report.since[:10] for report in again.again] == ["2026-01-05"]
    assert again.again[0].delivered is not None
    assert again.again[0].delivered.n_outcomes == ROWS


def test_a_look_at_some_rows_does_not_count_as_their_window(workspace: Path) -> None:
    log_days(workspace, range(2))
    assert len(monitor_log(workspace, rows=150, clock=lambda: at(1.5)).windows) == 1
    assert len(monitor_log(workspace, since=at(0.2), until=at(1.4), clock=lambda: at(1.5)).windows) == 1
    whole = monitor_log(workspace, clock=lambda: at(2.1))
    assert [report.rows for report in whole.windows] == [ROWS, ROWS]


def test_a_file_is_judged_and_eight_rows_are_not_enough(workspace: Path, tmp_path: Path) -> None:
    path = tmp_path / "march.csv"
    build_bookings(600, seed=9).with_columns(pl.col("lead_days") * 4).write_csv(path)
    found = monitor_file(workspace, path)
    assert not found.is_quiet
    assert any(signal.subject == "lead_days" for signal in found.windows[0].signals)
    small = tmp_path / "eight.csv"
    build_bookings(8, seed=9).drop("cancelled").write_csv(small)
    assert monitor_file(workspace, small).windows[0].status == "too_few"


def test_a_watch_runs_each_moment_once_tells_once_and_says_when_it_is_over(workspace: Path) -> None:
    log_days(workspace, range(2))
    log_days(workspace, range(2, 4), lead_times=4.0)
    first = watch_once(workspace, clock=lambda: at(4.3))
    assert first.due
    assert any(notice.kind == "alert" for notice in first.notices)
    same = watch_once(workspace, clock=lambda: at(4.4))
    assert not same.due
    back = watch_once(workspace, clock=lambda: at(4.3))
    assert not back.due
    log_days(workspace, range(4, 6))
    for day in (5, 6):
        last = watch_once(workspace, clock=lambda day=day: at(day + 0.3))  # type: ignore[misc]  # bound at once
    assert any(notice.kind == "recovered" for notice in last.notices)


def test_the_command_says_no_by_its_exit_code_and_prints_one_object(workspace: Path) -> None:
    log_days(workspace, range(2), lead_times=4.0)
    done = CliRunner().invoke(group, ["monitor", "-w", str(workspace), "--json"], standalone_mode=False)
    assert done.return_value == 1
    made = msgspec.json.decode(done.stdout_bytes)
    assert made["command"] == "monitor"
    assert made["result"]["status"] == "alert"
    assert made["result"]["alerts"][0]["next_step"]
    plain = CliRunner().invoke(group, ["watch", "--once", "-w", str(workspace)], standalone_mode=False)
    assert plain.exception is None
    assert "next look" in plain.output
