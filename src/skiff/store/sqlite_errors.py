"""What SQLite's error codes mean for a person; free of SQLAlchemy, so that a server starts without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from skiff.core.errors import SkiffError

BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another's transaction; ours take milliseconds, so longer means something is stuck."""

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH})
"""Every statement is ours and tested, so "no such table" too means that the file is damaged."""

_BUSY = (
    "workspace_busy",
    "Another Skiff command has been writing in {root} for too long.",
    "Wait until it is done, or stop it; then run this command again.",
)
_REFUSED = (
    "no_permission",
    "You are not allowed to read or write {path}.",
    "Ask the owner of {folder} for access, or work in another folder with --workspace DIR.",
)
_MEANINGS: Mapping[int, tuple[str, str, str]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CANTOPEN: _REFUSED,
    sqlite3.SQLITE_PERM: _REFUSED,
    sqlite3.SQLITE_AUTH: _REFUSED,
    sqlite3.SQLITE_FULL: (
        "disk_full",
        "There is no room left to write in {folder}.",
        "Free some space there and run the same command again; nothing was lost.",
    ),
    sqlite3.SQLITE_READONLY: (
        "read_only",
        "{path} can only be read, so nothing can be recorded.",
        "Work in a folder that can be written with --workspace DIR, or have this one made writable.",
    ),
    sqlite3.SQLITE_IOERR: (
        "disk_failing",
        "The disk could not read or write {path}; it may be full, limited by a quota, or failing.",
        "Make sure that {folder} has room, then run the same command again; nothing was lost.",
    ),
}
"""SQLite's result code to our code, what it means and what to do (sqlite.org/rescode.html)."""


def describe_sqlite_error(error: sqlite3.Error, path: Path) -> SkiffError | None:
    """Return what SQLite's complaint about `path` means for a person; None where it is a fault of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None  # the low byte is the kind, the rest a detail
    if primary in _DAMAGED or "decode" in str(error):
        return catalog_damaged(path)
    if primary is None or primary not in _MEANINGS:
        return None
    name, what, fix = _MEANINGS[primary]
    words = {"path": path, "folder": path.parent, "root": path.parent.parent}
    where = {"file": str(path), "folder": str(path.parent)}
    return SkiffError(name, what=what.format(**words), where=where, fix=fix.format(**words))


def catalog_damaged(path: Path, *, part: str = "") -> SkiffError:
    """Return the error for a catalog whose bytes are not what Skiff wrote."""
    return SkiffError(
        "catalog_damaged",
        what=f"The catalog {path} is damaged{part}; your datasets and releases are separate files and still there.",
        where={"file": str(path), "folder": str(path.parent)},
        fix=f"Put back a copy of {path.name} from a backup. Without one, move {path.name} (with {path.name}-wal and "
        f"{path.name}-shm) away and open the workspace again: Skiff lists the releases it finds.",
    )
