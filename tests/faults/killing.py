"""Kill a working process at random moments and look at what is left.

Run by ``test_kill.py``; alone: ``python tests/faults/killing.py FOLDER KILLS SEED [naive]``. It imports everything once
and forks a worker for each kill, so that a kill costs milliseconds and not a start. The worker uses the workspace as a
run does and says on a pipe what it was told is done. It is killed at random moments, KILLS times, and then in one round
before each single call that changes the disk. After each kill the parent opens the workspace and checks that

* it opens, the ledger verifies, every file has its hash, every release is whole;
* nothing that was acknowledged is lost;
* no leftovers remain, and the next publish works.

With ``naive``, releases are written straight into their place, as careless code would; the checks must then complain.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skiff.store.clock import now_utc
from skiff.store.files import write_new
from skiff.store.releases import Releases
from skiff.store.workspace import Workspace

LONGEST_S = 0.4
"""Kills fall uniformly in this time after the worker's start: some before its first step, some after several rounds."""

CALLS = ("open", "write", "fsync", "replace", "rename", "mkdir", "unlink", "fchmod", "ftruncate", "pwrite")
"""The calls of ``os`` through which Skiff changes the disk; SQLite's own are only met by the random kills."""

REAL_WRITE = os.write


@dataclass
class Tally:
    """What was acknowledged, and what was found broken."""

    kills: int = 0
    steps: int = 0
    creation_steps: int = 0
    acknowledged: int = 0
    swept: int = 0
    adopted: int = 0
    interrupted: int = 0
    datasets: set[str] = field(default_factory=set)
    records: dict[int, str] = field(default_factory=dict)
    releases: set[int] = field(default_factory=set)
    looks: int = 0
    problems: list[str] = field(default_factory=list)


def work(folder: Path, pipe: int, *, seed: int, rounds: int) -> None:
    """Use the workspace, saying what is done."""
    chance = random.Random(seed)

    def tell(kind: str, value: object) -> None:
        REAL_WRITE(pipe, json.dumps([kind, value]).encode() + b"\n")

    with Workspace.open(folder) as workspace, workspace.lock("run"):
        for _ in range(rounds):
            run_id = workspace.start_run("run")
            data = chance.randbytes(chance.randrange(1, 200_000))
            record = workspace.add_dataset(
                data,
                name="a.csv",
                source_sha256="0" * 64,
                rows=1,
                columns=1,
                reading={"seed": seed},
                provenance={},
                kinds={},
            )
            tell("dataset", record.sha256)
            entry = workspace.ledger.append("data.add", subject=record.id, result={"rows": 1}, at=now_utc())
            tell("record", [entry.seq, entry.hash])
            tell("look", workspace.count_look("d" * 64, "s" * 64))
            release = workspace.releases.publish(
                {"model.onnx": data, "evidence.jsonl": workspace.ledger.export()},
                manifest={"format": 1},
                dataset_sha=record.sha256,
                run_id=run_id,
                promote=chance.random() < 0.5,
            )
            tell("release", release.number)
            workspace.releases.promote(chance.randrange(1, release.number + 1))
            if chance.random() < 0.5 and release.number > 1:
                workspace.releases.promote(release.number)
                workspace.releases.promote(1)
                tell("champion", workspace.releases.rollback().number)
            workspace.write_report("report.html", data)
            workspace.finish_run(run_id)


def die_before_call(nth: int) -> None:
    """Let this process kill itself before the `nth` call that changes the disk."""
    left = nth

    def wrap(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrap(getattr(os, name)))


def run_worker(folder: Path, tally: Tally, *, seed: int, kill_after_s: float = 0.0, die_before: int = 0) -> bool:
    """Start a worker, see it killed, and add up what it had been told; returns whether it was killed."""
    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(reading)
        try:
            if die_before:
                die_before_call(die_before)
            work(folder, writing, seed=seed, rounds=1 if die_before else 10**9)
        except BaseException as error:  # noqa: BLE001  the parent must hear of anything that stops the worker
            REAL_WRITE(writing, json.dumps(["failed", repr(error)]).encode() + b"\n")
        os._exit(0)
    os.close(writing)
    if kill_after_s:
        time.sleep(kill_after_s)
        os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    with os.fdopen(reading, "rb") as lines:
        for line in lines.read().splitlines():
            note_told(tally, *json.loads(line))
    was_killed = os.WIFSIGNALED(status)
    tally.kills += was_killed
    return was_killed


