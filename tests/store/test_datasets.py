"""Datasets are kept once, by content."""

from __future__ import annotations

import hashlib

import pytest

from skiff.core.errors import SkiffError
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace

AT = "2026-03-01T09:00:00.000000Z"


def add(workspace: Workspace, data: bytes = b"PAR1", name: str = "a.csv") -> DatasetRecord:
    return workspace.add_dataset(
        data,
        name=name,
        source_sha256="1" * 64,
        rows=3,
        columns=2,
        reading={"delimiter": ";", "dates": ["%Y"]},
        provenance={"source": name},
        kinds={"price": "number"},
    )


def test_a_dataset_comes_back_whole(workspace: Workspace) -> None:
    record = add(workspace)
    assert record.sha256 == hashlib.sha256(b"PAR1").hexdigest()
    assert record.id == f"ds_{record.sha256[:12]}"
    assert record.created == AT
    assert record.reading == {"delimiter": ";", "dates": ["%Y"]}
    assert workspace.datasets.list() == (record,)
    assert workspace.datasets.read_parquet(record.id) == b"PAR1"


def test_the_same_content_is_kept_once(workspace: Workspace) -> None:
    first = add(workspace)
    assert add(workspace, name="again.csv") == first
    assert len(workspace.datasets.list()) == 1


def test_a_dataset_is_found_by_id_hash_or_name_the_newest_first(workspace: Workspace) -> None:
    first, second = add(workspace, b"1"), add(workspace, b"2")
    assert workspace.datasets.get(first.id) == workspace.datasets.get(first.sha256) == first
    assert workspace.datasets.get("a.csv") == second


def test_an_unknown_dataset_lists_what_there_is(workspace: Workspace) -> None:
    with pytest.raises(SkiffError, match="none yet"):
        workspace.datasets.get("x")
    record = add(workspace)
    with pytest.raises(SkiffError) as caught:
        workspace.datasets.get("x")
    assert caught.value.code == "dataset_not_found"
    assert record.id in caught.value.fix


def test_adding_again_mends_a_lost_file(workspace: Workspace) -> None:
    record = add(workspace)
    workspace.objects.path(record.sha256).unlink()
    assert not workspace.verify().ok
    add(workspace)
    assert workspace.verify().ok
