"""Take a table, or a part of one, out of a workspace for good, and what was trained on it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from skiff.flows.learned import Rows, carry_splits
from skiff.flows.positions import pack_rows, unpack_rows
from skiff.store.erasures import Gone
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace


def replace_table(
    workspace: Workspace,
    record: DatasetRecord,
    frame: pl.DataFrame,
    *,
    kept: pl.Series,
    note: str,
    at: Callable[[], str],
    why: str = "erasure",
) -> DatasetRecord:
    """Put a table in place of a dataset, with a tombstone for the old one, and destroy the old file.

    Parameters
    ----------
    frame : DataFrame
        What is left.
    kept : Series
        Which rows of the old table are left: positions of sealed rows follow.
    """
    stream = io.BytesIO()
    frame.write_parquet(stream, compression="zstd", statistics=False)
    data = stream.getvalue()
    new = hashlib.sha256(data).hexdigest()
    place = (kept.cast(pl.Int64).cum_sum() - 1).to_numpy()
    is_kept = kept.to_numpy()

    def move(rows: Rows) -> Rows:
        return np.asarray(place[rows[is_kept[rows]]], dtype=np.int64)

    splits = {}
    for sha256 in workspace.runs.list_sealed(record.sha256):
        if workspace.objects.has(sha256):
            rows = unpack_rows(workspace.objects.get(sha256))
            splits[sha256] = workspace.objects.put(pack_rows(move(rows)))
    carry_splits(workspace, record.sha256, new, move)
    workspace.erasures.bury_dataset(record.sha256, Gone(at=at(), why=why, successor=new, hash=record.sha256))
    made = workspace.datasets.replace(
        record.sha256, data, rows=frame.height, splits=splits, note=f"{note} ({at()[:10]})"
    )
    workspace.objects.destroy(record.sha256)
    workspace.ledger.append(
        f"data.{why}",
        subject=new,
        result={"before": record.sha256, "rows_before": record.rows, "rows": frame.height, "note": note},
        at=at(),
    )
    return made


def destroy_candidates(workspace: Workspace, old: Sequence[str]) -> int:
    """Destroy the models, and what describes them, of every candidate trained on a dataset that went; return how many candidates."""
    ids = {f"ds_{sha256[:12]}" for sha256 in old}
    done = 0
    for record in workspace.ledger.records():
        document = str(record.result.get("candidate", ""))
        if record.action != "train" or record.result.get("dataset") not in ids or not document:
            continue
        if workspace.objects.has(document):
            described: dict[str, Any] = msgspec.json.decode(workspace.objects.get(document))  # Any: a JSON document
            small = described.get("small") or {}
            for sha256 in (described.get("companion_sha256"), small.get("model_sha256")):
                if sha256:
                    workspace.objects.destroy(str(sha256))
            workspace.objects.destroy(document)
            done += 1
        workspace.objects.destroy(record.subject)
    return done
