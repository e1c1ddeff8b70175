"""Positions of rows, as they are kept between training and judging."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray


def pack_rows(rows: NDArray[np.int64]) -> bytes:
    """Return positions of rows as they are kept.

    Examples
    --------
    >>> unpack_rows(pack_rows(np.array([3, 5]))).tolist()
    [3, 5]
    """
    stream = io.BytesIO()
    np.save(stream, rows.astype(np.int64), allow_pickle=False)
    return stream.getvalue()


def unpack_rows(data: bytes) -> NDArray[np.int64]:
    """Return positions of rows from what `pack_rows` made."""
    rows: NDArray[np.int64] = np.load(io.BytesIO(data), allow_pickle=False)
    return rows
