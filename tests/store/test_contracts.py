"""Contracts are kept version by version."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from skiff.core.errors import SkiffError
from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"


def test_each_change_is_a_new_version_and_no_change_is_none(workspace: Workspace) -> None:
    first = workspace.contracts.add("bookings", {"rules": [1]}, dataset_sha256="a" * 64)
    again = workspace.contracts.add("bookings", {"rules": [1]})
    second = workspace.contracts.add("bookings", {"rules": [1, 2]})
    assert (first, first.version, second.version) == (again, 1, 2)
    assert workspace.contracts.read(workspace.contracts.get("bookings")) == {"rules": [1, 2]}
    assert workspace.contracts.read(workspace.contracts.get("bookings", 1)) == {"rules": [1]}


def test_going_back_to_an_earlier_content_is_a_version_of_its_own(workspace: Workspace) -> None:
    for rules in ([1], [2], [1]):
        last = workspace.contracts.add("bookings", {"rules": list(rules)})
    assert last.version == 3


def test_the_newest_version_of_each_contract_is_current(workspace: Workspace) -> None:
    workspace.contracts.add("bookings", {"rules": []})
    workspace.contracts.add("guests", {"rules": []})
    workspace.contracts.add("bookings", {"rules": [1]})
    found = {(record.name, record.version) for record in workspace.contracts.list_current()}
    assert found == {("bookings", 2), ("guests", 1)}


def test_a_contract_that_is_not_there_is_told_with_those_that_are(workspace: Workspace) -> None:
    workspace.contracts.add("bookings", {"rules": []})
    with pytest.raises(SkiffError, match="bookings") as caught:
        workspace.contracts.get("booking")
    assert caught.value.code == "contract_not_found"
    with pytest.raises(SkiffError, match="version 7"):
        workspace.contracts.get("bookings", 7)


def test_a_changed_contract_is_noticed(workspace: Workspace) -> None:
    record = workspace.contracts.add("bookings", {"rules": []})
    path = workspace.objects.path(record.sha256)
    path.chmod(0o600)
    path.write_bytes(b'{"rules":[9]}')
    with pytest.raises(SkiffError) as caught:
        workspace.contracts.read(record)
    assert caught.value.code == "object_damaged"


def test_a_workspace_of_before_contracts_gets_the_table_and_keeps_the_rest(workspace: Workspace, folder: Path) -> None:
    workspace.ledger.append("check", subject="ds_1", result={}, at=AT)
    with workspace._catalog.write() as connection:
        for later in ("contract", "window", "watch", "review"):
            connection.execute(text(f"DROP TABLE {later}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    workspace.close()
    with Workspace.open(folder) as opened:
        assert opened.contracts.list() == ()
        assert opened.ledger.verify().ok
