"""A client's database is asked, never changed. Set ``SKIFF_POSTGRES_URL`` to run the tests on PostgreSQL."""

from __future__ import annotations

import datetime as dt

import pytest

from skiff.core.errors import SkiffError
from skiff.flows.read import read_table

TABLE = """
create table skiff_orders as select i as id, case when i % 7 = 0 then null else 'Porto' end as city, (i * 1.25)::numeric(12, 2) as eur,
timestamptz '2024-01-01T10:00:00+02' + i * interval '1 hour' as at, date '2024-01-01' + i as day, i % 2 = 0 as ok,
(12345678901234567890123 + i)::numeric(30, 0) as long, '{"a": 1}'::jsonb as record, array[1, 2] as list
from generate_series(1, 120000) i
"""


@pytest.fixture
def orders(database: str) -> str:
    import psycopg

    url = database.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    return url


def test_rows_come_with_their_types_and_long_numbers_keep_their_digits(orders: str) -> None:
    frame = read_table(orders, query="select * from skiff_orders where city is null or city <> 'a:b' order by id").frame
    assert frame.height == 120_000
    assert frame.row(0, named=True) == {
        "id": 1,
        "city": "Porto",
        "eur": 1.25,
        "at": dt.datetime(2024, 1, 1, 9),
        "day": dt.date(2024, 1, 2),
        "ok": False,
        "long": "12345678901234567890124",
        "record": '{"a": 1}',
        "list": "[1, 2]",
    }
    assert frame["city"].null_count() == 120_000 // 7


@pytest.mark.parametrize(
    ("query", "code", "told"),
    [
        (None, "query_missing", "table"),
        ("delete from skiff_orders", "query_not_reading", ""),
        ("with gone as (delete from skiff_orders returning *) select * from gone", "query_failed", ""),
        ("select nope from skiff_orders", "query_failed", 'column "nope" does not exist'),
        ("select city::int from skiff_orders", "query_failed", "InvalidTextRepresentation"),
    ],
)
def test_nothing_is_changed_and_no_cell_is_told(orders: str, query: str | None, code: str, told: str) -> None:
    with pytest.raises(SkiffError) as caught:
        read_table(orders, query=query)
    assert caught.value.code == code
    assert told in caught.value.what
    assert "Porto" not in str(caught.value)
    assert read_table(orders, query="select count(*) as n from skiff_orders").frame["n"].to_list() == [120_000]


@pytest.mark.parametrize("address", ["postgresql://me:hush@127.0.0.1:9/shop", "postgres://me:hush@127.0.0.1:9/shop"])
def test_a_database_that_does_not_answer_is_named_without_its_password(address: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(SkiffError) as caught:
        read_table(address, query="select 1")
    assert caught.value.code == "query_failed"
    assert "does not answer" in caught.value.what
    assert "hush" not in str(caught.value)


def test_a_database_without_a_driver_says_what_to_install() -> None:
    with pytest.raises(SkiffError) as caught:
        read_table("mssql://host/shop", query="select 1")
    assert caught.value.code == "driver_missing"
