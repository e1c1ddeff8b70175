"""Workspaces whose clock stands still, copied from one template so that each test pays for no set-up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"
N_RECORDS = 24


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a closed, empty workspace."""
    folder = tmp_path_factory.mktemp("template") / "empty"
    Workspace.open(folder, create=True, clock=lambda: AT).close()
    return folder


@pytest.fixture(scope="session")
def full_template(tmp_path_factory: pytest.TempPathFactory, empty_template: Path) -> Path:
    """Return a closed workspace with `N_RECORDS` records in its ledger."""
    folder = tmp_path_factory.mktemp("template") / "full"
    shutil.copytree(empty_template, folder)
    with Workspace.open(folder) as workspace:
        for n in range(N_RECORDS):
            workspace.ledger.append("check", subject=f"ds_{n}", result={"rows": n, "score": n / 7}, at=AT)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the workspace of this test is."""
    return tmp_path / "bookings"


@pytest.fixture
def workspace(folder: Path, empty_template: Path) -> Iterator[Workspace]:
    """Give a new workspace."""
    shutil.copytree(empty_template, folder)
    with Workspace.open(folder, clock=lambda: AT) as opened:
        yield opened


@pytest.fixture
def full(folder: Path, full_template: Path) -> Iterator[Workspace]:
    """Give a workspace with a ledger."""
    shutil.copytree(full_template, folder)
    with Workspace.open(folder, clock=lambda: AT) as opened:
        yield opened
