"""The release that answers, with the rows it learned from and those it was judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skiff.core.task import Task
from skiff.data.task import encode_target
from skiff.deploy.predictor import Predictor
from skiff.flows.datasets import load_dataset
from skiff.flows.learned import find_split, list_unseen
from skiff.flows.read import ReadTable
from skiff.flows.standing import refuse_none
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """The release that answers, with what it was trained on."""

    number: int
    manifest: Mapping[str, Any]  # Any: a JSON document
    predictor: Predictor
    task: Task
    table: ReadTable
    train: np.ndarray[Any, np.dtype[np.int64]]
    test: np.ndarray[Any, np.dtype[np.int64]]


def load_champion(workspace: Workspace, number: int | None = None) -> Champion:
    """Return the release that answers, or the one named, with the rows it learned from and those it was judged on.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``; ``dataset_not_found`` where its data was removed.
    """
    number = number or refuse_none(workspace.releases.champion(), str(workspace.root))
    manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))
    model = workspace.releases.read_file(number, "model.onnx")
    task = Task(
        **{
            **manifest["task"],
            "classes": tuple(manifest["task"]["classes"]),
            "protected": tuple(manifest["task"]["protected"]),
        }
    )
    _, table = load_dataset(workspace, str(manifest["dataset_sha256"]))
    train, test = _find_split(workspace, number, str(manifest["dataset_sha256"]), table, task)
    return Champion(
        number=number,
        manifest=manifest,
        predictor=Predictor(model),
        task=task,
        table=table,
        train=train,
        test=test,
    )


def _find_split(
    workspace: Workspace, number: int, dataset_sha256: str, table: ReadTable, task: Task
) -> tuple[Any, Any]:
    """Return the rows that a release learned from and those it was judged on.

    Where training noted none, they are taken from the sealed rows that every look at this dataset left aside.
    """
    noted = find_split(workspace, number)
    if noted is not None:
        return noted
    _, has_target = encode_target(table.frame, task)
    test = list_unseen(workspace, dataset_sha256)
    is_train = has_target.copy()
    is_train[test] = False
    return np.flatnonzero(is_train), test
