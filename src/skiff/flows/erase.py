"""Erase a person from a workspace: everywhere, the models too, with a signed account of what was done.

A killed erasure goes on when it is asked for again with the same name: what it must still reach is noted before anything changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.flows.certificates import Certificate, FateOfModel, Reached, SearchResult, write_certificate
from skiff.flows.erase_models import keep_models, refuse_speaking_models, refuse_unfit, settle_models
from skiff.flows.erase_plan import ErasePlan, Justification, build_plan, call_person, find_subject, plan_erasure
from skiff.flows.fixes import FIX_LIST
from skiff.flows.lookthrough import search_workspace
from skiff.flows.persons import Marked, Person
from skiff.flows.places import PLACES, ReportPlace
from skiff.flows.removal import destroy_candidates
from skiff.store.clock import now_utc
from skiff.store.destroying import destroy_file
from skiff.store.erasures import Running, Subject
from skiff.store.tombstones import write_sidecars
from skiff.store.workspace import Workspace

__all__ = ["EraseOutcome", "ErasePlan", "Justification", "erase", "plan_erasure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseOutcome:
    """What was erased, and where the account of it is."""

    certificate: Certificate
    files: Mapping[str, str]
    evidence: str
    notes: tuple[str, ...] = ()

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {
            **asdict(self.certificate),
            "files": dict(self.files),
            "evidence": self.evidence,
            "notes": list(self.notes),
        }


def erase(
    folder: Path,
    subject: str,
    *,
    column: str | None = None,
    justification: Justification | None = None,
    budget_s: float | None = None,
    should_stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
    at: Callable[[], str] = now_utc,
) -> EraseOutcome:
    """Remove a person from everything in a workspace.

    Parameters
    ----------
    folder : Path
        The workspace.
    subject : str
        The name or number as it stands in the data; compared whole, blanks around it aside.
    column : str, optional
        Look in this column only, instead of all in which a cell stands for one person.
    justification : Justification, optional
        Why models that learned from the person stay for a while. Without one the champion is trained again from what is left,
        and what learned from the person is removed.
    budget_s : float, optional
        Seconds of that training.

    Raises
    ------
    SkiffError
        ``subject_empty``, ``column_not_found``, ``justification_unfit``, ``erasure_unfinished`` and what the disk says.

    Notes
    -----
    The person's name is written nowhere: records and the certificate carry a keyed hash.
    """
    progress = progress or Silent()
    if justification is not None:
        refuse_unfit(justification, today=at()[:10])
    with Workspace.open(folder) as workspace, workspace.lock("erase"):
        person, marked, running = find_subject(workspace, subject, column)
        plan = build_plan(workspace, person, marked, running)
        if justification is not None:
            refuse_speaking_models(workspace, person, plan)
        running = _begin(workspace, person, plan, marked, running, at=at)
        for place in PLACES:
            progress.stage("Erase", place.name)
            place.erase(workspace, person, at=at)
        _clear_caches(workspace, running)
        if justification is not None:
            keep_models(workspace, person, plan, justification, at=at)
    models = settle_models(
        folder, person, plan, justification, budget_s=budget_s, should_stop=should_stop, progress=progress, at=at
    )
    with Workspace.open(folder) as workspace, workspace.lock("erase"):
        progress.stage("Search", "every byte of the workspace")
        return _conclude(workspace, person, plan, running, models, at=at)


def _begin(
    workspace: Workspace,
    person: Person,
    plan: ErasePlan,
    marked: Sequence[Marked],
    running: Running | None,
    *,
    at: Callable[[], str],
) -> Running:
    """Note what must be reached before anything changes."""
    noted = running or Running(begun=at())
    noted = replace(
        noted,
        sealed=workspace.erasures.seal(person.name, person.values),
        column=person.named or "",
        counts=dict(plan.found),
        learned={str(number): rows for number, rows in plan.releases.items()},
        reports=plan.reports,
        old=tuple(dict.fromkeys([*noted.old, *(item.record.sha256 for item in marked)])),
    )
    workspace.erasures.update(person.hash, noted)
    if not noted.evidence:
        told: dict[str, Json] = {"found": dict(plan.found), "releases": [*plan.releases]}
        record = workspace.ledger.append("erase.begin", subject=call_person(person.hash), result=told, at=at())
        noted = replace(noted, evidence=record.id)
        workspace.erasures.update(person.hash, noted)
    return noted


def _clear_caches(workspace: Workspace, running: Running) -> None:
    """Destroy what training kept to go on with, candidates that learned from the person, and lists of rows of old tables."""
    if not running.old:
        return
    destroy_candidates(workspace, running.old)
    if workspace.trials_folder.is_dir():
        for path in sorted(workspace.trials_folder.rglob("*")):
            destroy_file(path)
    destroy_file(workspace.reports.root / FIX_LIST)


def _conclude(
    workspace: Workspace,
    person: Person,
    plan: ErasePlan,
    running: Running,
    models: tuple[FateOfModel, ...],
    *,
    at: Callable[[], str],
) -> EraseOutcome:
    for place in PLACES:  # what training wrote meanwhile
        place.erase(workspace, person, at=at)
    workspace.compact()
    searched = search_workspace(workspace, person)
    left = {place.name: place.find(workspace, person) for place in PLACES}
    is_open = any(item.fate == "open" for item in models)
    short = sum(1 for item in person.wanted if not item.forms)
    certificate = Certificate(
        workspace=workspace.root.name,
        subject=person.hash,
        begun=running.begun,
        ended=at(),
        who=workspace.settings.owner.name or workspace.actor,
        columns=person.columns,
        places=tuple(
            Reached(
                place=place.name,
                unit=place.unit,
                found=plan.found[place.name],
                left=left[place.name],
                names=plan.reports if place.name == ReportPlace.name else (),
            )
            for place in PLACES
        ),
        models=models,
        search=SearchResult(
            values=len(person.values),
            short_values=short,
            files=searched.files,
            size_bytes=searched.size_bytes,
            members=searched.members,
            columns=searched.columns,
            hits=tuple(f"{hit.file}: {hit.inside}" if hit.inside else hit.file for hit in searched.hits),
            unread=tuple(searched.unread),
        ),
        is_complete=not searched.hits and not searched.closed and not is_open and not any(left.values()),
        beyond=_list_beyond(workspace),
        evidence=running.evidence,
    )
    files, sha256 = write_certificate(workspace, certificate)
    if not is_open:
        workspace.erasures.finish(person.hash, Subject(hash=person.hash, at=at(), column=person.named or ""))
    sidecars, missing = write_sidecars(workspace.erasures)
    told: dict[str, Json] = {
        "begun": running.evidence,
        "found": dict(plan.found),
        "models": [{"release": item.release, "fate": item.fate, "successor": item.successor} for item in models],
        "searched_files": searched.files,
        "searched_bytes": searched.size_bytes,
        "hits": len(searched.hits),
        "is_complete": certificate.is_complete,
        "certificate": sha256,
    }
    action = "erase" if certificate.is_complete else "erase.unfinished"
    noted = workspace.ledger.append(action, subject=call_person(person.hash), result=told, at=at())
    notes = [f"Backup not found where it was written; its copy of the person stays: {name}" for name in missing]
    notes += [f"Tombstone left beside a backup: {path}" for path in sidecars]
    challenger = workspace.settings.serving.challenger
    if challenger is not None and any(item.release == challenger and item.fate == "removed" for item in models):
        notes.append(
            f"[serving] challenger names release {challenger}, which is gone: take that line out of skiff.toml."
        )
    return EraseOutcome(certificate=certificate, files=files, evidence=noted.id, notes=tuple(notes))


def _list_beyond(workspace: Workspace) -> tuple[str, ...]:
    """Return what an erasure cannot reach, from what is on record."""
    told = []
    for record in workspace.ledger.records():
        if record.action == "handover":
            told.append(
                f"A bundle of {record.subject} was written on {record.at[:10]} ({record.id}); whoever has it must be told."
            )
        elif record.action == "backup":
            told.append(
                f"A backup was written on {record.at[:10]} ({record.id}); it still holds the person, who is left out when it is put back "
                "with its tombstone."
            )
    if workspace.settings.store.database:
        told.append("The database server keeps old pages, logs and backups of its own.")
    told.append("Copies outside this folder, and blocks that a drive has set aside, cannot be reached by a program.")
    return tuple(told)
