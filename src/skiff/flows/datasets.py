"""Keep a table in the workspace and get it back, with its provenance."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from skiff.core.errors import SkiffError
from skiff.data.kinds import infer_inputs
from skiff.data.provenance import list_answers
from skiff.flows.provenance import TERMS, gather_provenance
from skiff.flows.read import ReadTable
from skiff.flows.stream import StreamedTable
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.records import DatasetRecord
from skiff.store.settings import read_settings
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDataset:
    """A dataset in the workspace and the ledger record that says so."""

    record: DatasetRecord
    evidence: str


def keep_dataset(workspace: Workspace, read: ReadTable, *, at: str) -> KeptDataset:
    """Keep a read table as Parquet under its hash and record where it came from; the same table is kept once."""
    stream = io.BytesIO()
    read.frame.write_parquet(stream, compression="zstd", statistics=False)
    kinds: dict[str, str] = {column.name: column.kind for column in infer_inputs(read.frame)}
    return _keep(workspace, read, stream.getvalue(), rows=read.frame.height, kinds=kinds, at=at)


def keep_large(workspace: Workspace, read: StreamedTable, table: Path, *, at: str) -> KeptDataset:
    """Keep a table that was read in blocks into the Parquet file `table`, like `keep_dataset`."""
    return _keep(workspace, read, table, rows=read.rows, kinds=read.kinds, at=at)


def _keep(
    workspace: Workspace,
    read: ReadTable | StreamedTable,
    table: bytes | Path,
    *,
    rows: int,
    kinds: Mapping[str, str],
    at: str,
) -> KeptDataset:
    provenance = gather_provenance(workspace.settings, read.name)
    record = workspace.add_dataset(
        table,
        name=read.name,
        source_sha256=read.sha256,
        rows=rows,
        columns=len(kinds),
        reading=read.reading,
        provenance=provenance,
        kinds=kinds,
    )
    noted = workspace.ledger.append(
        "data.add",
        subject=record.sha256,
        result={
            "dataset": record.id,
            "name": read.name,
            "source_sha256": read.sha256,
            "rows": record.rows,
            "columns": record.columns,
            "findings": [finding.code for finding in read.findings],
        },
        at=at,
    )
    return KeptDataset(record=record, evidence=noted.id)


def find_dataset(workspace: Workspace, key: str | None = None) -> DatasetRecord:
    """Return a dataset's record: by id, hash or name; the newest where no key is given.

    Raises
    ------
    SkiffError
        ``no_dataset`` where the workspace has none; ``dataset_not_found``.
    """
    if key is not None:
        return workspace.datasets.get(key)
    kept = workspace.datasets.list()
    if not kept:
        raise SkiffError(
            "no_dataset",
            what="There is no dataset in this workspace yet.",
            where={"workspace": str(workspace.root)},
            fix="Add one with: skiff data add FILE",
        )
    return kept[-1]


def load_dataset(workspace: Workspace, key: str | None = None) -> tuple[DatasetRecord, ReadTable]:
    """Return a dataset of the workspace as it was read, with its record."""
    record = find_dataset(workspace, key)
    data = workspace.datasets.read_parquet(record.id)
    table = ReadTable(
        frame=pl.read_parquet(io.BytesIO(data)),
        findings=[],
        reading=record.reading,
        sha256=record.source_sha256,
        size_bytes=len(data),
        name=record.name,
    )
    return record, table


def list_open_questions(folder: Path, name: str) -> tuple[tuple[str, str], ...]:
    """Return what to ask before the first table of a workspace is kept: key and question; nothing once one has been."""
    if (folder / SKIFF_FOLDER).is_dir():
        with Workspace.open(folder) as workspace:
            if workspace.datasets.list():
                return ()
    settings = read_settings(folder)
    known = gather_provenance(settings, name)
    open_terms = TERMS.items() if name not in settings.terms else ()
    return (*_list_open(known, name), *open_terms)


def _list_open(known: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (answer.key, answer.question)
        for answer in list_answers(known)
        if not answer.text or (answer.key == "source" and answer.text == name)
    )
