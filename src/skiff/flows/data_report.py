"""Write down what a look at a table found, for the client to read: one page, beside the workspace's reports or the file."""

from __future__ import annotations

from pathlib import Path

import skiff
from skiff.core.settings import Settings
from skiff.data.associations import find_associations
from skiff.data.contract.learn import learn_contract
from skiff.data.contract.say import list_sentences
from skiff.data.gaps import find_gaps
from skiff.data.profile import profile_table
from skiff.data.provenance import list_answers
from skiff.flows.look_over import CheckOutcome
from skiff.flows.provenance import gather_provenance
from skiff.flows.recipes import list_units
from skiff.report.data_page import render_data_report
from skiff.report.data_story import DataStory
from skiff.store.clock import now_utc, parse_seconds
from skiff.store.files import write_atomic
from skiff.store.layout import SKIFF_FOLDER

REPORT_FILE = "data-report.html"


def place_report(source: Path, folder: Path) -> Path:
    """Return where the report of a file goes: into the reports of its workspace where there is one, else beside the file.

    Examples
    --------
    >>> place_report(Path("work/bookings.csv.gz"), Path("nowhere/bookings")).as_posix()
    'work/bookings-data-report.html'
    """
    if (folder / SKIFF_FOLDER).is_dir():
        return folder / "reports" / REPORT_FILE
    return source.with_name(f"{source.name.split('.')[0] or 'table'}-{REPORT_FILE}")


def write_data_report(outcome: CheckOutcome, output: Path, *, settings: Settings, created: str | None = None) -> Path:
    """Build the report of a checked table and write it.

    Raises
    ------
    SkiffError
        What the disk says.
    """
    story = tell_table(outcome, settings=settings, created=created or now_utc())
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(output, render_data_report(story).encode())
    return output


def tell_table(outcome: CheckOutcome, *, settings: Settings, created: str) -> DataStory:
    """Return everything that the report says of a checked table."""
    read, facts = outcome.read, outcome.facts
    agreed = outcome.agreed
    if agreed is None:
        contract = learn_contract(
            read.frame, name=read.name, now_s=parse_seconds(created), facts=facts, units=list_units(read.reading)
        )
        sentences, version = list_sentences(contract.rules), None
    else:
        sentences, version = agreed.sentences, agreed.record.version
    task, split = outcome.task or {}, outcome.split or {}
    target = task.get("target")
    return DataStory(
        name=read.name,
        sha256=read.sha256,
        created=created,
        skiff_version=skiff.__version__,
        profile=profile_table(read.frame, facts=facts),
        gaps=find_gaps(facts, read.frame.height),
        associations=find_associations(facts),
        findings=tuple(outcome.findings),
        left_out=outcome.left_out,
        reading=read.reading,
        provenance=list_answers(gather_provenance(settings, read.name)),
        target=target if isinstance(target, str) else None,
        split=(str(split["kind"]), str(split["reason"])) if split else None,
        sentences=sentences,
        contract_version=version,
        representation=outcome.representation,
    )
