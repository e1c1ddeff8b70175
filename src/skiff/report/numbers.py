"""Numbers as people read them: natural frequencies, rounded amounts, ranges.

Risks told as counts of people are understood better than percentages, and far better than decimals.

References
----------
Gigerenzer, G. and Hoffrage, U. (1995). How to improve Bayesian reasoning without instruction: frequency formats.
Psychological Review 102(4), 684-704. https://doi.org/10.1037/0033-295X.102.4.684
"""

from __future__ import annotations

import math

from skiff.core.measurement import Measurement

TENTH_TOLERANCE = 0.025
"""A share is told in tenths when it is this near to one: never further off than the eye would round."""

MAX_ONCE_IN = 20
"""``once in 20`` is the rarest share told as "once in"; rarer ones are counted out of 1,000."""

ONCE_TOLERANCE = 0.08
"""``once in k`` is used where 1/k is within 8 % of the share."""

SMALL_SHARE = 0.02
"""Below this, or above one minus this, "of 100" would round too much away: count out of 1,000."""


def describe_share(share: float) -> str:
    """Return a share (0 to 1) as a natural frequency.

    Examples
    --------
    >>> describe_share(0.80), describe_share(0.834), describe_share(0.004), describe_share(1.0)
    ('8 of 10', '83 of 100', '4 of 1,000', 'all')
    """
    if not math.isfinite(share):
        return "an unknown share"
    if share <= 0:
        return "none"
    if share >= 1:
        return "all"
    tenths = round(share * 10)
    if 1 <= tenths <= 9 and abs(share - tenths / 10) <= TENTH_TOLERANCE:  # noqa: PLR2004  tenths run from 1 to 9
        return f"{tenths} of 10"
    return f"{_count_of(share, _pick_base(share)):,} of {_pick_base(share):,}"


def describe_share_range(low: float | None, high: float | None) -> str:
    """Return the interval of a share as counts, or nothing where there is none.

    Examples
    --------
    >>> describe_share_range(0.76, 0.843), describe_share_range(0.001, 0.012), describe_share_range(None, None)
    ('76 to 84 of 100', '1 to 12 of 1,000', '')
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    low, high = max(low, 0.0), min(high, 1.0)
    base = 1000 if high < SMALL_SHARE or low > 1 - SMALL_SHARE else 100
    first, last = round(low * base), round(high * base)
    return f"{first:,} of {base:,}" if first == last else f"{first:,} to {last:,} of {base:,}"


def describe_rarity(share: float) -> str:
    """Return a share as "once in k" where that is close, else as a natural frequency.

    Examples
    --------
    >>> describe_rarity(0.19), describe_rarity(0.7), describe_rarity(0.0)
    ('once in 5', '7 of 10', 'none')
    """
    if 0 < share <= 0.5:  # noqa: PLR2004  "once in k" needs k of at least 2
        k = round(1 / share)
        if k <= MAX_ONCE_IN and abs(1 / k - share) <= ONCE_TOLERANCE * share:
            return f"once in {k}"
    return describe_share(share)


def _pick_base(share: float) -> int:
    return 1000 if share < SMALL_SHARE or share > 1 - SMALL_SHARE else 100


def _count_of(share: float, base: int) -> int:
    """Count out of `base`, never 0 or all: those words are for exactly nothing and everything."""
    return min(max(round(share * base), 1), base - 1)


def format_amount(value: float, unit: str = "", *, digits: int = 2) -> str:
    """Return a quantity rounded to `digits` significant digits, with its unit.

    Examples
    --------
    >>> format_amount(3213.7, "EUR"), format_amount(0.03214), format_amount(12.71, "days", digits=3)
    ('3,200 EUR', '0.032', '12.7 days')
    """
    tail = f" {unit}" if unit and unit != "rate" else ""
    return f"{_round_significant(value, digits)}{tail}".replace("-", "−", 1)


def _round_significant(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return "unknown"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.0f}" if places <= 0 else f"{rounded:,.{places}f}"


def format_range(low: float | None, high: float | None, unit: str = "") -> str:
    """Return an interval of amounts; both ends keep the precision that their distance deserves.

    Examples
    --------
    >>> format_range(3041.0, 3390.2, "EUR"), format_range(None, 1.0)
    ('3,040 to 3,390 EUR', '')
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    size = max(abs(low), abs(high))
    width = high - low
    digits = 2 if width <= 0 or size <= 0 else min(max(2, math.ceil(math.log10(size / width)) + 2), 6)
    places = digits - 1 - math.floor(math.log10(size)) if size > 0 else 0
    ends = [f"{round(end, places):,.{max(places, 0)}f}".replace("-", "−") for end in (low, high)]
    tail = f" {unit}" if unit and unit != "rate" else ""
    return f"{ends[0]} to {ends[1]}{tail}"


