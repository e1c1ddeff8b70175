"""What a release says of itself: enough to record it again when the catalog is lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.box import PLAIN, Box
from skiff.store.catalog import to_json
from skiff.store.trust import SIGNATURE_FILE, name_file

MANIFEST = "manifest.json"


def refuse_names(files: Mapping[str, bytes]) -> None:
    """Refuse names that would leave the release's folder: a fault of ours, told as one."""
    for name in files:
        if name in {"", ".", "..", MANIFEST, SIGNATURE_FILE} or "/" in name or "\\" in name or "\0" in name:
            message = f"not a name for a file of a release: {name!r}"
            raise ValueError(message)


def complete_manifest(
    manifest: Mapping[str, object],
    files: Mapping[str, bytes],
    *,
    number: int,
    created: str,
    dataset_sha: str,
    run_id: str | None,
) -> bytes:
    """Return the text of ``manifest.json``: what the release says of itself, completed with what publishing knows."""
    hashes = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)} for name, data in files.items()
    }
    filled = {"created": created, "dataset_sha256": dataset_sha, "run_id": run_id, **manifest}
    document = to_json({**filled, "number": number, "files": hashes})
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def describe_row(document: bytes, *, number: int, size_bytes: int) -> dict[str, Json]:
    """Return the catalog's row for a manifest."""
    manifest = json.loads(document)
    return {
        "number": number,
        "created": str(manifest["created"]),
        "run_id": manifest["run_id"],
        "dataset_sha256": str(manifest["dataset_sha256"]),
        "manifest_sha256": hashlib.sha256(document).hexdigest(),
        "size_bytes": size_bytes + len(document),
    }


def read_whole(place: Path, number: int, *, box: Box = PLAIN) -> dict[str, Json] | None:
    """Return the catalog's row for a folder whose files all have the hashes of its manifest, or None."""
    try:
        document = box.open((place / MANIFEST).read_bytes(), name_file(number, MANIFEST))
        manifest = json.loads(document)
        size_bytes = 0
        for name, entry in manifest["files"].items():
            data = box.open((place / name).read_bytes(), name_file(number, name))
            if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                return None
            size_bytes += len(data)
        signature = place / SIGNATURE_FILE
        if signature.is_file():
            size_bytes += len(box.open(signature.read_bytes(), name_file(number, SIGNATURE_FILE)))
        return describe_row(document, number=number, size_bytes=size_bytes) if manifest["number"] == number else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SkiffError):  # not something that `publish` made
        return None
