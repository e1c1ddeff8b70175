"""Folders in memory for what an encrypted workspace must hold as a plain file for a moment: never on a disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.files import explained

MEMORY = Path("/dev/shm")  # noqa: S108  a file system in memory, and each folder made in it is ours alone
LEAST_FREE_BYTES = 64 << 20
_MOUNTS = Path("/proc/mounts")


@contextlib.contextmanager
def make_memory_folder(root: Path) -> Iterator[Path]:
    """Give a folder in memory that only its owner may enter; it is gone when the block ends.

    Parameters
    ----------
    root : Path
        The folder it works for: what a killed process leaves is removed when that is swept.

    Raises
    ------
    SkiffError
        ``no_private_memory`` where this machine has no such place, or no room in it.
    """
    if not is_in_memory(MEMORY) or shutil.disk_usage(MEMORY).free < LEAST_FREE_BYTES:
        raise SkiffError(
            "no_private_memory",
            what=f"This file is too large to be read in one piece, and {MEMORY} has no room for its pieces. In an encrypted "
            "workspace nothing plain is written to the disk, not even for a moment.",
            where={"folder": str(MEMORY)},
            fix="Make room there (in a container, --shm-size), or cut the file into parts of less than 48 MB.",
        )
    with explained(MEMORY):
        folder = Path(tempfile.mkdtemp(prefix=_name(root), dir=MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_memory_folders(root: Path) -> int:
    """Remove what killed processes left in memory for `root`, and return how many folders that were."""
    swept = 0
    if MEMORY.is_dir():
        for folder in MEMORY.glob(f"{_name(root)}*"):
            with contextlib.suppress(OSError):  # somebody else's, or gone already
                if folder.stat().st_uid == os.getuid():
                    shutil.rmtree(folder)
                    swept += 1
    return swept


def is_in_memory(folder: Path) -> bool:
    """Return whether a folder is the mount of a file system in memory."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
    except OSError:  # no Linux
        return False
    return any(len(parts) > 2 and parts[1] == str(folder) and parts[2] == "tmpfs" for parts in mounts)  # noqa: PLR2004  fields of fstab(5)


def _name(root: Path) -> str:
    return f"skiff-{hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]}-"
