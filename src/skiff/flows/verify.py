"""Check a handover bundle by the very code that lies in it, or the certificate of an erasure by its signature."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.store.bundle_check import Refused, check_bundle, read_bundle
from skiff.store.certificates import CertificateCheck, check_certificate
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
    data = read_bytes(path)
    certificate = check_certificate(data)
    if certificate is not None:
        found = _tell_certificate(certificate, key=key)
        return VerifyOutcome(path=path, is_whole=all(item.ok is not False for item in found), checks=found)
    try:
        files = read_bundle(io.BytesIO(data))
    except Refused as error:
        raise SkiffError(
            "bundle_refused",
            what=f"{path.name} was not opened: {error}.",
            where={"file": str(path)},
            fix="Ask for the bundle again, and compare its SHA-256 with what the sender has.",
        ) from error
    found = tuple(
        Check(check=str(item["check"]), ok=None if item["ok"] is None else bool(item["ok"]), what=str(item["what"]))
        for item in check_bundle(files, key=key, run=may_run)
    )
    return VerifyOutcome(path=path, is_whole=all(item.ok is not False for item in found), checks=found)


def _tell_certificate(found: CertificateCheck, *, key: str) -> tuple[Check, ...]:
    is_theirs = None if not key else key.replace(" ", "") == found.key.replace(" ", "")
    whose = {
        None: f"signed with key {found.key}: compare it with what the sender has",
        True: f"signed with the key you trust, {found.key}",
        False: f"signed with key {found.key}, not with the one you named",
    }
    body = found.certificate
    search = body.get("search", {})
    return (
        Check(
            check="signature",
            ok=found.is_whole,
            what="the certificate is as it was signed"
            if found.is_whole
            else "the certificate was changed after it was signed",
        ),
        Check(check="key", ok=is_theirs, what=whose[is_theirs]),
        Check(
            check="complete",
            ok=bool(body.get("is_complete")),
            what=f"it says that the erasure of person {str(body.get('subject', ''))[:16]} was finished on {str(body.get('ended', ''))[:10]}, "
            f"and that a search of {search.get('files', 0)} files found nothing"
            if body.get("is_complete")
            else "it says itself that something was left",
        ),
    )
