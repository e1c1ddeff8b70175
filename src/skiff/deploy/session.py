"""Open a graph in onnxruntime, one thread, and run it in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

CHUNK_ROWS = 50_000
"""Rows answered in one call: large enough to be fast, small enough to keep memory flat."""


def open_session(model: bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session for the bytes of a model.

    One thread by default: on a busy machine a second one that spins makes single answers slower.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_in_chunks(
    session: onnxruntime.InferenceSession, outputs: Sequence[str], tensors: Mapping[str, NDArray[Any]]
) -> list[NDArray[Any]]:
    """Return the outputs for all rows, computed a chunk at a time; there must be at least one row."""
    n_rows = len(next(iter(tensors.values())))
    found = [
        session.run(list(outputs), {name: tensor[start : start + CHUNK_ROWS] for name, tensor in tensors.items()})
        for start in range(0, n_rows, CHUNK_ROWS)
    ]
    if len(found) == 1:
        return list(found[0])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]
