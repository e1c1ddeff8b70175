"""Set two releases side by side; apart from looking at them, because the paired test needs all that trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skiff.flows.pairing import Pairing, pair_releases
from skiff.flows.releases import read_metrics, write_metric
from skiff.report.comparison import count_difference, say_direction, tabulate_pairing
from skiff.report.glossary import describe_metric
from skiff.report.numbers import format_bytes, format_micros
from skiff.report.sheet import Sheet, SheetTable, render_sheet
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMetric:
    """One metric of two releases, written with their intervals; `better` says which way is better."""

    metric: str
    first: str
    second: str
    verdict: str
    better: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two releases side by side."""

    rows: tuple[ComparedMetric, ...]
    notes: tuple[str, ...]
    files: tuple[ComparedMetric, ...] = ()
    paired: Pairing | None = None
    report: str | None = None

    def as_result(self) -> dict[str, Any]:  # Any: a JSON document
        """Return the comparison for ``--json``."""
        return {
            "metrics": [asdict(row) for row in self.rows],
            "files": [asdict(row) for row in self.files],
            "notes": list(self.notes),
            "paired": None if self.paired is None else asdict(self.paired),
            "report": self.report,
        }


def compare_releases(folder: Path, first: int, second: int, *, at: Callable[[], str] = now_utc) -> Comparison:
    """Set the metrics of two releases side by side, and test them against each other on common rows.

    Notes
    -----
    Side by side each was measured on its own sealed rows: intervals that overlap leave a difference open. The paired test takes
    rows that neither was trained on, and sees smaller differences; that look at sealed rows is counted.
    """
    paired: Pairing | str = "A release is no better than itself." if first == second else ""
    with Workspace.open(folder) as workspace:
        if first != second:
            paired = pair_releases(workspace, first, second, at=at)
        manifests = [workspace.releases.read_manifest(number) for number in (first, second)]
        metrics = [read_metrics(workspace, number) for number in (first, second)]
        files = _compare_files(workspace, manifests)
    rows = tuple(
        ComparedMetric(
            metric=name,
            first=write_metric(metrics[0][name]),
            second=write_metric(metrics[1][name]),
            verdict=_judge(metrics[0][name], metrics[1][name], (first, second)),
            better=say_direction(higher_is_better=metrics[0][name]["higher_is_better"]),
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
        return Comparison(rows=rows, files=files, notes=(*notes, f"No paired test: {paired[0].lower()}{paired[1:]}"))
    return Comparison(rows=rows, files=files, notes=tuple(notes), paired=paired)


def write_comparison(
    folder: Path, first: int, second: int, found: Comparison, *, at: Callable[[], str] = now_utc
) -> Comparison:
    """Write a comparison as a page among the workspace's reports, and return it with the page's path."""
    tables = [
        SheetTable(
            title="Side by side",
            caption="Each release on its own sealed rows, which need not be the same; in brackets the 95 % interval",
            head=("Measure", "Better is", f"Release {first}", f"Release {second}", ""),
            rows=tuple(
                (describe_metric(row.metric).label, row.better, row.first, row.second, row.verdict)
                for row in found.rows
            ),
        ),
        SheetTable(
            title="Size and speed",
            caption="The compiled file, and the time of one answer as it was measured when each was trained",
            head=("Measure", "Better is", f"Release {first}", f"Release {second}", ""),
            rows=tuple((row.metric, row.better, row.first, row.second, row.verdict) for row in found.files),
        ),
    ]
    if found.paired is not None:
        tables.insert(
            0,
            SheetTable(
                title="On the same rows",
                caption=f"Release {second} against release {first} on {found.paired.rows:,} rows that neither was trained on; "
                "in brackets the 95 % interval",
                head=("Measure", "Better is", f"Release {second} is", ""),
                rows=tabulate_pairing(found.paired.differences, (first, second), unit=found.paired.unit),
            ),
        )
    counted = "" if found.paired is None else count_difference(found.paired.differences[0], second)
    with Workspace.open(folder) as workspace:
        sheet = Sheet(
            kind="Skiff comparison",
            title=f"{workspace.root.name}: release {first} and release {second}",
            headline=found.paired.verdict if found.paired is not None else found.notes[-1],
            sentences=tuple(sentence for sentence in (counted, *found.notes) if sentence)
            if found.paired is not None
            else found.notes[:-1],
            tables=tuple(table for table in tables if table.rows),
            closing=_tell_look(found.paired),
            created=at(),
        )
        path = workspace.write_report(f"compare-{first}-{second}.html", render_sheet(sheet).encode())
    return replace(found, report=str(path))


def _tell_look(paired: Pairing | None) -> str:
    if paired is None:
        return ""
    times = "once" if paired.looks == 1 else f"{paired.looks:,} times"
    return (
        f"The rows kept aside have been looked at {times}, this comparison included, and the ranges allow for it. "
        f"This look is on record as {paired.evidence}."
    )


def _judge(first: dict[str, Any], second: dict[str, Any], numbers: tuple[int, int]) -> str:
    """Say which is better where the intervals do not overlap."""
    bounds = (first["low"], first["high"], second["low"], second["high"])
    if None in bounds or first["higher_is_better"] is None:
        return "cannot tell"
    is_second_higher = second["low"] > first["high"]
    if not is_second_higher and not first["low"] > second["high"]:
        return "too close to call"
    return f"release {numbers[is_second_higher == first['higher_is_better']]} is better"


def _compare_files(workspace: Workspace, manifests: Sequence[Mapping[str, Any]]) -> tuple[ComparedMetric, ...]:
    """Return how large the two compiled files are and how fast they answer, as far as that is known."""
    entries = [manifest["files"]["model.onnx"] for manifest in manifests]
    known = [entry if isinstance(entry, dict) else {"sha256": entry} for entry in entries]
    speeds: dict[str, float] = {}
    for record in workspace.ledger.records():
        speed = record.result.get("latency_us")
        if isinstance(speed, float):
            speeds[record.subject] = speed
    made = []
    sizes = [entry.get("size_bytes") for entry in known]
    if None not in sizes:
        made.append(("size of the file", [format_bytes(size) for size in sizes if size is not None]))
    times = [speeds.get(str(entry["sha256"])) for entry in known]
    if None not in times:
        made.append(("time for one answer", [format_micros(time) for time in times if time is not None]))
    return tuple(
        ComparedMetric(metric=name, first=told[0], second=told[1], verdict="", better="lower") for name, told in made
    )


def _fill_task(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a release's question without what was not asked: a key that a later version added says nothing when empty."""
    return {name: value for name, value in manifest["task"].items() if value not in (None, "", [], ())}
