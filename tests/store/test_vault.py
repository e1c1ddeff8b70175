"""What opens an encrypted workspace, what does not, and where a secret may lie."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.core.settings import decode_settings
from skiff.flows import encryption
from skiff.flows.workspace import make_workspace
from skiff.store import memory
from skiff.store import vault as vaults
from skiff.store.pieces import iterate_csv_pieces
from skiff.store.secret import OFFER, Offer, make_key_file, read_key_file, read_passphrase
from skiff.store.workspace import Workspace

PASSPHRASE = "five words that do not belong"
OTHER = "another handful of long words"
AT = "2026-03-01T09:00:00.000000Z"


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the passphrase, and stretch it cheaply: that it costs what it must is another test's."""
    for name in ("SKIFF_PASSPHRASE_FILE", "SKIFF_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SKIFF_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(vaults, "SCRYPT_N", 1 << 10)
    yield
    assert Offer() == OFFER.get()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an encrypted workspace with a record."""
    folder = tmp_path / "w"
    make_workspace(folder, encrypt=True)
    with Workspace.open(folder) as workspace:
        workspace.ledger.append("check", subject="orders.csv", result={"rows": 3}, at=AT)
    return folder


def open_code(folder: Path) -> str:
    """Return the code with which opening is refused."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SkiffError) as caught:
        Workspace.open(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return caught.value.code


def test_a_new_key_costs_what_owasp_asks_of_scrypt(tmp_path: Path) -> None:
    vaults.SCRYPT_N, cheap = 1 << 17, vaults.SCRYPT_N
    slot = vaults.wrap_by_passphrase(bytes(32), PASSPHRASE)
    vaults.SCRYPT_N = cheap
    assert (slot["kdf"], slot["n"], slot["r"], slot["p"], len(slot["salt"])) == ("scrypt", 131_072, 8, 1, 64)
    assert bytes(32).hex() not in json.dumps(slot)
    del tmp_path


def test_the_passphrase_opens_and_another_changes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Workspace.open(root) as workspace:
        assert [record.action for record in workspace.ledger.records()] == ["encrypt", "check"]
    monkeypatch.setenv("SKIFF_PASSPHRASE", OTHER)
    assert open_code(root) == "wrong_passphrase"
    monkeypatch.delenv("SKIFF_PASSPHRASE")
    assert open_code(root) == "passphrase_missing"


def test_the_same_letters_typed_otherwise_are_the_same_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKIFF_PASSPHRASE", "fünf lange Wörter")
    make_workspace(tmp_path / "w", encrypt=True)
    monkeypatch.setenv("SKIFF_PASSPHRASE", "fu\u0308nf lange Wo\u0308rter")
    Workspace.open(tmp_path / "w").close()


def test_a_short_passphrase_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKIFF_PASSPHRASE", "secret")
    with pytest.raises(SkiffError, match="at least 15") as caught:
        make_workspace(tmp_path / "w", encrypt=True)
    assert caught.value.code == "passphrase_short"
    assert not (tmp_path / "w").exists()


def test_a_person_is_asked_twice_for_a_new_passphrase_and_once_for_one_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKIFF_PASSPHRASE")
    asked: list[str] = []

    def answer(*given: str) -> Offer:
        answers = iter(given)
        return Offer(ask=lambda question: asked.append(question) or next(answers))  # type: ignore[func-returns-value]

    token = OFFER.set(answer(PASSPHRASE, OTHER))
    try:
        with pytest.raises(SkiffError) as caught:
            make_workspace(tmp_path / "w", encrypt=True)
        assert caught.value.code == "passphrase_differs"
        OFFER.set(answer(PASSPHRASE, PASSPHRASE))
        make_workspace(tmp_path / "w", encrypt=True)
        OFFER.set(answer(PASSPHRASE))
        Workspace.open(tmp_path / "w").close()
    finally:
        OFFER.reset(token)
    assert [question.partition(" for ")[0].partition(" of ")[0] for question in asked] == [
        "New passphrase", "The same again", "New passphrase", "The same again", "Passphrase",
    ]  # fmt: skip


def test_a_key_file_opens_too_and_its_slot_can_be_dropped(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = encryption.add_key_file(root, tmp_path / "stick.key")
    assert made["opened_by"] == ["passphrase", f"key file {made['name']}"]
    assert (tmp_path / "stick.key").stat().st_mode & 0o777 == 0o600
    monkeypatch.delenv("SKIFF_PASSPHRASE")
    monkeypatch.setenv("SKIFF_KEY_FILE", str(tmp_path / "stick.key"))
    Workspace.open(root).close()
    with pytest.raises(SkiffError) as caught:
        encryption.drop_slot(root, "nothing")
    assert caught.value.code == "slot_not_found"
    assert encryption.drop_slot(root, "passphrase")["opened_by"] == [f"key file {made['name']}"]
    with pytest.raises(SkiffError) as caught:
        encryption.drop_slot(root, made["name"])
    assert caught.value.code == "slot_last"
    make_key_file(tmp_path / "other.key", root=root)
    monkeypatch.setenv("SKIFF_KEY_FILE", str(tmp_path / "other.key"))
    assert open_code(root) == "wrong_key_file"


def test_the_setting_names_the_key_file_of_a_new_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SKIFF_PASSPHRASE")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "skiff.toml").write_text(f'[store]\nencrypt = true\nkey_file = "{tmp_path}/w.key"\n')
    for _ in range(2):  # made at the first opening, found at the second
        with Workspace.open(tmp_path / "w", create=True) as workspace:
            assert workspace.box.cipher is not None
    (tmp_path / "w.key").unlink()
    assert open_code(tmp_path / "w") == "file_unusable"


@pytest.mark.parametrize("read", [read_key_file, read_passphrase])
def test_a_secret_in_the_workspace_or_open_to_others_is_refused(read: object, root: Path, tmp_path: Path) -> None:
    def code(path: Path) -> str:
        with pytest.raises(SkiffError) as caught:
            read(path, root=root)  # type: ignore[operator]
        return caught.value.code

    outside = tmp_path / "secret"
    outside.write_text("")
    outside.chmod(0o600)
    assert code(outside) in {"key_file_unknown", "passphrase_empty"}
    outside.chmod(0o640)
    assert code(outside) == "secret_exposed"
    inside = root / "secret"
    inside.touch(mode=0o600)
    assert code(inside) == "secret_exposed"
    link = tmp_path / "link"
    link.symlink_to(inside)
    assert code(link) == "secret_exposed"
    assert code(tmp_path) == "key_file_unknown"
    with pytest.raises(SkiffError, match="inside the workspace"):
        make_key_file(root / "new.key", root=root)


def test_changing_the_passphrase_rewraps_and_touches_nothing_else(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new"
    new.write_text(f"{OTHER}\n")
    new.chmod(0o600)
    own = root / ".skiff"
    before = (json.loads((own / "vault.json").read_bytes())["key"], (own / "ledger.head").read_bytes())
    encryption.change_passphrase(root, new_file=new)
    assert (json.loads((own / "vault.json").read_bytes())["key"], (own / "ledger.head").read_bytes()) == before
    assert open_code(root) == "wrong_passphrase"
    monkeypatch.delenv("SKIFF_PASSPHRASE")
    monkeypatch.setenv("SKIFF_PASSPHRASE_FILE", str(new))
    Workspace.open(root).close()


@pytest.mark.parametrize("change", ["{", '{"format": 1}', "n", "wrapped", "state"])
def test_a_vault_that_was_changed_opens_nothing(root: Path, change: str) -> None:
    path = root / ".skiff" / "vault.json"
    found = json.loads(path.read_bytes())
    if change == "n":
        found["slots"][0]["n"] = 1 << 40  # a guess that would take all memory
    elif change == "wrapped":
        found["slots"][0]["wrapped"] = "00" + found["slots"][0]["wrapped"][2:]
    elif change == "state":
        found["state"] = "rotating"
    path.write_text(json.dumps(found) if change in {"n", "wrapped", "state"} else change)
    assert open_code(root) in {"vault_damaged", "wrong_passphrase", "encryption_unfinished"}


def test_a_workspace_whose_vault_is_gone_is_not_taken_for_a_plain_one(root: Path) -> None:
    (root / ".skiff" / "vault.json").unlink()
    assert open_code(root) == "not_encrypted_yet"


def test_a_plain_workspace_is_not_encrypted_by_a_setting(tmp_path: Path) -> None:
    make_workspace(tmp_path / "w")
    with pytest.raises(SkiffError, match="skiff encrypt") as caught:
        make_workspace(tmp_path / "w", encrypt=True)
    assert caught.value.code == "not_encrypted_yet"
    assert not (tmp_path / "w" / ".skiff" / "vault.json").exists()


@pytest.mark.parametrize(
    "text", ['[store]\npassphrase = "x"', '[store]\nkey = "x"', 'Password = "x"', '[serving]\nsecret = "x"']
)
def test_a_secret_in_the_settings_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(SkiffError) as caught:
        decode_settings(text)
    assert caught.value.code == "secret_in_settings"
    assert '"x"' not in str(caught.value)


def test_files_are_bound_to_their_workspace_and_their_name(root: Path, tmp_path: Path) -> None:
    with Workspace.open(root) as workspace:
        first, second = workspace.objects.put(b"one" * 99), workspace.objects.put(b"two" * 99)
        assert list(workspace.objects.list()) == sorted([first, second]) or set(workspace.objects.list()) == {
            first,
            second,
        }
        shutil.copy(workspace.objects.path(second), workspace.objects.path(first))
        with pytest.raises(SkiffError, match="belongs under another name"):
            workspace.objects.get(first)
        check = workspace.verify()
    assert [problem.code for problem in check.problems] == ["encrypted_damaged"]
    make_workspace(tmp_path / "v", encrypt=True)
    shutil.copy(tmp_path / "v" / ".skiff" / "ledger.head", root / ".skiff" / "ledger.head")
    with Workspace.open(root) as workspace:
        assert not workspace.ledger.verify().ok


def test_a_file_in_the_making_lies_in_memory_and_never_on_the_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not memory.is_in_memory(memory.MEMORY):
        pytest.skip("this machine has no /dev/shm in memory")
    with Workspace.open(root) as workspace:
        with workspace.objects.stage(suffix=".parquet") as place:
            assert place.is_relative_to(memory.MEMORY)
            assert place.parent.stat().st_mode & 0o777 == 0o700
            place.write_bytes(b"rows" * 999)
            sha256 = workspace.objects.put(place)
        assert not place.parent.exists()
        assert workspace.objects.get(sha256) == b"rows" * 999
        source = root.parent / "many.csv"
        source.write_text("a,b\n1,2\n3,4\n")
        for piece in iterate_csv_pieces(source, header_rows=1, private=workspace.objects.private):
            assert piece.is_relative_to(memory.MEMORY)
        left = Path(
            tempfile.mkdtemp(prefix=memory._name(workspace.objects.root), dir=memory.MEMORY)
        )  # a killed process's
    with Workspace.open(root) as workspace:
        assert workspace.sweep.leftovers == 1
        assert not left.exists()
        monkeypatch.setattr(memory, "MEMORY", root.parent)
        with pytest.raises(SkiffError) as caught, workspace.objects.stage():
            pass
    assert caught.value.code == "no_private_memory"
