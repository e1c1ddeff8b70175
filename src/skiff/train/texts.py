r"""Fit the vocabulary of a free-text column, and what its texts look like.

The graph splits text into runs of ``[\p{L}\p{N}_]`` after lower-casing it (`core.pipeline.TextEncoder`); the same words are
counted here, so that every term of the vocabulary can be met.

References
----------
.. [1] K. Spärck Jones, 1972, "A statistical interpretation of term specificity and its application in retrieval", Journal of
   Documentation 28(1), https://doi.org/10.1108/eb026526; smoothed as in scikit-learn's ``TfidfTransformer``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import get_args

import numpy as np
import polars as pl

from skiff.core.pipeline import CAPITALS, CURRENCIES, SIGNS, Encoder, ShapeEncoder, TextEncoder, TextMeasure

WORD = r"[\p{L}\p{N}_]+"

MAX_TERMS = 10_000
"""Terms kept, most frequent first: beyond, a table that fits one machine rarely gains, and the graph grows."""

MIN_ROWS_SMALL, MIN_ROWS_LARGE = 2, 3
"""Rows a term must occur in, below and above 5,000 rows: a term of one row can only be learned by heart."""

LARGE_ROWS = 5_000

MAX_ROWS = 50_000
"""Rows read to choose the vocabulary: terms that matter are among them."""

LETTER_RANGE = (2, 4)
"""Characters of a run: longer ones are words."""

MAX_LETTER_TERMS = 3_000
"""Runs of letters kept, most frequent first."""

MAX_LETTERS = 400
"""Characters of the mean text above which runs of letters are left out."""

MAX_LETTER_ROWS = 20_000
"""Rows read to count runs of letters."""

MAX_SHARE = 0.98
"""Terms in more rows than this share say nothing."""


MEASURES: tuple[TextMeasure, ...] = get_args(TextMeasure)

FAINT = 1_000.0
"""Texts' looks are scaled this many times below a deviation of 1, so that a linear model's penalty keeps them out of it; trees ask the same
questions at any scale. Out of fold and on sealed rows together, trees over words err by 14 % (short messages) and 1 % (reviews) less
with them (log loss), linear models by 3 to 4 % more, and of reviews likewise."""


def fit_text(column: pl.Series) -> list[TextEncoder | ShapeEncoder]:
    """Fit words and pairs of neighbouring words, runs of letters, and the texts' looks; empty where no term occurs often enough.

    Examples
    --------
    >>> words, letters, shape = fit_text(pl.Series("note", ["late arrival", "late arrival please", "quiet room"]))
    >>> words.vocabulary
    ('arrival', 'late', 'late arrival')
    >>> letters.analyzer, letters.vocabulary[:3]
    ('char', (' a', ' ar', ' arr'))
    """
    terms = [fitted for fitted in (fit_words(column), fit_letters(column)) if fitted is not None]
    shape = fit_shape(column) if terms else None
    return [*terms, shape] if shape else [*terms]


def fit_shape(column: pl.Series) -> ShapeEncoder | None:
    """Fit what texts look like (length, digits, capitals, signs); None where no measure varies.

    Trees use them; see `FAINT` for linear models.

    Examples
    --------
    >>> fit_shape(pl.Series("note", ["CALL 0800 now!", "call me", "", None])).measures[:4]
    ('characters', 'words', 'digits', 'capitals')
    """
    text = column.cast(pl.String).fill_null("")
    if text.len() > MAX_ROWS:
        text = text.gather_every(-(-text.len() // MAX_ROWS))
    patterns = {
        "words": WORD,
        "digits": "[0-9]",
        "capitals": _any_of(CAPITALS),
        "signs": _any_of(SIGNS),
        "exclamation marks": "!",
        "question marks": r"\?",
        "currency signs": _any_of(CURRENCIES),
    }
    counts = {name: text.str.count_matches(pattern).to_numpy() for name, pattern in patterns.items()}
    counts["characters"] = text.str.len_chars().to_numpy()
    values = {name: np.log1p(count.astype(np.float64)) for name, count in counts.items()}
    for name in ("digits", "capitals", "signs"):
        values[f"share of {name}"] = counts[name] / np.maximum(counts["characters"], 1)
    varying = tuple(name for name in MEASURES if text.len() and np.ptp(values[name]) > 0)
    if not varying:
        return None
    return ShapeEncoder(
        column=column.name,
        measures=varying,
        mean=np.array([values[name].mean() for name in varying]),
        scale=FAINT * np.array([values[name].std() for name in varying]),
    )


def _any_of(letters: str) -> str:
    return "[" + "".join(re.escape(letter) for letter in letters) + "]"


def count_terms(encoders: Sequence[Encoder]) -> int:
    """Return how many columns of the linear view are terms of texts; they are its last ones."""
    return sum(len(one.vocabulary) for one in encoders if isinstance(one, TextEncoder))


def fit_letters(column: pl.Series) -> TextEncoder | None:
    """Fit runs of two to four characters, blanks included: misspelt and compound words share most of theirs.

    None where no run occurs often enough, or the texts are long: then words say enough, and counting runs is slow.

    References
    ----------
    W. Cavnar and J. Trenkle, 1994, "N-gram-based text categorization", SDAIR.
    """
    text = column.cast(pl.String).fill_null("")
    if text.len() > MAX_LETTER_ROWS:
        text = text.gather_every(-(-text.len() // MAX_LETTER_ROWS))
    n_rows = text.len()
    if n_rows == 0 or text.str.len_chars().mean() > MAX_LETTERS:  # type: ignore[operator]  # a number, of texts
        return None
    low, high = LETTER_RANGE
    counts: Counter[str] = Counter()
    for cell in text.to_list():
        # Letter by letter, as the graph's C library does it: one letter never becomes two.
        lowered = cell.lower() if cell.isascii() else "".join(letter.lower()[0] for letter in cell)
        ends = range(low, high + 1)
        counts.update({lowered[at : at + size] for size in ends for at in range(len(lowered) - size + 1)})
    least = MIN_ROWS_SMALL if n_rows < LARGE_ROWS else MIN_ROWS_LARGE
    kept = [(term, n) for term, n in counts.items() if least <= n <= max(MAX_SHARE * n_rows, least)]
    kept = sorted(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:MAX_LETTER_TERMS])
    if not kept:
        return None
    found = np.array([n for _, n in kept])
    return TextEncoder(
        column=column.name,
        analyzer="char",
        ngram_range=LETTER_RANGE,
        vocabulary=tuple(term for term, _ in kept),
        idf=np.log((1 + n_rows) / (1 + found)) + 1,
    )


def fit_words(column: pl.Series) -> TextEncoder | None:
    """Fit words and pairs of neighbouring words; None where no term occurs often enough."""
    text = column.cast(pl.String).fill_null("").alias("text")
    if text.len() > MAX_ROWS:
        text = text.gather_every(-(-text.len() // MAX_ROWS))
    n_rows = text.len()
    words = (
        pl.DataFrame({"text": text})
        .with_row_index("row")
        .with_columns(pl.col("text").str.to_lowercase().str.extract_all(WORD).alias("term"))
        .select("row", "term")
        .explode("term")
        .drop_nulls("term")
    )
    following = words.select(pl.col("row").shift(-1).alias("row_2"), pl.col("term").shift(-1).alias("term_2"))
    pairs = (
        pl.concat([words, following], how="horizontal")
        .filter(pl.col("row") == pl.col("row_2"))
        .select("row", pl.concat_str(["term", "term_2"], separator=" ").alias("term"))
    )
    min_rows = MIN_ROWS_SMALL if n_rows < LARGE_ROWS else MIN_ROWS_LARGE
    counted = (
        pl.concat([words, pairs])
        .unique()
        .group_by("term")
        .agg(pl.len().alias("n"))
        .filter((pl.col("n") >= min_rows) & (pl.col("n") <= max(MAX_SHARE * n_rows, min_rows)))
        .sort(["n", "term"], descending=[True, False])
        .head(MAX_TERMS)
        .sort("term")
    )
    if counted.height == 0:
        return None
    idf = np.log((1 + n_rows) / (1 + counted["n"].to_numpy())) + 1
    return TextEncoder(
        column=column.name,
        analyzer="word",
        ngram_range=(1, 2),
        vocabulary=tuple(counted["term"].to_list()),
        idf=idf,
    )
