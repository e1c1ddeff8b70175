"""Check a handover bundle by the very code that lies in it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.bundle_check import Refused, check_bundle, read_bundle
from skiff.store.files import read_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `ok` is None where it was not."""

    check: str
    ok: bool | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOutcome:
    """What was found in a bundle."""

    path: Path
    is_whole: bool
    checks: tuple[Check, ...]

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        checks = [{"check": item.check, "ok": item.ok, "what": item.what} for item in self.checks]
        return {"bundle": str(self.path), "is_whole": self.is_whole, "checks": checks}


def verify_bundle(path: Path, *, key: str = "", may_run: bool = True) -> VerifyOutcome:
    """Check signature, hashes, ledger and the model's answers; nothing of the bundle is written to the disk.

    Parameters
    ----------
    path : Path
    key : str
        Fingerprint of the key you trust; empty where you have none to compare.
    may_run : bool
        Whether the model may be run on its golden rows, once everything else is as it was signed.

    Raises
    ------
    SkiffError
        ``bundle_refused`` where the file is no bundle that may be opened, ``file_not_found``.
    """
    try:
        files = read_bundle(io.BytesIO(read_bytes(path)))
    except Refused as error:
        raise SkiffError(
            "bundle_refused",
            what=f"{path.name} was not opened: {error}.",
            where={"file": str(path)},
            fix="Ask for the bundle again, and compare its SHA-256 with what the sender has.",
        ) from error
    found = [
        Check(check=str(item["check"]), ok=None if item["ok"] is None else bool(item["ok"]), what=str(item["what"]))
        for item in check_bundle(files, key=key, run=may_run)
    ]
    return VerifyOutcome(path=path, is_whole=all(item.ok is not False for item in found), checks=tuple(found))
