"""Evasion: how little a person must change about their row before the decision turns over.

Academic attacks move rows to places where no person can go: half a category, a younger age. Here only whole cells are changed,
only to values that training rows really had, a number or a date only past a quarter of the training rows (`MODEST`), never in a column
that was named as unchangeable, and never in running text. For each row the attack changes the cell that moves the answer most
towards the other decision, up to three cells one after another.

References
----------
.. [1] Apruzzese, G., Anderson, H. S., Dambra, S., Freeman, D., Pierazzi, F. and Roundy, K. (2023). "Real attackers don't compute
   gradients": bridging the gap between adversarial ML research and practice. SaTML, https://arxiv.org/abs/2212.14315.
.. [2] Ustun, B., Spangher, A. and Liu, Y. (2019). Actionable recourse in linear classification. FAT*,
   https://doi.org/10.1145/3287560.3287566 (immutable columns; costs as shares of the population passed over).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from skiff.core.measurement import Measurement
from skiff.core.signature import InputColumn
from skiff.secure.answers import Suspect, build_numbers
from skiff.secure.edits import Edit, list_edits, set_cell
from skiff.secure.lights import Light, measure_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]
    Int: TypeAlias = NDArray[np.int64]

MOST_EDITS = 3
"""Cells that are changed at most: more make another person."""

MOST_ROWS = 200
"""Rows attacked: a share is then known to about 7 points."""

MODEST = 0.25
"""Share of training rows whose values a changed number or date may pass over: a person can earn more than before, not suddenly as much
as the richest. How far people can go is for those who know them to say; this is a convention."""

MIN_ROWS = 30
"""Rows below which nothing is said."""

RED_SHARE, AMBER_SHARE = 0.5, 0.2
"""Lights: red where one changed cell turns over half of the decisions, amber where it does a fifth, or three cells half. A convention of
Skiff's: no published limit is known to us. A model that answers to what people can change is not wrong for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evasion:
    """What changing cells does to decisions.

    Parameters
    ----------
    light : {"red", "amber", "green"} or None
        Amber at worst where no column was named as unchangeable: then nobody said what people can change. None where there are too
        few rows to say, or where nothing was changed because all that people can change is running text.
    flipped : tuple of Measurement
        Share of the decisions that turned over with at most 1, 2, 3 changed cells.
    anyhow : Measurement or None
        The same with one cell set to any value at all that training rows had, however far away.
    columns : tuple of (str, float)
        Column, and in which share of the turned decisions it was changed; the most used first.
    distance : float or None
        Median, over the numbers and dates changed in decisions that turned with one cell, of the share of training rows between
        the old and the new value; None where no such edit turned one.
    immutable, untouched : tuple of str
        Columns that were named as unchangeable; columns of text, which are not changed.
    n_rows : int
    """

    light: Light | None
    flipped: tuple[Measurement, ...]
    anyhow: Measurement | None
    columns: tuple[tuple[str, float], ...]
    distance: float | None
    immutable: tuple[str, ...]
    untouched: tuple[str, ...]
    n_rows: int


