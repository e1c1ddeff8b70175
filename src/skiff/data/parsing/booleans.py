"""Columns of yes and no."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

PAIRS: tuple[tuple[str, str], ...] = (
    ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("ja", "nein"), ("ja", "nee"), ("ja", "nej"), ("j", "n"),
    ("oui", "non"), ("o", "n"), ("si", "no"), ("sí", "no"), ("sì", "no"), ("s", "n"), ("sim", "não"), ("sim", "nao"),
    ("wahr", "falsch"), ("vrai", "faux"), ("verdadero", "falso"), ("vero", "falso"), ("waar", "onwaar"), ("tak", "nie"),
    ("да", "нет"), ("evet", "hayır"), ("ano", "ne"), ("kyllä", "ei"), ("igen", "nem"), ("はい", "いいえ"), ("是", "否"),
    ("checked", "unchecked"), (".true.", ".false."),
)  # fmt: skip
"""Yes first. 1 and 0 stay numbers: they count, and nothing is lost."""

ALONE = frozenset({"true", "false", "wahr", "falsch", "vrai", "faux", "verdadero", "falso"})
"""Words that mean yes or no even where the column has only one of them."""


def find_yes_no(words: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the words for yes and for no if `words` (different cells, stripped, lower case) are such a pair.

    Examples
    --------
    >>> find_yes_no({"ja", "nein"}), find_yes_no({"yes", "no", "maybe"}), find_yes_no({"true"})
    ((('ja',), ('nein',)), None, (('true',), ('false',)))
    """
    if len(words) > 2 or not words:  # noqa: PLR2004  a pair
        return None
    for yes, no in PAIRS:
        if set(words) == {yes, no} or (len(words) == 1 and set(words) <= ALONE & {yes, no}):
            return (yes,), (no,)
    return None


def parse_yes_no(cells: pl.Series, *, true: Sequence[str], false: Sequence[str]) -> pl.Series:
    """Return `cells` as Boolean; cells that are neither word are null.

    Examples
    --------
    >>> parse_yes_no(pl.Series(["Ja ", "nein", None]), true=["ja"], false=["nein"]).to_list()
    [True, False, None]
    """
    plain = _compare_words(cells, [*true, *false], true=true)
    if plain is not None:
        return plain
    different = cells.unique()
    known = different.str.strip_chars().str.to_lowercase()
    words = {word.lower(): True for word in true} | {word.lower(): False for word in false}
    values = [words.get(word) if word is not None else None for word in known.to_list()]
    return cells.replace_strict(different, pl.Series(values, dtype=pl.Boolean), default=None, return_dtype=pl.Boolean)


def _compare_words(cells: pl.Series, words: Sequence[str], *, true: Sequence[str]) -> pl.Series | None:
    """Return the values where every cell is written exactly like one of the first cells; None where not."""
    first = [cell for cell in cells.head(1_000).unique().to_list() if cell is not None]
    spelled = {cell: cell.strip().lower() in true for cell in first if cell.strip().lower() in set(words)}
    if len(spelled) != 2 or len(set(spelled.values())) != 2:  # noqa: PLR2004  one spelling of yes, one of no
        return None
    yes, no = (next(cell for cell, value in spelled.items() if value is wanted) for wanted in (True, False))
    is_yes: pl.Series = cells == yes
    if int(is_yes.sum()) + int((cells == no).sum()) != len(cells) - cells.null_count():
        return None
    return is_yes
