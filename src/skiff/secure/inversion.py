"""Inversion: whether the model can be asked for rows it learned from.

The attacker starts from made-up rows and changes cell after cell so that the model becomes as sure as it can of an answer [1]_. That always
works and proves nothing: what counts is whether such rows come closer to rows the model *learned from* than to equally many rows it never
saw.

References
----------
.. [1] Fredrikson, M., Jha, S. and Ristenpart, T. (2015). Model inversion attacks that exploit confidence information and basic
   countermeasures. CCS, https://doi.org/10.1145/2810103.2813677.
.. [2] Gower, J. C. (1971). A general coefficient of similarity and some of its properties. Biometrics 27(4), 857-871,
   https://doi.org/10.2307/2528823.
.. [3] Kish, L. (1965). Survey sampling. Wiley: rows that go together count as fewer (effective sample size).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.edits import list_edits, set_cell
from skiff.secure.lights import Light, choose_light, measure_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]

N_STARTS = 100
"""Made-up rows to start from, shared out among the answers."""

SWEEPS = 2
"""Times that all columns are gone through."""

MOST_ROWS, MIN_ROWS = 2_000, 100
"""Rows of each kind that made-up rows are compared with, at most and at least."""

MIN_DISTINCT = 20
"""Different rows that must come out, and real rows that they must be nearest to; else all ways lead to a few places, which tell
nothing of rows."""

RED_SHARE, AMBER_SHARE = 0.75, 0.6
"""Lights: red where three of four made-up rows end nearer to a row that was learned from, amber from 6 of 10, both beyond what chance can
do. A convention of Skiff's: no published limit is known to us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inversion:
    """Where rows end that please the model.

    Parameters
    ----------
    light : {"red", "amber", "green"} or None
        None where there are too few rows to say, or where all columns are running text.
    nearer : Measurement or None
        Share of the different rows that came out which lie nearer to a learned row than to any other; ties count half; chance 0.5.
        Made-up rows that are nearest to one and the same real row say one thing, not several: `n` counts them so.
    n_distinct : int
        Different rows that came out.
    """

    light: Light | None
    nearer: Measurement | None
    n_distinct: int


def measure_inversion(suspect: Suspect, learned: pl.DataFrame, others: pl.DataFrame, *, seed: int = 0) -> Inversion:
    """Make up rows of which the model is sure, and see whom they resemble.

    Parameters
    ----------
    suspect : Suspect
    learned, others : polars.DataFrame
        Rows the model learned from, and rows it never saw; equally many of each are compared.
    seed : int

    Notes
    -----
    What columns may hold is taken from both kinds of rows alike: values that only learned rows have would lead to learned rows whatever
    the model does. Where others come from another time than those the model learned from, that difference counts too. Columns of
    running text are made up, but not changed or compared.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"age": random.normal(size=800), "income": random.normal(size=800)})
    >>> def ask(asked):
    ...     p = 1 / (1 + np.exp(-asked["age"].to_numpy()))
    ...     return np.stack([1 - p, p], axis=1)
    >>> inputs = (InputColumn(name="age", kind="number"), InputColumn(name="income", kind="number"))
    >>> suspect = Suspect(ask=ask, kind="binary", inputs=inputs)
    >>> measure_inversion(suspect, frame[:400], frame[400:]).light == "red"
    False
    """
    names = [column.name for column in suspect.inputs]
    used = [column for column in suspect.inputs if column.kind != "text"]
    chance = np.random.default_rng(seed)
    n_each = min(learned.height, others.height, MOST_ROWS)
    if n_each < MIN_ROWS or not used:
        return Inversion(light=None, nearer=None, n_distinct=0)
    real = pl.concat([frame.select(names)[chance.permutation(frame.height)[:n_each]] for frame in (learned, others)])
    made = _climb(suspect, _draw_starts(real, chance), real)
    made = made.unique([column.name for column in used], maintain_order=True)
    distances = _measure_distances(made, real, used)
    to_learned, to_others = distances[:, :n_each].min(axis=1), distances[:, n_each:].min(axis=1)
    score = (to_learned < to_others) + 0.5 * (to_learned == to_others)
    n_told = _count_apart(np.where(score == 0.5, -1 - np.arange(len(score)), distances.argmin(axis=1)))  # noqa: PLR2004  a tie stands alone
    if min(made.height, n_told) < MIN_DISTINCT:
        return Inversion(light=None, nearer=None, n_distinct=made.height)
    nearer = measure_share(
        "inverted_nearer_to_learned",
        float(score.mean()) * n_told,
        n_told,
        method="coordinate ascent over values of real rows, nearest row by Gower 1971",
        baseline=0.5,
    )
    light = choose_light(nearer, red=RED_SHARE, amber=AMBER_SHARE, chance=0.5)
    return Inversion(light=light, nearer=nearer, n_distinct=made.height)


def _count_apart(groups: NDArray[np.int64]) -> float:
    """Return how many independent rows say as much as rows in groups that always say the same [3]_."""
    sizes = np.unique(groups, return_counts=True)[1]
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def _draw_starts(known: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    """Return rows of which each cell is drawn for itself."""
    return pl.DataFrame([column[chance.integers(0, known.height, N_STARTS)] for column in known])


def _climb(suspect: Suspect, rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the rows after each cell was set, column after column, to what brings the answer nearest to the row's goal."""
    edits = list_edits(known, suspect.inputs, ())
    columns = list(dict.fromkeys(edit.column for edit in edits))
    goals = np.arange(rows.height)
    best = _score(suspect, suspect.ask(rows), goals)
    for column in columns * SWEEPS:
        own = [edit for edit in edits if edit.column == column]
        tried = [rows, *(set_cell(rows, edit) for edit in own)]
        answers = suspect.ask(pl.concat(tried[1:]))
        scores = np.vstack([best, _score(suspect, answers, np.tile(goals, len(own))).reshape(len(own), -1)])
        choice = scores.argmax(axis=0)
        cells = pl.concat([frame[column] for frame in tried])
        rows = rows.with_columns(cells[choice * rows.height + goals])
        best = scores.max(axis=0)
    return rows


def _score(suspect: Suspect, answers: Float, goals: NDArray[np.int64]) -> Float:
    """Return how near answers are to each row's goal: in turn each class, or the largest and the smallest value."""
    if suspect.kind == "regression":
        return np.where(goals % 2 == 0, answers, -answers)
    return np.asarray(answers[np.arange(len(answers)), goals % answers.shape[1]])


def _measure_distances(made: pl.DataFrame, rows: pl.DataFrame, used: Sequence[InputColumn]) -> Float:
    """Return the distance of each made-up row to each of `rows`: Gower's, with numbers and dates as ranks [2]_."""
    total = np.zeros((made.height, rows.height))
    for column in used:
        a, b = build_numbers(made, [column])[:, 0], build_numbers(rows, [column])[:, 0]
        if column.kind in {"number", "date"}:
            ordered = np.sort(b[np.isfinite(b)])
            a, b = (np.where(np.isnan(x), np.nan, np.searchsorted(ordered, x) / max(1, len(ordered))) for x in (a, b))
            distance = np.abs(a[:, None] - b[None, :])
        else:
            distance = (a[:, None] != b[None, :]).astype(np.float64)
        both = np.isnan(a)[:, None] & np.isnan(b)[None, :]
        one = np.isnan(a)[:, None] ^ np.isnan(b)[None, :]
        total += np.where(both, 0.0, np.where(one, 1.0, distance))
    return total.round(12)
