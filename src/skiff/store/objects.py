"""Content-addressed files: the name of each is the SHA-256 of its bytes, so a changed byte is always noticed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.destroying import destroy_file
from skiff.store.files import (
    PRIVATE_FILE,
    explained,
    make_folder,
    name_staging,
    sweep_staging,
    sync_folder,
)
from skiff.store.memory import make_memory_folder, sweep_memory_folders

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 20


class Objects:
    """The files of a workspace that never change: datasets, models, documents.

    Parameters
    ----------
    root : Path
        An existing folder; objects lie in it as ``ab/cdef…``.
    box : Box
        What their bytes and names go through.
    """

    def __init__(self, root: Path, *, box: Box = PLAIN) -> None:
        """Remember the folder."""
        self.root = root
        self._box = box

    @property
    def private(self) -> Path | None:
        """Return the objects' folder where nothing plain may be written to the disk, else None."""
        return None if self._box.cipher is None else self.root

    def put(self, data: bytes | Path) -> str:
        """Keep bytes, or a copy of a file, and return their SHA-256.

        Putting the same content again changes nothing, except that a damaged copy is replaced by the good one.
        The object is on the disk, under its name, when this returns.

        Raises
        ------
        SkiffError
            ``disk_full``, ``no_permission``, ``read_only`` …
        """
        if isinstance(data, bytes):
            sha256 = hashlib.sha256(data).hexdigest()
            if self._is_whole(sha256):
                return sha256
        staging = name_staging(self.root)
        with explained(data if isinstance(data, Path) and not data.is_file() else self.root):
            try:
                sha256 = self._write(staging, data)
                self._settle(staging, sha256)
            except BaseException:
                with contextlib.suppress(OSError):  # swept at the next start
                    staging.unlink(missing_ok=True)
                raise
        return sha256

    @contextlib.contextmanager
    def stage(self, *, suffix: str = "") -> Iterator[Path]:
        """Hand out a place for a file in the making, on the same disk; it is gone when the block ends."""
        if self._box.cipher is not None:  # plain rows never touch the disk
            with make_memory_folder(self.root) as folder:
                yield folder / f"table{suffix}"
            return
        place = name_staging(self.root)
        place = place.with_name(place.name + suffix)
        try:
            yield place
        finally:
            with contextlib.suppress(OSError):  # swept at the next start
                place.unlink(missing_ok=True)

    def get(self, sha256: str) -> bytes:
        """Return the bytes with this hash.

        Raises
        ------
        SkiffError
            ``object_not_found``; ``object_damaged`` where the bytes no longer have their hash.
        """
        path = self.path(sha256)
        data = self._box.read(path, f"objects/{sha256}")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _describe_damaged(path)
        return data

    def has(self, sha256: str) -> bool:
        """Return whether there is an object of this name."""
        return self._place(sha256).is_file()

    def path(self, sha256: str) -> Path:
        """Return where the object lies on the disk, as it is kept there. Its content is not checked: see `verify`.

        Raises
        ------
        SkiffError
            ``object_not_found``.
        """
        path = self._place(sha256)
        if not path.is_file():
            raise SkiffError(
                "object_not_found",
                what=f"The stored file {sha256[:12]}… is not in {self.root}.",
                where={"file": str(path)},
                fix="Add the data again with `skiff data add FILE`; the same content gets the same name.",
            )
        return path

    def destroy(self, sha256: str) -> bool:
        """Overwrite an object and remove it; return whether it was there."""
        return destroy_file(self._place(sha256), staging=self.root)

    def verify(self, sha256: str) -> None:
        """Check the object's bytes against its name, in constant memory.

        Raises
        ------
        SkiffError
            ``object_not_found`` or ``object_damaged``.
        """
        path = self.path(sha256)
        digest = hashlib.sha256()
        for chunk in self._box.read_stream(path, f"objects/{sha256}"):
            digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise _describe_damaged(path)

    def list(self) -> Iterator[str]:
        """Yield the names of all objects, sorted."""
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                found = self._box.read_object_name(folder.name + path.name)
                if found is not None:  # a stray file is none of ours
                    yield found

    def sweep(self) -> int:
        """Remove what a killed process left, and return how many files that were."""
        return sweep_staging(self.root) + sweep_memory_folders(self.root)

    def _place(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):  # also keeps "../" out
            raise SkiffError(
                "object_not_found",
                what="The name of a stored file is 64 characters from 0-9 and a-f.",
                where={"folder": str(self.root)},
                fix="List the names with `skiff data list`.",
            )
        name = self._box.name_object(sha256)
        return self.root / name[:2] / name[2:]

    def _write(self, staging: Path, data: bytes | Path) -> str:
        """Write the staged file and return the SHA-256 of what it holds."""
        if self._box.cipher is None:
            return _write_hashed(staging, _read_chunks(data))
        digest = hashlib.sha256()  # the name is bound to the bytes, so it must be known before the first is encrypted
        for chunk in _read_chunks(data):
            digest.update(chunk)
        _write_hashed(staging, self._box.close_stream(_read_chunks(data), f"objects/{digest.hexdigest()}"))
        return digest.hexdigest()

    def _is_whole(self, sha256: str) -> bool:
        try:
            self.verify(sha256)
        except SkiffError:
            return False
        return True

    def _settle(self, staging: Path, sha256: str) -> None:
        """Give the staged file its name; forced to the disk even if another process was first."""
        place = self._place(sha256)
        make_folder(place.parent)
        staging.replace(place)
        sync_folder(place.parent)


def _write_hashed(staging: Path, chunks: Iterable[bytes]) -> str:
    """Write and force to the disk, and return the SHA-256 of what was written."""
    digest = hashlib.sha256()
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        for chunk in chunks:
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(handle, view) :]
        os.fchmod(handle, PRIVATE_FILE)
        os.fsync(handle)
    finally:
        os.close(handle)
    return digest.hexdigest()


def _read_chunks(data: bytes | Path) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    with data.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk


def _describe_damaged(path: Path) -> SkiffError:
    return SkiffError(
        "object_damaged",
        what=f"The stored file {path} was changed or damaged after it was written.",
        where={"file": str(path)},
        fix="Add the same data again with `skiff data add FILE`, or put the file back from a backup.",
    )
