"""Compare two versions of a table: datasets of a workspace, or files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.core.finding import Finding, sort_findings
from skiff.data.drift import TableDrift, compare_tables, find_drift
from skiff.flows.datasets import load_dataset
from skiff.flows.read import ReadTable, read_table
from skiff.flows.recipes import find_recipe
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOutcome:
    """Two tables by name, what differs, and what is worth a word."""

    names: tuple[str, str]
    drift: TableDrift
    findings: tuple[Finding, ...]

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints; findings stand beside it."""
        return {"before": self.names[0], "after": self.names[1], **asdict(self.drift)}


def compare_data(before: str, after: str, *, folder: Path) -> DriftOutcome:
    """Compare two tables, each a dataset of the workspace (id, hash or name) or a file.

    Raises
    ------
    SkiffError
        ``dataset_not_found``, ``file_not_found`` and what reading says.
    """
    first, second = (_load(key, folder) for key in (before, after))
    drift = compare_tables(first.frame, second.frame)
    return DriftOutcome(names=(before, after), drift=drift, findings=tuple(sort_findings(find_drift(drift))))


def _load(key: str, folder: Path) -> ReadTable:
    path = Path(key)
    if not (folder / SKIFF_FOLDER).is_dir():
        return read_table(path)
    with Workspace.open(folder) as workspace:
        try:
            return load_dataset(workspace, key)[1]
        except SkiffError as error:
            if error.code != "dataset_not_found" or not path.exists():
                raise
        return read_table(path, recipe=find_recipe(workspace.settings, path.name))
