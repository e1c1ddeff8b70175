"""Open a workspace's box: find out whether it is encrypted, and get its key."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.store.box import PLAIN, Box, EncryptedBox
from skiff.store.files import MAGIC, STAGING_PREFIX, make_folder, read_bytes
from skiff.store.locks import brief_lock
from skiff.store.secret import (
    LEAST_CHARACTERS,
    OFFER,
    ask_passphrase,
    find_key_file,
    find_passphrase,
    make_key_file,
    read_key_file,
    refuse_weak,
)
from skiff.store.settings import read_settings
from skiff.store.trust import name_file

if TYPE_CHECKING:  # see `skiff.store.box`
    from skiff.store.vault import Secrets, Vault

VAULT_FILE = "vault.json"
UNFINISHED = {
    "encrypting": "skiff encrypt",
    "decrypting": "skiff decrypt",
    "rotating": "skiff vault rotate",
}
"""What was begun, and the command that ends it."""


def open_box(root: Path, settings: Settings) -> Box:
    """Return what bytes of a workspace go through: `PLAIN`, or an encrypted box once a secret has opened it.

    Parameters
    ----------
    root : Path
        The workspace.
    settings : Settings

    Raises
    ------
    SkiffError
        ``passphrase_missing``, ``wrong_passphrase``, ``wrong_key_file``, ``not_encrypted_yet``, ``encryption_unfinished`` …
    """
    own = root / ".skiff"
    if not (own / VAULT_FILE).exists():
        if settings.store.encrypt and has_content(own):
            raise refuse_plain(root)
        return PLAIN
    from skiff.store.cipher import Cipher
    from skiff.store.vault import open_key, read_vault

    vault = read_vault(own)
    if vault is None or vault.state != "encrypted":
        state = vault.state if vault else "encrypting"
        raise SkiffError(
            "encryption_unfinished",
            what=f"This workspace is in the middle of '{UNFINISHED.get(state, 'skiff encrypt')}', which was stopped.",
            where={"file": str(own / VAULT_FILE)},
            fix=f"Run `{UNFINISHED.get(state, 'skiff encrypt')}` again: it goes on where it stopped, and nothing is lost.",
        )
    given = find_secrets(vault, root, configured=settings.store.key_file)
    return EncryptedBox(Cipher(open_key(vault.slots, vault.key_id, given, path=own / VAULT_FILE)))


def read_released(path: Path) -> bytes:
    """Return a file of a release's folder, decrypted where its workspace is encrypted; any other file as it is.

    Raises
    ------
    SkiffError
        ``encrypted_damaged`` where it lies in no workspace any more, and what `open_box` says.
    """
    data = read_bytes(path)
    if not data.startswith(MAGIC):
        return data
    place = path.absolute()
    own = place.parents[2] if len(place.parents) > 2 else place.parent  # noqa: PLR2004  .skiff/releases/0001/model.onnx
    if own.name != ".skiff" or not place.parent.name.isdecimal():
        raise SkiffError(
            "encrypted_damaged",
            what=f"{path} is encrypted, and the workspace it belongs to is not around it.",
            where={"file": str(path)},
            fix="Give a release away with `skiff releases export`, which decrypts it, or name the folder inside its workspace.",
        )
    return open_box(own.parent, read_settings(own.parent)).open(data, name_file(int(place.parent.name), place.name))


def refuse_plain(root: Path) -> SkiffError:
    """Return the error for a workspace that is to be encrypted and holds plain files."""
    return SkiffError(
        "not_encrypted_yet",
        what=f"{root.name} is to be encrypted, and what it holds is not.",
        where={"setting": "store.encrypt", "file": str(root / ".skiff" / VAULT_FILE)},
        fix="Encrypt what it holds with `skiff encrypt`. If it was encrypted, vault.json is missing: put that back from a backup.",
    )


def warm_up(root: Path) -> threading.Thread:
    """Begin to stretch the passphrase of a workspace beside other work, because it takes most of a second on purpose.

    Nobody is asked and nothing is told here. Join the thread before the workspace is opened, and before a process is forked.
    """

    def begin() -> None:
        OFFER.set(replace(OFFER.get(), ask=None))
        with contextlib.suppress(SkiffError):  # told by whoever opens it in earnest
            if (root / ".skiff" / VAULT_FILE).exists():
                open_box(root, read_settings(root))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(begin,), daemon=True)
    thread.start()
    return thread


def open_new_box(root: Path, settings: Settings) -> Box:
    """Return a workspace's box, made now where ``skiff.toml`` asks for an encrypted one and nothing is kept yet."""
    box = open_box(root, settings)
    if box.cipher is None and settings.store.encrypt:
        return create_box(root, choose_secrets(root, configured=settings.store.key_file))
    return box


