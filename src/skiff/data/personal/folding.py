"""Texts as they are compared: lower case, no accents, whatever the alphabet."""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "’": "'", "‘": "'"})
"""Letters that Unicode does not take apart."""


def fold(text: str) -> str:
    """Return a text in lower case without accents.

    Examples
    --------
    >>> fold("Müller-Łukasz"), fold("STRASSE") == fold("Straße")
    ('muller-lukasz', True)
    """
    lowered = text.casefold()
    if lowered.isascii():
        return lowered
    plain = unicodedata.normalize("NFKD", lowered.translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
