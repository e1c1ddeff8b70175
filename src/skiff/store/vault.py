"""The keys of an encrypted workspace: one random key, wrapped by a passphrase or by key files, in ``.skiff/vault.json``.

The workspace key never stands on the disk unwrapped. Each slot wraps it anew: under a key stretched from a passphrase by scrypt
(RFC 7914), or under one derived from a key file that lies elsewhere. Changing a passphrase rewraps; only a new workspace key makes
everything be encrypted again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skiff.core.errors import SkiffError
from skiff.core.evidence import canonical_json
from skiff.store.cipher import KEY_BYTES, NONCE_BYTES, Cipher, derive
from skiff.store.files import read_bytes, write_atomic

FILE = "vault.json"
FORMAT = 1

SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 17, 8, 1
"""128 MiB and most of a second a guess: the first choice of the OWASP Password Storage Cheat Sheet for scrypt (RFC 7914)."""

MOST_SCRYPT_BYTES = 1 << 30
"""A vault that asks for more than this was not written by Skiff."""

_STRETCHING = threading.Lock()

State: TypeAlias = Literal["encrypted", "encrypting", "decrypting", "rotating"]
Slot: TypeAlias = Mapping[str, Any]  # Any: a JSON document


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a person can open a workspace with.

    Parameters
    ----------
    passphrase : str or None
    key_files : tuple of bytes
        The keys in them.
    """

    passphrase: str | None = None
    key_files: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        """Tell nothing."""
        return "Secrets(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """What ``vault.json`` says.

    Parameters
    ----------
    state : str
        ``encrypted``, or what was begun and is not finished.
    key_id : str
        Of the workspace key.
    slots : tuple of mapping
        The key, wrapped.
    next_id, next_slots
        The same of the key that takes its place, while the workspace is ``rotating``.
    """

    state: State
    key_id: str
    slots: tuple[Slot, ...]
    next_id: str = ""
    next_slots: tuple[Slot, ...] = ()


def read_vault(own: Path) -> Vault | None:
    """Return the vault of a workspace; None where it is not encrypted.

    Parameters
    ----------
    own : Path
        The workspace's ``.skiff``.

    Raises
    ------
    SkiffError
        ``vault_damaged``, ``workspace_newer``.
    """
    path = own / FILE
    if not path.exists():
        return None
    try:
        return decode_vault(json.loads(read_bytes(path)), path)
    except ValueError as error:
        raise _vault_damaged(path) from error


def decode_vault(found: Any, path: Path) -> Vault:  # noqa: ANN401  a JSON document
    """Return the vault that a document holds; `path` is named in errors.

    Raises
    ------
    SkiffError
        ``vault_damaged``, ``workspace_newer``.
    """
    try:
        if found["format"] > FORMAT:
            raise SkiffError(
                "workspace_newer",
                what=f"The keys in {path} were written by a newer Skiff.",
                where={"file": str(path)},
                fix="Update Skiff:  pip install --upgrade skiff-ml",
            )
        return Vault(
            state=found["state"],
            key_id=str(found["key"]),
            slots=tuple(dict(slot) for slot in found["slots"]),
            next_id=str(found.get("next_key", "")),
            next_slots=tuple(dict(slot) for slot in found.get("next_slots", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _vault_damaged(path) from error


def write_vault(own: Path, vault: Vault) -> None:
    """Write the vault, whole or not at all."""
    document: dict[str, Any] = {"format": FORMAT, "state": vault.state, "key": vault.key_id, "slots": list(vault.slots)}
    if vault.next_slots:
        document |= {"next_key": vault.next_id, "next_slots": list(vault.next_slots)}
    write_atomic(own / FILE, json.dumps(document, indent=1).encode() + b"\n")


def draw_key() -> bytes:
    """Return a new workspace key."""
    return secrets.token_bytes(KEY_BYTES)


def build_vault(key: bytes, given: Secrets, *, state: State = "encrypted") -> Vault:
    """Return a vault that these secrets open."""
    return Vault(state=state, key_id=Cipher(key).id.hex(), slots=wrap_all(key, given))


def wrap_all(key: bytes, given: Secrets) -> tuple[Slot, ...]:
    """Return a slot for each secret."""
    slots = [] if given.passphrase is None else [wrap_by_passphrase(key, given.passphrase)]
    return (*slots, *(wrap_by_file(key, file) for file in given.key_files))


def wrap_by_passphrase(key: bytes, passphrase: str) -> Slot:
    """Return a slot that a passphrase opens."""
    salt = secrets.token_bytes(32).hex()
    slot = {"kind": "passphrase", "kdf": "scrypt", "n": SCRYPT_N, "r": SCRYPT_R, "p": SCRYPT_P, "salt": salt}
    return _wrap(slot, _stretch(passphrase, slot), key)


def wrap_by_file(key: bytes, file: bytes) -> Slot:
    """Return a slot that a key file opens."""
    slot = {"kind": "key file", "name": name_file(file), "salt": secrets.token_bytes(32).hex()}
    return _wrap(slot, derive(file, "wrap", salt=bytes.fromhex(slot["salt"])), key)


def name_file(file: bytes) -> str:
    """Return a short name for the key in a file, which tells nothing of it.

    Examples
    --------
    >>> len(name_file(bytes(32)))
    12
    """
    return derive(file, "name of a key file", size=6).hex()


def open_key(slots: Iterable[Slot], key_id: str, given: Secrets, *, path: Path) -> bytes:
    """Return the workspace key.

    Raises
    ------
    SkiffError
        ``wrong_passphrase``, ``wrong_key_file``: none of the secrets opens it; ``vault_damaged``.
    """
    for slot in slots:
        for secret in _list_secrets(slot, given, path):
            key = _unwrap(slot, secret, path)
            if key is not None and Cipher(key).id.hex() == key_id:
                return key
    if given.passphrase is not None:
        raise SkiffError(
            "wrong_passphrase",
            what="The passphrase does not open this workspace.",
            where={"file": str(path)},
            fix="Try again; capital letters and spaces count. Nothing was changed.",
        )
    raise SkiffError(
        "wrong_key_file",
        what="The key file does not open this workspace: it belongs to another one, or its slot was taken out.",
        where={"file": str(path)},
        fix="Name the right one with SKIFF_KEY_FILE or --key-file, or give the passphrase. Nothing was changed.",
    )


def has_kind(vault: Vault, kind: str) -> bool:
    """Return whether a secret of this kind can open the vault."""
    return any(slot.get("kind") == kind for slot in vault.slots)


def replace_slots(vault: Vault, slots: Iterable[Slot]) -> Vault:
    """Return the vault with other slots for the same key."""
    return replace(vault, slots=tuple(slots))


def _list_secrets(slot: Slot, given: Secrets, path: Path) -> Iterable[bytes]:
    try:
        if slot["kind"] == "passphrase" and given.passphrase is not None:
            _refuse_costly(slot, path)
            return [_stretch(given.passphrase, slot)]
        if slot["kind"] == "key file":
            salt = bytes.fromhex(slot["salt"])
            return [derive(file, "wrap", salt=salt) for file in given.key_files]
    except (KeyError, ValueError, TypeError) as error:
        raise _vault_damaged(path) from error
    return []


def _refuse_costly(slot: Slot, path: Path) -> None:
    if slot["kdf"] != "scrypt" or 128 * slot["n"] * slot["r"] * slot["p"] > MOST_SCRYPT_BYTES:
        raise _vault_damaged(path)


def _stretch(passphrase: str, slot: Slot) -> bytes:
    normal = unicodedata.normalize(
        "NFC", passphrase
    )  # the same letters typed on another keyboard (RFC 8265, section 4.2)
    with _STRETCHING:  # a second thread waits for the first and finds what it made
        return _stretch_once(normal.encode(), bytes.fromhex(slot["salt"]), slot["n"], slot["r"], slot["p"])


@functools.lru_cache(maxsize=8)
def _stretch_once(passphrase: bytes, salt: bytes, n: int, r: int, p: int) -> bytes:
    """Stretch a passphrase: once in a process, because it takes most of a second on purpose."""
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=KEY_BYTES)


def _wrap(slot: dict[str, Any], secret: bytes, key: bytes) -> Slot:
    nonce = secrets.token_bytes(NONCE_BYTES)
    wrapped = nonce + AESGCM(secret).encrypt(nonce, key, canonical_json(slot))
    return {**slot, "wrapped": wrapped.hex()}


def _unwrap(slot: Slot, secret: bytes, path: Path) -> bytes | None:
    """Return the key of a slot; None where the secret does not open it."""
    said = {name: value for name, value in slot.items() if name != "wrapped"}
    try:
        wrapped = bytes.fromhex(slot["wrapped"])
        return AESGCM(secret).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], canonical_json(said))
    except InvalidTag:
        return None
    except (KeyError, ValueError, TypeError) as error:
        raise _vault_damaged(path) from error


def _vault_damaged(path: Path) -> SkiffError:
    return SkiffError(
        "vault_damaged",
        what="The file that holds the wrapped key of this workspace cannot be read.",
        where={"file": str(path)},
        fix="Put vault.json back from a backup (skiff restore). Without it nothing of the workspace can be decrypted.",
    )
