"""Start-up: ``skiff --help`` and ``import skiff`` against a bare interpreter, in one run.

Run: ``python benchmarks/start.py``. Prints medians of nine whole processes and their ratio to the interpreter alone.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs; the checkout should be no worse off

RUNS = 9
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import skiff": ["-c", "import skiff"],
    "import click": ["-c", "import click"],
    "skiff --help": ["-m", "skiff", "--help"],
    "import numpy": ["-c", "import numpy"],
    "import polars": ["-c", "import polars"],
    "import sklearn": ["-c", "import sklearn.pipeline"],
    "import lightgbm": ["-c", "import lightgbm"],
}


def main() -> None:
    """Measure in turns, so that a busy moment hits all alike."""
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, words in COMMANDS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            spent[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in spent.items()}
    bare = medians["bare interpreter"]
    print(f"{'process':<18}{'median ms':>10}{'× bare':>8}")
    for name, median in medians.items():
        print(f"{name:<18}{median * 1000:>10.0f}{median / bare:>8.1f}")


if __name__ == "__main__":
    main()
