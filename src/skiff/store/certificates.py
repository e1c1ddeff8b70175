"""Whether the certificate of an erasure is as it was signed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from skiff.core.evidence import canonical_json
from skiff.store.bundle_check import fingerprint
from skiff.store.signing import is_signed

FORMAT = "skiff-erasure-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateCheck:
    """Whether a certificate is as it was signed, and by whom."""

    is_whole: bool
    key: str
    certificate: dict[str, Any]  # Any: a JSON document


def check_certificate(data: bytes) -> CertificateCheck | None:
    """Check the signature of a certificate; None where the bytes are none."""
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            return None
        body, signature = document["certificate"], document["signature"]
        key = fingerprint(bytes.fromhex(signature["public_key"]))
    except (ValueError, KeyError, TypeError):
        return None
    return CertificateCheck(is_whole=is_signed(canonical_json(body), signature), key=key, certificate=body)
