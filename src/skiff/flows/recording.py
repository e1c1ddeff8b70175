"""What the checks found, as one ledger record each: codes, counts and hashes, never a cell."""

from __future__ import annotations

from collections.abc import Callable

from skiff.core.measurement import Measurement
from skiff.flows.prepare import Prepared
from skiff.store.workspace import Workspace

SCORES = ("score_with", "score_without")
"""Plain numbers of a finding that a report tells; another one might be a cell."""


def record_checks(
    workspace: Workspace, prepared: Prepared, *, dataset_id: str, at: Callable[[], str]
) -> dict[str, str]:
    """Record findings and split, and return the ledger ids by topic (``check``, ``split``)."""
    checked = workspace.ledger.append(
        "check",
        subject=dataset_id,
        result={
            "target": prepared.task.target,
            "kind": prepared.task.kind,
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity,
                    "columns": list(finding.columns),
                    "rows": finding.rows,
                    "action": finding.action,
                    "measured": {
                        name: value.value if isinstance(value, Measurement) else value
                        for name, value in finding.evidence.items()
                        if isinstance(value, Measurement) or (name in SCORES and isinstance(value, float))
                    },
                }
                for finding in prepared.findings
            ],
            "left_out": prepared.left_out,
        },
        at=at(),
    )
    split = workspace.ledger.append(
        "split",
        subject=dataset_id,
        result={
            "kind": prepared.split.kind,
            "reason": prepared.split.reason,
            "train_rows": len(prepared.split.train),
            "test_rows": len(prepared.split.test),
            "time": prepared.task.time,
            "group": prepared.task.group,
        },
        at=at(),
    )
    return {"check": checked.id, "split": split.id}
