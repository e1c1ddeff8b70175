"""Encrypt a workspace that is in use, decrypt it, and look after its keys."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.store.box import PLAIN, EncryptedBox
from skiff.store.cipher import Cipher
from skiff.store.clock import now_utc
from skiff.store.conversion import Places, convert
from skiff.store.layout import SKIFF_FOLDER, find_objects_root, make_own_folders, refuse_missing
from skiff.store.locks import PresenceLock, WriterLock
from skiff.store.secret import make_key_file, read_passphrase, refuse_weak
from skiff.store.settings import read_settings, update_store
from skiff.store.tombstones import write_sidecars
from skiff.store.unlock import (
    UNFINISHED,
    VAULT_FILE,
    ask_new_passphrase,
    choose_secrets,
    describe_encryption,
    find_secrets,
)
from skiff.store.vault import (
    Secrets,
    State,
    Vault,
    build_vault,
    draw_key,
    name_file,
    open_key,
    read_vault,
    replace_slots,
    wrap_all,
    wrap_by_file,
    wrap_by_passphrase,
    write_vault,
)
from skiff.store.workspace import Workspace

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was encrypted, decrypted or given another key.

    Parameters
    ----------
    workspace : Path
    is_encrypted : bool
        How it is now.
    counts : dict
        Objects, files of releases and log rows that this call changed.
    opened_by : tuple of str
        What opens it now.
    dropped : tuple of str
        What no longer does.
    """

    workspace: Path
    is_encrypted: bool
    counts: dict[str, int]
    opened_by: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {
            "workspace": str(self.workspace),
            "encrypted": self.is_encrypted,
            **self.counts,
            "opened_by": list(self.opened_by),
            "dropped": list(self.dropped),
        }


def encrypt(folder: Path, *, tell: Tell, at: Callable[[], str] = now_utc) -> Converted:
    """Encrypt everything a workspace holds; run again after a kill, it goes on where it stopped.

    Raises
    ------
    SkiffError
        ``encrypted_already``, ``encrypt_elsewhere``, ``workspace_in_use``, ``passphrase_missing``, ``passphrase_short`` …
    """
    with _alone(folder, "encrypt") as (root, settings, places):
        vault = read_vault(places.own)
        if vault is not None and vault.state == "encrypted":
            raise SkiffError(
                "encrypted_already",
                what="This workspace is encrypted already.",
                where={"folder": str(root)},
                fix="See what opens it with `skiff vault show`; give it another key with `skiff vault rotate`.",
            )
        if vault is None:
            given = choose_secrets(root, configured=settings.store.key_file)
            key = draw_key()
            vault = build_vault(key, given, state="encrypting")
            write_vault(places.own, vault)
        else:
            key = _open(vault, root, settings, expected="encrypting")
        counts = convert(places, PLAIN, EncryptedBox(Cipher(key)), tell=tell)
        update_store(root, {"encrypt": True})
        write_vault(places.own, replace(vault, state="encrypted"))
    _note(root, is_on=True, at=at)
    return Converted(workspace=root, is_encrypted=True, counts=counts, opened_by=name_slots(vault))


def decrypt(folder: Path, *, tell: Tell, at: Callable[[], str] = now_utc) -> Converted:
    """Write everything a workspace holds as plain files again, and forget its key.

    Raises
    ------
    SkiffError
        ``not_encrypted``, ``workspace_in_use``, ``wrong_passphrase`` …
    """
    with _alone(folder, "decrypt") as (root, settings, places):
        vault = _read(places.own, root)
        key = _open(vault, root, settings, expected="decrypting")
        write_vault(places.own, replace(vault, state="decrypting"))
        counts = convert(places, EncryptedBox(Cipher(key)), PLAIN, tell=tell)
        update_store(root, {"encrypt": False})
        (places.own / VAULT_FILE).unlink()
    _note(root, is_on=False, at=at)
    return Converted(workspace=root, is_encrypted=False, counts=counts)


