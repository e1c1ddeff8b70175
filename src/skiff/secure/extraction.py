"""Extraction: how good a copy somebody can make who may only ask.

The attacker sends rows of which each cell is drawn for itself from what the column may hold, and fits boosted trees to the answers.
How often the copy decides like the model on *real* rows is its fidelity [1]_ [2]_.

References
----------
.. [1] Tramèr, F., Zhang, F., Juels, A., Reiter, M. K. and Ristenpart, T. (2016). Stealing machine learning models via prediction
   APIs. USENIX Security, https://arxiv.org/abs/1609.02943.
.. [2] Jagielski, M., Carlini, N., Berthelot, D., Kurakin, A. and Papernot, N. (2020). High accuracy and high fidelity extraction of
   neural networks. USENIX Security, https://arxiv.org/abs/1909.01838.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import lightgbm
import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.evaluate.intervals import LEVEL
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.lights import TWO_SIDED_95, Light, choose_light, measure_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

QUERIES = (100, 1_000, 5_000)
"""Rows asked: by hand, in an hour, in a day of a patient user."""

MOST_ROWS, MIN_ROWS = 2_000, 50
"""Real rows on which the copy is compared with the model, at most and at least."""

RED_FIDELITY, AMBER_FIDELITY = 0.98, 0.9
"""Lights, at 1,000 questions: red from 98 % the same decisions (for values: 98 % of the variance), amber from 90 %, each only where the
range lies above what always giving one answer agrees on: no copy is needed for that. A convention of Skiff's: no published limit is
known to us."""

JUDGED = 1_000
"""Questions at which the light is chosen."""

ROUNDS = 200
SHARPEST = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How faithful a copy is.

    Parameters
    ----------
    light : {"red", "amber", "green"} or None
        None where rows or different answers are too few to say, or where all columns are running text, which the copy does not read.
    fidelity : tuple of Measurement
        Empty where nothing was tried. One for each number of questions: share of real rows on which copy and model decide alike, or for values the share of the
        model's variance that the copy has (1 - residual / total). `baseline` is the answer that is most frequent, or 0.
    n_rows : int
    """

    light: Light | None
    fidelity: tuple[Measurement, ...]
    n_rows: int


def measure_extraction(suspect: Suspect, rows: pl.DataFrame, seen: pl.DataFrame, *, seed: int = 0) -> Extraction:
    """Copy a model from its answers and say how faithful the copy is.

    Parameters
    ----------
    suspect : Suspect
    rows : polars.DataFrame
        Real rows to compare on; a repeatable sample is taken.
    seen : polars.DataFrame
        Training rows: what each column may hold, which an attacker knows from documents. Rows are not given to the attacker.
    seed : int

    Returns
    -------
    Extraction

    Notes
    -----
    The attacker sees probabilities. One who has rows like the real ones, or who chooses questions by earlier answers, does better.
    Columns of running text are asked but not used by the copy.

    Examples
    --------
    >>> from skiff.core.signature import InputColumn
    >>> random = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"income": random.normal(size=400)})
    >>> def ask(asked):
    ...     p = (asked["income"] > 0).cast(float).to_numpy()
    ...     return np.stack([1 - p, p], axis=1)
    >>> suspect = Suspect(ask=ask, kind="binary", inputs=(InputColumn(name="income", kind="number"),))
    >>> measure_extraction(suspect, frame, frame).light
    'red'
    """
    chance = np.random.default_rng(seed)
    names = [column.name for column in suspect.inputs]
    real = rows.select(names)[np.sort(chance.permutation(rows.height)[:MOST_ROWS])]
    if real.height < MIN_ROWS or all(column.kind == "text" for column in suspect.inputs):
        return Extraction(light=None, fidelity=(), n_rows=real.height)
    asked = _draw_questions(seen.select(names), max(QUERIES), seed=seed)
    answers, truth = suspect.ask(asked), suspect.ask(real)
    X_asked, X_real = build_numbers(asked, suspect.inputs), build_numbers(real, suspect.inputs)
    fidelity = []
    for n_questions in QUERIES:
        copied = _copy(X_asked[:n_questions], answers[:n_questions], X_real, seed=seed)
        fidelity.append(_measure_fidelity(suspect, truth, copied, n_questions))
    judged = fidelity[QUERIES.index(JUDGED)]
    light = choose_light(judged, red=RED_FIDELITY, amber=AMBER_FIDELITY, chance=judged.baseline or 0.0)
    return Extraction(light=light, fidelity=tuple(fidelity), n_rows=real.height)


