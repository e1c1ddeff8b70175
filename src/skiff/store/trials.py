"""What an unfinished training had tried, kept as plain arrays so that the next one goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box
from skiff.store.files import explained, make_folder, read_bytes, write_atomic
from skiff.store.zips import DAMAGED


class Trials:
    """The trials of one training: same rows, same question, same seed, same versions.

    Parameters
    ----------
    root : Path
        Folder of the trials of the workspace; made when something is kept.
    key : str
        Names the training. Trials of any other are removed when the first of this one is kept.
    box : Box
        What the files go through.
    """

    def __init__(self, root: Path, key: str, *, box: Box = PLAIN) -> None:
        """Name the folder; nothing is made yet."""
        self._box = box
        self._root = root
        self._folder = root / box.name_object(hashlib.sha256(key.encode()).hexdigest())[:32]

    def get(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return the answers and facts of a trial, None where there is none that can be read."""
        path = self._place(name)
        with explained(path):
            if not path.is_file():
                return None
            data = read_bytes(path)
        try:
            data = self._box.open(data, f"trials/{path.name}")
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                return kept["oof"], kept["facts"]
        except (*DAMAGED, ValueError, KeyError, SkiffError):
            return None  # torn or from another version: it is simply tried again

    def put(self, name: str, oof: NDArray[np.float64], facts: NDArray[np.float64]) -> None:
        """Keep a trial; it is whole on the disk when this returns."""
        if not self._folder.is_dir():
            self.clear()
            make_folder(self._root)
            make_folder(self._folder)
        stream = io.BytesIO()
        np.savez(stream, oof=oof, facts=facts)
        place = self._place(name)
        write_atomic(place, self._box.close(stream.getvalue(), f"trials/{place.name}"))

    def count(self) -> int:
        """Return how many trials are kept."""
        return sum(1 for _ in self._folder.glob("*.npz")) if self._folder.is_dir() else 0

    def clear(self) -> None:
        """Forget all trials of this workspace: the training came to its end, or another begins."""
        with explained(self._root):
            if self._root.is_dir():
                shutil.rmtree(self._root)

    def _place(self, name: str) -> Path:
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.npz"
