"""A workspace whose clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the workspace of this test is."""
    return tmp_path / "bookings"


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    """Give a new workspace."""
    with Workspace.open(folder, create=True, clock=lambda: AT) as opened:
        yield opened
