"""Everything the client needs of one release, in one signed file that can be checked without Skiff."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skiff.core.evidence import EvidenceRecord, canonical_json
from skiff.deploy.golden import build_golden
from skiff.deploy.predictor import Predictor
from skiff.flows.standing import refuse_none
from skiff.report.answers import render_answer_page
from skiff.report.handover.papers import list_papers
from skiff.report.pdf import render_pdf
from skiff.store.bundle_check import FORMAT, INDEX, LEDGER, SIGNATURE
from skiff.store.clock import now_utc
from skiff.store.files import write_atomic
from skiff.store.signing import SigningKey, load_signing_key
from skiff.store.trust import SIGNATURE_FILE
from skiff.store.workspace import Workspace

OWN_FOLDER = ".skiff"
MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time written for every file: the earliest a zip can say, so that the same files give the same bytes."""

READABLE = 0o100644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverOutcome:
    """The bundle that was written."""

    release: int
    path: Path
    sha256: str
    size_bytes: int
    files: tuple[str, ...]
    fingerprint: str
    evidence: str

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {**asdict(self), "path": str(self.path), "files": list(self.files)}


def hand_over(
    folder: Path,
    output: Path | None = None,
    *,
    release: int | None = None,
    with_page: bool = True,
    at: Callable[[], str] = now_utc,
) -> HandoverOutcome:
    """Write one zip with a release, its papers, its evidence and a check that needs no Skiff.

    Parameters
    ----------
    folder : Path
        The workspace.
    output : Path, optional
        By default ``reports/handover-<workspace>-<number>.zip``.
    release : int, optional
        By default the one that answers now.
    with_page : bool
        Whether to put in the page on which the model answers offline (about 5 MB).

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``release_damaged`` and what the disk says.

    Notes
    -----
    No row of the client's data goes into the bundle. The same release gives the same bytes, whenever it is handed over.
    """
    with Workspace.open(folder) as workspace, workspace.lock("handover"):
        number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
        workspace.releases.verify(number)
        manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))
        files = {
            name: workspace.releases.read_file(number, name) for name in manifest["files"] if name != "evidence.jsonl"
        }
        files["manifest.json"] = workspace.releases.read_document(number)
        signature = workspace.releases.read_signature(number)
        files |= {} if signature is None else {SIGNATURE_FILE: signature}
        key = load_signing_key(workspace.root / OWN_FOLDER, box=workspace.box)
        title = f"{workspace.root.name}: {manifest['task']['target']}"
        files |= list_papers(manifest, title=title, fingerprint=key.fingerprint, with_page=with_page)
        files["golden.json"] = _encode(build_golden(Predictor(files["model.onnx"])))
        if "report.html" in files:
            files["report.pdf"] = render_pdf(files["report.html"].decode())
        if with_page:
            files["index.html"] = render_answer_page(manifest, files["model.onnx"], title=title).encode()
        ledger = _cut_ledger(workspace.ledger.records(), number)
        files[LEDGER] = b"".join(canonical_json(asdict(record)) + b"\n" for record in ledger)
        data = pack(files, key, release=number, head=ledger[-1].hash if ledger else "0" * 64)
        path = output or workspace.reports.root / f"handover-{workspace.root.name}-{number}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data, mode=0o644)
        noted = workspace.ledger.append(
            "handover",
            subject=f"release {number}",
            result={"sha256": hashlib.sha256(data).hexdigest(), "files": sorted(files), "key": key.fingerprint},
            at=at(),
        )
    return HandoverOutcome(
        release=number,
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        files=tuple(sorted([*files, INDEX, SIGNATURE])),
        fingerprint=key.fingerprint,
        evidence=noted.id,
    )


def pack(files: Mapping[str, bytes], key: SigningKey, *, release: int, head: str) -> bytes:
    """Return the signed zip; the same files and key give the same bytes.

    Examples
    --------
    >>> from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    >>> from skiff.store.bundle_check import read_bundle
    >>> made = pack({"card.md": b"# Card"}, SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32))), release=1, head="0" * 64)
    >>> sorted(read_bundle(io.BytesIO(made)))
    ['bundle.json', 'card.md', 'signature.json']
    """
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()}
    index = _encode({"format": FORMAT, "release": release, "ledger_head": head, "files": listed})
    signed = {**files, INDEX: index, SIGNATURE: _encode(key.sign(index))}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(signed):
            entry = zipfile.ZipInfo(name, date_time=MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = READABLE
            archive.writestr(entry, signed[name])
    return stream.getvalue()


def _cut_ledger(records: tuple[EvidenceRecord, ...], release: int) -> tuple[EvidenceRecord, ...]:
    """Return the records up to the one that says the release was made: what came later is not about it."""
    made = [
        place
        for place, record in enumerate(records, start=1)
        if record.action == "release" and record.result.get("number") == release
    ]
    return records[: made[-1]] if made else records


def _encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
