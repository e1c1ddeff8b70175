"""The history of watching: judged windows, newest last, and what a watch remembers between its runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from skiff.core.evidence import Json
from skiff.store.catalog import Catalog, to_text
from skiff.store.clock import Clock
from skiff.store.schema import WATCH, WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecord:
    """One judged window.

    Parameters
    ----------
    position : int
        From 1, in the order of judging.
    source : {"log", "look", "file"}
        A whole window of the log, a look at other rows of it, or a file.
    release, rows : int
    since, until, judged : str
        UTC, ISO 8601; the first two are empty where a file has no time.
    body : str
        The report as JSON, as `skiff.monitor.window.WindowReport` is encoded.
    """

    position: int
    source: str
    release: int
    since: str
    until: str
    rows: int
    judged: str
    body: str


class Windows:
    """Keeps judged windows and the state of watching.

    Parameters
    ----------
    catalog : Catalog
    clock : callable
    """

    def __init__(self, catalog: Catalog, *, clock: Clock) -> None:
        """Keep the parts."""
        self._catalog = catalog
        self._clock = clock

    def add(self, *, source: str, release: int, since: str, until: str, rows: int, body: str) -> WindowRecord:
        """Keep a judged window; the same span of the same release judged again replaces the earlier judgement."""
        values: dict[str, Json] = {
            "source": source,
            "release": release,
            "since": since,
            "until": until,
            "rows": rows,
            "judged": self._clock(),
            "body": body,
        }
        with self._catalog.write() as connection:
            same = (WINDOW.c.release == release, WINDOW.c.since == since, WINDOW.c.until == until)
            found = self._catalog.fetch(connection, select(WINDOW).where(*same, WINDOW.c.source == source), WINDOW)
            if found and since:
                return _to_record(self._catalog.update(connection, WINDOW, found[0], **values))
            row: dict[str, Json] = {"position": self._catalog.next_position(connection, WINDOW.c.position), **values}
            self._catalog.insert(connection, WINDOW, row)
        return _to_record(row)

    def list(
        self, *, release: int | None = None, source: str | None = None, before: str = "", last: int | None = None
    ) -> tuple[WindowRecord, ...]:
        """Return judged windows in the order of their time.

        Parameters
        ----------
        release : int, optional
        source : {"log", "file"}, optional
        before : str
            Only windows that begin before this moment.
        last : int, optional
            At most so many, the newest.
        """
        chosen = select(WINDOW).order_by(WINDOW.c.since.desc(), WINDOW.c.position.desc())
        if release is not None:
            chosen = chosen.where(WINDOW.c.release == release)
        if source is not None:
            chosen = chosen.where(WINDOW.c.source == source)
        if before:
            chosen = chosen.where(WINDOW.c.since < before)
        if last is not None:
            chosen = chosen.limit(last)
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, chosen, WINDOW)
        return tuple(_to_record(row) for row in reversed(rows))

    def read_state(self, name: str) -> dict[str, Any]:
        """Return what was remembered under a name; nothing at first."""
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(WATCH).where(WATCH.c.name == name), WATCH)
        found: dict[str, Any] = json.loads(rows[0]["body"]) if rows else {}
        return found

    def write_state(self, name: str, body: dict[str, Any]) -> None:
        """Remember something under a name, instead of what was there; whole or not at all."""
        text = to_text(body)
        with self._catalog.write() as connection:
            rows = self._catalog.fetch(connection, select(WATCH).where(WATCH.c.name == name), WATCH)
            if rows:
                self._catalog.update(connection, WATCH, rows[0], body=text)
            else:
                self._catalog.insert(connection, WATCH, {"name": name, "body": text})


def _to_record(row: dict[str, Any]) -> WindowRecord:
    return WindowRecord(**{name: row[name] for name in WindowRecord.__slots__})
