"""What was backed up comes back whole; what is not whole does not come back at all."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skiff.core.errors import SkiffError
from skiff.flows.backup import back_up, restore
from skiff.flows.conclude import RunOutcome
from skiff.flows.predict import open_release
from skiff.store.backups import INDEX, SIGNATURE
from skiff.store.predictions.log import open_store
from skiff.store.predictions.records import PredictionRow
from skiff.store.signing import SigningKey
from skiff.store.workspace import Workspace

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def folder(finished: tuple[RunOutcome, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(finished[1], tmp_path_factory.mktemp("kept") / "bookings")


@pytest.fixture(scope="module")
def backup(folder: Path) -> Path:
    return back_up(folder, folder.parent / "bookings.backup.zip").file


def unpack(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(files: Files, path: Path, *, key: SigningKey | None = None) -> Path:
    """Write a backup; with a key its index is made to fit, as somebody would who wants it to be put back."""
    if key is not None:
        index = json.loads(files[INDEX])
        held = {name: data for name, data in files.items() if name not in {INDEX, SIGNATURE}}
        index["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in held.items()
        }
        document = json.dumps(index).encode()
        files = {**held, INDEX: document, SIGNATURE: json.dumps(key.sign(document)).encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def list_tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(path: Path, tmp_path: Path) -> SkiffError:
    """Return what is said, having seen that nothing was written."""
    place = tmp_path / "place"
    place.mkdir(exist_ok=True)
    before = list_tree(tmp_path)
    with pytest.raises(SkiffError) as caught:
        restore(path, place / "back")
    assert list_tree(tmp_path) == before
    return caught.value


def test_a_restored_workspace_gives_the_same_predictions(folder: Path, backup: Path, tmp_path: Path) -> None:
    made = restore(backup, tmp_path / "back")
    frame = build_rows()
    (before, number), (after, again) = open_release(folder, None), open_release(tmp_path / "back", None)
    assert number == again
    assert before.answer(frame).probabilities.tolist() == after.answer(frame).probabilities.tolist()  # type: ignore[union-attr]
    with Workspace.open(tmp_path / "back") as back, Workspace.open(folder) as source:
        assert back.verify().ok
        assert [record.hash for record in back.ledger.records()[:-1]] == [
            record.hash for record in source.ledger.records()[: made.ledger_records]
        ]
        assert back.ledger.records()[-1].action == "restore"
        assert [item.sha256 for item in back.datasets.list()] == [item.sha256 for item in source.datasets.list()]


def build_rows() -> pl.DataFrame:
    return pl.DataFrame({"lead_days": [3.0, 40.0, 90.0], "price": [90.0, None, 150.0], "channel": ["web", "agency", "phone"], "breakfast": ["yes", "no", "yes"]})  # fmt: skip


def test_keys_are_in_it_only_where_asked(folder: Path, backup: Path, tmp_path: Path) -> None:
    assert [name for name in unpack(backup) if name.startswith("keys/")] == ["keys/trusted.json"]
    secret = (folder / ".skiff" / "keys" / "signing.json").read_bytes()
    assert all(secret not in data for data in unpack(backup).values())
    back_up(folder, tmp_path / "all.zip", with_keys=True)
    restore(tmp_path / "all.zip", tmp_path / "back")
    assert (tmp_path / "back" / ".skiff" / "keys" / "signing.json").read_bytes() == secret


def test_without_its_key_a_restored_workspace_still_checks_signatures_and_signs_anew(
    backup: Path, tmp_path: Path
) -> None:
    restore(backup, tmp_path / "back")
    with Workspace.open(tmp_path / "back") as back:
        back.releases.publish(
            {"model.onnx": b"graph"}, manifest={"metrics": {}}, dataset_sha="d" * 64, run_id=None, promote=False
        )
        back.releases.verify(1)
        back.releases.verify(2)
    back_up(tmp_path / "back", tmp_path / "second.zip")
    restore(tmp_path / "second.zip", tmp_path / "again")  # holds releases of two keys, and neither of the keys
    with Workspace.open(tmp_path / "again") as again:
        signature = again.root / ".skiff" / "releases" / "0001" / "signature"
        signature.unlink()
        with pytest.raises(SkiffError, match="signature is missing"):
            again.releases.verify(1)


def test_everything_put_back_is_private(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "back")
    for path in [tmp_path / "back", *(tmp_path / "back").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == (
            0o044 if "releases" in path.parts and path.is_file() else 0
        )


def test_a_backup_is_of_one_moment_while_others_write(folder: Path, tmp_path: Path) -> None:
    busy = shutil.copytree(folder, tmp_path / "busy")
    stop, written = threading.Event(), []

    def predict() -> None:
        store = open_store(busy / ".skiff")
        while not stop.is_set():
            at = 1_790_000_000_000_000 + len(written)
            store.append([build_prediction(len(written), at)])
            written.append(at)
        store.close()

    def note() -> None:
        with Workspace.open(busy) as workspace:
            while not stop.is_set():
                workspace.ledger.append("test", subject="x", result={}, at="2026-01-01T00:00:00Z")

    threads = [threading.Thread(target=work) for work in (predict, note)]
    for thread in threads:
        thread.start()
    try:
        made = [back_up(busy, tmp_path / f"{number}.zip") for number in range(3)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert written
    assert len({item.ledger_head for item in made}) == 3
    for number, item in enumerate(made):
        restore(item.file, tmp_path / f"back-{number}")  # verifies ledger, objects and releases


def build_prediction(number: int, at: int) -> PredictionRow:
    return PredictionRow(id=f"{number:024x}", at=at, release=1, role="champion")


@pytest.mark.parametrize("number", range(4))
def test_a_flipped_bit_anywhere_refuses_the_backup(backup: Path, tmp_path: Path, number: int) -> None:
    data = bytearray(backup.read_bytes())
    place = random.Random(number).randrange(len(data))
    data[place] ^= 1 << number
    path = tmp_path / "bad.zip"
    path.write_bytes(data)
    try:
        restore(path, tmp_path / "back")
    except SkiffError as error:
        assert error.code == "backup_refused"  # noqa: PT017  a flip in a field that zip readers pass over changes nothing
        assert not (tmp_path / "back").exists()
    else:
        assert unpack(path) == unpack(backup)


def test_packed_bytes_that_cannot_be_unpacked_refuse_the_backup(backup: Path, tmp_path: Path) -> None:
    """Damage inside a packed file shows in the unpacking, before any checksum is reached."""
    with zipfile.ZipFile(backup) as archive:
        packed = [entry for entry in archive.infolist() if entry.compress_type == zipfile.ZIP_DEFLATED]
    assert packed
    for entry in packed[:3]:
        data = bytearray(backup.read_bytes())
        start = entry.header_offset + 30 + len(entry.filename)
        data[start : start + entry.compress_size] = b"\xff" * entry.compress_size
        path = tmp_path / "packed.zip"
        path.write_bytes(data)
        assert refused(path, tmp_path).code == "backup_refused", entry.filename


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_backup_is_refused(backup: Path, tmp_path: Path, share: float) -> None:
    data = backup.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(data[: int(len(data) * share)])
    assert refused(path, tmp_path).code == "backup_refused"


def drop_objects(files: Files) -> None:
    for name in [name for name in files if name.startswith("objects/")]:
        del files[name]


def swap_objects(files: Files) -> None:
    first, second, *_ = (name for name in files if name.startswith("objects/"))
    files[first], files[second] = files[second], files[first]


CHANGES: dict[str, Callable[[Files], object]] = {
    "slip": lambda files: files.update({"../../evil.json": b"x"}),
    "absolute": lambda files: files.update({"/tmp/evil": b"x"}),
    "backslash": lambda files: files.update({"keys/..\\..\\evil.json": b"x"}),
    "inner": lambda files: files.update({"releases/0001/../../../evil": b"x"}),
    "stranger": lambda files: files.update({"notes.txt": b"x"}),
    "missing": drop_objects,
    "swapped": swap_objects,
    "no catalog": lambda files: files.pop("catalog.db"),
    "no catalog at all": lambda files: files.update({"catalog.db": b"not a database"}),
    "empty catalog": lambda files: files.update({"catalog.db": b""}),
    "short ledger": lambda files: files.update({"ledger.head": b"{}"}),
    "release": lambda files: files.update({"releases/0001/model.onnx": b"another"}),
    "settings": lambda files: files.update({"skiff.toml": b"[["}),
    "server": lambda files: files.update({"skiff.toml": b'[store]\ndatabase = "postgresql+psycopg://host/db"\n'}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_signed", [False, True])
def test_what_was_changed_is_refused_even_where_the_index_was_made_to_fit(
    backup: Path, tmp_path: Path, change: str, *, is_signed: bool
) -> None:
    files = unpack(backup)
    CHANGES[change](files)
    key = SigningKey(Ed25519PrivateKey.generate()) if is_signed else None
    assert refused(pack(files, tmp_path / "bad.zip", key=key), tmp_path).code == "backup_refused"
    assert not (tmp_path.parent / "evil.json").exists()


def test_settings_of_a_stranger_cannot_name_a_folder_elsewhere(backup: Path, tmp_path: Path) -> None:
    files = unpack(backup) | {"skiff.toml": f'[store]\nobjects = "{tmp_path}/elsewhere"\n'.encode()}
    restore(pack(files, tmp_path / "odd.zip", key=SigningKey(Ed25519PrivateKey.generate())), tmp_path / "back")
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_in_a_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in unpack(backup).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "skiff.toml" else 0
            archive.writestr(entry, data)
    assert refused(path, tmp_path).code == "backup_refused"


def test_another_key_than_the_one_named_is_refused(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(SkiffError, match="not with the one you named"):
        restore(backup, tmp_path / "back", key="0000 1111")
    restore(backup, tmp_path / "back", key=restore(backup, tmp_path / "other").fingerprint)


def test_a_folder_with_something_in_it_is_left_alone(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(SkiffError) as caught:
        restore(backup, tmp_path / "full")
    assert caught.value.code == "folder_not_empty"
    (tmp_path / "empty").mkdir()
    restore(backup, tmp_path / "empty")


def test_damage_is_not_backed_up_and_the_earlier_backup_stays(folder: Path, backup: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    path = next((broken / ".skiff" / "objects").glob("??/*"))
    path.chmod(0o600)
    path.write_bytes(b"rot")
    kept = shutil.copy(backup, tmp_path / "kept.zip")
    with pytest.raises(SkiffError) as caught:
        back_up(broken, Path(kept))
    assert caught.value.code == "object_damaged"
    assert Path(kept).read_bytes() == backup.read_bytes()
    assert list((broken / ".skiff" / "tmp").iterdir()) == []
