"""The log is open in several processes at once, and none of them takes the locks of another away."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.predictions.reader import PredictionReader
from skiff.store.predictions.records import Outcome, PredictionRow

READ = """
import sys
from pathlib import Path
from skiff.store.predictions.log import open_store
from skiff.store.predictions.reader import PredictionReader
with PredictionReader(open_store(Path(sys.argv[1]))) as reader:
    print(reader.read_window().height)
"""


def _row(log: PredictionLog, at: int) -> PredictionRow:
    return PredictionRow(id=log.ids.make(at), at=at, release=1, role="champion", label="yes", value=0.7)


def test_another_process_that_reads_and_leaves_does_not_cost_a_writer_its_locks(tmp_path: Path) -> None:
    start = time.time_ns() // 1000
    with PredictionLog(open_store(tmp_path), clock=lambda: start) as log:
        known: list[str] = []
        for turn in range(3):
            rows = [_row(log, start + 1_000 * turn + place) for place in range(200)]
            log.append(rows)  # the writing thread keeps its connection open
            # Taking outcomes opens and closes a second connection in this process: closing any handle of the file that is
            # not SQLite's own would drop the locks of the first.
            log.add_outcomes([Outcome(id=row.id, value="no") for row in rows[:50]])
            known += [row.id for row in rows]
            done = subprocess.run(
                [sys.executable, "-c", READ, str(tmp_path)], capture_output=True, text=True, check=False
            )  # the last to close a database whose other users hold no lock removes its write-ahead log
            assert done.returncode == 0, done.stderr
            assert int(done.stdout) == len(known)
        report = log.add_outcomes([Outcome(id=name, value="yes") for name in known])
        assert report.count("unknown") == 0
    with PredictionReader(open_store(tmp_path)) as reader:
        found = reader.read_window()
    assert found["id"].to_list() == known
    assert found["outcome"].to_list() == ["yes"] * len(known)
