"""The catalog on PostgreSQL, by the same code. Needs the extra ``postgres`` and a server to play with.

Set ``SKIFF_POSTGRES_URL`` to run it, e.g. ``postgresql+psycopg://skiff@127.0.0.1:5432/skiff_test``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"
ROUNDS = 20

WRITE = """
import sys
from skiff.store.workspace import Workspace
with Workspace.open(sys.argv[1]) as workspace:
    for n in range(int(sys.argv[2])):
        workspace.ledger.append("check", subject="x", result={"n": n}, at="2026-03-01T09:00:00.000000Z")
        workspace.count_look("d" * 64, "s" * 64)
        workspace.finish_run(workspace.start_run("run"))
"""


def test_a_workspace_on_postgresql_works_like_any_other(tmp_path: Path, database: str) -> None:
    (tmp_path / "skiff.toml").write_text(f'[store]\ndatabase = "{database}"\n')
    with Workspace.open(tmp_path, create=True) as workspace:
        record = workspace.add_dataset(
            b"1", name="a.csv", source_sha256="0" * 64, rows=1, columns=1, reading={}, provenance={}, kinds={}
        )
        workspace.ledger.append("data.add", subject=record.id, result={"auc": 0.1}, at=AT)
        for _ in range(2):
            workspace.releases.publish(
                {"evidence.jsonl": workspace.ledger.export()},
                manifest={},
                dataset_sha=record.sha256,
                run_id=None,
                promote=True,
            )
        assert workspace.releases.rollback().number == 1
    command = [sys.executable, "-W", "error", "-c", WRITE, str(tmp_path), str(ROUNDS)]
    writers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    with Workspace.open(tmp_path) as workspace:
        assert workspace.verify().problems == ()
        assert workspace.releases.champion() == 1
        assert workspace.ledger.verify().n == 1 + 2 * ROUNDS
        assert workspace.runs.read_looks("d" * 64, "s" * 64) == 2 * ROUNDS
        assert len(workspace.runs.list()) == 2 * ROUNDS


def test_a_database_without_its_driver_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    (tmp_path / "skiff.toml").write_text('[store]\ndatabase = "postgresql+psycopg://ada:secret@127.0.0.1:1/x"\n')
    with pytest.raises(SkiffError) as caught:
        Workspace.open(tmp_path)
    assert caught.value.code == "extra_missing"
    assert "skiff-ml[postgres]" in caught.value.fix
