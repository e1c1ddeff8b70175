"""Numbers as plain text: what is read as one when nothing is known of its column."""

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
