"""Fixtures that every room shares."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from skiff.flows.conclude import RunOutcome


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets, or skip: a fresh clone has none."""
    folder = Path(os.environ.get("SKIFF_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "manifest.csv").exists():
        pytest.skip(f"the real data sets are not on this machine ({folder} is absent)")
    return folder


@pytest.fixture(scope="session")
def bookings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CSV of bookings."""
    from tests.bookings import build_bookings

    path = tmp_path_factory.mktemp("client") / "bookings.csv"
    build_bookings().write_csv(path)
    return path


@pytest.fixture(scope="session")
def finished(bookings: Path) -> tuple[RunOutcome, Path]:
    """Return a finished run and its workspace; tests must not change it."""
    from skiff.flows.run import run
    from skiff.flows.wishes import Wishes

    folder = bookings.parent / "bookings"
    return run(bookings, Wishes(target="cancelled", budget_s=4.0), folder=folder), folder


@pytest.fixture
def database() -> Iterator[str]:
    """Give the address of an empty PostgreSQL database that this test has alone, or skip."""
    url = os.environ.get("SKIFF_POSTGRES_URL", "")
    if not url:
        pytest.skip("no database: set SKIFF_POSTGRES_URL")
    import psycopg

    server = "postgresql://" + url.partition("://")[2]
    name = f"skiff_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type,unused-ignore]  # psycopg wants a literal
        yield f"{url.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type,unused-ignore]  # as above
