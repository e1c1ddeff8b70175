"""A workspace in one file, written while others work, and put back whole or not at all.

Databases are copied through SQLite's own backup, which gives one moment of each; the prediction log first and the catalog after
it, so that every answer's release is in the catalog. Objects and releases never change, so those the catalog knows are copied as
they are, each against its hash. The index names every file with its SHA-256 and is signed with the workspace's key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from skiff.core.errors import SkiffError
from skiff.core.evidence import canonical_json
from skiff.store.box import PLAIN, Box
from skiff.store.bundle_check import fingerprint, verify_ed25519
from skiff.store.files import (
    explained,
    make_folder,
    name_staging,
    replace_atomic,
    sync_folder,
    write_new,
)
from skiff.store.gone import FILE as ERASURES
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.settings import SETTINGS_FILE
from skiff.store.signing import SigningKey
from skiff.store.sqlite_errors import describe_sqlite_error
from skiff.store.trust import KEYS, TRUSTED
from skiff.store.unlock import VAULT_FILE
from skiff.store.zips import DAMAGED

FORMAT = 1
INDEX, SIGNATURE = "backup.json", "signature.json"
CATALOG, HEAD = "catalog.db", "ledger.head"
CHUNK = 1 << 20
MOST_INDEX_BYTES = 256 << 20
"""Room for two million files; a longer index is no backup of ours."""

PLACES = re.compile(
    r"skiff\.toml|catalog\.db|ledger\.head|vault\.json|objects/[0-9a-f]{2}/[0-9a-f]{62}(?:[0-9a-f]{32})?|releases/[0-9]{4,9}/[A-Za-z0-9][\w.-]{0,99}"
    r"|predictions/[0-9-]{1,20}\.db|keys/[A-Za-z0-9][\w-]{0,60}\.json|erasures\.json",
    re.ASCII,
)
"""Every name that a backup may hold. None can lead out of a folder."""

PACKED = (".json", ".jsonl", ".toml", ".html", ".md", ".db")
"""What gets smaller by packing; tables and models are packed already."""


@dataclass(slots=True)
class Contents:
    """What goes into a backup, by its name inside, and what the catalog said at that moment."""

    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)  # Any: number and hash
    releases: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupIndex:
    """What a backup says of itself.

    Parameters
    ----------
    workspace, created : str
    head : mapping
        Number and hash of the ledger's last record.
    files : mapping of str to (str, int)
        SHA-256 and size of each.
    with_keys : bool
    public_key : str
        Of whoever wrote it.
    """

    workspace: str
    created: str
    head: Mapping[str, Any]
    files: Mapping[str, tuple[str, int]]
    with_keys: bool
    public_key: str

    @property
    def fingerprint(self) -> str:
        """Return what two people compare to know the key."""
        return fingerprint(bytes.fromhex(self.public_key))


@contextlib.contextmanager
def gather(root: Path, *, objects: Path, staging: Path, with_keys: bool, box: Box = PLAIN) -> Iterator[Contents]:
    """Give what a backup of a workspace holds at one moment; the copies of databases are gone when the block ends.

    Raises
    ------
    SkiffError
        What SQLite or the disk says; ``object_not_found`` where something that the catalog names is missing.
    """
    own = root / SKIFF_FOLDER
    place = name_staging(staging)
    make_folder(place)
    try:
        found = Contents()
        folder = own / "predictions"
        for path in sorted(folder.glob("*.db")) if folder.is_dir() else ():
            found.files[f"predictions/{path.name}"] = _copy_database(path, place / f"log-{path.name}")
        catalog = _copy_database(own / CATALOG, place / CATALOG)
        found.files[CATALOG] = catalog
        _read_catalog(catalog, found, box)
        found.files |= {f"objects/{path.parent.name}/{path.name}": path for path in _list_objects(objects)}
        for number in found.releases:
            with explained(own / "releases"):
                paths = sorted((own / "releases" / f"{number:04d}").iterdir())
            found.files |= {f"releases/{number:04d}/{path.name}": path for path in paths}
        if (own / ERASURES).is_file():
            found.files[ERASURES] = own / ERASURES
        if (root / SETTINGS_FILE).is_file():
            found.files[SETTINGS_FILE] = root / SETTINGS_FILE
        names = (
            sorted((own / KEYS).glob("*.json")) if with_keys else [own / KEYS / TRUSTED]
        )  # what is public goes always
        found.files |= {f"keys/{path.name}": path for path in names}
        if box.cipher is not None:  # the wrapped key goes always: without it the backup could never be read
            found.files[VAULT_FILE] = own / VAULT_FILE
        yield found
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _copy_database(source: Path, target: Path) -> Path:
    """Copy one moment of a database that others may be writing to, as a single file."""
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=15)) as reader,
            contextlib.closing(sqlite3.connect(target)) as writer,
        ):
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        known = describe_sqlite_error(error, source)
        if known is None:
            raise
        raise known from error
    return target


def _read_catalog(path: Path, found: Contents, box: Box) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        head = connection.execute("SELECT seq, hash FROM ledger_head").fetchone()
        found.releases = tuple(row[0] for row in connection.execute("SELECT number FROM release ORDER BY number"))
    if head is not None:
        found.head = {"seq": head[0], "hash": box.read_digest(head[1])}
        found.texts[HEAD] = box.close(canonical_json(found.head) + b"\n", HEAD)


def _list_objects(root: Path) -> Iterator[Path]:
    for path in sorted(root.glob("[0-9a-f][0-9a-f]/*")):
        if PLACES.fullmatch(f"objects/{path.parent.name}/{path.name}"):
            yield path


def write_backup(
    path: Path,
    found: Contents,
    key: SigningKey,
    *,
    workspace: str,
    created: str,
    with_keys: bool,
    box: Box = PLAIN,
) -> BackupIndex:
    """Write the file, whole or not at all.

    Raises
    ------
    SkiffError
        ``object_damaged`` where a stored file no longer has its hash: a backup must not carry damage on.
    """
    listed: dict[str, tuple[str, int]] = {}
    with replace_atomic(path) as staging, zipfile.ZipFile(staging, "w", allowZip64=True) as archive:
        for name in sorted({**found.files, **found.texts}):
            if not PLACES.fullmatch(name):
                continue  # not ours: a stray file beside our own
            listed[name] = _add(archive, name, found)
            _refuse_damage(name, listed[name][0], found, box)
        index = canonical_json(
            {
                "format": FORMAT,
                "workspace": workspace,
                "created": created,
                "with_keys": with_keys,
                "ledger_head": dict(found.head),
                "files": {name: {"sha256": sha256, "bytes": size} for name, (sha256, size) in listed.items()},
            }
        )
        archive.writestr(INDEX, index, zipfile.ZIP_DEFLATED)
        archive.writestr(SIGNATURE, canonical_json(key.sign(index)))
    return BackupIndex(
        workspace=workspace,
        created=created,
        head=found.head,
        files=listed,
        with_keys=with_keys,
        public_key=key.public.hex(),
    )


def _add(archive: zipfile.ZipFile, name: str, found: Contents) -> tuple[str, int]:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED if name.endswith(PACKED) else zipfile.ZIP_STORED
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    digest, size = hashlib.sha256(), 0
    with archive.open(entry, "w", force_zip64=True) as target:
        for chunk in _read_chunks(found, name):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return digest.hexdigest(), size


def _read_chunks(found: Contents, name: str) -> Iterator[bytes]:
    if name in found.texts:
        yield found.texts[name]
        return
    path = found.files[name]
    with explained(path), path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _refuse_damage(name: str, sha256: str, found: Contents, box: Box) -> None:
    if not name.startswith("objects/"):
        return
    wanted = box.read_object_name(name.removeprefix("objects/").replace("/", ""))
    if box.cipher is not None and wanted is not None:
        digest = hashlib.sha256()
        for chunk in box.read_stream(found.files[name], f"objects/{wanted}"):
            digest.update(chunk)
        sha256 = digest.hexdigest()
    if wanted != sha256:
        raise SkiffError(
            "object_damaged",
            what=f"The stored file {name} was changed or damaged, so no backup was written.",
            where={"file": name},
            fix="See what else is damaged with `skiff ledger verify` and put it back from an earlier backup.",
        )


# ---- putting back ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[tuple[zipfile.ZipFile, BackupIndex]]:
    """Open a backup whose index is signed and whose names and sizes are those of the index.

    Raises
    ------
    SkiffError
        ``backup_refused``.
    """
    try:
        with explained(path), zipfile.ZipFile(path) as archive:
            yield archive, _read_index(archive, path)
    except DAMAGED as error:
        raise refuse_backup(path, "it is damaged, cut, or no backup at all") from error


def _read_index(archive: zipfile.ZipFile, path: Path) -> BackupIndex:
    entries = archive.infolist()
    sizes = {entry.filename: entry.file_size for entry in entries}
    if len(sizes) != len(entries):
        raise refuse_backup(path, "a name is in it twice")
    for entry in entries:
        is_ours = entry.filename in {INDEX, SIGNATURE} or PLACES.fullmatch(entry.filename)
        if not is_ours or entry.orig_filename != entry.filename:
            raise refuse_backup(path, "it holds a name that no backup has")
        if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
            raise refuse_backup(path, "it holds something that is not a plain file")
    if not {INDEX, SIGNATURE} <= set(sizes) or sizes[INDEX] > MOST_INDEX_BYTES or sizes[SIGNATURE] > CHUNK:
        raise refuse_backup(path, "its index is missing")
    document = archive.read(INDEX)
    index = _decode_index(document, archive.read(SIGNATURE), path)
    named = {name: size for name, (_, size) in index.files.items()}
    held = {name: size for name, size in sizes.items() if name not in {INDEX, SIGNATURE}}
    if named != held:
        different = sorted(set(named.items()) ^ set(held.items()))
        raise refuse_backup(path, f"'{different[0][0]}' is missing, added or of another size than its index says")
    if CATALOG not in held:
        raise refuse_backup(path, "it holds no catalog")
    return index


def _decode_index(document: bytes, signature: bytes, path: Path) -> BackupIndex:
    try:
        signed = json.loads(signature)
        public = bytes.fromhex(signed["public_key"])
        is_signed = verify_ed25519(public, document, bytes.fromhex(signed["signature"]))
        found = json.loads(document)
        index = BackupIndex(
            workspace=str(found["workspace"]),
            created=str(found["created"]),
            head=dict(found["ledger_head"]),
            files={str(name): (str(item["sha256"]), int(item["bytes"])) for name, item in found["files"].items()},
            with_keys=bool(found["with_keys"]),
            public_key=public.hex(),
        )
        version = found["format"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse_backup(path, "its index cannot be read") from error
    if not is_signed:
        raise refuse_backup(path, "its index is not the one that was signed")
    if version != FORMAT:
        raise refuse_backup(path, "it was written by another version of Skiff, which must put it back")
    return index


def unpack(archive: zipfile.ZipFile, index: BackupIndex, target: Path, *, path: Path) -> None:
    """Write a backup's files into a new folder, each against its hash.

    Raises
    ------
    SkiffError
        ``backup_refused`` at the first file that is not what the index says; what the disk says.
    """
    needed, free = sum(size for _, size in index.files.values()), shutil.disk_usage(target.parent).free
    if needed > free:
        raise SkiffError(
            "disk_full",
            what=f"The backup needs {needed / 1e6:,.0f} MB, and {target.parent} has {free / 1e6:,.0f} MB left.",
            where={"folder": str(target.parent)},
            fix="Free some space there, or put it back into a folder on another disk; nothing was written.",
        )
    make_folder(target)
    own = target / SKIFF_FOLDER
    make_folder(own)
    for name, (sha256, size) in index.files.items():
        place = target / name if name == SETTINGS_FILE else own / name
        for parent in reversed(place.relative_to(target).parents[:-1]):
            make_folder(target / parent)
        mode = 0o444 if name.startswith("releases/") else 0o600
        try:
            with archive.open(name) as stream:
                found = _copy_hashed(stream, place, size=size)
        except (*DAMAGED, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                with explained(place):
                    raise
            raise refuse_backup(path, f"'{name}' is damaged") from error
        if found != sha256:
            raise refuse_backup(path, f"'{name}' is not what was backed up")
        place.chmod(mode)


def _copy_hashed(stream: IO[bytes], place: Path, *, size: int) -> str:
    """Write what the stream gives, never more than it should, and return its hash."""
    digest, left = hashlib.sha256(), size
    write_new(place, b"")
    with place.open("wb") as target:
        while chunk := stream.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                return "too long"
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def build_beside(target: Path) -> Iterator[Path]:
    """Hand out a folder in the making, which becomes `target` (absent or empty) when the block ends well, and else is removed."""
    staging = name_staging(target.parent)
    try:
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        yield staging
        with explained(target):
            staging.rename(target)  # also over an empty folder; a full one is refused
            sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def refuse_backup(path: Path, why: str) -> SkiffError:
    """Return the error for a file that is not put back."""
    return SkiffError(
        "backup_refused",
        what=f"{path.name} was not put back: {why}.",
        where={"file": str(path)},
        fix="Nothing was written. Use another copy of this backup, or an earlier one.",
    )
