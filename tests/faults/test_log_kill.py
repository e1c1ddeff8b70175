"""Kill -9 a process that logs predictions and outcomes: what it was told is kept must be there.

``SKIFF_KILLS`` makes it longer; `make soak` uses 200.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from pathlib import Path

from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import EVER, PredictionLog, open_store
from skiff.store.predictions.records import Outcome, PredictionRow

KILLS = int(os.environ.get("SKIFF_KILLS", "8"))
LONGEST_S = 0.15


def work(folder: Path, pipe: int, seed: int) -> None:
    """Log without end, saying on the pipe what was acknowledged."""
    chance, maker = random.Random(seed), IdMaker()  # one row alone is written as a server does it, in place
    store = open_store(folder)
    with PredictionLog(store, clock=lambda: time.time_ns() // 1000) as log:
        while True:
            at = time.time_ns() // 1000
            rows = [
                PredictionRow(id=maker.make(at), at=at, release=1, role="champion", value=0.5, label="yes", inputs="{}")
                for _ in range(chance.choice([1, 1, 1, 30, 400]))
            ]
            if len(rows) > 1 or not log.try_append(rows):
                log.append(rows)
            os.write(pipe, "".join(f"p {row.id}\n" for row in rows).encode())
            log.add_outcomes([Outcome(id=rows[0].id, value="yes")])
            os.write(pipe, f"o {rows[0].id}\n".encode())


def run_and_kill(folder: Path, seed: int, after_s: float) -> list[str]:
    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(reading)
        try:
            work(folder, writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        deadline = time.monotonic() + after_s
        os.set_blocking(told.fileno(), False)
        heard = b""
        while time.monotonic() < deadline:
            heard += told.read() or b""
            time.sleep(0.002)
        os.kill(worker, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(worker, 0)[1]), "the worker failed by itself"
        os.set_blocking(told.fileno(), True)
        heard += told.read()
    return heard.decode().rpartition("\n")[0].splitlines()


def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    chance = random.Random(5)
    told: list[str] = []
    for _ in range(KILLS):
        told += run_and_kill(tmp_path, chance.randrange(2**31), chance.uniform(0.02, LONGEST_S))
    store = open_store(tmp_path)
    rows = store.read(0, EVER)
    store.close()
    kept = {f"p {row.prediction.id}" for row in rows} | {f"o {row.prediction.id}" for row in rows if row.outcome}
    assert len(told) > KILLS
    assert set(told) <= kept
    for path in (tmp_path / "predictions").glob("*.db"):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
