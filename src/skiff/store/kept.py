"""Read any file of a workspace, whichever part wrote it."""

from __future__ import annotations

from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.box import Box
from skiff.store.files import MAGIC, read_bytes


def read_kept(path: Path, *, box: Box, own: Path, objects: Path) -> bytes:
    """Return what a file holds, decrypted where it is encrypted; that it is the right content is not checked.

    Parameters
    ----------
    path : Path
    box : Box
        Of the workspace.
    own : Path
        Its ``.skiff``.
    objects : Path
        Where its objects lie.

    Raises
    ------
    SkiffError
        ``encrypted_damaged``, ``wrong_key`` and what the disk says.
    """
    data = read_bytes(path)
    if not data.startswith(MAGIC):
        return data
    name = _name_kept(path, box=box, own=own, objects=objects)
    if box.cipher is None or name is None:
        raise SkiffError(
            "encrypted_damaged",
            what=f"{path} is encrypted, and not by this workspace.",
            where={"file": str(path)},
            fix="Move it out of the workspace's folder.",
        )
    return box.open(data, name)


def _name_kept(path: Path, *, box: Box, own: Path, objects: Path) -> str | None:
    """Return the name under which a file went through the box; None where it lies in no place of ours."""
    if path.is_relative_to(objects):
        return f"objects/{box.read_object_name(path.parent.name + path.name)}"
    if not path.is_relative_to(own):
        return None
    inside = path.relative_to(own)
    return f"trials/{path.name}" if inside.parts[0] == "trials" else inside.as_posix()
