"""Phone numbers: their shape, and whether some country's plan has them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

SHAPE = re.compile(
    r"(?:\+|\(\+|00)?[(\[]?\d[\d\s()\[\]./·-]{4,20}\d(?:\s?(?:x|ext\.?|#|r\.)\s?\d{1,6})?", re.IGNORECASE
)
DATE = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}(?:[ T].*)?")
MARKS = re.compile(r"^(?:\+|00)|^\(|^0\d|\d[\s./-]\d{2,4}[\s./-]?\d|\d{3,5}[ -]\d{3,5}")

REGIONS = (
    "US", "GB", "DE", "FR", "IT", "ES", "PT", "NL", "BE", "CH", "AT", "SE", "NO", "DK", "FI", "PL", "CZ", "SK", "HU", "RO", "BG",
    "GR", "TR", "UA", "RU", "IE", "BR", "MX", "AR", "CO", "CL", "PE", "JP", "CN", "KR", "TW", "IN", "ID", "TH", "VN", "PH", "MY",
    "AU", "NZ", "ZA", "NG", "KE", "EG", "SA", "AE", "IL", "IR", "PK", "HR", "RS", "LT", "LV", "EE", "SI",
)  # fmt: skip
"""Countries whose plans are tried where no number says its own."""

LAX = frozenset({"DE", "AT", "RS", "ID"})
"""Plans of many lengths: of random numbers of 11 digits Germany's has 85 %, the others' a third (measured on 60 each)."""

MIN_BARE = 10
"""Digits without any sign below which plans prove nothing: France's has 95 % of random numbers of nine digits."""

STARTS = re.compile(r"^(?:\+|00|\(|0\d)")
"""How a phone number begins in most countries: abroad, area in brackets, trunk digit (ITU-T E.123)."""

CELLS = 30
"""Cells that are held against the plans: 30 × 58 plans cost some 40 ms."""


def has_phone_shape(text: str) -> bool:
    """Whether a text has the digits and signs of a phone number.

    Examples
    --------
    >>> has_phone_shape("+39 02 1234567"), has_phone_shape("2024-01-31"), has_phone_shape("12.50")
    (True, False, False)
    """
    text = text.strip()
    n_digits = sum(letter.isdigit() for letter in re.split(r"(?i)x|ext", text)[0])
    return 6 <= n_digits <= 15 and SHAPE.fullmatch(text) is not None and not DATE.fullmatch(text)


def is_valid_phone(text: str, region: str | None = None) -> bool:
    """Whether a country's numbering plan has the number; without `region` only one that begins with ``+``.

    Examples
    --------
    >>> is_valid_phone("+44 20 7946 0958"), is_valid_phone("020 7946 0958", "GB"), is_valid_phone("123", "GB")
    (True, True, False)
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


def share_of_phones(cells: Sequence[str]) -> tuple[float, float, float]:
    """Return the shares of cells with the shape, with signs that only phone numbers have, and valid in the best plan.

    Examples
    --------
    >>> share_of_phones(["020 7946 0958", "020 7946 0959"])
    (1.0, 1.0, 1.0)
    """
    fits = [cell.strip() for cell in cells if has_phone_shape(cell)]
    if not cells or len(fits) < 0.3 * len(cells):
        return (len(fits) / max(1, len(cells)), 0.0, 0.0)
    marked = sum(MARKS.search(text) is not None for text in fits) / len(cells)
    tried = fits[:: max(1, len(fits) // CELLS)][:CELLS]
    bare = [text for text in tried if text.isdecimal() and not text.startswith("0")]
    is_bare = len(bare) > len(tried) / 2
    regions = tuple(region for region in REGIONS if not (is_bare and region in LAX))
    counted = [text for text in tried if not is_bare or len(text) >= MIN_BARE or text not in bare]
    valid = max(sum(is_valid_phone(text, region) for text in counted) for region in regions) / len(tried)
    return (len(fits) / len(cells), marked, valid)
