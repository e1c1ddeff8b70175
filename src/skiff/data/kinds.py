"""What each column is to a model: a number, yes/no, a category, text or a date."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from skiff.core.signature import InputColumn
from skiff.core.task import ColumnKind
from skiff.data.rows import has_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_LEVELS = 1_000
"""Levels kept in the signature, most frequent first (`skiff.core.signature.InputColumn`)."""

TEXT_WORDS = 3.0
"""Words in the usual cell from which a column is prose: names of things have one or two, sentences more."""

TEXT_DISTINCT_SHARE = 0.2
"""Share of different cells below which even long texts are a fixed list (answers of a form), hence a category."""

TEXT_MIN_DISTINCT = 20
"""The same as a number of cells, for small tables."""

TEXT_SAMPLE = 2_000
"""Different cells looked at to count words; the mean of 2,000 is known to a few hundredths of a word."""

WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]{2}|\S*\p{L}\S*"
"""One word: between blanks, with a letter in it (a long code or a phone number is no prose); in scripts that write no
blanks, two letters count as one."""


class Counted(Protocol):
    """What is known of a column that has been counted (`skiff.data.facts.ColumnFacts`)."""

    @property
    def kind(self) -> ColumnKind:
        """What it is to a model."""

    @property
    def n_missing(self) -> int:
        """Rows without a value."""

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Its finite numbers in ascending order."""

    @property
    def levels(self) -> pl.DataFrame:
        """Its levels with their rows: ``level`` and ``n``."""


def infer_inputs(
    frame: pl.DataFrame, *, exclude: Collection[str] = (), facts: Mapping[str, Counted] | None = None
) -> tuple[InputColumn, ...]:
    """Describe the columns of a typed table that a model could take, in the order of the table.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed: Float64 or Int64, Boolean, String, Date or Datetime.
    exclude : collection of str
        Columns to skip: the target, the group, what the user dropped.
    facts : mapping, optional
        What `skiff.data.facts.gather_facts` counted, where it has been done already: nothing is counted twice.

    Returns
    -------
    tuple of InputColumn

    Notes
    -----
    A number stays a number even where it has few values: trees split it anywhere, and no level of tomorrow is unknown.
    A String column is text where its usual cell has at least three words and cells rarely repeat, else a category.

    Examples
    --------
    >>> made = infer_inputs(pl.DataFrame({"nights": [1, 2], "country": ["IT", "FR"], "paid": [True, None]}))
    >>> [(column.name, column.kind, column.nullable) for column in made]
    [('nights', 'number', False), ('country', 'category', False), ('paid', 'boolean', True)]
    """
    skipped = set(exclude)
    known = facts or {}
    return tuple(
        _describe_counted(column, known[column.name]) if column.name in known else _describe(column)
        for column in frame.get_columns()
        if column.name not in skipped
    )


def kind_of(column: pl.Series) -> ColumnKind:
    """Return what one column is to a model.

    Examples
    --------
    >>> kind_of(pl.Series([1, 2, 3])), kind_of(pl.Series(["a", "b"]))
    ('number', 'category')
    """
    dtype = column.dtype
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric() or dtype == pl.Duration:
        return "number"
    if dtype in (pl.Date, pl.Datetime):
        return "date"
    return "text" if dtype == pl.String and is_prose(column) else "category"


def is_prose(column: pl.Series) -> bool:
    """Whether a String column holds sentences rather than names of things.

    Examples
    --------
    >>> is_prose(pl.Series([f"Room {night} was clean and quiet" for night in range(40)]))
    True
    >>> is_prose(pl.Series(["Bed and breakfast only", "All inclusive, with spa"] * 40))
    False
    """
    first = column.drop_nulls().head(50 * TEXT_SAMPLE)
    first = first.filter(first != "")
    if first.len() == 0:
        return False
    if first.n_unique() < max(TEXT_MIN_DISTINCT, TEXT_DISTINCT_SHARE * first.len()):
        return False
    words = first.unique(maintain_order=True).head(TEXT_SAMPLE).str.count_matches(WORD).mean()
    return isinstance(words, float) and words >= TEXT_WORDS


def to_seconds(column: pl.Series) -> NDArray[np.float64]:
    """Return dates as seconds since 1970-01-01, NaN where missing.

    Examples
    --------
    >>> from datetime import date
    >>> to_seconds(pl.Series([date(1970, 1, 2), None])).tolist()
    [86400.0, nan]
    """
    return to_floats(column.cast(pl.Datetime("us")).cast(pl.Int64)) / 1e6


