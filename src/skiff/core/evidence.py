"""A record of what was done, and the chain that makes a list of them tamper-evident."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

GENESIS = "0" * 64
"""`prev` of the first record of a ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """One link of the ledger.

    Parameters
    ----------
    seq : int
        Position, from 1.
    id : str
        ``ev_`` and the sequence number, what documents refer to.
    at : str
        UTC, ISO 8601 with microseconds.
    actor : str
        Who: the user name on this machine, or what they configured.
    action : str
        What: ``data.add``, ``check``, ``train``, ``evaluate``, ``release``, ``promote`` …
    subject : str
        On what: the hash or name of the thing acted on.
    result : dict
        What came of it: numbers and hashes, never cells of the data.
    prev : str
        Hash of the record before.
    hash : str
        SHA-256 of this record without `hash`, in canonical JSON.
    """

    seq: int
    id: str
    at: str
    actor: str
    action: str
    subject: str
    result: dict[str, Json]
    prev: str
    hash: str


def canonical_json(value: object) -> bytes:
    """Return `value` as JSON with sorted keys and no blanks: the same bytes on every machine (after RFC 8785).

    Examples
    --------
    >>> canonical_json({"b": 1, "a": [1.5, None]})
    b'{"a":[1.5,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def hash_record(record: EvidenceRecord) -> str:
    """Return the SHA-256 that `record` must carry."""
    body = asdict(record)
    del body["hash"]
    return hashlib.sha256(canonical_json(body)).hexdigest()


def build_record(
    *, seq: int, at: str, actor: str, action: str, subject: str, result: dict[str, Json], prev: str
) -> EvidenceRecord:
    """Return the next record of a ledger whose last hash is `prev`.

    Examples
    --------
    >>> first = build_record(seq=1, at="2026-01-01T00:00:00.000000Z", actor="ada", action="data.add",
    ...                      subject="sha256:00", result={"rows": 3}, prev=GENESIS)
    >>> first.id, first.hash == hash_record(first)
    ('ev_000001', True)
    """
    draft = EvidenceRecord(
        seq=seq,
        id=f"ev_{seq:06d}",
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        result=result,
        prev=prev,
        hash="",
    )
    return replace(draft, hash=hash_record(draft))
