"""Look at releases."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skiff.data.sentences import say_figure, say_reach
from skiff.store.bundle_check import fingerprint
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
    erased: str = ""

    def as_result(self) -> dict[str, Any]:  # Any: a JSON document
        """Return the line for ``--json``."""
        return {**asdict(self), "path": str(self.path)}


def list_releases(folder: Path) -> tuple[ReleaseLine, ...]:
    """Return the releases of a workspace, oldest first, each with its leading metric."""
    with Workspace.open(folder) as workspace:
        gone = workspace.erasures.read().releases
        return tuple(
            ReleaseLine(
                number=record.number,
                created=record.created,
                path=record.path,
                size_bytes=record.size_bytes,
                is_champion=record.is_champion,
                headline="" if str(record.number) in gone else _headline(read_metrics(workspace, record.number)),
                erased=gone[str(record.number)].at if str(record.number) in gone else "",
            )
            for record in workspace.releases.list()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRelease:
    """A release whose files are as they were written."""

    manifest: dict[str, Any]  # Any: a JSON document
    path: Path
    signer: str | None

    def list_metrics(self) -> list[tuple[str, str, str]]:
        """Return every measurement as metric, value with its range, and rows."""
        return [(name, write_metric(item), f"{item['n']:,}") for name, item in self.manifest["metrics"].items()]

    def describe_signature(self) -> str:
        """Return whose signature it bears, in one sentence."""
        if self.signer is None:
            return "It is not signed: it was made before releases were signed. Hashes show damage, not who wrote it."
        return f"Its manifest is signed with key {self.signer}."


def show_release(folder: Path, number: int) -> ShownRelease:
    """Return a release's manifest, folder and signer, after all its files were checked against hashes and signature."""
    with Workspace.open(folder) as workspace:
        record = workspace.releases.verify(number)
        kept = workspace.releases.read_signature(number)
        signer = None if kept is None else fingerprint(bytes.fromhex(json.loads(kept)["public_key"]))
        return ShownRelease(manifest=dict(workspace.releases.read_manifest(number)), path=record.path, signer=signer)


def read_metrics(workspace: Workspace, number: int) -> dict[str, dict[str, Any]]:
    """Return what was measured of a release, by metric."""
    found: Any = workspace.releases.read_manifest(number)["metrics"]  # a JSON document
    return dict(found)


def _headline(metrics: dict[str, dict[str, Any]]) -> str:
    name = next((name for name in LEADING if name in metrics), None)
    return f"{name} {write_metric(metrics[name])}" if name else ""


def write_metric(item: dict[str, Any]) -> str:
    """Write a metric with its interval.

    Examples
    --------
    >>> write_metric({"value": 0.81234, "low": 0.79, "high": 0.83})
    '0.8123 (0.79 to 0.83)'
    """
    return f"{say_figure(item['value'])} ({say_reach(item['low'], item['high'])})"
