"""Which light models get whose memory is known: the table in docs/explanation/attacks.md.

Half of 20,000 rows of the census are learned from by each of 16 shadows, the other half not; each shadow is attacked by all others.

    python benchmarks/attacks.py            # about ten minutes on two slow cores
    python benchmarks/attacks.py --write    # also into docs/explanation/attacks.md
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skiff.core.measurement import Measurement
from skiff.secure.membership import draw_members
from skiff.secure.price import Shadows, attack_shadows

SHARED = Path(os.environ.get("SKIFF_SHARED_DATA", "../shared/data"))
PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "attacks.md"
MARKS = ("<!-- table: written by benchmarks/attacks.py -->", "<!-- end of table -->")
N_ROWS, N_MODELS = 20_000, 16
QUIET = {"verbose": -1, "num_threads": 1}

MODELS: dict[str, Callable[[int], Any]] = {  # Any: estimators of three libraries
    "tree, unpruned": lambda seed: DecisionTreeClassifier(random_state=seed),
    "1-NN": lambda _: make_pipeline(StandardScaler(), KNeighborsClassifier(1)),
    "random forest, full depth": lambda seed: RandomForestClassifier(random_state=seed, n_jobs=1),
    "LightGBM, 255 leaves, 500 rounds": lambda seed: LGBMClassifier(
        num_leaves=255, n_estimators=500, random_state=seed, **QUIET
    ),
    "LightGBM, defaults": lambda seed: LGBMClassifier(random_state=seed, **QUIET),
    "LightGBM, 15 leaves of 100 rows": lambda seed: LGBMClassifier(
        num_leaves=15, min_child_samples=100, random_state=seed, **QUIET
    ),
    "tree of depth 4, leaves of 100 rows": lambda seed: DecisionTreeClassifier(
        max_depth=4, min_samples_leaf=100, random_state=seed
    ),
    "logistic regression": lambda _: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
}


def read_census() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the census as numbers: of texts their place in the alphabet."""
    frame = pl.read_csv(SHARED / "classification" / "adult_census.csv.gz", infer_schema_length=None)
    frame = frame.sample(N_ROWS, seed=0)
    columns = [
        column if column.dtype.is_numeric() else column.fill_null("").rank("dense") for column in frame.iter_columns()
    ]
    named = {column.name: column.cast(pl.Float64).fill_null(-1).to_numpy() for column in columns}
    y = named.pop("income")
    return np.stack([*named.values()], axis=1), y - y.min()


def say(found: Measurement | None, digits: int = 1) -> str:
    """Return a rate with its range, in percent."""
    if found is None:
        return ""
    return f"{100 * found.value:.{digits}f} % ({100 * (found.low or 0):.{digits}f} to {100 * (found.high or 0):.{digits}f})"


def measure(make: Callable[[int], Any], X: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Return the cells of one row of the table."""
    members = draw_members(len(y), N_MODELS, seed=0)
    answers = np.stack([make(seed).fit(X[row], y[row]).predict_proba(X) for seed, row in enumerate(members)])
    found = attack_shadows(Shadows(answers=answers, members=members, y=y, kind="binary"))
    lead = found.advantage
    return f"{lead.value:.3f} ({lead.low:.3f} to {lead.high:.3f}) | {say(found.rate)} | {say(found.low_rate, 2)} | {found.light}"


def main() -> int:
    """Measure each model and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"also write it into {PAGE.name}")
    is_written = parser.parse_args().write
    X, y = read_census()
    lines = ["| model | lead | rate at 1 % | rate at 0.1 % | light |", "| --- | --- | --- | --- | --- |"]
    print("\n".join(lines))
    for name, make in MODELS.items():
        began = time.process_time()
        lines.append(f"| {name} | {measure(make, X, y)} |")
        print(lines[-1], flush=True)
        print(f"  {time.process_time() - began:.0f} processor seconds", file=sys.stderr)
    if is_written:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(MARKS[0])
        _, after = rest.split(MARKS[1])
        PAGE.write_text("\n".join([f"{before}{MARKS[0]}", "", *lines, "", f"{MARKS[1]}{after}"]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
