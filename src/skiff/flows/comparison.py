"""Set two releases side by side; apart from looking at them, because the paired test needs all that trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skiff.flows.pairing import Pairing, pair_releases
from skiff.flows.releases import read_metrics, write_metric
from skiff.report.glossary import describe_metric
from skiff.report.sheet import Sheet, SheetTable, render_sheet, tabulate_differences
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace


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
    paired: Pairing | None = None
    report: str | None = None

    def as_result(self) -> dict[str, Any]:  # Any: a JSON document
        """Return the comparison for ``--json``."""
        return {
            "metrics": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
            "paired": None if self.paired is None else asdict(self.paired),
            "report": self.report,
        }


def compare_releases(folder: Path, first: int, second: int) -> Comparison:
    """Set the metrics of two releases side by side, and test them against each other on common rows.

    Notes
    -----
    Side by side each was measured on its own sealed rows: intervals that overlap leave a difference open. The paired test takes
    rows that neither was trained on, and sees smaller differences; that look at sealed rows is counted.
    """
    paired: Pairing | str = "A release is no better than itself." if first == second else ""
    with Workspace.open(folder) as workspace:
        if first != second:
            paired = pair_releases(workspace, first, second)
        manifests = [workspace.releases.read_manifest(number) for number in (first, second)]
        metrics = [read_metrics(workspace, number) for number in (first, second)]
    rows = tuple(
        ComparedMetric(
            metric=name,
            first=write_metric(metrics[0][name]),
            second=write_metric(metrics[1][name]),
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
    if _fill_task(manifests[0]) != _fill_task(manifests[1]):
        notes.append("The two answer different questions (see the task in each manifest).")
    if isinstance(paired, str):
        return Comparison(rows=rows, notes=(*notes, f"No paired test: {paired[0].lower()}{paired[1:]}"))
    return Comparison(rows=rows, notes=tuple(notes), paired=paired)


def write_comparison(
    folder: Path, first: int, second: int, found: Comparison, *, at: Callable[[], str] = now_utc
) -> Comparison:
    """Write a comparison as a page among the workspace's reports, and return it with the page's path."""
    tables = [
        SheetTable(
            title="Side by side",
            caption="Each release on its own sealed rows; a range is the 95 % interval",
            head=("Measure", f"Release {first}", f"Release {second}", ""),
            rows=tuple((describe_metric(row.metric).label, row.first, row.second, row.verdict) for row in found.rows),
        )
    ]
    if found.paired is not None:
        tables.insert(
            0,
            SheetTable(
                title="On the same rows",
                caption=f"Release {second} minus release {first} on {found.paired.rows:,} rows that neither was trained on",
                head=("Rows", "Measure", "Difference", "Range", "n"),
                rows=tabulate_differences([("common, sealed", item) for item in found.paired.differences]),
            ),
        )
    with Workspace.open(folder) as workspace:
        sheet = Sheet(
            kind="Skiff comparison",
            title=f"{workspace.root.name}: release {first} and release {second}",
            headline=found.paired.verdict if found.paired is not None else found.notes[-1],
            sentences=found.notes if found.paired is not None else found.notes[:-1],
            tables=tuple(tables),
            created=at(),
        )
        path = workspace.write_report(f"compare-{first}-{second}.html", render_sheet(sheet).encode())
    return replace(found, report=str(path))


def _judge(first: dict[str, Any], second: dict[str, Any]) -> str:
    """Say which is better where the intervals do not overlap."""
    bounds = (first["low"], first["high"], second["low"], second["high"])
    if None in bounds or first["higher_is_better"] is None:
        return "cannot tell"
    is_second_higher = second["low"] > first["high"]
    if not is_second_higher and not first["low"] > second["high"]:
        return "within noise"
    return "second is better" if is_second_higher == first["higher_is_better"] else "first is better"


def _fill_task(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a release's question without what was not asked: a key that a later version added says nothing when empty."""
    return {name: value for name, value in manifest["task"].items() if value not in (None, "", [], ())}
