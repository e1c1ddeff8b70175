"""A session of review: the workspace open, the queue filled, or the rows of a dataset ranked for labelling."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from skiff.core.progress import Progress
from skiff.flows.labelling import LabelPlan, queue_labels
from skiff.flows.queueing import count_waiting
from skiff.flows.review import ReviewQueue
from skiff.store.workspace import Workspace


class ReviewSession:
    """Opens a workspace for one reviewer; use it in a ``with`` block.

    Parameters
    ----------
    folder : Path
    label : str, optional
        Id, hash or name of a dataset whose rows are labelled, instead of rows of the prediction log.
    seed : int
    progress : Progress, optional

    Attributes
    ----------
    queue : ReviewQueue
    actor : str
        Who uses this machine.
    plan : LabelPlan or None
        What labels are worth, where rows are labelled.
    """

    def __init__(
        self, folder: Path, *, label: str | None = None, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Open the workspace and fill the queue."""
        self._workspace = Workspace.open(folder)
        try:
            self.queue = ReviewQueue(self._workspace)
            self.actor = self._workspace.actor
            self.plan: LabelPlan | None = None
            if label is None:
                self.queue.fill()
            else:
                self.plan = queue_labels(self._workspace, label, seed=seed, progress=progress)
        except BaseException:
            self._workspace.close()
            raise

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the log and the workspace."""
        self.queue.close()
        self._workspace.close()

    def count_waiting(self) -> int:
        """Return how many rows of this session's kind wait."""
        if self.plan is None:
            return count_waiting(self._workspace)
        return len(self._workspace.reviews.list(state="open", source="label", dataset_sha256=self.plan.sha256))
