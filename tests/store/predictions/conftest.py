"""The same log over both databases, plain and encrypted; PostgreSQL only where one is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skiff.store.box import PLAIN, EncryptedBox
from skiff.store.cipher import Cipher
from skiff.store.predictions.ids import IdMaker
from skiff.store.predictions.log import PredictionLog, open_store
from skiff.store.predictions.records import PredictionRow, Store

START = 1_767_225_600_000_000
"""2026-01-01 00:00 UTC, in microseconds."""
DAY = 86_400_000_000


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture(params=["sqlite", "postgres", "encrypted", "encrypted-postgres"])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Return a function that opens the same, at first empty, log."""
    box = EncryptedBox(Cipher(bytes(32))) if "encrypted" in request.param else PLAIN
    database = request.getfixturevalue("database") if "postgres" in request.param else None
    return lambda: open_store(tmp_path, database=database, box=box)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Iterator[Store]:
    opened = open_again()
    yield opened
    opened.close()


@pytest.fixture
def log(open_again: Callable[[], Store], clock: Clock) -> Iterator[PredictionLog]:
    with PredictionLog(open_again(), clock=clock) as opened:
        yield opened


def build_rows(n_rows: int, *, at: int = START, maker: IdMaker | None = None, **changes: object) -> list[PredictionRow]:
    """Return rows of one moment."""
    maker = maker or IdMaker()
    given = {"label": "yes", "value": 0.75, "inputs": '{"nights":2,"city":"Oslo"}', "decision": "act", **changes}
    return [PredictionRow(id=maker.make(at), at=at, release=1, role="champion", **given) for _ in range(n_rows)]  # type: ignore[arg-type]
