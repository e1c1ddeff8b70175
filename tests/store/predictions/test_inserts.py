"""Rows put together into statements come back as they were."""

from __future__ import annotations

import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.store.predictions.inserts import CHUNK_ROWS, insert_rows, write_insert
from skiff.store.predictions.months import CREATE
from skiff.store.predictions.records import COLUMNS, PredictionRow

TEXTS = st.sampled_from([None, "", "ada", "größe 🦀", "1", "a\nb'\""])
NUMBERS = st.sampled_from([None, 0.0, -0.0, 1.0, 0.1 + 0.2, -1e300, 5e-324])
ROWS = st.lists(
    st.builds(
        PredictionRow,
        id=st.none(),
        at=st.sampled_from([1, 2**53]),
        release=st.sampled_from([1, 2]),
        role=st.sampled_from(["champion", "shadow"]),
        key=TEXTS,
        subject=TEXTS,
        inputs=TEXTS,
        label=TEXTS,
        value=NUMBERS,
        probabilities=TEXTS,
        low=NUMBERS,
        high=NUMBERS,
        decision=st.sampled_from([None, "act", "review"]),
        is_control=st.sampled_from([0, 1]),
        latency_us=st.sampled_from([None, 0, 7]),
    ),
    min_size=1,
    max_size=4,
)


def write_and_read(rows: list[PredictionRow]) -> list[PredictionRow]:
    connection = sqlite3.connect(":memory:")
    for statement in CREATE:
        connection.execute(statement)
    insert_rows(connection, rows)
    found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM prediction ORDER BY id").fetchall()
    connection.close()
    return [PredictionRow._make(row) for row in found]


@settings(max_examples=150, deadline=None)
@given(kinds=ROWS, n_rows=st.sampled_from([1, 2, 3, 5, 17, 90, 300]))
def test_rows_come_back_as_they_were_whatever_they_share(kinds: list[PredictionRow], n_rows: int) -> None:
    rows = [kinds[place % len(kinds)]._replace(id=f"{place:024x}") for place in range(n_rows)]
    assert write_and_read(rows) == rows


def test_thousands_of_rows_with_nothing_in_common_fit_into_statements() -> None:
    numbers = range(2 * CHUNK_ROWS[0] + 7)
    rows = [
        PredictionRow(
            f"{n:024x}",
            n,
            n,
            f"role {n}",
            f"k{n}",
            f"s{n}",
            f"i{n}",
            f"l{n}",
            n / 2,
            f"p{n}",
            n / 3,
            n / 4,
            f"d{n}",
            n,
            n,  # type: ignore[arg-type]  # no two alike
        )
        for n in numbers
    ]
    assert write_and_read(rows) == rows


def test_what_is_shared_is_bound_once_and_what_is_empty_not_at_all() -> None:
    shared = tuple(name in {"at", "release"} for name in COLUMNS)
    empty = tuple(name not in {"id", "at", "release", "role", "is_control"} for name in COLUMNS)
    statement = write_insert(2, shared, empty)
    nothing = ",NULL" * 9
    assert statement.endswith(f"VALUES (?3,?1,?2,?4{nothing},?5,NULL), (?6,?1,?2,?7{nothing},?8,NULL)")