def rotate(folder: Path, *, tell: Tell, at: Callable[[], str] = now_utc) -> Converted:
    """Give a workspace a new key and encrypt everything with it.

    The secrets that were given open the new key; slots of others end, because nobody can wrap a key for a secret that is not there.

    Raises
    ------
    SkiffError
        ``not_encrypted``, ``workspace_in_use``, ``wrong_passphrase`` …
    """
    with _alone(folder, "rotate") as (root, settings, places):
        vault = _read(places.own, root)
        given = find_secrets(vault, root, configured=settings.store.key_file)
        path = places.own / VAULT_FILE
        _refuse_other(vault, "rotating", root)
        key = open_key(vault.slots, vault.key_id, given, path=path)
        if vault.state == "encrypted":
            new = draw_key()
            vault = replace(vault, state="rotating", next_id=Cipher(new).id.hex(), next_slots=wrap_all(new, given))
            write_vault(places.own, vault)
        else:
            new = open_key(vault.next_slots, vault.next_id, given, path=path)
        counts = convert(places, EncryptedBox(Cipher(key)), EncryptedBox(Cipher(new)), tell=tell)
        after = Vault(state="encrypted", key_id=vault.next_id, slots=vault.next_slots)
        write_vault(places.own, after)
    _note(root, is_on=True, at=at)
    dropped = tuple(name for name in name_slots(vault) if name not in name_slots(after))
    return Converted(workspace=root, is_encrypted=True, counts=counts, opened_by=name_slots(after), dropped=dropped)


def show_vault(folder: Path) -> dict[str, Any]:  # Any: a JSON document
    """Return whether a workspace is encrypted and what opens it; no key is needed for that."""
    root, _ = _find(folder)
    vault = read_vault(root / SKIFF_FOLDER)
    if vault is None:
        return {"workspace": str(root), "encrypted": False, "state": "plain", "opened_by": []}
    return {
        "workspace": str(root),
        "encrypted": True,
        "state": vault.state,
        "cipher": "AES-256-GCM",
        "key": vault.key_id,
        "opened_by": list(name_slots(vault)),
    }


def change_passphrase(folder: Path, *, new_file: Path | None = None) -> dict[str, Any]:  # Any: a JSON document
    """Let another passphrase open the workspace instead of the present one; nothing is encrypted anew.

    Raises
    ------
    SkiffError
        ``passphrase_missing``, ``passphrase_short``, ``wrong_passphrase`` …; then nothing is changed.
    """
    root, settings = _find(folder)
    own = root / SKIFF_FOLDER
    with _writing(root, "vault passphrase"):
        vault = _read(own, root)
        key = _open(vault, root, settings, expected="encrypted")
        passphrase = ask_new_passphrase(root.name) if new_file is None else read_passphrase(new_file, root=root)
        if passphrase is None:
            raise SkiffError(
                "passphrase_missing",
                what="No new passphrase was given.",
                where={"folder": str(root)},
                fix="Name a file that holds it with --new-passphrase-file, or run this at a terminal.",
            )
        refuse_weak(passphrase)
        kept = [slot for slot in vault.slots if slot.get("kind") != "passphrase"]
        write_vault(own, replace_slots(vault, [wrap_by_passphrase(key, passphrase), *kept]))
    return show_vault(root)


def add_key_file(folder: Path, path: Path) -> dict[str, Any]:  # Any: a JSON document
    """Let a key file open the workspace too; the file is made where it is not there.

    Raises
    ------
    SkiffError
        ``secret_exposed``, ``wrong_passphrase`` …
    """
    root, settings = _find(folder)
    own = root / SKIFF_FOLDER
    with _writing(root, "vault add-key"):
        vault = _read(own, root)
        key = _open(vault, root, settings, expected="encrypted")
        file = make_key_file(path.expanduser().absolute(), root=root)
        kept = [slot for slot in vault.slots if slot.get("name") != name_file(file)]
        write_vault(own, replace_slots(vault, [*kept, wrap_by_file(key, file)]))
    return {**show_vault(root), "key_file": str(path), "name": name_file(file)}


