"""Encrypt what a workspace holds, decrypt it, or give it another key: piece by piece, so that a killed process loses nothing.

Each file is written anew beside its place and renamed over it; the catalog changes in one transaction; each month of the log is built
beside its place. What is done already is recognised by what it is, never by a list of what was done, so that the same command run
again goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from skiff.core.errors import SkiffError
from skiff.store.box import Box, read_chunks
from skiff.store.catalog import Catalog
from skiff.store.cells import set_cipher
from skiff.store.cipher import HEADER_BYTES, is_encrypted, read_header
from skiff.store.erasures import KEY_FILE as ERASURE_FILE
from skiff.store.files import (
    PRIVATE_FILE,
    explained,
    make_folder,
    name_staging,
    sweep_staging,
    sync_folder,
    write_atomic,
)
from skiff.store.gone import FILE as GONE_FILE
from skiff.store.keys import PSEUDONYM_FILE
from skiff.store.ledger import HEAD_FILE
from skiff.store.memory import sweep_memory_folders
from skiff.store.personal_key import FILE as PERSONAL_FILE
from skiff.store.predictions.encrypted import Veil
from skiff.store.predictions.inserts import insert_rows
from skiff.store.predictions.log import FOLDER as LOG_FOLDER
from skiff.store.predictions.months import described, open_month, transaction
from skiff.store.predictions.records import COLUMNS, PredictionRow
from skiff.store.releases import IMMUTABLE_FILE
from skiff.store.schema import METADATA
from skiff.store.signing import FILE as SIGNING_FILE
from skiff.store.signing import KEYS
from skiff.store.trust import name_file

SEALED_KEYS = (SIGNING_FILE, PSEUDONYM_FILE, PERSONAL_FILE, ERASURE_FILE)
"""Files of ``.skiff/keys`` that hold a secret; those of API keys hold hashes of 256 random bits, and public keys are public."""

ROWS_A_STEP = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a workspace keeps things.

    Parameters
    ----------
    own : Path
        ``.skiff``.
    objects : Path
    """

    own: Path
    objects: Path


def convert(places: Places, before: Box, after: Box, *, tell: Callable[[str], None]) -> dict[str, int]:
    """Take everything from one box into another, and return how many objects, files of releases and log rows were changed.

    Only while nobody else has the workspace open. Unfinished trainings are forgotten: they are caches.

    Raises
    ------
    SkiffError
        ``object_damaged`` or ``encrypted_damaged`` at something that is not as it was written: damage is never carried over.
    """
    own = places.own
    _sweep(places)
    if (own / "trials").is_dir():
        shutil.rmtree(own / "trials")
    tell("objects")
    objects = sum(_convert_object(places.objects, path, before, after) for path in _list_objects(places.objects))
    tell("releases")
    files = sum(_convert_file(path, name, before, after, mode=IMMUTABLE_FILE) for path, name in _list_released(own))
    for name in SEALED_KEYS:
        _convert_file(own / KEYS / name, f"{KEYS}/{name}", before, after, mode=PRIVATE_FILE)
    tell("prediction log")
    log = own / LOG_FOLDER
    rows = sum(_convert_month(path, own / "tmp", before, after) for path in sorted(log.glob("????-??.db")))
    tell("catalog")
    _convert_catalog(own / "catalog.db", before, after)
    for name in (HEAD_FILE, GONE_FILE):
        _convert_file(own / name, name, before, after, mode=PRIVATE_FILE)
    return {"objects": objects, "release_files": files, "log_rows": rows}


def _sweep(places: Places) -> None:
    sweep_memory_folders(places.objects)
    releases = [path for path in (places.own / "releases").iterdir() if path.is_dir()]
    for folder in (places.own, places.own / "tmp", places.objects, places.own / KEYS, *releases):
        if folder.is_dir():
            sweep_staging(folder)


def _list_objects(root: Path) -> Iterator[Path]:
    for folder in sorted(root.glob("[0-9a-f][0-9a-f]")):
        yield from sorted(folder.iterdir())


def _convert_object(root: Path, path: Path, before: Box, after: Box) -> bool:
    """Write an object anew under the name it has in the other box, then remove the old one."""
    kept = path.parent.name + path.name
    sha256 = _read_name(before, kept)
    if sha256 is None:
        if _read_name(after, kept) is None:
            raise SkiffError(
                "object_damaged",
                what=f"There is a file {path} that is none of this workspace's, so nothing can be said of what it holds.",
                where={"file": str(path)},
                fix="Move it elsewhere and run the same command again.",
            )
        return False
    name = after.name_object(sha256)
    place = root / name[:2] / name[2:]
    make_folder(place.parent)
    staging = name_staging(root)
    with explained(path):
        _write_checked(
            staging,
            after.close_stream(
                _check(before.read_stream(path, f"objects/{sha256}"), sha256, path), f"objects/{sha256}"
            ),
        )
        staging.replace(place)
        sync_folder(place.parent)
        path.unlink()
        with contextlib.suppress(OSError):  # others are in it
            path.parent.rmdir()
    return True


def _read_name(box: Box, kept: str) -> str | None:
    """Return the hash of an object by its name on the disk; a plain name has 64 digits, an encrypted one 96."""
    if box.cipher is None and len(kept) != 2 * hashlib.sha256().digest_size:
        return None
    return box.read_object_name(kept)


def _check(chunks: Iterable[bytes], sha256: str, path: Path) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise SkiffError(
            "object_damaged",
            what=f"The stored file {path} was changed or damaged after it was written, so it was left as it is.",
            where={"file": str(path)},
            fix="Put it back from a backup, or move it away, and run the same command again.",
        )


