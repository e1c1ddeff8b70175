"""Skiff against other automatic trainers: same rows, same seconds, same two cores, one after the other.

    python benchmarks/automl/contest.py [--budget 60] [--seeds 0 1 2] [--tools skiff autogluon flaml] [--sets adult ...]

Peers live in environments of their own (``~/.cache/skiff-bench/<tool>``, or --peers); one that is absent is skipped with a
word. Every measured result is a line of --results, so a contest that was stopped goes on where it was; --print only prints.
Loss is 1 - ROC AUC for two classes, log loss for more, RMSE for numbers; ratios are geometric means over seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from sets import HOME, SETS, Parted, read_set
from sklearn.metrics import log_loss, roc_auc_score

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "skiff-bench"
RESULTS = HERE.parent / "results" / "automl.jsonl"
MEASURED = HERE / "measured.jsonl"
"""What was measured on the machine that ``docs/explanation/automl.md`` describes; printed where nothing was measured here."""
BINS = 15
PATIENCE = 6
"""A peer may take this many times its budget before it is stopped and counted as failed."""
LOCK_PATIENCE = 7_200
"""Seconds that others may hold the lock."""


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Skiff against other automatic trainers.")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--tools", nargs="+", default=["skiff", "autogluon", "flaml"])
    parser.add_argument("--data", type=Path, default=HOME)
    parser.add_argument("--peers", type=Path, default=CACHE)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--again", action="store_true", help="measure Skiff anew even where a result is kept")
    parser.add_argument("--print", action="store_true", help="only print what was measured")
    parser.add_argument(
        "--lock", type=Path, help="hold this file's lock (flock) while a fit runs, so that timings do not overlap"
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    given = parser.parse_args(arguments)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    kept = read_results(given.results)
    for seed in [] if given.print else given.seeds:
        for name in given.sets:
            if not (given.data / SETS[name].path).exists():
                print(f"{name}: skipped, {SETS[name].path} is not on this machine")
                continue
            for tool in given.tools:
                key = (name, tool, given.budget, seed)
                if key in kept and not (given.again and tool == "skiff"):
                    continue
                result = measure(given, name, tool, seed)
                if result:
                    kept[key] = result
                    with given.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(result) + "\n")
    if not kept:
        print("Nothing was measured on this machine yet. What stands in docs/explanation/automl.md, two slow cores:")
        kept = read_results(MEASURED)
    for budget in sorted({spent for _, _, spent, _ in kept}) if given.print else [given.budget]:
        print_table(kept, given.sets, budget)


def read_results(path: Path) -> dict[tuple, dict]:
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return {(one["set"], one["tool"], one["budget"], one["seed"]): one for one in lines}


def measure(given: argparse.Namespace, name: str, tool: str, seed: int) -> dict | None:
    python = given.peers / tool.partition("_")[0] / "bin" / "python"
    if tool != "skiff" and not python.exists():
        print(f"{tool}: skipped, no environment at {python.parent.parent}")
        return None
    parted = read_set(name, given.data, seed=seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if tool == "skiff":
            script = [str(HERE / "ours.py"), str(folder), name, str(given.data), str(given.budget), str(seed)]
            command = [sys.executable, *script]
        else:
            write_rows(parted, folder)
            command = [str(python), str(HERE / "peer.py"), str(folder), tool, str(given.budget), str(seed)]
        begin = time.perf_counter()
        patience = 60 + PATIENCE * given.budget
        if given.lock:
            command = ["flock", str(given.lock), "timeout", str(patience), *command]
            patience += LOCK_PATIENCE
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=patience)
        except subprocess.TimeoutExpired:
            print(f"{name} {tool} seed {seed}: stopped, it took more than {PATIENCE} budgets")
            return None
        if done.returncode or not (folder / "answer.npy").exists():
            print(f"{name} {tool} seed {seed}: failed\n{done.stderr.decode(errors='replace')[-600:]}")
            return None
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        scores = score(parted, np.load(folder / "answer.npy"))
        print(f"{name:12} {tool:14} seed {seed} {scores} {facts}", flush=True)
        whole = {"wall_s": time.perf_counter() - begin}
        return {"set": name, "tool": tool, "budget": given.budget, "seed": seed, **scores, **facts, **whole}


def write_rows(parted: Parted, folder: Path) -> None:
    frame = parted.frame.drop(parted.excluded & set(parted.frame.columns))
    codes = parted.y if parted.task.kind == "regression" else parted.y.astype(int)
    frame = frame.with_columns(pl.Series("__target__", codes))
    frame[parted.split.train].write_parquet(folder / "train.parquet")
    frame[parted.split.test].drop("__target__").write_parquet(folder / "test.parquet")
    task = {"kind": parted.task.kind, "n_classes": len(parted.task.classes)}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")


def score(parted: Parted, answer: np.ndarray) -> dict[str, float]:
    y = parted.y[parted.split.test]
    if parted.task.kind == "regression":
        return {"loss": float(np.sqrt(np.mean((answer - y) ** 2)))}
    classes = list(range(len(parted.task.classes)))
    safe = np.clip(answer, 1e-7, 1)
    entropy = float(log_loss(y.astype(int), safe / safe.sum(axis=1, keepdims=True), labels=classes))
    if parted.task.kind == "multiclass":
        return {"loss": entropy, "log_loss": entropy}
    return {
        "loss": float(1 - roc_auc_score(y, answer[:, 1])),
        "log_loss": entropy,
        "ece": expected_calibration_error(y, answer[:, 1]),
        "ece_floor": measure_ece_floor(answer[:, 1]),
    }


def expected_calibration_error(y: np.ndarray, chance: np.ndarray) -> float:
    """Equal-width bins, weighted by rows (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = [abs(y[place == one].sum() - chance[place == one].sum()) for one in range(BINS)]
    return float(sum(gaps) / len(y))


def measure_ece_floor(chance: np.ndarray, *, draws: int = 50) -> float:
    """Return the error that chance alone would show if every stated probability were exactly right."""
    random = np.random.default_rng(0)
    made = [(random.random(len(chance)) < chance).astype(float) for _ in range(draws)]
    return float(np.mean([expected_calibration_error(y, chance) for y in made]))


def print_table(kept: dict[tuple, dict], sets: Sequence[str], budget: float) -> None:
    tools = sorted({tool for _, tool, spent, _ in kept if spent == budget}, key=lambda tool: (tool != "skiff", tool))
    peers = [tool for tool in tools if tool != "skiff"]
    print(f"\n{budget:g} seconds for each tool and set")
    print(
        f"{'set':12} {'seeds':>5} {'skiff loss':>10} "
        + " ".join(f"{'/' + tool:>15}" for tool in peers)
        + f" {'/best':>6} {'ece':>6} {'floor':>6} {'fit s':>6} {'MB':>6} {'RSS':>5} {'1 row ms':>8}"
    )
    ratios: dict[str, list[float]] = {tool: [] for tool in [*peers, "best", *(f"{tool} log loss" for tool in peers)]}
    for name in sets:
        seeds = sorted(
            seed for known, tool, spent, seed in kept if known == name and tool == "skiff" and spent == budget
        )
        ours = [kept[name, "skiff", budget, seed] for seed in seeds]
        if not ours:
            continue
        cells = []
        for tool in peers:
            mean = compare(kept, name, tool, budget, "loss")
            if mean:
                ratios[tool].append(mean)
            entropy = compare(kept, name, tool, budget, "log_loss")
            if entropy:
                ratios[f"{tool} log loss"].append(entropy)
            cells.append(f"{mean:15.3f}" if mean else f"{'-':>15}")
        best = max((compare(kept, name, tool, budget, "loss") or 0.0) for tool in peers) if peers else 0.0
        if best:
            ratios["best"].append(best)
        ece = " ".join(
            f"{np.mean([one[what] for one in ours]):6.3f}" if what in ours[0] else f"{'-':>6}"
            for what in ("ece", "ece_floor")
        )
        print(
            f"{name:12} {len(ours):5} {np.mean([one['loss'] for one in ours]):10.5g} {' '.join(cells)} {best:6.3f} {ece}"
            f" {np.mean([one['fit_s'] for one in ours]):6.1f} {np.mean([one['artifact_mb'] for one in ours]):6.2f}"
            f" {np.max([one['peak_rss_mb'] for one in ours]):5.0f} {np.mean([one['one_row_ms'] for one in ours]):8.3f}"
        )
    print_promises(kept, sets, budget)
    print_costs(kept, sets, budget)
    for name, values in ratios.items():
        if values:
            print(f"geometric mean against {name}: {math.exp(np.mean(np.log(values))):.3f} over {len(values)} sets")


def print_costs(kept: dict[tuple, dict], sets: Sequence[str], budget: float) -> None:
    """Print what Skiff took at most, and how much quicker one row is answered than by AutoGluon."""
    ours = {key: one for key, one in kept.items() if key[1] == "skiff" and key[2] == budget and key[0] in sets}
    if not ours:
        return
    files = [one["artifact_mb"] for one in ours.values()]
    quicker = [
        other["one_row_ms"] / ours[name, "skiff", budget, seed]["one_row_ms"]
        for (name, tool, spent, seed), other in kept.items()
        if tool == "autogluon" and (name, "skiff", spent, seed) in ours
    ]
    print(
        f"skiff took at most {max(one['fit_s'] for one in ours.values()) / budget:.2f} of the seconds and "
        f"{max(one['peak_rss_mb'] for one in ours.values()):.0f} MB of memory; files: median {np.median(files):.2f} MB, "
        f"largest {max(files):.2f} MB"
        + (f"; one row {min(quicker):.0f} to {max(quicker):,.0f} times as quick as AutoGluon" if quicker else "")
    )


def print_promises(kept: dict[tuple, dict], sets: Sequence[str], budget: float) -> None:
    """Print, for sets ordered in time, the promised interval of the loss and what the sealed later rows gave."""
    for (name, tool, spent, seed), result in kept.items():
        if tool == "skiff" and spent == budget and name in sets and result.get("promise"):
            low, high = result["promise"]
            found = result.get("log_loss", result["loss"])
            word = "kept" if low <= found <= high else "broken"
            print(f"{name} seed {seed}: promised {low:.4g} to {high:.4g} on later rows, found {found:.4g}: {word}")


def compare(kept: dict[tuple, dict], name: str, tool: str, budget: float, what: str) -> float | None:
    """Return the geometric mean over seeds of our loss by the peer's."""
    logs = []
    for (known, one, spent, seed), result in kept.items():
        ours = kept.get((name, "skiff", budget, seed))
        if known == name and one == tool and spent == budget and ours and what in result and result[what] > 0:
            logs.append(math.log(max(ours[what], 1e-12) / result[what]))
    return math.exp(np.mean(logs)) if logs else None


if __name__ == "__main__":
    main(sys.argv[1:])
