"""Look at releases, and set two of them side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skiff.store.workspace import Workspace

LEADING = ("roc_auc", "rmse", "accuracy")
"""The metric that stands for a release in a list: the first of these that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """One release in a list."""

    number: int
    created: str
    path: Path
    size_bytes: int
    is_champion: bool
    headline: str

    def as_result(self) -> dict[str, Any]:  # Any: a JSON document
        """Return the line for ``--json``."""
        return {**asdict(self), "path": str(self.path)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMetric:
    """One metric of two releases, written with their intervals."""

    metric: str
    first: str
    second: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two releases side by side."""

    rows: tuple[ComparedMetric, ...]
    notes: tuple[str, ...]

    def as_result(self) -> dict[str, Any]:  # Any: a JSON document
        """Return the comparison for ``--json``."""
        return {"metrics": [asdict(row) for row in self.rows], "notes": list(self.notes)}


def list_releases(folder: Path) -> tuple[ReleaseLine, ...]:
    """Return the releases of a workspace, oldest first, each with its leading metric."""
    with Workspace.open(folder) as workspace:
        return tuple(
            ReleaseLine(
                number=record.number,
                created=record.created,
                path=record.path,
                size_bytes=record.size_bytes,
                is_champion=record.is_champion,
                headline=_headline(_metrics(workspace, record.number)),
            )
            for record in workspace.releases.list()
        )


def show_release(folder: Path, number: int) -> tuple[dict[str, Any], Path]:  # Any: a JSON document
    """Return a release's manifest and folder, after all its files were checked against their hashes."""
    with Workspace.open(folder) as workspace:
        record = workspace.releases.verify(number)
        return dict(workspace.releases.read_manifest(number)), record.path


def compare_releases(folder: Path, first: int, second: int) -> Comparison:
    """Set the metrics of two releases side by side.

    Notes
    -----
    Each was measured on its own sealed rows. Intervals that do not overlap mean a difference; intervals that overlap
    leave it open. A paired test on common rows says more.
    """
    with Workspace.open(folder) as workspace:
        manifests = [workspace.releases.read_manifest(number) for number in (first, second)]
        metrics = [_metrics(workspace, number) for number in (first, second)]
    rows = tuple(
        ComparedMetric(
            metric=name,
            first=_write(metrics[0][name]),
            second=_write(metrics[1][name]),
            verdict=_judge(metrics[0][name], metrics[1][name]),
        )
        for name in metrics[0]
        if name in metrics[1]
    )
    notes = []
    if manifests[0]["dataset_sha256"] != manifests[1]["dataset_sha256"]:
        notes.append(
            "The two were trained and judged on different datasets, so the numbers are not strictly comparable."
        )
    if manifests[0]["task"] != manifests[1]["task"]:
        notes.append("The two answer different questions (see the task in each manifest).")
    return Comparison(rows=rows, notes=tuple(notes))


def _metrics(workspace: Workspace, number: int) -> dict[str, dict[str, Any]]:
    found: Any = workspace.releases.read_manifest(number)["metrics"]  # a JSON document
    return dict(found)


def _headline(metrics: dict[str, dict[str, Any]]) -> str:
    name = next((name for name in LEADING if name in metrics), None)
    return f"{name} {_write(metrics[name])}" if name else ""


def _write(item: dict[str, Any]) -> str:
    if item["low"] is None or item["high"] is None:
        return f"{item['value']:.4g} (no interval)"
    return f"{item['value']:.4g} ({item['low']:.4g} to {item['high']:.4g})"


def _judge(first: dict[str, Any], second: dict[str, Any]) -> str:
    """Say which is better where the intervals do not overlap."""
    bounds = (first["low"], first["high"], second["low"], second["high"])
    if None in bounds or first["higher_is_better"] is None:
        return "cannot tell"
    is_second_higher = second["low"] > first["high"]
    if not is_second_higher and not first["low"] > second["high"]:
        return "within noise"
    return "second is better" if is_second_higher == first["higher_is_better"] else "first is better"