def _write_checked(staging: Path, chunks: Iterable[bytes]) -> None:
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        staging.unlink(missing_ok=True)
        raise


def _list_released(own: Path) -> Iterator[tuple[Path, str]]:
    for folder in sorted((own / "releases").iterdir()):
        if folder.is_dir() and folder.name.isdecimal():
            for path in sorted(folder.iterdir()):
                yield path, name_file(int(folder.name), path.name)


def _convert_file(path: Path, name: str, before: Box, after: Box, *, mode: int) -> bool:
    """Write a file anew in its place, unless that was done."""
    if not path.is_file() or not _is_in(path, name, before):
        return False
    write_atomic(path, after.close(before.read(path, name), name), mode=mode)
    return True


def _is_in(path: Path, name: str, box: Box) -> bool:
    """Return whether a file is as this box writes it."""
    head = next(read_chunks(path), b"")[:HEADER_BYTES]
    if box.cipher is None:
        return not is_encrypted(head)
    return is_encrypted(head) and read_header(head, name).key_id == box.cipher.id


def _convert_catalog(path: Path, before: Box, after: Box) -> None:
    """Write every row of every table anew in one transaction, then leave no trace of the old ones in the file."""
    if not path.exists():
        return
    catalog = Catalog.open(path, cipher=before.cipher)
    engine = catalog._engine  # noqa: SLF001  its own door has no way to change the cipher, on purpose
    try:
        with catalog.write() as connection:
            if _is_catalog_in(connection, before):
                rows = {
                    table: [dict(row) for row in connection.execute(select(table)).mappings()]
                    for table in METADATA.sorted_tables
                }
                for table in METADATA.sorted_tables:
                    connection.execute(delete(table))
                set_cipher(engine, after.cipher)
                for table, found in rows.items():
                    if found:
                        connection.execute(insert(table), found)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as plain:
            plain.execute("PRAGMA secure_delete=ON")
            plain.execute("PRAGMA temp_store=MEMORY")
            plain.execute("VACUUM")
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        catalog.close()


def _is_catalog_in(connection: Any, box: Box) -> bool:  # noqa: ANN401  SQLAlchemy's connection
    """Return whether the catalog's rows are as this box writes them: told by a hash that each table has."""
    for table in METADATA.sorted_tables:
        column = "seal" if "seal" in table.c else "hash"
        found = connection.exec_driver_sql(f'SELECT {column} FROM "{table.name}" LIMIT 1').scalar()  # noqa: S608  our own names
        if found is not None:
            if box.cipher is None:
                return all(letter in "0123456789abcdef" for letter in found)
            try:
                box.read_digest(found)
            except SkiffError:
                return False
            return True
    return False  # an empty catalog is in every box


def _convert_month(path: Path, staging_folder: Path, before: Box, after: Box) -> int:
    """Build a month of the log anew beside its place, and return its rows; 0 where that was done."""
    leaving = None if before.cipher is None else Veil(before.cipher)
    entering = None if after.cipher is None else Veil(after.cipher)
    staging = name_staging(staging_folder)
    with described(path), contextlib.closing(open_month(path)) as source:
        if not _is_month_in(source, leaving, entering):
            return 0
        with contextlib.closing(open_month(staging, create=True)) as target, transaction(target):
            n_rows = _copy_predictions(source, target, leaving, entering)
            _copy_outcomes(source, target, leaving, entering)
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with explained(path):
        for extra in ("-wal", "-shm"):  # gone with the last connection, unless the disk was pulled away under it
            path.with_name(path.name + extra).unlink(missing_ok=True)
        handle = os.open(staging, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        staging.replace(path)
        sync_folder(path.parent)
    return n_rows


def _is_month_in(source: sqlite3.Connection, leaving: Veil | None, entering: Veil | None) -> bool:
    """Return whether a month is still in the box it is to leave: told by its first row."""
    first = source.execute(f"SELECT {', '.join(COLUMNS)} FROM prediction LIMIT 1").fetchone()  # noqa: S608  names of our own columns
    if first is None:
        return False
    row = PredictionRow._make(first)
    return _opens(leaving, row) if leaving is not None else not _opens(entering, row)


def _opens(veil: Veil | None, row: PredictionRow) -> bool:
    if veil is None:
        return False
    try:
        veil.uncover(row)
    except SkiffError:
        return False
    return True


def _copy_predictions(
    source: sqlite3.Connection, target: sqlite3.Connection, leaving: Veil | None, entering: Veil | None
) -> int:
    n_rows = 0
    cursor = source.execute(f"SELECT {', '.join(COLUMNS)} FROM prediction ORDER BY id")  # noqa: S608  names of our own columns
    while found := cursor.fetchmany(ROWS_A_STEP):
        rows = [PredictionRow._make(row) for row in found]
        if leaving is not None:
            rows = [leaving.uncover(row) for row in rows]
        if entering is not None:
            rows = entering.cover(rows)
        insert_rows(target, rows)
        n_rows += len(rows)
    return n_rows


def _copy_outcomes(
    source: sqlite3.Connection, target: sqlite3.Connection, leaving: Veil | None, entering: Veil | None
) -> None:
    cursor = source.execute("SELECT sequence, id, value, at, received FROM outcome ORDER BY sequence")
    while found := cursor.fetchmany(ROWS_A_STEP):
        rows = []
        for sequence, prediction, kept, at, received in found:
            plain = leaving.uncover_outcome(kept, prediction) if leaving is not None else kept
            value = entering.cover_outcome(plain, prediction) if entering is not None else plain
            rows.append((sequence, prediction, value, at, received))
        target.executemany("INSERT INTO outcome (sequence, id, value, at, received) VALUES (?, ?, ?, ?, ?)", rows)
