"""Poison: hints that somebody taught the model what it should not know.

Two things are looked for. A *sign*: a rare value of one column that turns decisions over whatever else the row says, while the rows that
carry it would mostly be decided otherwise without it; that is how a backdoor looks, and how a strong honest sign looks too [1]_. And a
*nest*: rows with one value (or one range) whose answers contradict models that never saw them far more often than those models
expect, which is how answers look that were changed for some rows only. Both are reasons to look, never proof.

References
----------
.. [1] Gu, T., Dolan-Gavitt, B. and Garg, S. (2017). BadNets: identifying vulnerabilities in the machine learning model supply chain,
   https://arxiv.org/abs/1708.06733.
.. [2] Northcutt, C., Jiang, L. and Chuang, I. (2021). Confident learning: estimating uncertainty in dataset labels. JAIR 70,
   https://doi.org/10.1613/jair.1.12125.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from scipy.stats import poisson

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.edits import Edit, count_levels, set_cell
from skiff.secure.lights import Light, measure_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]
    Mask: TypeAlias = NDArray[np.bool_]

MIN_ROWS = 200
"""Training rows below which nothing is said."""

MIN_CARRIERS, RARE = 10, 0.05
"""Rows that must carry a sign, and the largest share of the rows that may: what half of all rows carry is no secret sign."""

VICTIMS = 80
"""Rows whose cell is set to the value."""

MOST_SIGNS = 300
"""Values tried, the most frequent rare ones of each column."""

OBEYED, PURE, OTHERWISE = 0.9, 0.9, 0.5
"""A sign turns over 9 of 10 decisions, 9 of 10 rows that carry it have that answer, and half of them would be decided otherwise
without it. Conventions of Skiff's, strict on purpose: it is a hint."""

CONTRADICTED = 0.1
"""Probability of the given answer below which models that never saw a row contradict it."""

MIN_CONTRADICTED, TIMES_EXPECTED, CHANCE = 10, 4.0, 0.01
"""A nest has ten contradicted rows, four times as many as expected (models are too sure
where classes meet, by up to three times in our trials), and chance makes one in a hundred tables show it (Poisson, divided by the
number of values and ranges looked at)."""

