"""Remove a file so that its name and, as far as a program can, its bytes are gone."""

from __future__ import annotations

import os
from pathlib import Path

from skiff.store.files import PRIVATE_FILE, explained, name_staging, sync_folder

CHUNK = b"\x00" * (1 << 20)


def destroy_file(path: Path, *, staging: Path | None = None) -> bool:
    """Overwrite a file with zeros, force that to the disk, and remove it; return whether it was there.

    It loses its name first: a process that dies half way leaves a leftover to sweep, never a damaged file under a good name.

    Parameters
    ----------
    path : Path
    staging : Path, optional
        The folder on the same disk whose leftovers are swept; by default the file's own.

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
        nameless = name_staging(staging or path.parent)
        path.chmod(PRIVATE_FILE)
        path.replace(nameless)
        sync_folder(path.parent)
        left = nameless.stat().st_size
        with nameless.open("r+b", buffering=0) as stream:
            while left > 0:
                left -= stream.write(CHUNK[: min(len(CHUNK), left)])
            os.fsync(stream.fileno())
        nameless.unlink()
        sync_folder(nameless.parent)
    return True
