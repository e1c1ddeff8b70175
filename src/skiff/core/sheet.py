"""Rows that all have the same columns, at hand by row and by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

Row = Mapping[str, Any]  # Any: the cells of a row as JSON has them


class Sheet(Sequence[Row]):
    """A sequence of rows like any other, for whoever can work with whole columns quicker.

    Parameters
    ----------
    names : tuple of str
        The columns; every row has all of them and no other.
    columns : sequence of sequence
        Their cells, in the order of `names`, all of the same length.
    records : sequence of object, optional
        The rows as objects that `msgspec` encodes as JSON objects by column, in the order of `names`.

    Examples
    --------
    >>> sheet = Sheet(("nights", "city"), [(2, 3), ("Oslo", None)])
    >>> len(sheet), sheet[1], sheet.read("city")
    (2, {'nights': 3, 'city': None}, ('Oslo', None))
    """

    def __init__(
        self, names: tuple[str, ...], columns: Sequence[Sequence[Any]], *, records: Sequence[object] | None = None
    ) -> None:
        """Keep the parts; rows are made when they are asked for."""
        self.names = names
        self.columns = columns
        self.records = records
        self._rows: list[Row] | None = None

    def read(self, name: str) -> Sequence[Any] | None:
        """Return the cells of a column; None where there is no such column."""
        return self.columns[self.names.index(name)] if name in self.names else None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows."""
        return iter(self._list_rows())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        """Return a row, or several as a list."""
        return self._list_rows()[place]

    def _list_rows(self) -> list[Row]:
        if self._rows is None:
            self._rows = [dict(zip(self.names, cells, strict=True)) for cells in zip(*self.columns, strict=True)]
        return self._rows
