"""Commands as a user types them: text for people, one JSON object for machines, the right exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from skiff.cli.face import print_refusal
from skiff.cli.main import run_command_line
from skiff.flows.conclude import RunOutcome


def skiff(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    words = [sys.executable, "-m", "skiff", *map(str, arguments)]
    return subprocess.run(
        words, capture_output=True, text=True, cwd=cwd, timeout=240, check=False, stdin=subprocess.DEVNULL
    )


def skiff_json(*arguments: object, code: int = 0) -> dict[str, Any]:
    """Run with ``--json`` in this process, as ``python -m skiff`` does, and return the one object it printed."""
    out, told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        assert run_command_line([*map(str, arguments), "--json"]) == code, told.getvalue()
    envelope: dict[str, Any] = json.loads(out.buffer.getvalue())  # type: ignore[attr-defined]  # a BytesIO
    assert envelope["schema"] == 1
    return envelope


def test_read_writes_a_clean_table_and_says_what_it_found(bookings: Path, tmp_path: Path) -> None:
    envelope = skiff_json("read", bookings, "-o", tmp_path / "clean.parquet")
    assert envelope["result"]["rows"] == 1_200
    assert pl.read_parquet(tmp_path / "clean.parquet").height == 1_200


def test_check_exits_with_1_where_something_blocks(bookings: Path) -> None:
    envelope = skiff_json("check", bookings, "--target", "cancelled", code=1)
    blocked = [item for item in envelope["findings"] if item["severity"] == "block"]
    assert [item["columns"] for item in blocked] == [["refund"]]
    assert blocked[0]["action"] == "left_out"
    assert blocked[0]["question"]


def test_keep_turns_a_block_into_a_kept_column(bookings: Path) -> None:
    envelope = skiff_json("check", bookings, "--target", "cancelled", "--keep", "refund")
    assert "refund" not in [item["column"] for item in envelope["result"]["left_out"]]


def test_workspace_commands_tell_one_story(finished: tuple[RunOutcome, Path], bookings: Path, tmp_path: Path) -> None:
    _, folder = finished
    listed = skiff("releases", "list", "-w", folder, "--json")  # a process of its own prints the same as this one
    assert json.loads(listed.stdout) == skiff_json("releases", "list", "-w", folder)
    assert [item["number"] for item in json.loads(listed.stdout)["result"]] == [1]
    assert skiff_json("releases", "show", 1, "-w", folder)["result"]["manifest"]["number"] == 1
    assert skiff_json("releases", "compare", 1, 1, "-w", folder)["result"]["metrics"]
    assert skiff_json("data", "list", "-w", folder)["result"][0]["rows"] == 1_200
    assert skiff_json("data", "show", "-w", folder)["result"]["name"] == "bookings.csv"
    assert skiff_json("ledger", "verify", "-w", folder)["result"]["ok"] is True
    assert any(item["action"] == "evaluate" for item in skiff_json("ledger", "show", "-w", folder)["result"])
    assert any(item["path"] == "train.budget_s" for item in skiff_json("config", "-w", folder)["result"])
    answered = skiff_json("predict", bookings, "-w", folder, "-o", tmp_path / "answers.csv")["result"]
    assert answered == {**answered, "release": 1, "rows": 1_200}
    assert {"skiff_label", "skiff_probability"} <= set(pl.read_csv(tmp_path / "answers.csv").columns)


def test_settings_of_a_folder_that_is_not_there_are_not_shown(tmp_path: Path) -> None:
    refused = skiff("config", "-w", tmp_path / "mistyped")
    assert refused.returncode == 2
    assert "skiff init" in refused.stderr
    assert skiff("config", "-w", tmp_path).returncode == 0


def test_train_then_evaluate_then_release_by_hand(bookings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "by-hand"
    skiff_json("init", folder, "--target", "cancelled")
    assert (folder / "skiff.toml").exists()
    skiff_json("data", "add", bookings, "-w", folder)
    trained = skiff_json("train", "-w", folder, "--budget", "2s")["result"]
    assert trained["parity_max_abs_diff"] <= 1e-9
    judged = skiff_json("evaluate", "-w", folder)["result"]
    assert judged["release"] is None or judged["release"]["number"] is None
    released = skiff_json("evaluate", "-w", folder, "--release")["result"]
    assert released["release"]["number"] == 1
    skiff_json("data", "export", "-w", folder, "-o", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["run", "nowhere.csv", "--target", "x"], "file_not_found", "nowhere.csv"),
        (["rnu"], "misuse", "run"),
        (["releases", "list", "-w", "nowhere"], "workspace_not_found", "nowhere"),
        (["read", "x.csv", "-o", "x.docx"], "output_unknown_format", ".parquet"),
        (["train", "--budget", "soon"], "misuse", "60s"),
    ],
)
def test_misuse_gets_four_parts_and_exit_code_2(arguments: list[str], code: str, hint: str, tmp_path: Path) -> None:
    done = skiff(*arguments, "--json", cwd=tmp_path)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == code
    assert set(error) == {"code", "what", "where", "fix"}
    assert hint in json.dumps(error)
    assert "Traceback" not in done.stderr


def test_text_output_shows_no_traceback_and_no_cell(bookings: Path, tmp_path: Path) -> None:
    done = skiff("run", bookings, "--target", "canceled", "-w", tmp_path / "w")
    assert done.returncode == 2
    assert "Did you mean 'cancelled'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_interrupt_keeps_a_usable_model(bookings: Path, tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "skiff",
        "run",
        str(bookings),
        "--target",
        "cancelled",
        "--budget",
        "200s",
        "-w",
        str(tmp_path / "w"),
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Train"):
                break
        process.send_signal(2)
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    assert (tmp_path / "w" / ".skiff" / "releases" / "0001" / "model.onnx").exists()


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_version_and_help_answer() -> None:
    assert skiff("--version").stdout.startswith("skiff")
    assert "run" in skiff("--help").stdout


@pytest.mark.parametrize(("number", "code", "status"), [(errno.EACCES, "no_permission", 2), (errno.EBADF, None, 3)])
def test_what_the_system_refuses_anywhere_is_no_fault_of_skiff(
    number: int, code: str | None, status: int, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    refused = OSError(number, "refused", str(tmp_path / "orders.csv"))
    assert print_refusal(refused, command="run", is_json=True, is_debug=False) == status
    error = json.loads(capsysbinary.readouterr().out)["error"]
    assert error["code"] == (code or "internal_fault")


def test_a_part_of_a_group_is_called_the_same_whether_it_is_done_or_not(
    finished: tuple[RunOutcome, Path], tmp_path: Path
) -> None:
    _, folder = finished
    assert skiff_json("releases", "show", 1, "-w", folder)["command"] == "releases show"
    assert skiff_json("releases", "show", 9, "-w", folder, code=2)["command"] == "releases show"
    assert skiff_json("ledger", "verify", "-w", tmp_path / "none", code=2)["command"] == "ledger verify"


def test_secure_shows_lights_and_answers_machines_in_the_same_words(
    finished: tuple[RunOutcome, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "bookings"
    shutil.copytree(finished[1], folder)
    options = ["--attack", "evasion", "-w", folder]
    shown = skiff("secure", *options)
    assert shown.returncode == 0, shown.stderr
    assert "How little turns a decision over?" in shown.stdout
    assert "Not measured:" in shown.stdout
    result = skiff_json("secure", *options)["result"]
    assert result["gate"] == {"passed": True, "attacks": ["membership"], "refused": []}
    assert result["attacks"]["evasion"]["headline"] in " ".join(shown.stdout.split())
    assert result["attacks"]["evasion"]["light"] in {"red", "amber", "green"}
    assert Path(result["files"]["secure_html"]).exists()


def test_secure_without_a_release_says_how_to_get_one(tmp_path: Path) -> None:
    skiff_json("init", tmp_path / "new")
    refused = skiff_json("secure", "-w", tmp_path / "new", code=2)
    assert refused["error"]["code"] == "no_release"
