"""A run that is killed leaves a workspace that opens, and nothing half released."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from skiff.flows.run import run
from skiff.flows.wishes import Wishes
from skiff.flows.workspace import Workspace

KILLS = int(os.environ.get("SKIFF_KILLS", "2"))


def write_table(path: Path) -> None:
    """Write a small table with a signal."""
    chance = np.random.default_rng(3)
    x = chance.normal(size=400)
    pl.DataFrame(
        {"x": x, "z": chance.normal(size=400), "y": np.where(x + chance.normal(size=400) > 0, "yes", "no")}
    ).write_csv(path)


@pytest.mark.slow
def test_killed_at_random_points_the_workspace_stays_whole(tmp_path: Path) -> None:
    source, folder = tmp_path / "table.csv", tmp_path / "table"
    write_table(source)
    words = [sys.executable, "-m", "skiff", "run", str(source), "--target", "y", "--budget", "1s", "-w", str(folder)]
    began = time.monotonic()
    subprocess.run(words, capture_output=True, check=True)
    whole_s = time.monotonic() - began
    chance = random.Random(11)
    for kill in range(KILLS):
        with subprocess.Popen(
            [*words, "--seed", str(kill + 1)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(chance.uniform(0.05, whole_s))
            process.kill()
        with Workspace.open(folder) as workspace:
            check = workspace.verify_ledger()
            assert check.ok, f"kill {kill}: {check.reason}"
            for record in workspace.releases:
                workspace.store.releases.verify(record.number)
            assert sum(record.is_champion for record in workspace.releases) == 1
            assert not list((folder / ".skiff" / "tmp").glob("*")), "leftovers of the killed run were swept"
    outcome = run(source, Wishes(target="y", budget_s=1.0, seed=99), folder=folder)
    assert outcome.is_yes


def test_second_run_in_the_same_workspace_is_told_to_wait(tmp_path: Path) -> None:
    source, folder = tmp_path / "table.csv", tmp_path / "table"
    write_table(source)
    with Workspace.open(folder, create=True) as held, held.store.lock("run"):
        words = [
            sys.executable,
            "-m",
            "skiff",
            "run",
            str(source),
            "--target",
            "y",
            "--budget",
            "1s",
            "-w",
            str(folder),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "workspace_busy" in done.stderr
    assert "Traceback" not in done.stderr
