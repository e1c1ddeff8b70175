"""Cells that hold several things at once: ``wifi, pool, parking``.

References
----------
G. Tsoumakas and I. Katakis, 2007, "Multi-label classification: an overview", Int. J. Data Warehousing and Mining 3(3): one
column for each thing a row may have.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from skiff.core.pipeline import ListEncoder

SEPARATORS = ("|", ";", ",")
"""Signs that may part the items, the least ambiguous first."""

LEAST_LISTS = 0.1
"""Share of the filled cells that must hold more than one item."""

MAX_ITEMS = 60
"""Items with a column of their own, most frequent first."""

MIN_ITEM_ROWS = 5
"""Rows an item needs for a column."""

MOST_DIFFERENT = 0.2
"""Different items by cells, above which the pieces are not a set of things that return (names, addresses, sentences)."""

LONGEST_ITEM = 40
"""Characters of the usual item at most: beyond, the commas are those of prose."""

MAX_ROWS = 50_000
"""Rows read to find the items: those that matter are among them."""

BLANKS = "\t\n\f\r "
"""What is cut off around an item, as in the graph."""


def fit_list(column: pl.Series) -> ListEncoder | None:
    """Fit the items of a column of lists; None where its cells are no lists.

    A list is told from other texts with commas (``Berlin, Germany``; ``Smith, John``) by its items: few, returning, and met at
    more than one place within the cell.

    Examples
    --------
    >>> cells = ["wifi, pool", "pool", "parking, wifi", "wifi", "pool, parking"] * 12
    >>> fit_list(pl.Series("extras", cells)).items
    ('pool', 'wifi', 'parking')
    >>> fit_list(pl.Series("place", ["Berlin, Germany", "Bonn, Germany", "Paris, France"] * 20)) is None
    True
    """
    text = column.cast(pl.String).drop_nulls()
    text = text.filter(text != "").alias("cell")
    if text.len() > MAX_ROWS:
        text = text.gather_every(-(-text.len() // MAX_ROWS))
    for separator in SEPARATORS:
        found = _split(text, separator)
        if found is not None:
            return ListEncoder(column=column.name, separator=separator, items=found[0], mean=found[1], scale=found[2])
    return None


def _split(text: pl.Series, separator: str) -> tuple[tuple[str, ...], float, float] | None:
    """Return the items, most frequent first, with the mean and deviation of their number; None for no lists."""
    is_list = text.str.contains(separator, literal=True)
    if text.len() == 0 or float(is_list.mean() or 0.0) < LEAST_LISTS:  # type: ignore[arg-type]  # a share
        return None
    pieces = (
        pl.DataFrame({"cell": text})
        .with_row_index("row")
        .with_columns(pl.col("cell").str.split(separator).alias("item"))
        .with_columns(pl.col("item").list.eval(pl.element().cum_count()).alias("place"))
        .explode("item", "place")
        .with_columns(pl.col("item").str.strip_chars(BLANKS))
        .filter(pl.col("item") != "")
    )
    counted = (
        pieces.group_by("item")
        .agg(pl.col("row").n_unique().alias("n"), pl.col("place").n_unique().alias("n_places"))
        .sort(["n", "item"], descending=[True, False])
    )
    often = counted.filter(pl.col("n") >= MIN_ITEM_ROWS)
    typical = pieces["item"].str.len_chars().median()
    if (
        often.height < 2  # noqa: PLR2004  one thing makes no set
        or counted.height > MOST_DIFFERENT * text.len()
        or not isinstance(typical, float)
        or typical > LONGEST_ITEM
        or not bool((often["n_places"] > 1).any())
    ):
        return None
    sizes = pieces.group_by("row").len()["len"].to_numpy().astype(np.float64)
    return tuple(often["item"].head(MAX_ITEMS).to_list()), float(sizes.mean()), float(sizes.std()) or 1.0
