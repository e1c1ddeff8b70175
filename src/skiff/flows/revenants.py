"""Leave out of a restored backup whoever was erased after it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from skiff.core.evidence import Json
from skiff.flows.burial import bury_release
from skiff.flows.erase_plan import speaks
from skiff.flows.persons import Person, count_learned, find_person, is_nameless, list_columns, read_frame
from skiff.flows.places import PLACES
from skiff.flows.removal import destroy_candidates
from skiff.secure.subjects import mark_hashed, name_subject
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.log import EVER, open_store
from skiff.store.tombstones import Tombstones
from skiff.store.workspace import Workspace


def apply_tombstones(folder: Path, stones: Tombstones, *, at: Callable[[], str]) -> tuple[int, bool]:
    """Erase every person of the tombstones from a workspace that was put back.

    Parameters
    ----------
    folder : Path
    stones : Tombstones
    at : callable

    Returns
    -------
    tuple of (int, bool)
        How many persons were found and left out, and whether the release that answered went with them.

    Notes
    -----
    A model cannot be trained here and now: what learned from the persons is removed, except where a reason to keep it stands in
    the tombstones.
    """
    key = bytes.fromhex(stones.key)
    with Workspace.open(folder) as workspace, workspace.lock("restore"):
        workspace.erasures.adopt_key(stones.key)
        champion = workspace.releases.champion()
        people = _find_people(workspace, stones, key)
        for name, column in people.values():
            person, marked = find_person(workspace, name, column=column)
            learned = count_learned(workspace, marked)
            old = [item.record.sha256 for item in marked]
            for place in PLACES:
                place.erase(workspace, person, at=at)
            destroy_candidates(workspace, old)
            _bury_learned(workspace, stones, person, learned)
        with workspace.erasures.change() as books:
            books.append(replace(books[-1], subjects=stones.subjects, kept=stones.kept))
        is_gone = champion is not None and str(champion) in workspace.erasures.read().releases
        if is_gone:
            workspace.releases.withdraw_champion()
        if people:
            told: dict[str, Json] = {"persons": len(people), "champion_removed": is_gone}
            workspace.ledger.append("restore.erase", subject="tombstones", result=told, at=at())
            workspace.compact()
    return len(people), is_gone


def _find_people(workspace: Workspace, stones: Tombstones, key: bytes) -> dict[str, tuple[str, str | None]]:
    """Return the names, and the column to look in, of the persons of the tombstones that the workspace holds, by hash."""
    columns = {item.hash: item.column or None for item in stones.subjects}
    found: dict[str, tuple[str, str | None]] = {}
    named = {column for column in columns.values() if column}
    for record in workspace.datasets.list():
        if is_nameless(record):
            continue
        frame = read_frame(workspace, record)
        places = dict.fromkeys([*list_columns(workspace, frame, named=None), *named])
        for hashed, name in mark_hashed(frame, places, set(columns), key=key).items():
            found[hashed] = (name, columns[hashed])
    store = open_store(
        workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, is_read_only=True, box=workspace.box
    )
    for row in store.read(0, EVER):
        for logged in (row.prediction.subject, row.prediction.key):
            if logged is not None and (hashed := name_subject(logged, key=key)) in columns:
                found.setdefault(hashed, (logged, columns[hashed]))
    store.close()
    return found


def _bury_learned(workspace: Workspace, stones: Tombstones, person: Person, learned: dict[int, int]) -> None:
    kept = {(item.hash, item.subject) for item in stones.kept}
    for number, rows in learned.items():
        record = workspace.releases.get(number)
        may_stay = not rows or (record.manifest_sha256, person.hash) in kept
        if not may_stay or speaks(workspace, record.path, person):
            bury_release(workspace, number, person)
