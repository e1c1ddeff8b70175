"""The client's own words for yes and no: read as yes and no to be answered, given back as they stand in the file."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from skiff.data.parsing.columns import decide_column, parse_column
from skiff.data.parsing.reading import ColumnReading


class OwnWords:
    """Reads columns of yes and no that were kept as words, all pieces of a file by what the first of them showed.

    Parameters
    ----------
    names : collection of str
        Columns that may hold yes and no.

    Examples
    --------
    >>> words = OwnWords(["member"])
    >>> frame = pl.DataFrame({"member": ["Ja", "Nein"], "note": ["ja", "nein"]})
    >>> words.take_yes_no(frame).to_dict(as_series=False)
    {'member': [True, False], 'note': ['ja', 'nein']}
    >>> words.take_yes_no(frame.head(1))["member"].to_list()
    [True]
    """

    def __init__(self, names: Collection[str]) -> None:
        """Remember the names; what their words mean is learned from the first piece that shows it."""
        self._names = frozenset(names)
        self._known: dict[str, ColumnReading] = {}

    def take_yes_no(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the table with those columns as yes and no; one that holds something else stays as it is."""
        made = [self._read(frame[name]) for name in frame.columns if name in self._names]
        return frame.with_columns(made)

    def _read(self, cells: pl.Series) -> pl.Series:
        if cells.dtype != pl.String:
            return cells
        if cells.name not in self._known:
            reading = decide_column(cells).reading
            if reading.kind != "boolean":
                return cells
            self._known[cells.name] = reading
        return parse_column(cells, self._known[cells.name])

    def give_back(self, answered: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
        """Return an answered table with those columns as they stood in the table that was read.

        Examples
        --------
        >>> words, read = OwnWords(["member"]), pl.DataFrame({"member": ["Ja", "Nein"]})
        >>> words.give_back(words.take_yes_no(read), read)["member"].to_list()
        ['Ja', 'Nein']
        """
        return answered.with_columns(read[name] for name in self._known)