def create_box(root: Path, given: Secrets) -> Box:
    """Give a new workspace a key of its own, wrapped by these secrets, and return its box.

    Another process may have been first; then its key is opened.

    Raises
    ------
    SkiffError
        ``wrong_passphrase`` …, and what the disk says.
    """
    from skiff.store.cipher import Cipher
    from skiff.store.vault import build_vault, draw_key, open_key, read_vault, write_vault

    own = root / ".skiff"
    make_folder(own)
    with brief_lock(own / "vault.lock"):
        vault = read_vault(own)
        if vault is not None:
            return EncryptedBox(Cipher(open_key(vault.slots, vault.key_id, given, path=own / VAULT_FILE)))
        key = draw_key()
        write_vault(own, build_vault(key, given))
    return EncryptedBox(Cipher(key))


def choose_secrets(root: Path, *, configured: str | None) -> Secrets:
    """Return the secrets a new key is to be wrapped by; a key file that is named and not there is made.

    Raises
    ------
    SkiffError
        ``passphrase_missing``, ``passphrase_short``, ``passphrase_differs``, ``secret_exposed``.
    """
    from skiff.store.vault import Secrets

    passphrase = find_passphrase(root)
    path = find_key_file(root, configured)
    if passphrase is None and path is None:
        passphrase = ask_new_passphrase(root.name)
    if passphrase is None and path is None:
        raise SkiffError(
            "passphrase_missing",
            what=f"{root.name or root} is to be encrypted, and nothing was given to lock it with.",
            where={"folder": str(root)},
            fix="Set SKIFF_PASSPHRASE, name a file with --passphrase-file, or a key file with --key-file (made if it is "
            "not there). Nothing was changed.",
        )
    if passphrase is not None:
        refuse_weak(passphrase)
    return Secrets(passphrase=passphrase, key_files=() if path is None else (make_key_file(path, root=root),))


def ask_new_passphrase(name: str) -> str | None:
    """Ask for a new passphrase, twice; None where nobody is there.

    Raises
    ------
    SkiffError
        ``passphrase_differs``.
    """
    first = ask_passphrase(f"New passphrase for {name} (at least {LEAST_CHARACTERS} characters)")
    if first is not None and ask_passphrase("The same again") != first:
        raise SkiffError(
            "passphrase_differs",
            what="The two passphrases are not the same.",
            where={"workspace": name},
            fix="Run the same command again. Nothing was changed.",
        )
    return first


def describe_encryption(*, is_on: bool) -> dict[str, object]:
    """Return what the ledger keeps of a workspace being encrypted from now on, or no longer."""
    return {"is_on": is_on, "cipher": "AES-256-GCM"} if is_on else {"is_on": is_on}


def has_content(own: Path) -> bool:
    """Return whether a workspace has been used: a catalog, an object or a release is there."""
    if (own / "catalog.db").exists():
        return True
    return any(any((own / name).iterdir()) for name in ("objects", "releases") if (own / name).is_dir())


def find_secrets(vault: Vault, root: Path, *, configured: str | None) -> Secrets:
    """Return what was given to open a vault with, asking the person at the terminal last.

    Raises
    ------
    SkiffError
        ``passphrase_missing``.
    """
    from skiff.store.vault import Secrets, has_kind

    passphrase = find_passphrase(root) if has_kind(vault, "passphrase") else None
    path = find_key_file(root, configured)
    # a key file that is not there today (a stick that was pulled out) must not shut out who knows the passphrase
    key_files = (read_key_file(path, root=root),) if path is not None and (passphrase is None or path.exists()) else ()
    if passphrase is None and not key_files and has_kind(vault, "passphrase"):
        named = "this workspace" if root.name.startswith(STAGING_PREFIX) else root.name
        passphrase = ask_passphrase(f"Passphrase of {named}")
    if passphrase is None and not key_files:
        raise SkiffError(
            "passphrase_missing",
            what=f"{root.name or root} is encrypted, and nothing was given to open it with.",
            where={"folder": str(root)},
            fix="Set SKIFF_PASSPHRASE, name a file with --passphrase-file or SKIFF_PASSPHRASE_FILE, or a key file with "
            "SKIFF_KEY_FILE or the setting store.key_file.",
        )
    return Secrets(passphrase=passphrase, key_files=key_files)
