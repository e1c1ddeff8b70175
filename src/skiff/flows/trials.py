"""Go on where an interrupted training stopped."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from skiff.flows.effort import Effort
from skiff.flows.prepare import Prepared
from skiff.store.trials import Trials
from skiff.store.workspace import Workspace
from skiff.train.memory import Remembered


class WorkspaceMemory:
    """`skiff.train.memory.Memory` on a workspace's disk.

    Parameters
    ----------
    trials : Trials
    """

    def __init__(self, trials: Trials) -> None:
        """Count what is known from before."""
        self.trials = trials
        self.n_known = trials.count()

    def recall(self, name: str) -> Remembered | None:
        """Return what is known of a candidate."""
        found = self.trials.get(name)
        if found is None or len(found[1]) != 5:  # noqa: PLR2004  the facts of `Remembered`
            return None
        loss, n_steps, factor, seconds, refit_seconds = (float(fact) for fact in found[1])
        return Remembered(oof=found[0], facts=(loss, n_steps, factor, seconds, refit_seconds))

    def keep(self, name: str, made: Remembered) -> None:
        """Remember a candidate."""
        self.trials.put(name, made.oof, np.array(made.facts))


def open_memory(
    workspace: Workspace, prepared: Prepared, effort: Effort, *, dataset_sha256: str, versions: dict[str, str]
) -> WorkspaceMemory:
    """Return the memory of this very training: any other rows, columns, wishes, seed or versions are another one."""
    digest = hashlib.sha256()
    for array in (prepared.split.train, *(rows for fold in prepared.split.folds for rows in fold)):
        digest.update(array.tobytes())
    for asked in (prepared.demands.weights, prepared.demands.exposure):
        digest.update(b"" if asked is None else asked.tobytes())
    asked_for = (prepared.demands.monotone, prepared.demands.quantile, effort.seed)
    said = msgspec.json.encode(
        [dataset_sha256, prepared.task, prepared.inputs, prepared.split.kind, asked_for, versions]
    )
    digest.update(said)
    return WorkspaceMemory(Trials(workspace.trials_folder, digest.hexdigest(), box=workspace.box))
