"""Keys for the server's doors: shown once, kept as a hash, with what they open and how long."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.files import explained, make_folder, read_bytes, write_atomic
from skiff.store.locks import brief_lock

Scope: TypeAlias = Literal["predict", "outcome", "read", "review", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

FOLDER = "keys"
FILE = "api_keys.json"
PSEUDONYM_FILE = "pseudonym.key"

FORM = re.compile(r"sk_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
"""Id and secret: 43 characters of base 64 are 256 random bits, so one round of SHA-256 is enough to keep them by."""

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key.

    Parameters
    ----------
    id : str
        The part that may be shown and logged.
    name : str
        Whose it is.
    sha256 : str
        Of the whole key.
    scopes : tuple of str
        What it opens.
    created : int
        Seconds since 1970-01-01 UTC.
    expires, revoked : int or None
        Seconds since 1970-01-01 UTC.
    """

    id: str
    name: str
    sha256: str
    scopes: tuple[Scope, ...]
    created: int
    expires: int | None = None
    revoked: int | None = None

    def is_valid(self, now_s: float) -> bool:
        """Return whether the key opens anything at `now_s`."""
        return self.revoked is None and (self.expires is None or now_s < self.expires)


class KeyRing:
    """The keys in a workspace's ``.skiff/keys``.

    Parameters
    ----------
    folder : Path
        The workspace's ``.skiff``.
    box : Box
        What the key for pseudonyms goes through.
    """

    def __init__(self, folder: Path, *, box: Box = PLAIN) -> None:
        """Remember the place; nothing is read yet."""
        self._box = box
        self._folder = folder / FOLDER
        self._path = self._folder / FILE

    def list(self) -> tuple[ApiKey, ...]:
        """Return all keys, expired and revoked ones too, oldest first.

        Raises
        ------
        SkiffError
            ``keys_damaged``.
        """
        with explained(self._path):
            if not self._path.exists():
                return ()
        try:
            return msgspec.json.decode(read_bytes(self._path), type=tuple[ApiKey, ...])
        except msgspec.MsgspecError as error:
            raise SkiffError(
                "keys_damaged",
                what="The file of the API keys cannot be read, so no key opens anything.",
                where={"file": str(self._path)},
                fix="Put it back from a backup, or remove it and make new keys with `skiff keys create`.",
            ) from error

    def read_stamp(self) -> tuple[int, int]:
        """Return what changes when the keys change; cheap enough to ask several times a second."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    def create(
        self, *, name: str, scopes: Iterable[Scope], now_s: int, lifetime_s: int | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key and return what is kept of it, and the key itself, which is never shown again."""
        with self._locked():
            known = self.list()
            taken = {key.id for key in known}
            key_id = next(found for found in iter(_draw_id, "") if found not in taken)
            secret = f"sk_{key_id}_{secrets.token_urlsafe(32)}"
            made = ApiKey(
                id=key_id,
                name=name,
                sha256=hash_secret(secret),
                scopes=tuple(sorted(set(scopes))),
                created=now_s,
                expires=None if lifetime_s is None else now_s + lifetime_s,
            )
            self._write((*known, made))
        return made, secret

    def revoke(self, key_id: str, *, now_s: int) -> ApiKey:
        """Close a key for good, by its id; running servers notice within a second.

        Raises
        ------
        SkiffError
            ``key_not_found``.
        """
        with self._locked():
            known = self.list()
            found = next((key for key in known if key.id == key_id), None)
            if found is None:
                listed = ", ".join(key.id for key in known) or "none yet"
                raise SkiffError(
                    "key_not_found",
                    what="There is no API key with this id.",
                    where={"keys": listed},
                    fix="The id is the part between the first two underscores: see `skiff keys list`.",
                )
            closed = found if found.revoked is not None else replace(found, revoked=now_s)
            self._write(tuple(closed if key.id == key_id else key for key in known))
        return closed

    def read_pseudonym_key(self) -> bytes:
        """Return the workspace's key for hashed inputs, making it at the first call."""
        path = self._folder / PSEUDONYM_FILE
        with self._locked(), explained(path):
            if not path.exists():
                write_atomic(path, self._box.close(secrets.token_bytes(32), f"{FOLDER}/{PSEUDONYM_FILE}"))
            return self._box.read(path, f"{FOLDER}/{PSEUDONYM_FILE}")

    def _write(self, keys: tuple[ApiKey, ...]) -> None:
        write_atomic(self._path, msgspec.json.format(msgspec.json.encode(keys), indent=1))

    def _locked(self) -> AbstractContextManager[None]:
        make_folder(self._folder)
        return brief_lock(self._folder / "keys.lock")


def hash_secret(secret: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find_key(secret: str, keys: dict[str, ApiKey]) -> ApiKey | None:
    """Return the key that `secret` is, in time that does not tell how much of it was right.

    Parameters
    ----------
    secret : str
    keys : dict of str to ApiKey
        By id. The id is no secret; the rest is compared as hashes, whole.

    Examples
    --------
    >>> find_key("sk_notakey", {}) is None
    True
    """
    form = FORM.fullmatch(secret)
    known = keys.get(form[1]) if form else None
    expected = known.sha256 if known else "0" * 64
    is_same = hmac.compare_digest(hash_secret(secret), expected)
    return known if is_same else None


def _draw_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(8))
