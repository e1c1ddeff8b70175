"""Which inputs of a prediction are kept, and in which form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet

Keep: TypeAlias = Literal["all", "hashed", "none"] | tuple[str, ...]
"""``[serving] keep_inputs``: everything, a keyed hash of each cell, nothing, or the columns that are named."""

HASH_BYTES = 8
"""Enough to count and compare the values of a column; without the workspace's key no value can be tried out."""

_encoder = msgspec.json.Encoder()
_encode, _encode_lines = _encoder.encode, _encoder.encode_lines
_decode = msgspec.json.Decoder().decode

Cells: TypeAlias = Mapping[str, Any]  # Any: the cells of a row as JSON has them


class Keeper(Protocol):
    """Turns the inputs of rows into what is kept of them."""

    def __call__(self, cells: Cells) -> str | None:
        """Return what is kept of a row: a JSON object by column, or None."""

    def keep_rows(self, rows: Sequence[Cells]) -> list[str | None]:
        """Return what is kept of each row: the same as one by one."""


def plan_keeping(keep: Keep, columns: Sequence[str], *, hash_key: bytes = b"") -> Keeper:
    """Return what turns the inputs of a row into what is kept of them.

    Parameters
    ----------
    keep : str or tuple of str
    columns : sequence of str
        The columns the model takes; others are never kept.
    hash_key : bytes
        The workspace's key for pseudonyms, needed for ``hashed``.

    Raises
    ------
    SkiffError
        ``setting_bad_value`` where a column is named that the model does not take.

    Examples
    --------
    >>> plan_keeping(("nights",), ["nights", "city"])({"nights": 2, "city": "Oslo"})
    '{"nights":2}'
    >>> plan_keeping("none", ["nights"])({"nights": 2}) is None
    True
    """
    if keep == "none":
        return _Nothing()
    if keep == "hashed":
        return _Hashed(columns, hash_key)
    kept = tuple(columns) if keep == "all" else tuple(keep)
    unknown = [name for name in kept if name not in columns]
    if unknown:
        raise SkiffError(
            "setting_bad_value",
            what=f"The setting 'serving.keep_inputs' names '{unknown[0]}', which the model does not take.",
            where={"setting": "serving.keep_inputs", "column": unknown[0]},
            fix=f"The model takes: {', '.join(columns)}.",
        )
    return _Columns(kept)


class _Nothing:
    def __call__(self, cells: Cells) -> str | None:
        del cells
        return None

    def keep_rows(self, rows: Sequence[Cells]) -> list[str | None]:
        return [None] * len(rows)


class _Hashed:
    def __init__(self, columns: Sequence[str], key: bytes) -> None:
        self._columns = tuple(columns)
        self._key = key

    def __call__(self, cells: Cells) -> str | None:
        return _encode({name: hash_cell(cells.get(name), self._key) for name in self._columns}).decode()

    def keep_rows(self, rows: Sequence[Cells]) -> list[str | None]:
        return [self(cells) for cells in rows]


class _Columns:
    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)

    def __call__(self, cells: Cells) -> str | None:
        return _encode(self._select(cells)).decode()

    def keep_rows(self, rows: Sequence[Cells]) -> list[str | None]:
        found: Sequence[object]
        if isinstance(rows, Sheet) and rows.records is not None and rows.names == self._columns:
            found = rows.records
        else:
            found = [self._select(cells) for cells in rows]
        # A line break inside a text is written as an escape, so each line is a row.
        return [*_encode_lines(found).decode().split("\n")[:-1]]

    def _select(self, cells: Cells) -> Cells:
        if tuple(cells) == self._columns:  # nothing else is there: the row as it is
            return cells
        return {name: cells.get(name) for name in self._columns}


def hash_cell(cell: object, key: bytes) -> str | None:
    """Return a keyed hash of a cell, the same for the same value; a missing cell stays missing."""
    if cell is None:
        return None
    return hashlib.blake2b(_encode(cell), digest_size=HASH_BYTES, key=key).hexdigest()


def read_kept(kept: str) -> dict[str, Any]:  # Any: a cell as JSON has it
    """Return kept inputs by column."""
    found: dict[str, Any] = _decode(kept)
    return found
