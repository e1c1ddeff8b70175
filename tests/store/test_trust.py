"""A release bears the workspace's signature, and is not loaded where that is not so."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.bundle_check import verify_ed25519
from skiff.store.catalog import seal_row
from skiff.store.champion import ReleaseShelf
from skiff.store.trust import SIGNATURE_FILE, find_signature_fault, read_trusted
from skiff.store.workspace import Workspace


@pytest.fixture
def own(workspace: Workspace) -> Path:
    for model in (b"graph", b"newer graph"):
        workspace.releases.publish(
            {"model.onnx": model}, manifest={"metrics": {}}, dataset_sha="d" * 64, run_id=None, promote=True
        )
    return workspace.root / ".skiff"


def replace_file(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def forge(own: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Change a manifest, and the catalog that remembers its hash: all that somebody without the key can do."""
    path = own / "releases" / "0001" / "manifest.json"
    manifest = json.loads(path.read_bytes())
    change(manifest)
    document = json.dumps(manifest).encode()
    replace_file(path, document)
    with sqlite3.connect(own / "catalog.db") as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM release WHERE number = 1").fetchone())
        row["manifest_sha256"] = hashlib.sha256(document).hexdigest()
        connection.execute(
            "UPDATE release SET manifest_sha256 = ?, seal = ? WHERE number = 1", (row["manifest_sha256"], seal_row(row))
        )
    connection.close()


def codes(workspace: Workspace, own: Path) -> set[str]:
    """Return what every way to load a release says."""
    found = set()
    ways: list[Callable[[], object]] = [
        lambda: workspace.releases.verify(1),
        lambda: workspace.releases.read_file(1, "model.onnx"),
        lambda: ReleaseShelf(own).read_release(1),
    ]
    for way in ways:
        try:
            way()
        except SkiffError as error:
            found.add(error.code)
        else:
            found.add("loaded")
    return found


def test_a_release_is_signed_with_the_workspaces_key(workspace: Workspace, own: Path) -> None:
    kept = json.loads((own / "releases" / "0001" / SIGNATURE_FILE).read_bytes())
    document = (own / "releases" / "0001" / "manifest.json").read_bytes()
    assert verify_ed25519(bytes.fromhex(kept["public_key"]), document, bytes.fromhex(kept["signature"]))
    assert read_trusted(own) == (kept["public_key"],) == (json.loads(document)["signed_by"],)
    assert codes(workspace, own) == {"loaded"}


def test_who_can_change_everything_but_has_no_key_cannot_make_a_release_load(workspace: Workspace, own: Path) -> None:
    forge(own, lambda manifest: manifest.update(threshold=0.01))
    assert codes(workspace, own) == {"release_damaged"}


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"public_key": "zz", "signature": "00"}', None])
def test_a_signature_that_is_missing_or_garbled_refuses_the_release(
    workspace: Workspace, own: Path, text: bytes | None
) -> None:
    path = own / "releases" / "0001" / SIGNATURE_FILE
    if text is None:
        path.unlink()
    else:
        replace_file(path, text)
    assert codes(workspace, own) == {"release_damaged"}


def test_the_signature_of_another_release_or_another_key_does_not_count(
    workspace: Workspace, own: Path, tmp_path: Path
) -> None:
    path = own / "releases" / "0001" / SIGNATURE_FILE
    replace_file(path, (own / "releases" / "0002" / SIGNATURE_FILE).read_bytes())
    assert codes(workspace, own) == {"release_damaged"}
    with Workspace.open(tmp_path / "stranger", create=True) as stranger:
        stranger.releases.publish(
            {"model.onnx": b"graph"}, manifest={}, dataset_sha="d" * 64, run_id=None, promote=True
        )
        replace_file(path, stranger.releases.read_signature(1) or b"")
    assert codes(workspace, own) == {"release_damaged"}


def test_releases_from_before_there_were_signatures_still_load(workspace: Workspace, own: Path) -> None:
    forge(own, lambda manifest: manifest.pop("signed_by"))
    (own / "releases" / "0001" / SIGNATURE_FILE).unlink()
    assert codes(workspace, own) == {"loaded"}
    assert workspace.releases.read_signature(1) is None


def test_without_a_key_there_is_nothing_to_compare_with(own: Path) -> None:
    (own / "keys" / "trusted.json").unlink()
    assert find_signature_fault(b"{}", own / "releases" / "0001", own=own) is None


@pytest.mark.parametrize("text", ["{", "[1]", '["zz"]', '["00"]', '{"a": 1}'])
def test_a_garbled_list_of_keys_is_told(own: Path, text: str) -> None:
    replace_file(own / "keys" / "trusted.json", text.encode())
    with pytest.raises(SkiffError) as caught:
        read_trusted(own)
    assert caught.value.code == "signing_key_damaged"
