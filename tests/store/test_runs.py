"""Runs and looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from skiff.core.errors import SkiffError
from skiff.store.workspace import Workspace


def test_a_run_is_recorded_from_start_to_end(workspace: Workspace) -> None:
    run_id = workspace.start_run("train", arguments={"target": "churned"})
    assert workspace.runs.get(run_id).status == "running"
    assert workspace.runs.find_latest("train") is None
    done = workspace.finish_run(run_id, result={"candidate": "0" * 64}, dataset_sha256="1" * 64)
    assert done.status == "done"
    assert done.arguments == {"target": "churned"}
    assert done.dataset_sha256 == "1" * 64
    assert workspace.runs.find_latest("train") == done == workspace.runs.list()[0]


def test_a_run_that_was_killed_is_marked_when_the_workspace_is_opened_again(workspace: Workspace, folder: Path) -> None:
    run_id = workspace.start_run("run")
    workspace.close()
    with Workspace.open(folder) as again:
        assert again.sweep.interrupted_runs == 1
        assert again.runs.get(run_id).status == "interrupted"


def test_a_run_of_another_open_process_is_not_marked(workspace: Workspace, folder: Path) -> None:
    run_id = workspace.start_run("run")
    with Workspace.open(folder) as other:
        assert other.sweep.interrupted_runs == 0
        assert other.runs.get(run_id).status == "running"


@pytest.mark.parametrize("run_id", ["run_000009", "x", "", "run_", "run_²"])
def test_an_unknown_run_is_refused(workspace: Workspace, run_id: str) -> None:
    for use in (workspace.runs.get, workspace.finish_run):
        with pytest.raises(SkiffError) as caught:
            use(run_id)
        assert caught.value.code == "run_not_found"


def test_looks_are_counted_for_each_split_and_survive_closing(workspace: Workspace, folder: Path) -> None:
    assert [workspace.count_look("a" * 64, "b" * 64) for _ in range(3)] == [1, 2, 3]
    assert workspace.count_look("a" * 64, "c" * 64) == 1
    workspace.close()
    with Workspace.open(folder) as again:
        assert again.runs.read_looks("a" * 64, "b" * 64) == 3
        assert again.runs.read_looks("x", "y") == 0
        assert again.count_look("a" * 64, "b" * 64) == 4