def measure_evasion(
    suspect: Suspect,
    rows: pl.DataFrame,
    seen: pl.DataFrame,
    *,
    immutable: Collection[str] = (),
    seed: int = 0,
) -> Evasion:
    """Change cells of rows until the decision turns over.

    Parameters
    ----------
    suspect : Suspect
        A classifier; a number has no decision to turn over.
    rows : polars.DataFrame
        Rows to attack, typed; a repeatable sample of them is taken.
    seen : polars.DataFrame
        Training rows: cells are only set to values they have.
    immutable : collection of str
        Columns that a person cannot change.
    seed : int

    Returns
    -------
    Evasion

    Notes
    -----
    A greedy search finds a way, not the shortest: the shares are lower bounds of what an attacker reaches within these edits. Edits
    are valid one by one; that two columns go together (an age and a date of birth) is not known.

    Examples
    --------
    >>> frame = pl.DataFrame({"income": [10.0, 20.0, 30.0, 40.0] * 20, "age": [30.0, 40.0] * 40})
    >>> def ask(asked):
    ...     p = (asked["income"] > 25).cast(float).to_numpy()
    ...     return np.stack([1 - p, p], axis=1)
    >>> inputs = (InputColumn(name="income", kind="number"), InputColumn(name="age", kind="number"))
    >>> suspect = Suspect(ask=ask, kind="binary", inputs=inputs)
    >>> open_ = measure_evasion(suspect, frame, frame, immutable=["age"])
    >>> open_.light, open_.columns[0]
    ('red', ('income', 1.0))
    >>> measure_evasion(suspect, frame, frame, immutable=["income"]).light
    'green'
    """
    names = [column.name for column in suspect.inputs]
    chosen = np.sort(np.random.default_rng(seed).permutation(rows.height)[:MOST_ROWS])
    current = rows.select(names)[chosen]
    before = suspect.decide(suspect.ask(current)) if current.height else np.empty(0, dtype=np.int64)
    edits = list_edits(seen, suspect.inputs, immutable)
    costs = _measure_costs(current, seen, suspect.inputs, edits)
    needed = np.full(current.height, MOST_EDITS + 1)
    used: list[list[int]] = [[] for _ in range(current.height)]
    n_anyhow = 0
    for n_edits in range(1, MOST_EDITS + 1):
        open_rows = np.flatnonzero(needed > MOST_EDITS)
        if not len(open_rows) or not edits:
            break
        is_used = _mark_used([used[row] for row in open_rows], edits)
        tried = _try_edits(suspect, current[open_rows], before[open_rows], edits)
        if n_edits == 1:
            n_anyhow = int(tried.is_turning.any(axis=1).sum())
        best, is_turned = _choose_edits(tried, np.where(is_used, np.inf, costs[open_rows]))
        can_go_on = best >= 0
        open_rows, best, is_turned = open_rows[can_go_on], best[can_go_on], is_turned[can_go_on]
        for row, place in zip(open_rows, best, strict=True):
            used[row].append(int(place))
        needed[open_rows[is_turned]] = n_edits
        current = _apply(current, open_rows, best, edits)
    at_once = [row for row in np.flatnonzero(needed == 1) if edits[used[row][0]].rank is not None]
    distances = [float(costs[row, used[row][0]]) for row in at_once]
    turned = [{edits[place].column for place in used[row]} for row in np.flatnonzero(needed <= MOST_EDITS)]
    shares = {name: sum(name in each for each in turned) / len(turned) for name in names} if turned else {}
    n_rows = current.height
    counts = [int((needed <= n).sum()) for n in range(1, MOST_EDITS + 1)] if n_rows else []
    is_said = n_rows >= MIN_ROWS and (bool(edits) or all(name in immutable for name in names))
    flipped = tuple(_measure_share(f"flipped_by_{n}", count, n_rows) for n, count in enumerate(counts, start=1))
    return Evasion(
        light=_choose_light(flipped, is_declared=bool(immutable)) if is_said else None,
        flipped=flipped,
        anyhow=_measure_share("flipped_by_any_value", n_anyhow, n_rows) if n_rows else None,
        columns=tuple(sorted(((name, share) for name, share in shares.items() if share), key=lambda pair: -pair[1])),
        distance=float(np.median(distances)) if distances else None,
        immutable=tuple(name for name in names if name in immutable),
        untouched=tuple(column.name for column in suspect.inputs if column.kind == "text"),
        n_rows=n_rows,
    )


def _choose_light(flipped: Sequence[Measurement], *, is_declared: bool) -> Light:
    once, most = flipped[0].value, flipped[-1].value
    if once >= RED_SHARE and is_declared:
        return "red"
    return "amber" if once >= AMBER_SHARE or most >= RED_SHARE else "green"


def _measure_share(name: str, n_flipped: int, n_rows: int) -> Measurement:
    return measure_share(name, n_flipped, n_rows, method="greedy valid edits", baseline=0.0)


