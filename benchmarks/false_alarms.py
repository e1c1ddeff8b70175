"""Does the budget hold, and what is found? Null months through the real judge, and planted shifts of stated size.

``python benchmarks/false_alarms.py [all|null|planted] [months] [workers]`` judges the windows of a month, again and again with a new training table each
time, in which nothing changes, and counts false alarms; then months with one planted change in one of 30 columns, and counts
in how many it is found, and how soon. Prints the tables of docs/explanation/monitoring.md.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import msgspec
import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.task import Task
from skiff.data.kinds import infer_inputs
from skiff.data.reference import build_reference
from skiff.evaluate.intervals import find_wilson_interval
from skiff.evaluate.yardstick import build_yardstick
from skiff.monitor.delivered import measure_delivered
from skiff.monitor.reference import Reference, decode_reference
from skiff.monitor.results import WindowReport
from skiff.monitor.window import Window, judge_window, sum_earlier

N_NUMBERS, N_CATEGORIES = 20, 10
TRAIN_ROWS, SEALED_ROWS, DAY_ROWS, DAYS = 4_000, 1_000, 500, 5
DAYS_EACH = 6.0
"""Five windows of six days are a month; the budget does not depend on how a month is cut (windows of a day, thirty of them,
cost six times as long)."""
TASK = Task(kind="binary", target="bought", classes=("no", "yes"), positive="yes")
THRESHOLD = 0.5

SHIFTS: dict[str, tuple[str, float]] = {
    "none": ("nothing", 0.0),
    "mean 0.2 sd": ("mean", 0.2),
    "mean 0.3 sd": ("mean", 0.3),
    "mean 0.5 sd": ("mean", 0.5),
    "mean 1.0 sd": ("mean", 1.0),
    "spread x 1.5": ("spread", 1.5),
    "gaps 2 % -> 6 %": ("gaps", 0.04),
    "gaps 2 % -> 10 %": ("gaps", 0.08),
    "unseen level in 2 %": ("level", 0.02),
    "unseen level in 5 %": ("level", 0.05),
    "slow: 0.3 sd over the month": ("slow", 0.3),
    "concept: 10 % of answers turned": ("concept", 0.10),
    "concept: 20 % of answers turned": ("concept", 0.20),
}


def draw(
    n: int, rng: np.random.Generator, *, kind: str = "nothing", size: float = 0.0
) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Return rows, true answers and stated probabilities; numbers of many laws, categories of 3 to 30 levels."""
    columns: dict[str, object] = {}
    for place in range(N_NUMBERS):
        raw = rng.normal(size=n)
        if place == 0 and kind in {"mean", "slow"}:
            raw = raw + size
        if place == 0 and kind == "spread":
            raw = raw * size
        values = (raw, np.exp(raw), np.round(raw * 3), np.maximum(raw, 0.0))[place % 4]
        gaps = rng.random(n) < 0.02 + (size if kind == "gaps" and place == 0 else 0.0)
        columns[f"n{place}"] = np.where(gaps, np.nan, values)
    for place in range(N_CATEGORIES):
        levels = np.array([f"level {code}" for code in range(3 + 3 * place)])
        chosen = rng.choice(levels, n, p=1 / np.arange(1, len(levels) + 1) / (1 / np.arange(1, len(levels) + 1)).sum())
        if place == 0 and kind == "level":
            chosen = np.where(rng.random(n) < size, "never seen", chosen)
        columns[f"c{place}"] = chosen
    frame = pl.DataFrame(columns).with_columns(pl.col("^n.*$").fill_nan(None))
    logit = 1.2 * np.nan_to_num(np.asarray(columns["n0"])) + 0.6 * np.nan_to_num(np.asarray(columns["n4"]))
    p = 1 / (1 + np.exp(-logit))
    y = (rng.random(n) < p).astype(np.int64)
    if kind == "concept":
        y = np.where(rng.random(n) < size, 1 - y, y)
    return frame, y, np.stack([1 - p, p], axis=1)


def release(rng: np.random.Generator) -> tuple[Reference, dict[str, Measurement]]:
    train, _, p_train = draw(TRAIN_ROWS, rng)
    sealed, y, p = draw(SEALED_ROWS, rng)
    inputs = infer_inputs(train)
    body = build_reference(train, inputs, predictions=p_train)
    body["judged"] = build_yardstick(
        TASK, y, p, frame_train=train, frame_test=sealed, inputs=inputs, threshold=THRESHOLD,
        importances={"n0": 0.20, "n4": 0.05, "c0": 0.02}, headline="roc_auc",
    )  # fmt: skip
    promised = measure_delivered(TASK, y, p, threshold=THRESHOLD, seed=0, headline="roc_auc")
    return decode_reference(msgspec.json.encode(body)), promised


