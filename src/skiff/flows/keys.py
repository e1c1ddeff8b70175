"""Make, list and revoke API keys; each is noted in the ledger by its id."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skiff.store.clock import now_utc
from skiff.store.keys import SCOPES, ApiKey, KeyRing
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.workspace import Workspace


def create_key(
    folder: Path, *, name: str, scopes: Sequence[str], lifetime_s: int | None
) -> tuple[dict[str, Any], str]:  # Any: a JSON document
    """Make a key; returns what is kept of it, and the key, which is never shown again."""
    with Workspace.open(folder) as workspace:
        made, secret = _ring(workspace).create(
            name=name,
            scopes=[scope for scope in SCOPES if scope in scopes],
            now_s=int(time.time()),
            lifetime_s=lifetime_s,
        )
        workspace.ledger.append(
            "keys.create", subject=f"key {made.id}", result={"scopes": list(made.scopes)}, at=now_utc()
        )
    return _tell(made), secret


def list_keys(folder: Path) -> list[dict[str, Any]]:  # Any: JSON documents
    """Return all keys, oldest first, without their hashes."""
    with Workspace.open(folder) as workspace:
        return [_tell(key) for key in _ring(workspace).list()]


def revoke_key(folder: Path, key_id: str) -> dict[str, Any]:  # Any: a JSON document
    """Close a key for good.

    Raises
    ------
    SkiffError
        ``key_not_found``.
    """
    with Workspace.open(folder) as workspace:
        closed = _ring(workspace).revoke(key_id, now_s=int(time.time()))
        workspace.ledger.append("keys.revoke", subject=f"key {closed.id}", result={}, at=now_utc())
    return _tell(closed)


def _ring(workspace: Workspace) -> KeyRing:
    return KeyRing(workspace.root / SKIFF_FOLDER, box=workspace.box)


def _tell(key: ApiKey) -> dict[str, Any]:  # Any: a JSON document
    state = "revoked" if key.revoked is not None else "valid" if key.is_valid(time.time()) else "expired"
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created": key.created,
        "expires": key.expires,
        "state": state,
    }
