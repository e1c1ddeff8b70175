"""Why a release is not there any more, read without the libraries that write it, because servers do it."""

from __future__ import annotations

import json
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.box import PLAIN, Box

FILE = "erasures.json"
"""Written by `skiff.store.erasures`."""


def describe_erased(number: int, *, at: str, successor: str) -> SkiffError:
    """Return the error for a release that was removed because of a person it had learned from."""
    hint = (
        f"Use release {successor}, which took its place." if successor else "Train a new one: skiff run or skiff train."
    )
    return SkiffError(
        "release_erased",
        what=f"Release {number} was removed on {at[:10]}, because it had learned from a person whose data was erased. "
        "Its number and its records stay.",
        where={"release": number},
        fix=hint,
    )


def read_gone_release(own: Path, number: int, *, box: Box = PLAIN) -> SkiffError | None:
    """Return the error for a release that was removed; None where it was not, or where nothing can be read."""
    path = own / FILE
    try:
        gone = json.loads(box.open(path.read_bytes(), FILE))["releases"].get(str(number))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SkiffError):
        return None
    return describe_erased(number, at=str(gone["at"]), successor=str(gone["successor"])) if gone else None