def month(seed: int, kind: str, size: float) -> dict[str, object]:
    """Judge the windows of a month and return in which of them what raised an alarm."""
    rng = np.random.default_rng(seed)
    reference, promised = release(rng)
    reports: list[WindowReport] = []
    alerts: list[tuple[int, str]] = []
    signals: list[tuple[int, str]] = []
    for day in range(DAYS):
        now = size * (day + 1) / DAYS if kind == "slow" else size
        frame, y, p = draw(DAY_ROWS, rng, kind=kind, size=now)
        window = Window(
            release=1, inputs=frame, prediction=p, days=DAYS_EACH, since=f"2026-03-{day + 1:02d}", until=f"2026-03-{day + 2:02d}",
            answers=np.where(p[:, 1] >= THRESHOLD, "yes", "no").astype(object), y=y.astype(np.float64),
            latency_us=rng.gamma(4, 25, DAY_ROWS), is_review=rng.random(DAY_ROWS) < 0.1,
        )  # fmt: skip
        report = judge_window(
            window, reference, TASK, threshold=THRESHOLD, promised=promised, earlier=sum_earlier(reports), seed=seed
        )
        reports.append(report)
        alerts += [(day, item.key) for item in report.alerts]
        signals += [(day, item.key) for item in report.signals]
    return {"alerts": alerts, "signals": signals}


def _run(job: tuple[int, str, float]) -> dict[str, object]:
    return month(*job)


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "all"
    months = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 2
    begin = time.perf_counter()
    print(
        f"{N_NUMBERS + N_CATEGORIES} columns, {DAYS} windows of {DAYS_EACH:g} days and {DAY_ROWS} rows, {TRAIN_ROWS} training and {SEALED_ROWS} sealed rows"
    )
    with ProcessPoolExecutor(workers) as pool:
        if what in {"all", "null"}:
            found: list[dict[str, object]] = []
            for first in range(0, months, 50):
                jobs = [(100_000 + seed, "nothing", 0.0) for seed in range(first, min(first + 50, months))]
                found += pool.map(_run, jobs)
                report_null(found, len(found))
        if what in {"all", "planted"}:
            n = months if what == "planted" else max(20, months // 10)
            print(
                "| planted | in the first window | within two windows | within the month | alarmed |\n| --- | --- | --- | --- | --- |"
            )
            for name, (kind, size) in SHIFTS.items():
                if kind != "nothing":
                    report_shift(name, kind, list(pool.map(_run, [(seed, kind, size) for seed in range(n)])), n)
    print(f"({time.perf_counter() - begin:.0f} s)")


def report_null(found: list[dict[str, object]], n: int) -> None:
    per_month = np.array([len({day for day, _ in item["alerts"]}) for item in found])
    every = np.array([len(item["signals"]) for item in found])
    error = 1.96 * every.std() / np.sqrt(n)
    kinds: dict[str, int] = {}
    for item in found:
        for _, key in item["signals"]:
            kinds[key.partition(":")[0]] = kinds.get(key.partition(":")[0], 0) + 1
    print(
        f"null months {n}: signals a month {every.mean():.3f} (± {error:.3f}), alarms (windows with an alert) a month {per_month.mean():.3f}"
    )
    print(
        f"  months with 0, 1, 2, 3+ signals: {[int((every == k).sum()) for k in range(3)] + [int((every > 2).sum())]}"
    )
    print(f"  by kind: {dict(sorted(kinds.items()))}", flush=True)


def report_shift(name: str, kind: str, found: list[dict[str, object]], n: int) -> None:
    wanted = (
        ("delivered", "concept", "slice")
        if kind == "concept"
        else ("distribution:n0", "trend:n0", "missing:n0", "unseen:c0", "distribution:c0", "unseen:n0", "trend:c0")
    )
    first_signal, first_alert, on_day = [], [], 0
    for item in found:
        days = [day for day, key in item["signals"] if key.startswith(wanted)]
        first_signal.append(min(days, default=None))
        first_alert.append(min([day for day, key in item["alerts"] if key.startswith(wanted)], default=None))
        on_day += 0 in days
    week = sum(day is not None and day < 2 for day in first_signal)
    ever = sum(day is not None for day in first_signal)
    alarmed = sum(day is not None for day in first_alert)
    low, high = find_wilson_interval(ever, n)
    print(
        f"| {name} | {on_day / n:.0%} | {week / n:.0%} | {ever / n:.0%} ({low:.0%}–{high:.0%}) | {alarmed / n:.0%} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
