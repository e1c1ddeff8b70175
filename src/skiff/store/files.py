"""Files that are either whole or not there, and what the disk says when it refuses.

A file is written beside its place under a name that starts with `STAGING_PREFIX`, forced to the disk, and only then
renamed; then the folder is forced to the disk too. A process that is killed in between leaves a staging file, which
`sweep_staging` removes at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from skiff.core.errors import SkiffError

STAGING_PREFIX = ".skiff-tmp-"
"""How the name of a file or folder in the making begins."""

MAGIC = b"SKIFFENC"
"""How a file begins that `skiff.store.cipher` wrote."""

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM})


def describe_os_error(error: OSError, path: Path) -> SkiffError:
    """Return what the disk said about `path` as an error a person can act on.

    Examples
    --------
    >>> describe_os_error(OSError(28, "No space left on device"), Path("orders/report.html")).code
    'disk_full'
    """
    # os.path, because Path.is_dir raises where a folder on the way may not be entered
    folder = path if os.path.isdir(path) else path.parent  # noqa: PTH112  see above
    where: dict[str, str | int] = {"file": str(path), "folder": str(folder)}
    if error.errno in _FULL:
        return SkiffError(
            "disk_full",
            what=f"There is no room left to write in {folder}.",
            where=where,
            fix="Free some space there (or raise your quota) and run the same command again; nothing was lost.",
        )
    if error.errno in _REFUSED:
        return SkiffError(
            "no_permission",
            what=f"You are not allowed to read or write {path}.",
            where=where,
            fix=f"Ask the owner of {folder} for access, or work in another folder with --workspace DIR.",
        )
    if error.errno == errno.EROFS:
        return SkiffError(
            "read_only",
            what=f"The disk that holds {folder} can only be read.",
            where=where,
            fix="Work in a folder on another disk with --workspace DIR, or have this disk mounted for writing.",
        )
    if error.errno == errno.EIO:
        return SkiffError(
            "disk_failing",
            what=f"The disk could not read or write {path}.",
            where=where,
            fix="Copy the folder to another disk as soon as you can, and check this one.",
        )
    return SkiffError(
        "file_unusable",
        what=f"{path} cannot be used: {os.strerror(error.errno or 0).lower()}.",
        where=where,
        fix="Check that the path is right and that every folder in it exists.",
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the operating system says about `path` inside the block into a `SkiffError`."""
    try:
        yield
    except OSError as error:
        raise describe_os_error(error, path) from error


def make_folder(path: Path, *, mode: int = PRIVATE_FOLDER) -> None:
    """Make one folder with exactly `mode`, whatever the umask; an existing one is left as it is."""
    with explained(path):
        try:
            path.mkdir(mode=mode)
        except FileExistsError:
            if not path.is_dir():
                raise
        else:
            path.chmod(mode)
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in `folder` to the disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_new(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write a file that must not exist yet and force its bytes to the disk (but not its name: see `sync_folder`)."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private(path: Path) -> None:
    """Make an empty file that only its owner may read, where there is none.

    A file that is there is not opened: closing any handle of a file drops every lock this process holds on it (fcntl(2)), and
    a database that is open elsewhere in the process would lose its own.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE))


def name_staging(folder: Path) -> Path:
    """Return a free name in `folder` for something in the making."""
    return folder / f"{STAGING_PREFIX}{secrets.token_hex(8)}"


def write_atomic(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace or create `path` so that a reader, or the next start after a crash, sees the old bytes or the new.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    data : bytes
    mode : int
        Permissions of the file, whatever the umask.

    Raises
    ------
    SkiffError
        ``disk_full``, ``no_permission``, ``read_only``, ``disk_failing`` or ``file_unusable``.
    """
    staging = name_staging(path.parent)
    with explained(path):
        try:
            write_new(staging, data, mode=mode)
            staging.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):  # what cannot be removed now is swept at the next start
                staging.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def replace_atomic(path: Path, *, mode: int = PRIVATE_FILE) -> Iterator[Path]:
    """Hand out the place of a file in the making, which takes the name `path` when the block ends well, and else is removed.

    Raises
    ------
    SkiffError
        As `write_atomic`.
    """
    staging = name_staging(path.parent)
    with explained(path):
        try:
            write_new(staging, b"", mode=mode)
            yield staging
            handle = os.open(staging, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fchmod(handle, mode)
                os.fsync(handle)
            finally:
                os.close(handle)
            staging.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):  # swept at the next start
                staging.unlink(missing_ok=True)
            raise


def sweep_staging(folder: Path) -> int:
    """Remove what a killed process left half made in `folder`, and return how many things that were."""
    swept = 0
    with explained(folder), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(STAGING_PREFIX):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                Path(entry.path).unlink()
            swept += 1
    return swept


def read_bytes(path: Path) -> bytes:
    """Return the bytes of `path`; what the disk refuses is explained."""
    with explained(path):
        return path.read_bytes()
