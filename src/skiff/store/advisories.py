"""Advisories in OSV format from a file or folder that a person brings: nothing is fetched."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.store.files import explained
from skiff.store.zips import DAMAGED

MOST_BYTES = 4 << 20
"""Of one advisory; the largest of the public collection are some 500 kB."""


def read_advisories(path: Path) -> Iterator[dict[str, Any]]:  # Any: JSON documents
    """Yield every advisory of a ZIP archive (as the public collection is offered), a folder of JSON files, or one JSON file.

    Raises
    ------
    SkiffError
        ``advisories_unreadable``: one that cannot be read would be one that was not looked up.
    """
    try:
        with explained(path):
            for name, data in _read_parts(path):
                found = json.loads(data)
                if not isinstance(found, dict):
                    raise _refuse(path, name)
                yield found
    except (*DAMAGED, ValueError) as error:
        raise _refuse(path, path.name) from error


def _read_parts(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        yield from ((item.name, item.read_bytes()) for item in sorted(path.rglob("*.json")))
    elif path.suffix.lower() == ".json":
        yield path.name, path.read_bytes()
    else:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".json"):
                    if entry.file_size > MOST_BYTES:
                        raise _refuse(path, entry.filename)
                    yield entry.filename, archive.read(entry)


def _refuse(path: Path, part: str) -> SkiffError:
    return SkiffError(
        "advisories_unreadable",
        what=f"The advisories in {path.name} cannot be read, so no package was audited.",
        where={"file": str(path), "part": part},
        fix="Bring a whole copy in OSV format: a ZIP archive or a folder with one JSON file for each advisory.",
    )
