"""Releases are whole, never changed, and one of them answers."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.records import Promotion, ReleaseRecord
from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"


def publish(workspace: Workspace, model: bytes = b"graph", *, promote: bool = True) -> ReleaseRecord:
    return workspace.releases.publish(
        {"model.onnx": model, "card.md": b"# Card"},
        manifest={"format": 1, "metrics": {"roc_auc": 0.8, "ece": float("nan")}},
        dataset_sha="d" * 64,
        run_id="run_000001",
        promote=promote,
    )


def refused(workspace: Workspace, number: int) -> SkiffError:
    with pytest.raises(SkiffError) as caught:
        workspace.releases.verify(number)
    return caught.value


def test_a_release_has_its_number_hashes_and_read_only_files(workspace: Workspace) -> None:
    record = publish(workspace)
    manifest = workspace.releases.read_manifest(1)
    assert record.path == workspace.root / ".skiff" / "releases" / "0001"
    assert manifest["number"] == 1
    assert manifest["created"] == AT
    assert manifest["dataset_sha256"] == "d" * 64
    assert manifest["metrics"] == {"roc_auc": 0.8, "ece": None}
    assert set(manifest["files"]) == {"model.onnx", "card.md"}  # type: ignore[arg-type]  # a table
    assert {stat.S_IMODE(path.stat().st_mode) for path in record.path.iterdir()} == {0o444}
    assert record.size_bytes == sum(path.stat().st_size for path in record.path.iterdir())
    assert workspace.releases.verify(1) == record == workspace.releases.list()[0]
    assert workspace.releases.read_file(1, "model.onnx") == b"graph"


def test_numbers_rise_and_are_never_used_twice(workspace: Workspace) -> None:
    assert [publish(workspace).number for _ in range(3)] == [1, 2, 3]
    (workspace.root / ".skiff" / "releases" / "0007").mkdir()
    assert publish(workspace).number == 8


def test_promotions_form_a_stack(workspace: Workspace) -> None:
    releases = workspace.releases
    assert releases.champion() is None
    for _ in range(3):
        publish(workspace)
    assert publish(workspace, promote=False).is_champion is False
    assert releases.champion() == 3
    assert [record.is_champion for record in releases.list()] == [False, False, True, False]
    assert releases.rollback() == Promotion(number=2, previous=3)
    assert releases.promote(4) == Promotion(number=4, previous=2)
    assert releases.promote(4) == Promotion(number=4, previous=4)
    assert releases.rollback() == Promotion(number=2, previous=4)
    assert releases.rollback() == Promotion(number=1, previous=2)
    with pytest.raises(SkiffError) as caught:
        releases.rollback()
    assert caught.value.code == "nothing_to_roll_back"
    assert releases.champion() == 1


def test_rolling_back_where_nothing_was_promoted_is_refused(workspace: Workspace) -> None:
    with pytest.raises(SkiffError, match="nothing to go back to"):
        workspace.releases.rollback()


def test_an_unknown_release_or_file_lists_what_there_is(workspace: Workspace) -> None:
    publish(workspace)
    with pytest.raises(SkiffError) as caught:
        workspace.releases.promote(9)
    assert caught.value.code == "release_not_found"
    assert "The releases are: 1." in caught.value.fix
    with pytest.raises(SkiffError) as caught:
        workspace.releases.read_file(1, "../../catalog.db")
    assert caught.value.code == "release_file_not_found"


@pytest.mark.parametrize("name", ["model.onnx", "card.md", "manifest.json"])
def test_a_changed_or_missing_file_is_named_and_not_promoted(workspace: Workspace, name: str) -> None:
    publish(workspace)
    publish(workspace)
    path = workspace.root / ".skiff" / "releases" / "0001" / name
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    error = refused(workspace, 1)
    assert error.code == "release_damaged"
    assert error.where["file"] == str(path)
    with pytest.raises(SkiffError, match=name):
        workspace.releases.promote(1)
    with pytest.raises(SkiffError, match=name):
        workspace.releases.rollback()
    assert workspace.releases.champion() == 2
    path.unlink()
    assert f"{name} is missing" in refused(workspace, 1).what


def test_a_file_that_was_put_in_is_named(workspace: Workspace) -> None:
    record = publish(workspace)
    (record.path / "extra.pkl").write_bytes(b"x")
    assert "extra.pkl does not belong" in refused(workspace, 1).what


def test_a_damaged_file_is_never_read(workspace: Workspace) -> None:
    record = publish(workspace)
    (record.path / "model.onnx").chmod(0o600)
    (record.path / "model.onnx").write_bytes(b"graqh")
    with pytest.raises(SkiffError) as caught:
        workspace.releases.read_file(1, "model.onnx")
    assert caught.value.code == "release_damaged"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "manifest.json", "a\0"])
def test_a_file_name_that_leaves_the_folder_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        workspace.releases.publish({name: b""}, manifest={}, dataset_sha="", run_id=None, promote=False)
    assert workspace.releases.list() == ()


def test_a_release_whose_recording_fails_is_taken_back(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SkiffError("disk_full", what="There is no room left.", fix="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(workspace._catalog, "insert", refuse)
        with pytest.raises(SkiffError):
            publish(workspace)
    assert list((workspace.root / ".skiff" / "releases").iterdir()) == []
    assert list((workspace.root / ".skiff" / "tmp").iterdir()) == []
    assert publish(workspace).number == 1


def test_a_whole_release_that_was_not_recorded_is_adopted_but_not_promoted(workspace: Workspace, folder: Path) -> None:
    record = publish(workspace)
    place = record.path.with_name("0002")
    place.mkdir()
    manifest = json.loads((record.path / "manifest.json").read_bytes())
    del manifest["signed_by"]  # as releases were before they were signed
    for name in manifest["files"]:
        (place / name).write_bytes((record.path / name).read_bytes())
    (place / "manifest.json").write_text(json.dumps({**manifest, "number": 2}))
    (record.path.with_name("0003")).mkdir()
    (record.path.with_name("0003") / "manifest.json").write_text(json.dumps(manifest))
    workspace.close()
    with Workspace.open(folder) as again:
        assert again.sweep.adopted_releases == (2,)
        assert again.releases.champion() == 1
        again.releases.verify(2)
        assert publish(again).number == 4
