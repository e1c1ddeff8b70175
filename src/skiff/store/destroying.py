"""Remove a file so that its name and, as far as a program can, its bytes are gone."""

from __future__ import annotations

import os
from pathlib import Path

from skiff.store.files import PRIVATE_FILE, explained, sync_folder

CHUNK = b"\x00" * (1 << 20)


def destroy_file(path: Path) -> bool:
    """Overwrite a file with zeros, force that to the disk, and remove it; return whether it was there.

    Notes
    -----
    Drives that spread their writes (SSD) and file systems that copy on write may keep the old blocks until they are used again;
    no program can reach those. A link is removed, what it points at is left alone.

    Raises
    ------
    SkiffError
        What the disk says.
    """
    with explained(path):
        if path.is_symlink():
            path.unlink()
            return True
        if not path.is_file():
            return False
        path.chmod(PRIVATE_FILE)
        left = path.stat().st_size
        with path.open("r+b", buffering=0) as stream:
            while left > 0:
                left -= stream.write(CHUNK[: min(len(CHUNK), left)])
            os.fsync(stream.fileno())
        path.unlink()
        sync_folder(path.parent)
    return True
