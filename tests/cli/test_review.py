"""A review by keyboard, from a pipe: answer before advice, outcomes, planted rows, labels; a killed session loses nothing."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import polars as pl
import pytest
from tests.bookings import build_bookings
from tests.serve.conftest import build_model

from skiff.cli.main import run_command_line
from skiff.cli.review import ADVICE
from skiff.core.settings import ReviewSettings
from skiff.flows.govern import write_mapping
from skiff.flows.predict import Columns, predict_file
from skiff.flows.predictions import export_predictions, open_predictions
from skiff.flows.take_outcomes import take_outcomes
from skiff.flows.workspace import add_data
from skiff.store.reviews import Wanted
from skiff.store.workspace import Workspace

Say = Callable[..., tuple[int, str]]
N_ROWS = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a workspace with a release and sixty answered rows, of which some are for a person."""
    return build_folder(tmp_path)


def build_folder(tmp_path: Path, *, threshold: float = 0.5) -> Path:
    tmp_path.mkdir(exist_ok=True)
    place = tmp_path / "bookings"
    manifest = {
        "task": {"kind": "binary", "target": "cancelled", "classes": ["no", "yes"], "positive": "yes"},
        "classes": ["no", "yes"],
        "metrics": {},
    }
    with Workspace.open(place, create=True) as workspace:
        workspace.releases.publish(
            {"model.onnx": build_model(threshold=threshold)},
            manifest=manifest,
            dataset_sha="0" * 64,
            run_id=None,
            promote=True,
        )
    table = tmp_path / "new.csv"
    leads = np.linspace(0, 199, N_ROWS).round(1)
    pl.DataFrame(
        {
            "lead_days": leads,
            "price": [100.0] * (N_ROWS - 1) + [399.0],
            "channel": ["web"] * (N_ROWS - 2) + ["fax", "web"],
            "key": [f"B-{number}" for number in range(N_ROWS)],
            "guest": [f"G-{number}" for number in range(N_ROWS)],
        }
    ).write_csv(table)
    (place / "skiff.toml").write_text('[review]\nstakes_column = "price"\nstakes_amount = 300.0\n')
    predict_file(place, table, output=tmp_path / "out.csv", columns=Columns(key="key", subject="guest"))
    return place


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Give a function that runs a command with keys typed in advance."""

    def run(*arguments: str, keys: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(keys.encode())))
        capsys.readouterr()
        code = run_command_line(["review", *arguments])
        return code, capsys.readouterr().out

    return run


def read_outcomes(folder: Path) -> dict[str, str]:
    with Workspace.open(folder) as workspace, open_predictions(workspace) as reader:
        rows = reader.read_window().filter(pl.col("outcome").is_not_null())
    return dict(rows.select("key", "outcome").iter_rows())


def read_json(out: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(out)["result"]
    return found


def test_rows_come_with_what_is_at_stake_first_and_the_suggestion_after_the_answer(folder: Path, say: Say) -> None:
    code, out = say("--reviewer", "ada", "-w", str(folder), keys="2\n\n\nmaybe\nn\n\n\nq\n")
    assert code == 0
    first, second = out.split("Row 2", 1)
    assert "Much is at stake: 'price' is at or above the amount you set." in first
    assert "399" in first
    assert first.index("Your answer") < first.index("The model suggests")
    assert "Unlike what the model learned from: training had nothing like it in 'channel'." in second
    assert "That is none of: 1 = no, 2 = yes." in second
    assert read_outcomes(folder)[f"B-{N_ROWS - 1}"] == "yes"
    assert "wait." in out


def test_where_the_line_is_not_one_half_it_is_said(tmp_path: Path, say: Say) -> None:
    folder = build_folder(tmp_path, threshold=0.3)
    _, moved = say("--show-advice", "first", "--rows", "1", "-w", str(folder), keys="1\n\n")
    assert "in 100 (it says yes from 30 in 100 on)." in moved
    plain = build_folder(tmp_path / "plain")
    assert "from 50 in 100" not in say("--show-advice", "first", "--rows", "1", "-w", str(plain), keys="1\n\n")[1]


def test_a_planted_suggestion_lies_on_its_own_side_of_the_line(tmp_path: Path, say: Say) -> None:
    folder = build_folder(tmp_path, threshold=0.3)
    known = tmp_path / "known.csv"
    rows = [(float(5 * lead), 100.0, "web", "yes" if lead % 2 else "no") for lead in range(40)]
    pl.DataFrame(rows, schema=["lead_days", "price", "channel", "cancelled"], orient="row").write_csv(known)
    (folder / "skiff.toml").write_text("[review]\nwrong_advice_share = 1.0\n")
    found = read_json(say("plant", str(known), "--rows", "40", "--json", "-w", str(folder))[1])
    assert found["turned"] > 5
    with Workspace.open(folder) as workspace:
        advices = [json.loads(item.advice or "") for item in workspace.reviews.list(source="planted")]
    for advice in advices:
        chance = advice["chance"] if advice["answer"] == "yes" else 1 - advice["chance"]
        assert (chance >= 0.3 - 1e-4) == (advice["answer"] == "yes") or abs(chance - 0.3) < 1e-4


def test_the_suggestion_may_come_first_or_never(folder: Path, say: Say) -> None:
    _, first = say("--show-advice", "first", "--rows", "1", "-w", str(folder), keys="1\n\n")
    assert first.index("The model suggests") < first.index("Your answer")
    _, never = say("--show-advice", "never", "--rows", "1", "-w", str(folder), keys="1\n\n")
    assert "The model suggests" not in never
    with Workspace.open(folder) as workspace:
        assert [record.seen for record in workspace.reviews.list_done()] == ["first", "never"]


def test_the_end_of_the_keys_ends_the_session_and_the_row_is_held(folder: Path, say: Say) -> None:
    assert say("--reviewer", "ada", "-w", str(folder), keys="2\n")[0] == 0
    _, out = say("--reviewer", "ada", "-w", str(folder), keys="q\n")
    assert "You answered yes before." in out or "Row 1" in out
    with Workspace.open(folder) as workspace:
        held = workspace.reviews.list(state="claimed")
    assert len(held) == 1


def test_json_goes_to_standard_output_alone(folder: Path, say: Say) -> None:
    code, out = say("--reviewer", "ada", "--json", "-w", str(folder), keys="s\nq\n")
    found = read_json(out)
    assert code == 0
    assert (found["answered"], found["skipped"], found["reviewer"]) == (0, 1, "ada")


def test_status_and_list_tell_what_waits(folder: Path, say: Say) -> None:
    found = read_json(say("status", "--json", "-w", str(folder))[1])
    assert found["waiting"] > 3
    assert {item["reason"] for item in found["by_reason"]} >= {"Much is at stake", "The model is not sure"}
    listed = read_json(say("list", "--json", "-w", str(folder))[1])
    assert listed["rows"][0]["reason"] == "high_stakes"
    assert "399.0" not in json.dumps(listed)  # ids may hold the digits by chance


def test_planted_rows_measure_and_the_alarm_says_no(folder: Path, say: Say, tmp_path: Path) -> None:
    known = tmp_path / "known.csv"
    rows = [(float(lead), 100.0, "web", "yes" if lead % 2 else "no") for lead in range(40)]
    pl.DataFrame(rows, schema=["lead_days", "price", "channel", "cancelled"], orient="row").write_csv(known)
    (folder / "skiff.toml").write_text("[review]\nplanted_share = 1.0\nwrong_advice_share = 1.0\n")
    made = read_json(say("plant", str(known), "--rows", "40", "--json", "-w", str(folder))[1])
    assert (made["rows"], made["wrong"]) == (40, 40)
    code, out = say("report", "-w", str(folder))
    assert code == 0
    assert "Nobody has decided a row yet." in out
    for _ in range(20):  # first one answer, then the other where that is suggested: whatever is suggested is taken
        say("--reviewer", "max", "--rows", "1", "-w", str(folder), keys="2\n1\n")
    code, out = say("report", "-w", str(folder))
    assert code == 1
    assert "seems to sign without looking" in out
    page = (folder / "reports" / "review.html").read_text()
    assert "max" in page
    shown = write_mapping(folder, "aiact")
    table = Path(shown.files["csv"]).read_text()
    line = next(text for text in table.splitlines() if "AIA-14," in text)
    assert "People decided 20 rows" in line
    assert "max" not in line
    assert read_outcomes(folder) == {}


def test_reviews_are_exported_without_cells(folder: Path, say: Say, tmp_path: Path) -> None:
    say("--reviewer", "=ada", "-w", str(folder), keys="q\n")
    say("--reviewer", "ada", "--rows", "1", "-w", str(folder), keys="2\n2\n=1+1\n")
    output = tmp_path / "reviews.csv"
    assert say("export", "-o", str(output), "-w", str(folder))[0] == 0
    rows = pl.read_csv(output)
    assert rows.height == 1
    assert rows["final"].to_list() == ["yes"]
    assert not any(str(cell).startswith("=") for row in rows.rows() for cell in row)
    assert "399.0" not in output.read_text()


def test_the_log_tells_whose_decision_an_outcome_is(folder: Path, say: Say, tmp_path: Path) -> None:
    say("--reviewer", "ada", "--rows", "2", "-w", str(folder), keys="2\n2\n\n2\n2\n\n")
    with Workspace.open(folder) as workspace:
        [first, _] = workspace.reviews.list_done()
    told = tmp_path / "told.csv"
    told.write_text(f"id,value\n{first.item},no\n")
    take_outcomes(folder, told)
    output = tmp_path / "log.parquet"
    export_predictions(folder, output)
    rows = pl.read_parquet(output).filter(pl.col("outcome").is_not_null())
    assert sorted(rows.select("outcome", "outcome_by").iter_rows()) == [("no", None), ("yes", "ada")]
    with Workspace.open(folder) as workspace, open_predictions(workspace) as reader:
        assert [record.value for record in reader.read_history(first.item)] == ["yes", "no"]


def test_a_killed_session_loses_no_answer(folder: Path) -> None:
    command = [sys.executable, "-u", "-m", "skiff", "review", "--reviewer", "ada", "-w", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(b"2\n2\nbecause\n")
        worker.stdin.flush()
        heard, until = b"", time.monotonic() + 60
        while b"Row 2" not in heard and time.monotonic() < until:
            heard += os.read(worker.stdout.fileno(), 4096)
        worker.send_signal(signal.SIGKILL)
    with Workspace.open(folder) as workspace:
        [done] = workspace.reviews.list_done()
        assert workspace.verify().problems == ()
        assert done.final == "yes"
    assert read_outcomes(folder) == {f"B-{N_ROWS - 1}": "yes"}


def test_an_answer_whose_outcome_was_not_kept_gets_it_at_the_next_call(folder: Path, say: Say) -> None:
    say("status", "-w", str(folder))
    with Workspace.open(folder) as workspace:  # what a process leaves that is killed between the two
        record = workspace.reviews.claim("ada", Wanted(), hold_s=60, seen="first")
        assert record is not None
        workspace.reviews.answer_final(record.id, "ada", "yes")
    assert read_outcomes(folder) == {}
    say("status", "-w", str(folder))
    assert read_outcomes(folder) == {f"B-{N_ROWS - 1}": "yes"}


def test_opinions_become_no_outcomes(folder: Path, say: Say) -> None:
    (folder / "skiff.toml").write_text('[review]\nanswers_are = "opinions"\n')
    say("--rows", "1", "-w", str(folder), keys="2\n2\n\n")
    assert read_outcomes(folder) == {}


def test_labels_are_asked_for_most_useful_first_and_taken_into_the_dataset(tmp_path: Path, say: Say) -> None:
    table = build_bookings(400).drop("refund", "booking")
    truth = table["cancelled"].to_list()
    hidden = [None if number % 4 else label for number, label in enumerate(truth)]
    path = tmp_path / "bookings.csv"
    table.with_columns(pl.Series("cancelled", hidden)).write_csv(path)
    place = tmp_path / "shop"
    Workspace.open(place, create=True).close()
    (place / "skiff.toml").write_text('[task]\ntarget = "cancelled"\n')
    record, _ = add_data(place, path)
    code, out = say("--label", record.id, "--reviewer", "ada", "--rows", "6", "-w", str(place), keys="1\n2\n" * 3)
    assert code == 0
    assert "100 rows with a label." in out
    assert "300 rows without an answer" in out
    assert "The model suggests" not in out
    assert "next 100 labels" in out
    made = read_json(say("apply", record.id, "--json", "-w", str(place))[1])
    assert (made["filled"], made["corrected"]) == (6, 0)
    with Workspace.open(place) as workspace:
        data = workspace.datasets.read_parquet(made["dataset"])
        labels = pl.read_parquet(io.BytesIO(data))["cancelled"]
    assert labels.drop_nulls().len() == 106
    _, out = say("--label", record.id, "--reviewer", "ada", "--rows", "1", "-w", str(place), keys="1\n")
    assert "294 rows without an answer: about" in out
    code, out = say("apply", made["dataset"], "-w", str(place))
    assert code == 2


def test_the_choices_are_those_of_the_settings() -> None:
    assert get_args(get_type_hints(ReviewSettings)["advice"]) == ADVICE


def test_nobody_reviews_without_a_name(folder: Path, say: Say) -> None:
    assert say("--reviewer", " ", "-w", str(folder))[0] == 2
