"""Judging a window from a saved reference, beside Evidently and NannyML, each as a whole process in its own environment.

``python benchmarks/monitor.py [rows …]`` (100,000 and 1,000,000 by default). The peers are looked for in
``~/.cache/skiff-bench/evidently`` and ``…/nannyml``, or below ``SKIFF_PEERS``, and skipped with a word where absent.
Prints seconds of wall and processor, peak memory and ratios of the same run: ratios can be trusted, seconds depend on the day.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PEERS = Path(os.environ.get("SKIFF_PEERS", Path.home() / ".cache" / "skiff-bench"))
NUMBERS, CATEGORIES = [f"n{place}" for place in range(20)], [f"c{place}" for place in range(10)]

SKIFF_DRIFT = """
import sys, polars as pl, json
from skiff.monitor.reference import decode_reference
from skiff.monitor.drift import measure_drift
from skiff.monitor.harm import measure_harm
from skiff.store.columns import ParquetColumns
reference = decode_reference(open(sys.argv[1] + "/reference.json", "rb").read())
found = measure_drift(ParquetColumns(sys.argv[1] + "/window.parquet"), reference)
harms = [measure_harm(item.counts, reference[item.name]) for item in found]
print(json.dumps({"columns": len(found), "flagged": sum(item.chance < 0.05 / 30 for item in found)}))
"""

EVIDENTLY = """
import sys, pandas as pd, json
from evidently import Report, Dataset, DataDefinition
from evidently.presets import DataDriftPreset
folder = sys.argv[1]
numbers = [f"n{k}" for k in range(20)]; levels = [f"c{k}" for k in range(10)]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=levels)
window, before = (Dataset.from_pandas(pd.read_parquet(f"{folder}/{name}.parquet")[numbers + levels], data_definition=definition) for name in ("window", "training"))
made = Report([DataDriftPreset()]).run(window, before).dict()
print(json.dumps({"metrics": len(made["metrics"])}))
"""

SKIFF_CBPE = """
import sys, polars as pl, numpy as np, json
from skiff.monitor.reference import decode_reference
from skiff.monitor.estimate import estimate_quality
reference = decode_reference(open(sys.argv[1] + "/reference.json", "rb").read())
p = pl.read_parquet(sys.argv[1] + "/window.parquet", columns=["p"])["p"].to_numpy()
made = estimate_quality(np.stack([1 - p, p], axis=1), reference, threshold=0.5, seed=0)
print(json.dumps({name: made[name].value for name in ("roc_auc", "f1", "accuracy")}))
"""

NANNYML = """
import sys, pandas as pd, json, warnings
warnings.filterwarnings("ignore")
import nannyml
folder = sys.argv[1]
window, before = (pd.read_parquet(f"{folder}/{name}.parquet", columns=["p", "label", "y"]) for name in ("window", "sealed"))
cbpe = nannyml.CBPE(y_pred_proba="p", y_pred="label", y_true="y", problem_type="classification_binary",
                    metrics=["roc_auc", "f1", "accuracy"], chunk_number=1)
