"""What a release says of itself, in one JSON document (design §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from skiff.core.signature import Signature
from skiff.core.task import ColumnKind, Task
from skiff.deploy.compiler import FORMAT_VERSION
from skiff.deploy.graph import IR_VERSION, OPSETS
from skiff.deploy.operators import ALLOWED

DTYPES: Mapping[ColumnKind, str] = {
    "number": "float64",
    "boolean": "float64",
    "category": "string",
    "text": "string",
    "date": "int64 seconds since 1970-01-01 UTC",
}
"""What each kind of column is at the graph's border (skiff.core.signature.InputColumn)."""


def build_manifest(  # noqa: PLR0913  a manifest has this many parts
    *,
    task: Task,
    signature: Signature,
    threshold: float,
    left_out: Mapping[str, str],
    members: Sequence[tuple[str, float]],
    dataset_sha256: str,
    metrics: Mapping[str, object],
    verdicts: Sequence[Mapping[str, object]],
    parity: Mapping[str, object],
    versions: Mapping[str, str],
    contract: Mapping[str, object] | None = None,
) -> dict[str, Any]:  # Any: a JSON document
    """Return the manifest without its number, time and file hashes, which the store fills in.

    Parameters
    ----------
    task : Task
    signature : Signature
        Of the compiled model: the columns it really takes.
    threshold : float
        From which probability on the answer is the positive class; kept for two classes only.
    left_out : mapping of str to str
        Column to the code of the finding that left it out.
    members : sequence of (str, float)
        Name and share of each model of the blend.
    dataset_sha256 : str
    metrics : mapping of str to object
        Metric to its measurement as JSON.
    verdicts : sequence of mapping
        One for each criterion, each with ``passed``; the gate is passed if all are.
    parity : mapping of str to object
    versions : mapping of str to str
        Distribution to version.
    contract : mapping, optional
        What its columns are agreed to look like (`skiff.data.contract.rules.Contract.as_json` with ``version`` and
        ``sha256``): serving and monitoring hold rows against it.

    Examples
    --------
    >>> from skiff.core.signature import InputColumn
    >>> made = build_manifest(
    ...     task=Task(kind="binary", target="cancelled", classes=("no", "yes"), positive="yes"),
    ...     signature=Signature(inputs=(InputColumn(name="nights", kind="number"),), outputs=("label", "probabilities")),
    ...     threshold=0.3, left_out={}, members=[("lightgbm", 1.0)], dataset_sha256="0" * 64, metrics={},
    ...     verdicts=[{"criterion": "roc_auc >= 0.7", "passed": False}], parity={}, versions={})
    >>> made["inputs"][0]["dtype"], made["gate"]["passed"]
    ('float64', False)
    """
    return {
        "format_version": FORMAT_VERSION,
        "task": asdict(task),
        "inputs": [{**asdict(column), "dtype": DTYPES[column.kind]} for column in signature.inputs],
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
        "gate": {"passed": all(item["passed"] for item in verdicts), "verdicts": list(verdicts)},
        "parity": dict(parity),
        "contract": dict(contract) if contract else None,
        "onnx": {
            "ir_version": IR_VERSION,
            "opsets": OPSETS,
            "operators": {domain or "ai.onnx": sorted(names) for domain, names in ALLOWED.items()},
        },
        "software": dict(versions),
    }
