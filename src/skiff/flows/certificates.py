"""The signed account of an erasure: what was found where, what became of the models, what a search of every byte found afterwards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from skiff.core.evidence import canonical_json
from skiff.report.erasure import render_certificate
from skiff.store.certificates import FORMAT
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.signing import load_signing_key
from skiff.store.trust import add_trusted
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One kind of store: what was found of the person, and what is left; of reports the names too."""

    place: str
    unit: str
    found: int
    left: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FateOfModel:
    """What became of a release whose data held the person.

    ``fate`` is ``removed``, ``kept`` (with a reason and a day), ``open`` (still to be trained again) or ``not trained on the person``.
    ``waiting`` and ``undecided`` count rows of the review queue that go on waiting without its suggestion, and that left undecided;
    ``bundles`` names its handover bundles that were destroyed.
    """

    release: int
    learned: int
    fate: str
    successor: str = ""
    why: str = ""
    until: str = ""
    waiting: int = 0
    undecided: int = 0
    bundles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What was looked through for the values that name the person, and where something was found."""

    values: int
    short_values: int
    files: int
    size_bytes: int
    members: int
    columns: int
    hits: tuple[str, ...]
    unread: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:  # Any: counts and texts
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is signed. The person stands in it as a keyed hash alone."""

    workspace: str
    subject: str
    begun: str
    ended: str
    who: str
    columns: tuple[str, ...]
    places: tuple[Reached, ...]
    models: tuple[FateOfModel, ...]
    search: SearchResult
    is_complete: bool
    beyond: tuple[str, ...]
    evidence: str


def write_certificate(workspace: Workspace, certificate: Certificate) -> tuple[dict[str, str], str]:
    """Sign and write it as JSON and as a page; return the files by kind, and the SHA-256 of the JSON."""
    own = workspace.root / SKIFF_FOLDER
    key = load_signing_key(own, box=workspace.box)
    add_trusted(own, key.public.hex())
    body: dict[str, Any] = json.loads(msgspec.json.encode(certificate))
    document = {"format": FORMAT, "certificate": body, "signature": key.sign(canonical_json(body))}
    data = msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=1) + b"\n"
    name = f"erasure-{certificate.ended[:10]}-{certificate.subject[:12]}"
    page = render_certificate(asdict(certificate), fingerprint=key.fingerprint)
    files = {
        "json": str(workspace.write_report(f"{name}.json", data)),
        "html": str(workspace.write_report(f"{name}.html", page.encode())),
    }
    return files, hashlib.sha256(data).hexdigest()