def _measure_costs(
    rows: pl.DataFrame, seen: pl.DataFrame, inputs: Sequence[InputColumn], edits: Sequence[Edit]
) -> Float:
    """Return what each edit costs each row, (n_rows, n_edits): the share of training rows passed over, infinite where it is too far.

    Another level, an empty cell and a first value where there was none cost 1.
    """
    costs = np.ones((rows.height, len(edits)))
    ranked = {edit.column for edit in edits if edit.rank is not None}
    for column in (one for one in inputs if one.name in ranked):
        ordered = np.sort(build_numbers(seen, [column])[:, 0])
        ordered = ordered[np.isfinite(ordered)]
        cells = build_numbers(rows, [column])[:, 0]
        own = np.searchsorted(ordered, cells) / max(1, len(ordered))
        for place, edit in enumerate(edits):
            if edit.column == column.name and edit.rank is not None:
                passed = np.abs(edit.rank - own)
                costs[:, place] = np.where(np.isnan(cells), 1.0, np.where(passed <= MODEST, passed, np.inf))
    return costs


def _mark_used(used: Sequence[Sequence[int]], edits: Sequence[Edit]) -> NDArray[np.bool_]:
    """Return which edits are in a column that a row has changed already, (n_rows, n_edits)."""
    columns = np.array([edit.column for edit in edits])
    return np.stack([np.isin(columns, columns[list(places)]) for places in used])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What every edit does to every row: how near the answer comes to another decision, and whether it gets there."""

    margins: Float
    is_turning: NDArray[np.bool_]


def _try_edits(suspect: Suspect, rows: pl.DataFrame, before: Int, edits: Sequence[Edit]) -> _Tried:
    margins = np.full((rows.height, len(edits)), np.inf)
    is_turning = np.zeros((rows.height, len(edits)), dtype=bool)
    for column in dict.fromkeys(edit.column for edit in edits):
        places = [place for place, edit in enumerate(edits) if edit.column == column]
        answers = suspect.ask(pl.concat([set_cell(rows, edits[place]) for place in places]))
        decided = suspect.decide(answers).reshape(len(places), rows.height)
        is_turning[:, places] = (decided != before[None, :]).T
        margins[:, places] = _measure_margins(suspect, answers, np.tile(before, len(places))).reshape(len(places), -1).T
    return _Tried(margins=margins, is_turning=is_turning)


def _choose_edits(tried: _Tried, costs: Float) -> tuple[Int, NDArray[np.bool_]]:
    """Return each row's edit, -1 where none is left, and whether it turns the decision: the cheapest that does, else the nearest."""
    is_open = np.isfinite(costs)
    is_turning = tried.is_turning & is_open
    cheapest = np.where(is_turning, costs, np.inf).argmin(axis=1)
    nearest = np.where(is_open, tried.margins, np.inf).argmin(axis=1)
    is_turned: NDArray[np.bool_] = np.asarray(is_turning.any(axis=1))
    best = np.where(is_turned, cheapest, nearest)
    return np.where(is_open.any(axis=1), best, -1), is_turned


def _measure_margins(suspect: Suspect, answers: Float, before: Int) -> Float:
    """Return how far each answer is from leaving its decision; smaller is nearer."""
    if suspect.kind == "binary":
        return np.where(before == 1, 1.0, -1.0) * (answers[:, 1] - suspect.threshold)
    own = answers[np.arange(len(answers)), before]
    others = answers.copy()
    others[np.arange(len(answers)), before] = -np.inf
    return np.asarray(own - others.max(axis=1))


def _apply(rows: pl.DataFrame, places: Int, best: Int, edits: Sequence[Edit]) -> pl.DataFrame:
    """Return the rows with each chosen edit made."""
    changed: dict[str, pl.Series] = {}
    for row, place in zip(places.tolist(), best.tolist(), strict=True):
        edit = edits[place]
        column = changed.get(edit.column, rows[edit.column].clone())
        changed[edit.column] = column.scatter(row, edit.value)
    return rows.with_columns(*changed.values())
