"""The catalog: tables from migrations, damage told, newer versions refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from skiff.core.errors import SkiffError
from skiff.store.catalog import KNOWN_REVISIONS, REVISION, Catalog
from skiff.store.schema import DATASET, METADATA
from skiff.store.upgrade import open_migrations
from skiff.store.workspace import Workspace


def test_migrations_build_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / "catalog.db")
    with catalog.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    catalog.close()


def test_the_code_knows_every_migration() -> None:
    script = open_migrations()
    assert script.get_current_head() == REVISION
    assert sorted(KNOWN_REVISIONS) == sorted(step.revision for step in script.walk_revisions())


def test_every_migration_can_be_undone(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / "catalog.db")
    with catalog.write() as connection, Operations.context(MigrationContext.configure(connection)):
        for step in open_migrations().walk_revisions():
            step.module.downgrade()
    with catalog.read() as connection:
        left = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    assert left == ["alembic_version"]
    catalog.close()


def test_opening_again_does_not_load_the_migrations(folder: Path) -> None:
    Workspace.open(folder, create=True).close()
    code = (
        "import sys; from skiff.store.workspace import Workspace\n"
        f"Workspace.open({str(folder)!r}).close()\n"
        "heavy = {'alembic', 'polars', 'numpy', 'sklearn', 'lightgbm', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_catalog_of_a_newer_skiff_is_refused_and_left(workspace: Workspace, folder: Path) -> None:
    workspace.close()
    path = folder / ".skiff" / "catalog.db"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SkiffError) as caught:
        Workspace.open(folder)
    assert caught.value.code == "workspace_newer"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "junk", [b"this is not a database, only some words" * 50, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_catalog_that_is_none_is_told_with_a_way_out(workspace: Workspace, folder: Path, junk: bytes) -> None:
    workspace.close()
    (folder / ".skiff" / "catalog.db").write_bytes(junk)
    with pytest.raises(SkiffError) as caught:
        Workspace.open(folder)
    assert caught.value.code == "catalog_damaged"
    assert "backup" in caught.value.fix


def test_the_way_out_works_releases_are_found_again(workspace: Workspace, folder: Path) -> None:
    for n in range(2):
        workspace.releases.publish(
            {"model.onnx": bytes([n])}, manifest={"format": 1}, dataset_sha="0" * 64, run_id=None, promote=True
        )
    workspace.close()
    (folder / ".skiff" / "catalog.db").unlink()
    with Workspace.open(folder) as again:
        assert again.sweep.adopted_releases == (1, 2)
        assert again.releases.champion() is None
        assert again.releases.read_file(2, "model.onnx") == b"\x01"
        again.releases.promote(2)
        assert again.verify().ok


def test_a_changed_record_is_noticed_when_it_is_read(workspace: Workspace, folder: Path) -> None:
    workspace.add_dataset(
        b"table", name="a.csv", source_sha256="0" * 64, rows=3, columns=2, reading={}, provenance={}, kinds={}
    )
    connection = sqlite3.connect(folder / ".skiff" / "catalog.db")
    connection.execute("UPDATE dataset SET rows = 4")
    connection.commit()
    connection.close()
    with pytest.raises(SkiffError, match="'dataset'"):
        workspace.datasets.list()
    assert [problem.code for problem in workspace.verify().problems] == ["catalog_damaged"]


def test_another_database_is_used_where_the_settings_name_one(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "skiff.toml").write_text(f'[store]\ndatabase = "sqlite:///{tmp_path}/shared.db"\nobjects = "../big"\n')
    with Workspace.open(folder, create=True) as workspace:
        record = workspace.add_dataset(
            b"table", name="a.csv", source_sha256="0" * 64, rows=3, columns=2, reading={}, provenance={}, kinds={}
        )
    assert (tmp_path / "shared.db").is_file()
    assert not (folder / ".skiff" / "catalog.db").exists()
    assert (tmp_path / "big" / record.sha256[:2]).is_dir()
    with Workspace.open(folder) as again:
        assert again.datasets.read_parquet("a.csv") == b"table"


@pytest.mark.parametrize("database", ["not an address", "nosuchdb://ada:secret@host/x"])
def test_a_database_address_that_is_none_is_refused_without_showing_it(folder: Path, database: str) -> None:
    folder.mkdir()
    (folder / "skiff.toml").write_text(f'[store]\ndatabase = "{database}"\n')
    with pytest.raises(SkiffError) as caught:
        Workspace.open(folder)
    assert caught.value.code == "setting_bad_value"
    assert "secret" not in str(caught.value)


def test_nothing_of_a_failed_change_is_kept(workspace: Workspace) -> None:
    catalog = workspace._catalog

    def fail_half_way() -> None:
        with catalog.write() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    with catalog.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISION
        assert catalog.fetch(connection, select(DATASET), DATASET) == []
