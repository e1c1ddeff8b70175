"""Look through all that a workspace holds for the values that name a person: as it lies on the disk, and decrypted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from skiff.flows.persons import Person
from skiff.store.bytesearch import Searched, search_folders, search_texts
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import EVER, open_store
from skiff.store.workspace import Workspace

TEXTS = ("subject", "key", "inputs", "label", "probabilities", "decision")
"""Columns of the prediction log that hold texts."""


def search_workspace(workspace: Workspace, person: Person) -> Searched:
    """Read every byte of a workspace, and say where a value that names the person stands.

    Where records are encrypted, or lie in a database server, the bytes of files do not show them: catalog, ledger and prediction
    log are then asked for their texts as well.
    """
    found = search_folders(_list_folders(workspace), person.wanted, decrypt=workspace.read_kept)
    if workspace.box.cipher is not None or workspace.settings.store.database:
        for name, texts in workspace.list_texts():
            search_texts("catalog", name, texts, person.wanted, found)
        for name, texts in _list_logged(workspace):
            search_texts("prediction log", name, texts, person.wanted, found)
    return found


def _list_logged(workspace: Workspace) -> Iterator[tuple[str, list[str]]]:
    store = open_store(
        workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, is_read_only=True, box=workspace.box
    )
    try:
        rows = [row.prediction for row in store.read(0, EVER)]
        for name in TEXTS:
            yield name, [text for row in rows if (text := getattr(row, name)) is not None]
        yield "outcome", [row.value for row in store.read_outcomes()]
    finally:
        store.close()


def _list_folders(workspace: Workspace) -> list[Path]:
    folders = [workspace.root]
    if not workspace.objects.root.is_relative_to(workspace.root):
        folders.append(workspace.objects.root)
    return folders