N_RANGES = 10
MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A rare value that decides alone.

    Parameters
    ----------
    column : str
    carriers : int
        Training rows that have it.
    obeyed : Measurement
        Share of other decisions that turn over when the cell is set to it.
    rows : tuple of int
        Positions of the first rows that carry it, from 0.
    """

    column: str
    carriers: int
    obeyed: Measurement
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nest:
    """Rows of one value or range whose answers are contradicted too often.

    Parameters
    ----------
    column : str
    n_rows, contradicted : int
    expected : float
        Contradicted rows that the models themselves expect there.
    rows : tuple of int
        Positions of the first contradicted rows, from 0.
    """

    column: str
    n_rows: int
    contradicted: int
    expected: float
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """What was found.

    Parameters
    ----------
    light : {"amber", "green"} or None
        Never red: these are hints. None where there are too few rows.
    signs : tuple of Sign
        The most obeyed first.
    nests : tuple of Nest or None
        The densest first; None where no models that never saw the rows were at hand.
    n_rows, n_tried : int
        Training rows, and values that were tried as signs.
    """

    light: Light | None
    signs: tuple[Sign, ...]
    nests: tuple[Nest, ...] | None
    n_rows: int
    n_tried: int


def measure_poison(
    suspect: Suspect, rows: pl.DataFrame, y: Float, *, outside: Float | None = None, seed: int = 0
) -> Poison:
    """Look for signs that decide alone and for nests of contradicted answers.

    Parameters
    ----------
    suspect : Suspect
        A classifier.
    rows : polars.DataFrame
        Training rows.
    y : ndarray of shape (n_rows,)
        Class codes.
    outside : ndarray of shape (n_rows, n_classes), optional
        Probabilities by models that did not learn from the row; NaN where there are none.
    seed : int

    Notes
    -----
    A number counts as a sign only where the next smaller and larger ones do not have half its power: else it is a threshold that a
    model may well have learned. Where so many answers of a value were changed that models learn it, nothing contradicts them, and
    there is no nest. Signs of several columns together, signs inside running text, and answers changed evenly over all rows are not found.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> frame = pl.DataFrame({"code": np.where(random.random(1000) < 0.03, 777, random.integers(0, 400, 1000))})
    >>> y = (frame["code"] == 777).cast(float).to_numpy()
    >>> suspect = Suspect(ask=lambda asked: np.stack([asked["code"] != 777, asked["code"] == 777], axis=1) * 1.0, kind="binary",
    ...                   inputs=(InputColumn(name="code", kind="number"),))
    >>> found = measure_poison(suspect, frame, y)
    >>> found.light, found.signs[0].column, found.signs[0].carriers == int(y.sum())
    ('amber', 'code', True)
    """
    frame = rows.select([column.name for column in suspect.inputs])
    if frame.height < MIN_ROWS:
        return Poison(light=None, signs=(), nests=None, n_rows=frame.height, n_tried=0)
    chance = np.random.default_rng(seed)
    tried = _list_signs(frame, suspect.inputs)
    signs = _find_signs(suspect, frame, y, tried, chance)
    nests = None if outside is None else _find_nests(frame, suspect.inputs, y.astype(np.int64), outside)
    return Poison(
        light="amber" if signs or nests else "green", signs=signs, nests=nests, n_rows=frame.height, n_tried=len(tried)
    )


def _list_signs(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> list[Edit]:
    """Return the rare values that enough rows carry."""
    free = [column for column in inputs if column.kind != "text"]
    most = max(2, MOST_SIGNS // max(1, len(free)))
    made = []
    for column in free:
        counts = count_levels(frame[column.name].drop_nulls())
        values = counts.filter(pl.nth(1).is_between(MIN_CARRIERS, RARE * frame.height))[column.name].head(most)
        made += [Edit(column=column.name, value=values[place : place + 1], rank=None) for place in range(len(values))]
    return made


def _find_signs(
    suspect: Suspect, frame: pl.DataFrame, y: Float, tried: Sequence[Edit], chance: np.random.Generator
) -> tuple[Sign, ...]:
    victims = frame[np.sort(chance.permutation(frame.height)[:VICTIMS])]
    before = suspect.decide(suspect.ask(victims))
    found = []
    for edit in tried:
        after = suspect.decide(suspect.ask(set_cell(victims, edit)))
        goal = int(np.bincount(after).argmax())
        is_other = np.asarray(before != goal, dtype=bool)
        if is_other.sum() < MIN_CARRIERS or np.mean(after[is_other] == goal) < OBEYED:
            continue
        carriers = np.flatnonzero((frame[edit.column] == edit.value[0]).fill_null(value=False).to_numpy())
        without = frame[carriers].with_columns(frame[edit.column][chance.integers(0, frame.height, len(carriers))])
        is_otherwise = suspect.decide(suspect.ask(without)) != goal
        is_alone = np.mean(y[carriers] == goal) >= PURE and np.mean(is_otherwise) >= OTHERWISE
        if is_alone and not _is_range(suspect, victims[np.flatnonzero(is_other)], edit, frame, goal):
            n_turned = int(np.sum(after[is_other] == goal))
            obeyed = measure_share(
                "sign_obeyed", n_turned, int(is_other.sum()), method="one cell set to a rare value", baseline=0.0
            )
            named = tuple(carriers[:MOST_NAMED].tolist())
            found.append(Sign(column=edit.column, carriers=len(carriers), obeyed=obeyed, rows=named))
    return tuple(sorted(found, key=lambda sign: (-sign.obeyed.value, -sign.carriers)))


def _is_range(suspect: Suspect, others: pl.DataFrame, edit: Edit, frame: pl.DataFrame, goal: int) -> bool:
    """Whether the next smaller or larger number turns many decisions over too: then it is a threshold, not one value."""
    cells = frame[edit.column]
    if not (cells.dtype.is_numeric() or cells.dtype.is_temporal()):
        return False
    ordered = cells.drop_nulls().unique().sort()
    place = int(ordered.search_sorted(edit.value[0]))
    near = [ordered[other : other + 1] for other in (place - 1, place + 1) if 0 <= other < len(ordered)]
    asked = [set_cell(others, Edit(column=edit.column, value=value, rank=None)) for value in near]
    return any(np.mean(suspect.decide(suspect.ask(rows)) == goal) >= OBEYED / 2 for rows in asked)


def _find_nests(frame: pl.DataFrame, inputs: Sequence[InputColumn], y: Int, outside: Float) -> tuple[Nest, ...]:
    known: Mask = np.asarray(np.isfinite(outside).all(axis=1))
    chances = np.where(known[:, None], outside, 1.0)
    is_contradicted: Mask = np.asarray(known & (chances[np.arange(len(y)), y] < CONTRADICTED))
    expected = np.where(known, np.where(chances < CONTRADICTED, chances, 0.0).sum(axis=1), 0.0)
    groups = list(_list_groups(frame, inputs))
    found = []
    for column, inside in groups:
        n_found = int(is_contradicted[inside].sum())
        # Models of half the rows are surer than they should be: what they are wrong by in all other rows is no nest.
        others = max(1.0, float(is_contradicted[~inside].sum()) / max(float(expected[~inside].sum()), 1e-9))
        n_expected = others * float(expected[inside].sum())
        is_many = n_found >= MIN_CONTRADICTED and n_found >= TIMES_EXPECTED * n_expected
        if is_many and float(poisson.sf(n_found - 1, max(n_expected, 1e-9))) * len(groups) < CHANCE:
            rows = tuple(np.flatnonzero(inside & is_contradicted)[:MOST_NAMED].tolist())
            found.append(
                Nest(column=column, n_rows=int(inside.sum()), contradicted=n_found, expected=n_expected, rows=rows)
            )
    return tuple(sorted(found, key=lambda nest: -nest.contradicted / nest.n_rows))


def _list_groups(frame: pl.DataFrame, inputs: Sequence[InputColumn]) -> Iterator[tuple[str, Mask]]:
    """Yield each level of a category and each tenth of a number or date, with the rows in it; missing cells are a group."""
    for column in inputs:
        if column.kind == "text":
            continue
        numbers = build_numbers(frame, [column])[:, 0]
        if column.kind in {"number", "date"}:
            finite = numbers[np.isfinite(numbers)]
            shares = np.linspace(0, 1, N_RANGES + 1)[1:-1]
            edges = np.unique(np.quantile(finite, shares)) if len(finite) else np.empty(0)
            codes = np.where(np.isfinite(numbers), np.searchsorted(edges, numbers, side="right"), -2)
        else:
            codes = np.where(np.isnan(numbers), -2, numbers)
        for code in np.unique(codes):
            inside = codes == code
            if inside.sum() >= MIN_CONTRADICTED:
                yield column.name, inside
