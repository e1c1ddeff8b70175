"""The folder that is handed over."""

from __future__ import annotations

from pathlib import Path

from skiff.store.files import make_folder, write_atomic


class Reports:
    """Writes into ``reports/``.

    Parameters
    ----------
    root : Path
        Made with the first report.
    """

    def __init__(self, root: Path) -> None:
        """Remember the folder."""
        self.root = root

    def write_report(self, name: str, data: bytes) -> Path:
        """Write a file, whole or not at all, and return where it is; one of the same name is replaced.

        Parameters
        ----------
        name : str
            A file name without folders.
        data : bytes

        Raises
        ------
        SkiffError
            What the disk says.
        """
        if name in {"", ".", ".."} or "/" in name or "\0" in name:  # names are ours: a wrong one is our fault
            message = f"not a name for a report: {name!r}"
            raise ValueError(message)
        make_folder(self.root)
        path = self.root / name
        write_atomic(path, data)
        return path
