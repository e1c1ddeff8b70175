"""The commands about persons, as a person or a script calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    pl.DataFrame(
        {"email": [f"guest{row:04d}@example.org" for row in range(80)], "nights": [row % 7 for row in range(80)]}
    ).write_csv(tmp_path / "guests.csv")
    words = ["data", "add", str(tmp_path / "guests.csv"), "--purpose", "plan rooms", "--keep-for", "2y"]
    assert call(*words, folder=tmp_path / "w")["ok"]
    return tmp_path / "w"


def call(*words: str, folder: Path, given: str = "", code: int = 0) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "skiff", *words, "--json", "-w", str(folder)],
        capture_output=True,
        text=True,
        input=given,
        check=False,
        env={**os.environ},
    )
    assert done.returncode == code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_an_erasure_is_asked_for_twice_and_read_from_standard_input(workspace: Path) -> None:
    refused = call("erase", "--subject", "guest0007@example.org", folder=workspace, code=2)
    assert refused["error"]["code"] == "erasure_not_confirmed"
    plan = call("erase", "--subject", "-", "--dry-run", folder=workspace, given="guest0007@example.org\n")
    assert plan["result"]["found"]["datasets"] == 1
    made = call("erase", "--subject", "-", "--yes", folder=workspace, given="guest0007@example.org\n")
    assert made["result"]["is_complete"]
    assert "guest0007" not in json.dumps(made)
    checked = subprocess.run(
        [sys.executable, "-m", "skiff", "verify", made["result"]["files"]["json"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0
    assert "The certificate is as it was signed." in checked.stdout


def test_what_was_said_at_import_is_kept_and_changed(workspace: Path) -> None:
    assert call("data", "terms", folder=workspace)["result"]["keep_days"] == 730.5
    changed = call("data", "terms", "--column", "email", "--keep-for", "90d", folder=workspace)["result"]
    assert changed["columns"]["email"]["keep_days"] == 90
    assert changed["purpose"] == "plan rooms"
    assert [item["column"] for item in call("retention", folder=workspace)["result"]["due"]] == ["email", ""]
    assert call("data", "terms", "--keep-for", "soon", folder=workspace, code=2)["error"]["code"] == "span_unreadable"
    assert (
        call("data", "terms", "--column", "mail", "--keep-for", "1y", folder=workspace, code=2)["error"]["code"]
        == "column_not_found"
    )


def test_a_misspelt_term_is_named(workspace: Path) -> None:
    settings = workspace / "skiff.toml"
    settings.write_text(settings.read_text().replace("keep_days", "keep_day"))
    told = call("retention", folder=workspace, code=2)["error"]
    assert told["code"] == "setting_unknown"
    assert "keep_days" in told["fix"]
