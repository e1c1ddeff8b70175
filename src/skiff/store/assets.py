"""Files that come with Skiff itself, read from the installed package."""

from __future__ import annotations

from importlib.resources import files


def read_asset(package: str, name: str) -> bytes:
    """Return a file that lies beside the code of `package`."""
    return files(package).joinpath(name).read_bytes()