def drop_slot(folder: Path, name: str) -> dict[str, Any]:  # Any: a JSON document
    """Let a key file, or the passphrase, no longer open the workspace.

    Raises
    ------
    SkiffError
        ``slot_not_found``, ``slot_last``, ``wrong_passphrase`` …
    """
    root, settings = _find(folder)
    own = root / SKIFF_FOLDER
    with _writing(root, "vault drop"):
        vault = _read(own, root)
        _open(vault, root, settings, expected="encrypted")
        left = [slot for slot in vault.slots if _name_slot(slot) not in {name, f"key file {name}"}]
        if len(left) == len(vault.slots):
            raise SkiffError(
                "slot_not_found",
                what=f"Nothing called '{name}' opens this workspace.",
                where={"folder": str(root)},
                fix=f"What opens it: {', '.join(name_slots(vault))}.",
            )
        if not left:
            raise SkiffError(
                "slot_last",
                what="Nothing else opens this workspace: without it the data would be lost for good.",
                where={"folder": str(root)},
                fix="Add a key file or a passphrase first: skiff vault add-key FILE, skiff vault passphrase.",
            )
        write_vault(own, replace_slots(vault, left))
    return show_vault(root)


def name_slots(vault: Vault) -> tuple[str, ...]:
    """Return what opens a vault, in words."""
    return tuple(_name_slot(slot) for slot in vault.slots)


def _name_slot(slot: Any) -> str:  # noqa: ANN401  a JSON document
    return "passphrase" if slot.get("kind") == "passphrase" else f"key file {slot.get('name', '?')}"


def _find(folder: Path) -> tuple[Path, Settings]:
    root = folder.expanduser().absolute()
    refuse_missing(root, is_wanted=False)
    return root, read_settings(root)


def _read(own: Path, root: Path) -> Vault:
    vault = read_vault(own)
    if vault is None:
        raise SkiffError(
            "not_encrypted",
            what=f"{root.name} is not encrypted.",
            where={"folder": str(root)},
            fix="Encrypt it with `skiff encrypt`.",
        )
    return vault


def _open(vault: Vault, root: Path, settings: Settings, *, expected: State) -> bytes:
    """Return the workspace key of a vault that is settled, or in the middle of what is wanted."""
    _refuse_other(vault, expected, root)
    given: Secrets = find_secrets(vault, root, configured=settings.store.key_file)
    return open_key(vault.slots, vault.key_id, given, path=root / SKIFF_FOLDER / VAULT_FILE)


def _refuse_other(vault: Vault, expected: State, root: Path) -> None:
    if vault.state not in {"encrypted", expected}:
        command = UNFINISHED.get(vault.state, "skiff encrypt")
        raise SkiffError(
            "encryption_unfinished",
            what=f"This workspace is in the middle of '{command}', which was stopped.",
            where={"folder": str(root)},
            fix=f"Run `{command}` again: it goes on where it stopped, and nothing is lost.",
        )


@contextlib.contextmanager
def _writing(root: Path, purpose: str) -> Iterator[None]:
    own = root / SKIFF_FOLDER
    make_own_folders(own)
    with WriterLock(own / "writer.lock", root=root, clock=now_utc).hold(purpose):
        yield


@contextlib.contextmanager
def _alone(folder: Path, purpose: str) -> Iterator[tuple[Path, Settings, Places]]:
    """Give a workspace that nobody else has open."""
    root, settings = _find(folder)
    if settings.store.database:
        raise SkiffError(
            "encrypt_elsewhere",
            what="The catalog of this workspace is in a database server; what is there already cannot be changed over.",
            where={"setting": "store.database"},
            fix="Make a new workspace with `skiff init --encrypt`, name the database in its skiff.toml, and run there again.",
        )
    own = root / SKIFF_FOLDER
    make_own_folders(own)
    presence = PresenceLock(own / "presence.lock")
    try:
        if not presence.try_alone():
            raise SkiffError(
                "workspace_in_use",
                what=f"Another Skiff command or server has {root.name} open.",
                where={"folder": str(root)},
                fix="Stop it (skiff serve, skiff watch, a notebook), then run this again.",
            )
        with _writing(root, purpose):
            yield root, settings, Places(own=own, objects=find_objects_root(settings, root))
    finally:
        presence.close()


def _note(root: Path, *, is_on: bool, at: Callable[[], str]) -> None:
    with Workspace.open(root) as workspace:
        workspace.ledger.append("encrypt", subject="workspace", result=describe_encryption(is_on=is_on), at=at())
        if workspace.erasures.read().subjects:  # tombstones beside backups are to be as readable as the workspace is
            write_sidecars(workspace.erasures)
