"""What the catalog gives back: one frozen value for each kind of row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from skiff.core.evidence import Json

RunStatus: TypeAlias = Literal["running", "done", "failed", "stopped", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRecord:
    """An immutable table in the workspace.

    Parameters
    ----------
    id : str
        ``ds_`` and the first 12 characters of `sha256`.
    sha256 : str
        Of the Parquet file; its name among the objects.
    name : str
        What the person called it, usually the source's file name.
    source_sha256 : str
        Of the file it was read from.
    rows, columns : int
    reading : dict
        How the source was read.
    provenance : dict of str to str
        Source, owner, licence, legal basis … as far as they were given.
    kinds : dict of str to str
        Kind of each column.
    created : str
        UTC, ISO 8601.
    """

    id: str
    sha256: str
    name: str
    source_sha256: str
    rows: int
    columns: int
    reading: dict[str, Json]
    provenance: dict[str, str]
    kinds: dict[str, str]
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One use of a command that works on the workspace.

    ``status`` is ``interrupted`` for a run whose process ended without a word (power cut, kill -9).
    """

    id: str
    kind: str
    actor: str
    status: RunStatus
    started: str
    finished: str | None
    dataset_sha256: str | None
    arguments: dict[str, Json]
    result: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """A numbered, immutable model with its manifest, documents and evidence.

    Parameters
    ----------
    number : int
        From 1, never used twice.
    path : Path
        Its folder.
    created : str
    run_id : str or None
    dataset_sha256 : str
        What it was trained on.
    manifest_sha256 : str
        Of ``manifest.json``, which holds the hashes of all its other files.
    size_bytes : int
        All files together.
    is_champion : bool
        Whether it is the one that answers, when this record was read.
    """

    number: int
    path: Path
    created: str
    run_id: str | None
    dataset_sha256: str
    manifest_sha256: str
    size_bytes: int
    is_champion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """One version of what a table is agreed to look like.

    Parameters
    ----------
    name : str
        Of the table.
    version : int
        From 1.
    created : str
    dataset_sha256 : str or None
        The dataset it was learned from.
    sha256 : str
        Of its content; its name among the objects.
    """

    name: str
    version: int
    created: str
    dataset_sha256: str | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A change of the release that answers: its number (None: no release answers) and the one before."""

    number: int | None
    previous: int | None


def to_dataset(row: Mapping[str, Any]) -> DatasetRecord:
    """Return a row of the table ``dataset`` as a record."""
    return DatasetRecord(
        id=f"ds_{row['sha256'][:12]}",
        sha256=row["sha256"],
        name=row["name"],
        source_sha256=row["source_sha256"],
        rows=row["rows"],
        columns=row["columns"],
        reading=json.loads(row["reading"]),
        provenance=json.loads(row["provenance"]),
        kinds=json.loads(row["kinds"]),
        created=row["created"],
    )


def to_run(row: Mapping[str, Any]) -> RunRecord:
    """Return a row of the table ``run`` as a record."""
    return RunRecord(
        id=f"run_{row['position']:06d}",
        kind=row["kind"],
        actor=row["actor"],
        status=row["status"],
        started=row["started"],
        finished=row["finished"],
        dataset_sha256=row["dataset_sha256"],
        arguments=json.loads(row["arguments"]),
        result=json.loads(row["result"]),
    )
