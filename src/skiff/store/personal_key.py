"""The key that repeats pseudonyms: made once, readable by its owner alone, apart from every table."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.files import explained, make_folder, write_atomic
from skiff.store.keys import FOLDER
from skiff.store.locks import brief_lock

FILE = "personal.key"
SIZE = 32
"""Bytes: as many as the digest has (RFC 2104 §3)."""


def read_personal_key(own: Path, *, rotate: bool = False, box: Box = PLAIN) -> bytes:
    """Return the workspace's key for pseudonyms, making it where there is none.

    Parameters
    ----------
    own : Path
        The workspace's ``.skiff``.
    rotate : bool
        Make a new one. The old one is gone for good: tables made with it can no longer be joined to new ones.
    box : Box
        What its file goes through.

    Raises
    ------
    SkiffError
        ``keys_damaged``.
    """
    folder = own / FOLDER
    path = folder / FILE
    make_folder(own)
    make_folder(folder)
    with brief_lock(folder / "keys.lock"), explained(path):
        if rotate or not path.exists():
            write_atomic(path, box.close(secrets.token_bytes(SIZE), f"{FOLDER}/{FILE}"))
        key = box.read(path, f"{FOLDER}/{FILE}")
    if len(key) != SIZE:
        raise SkiffError(
            "keys_damaged",
            what="The file of the pseudonym key is damaged, so no pseudonym can be made.",
            where={"file": str(path)},
            fix="Put it back from a backup, or make a new key with --rotate: new tokens will then differ from old ones.",
        )
    return key


def name_key(key: bytes) -> str:
    """Return a short name for a key, which tells nothing of it.

    Examples
    --------
    >>> len(name_key(b"k" * 32))
    12
    """
    return hmac.digest(key, b"name of this key", hashlib.sha256).hex()[:12]
