"""Encrypting, decrypting and changing the key survive kill -9 at any moment: the same command ends what was begun."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.flows import encryption
from skiff.store import vault as vaults
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.predictions.records import Outcome, PredictionRow
from skiff.store.workspace import Workspace

from .killing import die_before_call

AT = "2026-03-01T09:00:00.000000Z"
START = 1_767_225_600_000_000
MONTH = 31 * 86_400_000_000
WORD = b"Wilhelmina Featherstonehaugh"
RANDOM_KILLS = int(os.environ.get("SKIFF_KILLS", "4"))
STRIDE = 6 if "SKIFF_KILLS" in os.environ else 3
"""Each of the first calls is met, then a sample: the smaller, the sparser."""

Content = tuple[object, ...]


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the passphrase, and stretch it cheaply."""
    monkeypatch.setenv("SKIFF_PASSPHRASE", "five words that do not belong")
    monkeypatch.setattr(vaults, "SCRYPT_N", 1 << 10)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Return a small workspace with something in every place."""
    root = tmp_path / "plain"
    with Workspace.open(root, create=True) as workspace:
        record = workspace.add_dataset(
            WORD * 9_000, name="guests.csv", source_sha256="1" * 64, rows=1, columns=1,
            reading={"name": WORD.decode()}, provenance={}, kinds={},
        )  # fmt: skip
        workspace.objects.put(WORD)
        for _ in range(2):
            workspace.ledger.append("check", subject=WORD.decode(), result={"rows": 1}, at=AT)
            workspace.releases.publish(
                {"model.onnx": WORD, "evidence.jsonl": workspace.ledger.export()},
                manifest={"format": 1}, dataset_sha=record.sha256, run_id=None, promote=True,
            )  # fmt: skip
        workspace.count_look(record.sha256, "2" * 64)
        workspace.windows.write_state("watch", {"word": WORD.decode()})
    maker = IdMaker()
    with PredictionLog(open_store(root / SKIFF_FOLDER), clock=lambda: START) as log:
        for month in range(3):
            at = START + month * MONTH
            rows = [
                PredictionRow(
                    id=maker.make(at), at=at, release=1, role="champion", key=f"B-{n}", subject=WORD.decode(),
                    inputs=f'{{"guest":"{WORD.decode()}"}}', label=WORD.decode(), value=0.5,
                )
                for n in range(40)
            ]  # fmt: skip
            log.append(rows)
            log.add_outcomes([Outcome(id=row.id, value=WORD.decode()) for row in rows[:20]])
    return root


def read_all(root: Path) -> Content:
    """Return everything the workspace says, whichever box it is in."""
    with Workspace.open(root) as workspace:
        check = workspace.verify()
        assert check.ok, check.problems
        with PredictionReader(open_store(root / SKIFF_FOLDER, box=workspace.box)) as reader:
            log = reader.read_window().sort("id").rows()
        return (
            [workspace.objects.get(name) for name in sorted(workspace.objects.list())],
            [workspace.releases.read_file(number, "model.onnx") for number in (1, 2)],
            workspace.releases.champion(),
            workspace.datasets.list(),
            [record for record in workspace.ledger.records() if record.action != "encrypt"],
            workspace.windows.read_state("watch"),
            log,
        )


def find_plain(root: Path) -> list[str]:
    """Return the files in which the word can be read."""
    return [path.name for path in (root / SKIFF_FOLDER).rglob("*") if path.is_file() and WORD in path.read_bytes()]


def quiet(part: str) -> None:
    """Tell nobody."""
    del part


COMMANDS: dict[str, Callable[[Path], object]] = {
    "encrypt": lambda root: encryption.encrypt(root, tell=quiet),
    "decrypt": lambda root: encryption.decrypt(root, tell=quiet),
    "rotate": lambda root: encryption.rotate(root, tell=quiet),
}


def run_and_die(command: str, root: Path, *, die_before: int = 0, kill_after_s: float = 0.0) -> bool:
    """Run a command in a process that is killed; returns whether it was."""
    worker = os.fork()
    if worker == 0:
        try:
            if die_before:
                die_before_call(die_before)
            COMMANDS[command](root)
        finally:
            os._exit(0)
    if kill_after_s:
        time.sleep(kill_after_s)
        os.kill(worker, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(worker, 0)[1])


def finish(command: str, root: Path, before: Content) -> None:
    """Fail unless what a killed command left can be ended, and nothing is lost by it."""
    try:
        Workspace.open(root).close()
        is_done = (root / SKIFF_FOLDER / "vault.json").exists() == (command != "decrypt")
    except SkiffError as error:
        assert error.code == "encryption_unfinished"  # noqa: PT017  both ways are right
        is_done = False
    if not is_done:
        COMMANDS[command](root)
    assert read_all(root) == before
    assert (find_plain(root) == []) == (command != "decrypt")
    left = list((root / SKIFF_FOLDER).rglob(".skiff-tmp-*"))
    assert left == []


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_conversion_that_was_killed_is_ended_by_the_same_command(command: str, plain: Path, tmp_path: Path) -> None:
    assert find_plain(plain)
    before = read_all(plain)
    source = tmp_path / "source"
    shutil.copytree(plain, source)
    if command != "encrypt":
        encryption.encrypt(source, tell=quiet)
    root = tmp_path / "w"
    nth, kills = 1, 0
    while True:
        shutil.copytree(source, root)
        was_killed = run_and_die(command, root, die_before=nth)
        finish(command, root, before)
        shutil.rmtree(root)
        if not was_killed:
            break
        kills += 1
        nth += 1 + nth // STRIDE
    chance = random.Random(7)
    shutil.copytree(source, root)
    began = time.monotonic()
    COMMANDS[command](root)
    longest_s = time.monotonic() - began
    shutil.rmtree(root)
    for _ in range(RANDOM_KILLS):  # SQLite's own writes are met by these only
        shutil.copytree(source, root)
        kills += run_and_die(command, root, kill_after_s=chance.uniform(0.0, longest_s))
        finish(command, root, before)
        shutil.rmtree(root)
    assert kills > RANDOM_KILLS
