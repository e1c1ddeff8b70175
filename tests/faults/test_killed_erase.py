"""An erasure that is killed at any moment goes on when it is asked for again; the champion answers meanwhile, or says why not."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.faults.killing import CALLS, die_before_call
from tests.flows.test_erase import BUDGET_S, GUESTS, find_bytes, find_learned, log_guests, name_guest, read_table

from skiff.core.errors import SkiffError
from skiff.flows import encryption
from skiff.flows.erase import Justification, erase
from skiff.flows.run import run
from skiff.flows.standing import open_standing
from skiff.flows.wishes import Wishes
from skiff.store import vault as vaults
from skiff.store.champion import ReleaseShelf
from skiff.store.workspace import Workspace

KILLS = min(int(os.environ.get("SKIFF_KILLS", "1")), 20)
STEPS = int(os.environ.get("SKIFF_ERASE_STEPS", "2"))
"""Steps of an erasure at which it is killed, spread over all of them."""

LATER = Justification(why="the data of spring", until="2999-01-01")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    GUESTS.write_csv(folder / "guests.csv")
    run(folder / "guests.csv", Wishes(target="cancelled", budget_s=BUDGET_S), folder=folder / "guests")
    log_guests(folder / "guests")
    return folder / "guests"


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def trained(request: pytest.FixtureRequest, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("client")
    shutil.copytree(plain, folder / "guests")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "encrypted":
            patch.setenv("SKIFF_PASSPHRASE", "five words that do not belong")
            patch.setattr(vaults, "SCRYPT_N", 1 << 10)
            encryption.encrypt(folder / "guests", tell=[].append)
            shutil.rmtree(folder / "guests" / "reports")  # plain on purpose
        yield folder / "guests"


def look(folder: Path) -> None:
    """See that the workspace opens, its ledger is whole, and its champion answers or says why it does not."""
    with Workspace.open(folder) as opened:
        assert opened.ledger.verify().ok
        champion = opened.releases.champion()
        box = opened.box
    assert champion is not None
    try:
        open_standing(ReleaseShelf(folder / ".skiff", box=box), champion, keep="none")
    except SkiffError as error:
        assert error.code == "release_erased"  # noqa: PT017  either is right


def finish(folder: Path, name: str, *, justification: Justification | None) -> None:
    made = erase(folder, name, justification=justification, budget_s=BUDGET_S)
    assert made.certificate.is_complete, (made.certificate.search.hits, made.certificate.models)
    assert find_bytes(folder, name) == []
    if (folder / ".skiff" / "vault.json").exists():
        plain = Path(shutil.copytree(folder, folder.with_name(f"{folder.name}-plain")))
        encryption.decrypt(plain, tell=[].append)
        assert find_bytes(plain, name) == []
    table = read_table(folder)
    assert table.equals(GUESTS.filter(pl.col("guest") != name).select(table.columns))
    with Workspace.open(folder) as opened:
        check = opened.verify()
        assert check.ok, check.problems
        assert opened.erasures.read().running == {}


@pytest.mark.slow
def test_killed_at_random_moments_it_goes_on(trained: Path, tmp_path: Path) -> None:
    name = name_guest(find_learned(trained))
    words = [sys.executable, "-m", "skiff", "erase", "--subject", name, "--yes", "--budget", "1s", "--json", "-w"]
    timed = Path(shutil.copytree(trained, tmp_path / "timed"))
    began = time.monotonic()
    subprocess.run([*words, str(timed)], capture_output=True, check=True)
    whole_s = time.monotonic() - began
    chance = random.Random(5)
    for kill in range(KILLS):
        folder = Path(shutil.copytree(trained, tmp_path / f"killed-{kill}"))
        with subprocess.Popen([*words, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(chance.uniform(0.2 * whole_s, whole_s))
            process.kill()
        look(folder)
        finish(folder, name, justification=None)


@pytest.mark.slow
def test_killed_before_single_steps_it_goes_on(trained: Path, tmp_path: Path) -> None:
    name = name_guest(find_learned(trained))
    steps = int(work(Path(shutil.copytree(trained, tmp_path / "counted")), name, die_before=0).stdout)
    assert steps > STEPS
    for step in sorted({round(1 + place * (steps - 1) / max(1, STEPS - 1)) for place in range(STEPS)}):
        folder = Path(shutil.copytree(trained, tmp_path / f"step-{step}"))
        assert work(folder, name, die_before=step).returncode == -signal.SIGKILL, step
        look(folder)
        finish(folder, name, justification=LATER)
        shutil.rmtree(folder)


def work(folder: Path, name: str, *, die_before: int) -> subprocess.CompletedProcess[str]:
    """Erase in a process of its own, which a library with threads needs; it dies before a step, or counts the steps."""
    words = [sys.executable, __file__, str(folder), name, str(die_before)]
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": paths}
    )


def count_calls() -> list[int]:
    """Count the calls of ``os`` that change the disk from now on."""
    counted = [0]

    def wrap(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            counted[0] += 1
            return real(*arguments, **options)

        return call

    for called in CALLS:
        setattr(os, called, wrap(getattr(os, called)))
    return counted


if __name__ == "__main__":
    steps = count_calls()
    if int(sys.argv[3]):
        die_before_call(int(sys.argv[3]))
    erase(Path(sys.argv[1]), sys.argv[2], justification=LATER)
    print(steps[0])  # noqa: T201  this is a command
