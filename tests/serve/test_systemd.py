"""Under systemd: the units that the manual shows, and a socket that another process lends."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Served, wait_until

MANUAL = Path(__file__).parents[2] / "docs" / "how-to" / "serve.md"
LEND = """
import os, socket, sys
lent = socket.socket(); lent.bind((sys.argv[1], 0)); lent.listen()
print(lent.getsockname()[1], flush=True)
os.dup2(lent.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "skiff", "serve", "-w", sys.argv[2]])
"""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_understands_the_units_of_the_manual(tmp_path: Path) -> None:
    units = re.findall(
        r"```ini\n# /etc/systemd/system/(skiff\.\w+)\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL
    )
    assert [name for name, _ in units] == ["skiff.socket", "skiff.service"]
    for name, text in units:  # the program and the person need not be on this machine
        told = text.replace("/srv/skiff/bin/skiff", sys.executable).replace("User=skiff", "User=root")
        (tmp_path / name).write_text(told)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name, _ in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "skiff." in line]
    assert (done.returncode, said) == (0, [])


def start_lent(host: str, folder: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", LEND, host, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_a_lent_socket_is_answered_on(folder: Path) -> None:
    process, port = start_lent("127.0.0.1", folder)
    served = Served(process=process, port=port, folder=folder, log=folder)  # type: ignore[arg-type]  # as text

    def is_ready() -> bool:
        return served.ask("GET", "/health/ready")[0] == 200  # the kernel queues it until the server is there

    wait_until(is_ready)
    assert served.predict()[0] == 200
    assert served.stop() == 0
    _, said = process.communicate()
    assert f"http://127.0.0.1:{port}" in said


def test_a_lent_socket_that_others_reach_needs_a_key(folder: Path) -> None:
    process, _ = start_lent("0.0.0.0", folder)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "skiff keys create" in said
