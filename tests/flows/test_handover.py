"""What the client receives can be checked without us, and shows every change."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.flows.conclude import RunOutcome
from skiff.flows.give import give_release
from skiff.flows.handover import HandoverOutcome, hand_over
from skiff.flows.verify import verify_bundle
from skiff.store.bundle_check import INDEX, SIGNATURE, fingerprint, verify_ed25519

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def bundle(finished: tuple[RunOutcome, Path], tmp_path_factory: pytest.TempPathFactory) -> HandoverOutcome:
    return hand_over(finished[1], tmp_path_factory.mktemp("given") / "handover.zip", with_page=False)


def _unpack(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _pack(files: Files, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_bundle_holds_what_the_client_needs_and_none_of_the_rows(bundle: HandoverOutcome) -> None:
    files = _unpack(bundle.path)
    assert {
        "model.onnx", "manifest.json", "report.html", "report.pdf", "card.md", "datasheet.json", "ledger.jsonl", "golden.json",
        "README.md", "verify.py", "predict.py", "ci/github-actions.yml", "ci/gitlab-ci.yml", INDEX, SIGNATURE,
    } <= set(files)  # fmt: skip
    everything = b"".join(files.values())
    assert b"B100000" not in everything  # a booking number of the table
    assert bundle.fingerprint.encode() in files["README.md"]
    assert files["report.pdf"].startswith(b"%PDF")


def test_the_same_release_gives_the_same_bytes(
    bundle: HandoverOutcome, finished: tuple[RunOutcome, Path], tmp_path: Path
) -> None:
    again = hand_over(finished[1], tmp_path / "again.zip", with_page=False)
    assert again.path.read_bytes() == bundle.path.read_bytes()


def test_the_check_inside_needs_no_skiff(bundle: HandoverOutcome, tmp_path: Path) -> None:
    (tmp_path / "verify.py").write_bytes(_unpack(bundle.path)["verify.py"])
    said = subprocess.run(
        [sys.executable, "-I", "verify.py", str(bundle.path), "--key", bundle.fingerprint, "--json"],
        cwd=tmp_path, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False,
    )  # fmt: skip
    found = json.loads(said.stdout)
    assert said.returncode == 0
    assert found["ok"]
    assert {item["check"]: item["ok"] for item in found["checks"]} == {
        "signature": True, "key": True, "files": True, "ledger": True, "model": True, "answers": True,
    }  # fmt: skip


def test_skiff_says_the_same(bundle: HandoverOutcome) -> None:
    found = verify_bundle(bundle.path)
    assert found.is_whole
    assert [item.ok for item in found.checks if item.check == "key"] == [None]
    assert not verify_bundle(bundle.path, key="0000").is_whole


def _change(name: str) -> Callable[[Files], Files]:
    return lambda files: {**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])}


def _drop(name: str) -> Callable[[Files], Files]:
    return lambda files: {other: data for other, data in files.items() if other != name}


def _cut(files: Files) -> Files:
    """Cut the last record of the ledger, and mend the list of hashes as someone without the key would have to."""
    return {**files, "ledger.jsonl": b"".join(files["ledger.jsonl"].splitlines(keepends=True)[:-1])}


TAMPERED = {
    "changed model": (_change("model.onnx"), "model.onnx was changed"),
    "changed report": (_change("report.html"), "report.html was changed"),
    "changed index": (
        lambda files: {**files, INDEX: files[INDEX].replace(b'"release": 1', b'"release": 2')},
        "not what",
    ),
    "changed key": (
        lambda files: {
            **files,
            SIGNATURE: json.dumps({**json.loads(files[SIGNATURE]), "public_key": "00" * 32}).encode(),
        },
        "not what",
    ),
    "dropped card": (_drop("card.md"), "card.md is missing"),
    "added file": (lambda files: {**files, "extra.txt": b"hello"}, "extra.txt was added"),
    "renamed file": (lambda files: {**_drop("card.md")(files), "card2.md": files["card.md"]}, "card.md is missing"),
    "swapped": (
        lambda files: {**files, "card.md": files["README.md"], "README.md": files["card.md"]},
        "README.md was changed",
    ),
    "cut ledger": (_cut, "ledger.jsonl was changed"),
    "no signature": (_drop(SIGNATURE), "missing or damaged"),
    "no index": (_drop(INDEX), "missing or damaged"),
}


@pytest.mark.parametrize("name", sorted(TAMPERED))
def test_every_change_is_named(bundle: HandoverOutcome, tmp_path: Path, name: str) -> None:
    spoil, said = TAMPERED[name]
    found = verify_bundle(_pack(spoil(_unpack(bundle.path)), tmp_path / "spoiled.zip"))
    assert not found.is_whole
    assert any(said in item.what for item in found.checks if item.ok is False), found.checks
    assert all(item.ok is not True for item in found.checks if item.check == "answers")


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "a/../../b", "C:evil", "a\\b", "a//b"])
def test_names_that_lead_out_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "bundle.zip").write_bytes(stream.getvalue())
    with pytest.raises(SkiffError) as caught:
        verify_bundle(inside / "bundle.zip")
    assert caught.value.code == "bundle_refused"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bundle.zip", "inside"]


def test_a_link_a_bomb_a_double_name_and_a_cut_file_are_refused(bundle: HandoverOutcome, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    made: dict[str, bytes] = {"cut.zip": bundle.path.read_bytes()[: bundle.size_bytes // 2], "text.zip": b"no zip"}
    for name, entries in {"link.zip": [(link, b"/etc/passwd")], "bomb.zip": [("zeros", bytes(50_000_000))]}.items():
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in entries:
                archive.writestr(entry, data)
        made[name] = stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"2")
    made["double.zip"] = stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("unusual", b"1")
    made["lzma.zip"] = stream.getvalue()
    with zipfile.ZipFile(bundle.path) as archive:
        entry = next(item for item in archive.infolist() if item.compress_type == zipfile.ZIP_DEFLATED)
    broken, start = bytearray(bundle.path.read_bytes()), entry.header_offset + 30 + len(entry.filename)
    broken[start : start + entry.compress_size] = b"\xff" * entry.compress_size
    made["packed.zip"] = bytes(broken)
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SkiffError) as caught:
            verify_bundle(tmp_path / name)
        assert caught.value.code == "bundle_refused", name


# RFC 8032, section 7.1, tests 2 and 3.
VECTORS = [
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_are_understood(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify_ed25519(key, text, signed)
    assert not verify_ed25519(key, text + b"!", signed)
    assert not verify_ed25519(key, text, signed[:-1] + bytes([signed[-1] ^ 1]))
    assert len(fingerprint(key).split()) == 8


def test_a_release_is_given_away_whole_with_its_page(finished: tuple[RunOutcome, Path], tmp_path: Path) -> None:
    given = give_release(finished[1], tmp_path / "given", with_page=True)
    assert {"model.onnx", "manifest.json", "index.html", "card.md"} <= {
        path.name for path in (tmp_path / "given").iterdir()
    }
    assert given.release == 1
    with pytest.raises(SkiffError) as caught:
        give_release(finished[1], tmp_path / "given")
    assert caught.value.code == "folder_not_empty"
