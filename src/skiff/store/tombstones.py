"""Who must not come back with an older backup: tombstones that lie beside it, encrypted where the workspace is.

A workspace that is encrypted seals them with its key and puts the wrapped key beside them, as a backup does with ``vault.json``: the
hashes of persons, and the key under which they were made, can then be read with the passphrase or key file and not without.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.erasures import Erasures, Gone, Kept, Subject, describe_damaged
from skiff.store.files import explained, read_bytes, write_atomic
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.settings import read_settings
from skiff.store.unlock import VAULT_FILE, find_secrets, open_box

SIDECAR = ".erased.json"
PLACE = "tombstones"
"""The name that is bound to the sealed bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstones:
    """What lies beside an older backup, so that whoever puts it back knows who must not come back."""

    key: str
    subjects: tuple[Subject, ...]
    releases: dict[str, Gone] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()


def gather_tombstones(erasures: Erasures) -> Tombstones:
    """Return the tombstones of a workspace."""
    book = erasures.read()
    return Tombstones(key=erasures.read_key().hex(), subjects=book.subjects, releases=book.releases, kept=book.kept)


def write_sidecars(erasures: Erasures) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Leave tombstones beside each known backup that is still there; return those files and the backups not found."""
    data = msgspec.json.format(msgspec.json.encode(gather_tombstones(erasures)), indent=1) + b"\n"
    if erasures.box.cipher is not None:
        vault = json.loads(read_bytes(erasures.own / VAULT_FILE))
        sealed = base64.b64encode(erasures.box.close(data, PLACE)).decode()
        data = json.dumps({"vault": vault, "sealed": sealed}, indent=1).encode() + b"\n"
    written, missing = [], []
    for backup in erasures.read().backups:
        path = Path(backup.file)
        if path.is_file():
            place = path.with_name(path.name + SIDECAR)
            write_atomic(place, data)
            written.append(str(place))
        else:
            missing.append(path.name)
    return tuple(written), tuple(missing)


def read_tombstones(path: Path, *, box: Box = PLAIN, configured: str | None = None) -> Tombstones | None:
    """Return the tombstones in a file or of a workspace's folder; None where there is nothing.

    Parameters
    ----------
    path : Path
    box : Box
        Of the workspace that is put back: it opens sealed tombstones where the key is the same, with whatever opened it.
    configured : str, optional
        ``[store] key_file``, where the key is another one.

    Raises
    ------
    SkiffError
        ``erasures_damaged``; ``passphrase_missing``, ``wrong_passphrase`` … where they are sealed.
    """
    own = path / SKIFF_FOLDER
    with explained(path):
        if own.is_dir():
            erasures = Erasures(own, box=open_box(path, read_settings(path)))
            return gather_tombstones(erasures) if erasures.read().subjects else None
        if not path.is_file():
            return None
    data = read_bytes(path)
    try:
        document = json.loads(data)
        if isinstance(document, dict) and "sealed" in document:
            data = _unseal(document, path, box=box, configured=configured)
        return msgspec.json.decode(data, type=Tombstones)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise describe_damaged(path) from error


def _unseal(document: dict[str, Any], path: Path, *, box: Box, configured: str | None) -> bytes:
    from skiff.store.cipher import Cipher, read_header  # only encrypted workspaces need the library of ciphers
    from skiff.store.vault import decode_vault, open_key

    try:
        sealed = base64.b64decode(document["sealed"], validate=True)
    except binascii.Error as error:
        raise describe_damaged(path) from error
    if box.cipher is not None and read_header(sealed, PLACE).key_id == box.cipher.id:
        return box.open(sealed, PLACE)
    vault = decode_vault(document["vault"], path)
    given = find_secrets(vault, path, configured=configured)
    try:
        key = open_key(vault.slots, vault.key_id, given, path=path)
    except SkiffError as error:
        if error.code not in {"wrong_passphrase", "wrong_key_file"}:
            raise
        raise SkiffError(
            error.code,
            what="Persons were erased after this backup was written, and the list of them is sealed with a newer key, which "
            "was not given.",
            where={"file": str(path)},
            fix="Let a key file open the workspace (skiff vault add-key FILE), then give it beside what opens the backup: "
            "SKIFF_KEY_FILE=FILE skiff restore BACKUP DIR --tombstones WORKSPACE",
        ) from error
    return Cipher(key).decrypt(sealed, PLACE)
