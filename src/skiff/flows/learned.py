"""Which rows of its table a release learned from, and which it was judged on, as training noted them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from skiff.flows.positions import pack_rows, unpack_rows
from skiff.store.erasures import Noted
from skiff.store.workspace import Workspace

Rows: TypeAlias = NDArray[np.int64]


class _Split(msgspec.Struct):
    """What a kept candidate says of its rows; the rest of it is not read."""

    train_sha256: str
    test_sha256: str


def find_split(workspace: Workspace, number: int) -> tuple[Rows, Rows] | None:
    """Return the positions of the rows that a release learned from and of those it was judged on.

    They count in the table that stands in place of the release's own, where rows were removed since. Rows in neither part had no
    label, or lay in a gap that an honest split leaves between the two.

    Parameters
    ----------
    number : int
        The release.

    Returns
    -------
    tuple of two ndarrays, or None
        None where training noted none, as a challenger's does: see `list_unseen`.
    """
    files = workspace.releases.read_manifest(number).get("files")
    entry = files.get("model.onnx") if isinstance(files, dict) else None
    model = str(entry.get("sha256") if isinstance(entry, dict) else entry)
    table = workspace.erasures.follow(workspace.releases.get(number).dataset_sha256)
    noted = _list_noted(workspace, table).get(model)
    if noted is None or not all(workspace.objects.has(sha256) for sha256 in (noted.train, noted.test)):
        return None
    return unpack_rows(workspace.objects.get(noted.train)), unpack_rows(workspace.objects.get(noted.test))


def list_unseen(workspace: Workspace, dataset_sha256: str) -> Rows:
    """Return the rows of a dataset that were kept aside by every split of it that was looked at: no model learned from these.

    What stands in where nobody noted a release's own rows. It is never too many, but may be too few.
    """
    table = workspace.erasures.follow(dataset_sha256)
    splits = [
        set(unpack_rows(workspace.objects.get(sha256)).tolist())
        for sha256 in workspace.runs.list_sealed(table)
        if workspace.objects.has(sha256)
    ]
    return np.array(sorted(set.intersection(*splits)) if splits else [], dtype=np.int64)


def carry_splits(workspace: Workspace, before: str, after: str, move: Callable[[Rows], Rows]) -> None:
    """Note the rows of all models of a table as they count in the one that takes its place.

    Parameters
    ----------
    before, after : str
        Hashes of the two tables.
    move : callable
        Gives the positions of rows in the new table; those that are gone are left out.
    """
    moved = {}
    for model, noted in _list_noted(workspace, before).items():
        if workspace.objects.has(noted.train) and workspace.objects.has(noted.test):
            train, test = (
                workspace.objects.put(pack_rows(move(unpack_rows(workspace.objects.get(sha256)))))
                for sha256 in (noted.train, noted.test)
            )
            moved[model] = Noted(dataset=after, train=train, test=test)
    workspace.erasures.note_splits(moved)


def _list_noted(workspace: Workspace, table: str) -> dict[str, Noted]:
    """Return what is noted of the rows of a table, by the hash of the model that learned from them."""
    found = {}
    for record in workspace.ledger.records():
        document = str(record.result.get("candidate", ""))
        if record.action != "train" or record.result.get("dataset") != f"ds_{table[:12]}" or not document:
            continue
        if workspace.objects.has(document):
            kept = msgspec.json.decode(workspace.objects.get(document), type=_Split)
            found[record.subject] = Noted(dataset=table, train=kept.train_sha256, test=kept.test_sha256)
    carried = workspace.erasures.read().splits
    return found | {model: noted for model, noted in carried.items() if noted.dataset == table}