def _draw_questions(seen: pl.DataFrame, n_questions: int, *, seed: int) -> pl.DataFrame:
    """Return rows of which each cell is drawn for itself: what is known of one column at a time."""
    chance = np.random.default_rng([seed, 1])
    return pl.DataFrame([column[chance.integers(0, seen.height, n_questions)] for column in seen])


def _copy(X: Float, answers: Float, X_real: Float, *, seed: int) -> Float:
    """Return what boosted trees fitted to the answers say to the real rows, in the shape of the answers."""
    if answers.ndim == 1:
        return _boost(X, answers, X_real, seed=seed)
    kept = np.clip(answers, SHARPEST, 1 - SHARPEST)
    logits = np.log(kept) - np.log1p(-kept)
    if answers.shape[1] == 2:  # noqa: PLR2004  the other class is one minus this one
        positive = 1 / (1 + np.exp(-_boost(X, logits[:, 1], X_real, seed=seed)))
        return np.stack([1 - positive, positive], axis=1)
    return np.stack([_boost(X, column, X_real, seed=seed) for column in logits.T], axis=1)


def _boost(X: Float, y: Float, X_real: Float, *, seed: int) -> Float:
    settings = {
        "objective": "regression",
        "num_leaves": 31,
        "learning_rate": 0.1,
        "min_data_in_leaf": max(2, min(10, len(y) // 20)),
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    booster = lightgbm.train(settings, lightgbm.Dataset(X, label=y, params={"verbosity": -1}), num_boost_round=ROUNDS)
    return np.asarray(booster.predict(X_real, num_threads=1), dtype=np.float64)


def _measure_fidelity(suspect: Suspect, truth: Float, copied: Float, n_questions: int) -> Measurement:
    name = f"fidelity_at_{n_questions}"
    if suspect.kind == "regression":
        return _measure_variance(name, truth, copied)
    decided, copy_decided = suspect.decide(truth), suspect.decide(copied)
    return measure_share(
        name,
        int((decided == copy_decided).sum()),
        len(truth),
        method="share of equal decisions (Jagielski et al. 2020)",
        baseline=_find_largest_share(decided.tolist()),
    )


def _measure_variance(name: str, truth: Float, copied: Float) -> Measurement:
    """Return the share of the variance that a copy has: one minus a ratio of two means, with that ratio's normal interval."""
    spread, errors = (truth - truth.mean()) ** 2, (truth - copied) ** 2
    total = float(spread.mean())
    missed = float(errors.mean()) / total if total else 0.0
    reach = TWO_SIDED_95 * float(np.std(errors - missed * spread)) / total / len(truth) ** 0.5 if total else 0.0
    value = max(0.0, 1 - missed)
    return Measurement(
        name=name, value=value, low=max(0.0, min(value, 1 - missed - reach)), high=min(1.0, max(value, 1 - missed + reach)),
        n=len(truth), unit="rate", higher_is_better=False, level=LEVEL,
        baseline=0.0 if total else 1.0,  # a model that always says the same is copied by saying it
        method="share of the variance of the model's answers that the copy has; normal interval of a ratio of means over rows",
    )  # fmt: skip


def _find_largest_share(decided: Sequence[int]) -> float:
    return float(np.bincount(np.asarray(decided, dtype=np.int64)).max() / len(decided))
