"""How much each raw column matters: the headline metric with that column shuffled, on rows the model never saw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from scipy.special import ndtri

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import LEVEL, Resample, build_resample
from skiff.evaluate.metrics import split_macro_auc
from skiff.evaluate.ranking import find_standard_error
from skiff.evaluate.results import Importance
from skiff.evaluate.scores import HIGHER_IS_BETTER, build_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

Predict: TypeAlias = "Callable[[pl.DataFrame], Float]"

N_REPEATS = 5
"""Shuffles of each column (the default of scikit-learn's ``permutation_importance``)."""

MAX_PREDICTED_ROWS = 100_000
"""Answers asked of the model in all: about three seconds of a large ensemble."""

MIN_ROWS = 200
"""Rows on which columns are screened, and fewest on which they are judged."""

MAX_SCREENED = 400
"""Calls spent on screening wide tables."""

MAX_JUDGED = 20
"""Columns judged in full after screening."""

N_BOOT_IMPORTANCE = 200
NOTHING = 1e-12
"""Below this an error is rounding: the model does not look at the column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The rows, the model and the metric that shuffled columns are tried on."""

    y: Float | Int
    frame: pl.DataFrame
    predict: Predict
    metric: str
    threshold: float
    groups: Int | None
    unit: str
    seed: int


def measure_importances(bench: Bench, columns: Sequence[str], *, max_rows: int = 2000) -> tuple[Importance, ...]:
    """Measure how much worse the metric gets when each column in turn is shuffled.

    Parameters
    ----------
    bench : Bench
        Held-out rows: importance on training rows rewards columns that were learned by heart.
    columns : sequence of str
        Raw columns of the model.
    max_rows : int
        Rows used at most; fewer where there are many columns, so that the time is bounded.

    Returns
    -------
    tuple of Importance
        Largest first. `drop` is positive where the column helps, whichever direction the metric has. In tables with
        more columns than can be judged, blocks of columns are screened first and only the strongest are returned.

    Notes
    -----
    Columns that tell the same thing hide each other: shuffling one changes little while the other remains. The interval
    covers the rows (bootstrap, or DeLong for ROC AUC) and the shuffles.

    References
    ----------
    Fisher, A., Rudin, C. and Dominici, F. (2019). All models are wrong, but many are useful: learning a variable's
    importance by studying an entire class of prediction models simultaneously. JMLR 20(177), 1-81.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"size": rng.normal(size=300), "noise": rng.normal(size=300)})
    >>> bench = Bench(y=frame["size"].to_numpy(), frame=frame, predict=lambda rows: rows["size"].to_numpy(),
    ...               metric="rmse", threshold=0.5, groups=None, unit="", seed=0)
    >>> [(found.column, found.drop.value > 0) for found in measure_importances(bench, ["noise", "size"])]
    [('size', True), ('noise', False)]
    """
    rng = np.random.default_rng(bench.seed)
    if not columns or bench.frame.height == 0:
        return ()
    affordable = MAX_PREDICTED_ROWS // (N_REPEATS * len(columns))
    kept = list(columns)
    if affordable < MIN_ROWS:
        kept = _screen(_take(bench, rng, MIN_ROWS), list(columns), rng)
        affordable = MAX_PREDICTED_ROWS // (N_REPEATS * len(kept))
    bench = _take(bench, rng, min(max_rows, affordable))
    resample = build_resample(bench.frame.height, groups=bench.groups, seed=bench.seed, n_boot=N_BOOT_IMPORTANCE)
    before = bench.predict(bench.frame)
    found = [Importance(column=name, drop=_measure_drop(bench, name, before, resample, rng=rng)) for name in kept]
    return tuple(sorted(found, key=lambda item: (-item.drop.value, item.column)))


def _take(bench: Bench, rng: np.random.Generator, n_rows: int) -> Bench:
    """Draw rows without replacement, in their order."""
    n_rows = min(max(n_rows, MIN_ROWS), bench.frame.height)
    rows = np.sort(rng.permutation(bench.frame.height)[:n_rows])
    return Bench(
        y=bench.y[rows],
        frame=bench.frame[rows.tolist()],
        predict=bench.predict,
        metric=bench.metric,
        threshold=bench.threshold,
        groups=None if bench.groups is None else bench.groups[rows],
        unit=bench.unit,
        seed=bench.seed,
    )


def _shuffle(frame: pl.DataFrame, columns: Sequence[str], rng: np.random.Generator) -> pl.DataFrame:
    order = rng.permutation(frame.height).tolist()
    return frame.with_columns([frame[name].gather(order).alias(name) for name in columns])


def _screen(bench: Bench, columns: list[str], rng: np.random.Generator) -> list[str]:
    """Return the columns that matter most, found by shuffling whole blocks and splitting those that change answers.

    What is looked at is how far answers move, which needs no truth and is less noisy than the metric.
    """
    before = bench.predict(bench.frame)
    size = max(1, math.ceil(len(columns) / (MAX_SCREENED // 4)))
    waiting = [columns[start : start + size] for start in range(0, len(columns), size)]
    moved: list[tuple[float, list[str]]] = []
    calls = 0
    while waiting and calls < MAX_SCREENED:
        block = waiting.pop(0)
        after = bench.predict(_shuffle(bench.frame, block, rng))
        moved.append((float(np.mean(np.abs(after - before))), block))
        calls += 1
        if not waiting:
            moved.sort(key=lambda item: -item[0])
            large = [item for item in moved[:MAX_JUDGED] if len(item[1]) > 1 and item[0] > 0]
            moved = [item for item in moved if item not in large]
            for _, names in large:
                waiting += [names[: len(names) // 2], names[len(names) // 2 :]]
    singles = [(distance, block[0]) for distance, block in moved if len(block) == 1]
    return [name for _, name in sorted(singles, key=lambda item: -item[0])[:MAX_JUDGED]] or columns[:MAX_JUDGED]


def _measure_drop(
    bench: Bench, column: str, before: Float, resample: Resample, *, rng: np.random.Generator
) -> Measurement:
    n_rows = bench.frame.height
    together = pl.concat([_shuffle(bench.frame, [column], rng) for _ in range(N_REPEATS)])
    answers = bench.predict(together)
    repeats = [answers[start * n_rows : (start + 1) * n_rows] for start in range(N_REPEATS)]
    if bench.metric == "roc_auc":
        drops, error = _drop_auc(bench, before, repeats)
        method = "DeLong et al. 1988"
    else:
        drops, error = _drop_score(bench, before, repeats, resample)
        method = f"bootstrap, {N_BOOT_IMPORTANCE} resamples"
    spread = float(np.std(drops, ddof=1)) / math.sqrt(N_REPEATS)
    half = float(ndtri(0.5 + LEVEL / 2)) * math.hypot(error, spread)
    value = float(np.mean(drops))
    has_interval = math.isfinite(value) and half > NOTHING
    return Measurement(
        name=f"{bench.metric}_drop",
        value=value,
        low=value - half if has_interval else None,
        high=value + half if has_interval else None,
        n=n_rows,
        unit=bench.unit,
        higher_is_better=None,
        method=f"{N_REPEATS} shuffles (Fisher et al. 2019); rows by {method}" if has_interval else "no change at all",
        baseline=0.0,
    )


def _drop_auc(bench: Bench, before: Float, repeats: list[Float]) -> tuple[Float, float]:
    y = bench.y.astype(np.int64)
    whole, parts = split_macro_auc(y, before)
    shuffled = [split_macro_auc(y, answer) for answer in repeats]
    drops = np.array([whole - value for value, _ in shuffled])
    return drops, find_standard_error(parts - np.mean([part for _, part in shuffled], axis=0), bench.groups)


def _drop_score(bench: Bench, before: Float, repeats: list[Float], resample: Resample) -> tuple[Float, float]:
    sign = 1.0 if HIGHER_IS_BETTER[bench.metric] else -1.0
    whole = build_score(bench.metric, bench.y, before, threshold=bench.threshold)
    drawn = whole.bootstrap(resample)
    drops, shifts = [], []
    for answer in repeats:
        score = build_score(bench.metric, bench.y, answer, threshold=bench.threshold)
        drops.append(sign * (whole.value() - score.value()))
        shifts.append(sign * (drawn - score.bootstrap(resample)))
    mean_shift = np.mean(shifts, axis=0)
    mean_shift = mean_shift[np.isfinite(mean_shift)]
    return np.asarray(drops), float(mean_shift.std()) if len(mean_shift) else 0.0
