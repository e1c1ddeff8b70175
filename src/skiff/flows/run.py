"""The whole journey: from a client's file to a released, explained model."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import skiff
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.flows.candidates import save_candidate
from skiff.flows.datasets import keep_dataset
from skiff.flows.judgement import judge_and_record
from skiff.flows.prepare import prepare
from skiff.flows.read import read_table
from skiff.flows.recording import record_checks
from skiff.flows.release import Publication, publish_candidate, tell_release
from skiff.flows.settle import Wishes, settle_effort, settle_question
from skiff.flows.story import build_story
from skiff.flows.train import train_candidate
from skiff.report.card import render_card
from skiff.report.content import ReleaseStory, RunStory
from skiff.report.html import render_report
from skiff.report.run_json import build_result
from skiff.store.clock import now_utc
from skiff.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run gives back: the story, the machine-readable result, and whether the gate said yes."""

    story: RunStory
    result: Mapping[str, Json]
    files: Mapping[str, str]
    is_yes: bool
    is_champion: bool


class Meter:
    """Counts what a piece of work costs this process."""

    def __init__(self) -> None:
        """Start counting."""
        self._wall_s = time.monotonic()
        self._cpu_s = time.process_time()

    def read(self) -> dict[str, float]:
        """Return wall and processor seconds since the start, and the largest memory of the process in MB."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        per_mb = 1 << 20 if sys.platform == "darwin" else 1 << 10  # Linux counts in KiB, macOS in bytes
        return {
            "wall_s": time.monotonic() - self._wall_s,
            "cpu_s": time.process_time() - self._cpu_s,
            "peak_rss_mb": peak / per_mb,
        }


def run(
    source: Path,
    wishes: Wishes,
    *,
    folder: Path,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> RunOutcome:
    """Read, check, train, judge, release and tell, recording each step in the workspace at `folder`.

    Parameters
    ----------
    source : Path
        The client's file.
    wishes : Wishes
        What the user asked for; ``skiff.toml`` fills what they left open.
    folder : Path
        The workspace; made where it is absent, after the file was read.
    should_stop : callable, optional
        True once the user pressed Ctrl-C: the best model so far is kept.
    progress : Progress, optional
    at : callable
        Gives the time for the records.

    Raises
    ------
    SkiffError
        Whatever makes the work impossible; what was recorded before stays valid.
    """
    progress = progress or Silent()
    meter = Meter()
    progress.stage("Read", source.name)
    read = read_table(source)
    with Workspace.open(folder, create=True) as workspace, workspace.lock("run"):
        settings = workspace.settings
        question = settle_question(settings, wishes)
        effort = settle_effort(settings, wishes, should_stop=should_stop)
        progress.stage("Check", f"{read.frame.height:,} rows, {read.frame.width} columns")
        prepared = prepare(read, question, threads=effort.threads, progress=progress)
        kept = keep_dataset(workspace, read, at=at())
        evidence = {"dataset": kept.evidence} | record_checks(workspace, prepared, dataset_id=kept.record.id, at=at)
        run_id = workspace.start_run("run", arguments={"source": source.name, "target": question.target}).id

        progress.stage("Train", f"up to {effort.budget_s:.0f} s")
        candidate = train_candidate(prepared, effort, costs=settings.costs, progress=progress)
        evidence["train"] = save_candidate(workspace, candidate, prepared, dataset_id=kept.record.id, at=at())
        judged = judge_and_record(
            workspace, prepared, candidate, dataset_sha=kept.record.sha256, at=at, progress=progress
        )
        evidence |= judged.evidence

        def tell(release: ReleaseStory) -> RunStory:
            return build_story(
                read,
                prepared,
                candidate,
                judged.verdict,
                release,
                settings=settings,
                looks=judged.looks,
                evidence=evidence,
                created=at(),
                version=skiff.__version__,
                cost=meter.read(),
            )

        publication = None
        if judged.verdict.gate.passed:
            progress.stage("Release", "one folder with the model, its papers and its evidence")
            publication = publish_candidate(
                workspace,
                prepared,
                candidate,
                judged.verdict,
                dataset_sha=kept.record.sha256,
                story=lambda number: tell(tell_release(candidate, number=number)),
                run_id=run_id,
                at=at(),
            )
            evidence["release"] = publication.evidence
        story = tell(tell_release(candidate, number=publication.record.number if publication else None))
        files = write_documents(workspace, story, publication)
        workspace.finish_run(run_id, status="done", result={"gate_passed": judged.verdict.gate.passed})
        place = str(publication.record.path) if publication else None
        result = build_result(
            story, workspace=str(workspace.root), dataset_id=kept.record.id, release_path=place, files=files
        )
        return RunOutcome(
            story=story,
            result=result,
            files=files,
            is_yes=judged.verdict.gate.passed,
            is_champion=publication is not None and publication.record.number == workspace.releases.champion(),
        )


def write_documents(workspace: Workspace, story: RunStory, publication: Publication | None) -> dict[str, str]:
    """Write the report and the card for a person to open, and return their paths by kind."""
    files = {
        "report_html": str(workspace.write_report("report.html", render_report(story).encode())),
        "card": str(workspace.write_report("card.md", render_card(story).encode())),
    }
    if publication is not None:
        files["datasheet"] = str(publication.record.path / "datasheet.json")
    return files


def default_folder(source: Path) -> Path:
    """Return the workspace for a file: a folder beside it, named after it.

    Examples
    --------
    >>> default_folder(Path("work/bookings.csv.gz")).as_posix()
    'work/bookings'
    """
    stem = source.name.split(".")[0] or "workspace"
    place = source.parent / stem
    return place if place.name != source.name else replace_suffix(place)


def replace_suffix(place: Path) -> Path:
    """Return another name for a folder that would collide with its file.

    Examples
    --------
    >>> replace_suffix(Path("work/bookings")).name
    'bookings-skiff'
    """
    return place.with_name(f"{place.name}-skiff")
