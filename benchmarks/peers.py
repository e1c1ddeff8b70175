"""Other people's tools, each in an environment of its own, and what a command takes: wall, processor and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs; the checkout should be no worse off

MIB = 1024.0


@dataclass(frozen=True)
class Peer:
    """A tool to stand beside.

    Parameters
    ----------
    name : str
        Of its folder below the folder of peers, and in the table.
    packages : tuple of str
        What pip installs there.
    module : str
        What must be importable for it to count as there.
    script : str
        What it does with the file named first on its command line.
    does : str
        The same in a few words.
    """

    name: str
    packages: tuple[str, ...]
    module: str
    script: str
    does: str


@dataclass(frozen=True)
class Cost:
    """What one command took, from its cold start to its end."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    code: int


def build_peer(peer: Peer, folder: Path) -> str:
    """Make the environment of a peer once; return what went wrong, or nothing."""
    home = folder / peer.name
    if find_python(peer, folder):
        return ""
    home.parent.mkdir(parents=True, exist_ok=True)
    for command in (
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "python"), "-m", "pip", "install", "-q", *peer.packages],
    ):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            return made.stderr.strip().splitlines()[-1] if made.stderr.strip() else "pip failed"
    return ""


def find_python(peer: Peer, folder: Path) -> Path | None:
    """Return the interpreter of a peer that is installed, else None."""
    python = folder / peer.name / "bin" / "python"
    if not python.exists():
        return None
    asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({peer.module!r}) is None)"
    return python if subprocess.run([str(python), "-c", asked], check=False).returncode == 0 else None


def measure(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end and return what it took; its children count too."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = time.perf_counter()
    process = subprocess.Popen(list(command), env={**os.environ, **(env or {})}, **quiet)  # type: ignore[call-overload]
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss / MIB / (MIB if sys.platform == "darwin" else 1.0)  # bytes there, KiB elsewhere
    return Cost(wall_s=wall, cpu_s=used.ru_utime + used.ru_stime, peak_mib=peak, code=process.returncode)
