"""Where the secret that opens an encrypted workspace comes from: never ``skiff.toml``, never the command line itself.

In this order: what the face was given (``--passphrase-file``, ``--key-file``), ``SKIFF_PASSPHRASE``, ``SKIFF_PASSPHRASE_FILE``,
``SKIFF_KEY_FILE``, the setting ``store.key_file``, and the person at the terminal.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.files import explained, read_bytes, sync_folder, write_new

LEAST_CHARACTERS = 15
"""Of a new passphrase: what NIST SP 800-63B-4 (2025), section 3.1.1.2 asks of a password that stands alone."""

_FORM = re.compile(r"skiff-key-1:([0-9a-f]{64})\s*")
_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the face has been given to open workspaces with.

    Parameters
    ----------
    passphrase_file, key_file : Path or None
    passphrase : str or None
        One that was asked for already.
    ask : callable or None
        Asks the person at the terminal for a passphrase, without showing it; None where nobody is there.
    """

    passphrase_file: Path | None = None
    key_file: Path | None = None
    passphrase: str | None = None
    ask: Callable[[str], str] | None = None


OFFER: ContextVar[Offer] = ContextVar("skiff_offer", default=Offer())  # noqa: B039  frozen
"""Set by a face for the commands it runs: forty places open workspaces, and none of them should hand secrets on."""


def find_passphrase(root: Path) -> str | None:
    """Return the passphrase that was given without asking anybody; None where there is none."""
    offer = OFFER.get()
    if offer.passphrase is not None:
        return offer.passphrase
    if offer.passphrase_file is not None:
        return read_passphrase(offer.passphrase_file, root=root)
    given = os.environ.get("SKIFF_PASSPHRASE")
    if given:
        return given
    named = os.environ.get("SKIFF_PASSPHRASE_FILE")
    return read_passphrase(Path(named), root=root) if named else None


def find_key_file(root: Path, configured: str | None) -> Path | None:
    """Return the key file that was named, or None; a relative path in ``skiff.toml`` counts from the workspace."""
    offer = OFFER.get()
    given = offer.key_file or os.environ.get("SKIFF_KEY_FILE")
    if given:
        return Path(given).expanduser().absolute()
    return root / Path(configured).expanduser() if configured else None


def ask_passphrase(question: str) -> str | None:
    """Ask the person at the terminal, once a command; None where nobody is there."""
    offer = OFFER.get()
    if offer.ask is None:
        return None
    answer = offer.ask(question)
    OFFER.set(replace(offer, passphrase=answer))
    return answer


def read_passphrase(path: Path, *, root: Path) -> str:
    """Return the first line of a file that only its owner may read and that lies outside the workspace.

    Raises
    ------
    SkiffError
        ``secret_exposed``, ``passphrase_empty`` and what the disk says.
    """
    text = _read_secret(path, root=root).partition(b"\n")[0].rstrip(b"\r")
    try:
        found = text.decode()
    except UnicodeDecodeError:
        found = ""
    if not found:
        raise SkiffError(
            "passphrase_empty",
            what=f"The first line of {path.name} is no passphrase.",
            where={"file": str(path)},
            fix="Write the passphrase there as text, on one line.",
        )
    return found


def refuse_weak(passphrase: str) -> None:
    """Refuse a new passphrase that could be guessed by trying.

    Raises
    ------
    SkiffError
        ``passphrase_short``.
    """
    if len(passphrase) < LEAST_CHARACTERS:
        raise SkiffError(
            "passphrase_short",
            what=f"The passphrase has {len(passphrase)} characters; at least {LEAST_CHARACTERS} are needed.",
            where={"characters": len(passphrase)},
            fix="Take four or five words that do not belong together. Nothing was changed.",
        )


def read_key_file(path: Path, *, root: Path) -> bytes:
    """Return the key in a file that only its owner may read and that lies outside the workspace.

    Raises
    ------
    SkiffError
        ``secret_exposed``, ``key_file_unknown`` and what the disk says.
    """
    found = _FORM.fullmatch(_read_secret(path, root=root).decode("ascii", errors="replace"))
    if found is None:
        raise SkiffError(
            "key_file_unknown",
            what=f"{path.name} is not a key file that Skiff made.",
            where={"file": str(path)},
            fix="Name a file that begins with  skiff-key-1:  , or make one with `skiff vault add-key FILE`.",
        )
    return bytes.fromhex(found[1])


def make_key_file(path: Path, *, root: Path) -> bytes:
    """Write a new key file, readable by its owner alone, and return its key; a file that is there is read.

    Raises
    ------
    SkiffError
        ``secret_exposed`` and what the disk says.
    """
    if path.exists():
        return read_key_file(path, root=root)
    _refuse_inside(path, root)
    key = secrets.token_bytes(32)
    with explained(path):
        write_new(path, b"skiff-key-1:" + key.hex().encode() + b"\n")
        sync_folder(path.parent)
    return key


def _read_secret(path: Path, *, root: Path) -> bytes:
    _refuse_inside(path, root)
    with explained(path):
        found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
        raise SkiffError(
            "key_file_unknown",
            what=f"{path.name} is not a small file, as one that holds a secret is.",
            where={"file": str(path)},
            fix="Name the file that holds the secret.",
        )
    if found.st_mode & 0o077:
        raise SkiffError(
            "secret_exposed",
            what=f"Other people on this machine may read {path}, so what it holds is no secret.",
            where={"file": str(path)},
            fix=f"Take that away:  chmod 600 {path}",
        )
    return read_bytes(path)


def _refuse_inside(path: Path, root: Path) -> None:
    """Refuse a secret that lies in the workspace: whoever copies the folder would copy the key with it."""
    if path.resolve().is_relative_to(root.resolve()):
        raise SkiffError(
            "secret_exposed",
            what=f"{path.name} lies inside the workspace: whoever gets the folder would get its key too.",
            where={"file": str(path), "folder": str(root)},
            fix="Keep it elsewhere, for example on another disk or in your home folder.",
        )
