"""Put many rows into one statement, and what they share into it once."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from itertools import chain

from skiff.store.predictions.records import COLUMNS, PredictionRow

CHUNK_ROWS = (1_000, 256, 64, 16, 4, 1)
"""Rows put into one statement. Python lets go of its lock once a statement, not once a row, so a busy server thread is not
woken for each row; 1,000 rows of 15 columns stay below SQLite's limit of 32,766 values."""

MOST_STATEMENTS = 64
"""Statements remembered: six sizes, and which columns are shared or empty hardly changes while a server runs."""

Mask = tuple[bool, ...]


def insert_rows(connection: sqlite3.Connection, rows: Sequence[PredictionRow]) -> None:
    """Insert rows, many at once.

    Notes
    -----
    Time, release, role and whatever else is the same in all rows is bound once, and what is empty is written as NULL: `sqlite3`
    takes longest over binding None, and 1,000 rows with 5 columns of their own cost half of 1,000 with 15.
    """
    start = 0
    for size in CHUNK_ROWS:
        while len(rows) - start >= size:
            _insert_piece(connection, rows[start : start + size])
            start += size


def _insert_piece(connection: sqlite3.Connection, rows: Sequence[PredictionRow]) -> None:
    first, n_rows = rows[0], len(rows)
    if n_rows == 1:  # nothing to share
        empty = tuple([cell is None for cell in first])
        connection.execute(
            write_insert(1, (False,) * len(COLUMNS), empty), [cell for cell in first if cell is not None]
        )
        return
    columns = list(zip(*rows, strict=True))
    same = [column.count(cell) == n_rows for column, cell in zip(columns, first, strict=True)]
    empty = tuple([is_same and cell is None for is_same, cell in zip(same, first, strict=True)])
    shared = tuple([is_same and cell is not None for is_same, cell in zip(same, first, strict=True)])
    own = zip(*[column for column, is_same in zip(columns, same, strict=True) if not is_same], strict=True)
    values = [cell for cell, is_shared in zip(first, shared, strict=True) if is_shared]
    values += chain.from_iterable(own)
    connection.execute(write_insert(n_rows, shared, empty), values)


@functools.lru_cache(maxsize=MOST_STATEMENTS)
def write_insert(n_rows: int, shared: Mask, empty: Mask) -> str:
    """Return the statement that inserts `n_rows` rows: shared values come first, then each row's own.

    Examples
    --------
    >>> alone = write_insert(1, (False,) * 15, (False,) * 4 + (True,) * 11)
    >>> alone.partition("VALUES ")[2]
    '(?1,?2,?3,?4,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)'
    """
    n_shared = sum(shared)
    n_own = len(COLUMNS) - n_shared - sum(empty)
    written = []
    for row in range(n_rows):
        common, own = (
            iter(range(1, n_shared + 1)),
            iter(range(1 + n_shared + row * n_own, 1 + n_shared + (row + 1) * n_own)),
        )
        cells = [
            "NULL" if is_empty else f"?{next(common if is_shared else own)}"
            for is_shared, is_empty in zip(shared, empty, strict=True)
        ]
        written.append(f"({','.join(cells)})")
    return f"INSERT INTO prediction ({', '.join(COLUMNS)}) VALUES {', '.join(written)}"  # noqa: S608  names of our own columns
