"""Words that stand for "no value": recognised column by column, with the reason; words that mean something are kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

MARKERS = frozenset({
    "?", "??", "???", "-", "--", "---", "–", "—", ".", "..", "...", "/", "*", "n/a", "#n/a", "n.a.", "n.a", "na", "#na", "<na>",
    "nan", "-nan", "null", "(null)", "<null>", "\\n", "nil", "n.d.", "n.v.", "k.a.", "k. a.", "s/o", "s.o.", "#value!", "#ref!",
    "#div/0!", "#name?", "#num!", "#null!", "(blank)", "(empty)", "(leer)", "(vide)", "keine angabe", "not available",
    "not applicable", "no data", "missing", "nat", "none (missing)", "undefined", "0000-00-00", "0000-00-00 00:00:00",
    "00.00.0000", "00/00/0000",
})  # fmt: skip
"""Written for "no value" by people, spreadsheets, databases and statistics programs; compared in lower case."""

LEVEL_WORDS = frozenset({
    "none", "no", "unknown", "other", "unbekannt", "keine", "keiner", "ninguno", "ninguna", "aucun", "aucune", "inconnu",
    "nessuno", "nessuna", "sconosciuto", "desconocido", "desconhecido", "geen", "onbekend", "unspecified", "not specified",
    "unk", "tbd", "tba", "not stated", "refused", "null", "nil", "undefined", "not applicable",
})  # fmt: skip
"""Words that often are an answer ("no veneer", "job not known"); in a column of text they stay, and that is said."""

SAID_LEVELS = LEVEL_WORDS - {"no", "other"}
"""Those worth telling about: 'no' and 'other' are plainly answers."""

_KNOWN = MARKERS | LEVEL_WORDS

LONGEST_MARKER = 22
"""No marker has more letters; longer cells need no look."""

MANY_CELLS = 200
"""Above this many different cells they are sifted all at once, before they are counted where most of them differ."""

FIRST_CELLS = 1_000

COMMON_SHARE = 0.001
"""A text marker must stand for itself: see `find_missing_words`."""

PROSE_LETTERS = 30
"""Usual length from which a column is prose, where a lone '?' is what somebody wrote."""

_CODE = re.compile(r"[A-Z]{2,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Words found in one column, as written: those that mean no value, and those kept as values."""

    missing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def is_marker(cell: str) -> bool:
    """Return whether `cell` may stand for "no value" in a column of numbers, dates or yes and no.

    Examples
    --------
    >>> is_marker("n/a"), is_marker(" Unknown "), is_marker("nada")
    (True, True, False)
    """
    word = cell.strip().lower()
    return word in MARKERS or (word in LEVEL_WORDS and word not in {"no", "other"})


def find_short_words(cells: pl.Series) -> dict[str, int]:
    """Return the different short cells that are known words for "no value" or nearly so, with how often they occur."""
    short = cells.filter(cells.str.len_bytes() <= LONGEST_MARKER)
    if not len(short):
        return {}
    if len(short) > FIRST_CELLS and short.head(FIRST_CELLS).n_unique() > FIRST_CELLS / 2:
        short = short.filter(short.str.strip_chars().str.to_lowercase().is_in(sorted(_KNOWN)))
    counted = short.alias("cell").value_counts()  # a client's column may be called "count", as that of the counts is
    words = counted.get_column("cell")
    if len(words) > MANY_CELLS:
        counted = counted.filter(words.str.strip_chars().str.to_lowercase().is_in(sorted(_KNOWN)))
    return {word: count for word, count in counted.iter_rows() if word.strip().lower() in _KNOWN}


def find_missing_words(cells: pl.Series) -> Placeholders:
    """Return which words of a column of text mean "no value", and which are kept as values.

    Parameters
    ----------
    cells : polars.Series of String
        Cells that hold something.

    Notes
    -----
    A mark without meaning ("?", "n/a", "#N/A") is missing, unless the column is prose, or its other values are marks
    too ("+", "-"), or "NA" stands among other codes of two or three capitals (Namibia, North America). A word that can
    be an answer ("None", "unknown", "Null" as a name) is kept.

    Examples
    --------
    >>> find_missing_words(pl.Series(["Private", "?", "Private", "None"]))
    Placeholders(missing=('?',), kept=('None',))
    >>> find_missing_words(pl.Series(["FR", "NA", "DE", "US"])).kept
    ('NA',)
    """
    found = find_short_words(cells)
    if not found:
        return Placeholders()
    others = [cell for cell in cells.unique().sort().head(2_000).to_list() if cell not in found]
    lengths = sorted(len(cell) for cell in others)
    is_prose = bool(lengths) and lengths[len(lengths) // 2] > PROSE_LETTERS
    are_marks = bool(others) and all(not any(letter.isalnum() for letter in cell) for cell in others)
    are_codes = len(others) >= 3 and sum(bool(_CODE.fullmatch(cell)) for cell in others) >= 0.8 * len(others)  # noqa: PLR2004  most, of more than a pair
    missing, kept = [], []
    for word in sorted(found, key=lambda word: (-found[word], word)):
        plain = word.strip().lower()
        is_answer = plain in LEVEL_WORDS and not _is_machine_word(word.strip())
        if is_answer or is_prose or are_marks or not others or (plain in {"na", "nan"} and are_codes):
            if plain not in {"no", "other"}:
                kept.append(word)
        else:
            missing.append(word)
    return Placeholders(missing=tuple(missing), kept=tuple(kept))


def _is_machine_word(word: str) -> bool:
    """Return whether a program wrote it: databases write NULL or null, people write Null only as a name."""
    return word in {"NULL", "null", "nil", "undefined", "(null)", "<null>"}
