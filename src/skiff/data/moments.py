"""When each row happened: find the column that says so, and where the past can be cut from the future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.finding import EvidenceValue, Finding
from skiff.core.task import Task
from skiff.data.abreast import map_abreast
from skiff.data.associations import correlate
from skiff.data.headers import BIRTH, DAY, HOUR, MONTH, YEAR, says, split_header
from skiff.data.kinds import to_floats, to_seconds
from skiff.data.sentences import name_columns, say_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]

DAY_S = 86_400.0
YEAR_DAYS = 365.25

MAX_MISSING = 0.02
"""Share of rows without the date above which it is not when the row was made: a row is made at some time."""

MIN_MOMENTS = 10
"""Different moments needed to speak of an order."""

ORDERED_SHARE = 0.9
"""Share of steps in one direction, or rank correlation with the row number, from which the file is in order of time.
By chance the share is ½ and the correlation 0 ± 1/√n."""

MAX_SPAN_YEARS = 20.0
"""Longest period that dates in no order may cover: beyond, they are dates of birth, building years and the like."""

MIN_COVERED = 0.5
"""Share of the days one would expect to meet, were rows spread evenly over the period, that must be met."""

MAX_ONE_DAY = 0.3
"""Share of rows on one and the same moment from which a date is a placeholder rather than a time."""

MANY_RIVALS = 3
"""Other dates that could serve as well, from which being the earliest has to be shown row by row."""

MAX_RIVALS = 50
"""Rivals that are compared; they stand for the others."""

FIRST_SHARE = 0.75
"""Share of rows in which a date that happens first stands before another: half by chance, nearly all for a real one, of which
typing errors and dates written without a clock time take some."""

YEARS = (1800.0, 2200.0)
"""Whole numbers in this range can be years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How well a column orders the rows.

    Parameters
    ----------
    column : str
    missing : float
        Share of rows without it.
    n_moments : int
    top_share : float
        Share of the most frequent moment.
    span_years : float
    sortedness : float
        0.5 for no order in the file, 1 for perfect order.
    covered : float
        Days met, of those one would expect to meet.
    median : float
        To prefer the earlier of two dates.
    test_share : float or None
        The share that can be cut off as the latest rows, nearest to a fifth; None where no cut is fair.
    """

    column: str
    missing: float
    n_moments: int
    top_share: float
    span_years: float
    sortedness: float
    covered: float
    median: float
    test_share: float | None

    @property
    def is_ordered(self) -> bool:
        """Whether the file itself is in this order."""
        return self.sortedness >= ORDERED_SHARE


def can_order(column: pl.Series) -> bool:
    """Whether a column's values have an order in time: dates, times or numbers.

    Examples
    --------
    >>> can_order(pl.Series([2023, 2024])), can_order(pl.Series(["May", "June"]))
    (True, False)
    """
    return column.dtype.is_temporal() or column.dtype.is_numeric()


def build_moments(frame: pl.DataFrame, time: str) -> Float:
    """Return when each row happened as a number to sort by, NaN where unknown.

    A year is made finer by the month, day and hour columns beside it, where the table has them.

    Examples
    --------
    >>> sales = pl.DataFrame({"year_sold": [2024, 2024], "month_sold": [6, 2]})
    >>> build_moments(sales, "year_sold").argsort().tolist()
    [1, 0]
    """
    column = frame[time]
    if column.dtype in (pl.Date, pl.Datetime):
        return to_seconds(column)
    if column.dtype.is_temporal():
        return to_floats(column.to_physical())
    moments = to_floats(column)
    if not says(time, YEAR):
        return moments
    for words, low, high, size in ((MONTH, 1, 12, 12), (DAY, 1, 31, 31), (HOUR, 0, 24, 25)):
        part = _find_part(frame, time, words=words, low=low, high=high)
        if part is None:
            break
        moments = moments * size + np.nan_to_num(to_floats(frame[part]), nan=0.0)
    return moments


def find_cut(moments: Float, test_share: float) -> float | None:
    """Return the first moment of the test rows, so that their share is nearest to `test_share`.

    Rows of one moment always stay together. None where every cut leaves less than half or more than twice the share.

    Examples
    --------
    >>> find_cut(np.arange(10.0), 0.2)
    8.0
    >>> find_cut(np.array([1.0] * 9 + [2.0]), 0.5) is None
    True
    """
    return _cut_ordered(sort_known(moments), test_share)


def sort_known(moments: Float) -> Float:
    """Return the known moments in ascending order.

    Examples
    --------
    >>> sort_known(np.array([2.0, np.nan, 1.0])).tolist()
    [1.0, 2.0]
    """
    known = moments[np.isfinite(moments)]
    return pl.Series(known).sort().to_numpy()  # on all cores


def _cut_ordered(known: Float, test_share: float) -> float | None:
    """Do as `find_cut`, for known moments in ascending order."""
    starts = np.flatnonzero(known[1:] > known[:-1]) + 1
    if not len(starts):
        return None
    shares = 1.0 - starts / len(known)
    best = int(np.argmin(np.abs(np.log(shares / test_share))))
    is_fair = 0.5 * test_share <= shares[best] <= 2.0 * test_share  # the bounds promised above
    return float(known[starts[best]]) if is_fair else None


def measure_order(frame: pl.DataFrame, name: str) -> Order | None:
    """Measure how well a column orders the rows; None where it hardly varies."""
    column = frame[name]
    is_date = column.dtype.is_temporal()
    moments = build_moments(frame, name)
    own = moments if is_date else to_floats(column)
    known = sort_known(moments)
    starts = np.flatnonzero(known[1:] > known[:-1]) + 1
    if len(starts) + 1 < MIN_MOMENTS:
        return None
    values, counts = known[np.append(0, starts)], np.diff(np.concatenate([[0], starts, [len(known)]]))
    ordered = known if is_date else sort_known(own)
    span = float(ordered[-1] - ordered[0])
    span_days = span / DAY_S if is_date else span * YEAR_DAYS
    cut = _cut_ordered(known, 0.2)
    return Order(
        column=name,
        missing=1.0 - len(known) / len(moments),
        n_moments=len(values),
        top_share=float(counts.max() / len(known)),
        span_years=span_days / YEAR_DAYS,
        sortedness=_measure_sortedness(own[np.isfinite(own)]),
        covered=_measure_covered(values, len(known), span_days) if is_date else 1.0,
        median=float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2.0,
        test_share=1.0 - float(np.searchsorted(known, cut)) / len(known) if cut is not None else None,
    )


def find_time(frame: pl.DataFrame, task: Task) -> tuple[str | None, list[Finding]]:
    """Propose the column that says when each row happened, with the reason.

    Dates, and years that have a month beside them, are candidates. A candidate must be there in (nearly) every row, and
    either the file is in its order, or it is dense over at most twenty years and not a date of birth. Of several the
    earliest is taken: what happens first is when the prediction is needed. Among many in none of whose orders the file is,
    it must come first row by row, too: the earliest median of hundreds of unrelated dates says nothing.
    """
    orders = map_abreast(lambda name: measure_order(frame, name), _list_candidates(frame, task))
    measured = [order for order in orders if order is not None]
    likely = [order for order in measured if _is_time(order)]
    usable = [order for order in likely if order.test_share is not None]
    best = min(usable, key=lambda order: (not order.is_ordered, order.median), default=None)
    if best is not None and not best.is_ordered and not _is_first(frame, best.column, usable):
        return None, _tell_others(usable)
    if best is not None:
        return best.column, [_tell_proposal(best, [order.column for order in usable if order is not best])]
    if likely:
        return None, [_tell_uneven(likely[0])]
    return None, _tell_others(
        [order for order in measured if order.missing <= MAX_MISSING and not says(order.column, BIRTH)]
    )


def _is_first(frame: pl.DataFrame, name: str, usable: Sequence[Order]) -> bool:
    """Whether a date comes before most of its rivals in most rows; few rivals are not asked."""
    rivals = [order.column for order in usable if order.column != name][:MAX_RIVALS]
    if len(rivals) < MANY_RIVALS:
        return True
    moments = build_moments(frame, name)
    shares = []
    for rival in rivals:
        other = build_moments(frame, rival)
        known = np.isfinite(moments) & np.isfinite(other)
        shares.append(float((moments[known] <= other[known]).mean()) if known.any() else 0.0)
    return float(np.median(shares)) >= FIRST_SHARE


def _list_candidates(frame: pl.DataFrame, task: Task) -> list[str]:
    names = [name for name, dtype in frame.schema.items() if name != task.target and dtype in (pl.Date, pl.Datetime)]
    years = [
        name
        for name in frame.columns
        if name != task.target and says(name, YEAR) and _is_year(frame[name])
        and _find_part(frame, name, words=MONTH, low=1, high=12) is not None
    ]  # fmt: skip
    return names + years


def _is_time(order: Order) -> bool:
    if order.missing > MAX_MISSING:
        return False
    if order.is_ordered:
        return True
    is_recent = order.span_years <= MAX_SPAN_YEARS and order.top_share <= MAX_ONE_DAY
    return is_recent and order.covered >= MIN_COVERED and not says(order.column, BIRTH)


def _is_year(column: pl.Series) -> bool:
    if not column.dtype.is_numeric():
        return False
    known = to_floats(column)
    known = known[np.isfinite(known)]
    return bool(len(known) and (known == np.floor(known)).all() and YEARS[0] <= known.min() and known.max() <= YEARS[1])


def _find_part(frame: pl.DataFrame, year: str, *, words: frozenset[str], low: int, high: int) -> str | None:
    """Return the column that holds months (days, hours) of the same event as `year`: the rest of the header agrees."""
    event = frozenset(split_header(year)) - YEAR
    for name in frame.columns:
        header = frozenset(split_header(name))
        if name == year or header.isdisjoint(words) or header - words != event or not frame[name].dtype.is_numeric():
            continue
        known = to_floats(frame[name])
        known = known[np.isfinite(known)]
        if len(known) and low <= known.min() and known.max() <= high and (known == np.floor(known)).all():
            return name
    return None


def _measure_sortedness(values: Float) -> float:
    """Return 1 where the rows are in order (either way), ½ where they are in none."""
    n_up, n_down = int(np.count_nonzero(values[1:] > values[:-1])), int(np.count_nonzero(values[1:] < values[:-1]))
    if not n_up + n_down:
        return 0.5
    upward = n_up / (n_up + n_down)
    if upward in (0.0, 1.0) or len(values) <= 2:  # noqa: PLR2004  two points always lie on a line
        return max(upward, 1.0 - upward)
    ranks = pl.Series(values).rank("dense").to_numpy().astype(np.float64)
    places = np.arange(len(values), dtype=np.float64)
    correlation = abs(correlate(ranks, places))
    return max(upward, 1.0 - upward, correlation)


def _measure_covered(moments: Float, n_rows: int, span_days: float) -> float:
    """Return the days met as a share of those that evenly spread rows would meet: D (1 − e^(−n/D)) of D days."""
    n_days = max(1.0, np.floor(span_days) + 1.0)
    expected = n_days * (1.0 - np.exp(-n_rows / n_days))
    days = np.floor(moments / DAY_S)
    return float((1 + np.count_nonzero(days[1:] > days[:-1])) / expected)


def _tell_proposal(order: Order, others: list[str]) -> Finding:
    how = (
        "the file is in its order"
        if order.is_ordered
        else "it is filled in every row and covers its period without gaps"
    )
    other = (
        f" ({name_columns(others)} could serve too, but {'is' if len(others) == 1 else 'are'} later.)" if others else ""
    )
    evidence: dict[str, EvidenceValue] = {
        "span_years": round(order.span_years, 3),
        "moments": order.n_moments,
        "sortedness": round(order.sortedness, 4),
        "missing": order.missing,
    }
    return Finding(
        code="task.time",
        severity="info",
        columns=(order.column,),
        evidence=evidence,
        what=f"'{order.column}' says when each row happened: {how}.{other}",
        why_it_matters="A model is used on the future, so it is trained on the past and judged on the latest rows.",
        remedy="If another column says when a row was made, name it with --time.",
        question=f"Is '{order.column}' the moment at which the prediction would be needed?",
    )


def _tell_uneven(order: Order) -> Finding:
    return Finding(
        code="task.time",
        severity="info",
        columns=(order.column,),
        evidence={"top_share": order.top_share, "moments": order.n_moments},
        what=f"'{order.column}' says when each row happened, but {say_rows(order.top_share)} fall on one moment, "
        "so the latest fifth cannot be cut off fairly.",
        why_it_matters="A model should be judged on later rows than it learned from; here it is judged on rows of the same time.",
        remedy="Collect rows over a longer time, or name a finer column with --time.",
    )


def _tell_others(orders: list[Order]) -> list[Finding]:
    if not orders:
        return []
    names = [order.column for order in orders]
    return [
        Finding(
            code="task.time",
            severity="info",
            columns=tuple(names),
            evidence={order.column: round(order.sortedness, 4) for order in orders},
            what=f"{name_columns(names)} {'holds' if len(names) == 1 else 'hold'} dates, but nothing shows that they say "
            "when the row was made.",
            why_it_matters="If they do, a model should be judged on the latest rows.",
            remedy="If one of them does, name it with --time.",
        )
    ]
