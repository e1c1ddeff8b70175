"""Tensors of the Open Inference Protocol into cells and back, as JSON and as its binary extension.

References
----------
Open Inference Protocol, version 2, and its extension "binary tensor data" (kserve/open-inference-protocol).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skiff.core.errors import SkiffError
from skiff.core.sheet import Sheet
from skiff.serve.bodies import InferBody, Tensor, refuse_many
from skiff.serve.errors import refuse

Cells = list[Any]  # Any: texts, numbers, booleans, None

DTYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""Datatypes of the protocol to NumPy's; ``BYTES`` is text."""

_LENGTH = struct.Struct("<I")
MOST_DIMENSIONS = 2


def read_rows(
    body: InferBody, buffers: bytes, *, columns: Sequence[str], row_limit: int
) -> Sequence[Mapping[str, Any]]:  # Any: cells
    """Return the rows that an inference request holds: one tensor a column, of shape [N] or [N, 1].

    Raises
    ------
    SkiffError
        ``body_invalid``, ``too_many_rows``.
    """
    wanted = set(columns)
    table: dict[str, Cells] = {}
    start, n_rows = 0, -1
    for tensor in body.inputs:
        size = (tensor.parameters or {}).get("binary_data_size")
        piece = b""
        if size is not None:
            if not isinstance(size, int) or isinstance(size, bool) or size < 0 or start + size > len(buffers):
                raise _invalid(f"The binary data of input '{_name(tensor)}' has another size than it says.")
            piece = buffers[start : start + size]
            start += size
        rows = _count_rows(tensor)
        if n_rows not in (-1, rows):
            raise _invalid("The inputs have different numbers of rows.")
        n_rows = rows
        refuse_many(rows, row_limit)
        if tensor.name in table:
            raise _invalid(f"The input '{_name(tensor)}' comes twice.")
        if tensor.name in wanted:
            table[tensor.name] = _read_cells(tensor, piece if size is not None else None, rows)
        else:
            table[tensor.name] = []
    if start != len(buffers):
        raise _invalid("There is more binary data than the inputs say.")
    used = {name: cells for name, cells in table.items() if name in wanted}
    if not used:
        raise _invalid("None of the inputs is a column of the model; see the model's metadata.")
    if len(used) == len(columns) and n_rows > 1:  # nothing is lacking: they stay columns
        return Sheet(tuple(columns), [used[name] for name in columns])
    return [dict(zip(used, row, strict=True)) for row in zip(*used.values(), strict=True)]


def _count_rows(tensor: Tensor) -> int:
    shape = tensor.shape
    if not 1 <= len(shape) <= MOST_DIMENSIONS or any(size < 0 for size in shape) or shape[1:] not in ([], [1]):
        raise _invalid(f"The input '{_name(tensor)}' must have the shape [N] or [N, 1].")
    return shape[0]


def _read_cells(tensor: Tensor, piece: bytes | None, n_rows: int) -> Cells:
    if tensor.datatype != "BYTES" and tensor.datatype not in DTYPES:
        raise _invalid(f"The input '{_name(tensor)}' has a datatype that the protocol does not know.")
    if piece is not None:
        return _read_binary(tensor, piece, n_rows)
    if tensor.data is None:
        raise _invalid(f"The input '{_name(tensor)}' has no data.")
    cells = tensor.data
    if cells and all(isinstance(cell, list) for cell in cells):
        cells = [cell for inner in cells for cell in inner]
    if len(cells) != n_rows:
        raise _invalid(f"The input '{_name(tensor)}' has another number of cells than its shape says.")
    kinds = _KINDS[tensor.datatype[:2]]
    if not all(cell is None or cell.__class__ in kinds for cell in cells):
        raise _invalid(f"The input '{_name(tensor)}' holds cells of another datatype than it says.")
    return cells


_KINDS: dict[str, tuple[type, ...]] = {
    "BY": (str,),
    "BO": (bool,),
    "UI": (int,),
    "IN": (int,),
    "FP": (float, int),
}


def _read_binary(tensor: Tensor, piece: bytes, n_rows: int) -> Cells:
    if tensor.datatype == "BYTES":
        return _read_texts(tensor, piece, n_rows)
    dtype = np.dtype(DTYPES[tensor.datatype])
    if len(piece) != n_rows * dtype.itemsize:
        raise _invalid(f"The binary data of input '{_name(tensor)}' has another size than its shape says.")
    cells: Cells = np.frombuffer(piece, dtype=dtype).tolist()
    if dtype.kind == "f":  # the extension has no null: NaN is the missing cell
        if any(math.isinf(cell) for cell in cells):
            raise _invalid(f"The input '{_name(tensor)}' holds an infinite number.")
        cells = [None if math.isnan(cell) else cell for cell in cells]
    return cells


def _read_texts(tensor: Tensor, piece: bytes, n_rows: int) -> Cells:
    cells: Cells = []
    start = 0
    try:
        while start < len(piece):
            (size,) = _LENGTH.unpack_from(piece, start)
            start += _LENGTH.size
            if start + size > len(piece):
                break
            cells.append(piece[start : start + size].decode())
            start += size
    except (struct.error, UnicodeDecodeError) as error:
        raise _invalid(f"The binary data of input '{_name(tensor)}' is no list of UTF-8 texts.") from error
    if start != len(piece) or len(cells) != n_rows:
        raise _invalid(f"The binary data of input '{_name(tensor)}' has another size than its shape says.")
    return cells


def write_binary(datatype: str, cells: Cells) -> bytes:
    r"""Return cells as the binary extension has them.

    Examples
    --------
    >>> write_binary("BYTES", ["no"])
    b'\x02\x00\x00\x00no'
    """
    if datatype == "BYTES":
        texts = [cell.encode() for cell in cells]
        return b"".join(part for text in texts for part in (_LENGTH.pack(len(text)), text))
    return np.asarray(cells, dtype=DTYPES[datatype]).tobytes()


def _name(tensor: Tensor) -> str:
    return tensor.name[:100]


def _invalid(what: str) -> SkiffError:
    return refuse("body_invalid", what, "See the metadata of the model: GET /v2/models/NAME.")
