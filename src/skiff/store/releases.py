"""Numbered releases: published whole or not at all, never changed, promoted and rolled back in one step.

A release is made ready in the staging folder, forced to the disk, renamed into place, and then recorded. A process
that dies before the rename leaves something to sweep; after it, a whole release that the next start records
(`Releases.adopt`), because its manifest holds everything the record needs. So the folders alone are enough to rebuild
the list of releases when the catalog is lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.store.box import PLAIN, Box
from skiff.store.catalog import Catalog, Row
from skiff.store.clock import Clock
from skiff.store.destroying import destroy_file
from skiff.store.erasures import Erasures, Gone
from skiff.store.files import PRIVATE_FOLDER, explained, name_staging, sync_folder, write_new
from skiff.store.ledger import Anchor, read_anchors
from skiff.store.manifests import MANIFEST, complete_manifest, describe_row, read_whole, refuse_names
from skiff.store.records import Promotion, ReleaseRecord
from skiff.store.schema import PROMOTION, RELEASE
from skiff.store.signing import load_signing_key
from skiff.store.trust import SIGNATURE_FILE, add_trusted, encode_signature, name_file, refuse_bad_signature

EVIDENCE = "evidence.jsonl"
IMMUTABLE_FILE = 0o444


class Releases:
    """The releases of a workspace.

    Parameters
    ----------
    catalog : Catalog
    root : Path
        ``.skiff/releases``.
    staging : Path
        A folder on the same disk.
    hold : callable
        Gives the writer lock.
    clock : callable
    erasures : Erasures
        Knows which releases were removed.
    box : Box
        What the files go through.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        root: Path,
        staging: Path,
        hold: Callable[[str], AbstractContextManager[None]],
        clock: Clock,
        erasures: Erasures,
        box: Box = PLAIN,
    ) -> None:
        """Keep the parts."""
        self._erasures = erasures
        self._catalog = catalog
        self._box = box
        self._root = root
        self._own = root.parent
        self._staging = staging
        self._hold = hold
        self._clock = clock

    def publish(
        self,
        files: Mapping[str, bytes],
        *,
        manifest: Mapping[str, object],
        dataset_sha: str,
        run_id: str | None,
        promote: bool,
    ) -> ReleaseRecord:
        """Make the next release of these files, and promote it if asked.

        Parameters
        ----------
        files : mapping of str to bytes
            By name, without ``manifest.json``.
        manifest : mapping
            What the release says of itself. ``number``, ``files`` (SHA-256 and size of each) and, where they are
            missing, ``created``, ``dataset_sha256`` and ``run_id`` are filled in.
        dataset_sha : str
            Hash of the training dataset.
        run_id : str or None
        promote : bool
            Whether it answers from now on.

        Raises
        ------
        SkiffError
            ``workspace_busy``, ``disk_full`` …; then there is no new release.
        """
        refuse_names(files)
        with self._hold("publish a release"):
            number = self._next_number()
            key = load_signing_key(self._own, box=self._box)
            add_trusted(self._own, key.public.hex())
            named = {**manifest, "signed_by": key.public.hex()}
            document = complete_manifest(
                named, files, number=number, created=self._clock(), dataset_sha=dataset_sha, run_id=run_id
            )
            signature = encode_signature(key.sign(document))
            place = self._place(number)
            self._write_folder(place, {**files, MANIFEST: document, SIGNATURE_FILE: signature})
            try:
                with self._catalog.write() as connection:
                    row = describe_row(
                        document, number=number, size_bytes=sum(map(len, files.values())) + len(signature)
                    )
                    self._catalog.insert(connection, RELEASE, row)
                    if promote:
                        self._promote(connection, number)
            except BaseException:
                self._withdraw(place)
                raise
        return replace(self._to_record(row), is_champion=promote)

    def list(self) -> tuple[ReleaseRecord, ...]:
        """Return all releases, oldest first."""
        with self._catalog.read() as connection:
            rows = self._catalog.fetch(connection, select(RELEASE).order_by(RELEASE.c.number), RELEASE)
            current = self._current(connection)
        champion = current["number"] if current else None
        return tuple(replace(self._to_record(row), is_champion=row["number"] == champion) for row in rows)

    def get(self, number: int) -> ReleaseRecord:
        """Return one release.

        Raises
        ------
        SkiffError
            ``release_not_found``, listing what there is.
        """
        known = self.list()
        for record in known:
            if record.number == number:
                return record
        listed = ", ".join(str(record.number) for record in known) or "none yet"
        raise SkiffError(
            "release_not_found",
            what=f"There is no release {number} in this workspace.",
            where={"release": number},
            fix=f"The releases are: {listed}. Make one with `skiff run FILE --target COLUMN`.",
        )

    def champion(self) -> int | None:
        """Return the number of the release that answers, or None where none was promoted."""
        with self._catalog.read() as connection:
            current = self._current(connection)
        return int(current["number"]) if current else None

    def promote(self, number: int) -> Promotion:
        """Let this release answer from now on. Promoting the one that answers already changes nothing.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``, ``workspace_busy``.
        """
        with self._hold(f"promote release {number}"):
            self.verify(number)
            with self._catalog.write() as connection:
                return self._promote(connection, number)

    def withdraw_champion(self) -> None:
        """Let no release answer any more."""
        with self._hold("withdraw the champion"), self._catalog.write() as connection:
            for row in self._read_promotions(connection):
                self._catalog.update(connection, PROMOTION, row, undone=self._clock())

    def rollback(self) -> Promotion:
        """Undo the last promotion: the release that answered before answers again.

        Raises
        ------
        SkiffError
            ``nothing_to_roll_back``; ``release_damaged`` where the one before is no longer whole.
        """
        with self._hold("roll back"):
            with self._catalog.read() as connection:
                stack = self._read_promotions(connection)
            if len(stack) < 2:  # noqa: PLR2004  there must be one to go back to
                raise SkiffError(
                    "nothing_to_roll_back",
                    what="No release was promoted before the present one, so there is nothing to go back to.",
                    where={"release": stack[-1]["number"] if stack else "none"},
                    fix="Choose one with `skiff releases list` and `skiff releases promote NUMBER`.",
                )
            self.verify(stack[-2]["number"])
            with self._catalog.write() as connection:
                self._catalog.update(connection, PROMOTION, stack[-1], undone=self._clock())
        return Promotion(number=stack[-2]["number"], previous=stack[-1]["number"])

    def verify(self, number: int) -> ReleaseRecord:
        """Check every file of a release against the hash it was published with.

        Raises
        ------
        SkiffError
            ``release_not_found``; ``release_damaged``, naming the first file that is changed, missing or extra.
        """
        record = self.get(number)
        expected = {name: entry["sha256"] for name, entry in self._read_manifest(record)["files"].items()}
        for name, sha256 in expected.items():
            path = record.path / name
            if not path.is_file():
                raise _describe_damaged(path, "is missing")
            digest = hashlib.sha256()
            for chunk in self._box.read_stream(path, name_file(number, name)):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                raise _describe_damaged(path, "was changed or damaged after it was published")
        with explained(record.path):
            extra = sorted(entry.name for entry in os.scandir(record.path))
        for name in extra:
            if name not in {MANIFEST, SIGNATURE_FILE, *expected}:
                raise _describe_damaged(record.path / name, "does not belong to the release")
        return record

    def bury(self, number: int, *, successor: str, home: str, keep: Callable[[Path], bool]) -> int:
        """Destroy the files of a release; its number, its record and what it remembers of the ledger stay, with a tombstone.

        Parameters
        ----------
        number : int
        successor : str
            Number of the release in its place, or nothing.
        home : str
            Number of the release under which its rows in the review queue are decided, or nothing.
        keep : callable
            Whether a paper that holds no model (manifest, signature, ledger extract) may stay.

        Returns
        -------
        int
            How many files were destroyed.
        """
        record = self.get(number)
        with self._hold(f"remove release {number}"):
            with self._catalog.write() as connection:
                for row in self._read_promotions(connection)[:-1]:
                    if row["number"] == number:  # nothing to go back to any more
                        self._catalog.update(connection, PROMOTION, row, undone=self._clock())
            self._erasures.bury_release(
                number, Gone(at=self._clock(), successor=successor, home=home, hash=record.manifest_sha256)
            )
            with explained(record.path):
                paths = sorted(record.path.iterdir()) if record.path.is_dir() else []
            stay = {MANIFEST, SIGNATURE_FILE, EVIDENCE}
            return sum(
                destroy_file(path, staging=self._staging) for path in paths if path.name not in stay or not keep(path)
            )

    def read_signature(self, number: int) -> bytes | None:
        """Return the file that holds a release's signature, checked; None where it was made before releases were signed.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``.
        """
        record = self.get(number)
        self._read_manifest(record)
        path = record.path / SIGNATURE_FILE
        return self._box.read(path, name_file(number, SIGNATURE_FILE)) if path.is_file() else None

    def read_document(self, number: int) -> bytes:
        """Return the bytes of ``manifest.json``, checked against the catalog.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``.
        """
        record = self.get(number)
        self._read_manifest(record)
        return self._box.read(record.path / MANIFEST, name_file(number, MANIFEST))

    def read_manifest(self, number: int) -> dict[str, Json]:
        """Return what a release says of itself, checked against the catalog.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``.
        """
        return self._read_manifest(self.get(number))

    def read_file(self, number: int, name: str) -> bytes:
        """Return one file of a release, checked against its manifest.

        Raises
        ------
        SkiffError
            ``release_not_found``, ``release_damaged``, ``release_file_not_found``.
        """
        record = self.get(number)
        entries = self._read_manifest(record)["files"]
        if name not in entries:
            raise SkiffError(
                "release_file_not_found",
                what=f"Release {number} has no file '{name}'.",
                where={"release": number, "file": name},
                fix=f"Its files are: {', '.join(sorted(entries))}.",
            )
        path = record.path / name
        if not path.is_file():
            raise _describe_damaged(path, "is missing")
        data = self._box.read(path, name_file(number, name))
        if hashlib.sha256(data).hexdigest() != entries[name]["sha256"]:
            raise _describe_damaged(path, "was changed or damaged after it was published")
        return data

    def adopt(self) -> tuple[int, ...]:
        """Record whole releases that the catalog does not know, and return their numbers.

        There are some after a crash between publishing and recording, and after the catalog was lost. They are not
        promoted: nobody was told that they were.
        """
        with self._catalog.read() as connection:
            known = {row["number"] for row in self._catalog.fetch(connection, select(RELEASE), RELEASE)}
        adopted = []
        for number, place in self._list_folders():
            if number in known:
                continue
            row = read_whole(place, number, box=self._box)
            if row is None:
                continue
            with self._catalog.write() as connection:
                if not connection.execute(select(RELEASE.c.number).where(RELEASE.c.number == number)).first():
                    self._catalog.insert(connection, RELEASE, row)
                    adopted.append(number)
        return tuple(adopted)

    def list_anchors(self) -> Iterator[Anchor]:
        """Yield what the releases remember of the ledger."""
        for number, place in self._list_folders():
            with contextlib.suppress(OSError, SkiffError):  # a missing or damaged file is `verify`'s to report
                kept = (place / EVIDENCE).read_bytes()
                yield from read_anchors(self._box.open(kept, name_file(number, EVIDENCE)), source=f"release {number}")

    def _promote(self, connection: Connection, number: int) -> Promotion:
        current = self._current(connection)
        previous = int(current["number"]) if current else None
        if previous != number:
            position = self._catalog.next_position(connection, PROMOTION.c.position)
            row: dict[str, Json] = {"position": position, "number": number, "at": self._clock(), "undone": None}
            self._catalog.insert(connection, PROMOTION, row)
        return Promotion(number=number, previous=previous)

    def _current(self, connection: Connection) -> Row | None:
        stack = self._read_promotions(connection)
        return stack[-1] if stack else None

    def _read_promotions(self, connection: Connection) -> tuple[Row, ...]:
        """Return the promotions that stand, oldest first: a stack whose top answers."""
        rows = self._catalog.fetch(connection, select(PROMOTION).order_by(PROMOTION.c.position), PROMOTION)
        return tuple(row for row in rows if row["undone"] is None)

    def _next_number(self) -> int:
        """Return a number that neither the catalog nor a folder has."""
        with self._catalog.read() as connection:
            recorded = self._catalog.next_position(connection, RELEASE.c.number)
        return max([recorded, *(number + 1 for number, _ in self._list_folders())])

    def _list_folders(self) -> tuple[tuple[int, Path], ...]:
        with explained(self._root):
            names = sorted(entry.name for entry in os.scandir(self._root) if entry.is_dir(follow_symlinks=False))
        return tuple((int(name), self._root / name) for name in names if name.isdecimal())

    def _place(self, number: int) -> Path:
        return self._root / f"{number:04d}"

    def _write_folder(self, place: Path, files: Mapping[str, bytes]) -> None:
        staged = name_staging(self._staging)
        with explained(place):
            try:
                staged.mkdir(mode=PRIVATE_FOLDER)
                for name, data in files.items():
                    kept = self._box.close(data, name_file(int(place.name), name))
                    write_new(staged / name, kept, mode=IMMUTABLE_FILE)
                sync_folder(staged)
                staged.rename(place)
            except BaseException:
                shutil.rmtree(staged, ignore_errors=True)
                raise
            try:
                sync_folder(self._root)
            except BaseException:
                self._withdraw(place)
                raise

    def _withdraw(self, place: Path) -> None:
        """Take a folder that could not be recorded away in one step, then remove it."""
        with contextlib.suppress(OSError):  # a disk that refuses this too: the next start adopts the whole release
            staged = name_staging(self._staging)
            place.rename(staged)
            shutil.rmtree(staged, ignore_errors=True)

    def _to_record(self, row: Mapping[str, Any]) -> ReleaseRecord:
        return ReleaseRecord(
            number=row["number"],
            path=self._place(row["number"]),
            created=row["created"],
            run_id=row["run_id"],
            dataset_sha256=row["dataset_sha256"],
            manifest_sha256=row["manifest_sha256"],
            size_bytes=row["size_bytes"],
        )

    def _read_manifest(self, record: ReleaseRecord) -> dict[str, Any]:
        self._erasures.refuse_gone(record.number)
        path = record.path / MANIFEST
        if not path.is_file():
            raise _describe_damaged(path, "is missing")
        data = self._box.read(path, name_file(record.number, MANIFEST))
        if hashlib.sha256(data).hexdigest() != record.manifest_sha256:
            raise _describe_damaged(path, "was changed or damaged after it was published")
        refuse_bad_signature(data, record.path, own=self._own, box=self._box)
        manifest: dict[str, Any] = json.loads(data)
        return manifest


def _describe_damaged(path: Path, what: str) -> SkiffError:
    return SkiffError(
        "release_damaged",
        what=f"In release {path.parent.name}, the file {path.name} {what}.",
        where={"file": str(path), "release": path.parent.name},
        fix="Put the release's folder back from a backup, or go back to the one before with `skiff releases rollback`.",
    )
