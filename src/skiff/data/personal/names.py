"""Name lists in memory: some 30,000 first and 30,000 last names of 86 locales, everyday words and places to weigh against them."""

from __future__ import annotations

import base64
import lzma
from dataclasses import dataclass
from functools import cache

from skiff.data.personal.names_packed import PACKED


@dataclass(frozen=True, slots=True)
class NameLists:
    """Folded words (`skiff.data.personal.folding.fold`).

    Parameters
    ----------
    first, last : frozenset of str
        Names of persons.
    words : frozenset of str
        Everyday words, of which some are names as well.
    places : frozenset of str
        Countries and states.
    """

    first: frozenset[str]
    last: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]


@cache
def load_names() -> NameLists:
    """Unpack the lists; about 90 ms and 10 MB (70 MB for a moment), once a process and only where something is looked for.

    Examples
    --------
    >>> lists = load_names()
    >>> "giuseppe" in lists.first, "kowalski" in lists.last, "table" in lists.first
    (True, True, False)
    """
    text = lzma.decompress(base64.b64decode(PACKED)).decode()
    first, last, words, places = (frozenset(_expand(part)) for part in text.split("\n\n"))
    return NameLists(first, last, words, places)


def _expand(part: str) -> list[str]:
    words, before = [], ""
    for line in part.split("\n"):
        before = before[: int(line[0])] + line[1:]
        words.append(before)
    return words
