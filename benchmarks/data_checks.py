"""Profile and all checks of a large CSV from a cold start, beside the tools people use for it.

    python benchmarks/data_checks.py                     # peers that are installed below --peers; the others are skipped with a word
    python benchmarks/data_checks.py --build             # install the missing ones first, each in an environment of its own
    python benchmarks/data_checks.py --tables mixed wide tall

Ratios within one run are what counts: seconds depend on the machine and on who else uses it. What each does differs and is
said beside it; none of the peers judges leaks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from peers import Cost, Peer, build_peer, find_python, measure

from data import TABLES

TARGETS = {"mixed": "cancelled", "wide": "failed", "tall": "returned"}

PANDAS = """
import sys, pandas as pd
frame = pd.read_csv(sys.argv[1])
frame.describe(include="all"), frame.isna().sum(), frame.nunique(), frame.duplicated().sum()
frame.corr(numeric_only=True)
"""

ARROW = """
import sys, pyarrow.csv, pyarrow.compute as pc
table = pyarrow.csv.read_csv(sys.argv[1])
for column in table.columns:
    column.null_count, pc.count_distinct(column), pc.min_max(column)
"""

YDATA = """
import sys, tempfile, pandas as pd
from ydata_profiling import ProfileReport
with tempfile.TemporaryDirectory() as folder:
    ProfileReport(pd.read_csv(sys.argv[1]), minimal=True, progress_bar=False).to_file(folder + "/report.html")
"""

POINTBLANK = """
import sys, polars as pl, pointblank as pb
frame = pl.read_csv(sys.argv[1], try_parse_dates=True)
pb.DataScan(frame).to_json()
check = pb.Validate(frame)
for name in frame.columns:
    check = check.col_exists(name).col_vals_not_null(name)
check.rows_distinct().interrogate().get_json_report()
"""

PEERS = (
    Peer("pandas", ("pandas",), "pandas", PANDAS, "describe, gaps, distinct, duplicates, correlations; no judgement"),
    Peer("pyarrow", ("pyarrow",), "pyarrow", ARROW, "gaps, distinct, range of each column; no judgement"),
    Peer(
        "ydata",
        ("ydata-profiling", "setuptools<81"),
        "ydata_profiling",
        YDATA,
        "profile and alerts of single columns, HTML; no duplicates, no target (minimal mode)",
    ),
    Peer(
        "pointblank", ("pointblank", "polars"), "pointblank", POINTBLANK, "scan, and 2 rules a column and distinct rows"
    ),
)

DOES = "profile, quality, privacy, duplicates, split, leak court"


def measure_skiff(file: Path, target: str) -> Cost:
    """Return what ``skiff check`` takes from a cold start."""
    return measure([sys.executable, "-m", "skiff", "check", str(file), "--target", target, "--json"])


def compare(table: str, file: Path, *, peers: Path, names: Sequence[str], repeat: int) -> Iterator[str]:
    """Yield the rows of the comparison over one file, best of `repeat` runs taken in turn."""
    yield f"| {table} | wall s | processor s | peak MiB | wall, ratio | processor, ratio | memory, ratio | does |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    there = [
        (peer, python) for peer in PEERS if peer.name in names and (python := find_python(peer, peers)) is not None
    ]
    costs: dict[str, list[Cost]] = {}
    for _ in range(repeat):
        costs.setdefault("skiff", []).append(measure_skiff(file, TARGETS[table]))
        for peer, python in there:
            costs.setdefault(peer.name, []).append(measure([str(python), "-c", peer.script, str(file)]))
    own = min(costs["skiff"], key=lambda cost: cost.wall_s)
    yield _say("**skiff check**", own, own, DOES)
    for peer in PEERS:
        if peer.name not in costs:
            why = "not installed: --build" if peer.name in names else "left out"
            yield f"| {peer.name} | {why} | | | | | | |"
            continue
        best = min(costs[peer.name], key=lambda cost: cost.wall_s)
        yield _say(peer.name, best, own, peer.does if not best.code else f"failed ({best.code}) at: {peer.does}")


def _say(name: str, cost: Cost, own: Cost, does: str) -> str:
    ratios = (cost.wall_s / own.wall_s, cost.cpu_s / own.cpu_s, cost.peak_mib / own.peak_mib)
    told = " | ".join(f"{ratio:.1f}" for ratio in ratios)
    return f"| {name} | {cost.wall_s:.1f} | {cost.cpu_s:.1f} | {cost.peak_mib:,.0f} | {told} | {does} |"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peers", type=Path, default=Path.home() / ".cache" / "skiff-bench", help="folder of the peers"
    )
    parser.add_argument("--build", action="store_true", help="install peers that are missing")
    parser.add_argument("--tables", nargs="+", choices=sorted(TABLES), default=["mixed"])
    parser.add_argument("--only", nargs="*", default=[peer.name for peer in PEERS], help="peers to stand beside")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--files", type=Path, help="folder with tables made before (mixed.csv …); made anew by default")
    asked = parser.parse_args()
    for peer in PEERS if asked.build else ():
        if peer.name in asked.only and (trouble := build_peer(peer, asked.peers)):
            print(f"{peer.name} could not be installed: {trouble}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        for table in asked.tables:
            file = (asked.files or Path(made)) / f"{table}.csv"
            if not file.exists():
                TABLES[table](np.random.default_rng(20_260)).write_csv(file)
            # ydata and pointblank take ten minutes and more for ten thousand columns: there and for ten million rows Skiff stands alone.
            names = asked.only if table == "mixed" else []
            for line in compare(table, file, peers=asked.peers, names=names, repeat=asked.repeat):
                print(line, flush=True)
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
