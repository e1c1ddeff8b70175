"""Small pictures of one column: bars of a histogram or of the most frequent levels, as paths of a few hundred letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from skiff.data.profile import QUANTILES, ColumnProfile
from skiff.report.glossary import shorten
from skiff.report.numbers import count_of, format_amount, format_percent

WIDTH, HEIGHT = 160, 36
GAP = 1
SHOWN_LEVELS = 5
UNIX = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A histogram: one path in a box of 160 × 36, its ends in words, and itself in words."""

    path: str
    low: str
    high: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelBar:
    """One of the most frequent levels: its name, its share in words, and the width of its bar of 160."""

    name: str
    share: str
    width: float


def build_spark(column: ColumnProfile) -> Spark | None:
    """Return the histogram of a number or date, or nothing where it has none.

    Examples
    --------
    >>> column = ColumnProfile(name="nights", kind="number", n=6, minimum=1.0, maximum=3.0, histogram=(4, 0, 2))
    >>> build_spark(column).path
    'M0 36V0H52.33V36ZM106.67 36V18H159V36Z'
    """
    tallest = max(column.histogram, default=0)
    if column.kind not in ("number", "date") or not tallest or column.minimum is None or column.maximum is None:
        return None
    step = WIDTH / len(column.histogram)
    parts = []
    for place, count in enumerate(column.histogram):
        if count:
            top = HEIGHT - max(1.0, count / tallest * HEIGHT)
            left, right = place * step, (place + 1) * step - GAP
            parts.append(f"M{left:.5g} {HEIGHT}V{top:.4g}H{right:.4g}V{HEIGHT}Z")
    low, high = write_value(column, column.minimum), write_value(column, column.maximum)
    peak = column.histogram.index(tallest)
    span = (column.maximum - column.minimum) / len(column.histogram)
    at = write_value(column, column.minimum + span * (peak + 0.5))
    return Spark(
        path="".join(parts), low=low, high=high, alt=f"Histogram from {low} to {high}; most rows lie near {at}."
    )


def build_level_bars(column: ColumnProfile) -> tuple[LevelBar, ...]:
    """Return the most frequent levels of a category, or yes and no, as bars.

    Examples
    --------
    >>> column = ColumnProfile(name="city", kind="category", n=100, top=(("Rome", 60), ("Oslo", 40)))
    >>> [(bar.name, bar.share, bar.width) for bar in build_level_bars(column)]
    [('Rome', '60 %', 160.0), ('Oslo', '40 %', 106.7)]
    """
    if column.kind == "boolean" and column.mean is not None and column.n:
        n_true = round(column.mean * column.n)
        levels: Sequence[tuple[str, int]] = (("yes", n_true), ("no", column.n - n_true))
    else:
        levels = column.top[:SHOWN_LEVELS]
    widest = max((n for _, n in levels), default=0) or 1
    return tuple(
        LevelBar(
            name=shorten(level, 28), share=format_percent(n / max(column.n, 1)), width=round(n / widest * WIDTH, 1)
        )
        for level, n in levels
    )


def describe_numbers(column: ColumnProfile) -> tuple[tuple[str, str], ...]:
    """Return what is known of one column as name and text.

    Examples
    --------
    >>> column = ColumnProfile(name="city", kind="category", n=90, missing=10, distinct=2)
    >>> describe_numbers(column)
    (('filled', '90 rows'), ('empty', '10 %'), ('different values', '2'))
    """
    facts = [("filled", count_of(column.n, "row"))]
    if column.missing:
        facts.append(("empty", format_percent(column.missing_rate)))
    facts.append(("different values", f"{column.distinct:,}"))
    if column.kind in ("number", "date") and column.quantiles:
        if column.kind == "number" and column.mean is not None and column.sd is not None:
            facts.append(
                ("mean, spread", f"{format_amount(column.mean, digits=4)} ± {format_amount(column.sd, digits=3)}")
            )
        quantile = dict(zip(QUANTILES, column.quantiles, strict=True))
        facts.append(("half of them lie in", _span(column, quantile[0.25], quantile[0.75])))
        facts.append(("98 of 100 lie in", _span(column, quantile[0.01], quantile[0.99])))
        facts.append(("median", write_value(column, quantile[0.5])))
    if column.text_length is not None:
        shortest, mean, longest = column.text_length
        facts.append(("letters", f"{shortest:,.0f} to {longest:,.0f}, {mean:,.1f} on average"))
    return tuple(facts)


def _span(column: ColumnProfile, low: float, high: float) -> str:
    return f"{write_value(column, low)} to {write_value(column, high)}"


def write_value(column: ColumnProfile, value: float) -> str:
    """Return a number, or a date in seconds, as people write it.

    Examples
    --------
    >>> write_value(ColumnProfile(name="day", kind="date"), 86400.0), write_value(ColumnProfile(name="n", kind="number"), 2.5)
    ('1970-01-02', '2.5')
    """
    if column.kind != "date":
        is_plain = value.is_integer() or abs(value) >= 1_000  # noqa: PLR2004  thousands are whole
        return f"{value:,.0f}" if is_plain and abs(value) < 1e12 else f"{value:.4g}"  # noqa: PLR2004  longer than anyone reads
    try:
        moment = UNIX + dt.timedelta(seconds=value)
    except OverflowError:
        return "–"
    return f"{moment:%Y-%m-%d}"
