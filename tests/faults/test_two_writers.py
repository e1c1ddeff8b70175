"""Two at once: one works, the other is told; what does not exclude each other adds up."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from skiff.store.workspace import Workspace

APPENDS = 15

APPEND = """
import sys
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace:
    for n in range(int(sys.argv[2])):
        workspace.ledger.append("check", subject=sys.argv[3], result={"n": n}, at=now_utc())
        workspace.count_look("d" * 64, "s" * 64)
"""

HOLD = """
import sys
from skiff.store.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace, workspace.lock("run"):
    print("holding", flush=True)
    sys.stdin.read()
"""

TRY = """
import sys
from skiff.core.errors import SkiffError
from skiff.store.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace:
    try:
        with workspace.lock("train"):
            print("given")
    except SkiffError as error:
        print(error.code, error.what)
    print(len(workspace.datasets.list()))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_records_and_looks_of_two_processes_add_up(tmp_path: Path) -> None:
    folder = tmp_path / "bookings"
    Workspace.open(folder, create=True).close()
    writers = [start(APPEND, folder, APPENDS, name) for name in ("one", "two")]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    with Workspace.open(folder) as workspace:
        check = workspace.ledger.verify()
        assert check.ok, check.reason
        assert check.n == 2 * APPENDS
        assert workspace.runs.read_looks("d" * 64, "s" * 64) == 2 * APPENDS


def test_a_second_run_is_refused_at_once_and_reading_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "bookings"
    Workspace.open(folder, create=True).close()
    holder = start(HOLD, folder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    refused, _ = start(TRY, folder).communicate(timeout=60)
    assert refused.startswith("workspace_busy Another Skiff command ('run' by ")
    assert f"process {holder.pid}" in refused
    assert refused.endswith("\n0\n")
    holder.kill()
    holder.communicate()
    given, _ = start(TRY, folder).communicate(timeout=60)
    assert given == "given\n0\n"


def test_making_a_workspace_from_two_processes_at_once_makes_one(tmp_path: Path) -> None:
    code = "import sys; from skiff.store.workspace import Workspace\nWorkspace.open(sys.argv[1], create=True).close()"
    began = time.monotonic()
    makers = [start(code, tmp_path / "bookings") for _ in range(2)]
    for maker in makers:
        _, errors = maker.communicate(timeout=120)
        assert maker.returncode == 0, errors
    assert time.monotonic() - began < 60
    with Workspace.open(tmp_path / "bookings") as workspace:
        assert workspace.verify().ok
