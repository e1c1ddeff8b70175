"""What a worker serves at this moment: releases, keys, shares; kept fresh without a restart."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from skiff.core.settings import ServingSettings, Settings
from skiff.flows.desk import Desk, Shares
from skiff.flows.standing import Standing, open_standing, refuse_none
from skiff.store.box import PLAIN, Box
from skiff.store.champion import ReleaseShelf
from skiff.store.keys import ApiKey, KeyRing
from skiff.store.predictions.ids import IdMaker
from skiff.store.probation import read_trial
from skiff.store.settings import read_settings

MOST_OTHERS = 2
"""Releases besides champion and challenger that stay open for requests that name a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that may change while a server runs, read at one moment."""

    desk: Desk
    serving: ServingSettings
    keys: tuple[ApiKey, ...]


class Source:
    """Reads a workspace as a server sees it. Everything here may block: call it beside the event loop.

    Parameters
    ----------
    root : Path
        The workspace.
    settings : Settings
    box : Box
        What its bytes go through.
    """

    def __init__(self, root: Path, settings: Settings, *, box: Box = PLAIN) -> None:
        """Remember where everything is."""
        own = root / ".skiff"
        self._own = own
        self._root = root
        self._settings = settings
        self._shelf = ReleaseShelf(own, database=settings.store.database, box=box)
        self._ring = KeyRing(own, box=box)
        self._ids = IdMaker()
        self._open: dict[tuple[int, object, int | None], Standing] = {}
        self._snapshot: Snapshot | None = None
        self._seen: tuple[object, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the model: that of the workspace's folder."""
        return self._root.name or "model"

    @property
    def root(self) -> Path:
        """Return the workspace's folder."""
        return self._root

    def read(self) -> Snapshot:
        """Return what is so now; the same object as before where nothing changed.

        Raises
        ------
        SkiffError
            ``no_release``, ``release_damaged``, and the problems of ``skiff.toml``.
        """
        settings_stamp = _read_stamp(self._root / "skiff.toml")
        champion = self._shelf.read_champion()
        trial = None if champion is None else read_trial(self._own, champion)
        seen = (settings_stamp, champion, self._ring.read_stamp(), trial)
        if self._snapshot is not None and seen == self._seen:
            return self._snapshot
        self._settings = read_settings(self._root)
        serving = self._settings.serving
        number = refuse_none(champion, str(self._root))
        standing = self._stand(number, serving, before=trial.before if trial else None)
        has_challenger = serving.challenger is not None and serving.challenger != number
        challenger = self._stand(serving.challenger or 0, serving) if has_challenger else None
        desk = Desk(
            standing,
            ids=self._ids,
            clock=now_micros,
            challenger=challenger,
            shares=Shares(challenger=serving.challenger_share, control=serving.control_share),
        )
        self._snapshot = Snapshot(desk=desk, serving=serving, keys=self._ring.list())
        self._seen = seen
        kept = {number, serving.challenger}
        others = [key for key in self._open if key[0] not in kept]
        for key in others[: max(0, len(others) - MOST_OTHERS)]:
            del self._open[key]
        return self._snapshot

    def list_numbers(self) -> tuple[int, ...]:
        """Return the numbers of all releases."""
        return self._shelf.list_numbers()

    def open_desk(self, number: int) -> Desk:
        """Return a desk at which one release, named by a client, answers alone.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``.
        """
        serving = self._settings.serving
        return Desk(
            self._stand(number, serving),
            ids=self._ids,
            clock=now_micros,
            shares=Shares(control=serving.control_share),
        )

    def _stand(self, number: int, serving: ServingSettings, *, before: int | None = None) -> Standing:
        key = (number, serving.keep_inputs, before)
        if key not in self._open:
            hash_key = self._ring.read_pseudonym_key() if serving.keep_inputs == "hashed" else b""
            self._open[key] = open_standing(
                self._shelf, number, keep=serving.keep_inputs, hash_key=hash_key, before=before
            )
        return self._open[key]


def now_micros() -> int:
    """Return the time in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def _read_stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)
