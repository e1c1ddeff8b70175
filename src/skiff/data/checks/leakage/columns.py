"""Columns as numbers: how the court's models and tables see one raw column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.data.kinds import to_floats, to_seconds
from skiff.data.rows import has_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]

MAX_LEVELS = 250
"""Levels of a category that keep a code of their own; LightGBM's one-byte bins end there. Rarer ones share the last code."""

N_WORDS = 40
"""Words of a text column that the witness model may look at: enough to notice what the text says, too few to be slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How one column becomes numbers, learned on the sample.

    Parameters
    ----------
    column : InputColumn
    levels : tuple of str
        Levels by falling frequency (category); words (text).
    """

    column: InputColumn
    levels: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether the codes have no order."""
        return self.column.kind == "category"


def find_blanks(series: pl.Series) -> Bool:
    """Return which cells hold nothing."""
    blank: Bool = ~has_value(series)
    return blank


def encode_ordered(series: pl.Series) -> Float:
    """Return numbers, yes/no and dates (as seconds since 1970) as floats, NaN where missing or infinite."""
    if series.dtype in (pl.Date, pl.Datetime):
        return to_seconds(series)
    values = to_floats(series)
    endless = np.isinf(values)
    return np.where(endless, np.nan, values) if endless.any() else values


def learn_encoding(column: InputColumn, cells: pl.Series) -> Encoding:
    """Learn the codes of `column` on its sampled `cells`."""
    if column.kind not in ("category", "text"):
        return Encoding(column=column)
    sampled = cells.cast(pl.String)
    if column.kind == "text":
        return Encoding(column=column, levels=_pick_words(sampled))
    counted = sampled.drop_nulls().alias("level").value_counts().sort(["count", "level"], descending=[True, False])
    return Encoding(column=column, levels=tuple(counted["level"].head(MAX_LEVELS).to_list()))


def _pick_words(text: pl.Series) -> tuple[str, ...]:
    """Return the words that occur in many, but not in most, of the rows."""
    words = split_words(text).list.unique().explode().drop_nulls().alias("word")
    counted = (
        words.value_counts()
        .filter(pl.col("count") <= 0.6 * len(text))
        .sort(["count", "word"], descending=[True, False])
    )
    return tuple(counted["word"].head(N_WORDS).to_list())


def split_words(text: pl.Series) -> pl.Series:
    """Return each text as a list of lower-case words of at least two letters or digits.

    Examples
    --------
    >>> split_words(pl.Series(["Refund paid, at last!"])).to_list()
    [['refund', 'paid', 'at', 'last']]
    """
    return text.fill_null("").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]{2,}")


def encode_codes(encoding: Encoding, series: pl.Series) -> Float:
    """Return one float a row: the number itself, or the code of the level; NaN where missing.

    Text has no such number; it counts its letters.
    """
    kind = encoding.column.kind
    if kind == "text":
        return to_floats(series.cast(pl.String).str.len_chars())
    if kind != "category":
        return encode_ordered(series)
    text = series.cast(pl.String)
    coded = text.cast(pl.Enum(encoding.levels), strict=False).to_physical().cast(pl.Float64).to_numpy()
    unknown = np.isnan(coded)
    if int(unknown.sum()) == text.null_count():
        return coded
    return np.where(unknown & text.is_not_null().to_numpy(), float(len(encoding.levels)), coded)


def build_features(encodings: Sequence[Encoding], frame: pl.DataFrame) -> tuple[Float, list[int], list[str]]:
    """Return the feature matrix of the witness model, which features are categories, and the column of each feature."""
    blocks: list[Float] = []
    categories: list[int] = []
    owners: list[str] = []
    for encoding in encodings:
        name = encoding.column.name
        made = _build_column(encoding, frame[name])
        if encoding.is_category:
            categories.append(len(owners))
        blocks += made
        owners += [name] * len(made)
    matrix = np.column_stack(blocks) if blocks else np.zeros((frame.height, 0))
    return matrix, categories, owners


def _build_column(encoding: Encoding, series: pl.Series) -> list[Float]:
    """Return the features of one column."""
    first = encode_codes(encoding, series)
    if encoding.column.kind == "date" and series.dtype.is_temporal():
        parts = (series.dt.month(), series.dt.weekday())
        return [first, *(to_floats(part) for part in parts)]
    if encoding.column.kind == "text":
        words = split_words(series.cast(pl.String))
        return [
            first,
            *(words.list.contains(word).cast(pl.Float64).to_numpy().astype(np.float64) for word in encoding.levels),
        ]
    return [first]
