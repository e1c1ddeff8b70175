"""Which folders a workspace has, where they are, and when a folder is one."""

from __future__ import annotations

import os
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.core.settings import Settings
from skiff.store.files import PRIVATE_FILE, explained, make_folder, sync_folder, write_atomic
from skiff.store.settings import SETTINGS_FILE, write_initial_settings

SKIFF_FOLDER = ".skiff"


def refuse_missing(root: Path, *, is_wanted: bool) -> None:
    """Refuse a folder that is no workspace, unless one is to be made there."""
    with explained(root):
        exists, is_folder = root.exists(), root.is_dir()
    if exists and not is_folder:
        raise SkiffError(
            "not_a_workspace",
            what=f"{root} is a file; a workspace is a folder.",
            where={"folder": str(root)},
            fix="Name the folder with --workspace DIR.",
        )
    if is_wanted or (is_folder and ((root / SKIFF_FOLDER).is_dir() or (root / SETTINGS_FILE).is_file())):
        return
    if not exists:
        raise SkiffError(
            "workspace_not_found",
            what=f"There is no folder {root}.",
            where={"folder": str(root)},
            fix=f"Make a workspace there with `skiff init {root}`, or name another with --workspace DIR.",
        )
    raise SkiffError(
        "not_a_workspace",
        what=f"{root} is not a Skiff workspace: it has neither {SETTINGS_FILE} nor {SKIFF_FOLDER}.",
        where={"folder": str(root)},
        fix=f"Make it one with `skiff init {root}`, or name another with --workspace DIR.",
    )


def make_root(root: Path) -> None:
    """Make the folder of a new workspace with its commented settings; what is there already is left alone."""
    with explained(root):
        root.parent.mkdir(parents=True, exist_ok=True)
    make_folder(root)
    if not is_on_read_only_disk(root):
        write_initial_settings(root)


def make_own_folders(own: Path) -> None:
    """Make ``.skiff`` and its folders; what is there already is left alone."""
    for folder in (own, own / "objects", own / "releases", own / "tmp"):
        make_folder(folder)
    if not (own / ".gitignore").exists():  # a client's data must not slip into a repository
        write_atomic(own / ".gitignore", b"*\n", mode=PRIVATE_FILE)
        with explained(own.parent):
            sync_folder(own.parent)


def is_on_read_only_disk(folder: Path) -> bool:
    """Return whether the disk under `folder` is mounted for reading only."""
    with explained(folder):
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def find_objects_root(settings: Settings, root: Path) -> Path:
    """Return where datasets and models lie: ``.skiff/objects``, or the folder that the settings name."""
    configured = settings.store.objects
    if configured is None:
        return root / SKIFF_FOLDER / "objects"
    if "://" in configured:
        raise SkiffError(
            "setting_bad_value",
            what="The setting 'store.objects' must be a folder; addresses of other machines are not supported yet.",
            where={"file": SETTINGS_FILE, "setting": "store.objects"},
            fix='For example:  objects = "/mnt/big/objects"',
        )
    return root / Path(configured).expanduser()
