"""kill -9 at random moments loses nothing that was acknowledged and leaves nothing half made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLS = int(os.environ.get("SKIFF_KILLS", "5"))


def run_killing(folder: Path, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("killing.py")), str(folder)]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_workspace_survives_being_killed_at_random_moments_and_before_its_steps(tmp_path: Path) -> None:
    found = run_killing(tmp_path / "bookings", KILLS, 1)
    assert found["problems"] == []
    assert found["steps"] > 30
    assert found["creation_steps"] > 15
    assert found["kills"] == KILLS + found["steps"]
    assert found["adopted"] > 0  # every step was tried, the one between publishing and recording too
    assert found["swept"] > 0


def test_careless_writing_would_be_noticed(tmp_path: Path) -> None:
    assert run_killing(tmp_path / "bookings", 0, 1, "naive")["problems"] != []