cbpe.fit(before)
made = cbpe.estimate(window.drop(columns="y")).filter(period="analysis").to_df()
print(json.dumps({name: float(made[(name, "value")].iloc[0]) for name in ("roc_auc", "f1", "accuracy")}))
"""


def draw(n: int, rng: Any, *, moved: bool) -> Any:  # noqa: ANN401  NumPy is loaded by the process that draws
    """Return 30 columns, of which nine move by a little, and the answers of a model that is too sure of itself."""
    import numpy as np
    import polars as pl

    columns: dict[str, Any] = {}
    for place, name in enumerate(NUMBERS):
        raw = rng.normal(size=n) + (0.15 if moved and place < 6 else 0.0)
        columns[name] = (raw, np.exp(raw), np.round(raw * 10), np.maximum(raw, 0))[place % 4]
    for place, name in enumerate(CATEGORIES):
        weights = 1 / np.arange(1, 4 + 5 * place) ** (0.8 if moved and place < 3 else 1.0)
        codes = rng.choice(len(weights), n, p=weights / weights.sum())
        columns[name] = pl.Series(codes).cast(pl.String)
    x = columns["n0"] + 0.5 * columns["n4"]
    columns["y"] = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(np.int64)
    columns["p"] = 1 / (1 + np.exp(-1.4 * x + 0.2))
    columns["label"] = (columns["p"] >= 0.5).astype(np.int64)
    return pl.DataFrame(columns)


def prepare(folder: Path, rows: int) -> None:
    """Write training, sealed rows, window and reference; in a process of its own, whose memory nobody inherits."""
    import msgspec
    import numpy as np

    from skiff.core.task import Task
    from skiff.data.kinds import infer_inputs
    from skiff.data.reference import build_reference
    from skiff.evaluate.yardstick import build_yardstick

    rng = np.random.default_rng(0)
    training, sealed = draw(rows, rng, moved=False), draw(50_000, rng, moved=False)
    inputs = infer_inputs(training.select(*NUMBERS, *CATEGORIES))
    task = Task(kind="binary", target="y", classes=("0", "1"), positive="1")
    both = [np.stack([1 - frame["p"].to_numpy(), frame["p"].to_numpy()], axis=1) for frame in (training, sealed)]
    body = build_reference(training, inputs, predictions=both[0])
    body["judged"] = build_yardstick(
        task, sealed["y"].to_numpy(), both[1], frame_train=training, frame_test=sealed, inputs=inputs, threshold=0.5,
        importances={}, headline="roc_auc",
    )  # fmt: skip
    (folder / "reference.json").write_bytes(msgspec.json.encode(body))
    training.write_parquet(folder / "training.parquet")
    sealed.write_parquet(folder / "sealed.parquet")
    draw(rows, rng, moved=True).write_parquet(folder / "window.parquet")


def measure(python: str, code: str, folder: Path) -> dict[str, object] | None:
    """Run code in a process of its own and return its answer, wall and processor seconds and peak megabytes."""
    if not Path(python).exists():
        return None
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([python, "-c", code, str(folder)], stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        out.seek(0)
        text = out.read().decode().strip()
    if status or not text:
        return None
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "mb": used.ru_maxrss / 1024,
        "answer": json.loads(text.splitlines()[-1]),
    }


def main() -> None:
    if sys.argv[1:2] == ["--prepare"]:
        prepare(Path(sys.argv[2]), int(sys.argv[3]))
        return
    sizes = [int(word) for word in sys.argv[1:]] or [100_000, 1_000_000]
    evidently, nannyml = (str(PEERS / name / "bin" / "python") for name in ("evidently", "nannyml"))
    for rows in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run([sys.executable, __file__, "--prepare", name, str(rows)], check=True)
            print(f"== {rows:,} rows x 30 columns", flush=True)
            pairs = (
                ("drift from a saved reference", SKIFF_DRIFT, "Evidently DataDriftPreset", evidently, EVIDENTLY),
                ("quality without outcomes", SKIFF_CBPE, "NannyML CBPE", nannyml, NANNYML),
            )
            for own, code, peer, python, theirs in pairs:
                runs = [run for _ in range(3) if (run := measure(sys.executable, code, folder)) is not None]
                if not runs:
                    print(f"{own}: failed")
                    continue
                mine = min(runs, key=lambda run: run["wall"])  # type: ignore[arg-type,return-value]  # seconds
                tell(f"Skiff, {own}", mine)
                other = measure(python, theirs, folder)
                if other is None:
                    print(f"  {peer}: skipped, not installed at {python} (or it failed)")
                    continue
                tell(peer, other)
                print(
                    f"  ratio: {other['wall'] / mine['wall']:.1f} x wall, {other['cpu'] / mine['cpu']:.1f} x processor",
                    flush=True,
                )  # type: ignore[operator]  # seconds


def tell(name: str, run: dict[str, object]) -> None:
    print(
        f"  {name}: {run['wall']:.2f} s wall, {run['cpu']:.2f} s processor, {run['mb']:.0f} MB; {run['answer']}",
        flush=True,
    )


if __name__ == "__main__":
    main()
