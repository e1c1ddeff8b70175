"""The end of the journey: judge a candidate, release it if its gate says yes, and tell."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import skiff
from skiff.core.evidence import Json
from skiff.core.progress import Progress
from skiff.flows.contracts import find_contract
from skiff.flows.fixes import write_fix_list
from skiff.flows.judgement import judge_and_record
from skiff.flows.prepare import Prepared
from skiff.flows.read import ReadTable
from skiff.flows.release import Publication, publish_candidate, tell_release
from skiff.flows.story import build_story
from skiff.flows.train import Candidate
from skiff.report.card import render_card
from skiff.report.content import ReleaseStory, RunStory
from skiff.report.html import render_report
from skiff.report.pdf import render_pdf
from skiff.report.run_json import build_result
from skiff.store.records import DatasetRecord
from skiff.store.workspace import Workspace

CHALLENGER = "challenger-"
"""What the names of a challenger's papers begin with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run gives back: the story, the machine-readable result, the files, and whether the gate said yes."""

    story: RunStory
    result: Mapping[str, Json]
    files: Mapping[str, str]
    is_yes: bool
    is_champion: bool

    @property
    def papers(self) -> dict[str, str]:
        """The files a person opens, by what they are called on screen."""
        names = {
            "Report": "report_html",
            "To print": "report_pdf",
            "Model card": "card",
            "Answers to check": "fix_list",
        }
        return {name: self.files[kind] for name, kind in names.items() if kind in self.files}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """All that came before the end: the table, what was prepared and trained from it, and its records.

    Parameters
    ----------
    dataset : DatasetRecord
        Where the workspace keeps the table.
    evidence : mapping of str to str
        Ids of ledger records by topic.
    meter : Meter
        Counts what the whole journey costs.
    run_id : str, optional
        None where no run was begun: a step by hand, a retraining.
    """

    read: ReadTable
    prepared: Prepared
    candidate: Candidate
    dataset: DatasetRecord
    evidence: Mapping[str, str]
    meter: Meter
    run_id: str | None = None


def conclude(
    workspace: Workspace,
    journey: Journey,
    *,
    at: Callable[[], str],
    progress: Progress,
    may_release: bool = True,
    kept_back: str = "",
    is_challenge: bool = False,
    takes_over: bool = False,
) -> RunOutcome:
    """Judge on the sealed rows, publish if the gate passed and `may_release` (`kept_back` says why not), write the report.

    The papers of a challenger (`is_challenge`) are called so, and those of the release that answers stay, unless it was published
    and `takes_over`.
    """
    read, prepared, candidate, dataset = journey.read, journey.prepared, journey.candidate, journey.dataset
    judged = judge_and_record(workspace, prepared, candidate, dataset_sha=dataset.sha256, at=at, progress=progress)
    known = {**journey.evidence, **judged.evidence}

    def tell(release: ReleaseStory) -> RunStory:
        return build_story(
            read,
            prepared,
            candidate,
            judged.verdict,
            release,
            settings=workspace.settings,
            looks=judged.looks,
            other_sealed=judged.other_sealed,
            evidence=known,
            created=at(),
            version=skiff.__version__,
            cost=journey.meter.read(),
        )

    def tell_of(number: int | None, record: str) -> RunStory:
        if record:
            known["release"] = record
        return tell(tell_release(candidate, number=number, kept_back=kept_back))

    publication = None
    if judged.verdict.gate.passed and may_release:
        progress.stage("Release", "one folder with the model, its papers and its evidence")
        publication = publish_candidate(
            workspace,
            prepared,
            candidate,
            judged.verdict,
            dataset_sha=dataset.sha256,
            story=tell_of,
            run_id=journey.run_id,
            at=at(),
            contract=find_contract(workspace, read.name, read.frame.columns),
        )
    story = tell_of(publication.record.number if publication else None, publication.evidence if publication else "")
    papers = {"report.html": render_report(story), "card.md": render_card(story)}
    name = CHALLENGER if is_challenge and not (publication and takes_over) else ""
    files = write_documents(workspace, papers, publication, name=name)
    fix_list = None if name else write_fix_list(workspace, candidate.fixes)
    files |= {"fix_list": fix_list} if fix_list else {}
    result = build_result(
        story,
        {
            "workspace": str(workspace.root),
            "dataset": {"id": dataset.id},
            "release": {"path": str(publication.record.path) if publication else None},
            "files": dict(files),
        },
    )
    champion = workspace.releases.champion()
    return RunOutcome(
        story=story,
        result=result,
        files=files,
        is_yes=judged.verdict.gate.passed,
        is_champion=publication is not None and publication.record.number == champion,
    )


def write_documents(
    workspace: Workspace, papers: Mapping[str, str], publication: Publication | None, *, name: str = ""
) -> dict[str, str]:
    """Write the report and the card for a person to open, called `name` before all else, and return their paths by kind."""
    files = {
        "report_html": str(workspace.write_report(f"{name}report.html", papers["report.html"].encode())),
        "report_pdf": str(workspace.write_report(f"{name}report.pdf", render_pdf(papers["report.html"]))),
        "card": str(workspace.write_report(f"{name}card.md", papers["card.md"].encode())),
    }
    if publication is not None:
        sheet = publication.record.path / "datasheet.json"
        if workspace.box.cipher is not None:  # the release's own copy is encrypted
            sheet = workspace.write_report(
                sheet.name, workspace.releases.read_file(publication.record.number, sheet.name)
            )
        files["datasheet"] = str(sheet)
    return files