def note_told(tally: Tally, kind: str, value: object) -> None:
    """Remember what the worker was told is done."""
    tally.acknowledged += 1
    match kind, value:
        case "dataset", str(sha256):
            tally.datasets.add(sha256)
        case "record", [int(seq), str(found)]:
            tally.records[seq] = found
        case "release", int(number):
            tally.releases.add(number)
        case "look", int(looks):
            tally.looks = looks
        case "failed", str(reason):
            tally.problems.append(reason)


def inspect(folder: Path, tally: Tally) -> None:
    """Open the workspace and hold it against what was acknowledged."""
    with Workspace.open(folder) as workspace:
        tally.swept += workspace.sweep.leftovers
        tally.adopted += len(workspace.sweep.adopted_releases)
        tally.interrupted += workspace.sweep.interrupted_runs
        tally.problems.extend(str(problem) for problem in workspace.verify().problems)
        records = {record.seq: record.hash for record in workspace.ledger.records()}
        numbers = {record.number for record in workspace.releases.list()}
        folders = {int(path.name) for path in (folder / ".skiff" / "releases").iterdir()}
        lost: dict[str, set[str] | set[int]] = {
            "datasets": tally.datasets - {record.sha256 for record in workspace.datasets.list()},
            "records": {seq for seq, found in tally.records.items() if records.get(seq) != found},
            "releases": tally.releases - numbers,
            "folders": numbers ^ folders,
            "runs": {run.id for run in workspace.runs.list() if run.status == "running"},
            "leftovers": {str(path) for path in folder.rglob(".skiff-tmp-*")},
        }
        tally.problems.extend(f"{name}: {found}" for name, found in lost.items() if found)
        if workspace.runs.read_looks("d" * 64, "s" * 64) < tally.looks:
            tally.problems.append("looks were lost")
        champion = workspace.releases.champion()
        if champion is not None and champion not in numbers:
            tally.problems.append("the champion is no release")


def write_naively(self: Releases, place: Path, files: Mapping[str, bytes]) -> None:
    """Write a release as careless code would: straight into its place."""
    del self
    place.mkdir()
    for name, data in files.items():
        write_new(place / name, data)


def kill_creation(folder: Path, tally: Tally) -> None:
    """Kill the making of a new workspace before each of its steps; making it again must work."""
    nth = 0
    was_killed = True
    while was_killed:
        nth += 1
        place = folder / f"new-{nth}"
        maker = os.fork()
        if maker == 0:
            die_before_call(nth)
            Workspace.open(place, create=True).close()
            os._exit(0)
        was_killed = os.WIFSIGNALED(os.waitpid(maker, 0)[1])
        tally.creation_steps += was_killed
        with Workspace.open(place, create=True) as workspace:
            tally.problems.extend(str(problem) for problem in workspace.verify().problems)
        tally.problems.extend(f"left: {path}" for path in place.rglob(".skiff-tmp-*"))


def main(folder: Path, kills: int, seed: int) -> Tally:
    """Kill at random and then at each step, and see at the end that the workspace still works."""
    chance = random.Random(seed)
    tally = Tally()
    Workspace.open(folder, create=True).close()
    for _ in range(kills):
        run_worker(folder, tally, seed=chance.randrange(2**31), kill_after_s=chance.uniform(0, LONGEST_S))
        inspect(folder, tally)
    step = 0
    while True:
        step += 1
        if not run_worker(folder, tally, seed=seed + step, die_before=step) or tally.problems:
            break
        inspect(folder, tally)
    tally.steps = step - 1
    if not tally.problems:
        kill_creation(folder, tally)
    with Workspace.open(folder) as workspace, workspace.lock("run"):
        workspace.releases.publish({"a": b"1"}, manifest={}, dataset_sha="0" * 64, run_id=None, promote=True)
    return tally


if __name__ == "__main__":
    if sys.argv[4:] == ["naive"]:
        Releases._write_folder = write_naively  # type: ignore[method-assign]  # the control of the experiment
    found = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    shown = {
        "kills": found.kills,
        "steps": found.steps,
        "creation_steps": found.creation_steps,
        "acknowledged": found.acknowledged,
        "datasets": len(found.datasets),
        "records": len(found.records),
        "releases": len(found.releases),
        "swept": found.swept,
        "adopted": found.adopted,
        "interrupted": found.interrupted,
        "problems": found.problems[:10],
    }
    print(json.dumps(shown))  # noqa: T201  this is a command
