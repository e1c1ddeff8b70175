"""Which inputs of a prediction are kept, and in which form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from skiff.core.errors import SkiffError

Keep: TypeAlias = Literal["all", "hashed", "none"] | tuple[str, ...]
"""``[serving] keep_inputs``: everything, a keyed hash of each cell, nothing, or the columns that are named."""

HASH_BYTES = 8
"""Enough to count and compare the values of a column; without the workspace's key no value can be tried out."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

Cells: TypeAlias = Mapping[str, Any]  # Any: the cells of a row as JSON has them


def plan_keeping(keep: Keep, columns: Sequence[str], *, hash_key: bytes = b"") -> Callable[[Cells], str | None]:
    """Return the function that turns the inputs of a row into what is kept of them.

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
        return _keep_nothing
    if keep == "hashed":
        return lambda cells: _encode({name: hash_cell(cells.get(name), hash_key) for name in columns}).decode()
    kept = tuple(columns) if keep == "all" else tuple(keep)
    unknown = [name for name in kept if name not in columns]
    if unknown:
        raise SkiffError(
            "setting_bad_value",
            what=f"The setting 'serving.keep_inputs' names '{unknown[0]}', which the model does not take.",
            where={"setting": "serving.keep_inputs", "column": unknown[0]},
            fix=f"The model takes: {', '.join(columns)}.",
        )
    wanted = set(kept)

    def keep_columns(cells: Cells) -> str:
        if len(cells) == len(wanted) and wanted.issuperset(cells):  # nothing else is there: the row as it is
            return _encode(cells).decode()
        return _encode({name: cells.get(name) for name in kept}).decode()

    return keep_columns


def hash_cell(cell: object, key: bytes) -> str | None:
    """Return a keyed hash of a cell, the same for the same value; a missing cell stays missing."""
    if cell is None:
        return None
    return hashlib.blake2b(_encode(cell), digest_size=HASH_BYTES, key=key).hexdigest()


def read_kept(kept: str) -> dict[str, Any]:  # Any: a cell as JSON has it
    """Return kept inputs by column."""
    found: dict[str, Any] = _decode(kept)
    return found


def _keep_nothing(cells: Cells) -> str | None:
    del cells
    return None
