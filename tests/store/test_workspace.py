"""A workspace is opened, shared, swept and refused with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace


def refuse(folder: Path) -> SkiffError:
    with pytest.raises(SkiffError) as caught:
        Workspace.open(folder)
    return caught.value


def test_a_new_workspace_is_private_explained_and_not_for_repositories(folder: Path) -> None:
    before = os.umask(0)
    try:
        with Workspace.open(folder, create=True) as workspace:
            workspace.ledger.append("check", subject="x", result={}, at=now_utc())
            workspace.write_report("report.html", b"<p>")
            workspace.releases.publish({"a": b""}, manifest={}, dataset_sha="", run_id=None, promote=True)
            modes = {path: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    finally:
        os.umask(before)
    assert modes[folder / "skiff.toml"] == 0o600
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o444 if "releases" in path.parts else 0o600), path
    assert (folder / ".skiff" / ".gitignore").read_text() == "*\n"


def test_a_workspace_below_folders_that_are_not_there_is_made(tmp_path: Path) -> None:
    with Workspace.open(str(tmp_path / "a" / "b"), create=True) as workspace:
        assert workspace.describe().datasets == 0


def test_a_missing_folder_says_how_to_make_one(tmp_path: Path) -> None:
    error = refuse(tmp_path / "nothing")
    assert error.code == "workspace_not_found"
    assert "skiff init" in error.fix


def test_another_folder_or_a_file_is_no_workspace(tmp_path: Path) -> None:
    assert refuse(tmp_path).code == "not_a_workspace"
    (tmp_path / "a.csv").write_text("a\n1\n")
    error = refuse(tmp_path / "a.csv")
    assert error.code == "not_a_workspace"
    assert "is a file" in error.what
    assert not (tmp_path / ".skiff").exists()


def test_a_file_in_the_way_of_the_folders_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(SkiffError) as caught:
        Workspace.open(tmp_path / "a" / "b", create=True)
    assert caught.value.code == "file_unusable"


def test_settings_alone_make_a_workspace_as_after_a_clone(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text('[task]\ntarget = "x"\n')
    with Workspace.open(tmp_path) as workspace:
        assert workspace.settings.task.target == "x"


def test_a_mistake_in_the_settings_is_told_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text("[train]\nbudget = 3\n")
    assert refuse(tmp_path).code == "setting_unknown"
    assert not (tmp_path / ".skiff").exists()


def test_settings_are_read_again_on_request(workspace: Workspace) -> None:
    (workspace.root / "skiff.toml").write_text("[train]\nseed = 7\n")
    assert workspace.settings.train.seed == 0
    assert workspace.reload_settings().train.seed == 7


def test_an_address_of_another_machine_for_objects_is_refused(tmp_path: Path) -> None:
    (tmp_path / "skiff.toml").write_text('[store]\nobjects = "s3://bucket"\n')
    assert refuse(tmp_path).where["setting"] == "store.objects"


def test_leftovers_of_a_killed_process_are_swept_but_not_while_another_is_open(
    workspace: Workspace, folder: Path
) -> None:
    places = [folder, folder / ".skiff", folder / ".skiff" / "tmp", folder / ".skiff" / "objects"]
    for place in places:
        (place / ".skiff-tmp-00").write_bytes(b"half")
    with Workspace.open(folder) as other:
        assert other.sweep.leftovers == 0
    workspace.close()
    with Workspace.open(folder) as again:
        assert again.sweep.leftovers == 4
    assert not list(folder.rglob(".skiff-tmp-*"))


def test_a_second_writer_is_told_who_works_there(workspace: Workspace, folder: Path) -> None:
    with workspace.lock("run"), Workspace.open(folder) as other:
        with pytest.raises(SkiffError) as caught, other.lock("run"):
            pytest.fail("the lock was given twice")
        assert caught.value.code == "workspace_busy"
        assert f"'run' by {workspace.actor}, process {os.getpid()}, since 2026-03-01" in caught.value.what
        with pytest.raises(SkiffError):
            other.releases.publish({"a": b""}, manifest={}, dataset_sha="", run_id=None, promote=True)
        assert other.releases.list() == ()  # reading goes on
    with Workspace.open(folder) as other, other.lock("run"):
        pass


def test_a_holder_may_take_its_own_lock_again(workspace: Workspace) -> None:
    with workspace.lock("run"):
        with workspace.lock("release"):
            pass
        workspace.releases.publish({"a": b""}, manifest={}, dataset_sha="", run_id=None, promote=True)
    assert workspace.releases.champion() == 1


def test_a_report_is_replaced_whole_and_stays_in_its_folder(workspace: Workspace) -> None:
    workspace.write_report("report.html", b"one")
    assert workspace.write_report("report.html", b"two").read_bytes() == b"two"
    for name in ("../x", "", "..", "a/b"):
        with pytest.raises(ValueError, match="not a name"):
            workspace.write_report(name, b"")


def test_everything_is_checked_at_once(workspace: Workspace) -> None:
    kept = workspace.objects.put(b"one")
    workspace.objects.put(b"two")
    record = workspace.releases.publish({"a": b"1"}, manifest={}, dataset_sha="", run_id=None, promote=True)
    assert workspace.verify().ok
    workspace.objects.path(kept).write_bytes(b"onf")
    (record.path / "a").chmod(0o600)
    (record.path / "a").write_bytes(b"2")
    check = workspace.verify()
    assert not check.ok
    assert [problem.code for problem in check.problems] == ["object_damaged", "release_damaged"]


def test_the_door_is_quick_to_open() -> None:
    code = (
        "import sys; import skiff.store.settings, skiff.store.files\n"
        "print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
