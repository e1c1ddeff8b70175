"""Reading a CSV with its types and writing Parquet, beside the readers people use for it.

python benchmarks/data.py --make mixed -o mixed.csv
python benchmarks/reading.py mixed.csv --peers DIR --build

A peer runs in its own environment below DIR; one that is absent is skipped with a word. Ratios and CPU time carry over to
other machines, seconds do not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from peers import Cost, Peer, build_peer, find_python, measure

TURNS = 3

PEERS = (
    Peer("pyarrow", ("pyarrow",), "pyarrow.csv", "import sys, pyarrow.csv as c, pyarrow.parquet as q; q.write_table(c.read_csv(sys.argv[1]), sys.argv[2])",
         "read_csv, write_table"),
    Peer("pandas", ("pandas", "pyarrow"), "pyarrow", "import sys, pandas as pd; pd.read_csv(sys.argv[1]).to_parquet(sys.argv[2])",
         "read_csv, to_parquet"),
    Peer("polars", ("polars",), "polars", "import sys, polars as pl; pl.read_csv(sys.argv[1], try_parse_dates=True).write_parquet(sys.argv[2])",
         "read_csv, write_parquet"),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--peers", type=Path, default=Path("peers"), help="folder of the peers' environments")
    parser.add_argument("--build", action="store_true", help="install the peers that are absent")
    args = parser.parse_args()
    source = str(args.source.resolve())
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "out.parquet")
        commands = {"skiff read": [sys.executable, "-m", "skiff", "read", source, "-o", output, "--json"]}
        for peer in PEERS:
            problem = build_peer(peer, args.peers) if args.build else ""
            python = find_python(peer, args.peers)
            if python is None:
                print(f"{peer.name}: skipped, {problem or f'not installed below {args.peers}'}")
            else:
                commands[peer.name] = [str(python), "-c", peer.script, source, output]
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(TURNS):  # in turn, so that a busy moment meets all of them
            for name, command in commands.items():
                costs[name].append(measure(command))
    print_costs(costs)


def print_costs(costs: dict[str, list[Cost]]) -> None:
    """Print the best turn of each reader, and its CPU time as a multiple of the first peer's."""
    best = {name: min(turn.cpu_s for turn in turns) for name, turns in costs.items()}
    base = next((name for name in best if name != "skiff read"), "skiff read")
    print(f"{'reader':<12}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'x ' + base:>11}")
    for name, turns in costs.items():
        failed = any(turn.code for turn in turns)
        wall, peak = min(turn.wall_s for turn in turns), min(turn.peak_mib for turn in turns)
        print(
            f"{name:<12}{wall:>8.2f}{best[name]:>8.2f}{peak:>9.0f}{best[name] / best[base]:>11.2f}{'  failed' * failed}"
        )


if __name__ == "__main__":
    main()
