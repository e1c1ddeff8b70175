"""Which release answers, and its files: read in microseconds, without the libraries that the catalog needs to write.

A server starts with this and asks it several times a second, so that a promotion takes effect at once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from skiff.core.errors import SkiffError
from skiff.core.optional import import_extra
from skiff.store.box import PLAIN, Box
from skiff.store.gone import read_gone_release
from skiff.store.sqlite_errors import describe_sqlite_error
from skiff.store.trust import name_file, refuse_bad_signature

PRESENT = "SELECT number FROM promotion WHERE undone IS NULL ORDER BY position DESC LIMIT 1"
SEALED = "SELECT manifest_sha256 FROM release WHERE number = {number:d}"
NUMBERS = "SELECT number FROM release ORDER BY number"

Ask = Callable[[str], list[tuple[Any, ...]]]


class ReleaseShelf:
    """The releases of a workspace, for reading.

    Parameters
    ----------
    folder : Path
        The workspace's ``.skiff``.
    database : str or None
        ``[store] database``.
    box : Box
        What the files go through.
    """

    def __init__(self, folder: Path, *, database: str | None = None, box: Box = PLAIN) -> None:
        """Remember where the releases are."""
        self._box = box
        self._own = folder
        self._releases = folder / "releases"
        self._ask = _ask_server(database) if database else _ask_file(folder / "catalog.db")

    def read_champion(self) -> int | None:
        """Return the number of the release that answers, or None."""
        found = self._ask(PRESENT)
        return int(found[0][0]) if found else None

    def list_numbers(self) -> tuple[int, ...]:
        """Return the numbers of all releases, oldest first."""
        return tuple(int(row[0]) for row in self._ask(NUMBERS))

    def read_release(self, number: int) -> tuple[dict[str, Any], dict[str, bytes]]:  # Any: a JSON document
        """Return a release's manifest and its ONNX files, each checked against its hash, and the manifest against its signature.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``, ``release_erased``.
        """
        sealed = self._ask(SEALED.format(number=number))
        if not sealed:
            raise SkiffError(
                "release_not_found",
                what=f"There is no release {number} in this workspace.",
                where={"release": number},
                fix="See what there is with: skiff releases list",
            )
        gone = read_gone_release(self._own, number, box=self._box)
        if gone is not None:
            raise gone
        place = self._releases / f"{number:04d}"
        document = self._read_whole(place / "manifest.json", self._box.read_digest(str(sealed[0][0])), number)
        refuse_bad_signature(document, place, own=self._own, box=self._box)
        manifest: dict[str, Any] = json.loads(document)
        files = {
            name: self._read_whole(place / name, entry["sha256"], number)
            for name, entry in manifest["files"].items()
            if name.endswith(".onnx")
        }
        return manifest, files

    def _read_whole(self, path: Path, sha256: str, number: int) -> bytes:
        data = self._box.read(path, name_file(number, path.name))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise SkiffError(
                "release_damaged",
                what=f"In release {path.parent.name}, the file {path.name} was changed or damaged after it was published.",
                where={"file": str(path), "release": path.parent.name},
                fix="Put the release's folder back from a backup, or go back with `skiff releases rollback`.",
            )
        return data


def _ask_file(path: Path) -> Ask:
    def ask(query: str) -> list[tuple[Any, ...]]:
        try:
            connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5)
            try:
                return connection.execute(query).fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            known = describe_sqlite_error(error, path)
            if known is None:
                raise
            raise known from error

    return ask


def _ask_server(database: str) -> Ask:
    psycopg: Any = import_extra("psycopg", extra="postgres")  # an optional library
    url = "postgresql://" + database.partition("://")[2]

    def ask(query: str) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                return list(connection.execute(query).fetchall())
        except psycopg.Error as error:
            raise SkiffError(
                "database_unreachable",
                what="The database named in the setting 'store.database' did not answer or refused the request.",
                where={"setting": "store.database"},
                fix="Check that it is running and that this user may create tables there; then run the command again.",
            ) from error

    return ask
