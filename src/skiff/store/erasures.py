"""What was erased, as tombstones that name nobody: which datasets and releases went, what stands in their place, what stays until when.

One small file, ``.skiff/erasures.json``, apart from the catalog so that a server without the catalog's libraries can say why a
release is gone, and so that it goes into backups and lies beside older ones. A person stands in it as a keyed hash. While an
erasure is under way, the values that name the person are kept sealed (AES-GCM, NIST SP 800-38D) with a key made from the
workspace's own and the name itself (HKDF, RFC 5869): whoever asks again with the same name can go on after a crash, nobody else
can read them. They are removed at the end.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.files import explained, make_folder, write_atomic
from skiff.store.gone import FILE, describe_erased
from skiff.store.locks import brief_lock

KEY_FILE = "erasure.json"
KEYS = "keys"
KEY_PLACE = f"{KEYS}/{KEY_FILE}"
KEY_BYTES, NONCE_BYTES = 32, 12
"""AES-256, and the nonce length that SP 800-38D recommends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A dataset or release that was removed, and what stands in its place; `why` is ``erasure`` or ``retention``.

    ``home`` is the release under which people decide the rows that a removed one answered.
    """

    at: str
    why: str = "erasure"
    successor: str = ""
    home: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A release that learned from an erased person and stays until a day, for a written reason."""

    release: int
    until: str
    why: str
    who: str
    at: str
    subject: str
    hash: str = ""
    learned: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An erased person, as a keyed hash."""

    hash: str
    at: str
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An erasure under way.

    Parameters
    ----------
    begun : str
    evidence : str
        Id of the ledger record that says so.
    sealed : str
        The values that name the person, which only the same name opens.
    counts : dict of str to int
        Rows or files that were found, by place.
    learned : dict of str to int
        Release number to the person's rows that it learned from.
    old : tuple of str
        Datasets that went for it.
    reports : tuple of str
        Names of files in ``reports/`` that went for it.
    """

    begun: str
    evidence: str = ""
    sealed: str = ""
    column: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    learned: dict[str, int] = field(default_factory=dict)
    old: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Which rows of a dataset a model learned from and was judged on: hashes of stored positions.

    Noted when rows are removed: the candidates that knew it are destroyed with the old table.
    """

    dataset: str
    train: str
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was written, where, and when."""

    file: str
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All of ``erasures.json``."""

    format: int = 1
    subjects: tuple[Subject, ...] = ()
    datasets: dict[str, Gone] = field(default_factory=dict)
    releases: dict[str, Gone] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    running: dict[str, Running] = field(default_factory=dict)
    backups: tuple[Backup, ...] = ()
    splits: dict[str, Noted] = field(default_factory=dict)


class Erasures:
    """The tombstones of a workspace.

    Parameters
    ----------
    own : Path
        The workspace's ``.skiff``.
    box : Box
        What the file and the key go through.
    """

    def __init__(self, own: Path, *, box: Box = PLAIN) -> None:
        """Remember the place; nothing is read yet."""
        self.own = own
        self.box = box
        self._path = own / FILE

    def read(self) -> Book:
        """Return what stands there; nothing at first.

        Raises
        ------
        SkiffError
            ``erasures_damaged``.
        """
        with explained(self._path):
            if not self._path.exists():
                return Book()
        try:
            return msgspec.json.decode(self.box.read(self._path, FILE), type=Book)
        except msgspec.MsgspecError as error:
            raise describe_damaged(self._path) from error

    @contextlib.contextmanager
    def change(self) -> Iterator[list[Book]]:
        """Give a list whose last book is kept when the block ends; whole or not at all."""
        with brief_lock(self.own / "erasures.lock"):
            books = [self.read()]
            yield books
            if books[-1] is not books[0]:
                data = msgspec.json.format(msgspec.json.encode(books[-1]), indent=1) + b"\n"
                write_atomic(self._path, self.box.close(data, FILE))

    def update(self, hashed: str, running: Running) -> None:
        """Keep how far an erasure is."""
        with self.change() as books:
            books.append(replace(books[-1], running={**books[-1].running, hashed: running}))

    def bury_dataset(self, sha256: str, gone: Gone) -> None:
        """Note that a dataset is removed, and which one stands in its place."""
        with self.change() as books:
            books.append(replace(books[-1], datasets={**books[-1].datasets, sha256: gone}))

    def bury_release(self, number: int, gone: Gone) -> None:
        """Note that a release is removed; what was kept of it with a reason no longer is."""
        with self.change() as books:
            kept = tuple(item for item in books[-1].kept if item.release != number)
            books.append(replace(books[-1], releases={**books[-1].releases, str(number): gone}, kept=kept))

    def note_splits(self, splits: Mapping[str, Noted]) -> None:
        """Keep which rows models learned from, by the hash of the model."""
        if splits:
            with self.change() as books:
                books.append(replace(books[-1], splits={**books[-1].splits, **splits}))

    def keep_release(self, kept: Kept) -> None:
        """Note that a release stays until a day, for a reason."""
        with self.change() as books:
            others = [item for item in books[-1].kept if (item.release, item.subject) != (kept.release, kept.subject)]
            books.append(replace(books[-1], kept=(*others, kept)))

    def finish(self, hashed: str, subject: Subject) -> None:
        """Note that a person is erased; what was sealed for going on is gone."""
        with self.change() as books:
            book = books[-1]
            running = {name: item for name, item in book.running.items() if name != hashed}
            others = [item for item in book.subjects if item.hash != hashed]
            books.append(replace(book, running=running, subjects=(*others, subject)))

    def note_backup(self, backup: Backup) -> None:
        """Note where a backup was written, so that a later erasure can leave its tombstone there."""
        with self.change() as books:
            others = [item for item in books[-1].backups if item.file != backup.file]
            books.append(replace(books[-1], backups=(*others, backup)))

    def follow(self, sha256: str) -> str:
        """Return the dataset that stands in place of a removed one, or the same where it was not removed."""
        datasets, found = self.read().datasets, sha256
        for _ in range(len(datasets)):
            gone = datasets.get(found)
            if gone is None or not gone.successor:
                break
            found = gone.successor
        return found

    def find_release(self, number: int) -> Gone | None:
        """Return the tombstone of a release, or None."""
        return self.read().releases.get(str(number))

    def find_home(self, number: int) -> int | None:
        """Return the release under which rows of a release are decided: itself while it is there; None where there is none."""
        gone, found = self.read().releases, str(number)
        for _ in range(len(gone)):
            if found not in gone:
                break
            found = gone[found].home
        return int(found) if found and found not in gone else None

    def refuse_gone(self, number: int) -> None:
        """Refuse a release that was removed.

        Raises
        ------
        SkiffError
            ``release_erased``.
        """
        gone = self.find_release(number)
        if gone is not None:
            raise describe_erased(number, at=gone.at, successor=gone.successor)

    def read_key(self) -> bytes:
        """Return the key under which persons are hashed, made at the first call and readable for its owner alone."""
        folder = self.own / KEYS
        path = folder / KEY_FILE
        make_folder(folder)
        with brief_lock(folder / "keys.lock"), explained(path):
            if not path.exists():
                self._write_key(secrets.token_hex(KEY_BYTES))
        try:
            return bytes.fromhex(json.loads(self.box.read(path, KEY_PLACE))["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise describe_damaged(path) from error

    def seal(self, name: str, values: tuple[str, ...]) -> str:
        """Return values so that only this workspace and the same name open them."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return (nonce + self._cipher(name).encrypt(nonce, json.dumps(values).encode(), b"erasure")).hex()

    def open_sealed(self, name: str, sealed: str) -> tuple[str, ...]:
        """Return what `seal` closed; nothing where it cannot be opened."""
        data = bytes.fromhex(sealed)
        try:
            return tuple(json.loads(self._cipher(name).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], b"erasure")))
        except InvalidTag:
            return ()

    def _cipher(self, name: str) -> AESGCM:
        derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=self.read_key(), info=b"skiff erasure").derive(
            name.encode()
        )
        return AESGCM(derived)

    def adopt_key(self, key: str) -> None:
        """Take the key that tombstones were made with, so that they go on naming the same persons."""
        make_folder(self.own / KEYS)
        self._write_key(key)

    def _write_key(self, key: str) -> None:
        data = json.dumps({"key": key}).encode() + b"\n"
        write_atomic(self.own / KEYS / KEY_FILE, self.box.close(data, KEY_PLACE))


def describe_damaged(path: Path) -> SkiffError:
    """Return the error for tombstones that cannot be read."""
    return SkiffError(
        "erasures_damaged",
        what="The list of what was erased cannot be read.",
        where={"file": str(path)},
        fix="Put it back from a backup: without it, nobody knows what must not come back.",
    )
