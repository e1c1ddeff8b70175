"""Who comes back: find the column whose repeated values name one customer, patient or machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import Finding
from skiff.core.task import Task
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.headers import ENTITY, IDENTIFIER, says
from skiff.data.rows import has_value
from skiff.data.sentences import say_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]

MIN_ENTITIES = 50
"""Different values below which a column is a category: a model is meant to know its shops, not to be surprised by new ones."""

MIN_REPEATED = 0.2
"""Share of rows that must share their value with another row."""

MAX_MISSING = 0.05
"""Share of rows without a value above which a column names nobody."""

MAX_MEAN_ROWS = 1_000
"""Rows per value above which a column is a category."""

MIN_PAIRS = 100
"""Pairs of rows needed on each side: 100 know a share to ±0.1 (binomial, 95 %)."""

ALIKE = 0.8
"""Agreement beyond that of neighbours (Cohen's kappa) from which an attribute belongs to the entity:
"almost perfect" from 0.81 on in Landis and Koch 1977, doi:10.2307/2529310."""

TARGET_ALIKE = 0.2
"""The same for the target: above "slight"."""

MIN_ALIKE_COLUMNS = 2
"""Attributes that must belong to the entity where the target does not."""

BINS = 20
"""Bins in which two numbers count as equal."""

SAMPLE_ROWS = 30_000
"""Rows compared, about: all rows of some of the entities, so that pairs survive."""

SAMPLE_CELLS = 1_000
"""Different cells whose form is looked at."""

CODE = re.compile(r"[^\s]*\d[^\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """How alike rows of one value are, against rows of the neighbouring values.

    Parameters
    ----------
    column : str
    n_entities : int
    repeated : float
        Share of rows whose value occurs again.
    target : float
        Agreement of the target beyond that of neighbours, 0 to 1.
    alike : tuple of str
        Attributes that agree (almost) always within a value, and do not with its neighbours.
    is_identifier : bool
        Whether header or cells look like an identifier rather than a property.
    """

    column: str
    n_entities: int
    repeated: float
    target: float
    alike: tuple[str, ...]
    is_identifier: bool


def find_group(
    frame: pl.DataFrame, task: Task, *, facts: Mapping[str, ColumnFacts] | None = None
) -> tuple[str | None, list[Finding]]:
    """Propose the column whose repeated values name one entity, with the evidence.

    Proposed is an identifier by its header or form that repeats, and whose rows are much more alike than rows of
    neighbouring identifiers. A name without that form is only mentioned.

    Notes
    -----
    Neighbours in the sorted identifiers, not random rows, are the yardstick: identifiers are often given in order of
    time, and a measured number is as alike to the next value as to itself.
    """
    known = facts if facts is not None else gather_facts(frame)
    measured = [kin for fact in known.values() if (kin := measure_kinship(frame, task, fact)) is not None]
    proven = [kin for kin in measured if kin.target >= TARGET_ALIKE or len(kin.alike) >= MIN_ALIKE_COLUMNS]
    identifiers = [kin for kin in proven if kin.is_identifier]
    if identifiers:
        best = min(identifiers, key=lambda kin: kin.n_entities)
        return best.column, [_tell(best, is_proposed=True)]
    named = [kin for kin in proven if kin.target >= 2 * TARGET_ALIKE and kin.alike]
    return None, [_tell(max(named, key=lambda kin: kin.target), is_proposed=False)] if named else []


def measure_kinship(frame: pl.DataFrame, task: Task, fact: ColumnFacts) -> Kinship | None:
    """Measure whether a column names entities that come back; None where it cannot be an entity at all."""
    name, column = fact.name, fact.series
    if name in (task.target, task.time, *task.protected) or not (
        column.dtype == pl.String or column.dtype.is_integer()
    ):
        return None
    is_number = column.dtype.is_integer()
    if fact.kind == "text" or (is_number and not _looks_like_identifier(column)):
        return None
    n_entities = column.n_unique() if is_number else _count_texts(fact)
    is_entity = n_entities >= MIN_ENTITIES and frame.height / n_entities <= MAX_MEAN_ROWS
    if (
        not is_entity
        or n_entities > (1.0 - MIN_REPEATED / 2) * frame.height
        or column.null_count() > MAX_MISSING * frame.height
    ):
        return None
    drawn = _draw_entities(column)
    _, place, counts = np.unique(column[drawn].rank("dense").to_numpy(), return_inverse=True, return_counts=True)
    repeated = float((counts[place] > 1).mean())
    if repeated < MIN_REPEATED:
        return None
    order = drawn[np.argsort(place, kind="stable")]
    place = np.sort(place)
    is_same = np.diff(place) == 0
    if min(is_same.sum(), (~is_same).sum()) < MIN_PAIRS:
        return None
    gathered = frame[order]
    alike = [
        other
        for other in frame.columns
        if other not in (name, task.target, task.time) and _measure_agreement(gathered[other], is_same) >= ALIKE
    ]
    return Kinship(
        column=name,
        n_entities=n_entities,
        repeated=repeated,
        target=max(0.0, _measure_agreement(gathered[task.target], is_same)),
        alike=tuple(alike),
        is_identifier=is_number or _looks_like_identifier(column),
    )


def _count_texts(fact: ColumnFacts) -> int:
    """Return the number of different cells, the empty text and the missing cell among them."""
    n_null = fact.series.null_count()
    return fact.n_distinct + (n_null > 0) + (fact.n_missing > n_null)


def _draw_entities(column: pl.Series) -> Int:
    """Return the positions of a sample of entities, each with all of its rows."""
    filled = has_value(column)
    n_parts = -(-column.len() // SAMPLE_ROWS)
    if n_parts > 1:
        filled &= (column.hash(seed=0) % n_parts == 0).fill_null(value=False).to_numpy()
    return np.flatnonzero(filled)


def _looks_like_identifier(column: pl.Series) -> bool:
    if says(column.name, IDENTIFIER) or says(column.name, ENTITY):
        return True
    if column.dtype != pl.String:
        return False
    for n_rows in (10 * SAMPLE_CELLS, column.len()):  # the first rows nearly always hold enough different cells
        sample = column.head(n_rows).drop_nulls().unique(maintain_order=True).head(SAMPLE_CELLS)
        if sample.len() == SAMPLE_CELLS:
            break
    return bool(sample.len()) and sum(CODE.fullmatch(cell) is not None for cell in sample) >= 0.95 * sample.len()


def _measure_agreement(column: pl.Series, is_same: NDArray[np.bool_]) -> float:
    """Return (within − neighbours) / (1 − neighbours): 1 where rows of one entity always agree, 0 where no more than neighbours."""
    cells = _blur(column)
    agrees = cells[1:].eq_missing(cells[:-1]).to_numpy()
    neighbours = float(agrees[~is_same].mean())
    if neighbours > 0.95:  # noqa: PLR2004  a column that hardly varies proves nothing
        return 0.0
    return (float(agrees[is_same].mean()) - neighbours) / (1.0 - neighbours)


def _blur(column: pl.Series) -> pl.Series:
    """Return numbers as one of twenty equally filled bins, everything else as it is."""
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()) or column.n_unique() <= BINS:
        return column
    return (column.rank("average") / (column.len() + 1) * BINS).floor()


def _tell(kin: Kinship, *, is_proposed: bool) -> Finding:
    what = (
        f"'{kin.column}' names something that comes back: {kin.n_entities:,} different values, and {say_share(kin.repeated)} "
        "rows share theirs with another row."
    )
    done = "All rows of one are kept on the same side, to train or to judge." if is_proposed else ""
    return Finding(
        code="task.group",
        severity="info" if is_proposed else "warn",
        columns=(kin.column,),
        evidence={
            "entities": kin.n_entities,
            "repeated": round(kin.repeated, 4),
            "target_agreement": round(kin.target, 3),
            "attributes_that_agree": len(kin.alike),
        },
        what=f"{what} {done}".strip(),
        why_it_matters="A model that has already seen one of them recognises it again and looks better than it is on new ones.",
        remedy="If they are not the same one coming back, name the right column with --group."
        if is_proposed
        else f"If new ones will come, add --group {kin.column}; if it is always the same ones, leave it.",
        action="none" if is_proposed else "asked",
        question=f"Will the model meet values of '{kin.column}' that are not in this table?",
    )
