"""Every column of a window against training: exact on all rows, one sort or one count a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import polars as pl

from skiff.data.bins import count_named, count_ordered, view_column
from skiff.data.kinds import count_levels
from skiff.data.profile import MIN_SHARED
from skiff.monitor.chances import (
    find_beyond_chance,
    find_ks_chance,
    find_rate_chance,
    find_table_chance,
)
from skiff.monitor.distances import (
    JS_BINS,
    PSI_BINS,
    compare_curves,
    count_in_bins,
    measure_cramer,
    measure_js,
    measure_psi,
)
from skiff.monitor.reference import ColumnReference, Curve, Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float: TypeAlias = NDArray[np.float64]


class Columns(Protocol):
    """A table by column: a Polars frame, or a file that is read one column at a time."""

    @property
    def columns(self) -> list[str]:
        """Names."""

    @property
    def height(self) -> int:
        """Rows."""

    def __getitem__(self, name: str, /) -> pl.Series:
        """Return one column."""


MIN_ROWS = 100
"""Rows a window needs before its columns are judged: with fewer only a gross change can be told from chance, and the normal
laws behind the cell counts are poor. "Not enough rows yet" is the answer below."""

FEW_VALUES = 10
"""Numbers with at most this many values are compared value by value (chi-squared): a staircase of few steps tests poorly."""

SHOWN_LEVELS = 5
WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """One column of a window beside training.

    Parameters
    ----------
    name, kind : str
    n, n_missing : int
    missing_before : float
        Share of gaps in training.
    test : {"ks", "chi2", "none"}
        What `chance` comes from: Kolmogorov-Smirnov or chi-squared.
    chance, chance_missing, chance_unseen, chance_trend : float
        How often chance alone would show as much: in the values, the gaps, the values never seen in training, and the
        values of the last weeks together (1 where not tested).
    ks, wasserstein, js, psi, cramer : float or None
        Effect sizes; ``wasserstein`` in standard deviations of training.
    n_unseen : int
        Rows with a level that training did not name, or beyond its range.
    unseen_before : float
        The same share in training.
    new_levels : tuple of str
        Levels never named, each shared by at least five rows.
    counts : tuple of int
        Rows in each bin of the reference; empty for a release without bins.
    advances : bool
        A date whose middle lies later than in training: time goes on, and that alone is no change of the world.
    """

    name: str
    kind: str
    n: int = 0
    n_missing: int = 0
    missing_before: float = 0.0
    test: str = "none"
    chance: float = 1.0
    chance_missing: float = 1.0
    chance_unseen: float = 1.0
    chance_trend: float = 1.0
    ks: float | None = None
    wasserstein: float | None = None
    js: float | None = None
    psi: float | None = None
    cramer: float | None = None
    n_unseen: int = 0
    unseen_before: float = 0.0
    new_levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    advances: bool = False

    @property
    def missing_rate(self) -> float:
        """Share of rows without a value."""
        total = self.n + self.n_missing
        return self.n_missing / total if total else 0.0

    @property
    def unseen_rate(self) -> float:
        """Share of rows with values that training did not have."""
        total = self.n + self.n_missing
        return self.n_unseen / total if total else 0.0


def measure_drift(
    frame: Columns,
    reference: Reference,
    *,
    earlier: Mapping[str, Sequence[int]] | None = None,
    workers: int = WORKERS,
) -> tuple[ColumnDrift, ...]:
    """Compare every column of the reference that the window has.

    Parameters
    ----------
    frame : Columns
        Rows of the window: a Polars frame, or anything that gives its columns one at a time.
    reference : Reference
    earlier : mapping of str to sequence of int, optional
        Rows per bin of the windows before, added up: a slow change shows in the sum before it shows in one window.
    workers : int
        Columns that are compared at the same time.

    Notes
    -----
    A column of 1,000,000 numbers takes about 15 ms, one of categories about the same. Which rows are close in time, and so
    alike, is not known here: chances are for rows drawn one by one (see the limits in the documentation).

    Examples
    --------
    >>> from skiff.data.kinds import infer_inputs
    >>> from skiff.data.reference import build_reference
    >>> import msgspec
    >>> from skiff.monitor.reference import decode_reference
    >>> rng = np.random.default_rng(0)
    >>> before = pl.DataFrame({"price": rng.normal(50, 9, 4000)})
    >>> made = build_reference(before, infer_inputs(before), predictions=np.zeros(4000))
    >>> reference = decode_reference(msgspec.json.encode(made))
    >>> [found] = measure_drift(pl.DataFrame({"price": rng.normal(53, 9, 1000)}), reference)
    >>> found.test, found.chance < 1e-9, round(found.wasserstein, 1)
    ('ks', True, 0.4)
    """
    known = [column for column in reference.columns if column.name in frame.columns]
    sums = earlier or {}

    def compare(column: ColumnReference) -> ColumnDrift:
        return compare_column(frame[column.name], column, earlier=sums.get(column.name, ()))

    if workers < 2 or len(known) < 2 or frame.height < 20_000:  # noqa: PLR2004  threads cost more than they save below
        return tuple(compare(column) for column in known)
    with ThreadPoolExecutor(workers) as pool:
        return tuple(pool.map(compare, known))


def compare_column(series: pl.Series, column: ColumnReference, *, earlier: Sequence[int] = ()) -> ColumnDrift:
    """Compare one column of a window with training."""
    found = _compare_levels(series, column) if column.kind == "category" else _compare_numbers(series, column)
    return _with_trend(found, column, earlier)


def _compare_numbers(series: pl.Series, column: ColumnReference) -> ColumnDrift:
    values = view_column(series, column.kind)
    ordered = np.sort(values)  # NaN goes to the end
    ordered = ordered[: int(np.searchsorted(ordered, np.nan))]
    n, n_missing = len(ordered), len(values) - len(ordered)
    counts: tuple[int, ...] = ()
    if column.bins is not None:
        counts = tuple(count_ordered(ordered, column.bins, n_missing=n_missing).tolist())
    base = _begin(column, n, n_missing, counts)
    curve = column.curve
    if curve is None or not n:
        return base
    finite = ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf)]
    if not len(finite):
        return base
    ks, area, shares = compare_curves(finite, curve)
    below = int(np.searchsorted(ordered, curve.low, side="left"))
    above = n - int(np.searchsorted(ordered, curve.high, side="right"))
    unseen = min(1.0, 2 * min(find_beyond_chance(below, n, curve.n), find_beyond_chance(above, n, curve.n)))
    now, before = count_in_bins(shares, curve, n=n, n_bins=JS_BINS)
    ten_now, ten_before = count_in_bins(shares, curve, n=n, n_bins=PSI_BINS)
    test, chance, cramer = "ks", find_ks_chance(ks, n, curve.n), None
    if 0 < len(column.counts) <= FEW_VALUES:
        now, before = _count_values(ordered, column)
        ten_now, ten_before = now, before
        chi2, chance = find_table_chance(now.copy(), before.copy())
        test, cramer = "chi2", measure_cramer(chi2, float(now.sum() + before.sum()), len(now))
    return ColumnDrift(
        name=base.name,
        kind=base.kind,
        n=n,
        n_missing=n_missing,
        missing_before=base.missing_before,
        chance_missing=base.chance_missing,
        counts=counts,
        test=test,
        chance=chance,
        chance_unseen=unseen,
        ks=ks,
        wasserstein=area / curve.sd if curve.sd > 0 else (0.0 if area == 0 else None),
        js=measure_js(now, before),
        psi=measure_psi(ten_now, ten_before),
        cramer=cramer,
        n_unseen=below + above,
        advances=column.kind == "date" and float(np.median(finite)) > _find_middle(curve),
    )


def _find_middle(curve: Curve) -> float:
    """Return the point up to which half of the rows of training lie."""
    return float(curve.points[min(int(np.searchsorted(curve.shares, 0.5)), len(curve.points) - 1)])


def _count_values(ordered: Float, column: ColumnReference) -> tuple[Float, Float]:
    known = np.array([value for value, _ in column.counts])
    left = np.searchsorted(ordered, known, side="left")
    right = np.searchsorted(ordered, known, side="right")
    hits = (right - left).astype(np.float64)
    before = np.array([rows for _, rows in column.counts], dtype=np.float64)
    return np.append(hits, len(ordered) - hits.sum()), np.append(before, 0.0)


def _compare_levels(series: pl.Series, column: ColumnReference) -> ColumnDrift:
    counted = count_levels(series)
    rows = counted["n"].to_numpy().astype(np.float64)
    n = int(rows.sum())
    n_missing = series.len() - n
    counts: tuple[int, ...] = ()
    levels = counted["level"]
    if column.bins is not None:
        counts = tuple(
            count_named(levels.to_list(), counted["n"].to_numpy(), column.bins, n_missing=n_missing).tolist()
        )
    base = _begin(column, n, n_missing, counts)
    if not n or not column.n:
        return base
    known = pl.DataFrame(
        {"level": column.levels, "before": column.level_rows}, schema={"level": pl.String, "before": pl.Float64}
    )
    joined = known.join(counted, on="level", how="left", maintain_order="left")
    hits = joined["n"].fill_null(0).to_numpy().astype(np.float64)
    n_other = n - int(hits.sum())
    now, before = np.append(hits, n_other), np.append(column.level_rows, float(column.other))
    chi2, chance = find_table_chance(now.copy(), before.copy())
    fresh = (
        counted.filter((pl.col("n") >= MIN_SHARED) & ~pl.col("level").is_in(list(column.levels)))
        if n_other
        else counted.head(0)
    )
    return ColumnDrift(
        name=base.name,
        kind=base.kind,
        n=n,
        n_missing=n_missing,
        missing_before=base.missing_before,
        chance_missing=base.chance_missing,
        counts=counts,
        test="chi2",
        chance=chance,
        chance_unseen=_find_more_chance(n_other, n, column.other, column.n),
        js=measure_js(now, before),
        psi=measure_psi(now, before),
        cramer=measure_cramer(chi2, float(n + column.n), len(now)),
        n_unseen=n_other,
        unseen_before=column.other / column.n,
        new_levels=tuple(fresh.sort(["n", "level"], descending=[True, False])["level"].head(SHOWN_LEVELS).to_list()),
    )


def _find_more_chance(hits: int, n: int, hits_before: int, n_before: int) -> float:
    """Return the chance where more is what matters; fewer unknown levels than before alarm nobody."""
    if not n_before or hits / n <= hits_before / n_before:
        return 1.0
    return find_rate_chance(hits, n, hits_before, n_before)


def _begin(column: ColumnReference, n: int, n_missing: int, counts: tuple[int, ...]) -> ColumnDrift:
    total = column.n + column.n_missing
    return ColumnDrift(
        name=column.name,
        kind=column.kind,
        n=n,
        n_missing=n_missing,
        missing_before=column.n_missing / total if total else 0.0,
        chance_missing=find_rate_chance(n_missing, n + n_missing, column.n_missing, total),
        counts=counts,
    )


def _with_trend(found: ColumnDrift, column: ColumnReference, earlier: Sequence[int]) -> ColumnDrift:
    """Add the chance of the last weeks' rows together, gaps aside (they have a test of their own)."""
    if len(earlier) != len(found.counts) or not len(column.train) or not sum(earlier):
        return found
    together = np.asarray(earlier, dtype=np.float64)[:-1] + np.asarray(found.counts, dtype=np.float64)[:-1]
    _, chance = find_table_chance(together, column.train[:-1].copy())
    return ColumnDrift(**{**{name: getattr(found, name) for name in ColumnDrift.__slots__}, "chance_trend": chance})
