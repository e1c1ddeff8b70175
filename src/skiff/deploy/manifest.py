"""What a release says of itself, in one JSON document (design §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from skiff.core.signature import Signature
from skiff.core.task import Task
from skiff.deploy.compiler import FORMAT_VERSION
from skiff.deploy.graph import IR_VERSION, OPSETS
from skiff.deploy.operators import ALLOWED


def build_manifest(  # noqa: PLR0913  a manifest has this many parts
    *,
    task: Task,
    signature: Signature,
    threshold: float,
    left_out: Mapping[str, str],
    members: Sequence[tuple[str, float]],
    dataset_sha256: str,
    metrics: Mapping[str, object],
    verdicts: Sequence[object],
    parity: Mapping[str, object],
    versions: Mapping[str, str],
) -> dict[str, Any]:  # Any: a JSON document
    """Return the manifest without its number, time and file hashes, which the store fills in."""
    return {
        "format_version": FORMAT_VERSION,
        "task": asdict(task),
        "inputs": [asdict(column) for column in signature.inputs],
        "outputs": list(signature.outputs),
        "classes": list(task.classes),
        "threshold": threshold if task.kind == "binary" else None,
        "preprocessing": {
            "where": "inside model.onnx, from raw columns",
            "left_out": dict(left_out),
            "members": [{"name": name, "weight": weight} for name, weight in members],
        },
        "dataset_sha256": dataset_sha256,
        "metrics": dict(metrics),
        "gate": {"passed": True, "verdicts": list(verdicts)},
        "parity": dict(parity),
        "onnx": {
            "ir_version": IR_VERSION,
            "opsets": OPSETS,
            "operators": {domain or "ai.onnx": sorted(names) for domain, names in ALLOWED.items()},
        },
        "software": dict(versions),
    }
