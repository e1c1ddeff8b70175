"""What is in the table: one description per column, fast enough to make for every file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.task import ColumnKind
from skiff.data.facts import ColumnFacts, gather_facts
from skiff.data.kinds import take_top_levels
from skiff.data.semantics import guess_semantic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Levels of `ColumnProfile.quantiles`."""

BINS = 20
"""Bars of `ColumnProfile.histogram`, equally wide from the smallest to the largest value."""

TOP_LEVELS = 10
"""Levels listed."""

MIN_SHARED = 5
"""Rows that must share a level before it is named: a rarer one could point at a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column in numbers. Dates are in seconds since 1970-01-01.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "category", "text", "date"}
    semantic : str
        What the cells mean beyond their kind (`skiff.data.semantics.guess_semantic`), or empty.
    n, missing, distinct : int
        Rows with a value, rows without, different values.
    minimum, maximum, mean, sd : float or None
        Of numbers, dates and yes/no (as 0 and 1); None otherwise. ``sd`` divides by n − 1.
    quantiles : tuple of float
        At `QUANTILES`, by linear interpolation; empty where there are no numbers.
    histogram : tuple of int
        Counts in `BINS` equally wide bars; empty where there are no numbers.
    top : tuple of (str, int)
        Most frequent levels of a category with their rows, only those shared by at least five rows.
    text_length : tuple of (float, float, float) or None
        Shortest, mean and longest text in letters.
    """

    name: str
    kind: ColumnKind
    semantic: str = ""
    n: int = 0
    missing: int = 0
    distinct: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] = ()
    histogram: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    text_length: tuple[float, float, float] | None = None

    @property
    def missing_rate(self) -> float:
        """Share of rows without a value, 0 to 1."""
        total = self.n + self.missing
        return self.missing / total if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A table in numbers; ``columns`` in the order of the table."""

    rows: int
    columns: tuple[ColumnProfile, ...]

    def __getitem__(self, name: str) -> ColumnProfile:
        """Return the profile of one column.

        Raises
        ------
        KeyError
            No such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def profile_table(frame: pl.DataFrame, *, facts: Mapping[str, ColumnFacts] | None = None) -> Profile:
    """Describe every column of a typed table.

    Parameters
    ----------
    frame : polars.DataFrame
    facts : mapping, optional
        What `gather_facts` counted, where it has been done already.

    Notes
    -----
    Exact, no sampling except for `semantic`. Time is that of sorting each numeric and counting each text column once.

    Examples
    --------
    >>> profile = profile_table(pl.DataFrame({"nights": [1, 2, 3, None], "city": ["Rome"] * 4}))
    >>> profile["nights"].mean, profile["nights"].missing, profile["city"].top
    (2.0, 1, ())
    """
    known = facts if facts is not None else gather_facts(frame)
    return Profile(rows=frame.height, columns=tuple(describe_column(known[name]) for name in frame.columns))


def describe_column(facts: ColumnFacts) -> ColumnProfile:
    """Describe one counted column."""
    base = ColumnProfile(
        name=facts.name,
        kind=facts.kind,
        semantic=guess_semantic(facts),
        n=facts.n_known,
        missing=facts.n_missing,
        distinct=facts.n_distinct,
    )
    if facts.kind in ("category", "text"):
        return _describe_text(facts, base)
    return _describe_numbers(facts, base) if facts.n_numbers else base


def _describe_numbers(facts: ColumnFacts, base: ColumnProfile) -> ColumnProfile:
    numbers = facts.numbers
    low, high = float(numbers[0]), float(numbers[-1])
    # Sorted already: quantiles are look-ups and the bars are differences of positions.
    edges = np.linspace(low, high, BINS + 1) if high > low else np.array([low, high])
    places = np.searchsorted(numbers, edges[1:-1], side="left")
    bars = np.diff(np.concatenate([[0], places, [len(numbers)]]))
    return replace(
        base,
        minimum=low,
        maximum=high,
        mean=float(numbers.mean()),
        sd=float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0,
        quantiles=tuple(look_up_quantiles(numbers, np.array(QUANTILES)).tolist()),
        histogram=tuple(int(bar) for bar in bars),
    )


def look_up_quantiles(ordered: Float, levels: Float) -> Float:
    """Return quantiles of numbers that are sorted already, by linear interpolation.

    References
    ----------
    Hyndman and Fan 1996, Sample quantiles in statistical packages, doi:10.2307/2684934, definition 7.

    Examples
    --------
    >>> look_up_quantiles(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.75])).tolist()
    [2.0, 3.0]
    """
    places = levels * (len(ordered) - 1)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    found: Float = ordered[below] + (places - below) * (ordered[above] - ordered[below])
    return found


def _describe_text(facts: ColumnFacts, base: ColumnProfile) -> ColumnProfile:
    levels = facts.levels
    length = None
    if levels.height:
        letters, weight = levels["level"].str.len_chars().to_numpy(), levels["n"].to_numpy()
        length = (float(letters.min()), float(np.average(letters, weights=weight)), float(letters.max()))
    common = levels.filter(pl.col("n") >= MIN_SHARED) if facts.kind == "category" else levels.head(0)
    shared = take_top_levels(common, TOP_LEVELS)
    return replace(
        base,
        top=tuple(zip(shared["level"].to_list(), shared["n"].to_list(), strict=True)),
        text_length=length,
    )