def to_floats(column: pl.Series) -> NDArray[np.float64]:
    """Return numbers or yes/no as floats, NaN where missing.

    Examples
    --------
    >>> to_floats(pl.Series([3, None])).tolist()
    [3.0, nan]
    """
    return column.cast(pl.Float64, strict=False).to_numpy()  # on the way null becomes NaN


def count_levels(column: pl.Series) -> pl.DataFrame:
    """Return the levels of a column as text with their rows, in no order: columns ``level`` and ``n``.

    Examples
    --------
    >>> count_levels(pl.Series(["IT", "IT", "", None])).rows()
    [('IT', 2)]
    """
    text = column.cast(pl.String) if column.dtype != pl.String else column
    counted = text.alias("level").value_counts(name="n")
    return counted.filter(pl.col("level").is_not_null() & (pl.col("level") != "")).cast({"n": pl.Int64})


def take_top_levels(counted: pl.DataFrame, n_levels: int) -> pl.DataFrame:
    """Return the most frequent levels first; ties in the order of the alphabet, so that runs agree.

    Examples
    --------
    >>> take_top_levels(count_levels(pl.Series(["b", "a", "c", "c"])), 2)["level"].to_list()
    ['c', 'a']
    """
    if counted.height > n_levels:
        least = counted["n"].top_k(n_levels).min()
        likely = counted.filter(pl.col("n") >= least)  # all that can be among them: a short list, unless all are rare
        counted = likely.top_k(n_levels, by=[pl.col("n"), pl.col("level")], reverse=[False, True])
    return counted.sort(["n", "level"], descending=[True, False]).head(n_levels)


def _describe(column: pl.Series) -> InputColumn:
    kind = kind_of(column)
    filled = has_value(column)
    nullable = not bool(filled.all())
    if kind in ("category", "text"):
        levels = _rank_levels(column) if kind == "category" else ()
        return InputColumn(name=column.name, kind=kind, nullable=nullable, levels=levels)
    if kind == "boolean" or not filled.any():
        return InputColumn(name=column.name, kind=kind, nullable=nullable)
    if kind == "date":
        seconds = pl.Series(to_seconds(column))
        low, high = _bounds(seconds)
        return InputColumn(name=column.name, kind=kind, nullable=nullable, low=low, high=high, is_integer=True)
    low, high = _bounds(column)
    return InputColumn(name=column.name, kind=kind, nullable=nullable, low=low, high=high, is_integer=_is_whole(column))


def _describe_counted(column: pl.Series, fact: Counted) -> InputColumn:
    """Return the same as `_describe`, from what is known already."""
    kind, nullable = fact.kind, fact.n_missing > 0
    if kind in ("category", "text"):
        levels = tuple(take_top_levels(fact.levels, MAX_LEVELS)["level"].to_list()) if kind == "category" else ()
        return InputColumn(name=column.name, kind=kind, nullable=nullable, levels=levels)
    if kind == "boolean" or fact.n_missing == column.len():
        return InputColumn(name=column.name, kind=kind, nullable=nullable)
    numbers = fact.numbers
    low, high = (float(numbers[0]), float(numbers[-1])) if len(numbers) else (None, None)
    is_whole = kind == "date" or not column.dtype.is_float() or bool((numbers == np.floor(numbers)).all())
    return InputColumn(name=column.name, kind=kind, nullable=nullable, low=low, high=high, is_integer=is_whole)


def _rank_levels(column: pl.Series) -> tuple[str, ...]:
    """Return the levels, most frequent first; ties in the order of the alphabet so that runs agree."""
    return tuple(take_top_levels(count_levels(column), MAX_LEVELS)["level"].to_list())


def _bounds(column: pl.Series) -> tuple[float | None, float | None]:
    """Return the smallest and largest finite number."""
    numbers = column.cast(pl.Float64, strict=False)
    low, high = numbers.fill_nan(None).min(), numbers.fill_nan(None).max()
    if not (isinstance(low, float) and isinstance(high, float)):
        return None, None
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    finite = numbers.filter(numbers.is_finite())
    return (float(finite.min()), float(finite.max())) if finite.len() else (None, None)  # type: ignore[arg-type]  # floats, by the cast


def _is_whole(column: pl.Series) -> bool:
    if not column.dtype.is_float():
        return True
    finite = column.filter(column.is_finite().fill_null(value=False))
    return bool((finite == finite.floor()).all())
