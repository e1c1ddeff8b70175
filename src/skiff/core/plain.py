"""Numbers as plain text: what is read as one when nothing is known of its column, and how one is written for people."""

from __future__ import annotations

import math
import re

PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
"""What `skiff.data.parsing.numbers` reads without knowing a column's marks and signs; a test holds the two together."""

_BLANKS = " \t\r\n"


def read_plain_number(text: str) -> float | None:
    """Return a text as a number where the reader of tables takes it for one, whatever the rest of its column looks like.

    Digits 0 to 9, a point before decimals, an exponent. What Python reads besides ("1_000", "nan", "infinity", digits of other
    scripts) is none, nor is what is too large for a double.

    Examples
    --------
    >>> read_plain_number(" 12.5 "), read_plain_number("1_000"), read_plain_number("1e400")
    (12.5, None, None)
    """
    plain = text.strip(_BLANKS)
    if not PLAIN_NUMBER.fullmatch(plain):
        return None
    number = float(plain)
    return None if math.isinf(number) else number


def write_plain_number(value: float | None, *, digits: int = 3, is_signed: bool = False) -> str:
    """Return a number for a sentence: `digits` significant digits, whole above a thousand, never as a power of ten.

    Examples
    --------
    >>> write_plain_number(249_013.2), write_plain_number(0.03961), write_plain_number(12.71, is_signed=True)
    ('249,013', '0.0396', '+12.7')
    """
    if value is None or not math.isfinite(value):
        return "unknown"
    sign = "+" if is_signed else ""
    if value == 0:
        return "0"
    places = 0 if abs(value) >= 1000 else max(0, digits - 1 - math.floor(math.log10(abs(value))))  # noqa: PLR2004
    return f"{value:{sign},.{places}f}"
