"""Whose signature a release must bear, and whether it does: read with the standard library alone, because servers do it.

Each release lies beside a file ``signature``: the workspace's Ed25519 key (RFC 8032) over the bytes of ``manifest.json``, which
names every other file with its hash. The public halves of the keys that count are in ``.skiff/keys/trusted.json``.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.bundle_check import verify_ed25519
from skiff.store.files import explained, make_folder, read_bytes, write_atomic

SIGNATURE_FILE = "signature"
KEYS = "keys"
TRUSTED = "trusted.json"
KEY_BYTES = 32
"""Of a public key (RFC 8032, section 5.1.5)."""


def read_trusted(own: Path) -> tuple[str, ...]:
    """Return the public keys, as hexadecimal digits, whose signatures count in a workspace; none where it has no key.

    Raises
    ------
    SkiffError
        ``signing_key_damaged``.
    """
    path = own / KEYS / TRUSTED
    try:
        found = json.loads(read_bytes(path)) if path.exists() else []
        is_list = isinstance(found, list) and all(len(bytes.fromhex(key)) == KEY_BYTES for key in found)
    except (ValueError, TypeError):
        is_list = False
    if not is_list:
        raise SkiffError(
            "signing_key_damaged",
            what="The list of keys that this workspace trusts cannot be read.",
            where={"file": str(path)},
            fix="Put it back from a backup (skiff restore), with the other files of that folder.",
        )
    return tuple(found)


def add_trusted(own: Path, public_key: str) -> None:
    """Let a public key's signatures count from now on; the ones before go on counting."""
    known = read_trusted(own)
    if public_key not in known:
        make_folder(own / KEYS)
        write_atomic(own / KEYS / TRUSTED, json.dumps([*known, public_key]).encode() + b"\n")


def name_file(number: int, name: str) -> str:
    """Return the name under which a release's file goes through the box.

    Examples
    --------
    >>> name_file(3, "model.onnx")
    'releases/0003/model.onnx'
    """
    return f"releases/{number:04d}/{name}"


def encode_signature(signature: dict[str, str]) -> bytes:
    """Return the text of the file ``signature``."""
    return json.dumps(signature, indent=1, sort_keys=True).encode() + b"\n"


def find_signature_fault(document: bytes, place: Path, *, own: Path, box: Box = PLAIN) -> str | None:
    """Return what is wrong with the signature of a release, as the end of a sentence, or None.

    Parameters
    ----------
    document : bytes
        Its ``manifest.json``.
    place : Path
        Its folder.
    own : Path
        The workspace's ``.skiff``.
    box : Box
        What its files go through.

    Notes
    -----
    Nothing is wrong where the workspace has no key to compare with, and with a release whose manifest does not say that it was
    signed: those were made before releases were signed.
    """
    trusted = read_trusted(own)
    if not trusted:
        return None
    path = place / SIGNATURE_FILE
    with explained(path):
        kept = box.read(path, name_file(int(place.name), SIGNATURE_FILE)) if path.is_file() else None
    if kept is None:
        return "is missing" if json.loads(document).get("signed_by") else None
    try:
        found = json.loads(kept)
        public, signature = str(found["public_key"]), bytes.fromhex(found["signature"])
    except (ValueError, KeyError, TypeError):
        return "cannot be read"
    if public not in trusted:
        return "is of a key that this workspace does not know"
    return None if _verify(bytes.fromhex(public), document, signature) else "is not one of its manifest"


@functools.lru_cache(maxsize=64)
def _verify(public: bytes, document: bytes, signature: bytes) -> bool:
    """Check once: a fiftieth of a second without the library that signs, which would take longer to load."""
    return verify_ed25519(public, document, signature)


def refuse_bad_signature(document: bytes, place: Path, *, own: Path, box: Box = PLAIN) -> None:
    """Refuse a release whose signature is not what it must be.

    Raises
    ------
    SkiffError
        ``release_damaged``, ``signing_key_damaged``.
    """
    fault = find_signature_fault(document, place, own=own, box=box)
    if fault is not None:
        raise SkiffError(
            "release_damaged",
            what=f"In release {place.name}, the signature {fault}, so nothing of it is loaded.",
            where={"file": str(place / SIGNATURE_FILE), "release": place.name},
            fix="Put the release's folder back from a backup, or go back with `skiff releases rollback`.",
        )
