"""What an erasure would reach, before anything changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from skiff.core.errors import SkiffError
from skiff.flows.persons import Marked, Person, count_learned, find_person
from skiff.flows.places import PLACES, name_reports
from skiff.store.bytesearch import holds
from skiff.store.erasures import Running
from skiff.store.workspace import Workspace

MODELS = frozenset({"model.onnx", "reasons.onnx"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Justification:
    """Why models that learned from the person may stay, and until when."""

    why: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePlan:
    """What an erasure would reach.

    Parameters
    ----------
    subject : str
        The keyed hash that stands for the person.
    found : mapping of str to int
        Rows, records or files by place.
    columns : tuple of str
        Where the person was looked for.
    datasets : mapping of str to int
        Dataset id to rows.
    releases : mapping of int to int
        Release to the rows it learned from; 0 where it was only judged on them, or left them out.
    reports : tuple of str
        Files in ``reports/`` that would go.
    """

    subject: str
    found: Mapping[str, int]
    columns: tuple[str, ...]
    datasets: Mapping[str, int]
    releases: Mapping[int, int]
    champion: int | None
    reports: tuple[str, ...] = ()
    is_resumed: bool = False

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {**asdict(self), "releases": {str(number): rows for number, rows in self.releases.items()}}


def plan_erasure(folder: Path, subject: str, *, column: str | None = None) -> ErasePlan:
    """Say what an erasure would reach; nothing is changed.

    Raises
    ------
    SkiffError
        ``subject_empty``, ``column_not_found``.
    """
    with Workspace.open(folder) as workspace:
        person, marked, running = find_subject(workspace, subject, column)
        return build_plan(workspace, person, marked, running)


def find_subject(workspace: Workspace, subject: str, column: str | None) -> tuple[Person, list[Marked], Running | None]:
    """Return whom a name is about, the datasets with their rows, and an erasure of them that was begun and not finished."""
    person, marked = find_person(workspace, subject, column=column)
    running = workspace.erasures.read().running.get(person.hash)
    if running is not None:
        known = workspace.erasures.open_sealed(person.name, running.sealed)
        column = column or running.column or None
        person, marked = find_person(workspace, subject, column=column, known=known)
    return person, marked, running


def build_plan(workspace: Workspace, person: Person, marked: Sequence[Marked], running: Running | None) -> ErasePlan:
    """Return what an erasure would reach, with what one that was begun had found already."""
    before = running.counts if running else {}
    found = {place.name: before.get(place.name, 0) or place.find(workspace, person) for place in PLACES}
    reports = (running.reports if running else ()) or name_reports(workspace, person, has_rows=bool(marked))
    found["reports"] = len(reports)
    book = workspace.erasures.read()
    gone = book.releases
    learned = {item.release: item.learned for item in book.kept if item.subject == person.hash}
    learned |= {int(number): rows for number, rows in running.learned.items()} if running else {}
    learned |= count_learned(workspace, marked)
    for release in workspace.releases.list():
        if (
            str(release.number) not in gone
            and release.number not in learned
            and speaks(workspace, release.path, person, MODELS)
        ):
            learned[release.number] = 0
    return ErasePlan(
        subject=person.hash,
        found=found,
        columns=person.columns,
        datasets={item.record.id: item.n_rows for item in marked},
        releases=dict(sorted(learned.items())),
        reports=reports,
        champion=workspace.releases.champion(),
        is_resumed=running is not None,
    )


def speaks(workspace: Workspace, folder: Path, person: Person, names: frozenset[str] | None = None) -> bool:
    """Return whether a file of a release holds a value that names the person. A damaged one is the last search's to tell."""
    paths = [folder / name for name in sorted(names)] if names else sorted(folder.iterdir()) if folder.is_dir() else []
    return any(path.is_file() and is_about(workspace, path, person, if_damaged=False) for path in paths)


def is_about(workspace: Workspace, path: Path, person: Person, *, if_damaged: bool = True) -> bool:
    """Return whether a file holds a value that names the person; `if_damaged` where it cannot be decrypted, so that nobody knows."""
    try:
        return holds(workspace.read_kept(path), path.name, person.wanted)
    except SkiffError:
        return if_damaged


def call_person(hashed: str) -> str:
    """Return what stands for a person in records."""
    return f"person {hashed[:16]}"