def format_score(value: float | None) -> str:
    """Return a number for a table: three decimals where it is small, thousands separated where it is large.

    Examples
    --------
    >>> format_score(0.81234), format_score(3213.7), format_score(-0.5), format_score(None)
    ('0.812', '3,214', '−0.500', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if 0 < size < 1e-6:  # noqa: PLR2004  a row of zeros is hard to count
        text = f"{value:.1e}"
    elif 0 < size < 0.001:  # noqa: PLR2004  three decimals would print zero
        text = _round_significant(value, 2)
    elif size < 10:  # noqa: PLR2004  below ten three decimals, then one, then none
        text = f"{value:.3f}"
    else:
        text = f"{value:,.1f}" if size < 1000 else f"{value:,.0f}"  # noqa: PLR2004  the same
    return text.replace("-", "−", 1) if text.startswith("-") else text


def format_interval(measurement: Measurement) -> str:
    """Return the interval of a measurement for a table.

    Examples
    --------
    >>> format_interval(Measurement(name="roc_auc", value=0.81, low=0.77, high=0.85))
    '0.770 to 0.850'
    """
    if measurement.low is None or measurement.high is None:
        return "not known"
    return f"{format_score(measurement.low)} to {format_score(measurement.high)}"


def format_bytes(size_bytes: float) -> str:
    """Return a file size.

    Examples
    --------
    >>> format_bytes(2_190_000), format_bytes(812)
    ('2.2 MB', '812 bytes')
    """
    for limit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= limit:
            return f"{size_bytes / limit:.1f} {name}"
    return f"{size_bytes:.0f} bytes"


def format_seconds(seconds: float) -> str:
    """Return a duration.

    Examples
    --------
    >>> format_seconds(4.21), format_seconds(75)
    ('4.2 s', '1 min 15 s')
    """
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def format_percent(share: float) -> str:
    """Return a share for a table, where a column of counts would be hard to compare.

    Examples
    --------
    >>> format_percent(0.137), format_percent(0.004), format_percent(0.0)
    ('14 %', 'under 1 %', 'none')
    """
    if share == 0:
        return "none"
    return "under 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"  # noqa: PLR2004  one per cent


def describe_in_100(share: float) -> str:
    """Return a share as a count of 100, with one decimal where whole counts would hide a difference.

    Examples
    --------
    >>> describe_in_100(0.074), describe_in_100(0.32), describe_in_100(0.0), describe_in_100(1.0)
    ('7.4 in 100', '32 in 100', '0 in 100', '100 in 100')
    """
    return f"{share * 100:.1f}".removesuffix(".0") + " in 100"


def format_micros(latency_us: float) -> str:
    """Return a very short duration.

    Examples
    --------
    >>> format_micros(61.0), format_micros(2400.0)
    ('61 millionths of a second', '2.4 thousandths of a second')
    """
    if latency_us < 1000:  # noqa: PLR2004  a thousand make a millisecond
        return f"{format_amount(latency_us)} millionths of a second"
    return f"{format_amount(latency_us / 1000)} thousandths of a second"


def count_of(n: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> count_of(1, "row"), count_of(1200, "row"), count_of(2, "entry", "entries")
    ('1 row', '1,200 rows', '2 entries')
    """
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def describe_shape(n_rows: int, n_columns: int) -> str:
    """Return how large a table is.

    Examples
    --------
    >>> describe_shape(1200, 1)
    '1,200 rows, 1 column'
    """
    return f"{count_of(n_rows, 'row')}, {count_of(n_columns, 'column')}"
