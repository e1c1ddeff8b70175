"""What every check starts from, counted once: sorted numbers, counted levels, cells without a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.task import ColumnKind
from skiff.data.abreast import computed_once, map_abreast
from skiff.data.kinds import count_levels, kind_of, to_floats, to_seconds
from skiff.data.rows import count_missing, has_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column, counted; what few checks need is computed when first asked for.

    Parameters
    ----------
    series : polars.Series
    kind : {"number", "boolean", "category", "text", "date"}
    """

    series: pl.Series
    kind: ColumnKind

    @property
    def name(self) -> str:
        """Name of the column."""
        return self.series.name

    @property
    def n_rows(self) -> int:
        """Number of rows, with and without a value."""
        return self.series.len()

    @computed_once
    def filled(self) -> Bool:
        """Which rows have a value."""
        return has_value(self.series)

    @computed_once
    def n_missing(self) -> int:
        """Number of rows without a value."""
        return count_missing(self.series)

    @property
    def numbers(self) -> Float:
        """The finite values in ascending order (number, boolean as 0 and 1, date as seconds since 1970); else none.

        Built anew at each call where values repeat; `n_numbers` and the ends of `runs` cost nothing.
        """
        ordered, values, counts = self._counted
        return np.repeat(values, counts) if ordered is None else ordered

    @computed_once
    def n_numbers(self) -> int:
        """Number of finite values."""
        return int(self.runs[1].sum())

    @property
    def n_known(self) -> int:
        """Number of rows with a value."""
        return self.n_rows - self.n_missing

    @property
    def is_quantity(self) -> bool:
        """Whether the values have an order and distances: numbers and dates."""
        return self.kind in ("number", "date")

    @computed_once
    def levels(self) -> pl.DataFrame:
        """Levels of a category or text with their rows, in no order: columns ``level`` and ``n``."""
        return count_levels(self.series)

    @property
    def runs(self) -> tuple[Float, Int]:
        """Different numbers in ascending order, and how often each occurs."""
        return self._counted[1:]

    @computed_once
    def _counted(self) -> tuple[Float | None, Float, Int]:
        """All numbers in ascending order where most differ (else None: the runs say it in less memory), and their runs."""
        ordered = _sort_numbers(self.series, self.kind)
        if not len(ordered):
            return ordered, ordered, np.zeros(0, dtype=np.int64)
        starts = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
        values, counts = ordered[starts], np.diff(np.append(starts, len(ordered)))
        return (ordered if 2 * len(values) > len(ordered) else None), values, counts

    @computed_once
    def n_distinct(self) -> int:
        """Number of different values."""
        return self.levels.height if self.kind in ("category", "text") else len(self.runs[0])

    @computed_once
    def top_count(self) -> int:
        """Rows with the most frequent value."""
        if self.kind in ("category", "text"):
            return int(self.levels["n"].max() or 0)  # type: ignore[arg-type]  # Int64, by `count_levels`
        return int(self.runs[1].max(initial=0))

    def floats(self) -> Float:
        """Return the column as floats in the order of the rows (number, boolean, date); NaN where missing."""
        if self.kind == "date":
            return to_seconds(self.series)
        return to_floats(self.series)


def gather_facts(frame: pl.DataFrame) -> dict[str, ColumnFacts]:
    """Count every column of a typed table, by name.

    Notes
    -----
    About 15 ms a column of 500,000 numbers on two cores; memory at most two float64 copies of the numeric columns, near none where values repeat. All are sorted
    and counted at once, on two threads; what few checks need is computed when first asked for.

    Examples
    --------
    >>> facts = gather_facts(pl.DataFrame({"nights": [3, 1, None, 1]}))["nights"]
    >>> facts.n_missing, facts.n_distinct, facts.numbers.tolist()
    (1, 2, [1.0, 1.0, 3.0])
    """
    return {facts.name: facts for facts in map_abreast(_count, frame.get_columns())}


def _count(column: pl.Series) -> ColumnFacts:
    """Return the facts of a column with what every check asks for: its different values and how many there are."""
    facts = ColumnFacts(series=column, kind=kind_of(column))
    if facts.n_missing < facts.n_rows:
        _ = facts.n_distinct
    return facts


def _sort_numbers(column: pl.Series, kind: ColumnKind) -> Float:
    if kind in ("category", "text"):
        return np.zeros(0)
    if kind == "boolean":
        n_true = int(column.sum() or 0)
        return np.repeat([0.0, 1.0], [column.len() - column.null_count() - n_true, n_true])
    known = column.drop_nulls() if column.null_count() else column
    if kind == "date":
        return to_seconds(known.sort())
    if known.dtype == pl.Duration:
        known = known.dt.total_seconds(fractional=True)
    known = known.cast(pl.Float64, strict=False) if known.dtype != pl.Float64 else known
    ordered = known.sort().to_numpy()  # NaN and infinity go to the ends
    if len(ordered) and np.isfinite(ordered[0]) and np.isfinite(ordered[-1]):
        return ordered
    low, high = (
        np.searchsorted(ordered, [-np.inf, np.inf], side="right")[0],
        np.searchsorted(ordered, np.inf, side="left"),
    )
    return ordered[low:high]
