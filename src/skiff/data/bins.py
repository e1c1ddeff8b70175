"""A column cut into a few bins, so that two tables can be compared bin by bin without keeping a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from skiff.core.evidence import Json
from skiff.core.task import ColumnKind
from skiff.data.facts import ColumnFacts
from skiff.data.kinds import take_top_levels, to_floats, to_seconds
from skiff.data.profile import MIN_SHARED, look_up_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]

N_BINS = 10
"""Bins of equal mass for numbers and dates: the usual ten of a stability index (Siddiqi 2006, Credit risk scorecards)."""

MAX_LEVELS = 20
"""Levels with a bin of their own; all others share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How one column is cut: ``edges`` (a value up to an edge lies below it) or ``levels``; gaps have the last bin.

    Parameters
    ----------
    kind : {"number", "boolean", "category", "text", "date"}
    edges : tuple of float
        Of numbers, yes/no, dates (seconds since 1970) and the length of texts.
    levels : tuple of str
        Of categories; the bin after them holds all other levels.
    """

    kind: ColumnKind
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def n_bins(self) -> int:
        """Return how many bins there are, that of the gaps included."""
        return len(self.levels if self.kind == "category" else self.edges) + 2

    def name(self, place: int) -> str:
        """Return a bin in words.

        Examples
        --------
        >>> cut = Bins(kind="number", edges=(10.0, 20.0))
        >>> [cut.name(place) for place in range(cut.n_bins)]
        ['up to 10', '10 to 20', 'above 20', '(missing)']
        """
        if place == self.n_bins - 1:
            return "(missing)"
        if self.kind == "category":
            return self.levels[place] if place < len(self.levels) else "(other)"
        if self.kind == "boolean":
            return "no" if place == 0 else "yes"
        if not self.edges:
            return "(any)"
        words = [_say_edge(edge, self.kind) for edge in self.edges]
        if place == 0:
            return f"up to {words[0]}"
        return f"above {words[-1]}" if place == len(words) else f"{words[place - 1]} to {words[place]}"

    def as_json(self) -> dict[str, Json]:
        """Return the bins as they are kept in a release."""
        return {"kind": self.kind, "edges": list(self.edges), "levels": list(self.levels)}


def build_bins(body: Mapping[str, Any]) -> Bins:  # Any: JSON
    """Return bins from what `Bins.as_json` gave."""
    return Bins(kind=body["kind"], edges=tuple(body["edges"]), levels=tuple(body["levels"]))


def learn_bins(facts: ColumnFacts, kind: ColumnKind) -> Bins:
    """Cut a column at the tenths of its own values, or at its most frequent levels.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> learn_bins(gather_facts(pl.DataFrame({"nights": list(range(101))}))["nights"], "number").edges[:3]
    (10.0, 20.0, 30.0)
    """
    if kind == "category":
        shared = take_top_levels(facts.levels.filter(pl.col("n") >= MIN_SHARED), MAX_LEVELS)
        return Bins(kind=kind, levels=tuple(shared["level"].to_list()))
    if kind == "boolean":
        return Bins(kind=kind, edges=(0.0,))
    ordered = np.sort(_lengths(facts.series)) if kind == "text" else facts.numbers
    ordered = ordered[np.isfinite(ordered)]
    if not len(ordered):
        return Bins(kind=kind)
    cuts = np.unique(look_up_quantiles(ordered, np.arange(1, N_BINS) / N_BINS))
    return Bins(kind=kind, edges=tuple(float(cut) for cut in cuts if cut < ordered[-1]))


def view_column(series: pl.Series, kind: ColumnKind) -> Float:
    """Return a column of any type as the floats that bins of `kind` cut; NaN where there is no value."""
    if kind == "text":
        return _lengths(series)
    if kind == "date":
        if series.dtype == pl.String:
            series = series.str.to_datetime(strict=False, time_unit="us")
        return to_floats(series) if series.dtype.is_numeric() else to_seconds(series)
    if series.dtype == pl.Duration:
        series = series.dt.total_seconds(fractional=True)
    if series.dtype == pl.String and kind == "boolean":
        lowered = series.str.to_lowercase()
        known = lowered.is_in(["true", "yes", "y", "t", "1", "false", "no", "n", "f", "0"])
        series = pl.select(pl.when(known).then(lowered.is_in(["true", "yes", "y", "t", "1"]))).to_series()
    return to_floats(series)


def place_rows(series: pl.Series, bins: Bins) -> Int:
    """Return the bin of every row.

    Examples
    --------
    >>> place_rows(pl.Series(["a", "z", None]), Bins(kind="category", levels=("a", "b"))).tolist()
    [0, 2, 3]
    >>> place_rows(pl.Series([10.0, 10.5, None]), Bins(kind="number", edges=(10.0,))).tolist()
    [0, 1, 2]
    """
    last = bins.n_bins - 1
    if bins.kind == "category":
        text = series.cast(pl.String)
        codes = {level: place for place, level in enumerate(bins.levels)}
        known = text.replace_strict(codes, default=last - 1, return_dtype=pl.Int64) if codes else pl.Series([last - 1])
        known = known if codes else known.new_from_index(0, len(text))
        found = known.to_numpy().astype(np.int64)
        found[((text == "") | text.is_null()).fill_null(value=True).to_numpy()] = last
        return found
    values = view_column(series, bins.kind)
    found = np.searchsorted(np.asarray(bins.edges), values, side="left").astype(np.int64)
    found[np.isnan(values)] = last
    return found


def count_ordered(ordered: Float, bins: Bins, *, n_missing: int) -> Int:
    """Return the rows in each bin from values that are sorted already."""
    below = np.searchsorted(ordered, np.asarray(bins.edges, dtype=np.float64), side="right")
    return np.diff(np.concatenate([[0], below, [len(ordered), len(ordered) + n_missing]])).astype(np.int64)


def count_named(levels: Sequence[str | None], counts: Int, bins: Bins, *, n_missing: int) -> Int:
    """Return the rows in each bin from levels that are counted already."""
    codes = {level: place for place, level in enumerate(bins.levels)}
    found = np.zeros(bins.n_bins, dtype=np.int64)
    places = np.array([codes.get(level or "", len(codes)) for level in levels], dtype=np.int64)
    np.add.at(found, places, counts)
    found[-1] = n_missing
    return found


def _lengths(series: pl.Series) -> Float:
    text = series.cast(pl.String)
    return to_floats(text.set(text == "", None).str.len_chars())


def _say_edge(edge: float, kind: ColumnKind) -> str:
    if kind == "date":
        return str(pl.Series([round(edge * 1e6)]).cast(pl.Datetime("us")).dt.to_string("%Y-%m-%d")[0])
    return f"{edge:,.4g}" if abs(edge) < 100_000 else f"{edge:,.0f}"  # noqa: PLR2004  five digits tell enough
