"""Nobody changes, moves, adds or removes a record without being noticed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from skiff.core.evidence import build_record, canonical_json, hash_record
from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"
N = 24


def tamper(workspace: Workspace, *statements: str) -> None:
    connection = sqlite3.connect(workspace.root / ".skiff" / "catalog.db")
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_records_come_back_as_they_were_written(workspace: Workspace) -> None:
    first = workspace.ledger.append("data.add", subject="ds_1", result={"rows": 3, "name": "é"}, at=AT)
    second = workspace.ledger.append("check", subject="ds_1", result={}, at=AT)
    assert workspace.ledger.records() == (first, second)
    assert (first.id, second.id) == ("ev_000001", "ev_000002")
    assert second.prev == first.hash == hash_record(first)
    assert workspace.ledger.head == second.hash
    assert workspace.ledger.verify().ok


def test_an_empty_ledger_is_whole(workspace: Workspace) -> None:
    check = workspace.ledger.verify()
    assert check.ok
    assert check.n == 0
    assert check.head == workspace.ledger.head == "0" * 64


def test_results_become_plain_json_and_numbers_that_are_none_become_null(workspace: Workspace) -> None:
    record = workspace.ledger.append(
        "evaluate",
        subject="x",
        result={"auc": np.float64(0.5), "n": np.int64(3), "t": (1, 2), "bad": float("nan")},
        at=AT,
    )
    assert record.result == {"auc": 0.5, "n": 3, "t": [1, 2], "bad": None}
    assert workspace.ledger.verify().ok


def test_an_export_holds_every_record_on_a_line(full: Workspace) -> None:
    lines = full.ledger.export().splitlines()
    assert len(lines) == N
    assert json.loads(lines[-1])["hash"] == full.ledger.head


@pytest.mark.parametrize("column", ["at", "actor", "action", "subject", "result", "prev", "hash", "id"])
def test_a_changed_record_is_named(full: Workspace, column: str) -> None:
    value = "'{\"rows\":9999}'" if column == "result" else "'changed'"
    tamper(full, f"UPDATE ledger SET {column} = {value} WHERE seq = 17")
    check = full.ledger.verify()
    assert not check.ok
    assert check.first_bad == 17


def test_a_result_that_is_no_json_is_named(full: Workspace) -> None:
    tamper(full, "UPDATE ledger SET result = '{\"rows' WHERE seq = 17")
    assert full.ledger.verify().first_bad == 17


def test_a_removed_record_is_named(full: Workspace) -> None:
    tamper(full, "DELETE FROM ledger WHERE seq = 17")
    assert full.ledger.verify().first_bad == 17


def test_a_removed_record_is_named_even_when_the_others_close_the_gap(full: Workspace) -> None:
    tamper(full, "DELETE FROM ledger WHERE seq = 17", "UPDATE ledger SET seq = seq - 1 WHERE seq > 17")
    assert full.ledger.verify().first_bad == 17


def test_two_records_that_changed_places_are_named(full: Workspace) -> None:
    tamper(
        full,
        "UPDATE ledger SET seq = -1 WHERE seq = 17",
        "UPDATE ledger SET seq = 17 WHERE seq = 23",
        "UPDATE ledger SET seq = 23 WHERE seq = -1",
    )
    assert full.ledger.verify().first_bad == 17


def forge(full: Workspace, *, seq: int, prev: str) -> str:
    record = build_record(seq=seq, at=AT, actor="eve", action="release", subject="x", result={}, prev=prev)
    values = {**asdict(record), "result": "{}"}
    names = ", ".join(values)
    quoted = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in values.values())
    tamper(full, f"INSERT INTO ledger ({names}) VALUES ({quoted})")
    return record.hash


def test_an_inserted_record_breaks_the_chain_where_it_was_put(full: Workspace) -> None:
    before = full.ledger.records()[15]
    tamper(full, "UPDATE ledger SET seq = -seq WHERE seq > 16", "UPDATE ledger SET seq = 1 - seq WHERE seq < 0")
    forge(full, seq=17, prev=before.hash)
    assert full.ledger.verify().first_bad == 18  # the forged link fits; the true one after it no longer does


def test_a_record_added_at_the_end_with_the_right_hash_is_noticed(full: Workspace) -> None:
    forged = forge(full, seq=N + 1, prev=full.ledger.head)
    tamper(full, f"UPDATE ledger_head SET seq = {N}, hash = '{forged}'")
    assert not full.ledger.verify().ok


def cut_rows(full: Workspace) -> None:
    tamper(full, f"DELETE FROM ledger WHERE seq > {N - 5}")


def cut_rows_and_catalog_head(full: Workspace) -> None:
    last = full.ledger.records()[N - 6]
    cut_rows(full)
    tamper(full, f"UPDATE ledger_head SET seq = {last.seq}, hash = '{last.hash}'")


def cut_everything_but_the_release(full: Workspace) -> None:
    full.releases.publish(
        {"evidence.jsonl": full.ledger.export()}, manifest={}, dataset_sha="0" * 64, run_id=None, promote=False
    )
    last = full.ledger.records()[N - 6]
    cut_rows_and_catalog_head(full)
    path = full.root / ".skiff" / "ledger.head"
    path.write_bytes(canonical_json({"seq": last.seq, "hash": last.hash}))


@pytest.mark.parametrize("cut", [cut_rows, cut_rows_and_catalog_head, cut_everything_but_the_release])
def test_a_cut_tail_is_noticed_by_whatever_remembers_it(full: Workspace, cut: Callable[[Workspace], None]) -> None:
    cut(full)
    check = full.ledger.verify()
    assert check.first_bad == N - 4
    assert "removed" in check.reason


def test_a_ledger_written_anew_from_a_record_on_is_noticed(full: Workspace) -> None:
    full.releases.publish(
        {"evidence.jsonl": full.ledger.export()}, manifest={}, dataset_sha="0" * 64, run_id=None, promote=False
    )
    records = full.ledger.records()
    prev = records[15].hash
    tamper(full, "DELETE FROM ledger WHERE seq > 16")
    for seq in range(17, N + 1):
        prev = forge(full, seq=seq, prev=prev)
    tamper(full, f"UPDATE ledger_head SET hash = '{prev}'")
    (full.root / ".skiff" / "ledger.head").write_bytes(canonical_json({"seq": N, "hash": prev}))
    check = full.ledger.verify()
    assert check.first_bad == 17
    assert "release 1" in check.reason


@pytest.mark.parametrize("damage", ["remove", "garble"])
def test_a_lost_or_garbled_head_file_is_noticed_and_the_next_record_mends_it(full: Workspace, damage: str) -> None:
    path = full.root / ".skiff" / "ledger.head"
    path.unlink() if damage == "remove" else path.write_bytes(b"?")
    check = full.ledger.verify()
    assert not check.ok
    assert "ledger.head" in check.reason
    full.ledger.append("check", subject="x", result={}, at=AT)
    assert full.ledger.verify().ok


def test_a_damaged_ledger_is_among_the_problems_of_the_workspace(full: Workspace) -> None:
    assert full.verify().ok
    tamper(full, "UPDATE ledger SET action = 'x' WHERE seq = 3")
    check = full.verify()
    assert [problem.code for problem in check.problems] == ["ledger_damaged"]
    assert check.problems[0].where["record"] == 3


def test_a_ledger_is_read_again_after_closing(full: Workspace, folder: Path) -> None:
    head = full.ledger.head
    full.close()
    with Workspace.open(folder) as again:
        assert again.ledger.head == head
        assert again.ledger.verify().ok
