"""Forms that whole cells have: an e-mail address, a phone number, an account. Loads no frame library: a server checks with it."""

from __future__ import annotations

import re

FORMS = {
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}"),
    "url": re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE),
    "uuid": re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE),
    "ip_address": re.compile(r"(?:\d{1,3}\.){3}\d{1,3}"),
    "iban": re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"),
    "phone": re.compile(r"(?=(?:\D*\d){7,15}\D*$)(?=\+|\(|0\d*[\s()./-])[\d\s()./+-]{7,}|00[1-9]\d[\d\s()./-]{6,}"),
}
"""Forms of whole cells. A phone number needs a plus, a bracket, or a leading zero and a gap: bare digits are codes."""


def has_form(cell: str, form: str) -> bool:
    """Whether one cell has a form of `FORMS`; an IBAN needs right check digits.

    Examples
    --------
    >>> has_form("https://example.org", "url"), has_form("GB83 WEST 1234 5698 7654 32", "iban")
    (True, False)
    """
    text = cell.strip()
    return FORMS[form].fullmatch(text) is not None and (form != "iban" or is_iban(text))


def is_iban(cell: str) -> bool:
    """Whether a text is an IBAN whose check digits are right.

    References
    ----------
    ISO 13616-1:2020, check digits by ISO 7064 MOD 97-10.

    Examples
    --------
    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB83 WEST 1234 5698 7654 32")
    (True, False)
    """
    compact = cell.replace(" ", "").upper()
    moved = compact[4:] + compact[:4]
    return moved.isalnum() and moved.isascii() and int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1
