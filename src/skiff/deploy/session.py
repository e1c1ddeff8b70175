"""Open a graph in onnxruntime, one thread, and run it in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Run: TypeAlias = "Callable[[list[str], dict[str, NDArray[Any]]], list[NDArray[Any]]]"  # Any: doubles, texts or integers

CHUNK_ROWS = 2_048
"""Rows answered in one call: 40,000 rows with text took 0.52 s of processor time in pieces of 2,048, 1.26 s in pieces of
8,192 (which leave the cache), and memory stays flat."""

CHUNK_ROWS_TEXT = 64
"""The same where texts are cut into terms, whose thousands of terms are wide columns: 2,048 rows of 13,000 terms held 0.8 GB at once, 512
still 0.24; 2,400 rows of 11,000 terms took 0.38 s in pieces of 128 and 0.35 s in pieces of 64, with 24 MB less."""

CHUNK_LETTERS = 4_000_000
"""Rows times letters of the longest text in one call: text is cut into a table as wide as its longest row, at about 40
bytes a piece, so one long letter among short notes must not widen them all."""


def open_session(model: bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session for the bytes of a model.

    One thread by default: on a busy machine a second one that spins makes single answers slower.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised; onnxruntime would print it as well
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def cuts_texts(model: bytes) -> bool:
    """Return whether a model cuts texts into terms, which are wide columns; a category alone is looked up and stays narrow.

    The file is searched for the operator's name. A model that has it as a word elsewhere is answered in small pieces without
    need, which costs time and nothing else.
    """
    return b"Tokenizer" in model


def find_run(session: onnxruntime.InferenceSession) -> Run:
    """Return the quickest way to run a session: its compiled core where it has one, else ``session.run``.

    ``InferenceSession.run`` checks in Python on each call that all inputs are there, which the core does again: 25 microseconds of
    a row's 85 with nineteen columns, and a second a call with 5,000, because it looks each name up in a list of all names.
    """
    core = getattr(session, "_sess", None)
    if core is None or not hasattr(core, "run"):
        return lambda outputs, feed: list(session.run(outputs, feed))
    return lambda outputs, feed: list(core.run(outputs, feed, None))


def run_in_chunks(
    session: onnxruntime.InferenceSession,
    outputs: Sequence[str],
    tensors: Mapping[str, NDArray[Any]],
    *,
    workers: int = 1,
    chunk_rows: int | None = None,
    has_terms: bool = True,
) -> list[NDArray[Any]]:
    """Return the outputs for all rows, `workers` chunks at a time; there must be at least one row.

    onnxruntime lets go of Python while it works and a session may be run from many threads, so a second worker halves the
    time of a table without a second copy of the model; one row alone never waits for another thread. Where the graph cuts no
    text into terms (`has_terms`, see `cuts_texts`), its texts do not make the chunks smaller.
    """
    n_rows = len(next(iter(tensors.values())))
    names = list(outputs)
    run = find_run(session)
    if n_rows == 1:
        return run(names, dict(tensors))

    def answer(bounds: tuple[int, int]) -> list[NDArray[Any]]:
        start, stop = bounds
        return run(names, {name: tensor[start:stop] for name, tensor in tensors.items()})

    texts = [tensor.ravel() for tensor in tensors.values() if tensor.dtype == object] if has_terms else []
    chunks = list(_list_chunks(n_rows, texts, chunk_rows or CHUNK_ROWS))
    if len(chunks) == 1:
        return run(names, dict(tensors))
    whole: list[NDArray[Any]] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for (start, stop), found in zip(chunks, pool.map(answer, chunks), strict=True):
            whole = whole or [np.empty((n_rows, *part.shape[1:]), dtype=part.dtype) for part in found]
            for target, part in zip(whole, found, strict=True):
                target[start:stop] = part
    return whole


def _list_chunks(n_rows: int, texts: Sequence[NDArray[Any]], chunk_rows: int) -> Iterator[tuple[int, int]]:
    """Yield first and last row of each chunk: as many rows as both limits allow; `texts` are columns that are cut."""
    if texts:
        chunk_rows = min(chunk_rows, CHUNK_ROWS_TEXT)
    start = 0
    if n_rows <= chunk_rows:  # the usual case, without NumPy: one row alone must not pay for what a table needs
        longest_text = max((max(map(len, column.tolist())) for column in texts), default=0)
        if n_rows * longest_text <= CHUNK_LETTERS:
            yield 0, n_rows
            return
    while start < n_rows:
        stop = min(start + chunk_rows, n_rows)
        if texts:
            longest = np.max([[len(text) for text in column[start:stop]] for column in texts], axis=0)
            widest = np.maximum.accumulate(longest) * np.arange(1, stop - start + 1)
            stop = start + max(1, int(np.searchsorted(widest, CHUNK_LETTERS, side="right")))
        yield start, stop
        start = stop
