"""How this room speaks: shares, counts and lists of columns as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

NAMED_COLUMNS = 4
"""Column names that a sentence lists before it counts the rest."""


def say_share(share: float) -> str:
    """Return a share as people count it.

    Examples
    --------
    >>> say_share(0.266), say_share(0.004), say_share(1.0), say_share(0.9999)
    ('27 of 100', '4 of 1,000', 'all', 'nearly all')
    """
    if share >= 1.0:
        return "all"
    if share <= 0.0:
        return "none"
    for whole in (100, 1_000, 10_000):
        part = round(whole * share)
        if 1 <= part <= whole - 1:
            return f"{part:,} of {whole:,}" if part < 0.995 * whole or whole == 1_000 else "nearly all"  # noqa: PLR2004  from there on thousandths say nothing more
    return "nearly all" if share > 0.5 else "almost none"  # noqa: PLR2004  which end of the scale


def say_rows(share: float) -> str:
    """Return a share of rows as people count them.

    Examples
    --------
    >>> say_rows(0.266), say_rows(1.0), say_rows(0.00002)
    ('27 of 100 rows', 'all rows', 'almost no rows')
    """
    return f"{say_share(share).replace('none', 'no')} rows"


def name_columns(columns: Sequence[str]) -> str:
    """Return column names as a list in a sentence.

    Examples
    --------
    >>> name_columns(["age"]), name_columns(["age", "city"])
    ("'age'", "'age' and 'city'")
    >>> name_columns(list("abcdef"))
    "'a', 'b', 'c', 'd' and 2 more"
    """
    quoted = [f"'{column}'" for column in columns]
    if len(quoted) <= 1:
        return "".join(quoted)
    if len(quoted) > NAMED_COLUMNS:
        return f"{', '.join(quoted[:NAMED_COLUMNS])} and {len(quoted) - NAMED_COLUMNS} more"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def count_rows(n_rows: int) -> str:
    """Return a number of rows in words.

    Examples
    --------
    >>> count_rows(1), count_rows(1200)
    ('1 row', '1,200 rows')
    """
    return "1 row" if n_rows == 1 else f"{n_rows:,} rows"


def say_number(value: float) -> str:
    """Return a number without needless digits.

    Examples
    --------
    >>> say_number(99999.0), say_number(0.25)
    ('99,999', '0.25')
    """
    whole = round(value)
    return f"{whole:,}" if value == whole else f"{value:.6g}"


def say_figure(value: float, *, digits: int = 4, is_signed: bool = False) -> str:
    """Return a measured number with so many digits; large ones whole, their thousands set apart.

    ``2.115e+04`` is how a calculator writes a price; nobody who asked for the price reads it.

    Examples
    --------
    >>> say_figure(21153.2), say_figure(0.81234), say_figure(-4365.1, is_signed=True), say_figure(0.0021, is_signed=True)
    ('21,153', '0.8123', '-4,365', '+0.0021')
    >>> say_figure(999.6, digits=3), say_figure(131.2, digits=2), say_figure(0.01234, digits=2)
    ('1,000', '131', '0.012')
    >>> say_figure(0.0000824, digits=2)
    '0.000082'
    """
    sign = "+" if is_signed else ""
    is_whole = abs(value) >= 10 ** min(digits, 3) - 0.5
    said = f"{value:{sign},.0f}" if is_whole else f"{value:{sign}.{digits}g}"
    return f"{Decimal(said):{sign}f}" if "e" in said else said


def say_reach(
    low: float | None, high: float | None, *, digits: int = 4, is_signed: bool = False, none: str = "no interval"
) -> str:
    """Return an interval in words, or `none` where there is none.

    Examples
    --------
    >>> say_reach(10672.0, 27941.3), say_reach(-1.5, 0.25, is_signed=True), say_reach(None, None, none="–")
    ('10,672 to 27,941', '-1.5 to +0.25', '–')
    """
    if low is None or high is None:
        return none
    ends = (say_figure(end, digits=digits, is_signed=is_signed) for end in (low, high))
    return " to ".join(ends)
