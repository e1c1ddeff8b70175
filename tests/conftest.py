"""Fixtures that every room shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets, or skip: a fresh clone has none."""
    folder = Path(os.environ.get("SKIFF_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "manifest.csv").exists():
        pytest.skip(f"the real data sets are not on this machine ({folder} is absent)")
    return folder
