"""Erase a person from a workspace: everywhere, the models too, with a signed account of what was done.

A killed erasure goes on when it is asked for again with the same name: what it must still reach is noted before anything changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress, Silent
from skiff.flows.certificates import Certificate, FateOfModel, Reached, SearchResult, write_certificate
from skiff.flows.fixes import FIX_LIST
from skiff.flows.places import (
    BUNDLE,
    PLACES,
    Marked,
    Person,
    count_learned,
    destroy_candidates,
    find_person,
)
from skiff.flows.steps import evaluate_in_workspace, train_in_workspace
from skiff.flows.wishes import Wishes
from skiff.govern.mapping import refuse_verdict
from skiff.store.bytesearch import holds, search_folders
from skiff.store.clock import now_utc
from skiff.store.destroying import destroy_file
from skiff.store.erasures import Kept, Running, Subject
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
        Release to the rows it learned from; 0 where it was only judged on them.
    """

    subject: str
    found: Mapping[str, int]
    columns: tuple[str, ...]
    datasets: Mapping[str, int]
    releases: Mapping[int, int]
    champion: int | None
    is_resumed: bool = False

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return {**asdict(self), "releases": {str(number): rows for number, rows in self.releases.items()}}


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


def plan_erasure(folder: Path, subject: str, *, column: str | None = None) -> ErasePlan:
    """Say what an erasure would reach; nothing is changed.

    Raises
    ------
    SkiffError
        ``subject_empty``, ``column_not_found``.
    """
    with Workspace.open(folder) as workspace:
        person, marked, running = _find(workspace, subject, column)
        return _plan(workspace, person, marked, running)


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
        _refuse_unfit(justification, today=at()[:10])
    with Workspace.open(folder) as workspace, workspace.lock("erase"):
        person, marked, running = _find(workspace, subject, column)
        plan = _plan(workspace, person, marked, running)
        if justification is not None:
            _refuse_speaking_models(workspace, person, plan)
        running = _begin(workspace, person, plan, marked, running, at=at)
        for place in PLACES:
            progress.stage("Erase", place.name)
            place.erase(workspace, person, at=at)
        _clear_caches(workspace, running)
        if justification is not None:
            _keep_models(workspace, person, plan, justification, at=at)
    models = _settle_models(
        folder, person, plan, justification, budget_s=budget_s, should_stop=should_stop, progress=progress, at=at
    )
    with Workspace.open(folder) as workspace, workspace.lock("erase"):
        progress.stage("Search", "every byte of the workspace")
        return _conclude(workspace, person, plan, running, models, at=at)


def _find(workspace: Workspace, subject: str, column: str | None) -> tuple[Person, list[Marked], Running | None]:
    person, marked = find_person(workspace, subject, column=column)
    running = workspace.erasures.read().running.get(person.hash)
    if running is not None:
        known = workspace.erasures.open_sealed(person.name, running.sealed)
        column = column or running.column or None
        person, marked = find_person(workspace, subject, column=column, known=known)
    return person, marked, running


def _plan(workspace: Workspace, person: Person, marked: Sequence[Marked], running: Running | None) -> ErasePlan:
    before = running.counts if running else {}
    found = {place.name: before.get(place.name, 0) or place.find(workspace, person) for place in PLACES}
    book = workspace.erasures.read()
    gone = book.releases
    learned = {item.release: item.learned for item in book.kept if item.subject == person.hash}
    learned |= {int(number): rows for number, rows in running.learned.items()} if running else {}
    learned |= count_learned(workspace, marked)
    for release in workspace.releases.list():
        if str(release.number) not in gone and release.number not in learned and _speaks(release.path, person, MODELS):
            learned[release.number] = 0
    return ErasePlan(
        subject=person.hash,
        found=found,
        columns=person.columns,
        datasets={item.record.id: item.n_rows for item in marked},
        releases=dict(sorted(learned.items())),
        champion=workspace.releases.champion(),
        is_resumed=running is not None,
    )


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
        old=tuple(dict.fromkeys([*noted.old, *(item.record.sha256 for item in marked)])),
    )
    workspace.erasures.update(person.hash, noted)
    if not noted.evidence:
        told: dict[str, Json] = {"found": dict(plan.found), "releases": [*plan.releases]}
        record = workspace.ledger.append("erase.begin", subject=_call(person.hash), result=told, at=at())
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


# ---- models ----------------------------------------------------------------------------------------------------------------


def _speaks(folder: Path, person: Person, names: frozenset[str] | None = None) -> bool:
    """Return whether a file of a release holds a value that names the person."""
    paths = [folder / name for name in sorted(names)] if names else sorted(folder.iterdir()) if folder.is_dir() else []
    return any(path.is_file() and holds(path.read_bytes(), path.name, person.wanted) for path in paths)


def _refuse_unfit(justification: Justification, *, today: str) -> None:
    refuse_verdict(justification.why)
    try:
        is_later = dt.date.fromisoformat(justification.until).isoformat() > today
    except ValueError:
        is_later = False
    if not justification.why.strip() or not is_later:
        raise SkiffError(
            "justification_unfit",
            what="A model may stay only for a written reason and until a day that is still to come.",
            where={"option": "--until" if justification.why.strip() else "--justify"},
            fix='For example:  --justify "retraining needs the new season\'s data" --until 2027-03-31 , or leave both away to train again now.',
        )


def _refuse_speaking_models(workspace: Workspace, person: Person, plan: ErasePlan) -> None:
    """Refuse to keep a release in whose files the person's name itself stands."""
    for number in plan.releases:
        if _speaks(workspace.releases.get(number).path, person):
            raise SkiffError(
                "justification_unfit",
                what=f"Release {number} holds a value that names the person, so it cannot stay for any reason. Nothing was erased.",
                where={"release": number},
                fix="Leave --justify away: a new model is then trained from the data that is left.",
            )


def _keep_models(
    workspace: Workspace, person: Person, plan: ErasePlan, justification: Justification, *, at: Callable[[], str]
) -> None:
    for number in _list_learned(plan):
        record = workspace.releases.get(number)
        kept = Kept(
            release=number,
            until=justification.until,
            why=justification.why.strip(),
            who=workspace.settings.owner.name or workspace.actor,
            at=at(),
            subject=person.hash,
            hash=record.manifest_sha256,
            learned=plan.releases[number],
        )
        workspace.erasures.keep_release(kept)
        workspace.ledger.append(
            "erase.justify",
            subject=f"release {number}",
            result={"person": _call(person.hash), "why": kept.why, "until": kept.until, "who": kept.who},
            at=at(),
        )


def _list_learned(plan: ErasePlan) -> list[int]:
    return [number for number, rows in plan.releases.items() if rows]


def _settle_models(
    folder: Path,
    person: Person,
    plan: ErasePlan,
    justification: Justification | None,
    *,
    budget_s: float | None,
    should_stop: Callable[[], bool] | None,
    progress: Progress,
    at: Callable[[], str],
) -> tuple[FateOfModel, ...]:
    """Train the champion again where it learned from the person, and remove what learned from them; or tell what stays."""
    with Workspace.open(folder) as workspace:
        gone = workspace.erasures.read().releases
        speaking = {number for number in plan.releases if _speaks(workspace.releases.get(number).path, person)}
        must_go = [number for number, rows in plan.releases.items() if rows or number in speaking]
        champion = workspace.releases.champion()
        done = [
            FateOfModel(
                release=number, learned=plan.releases[number], fate="removed", successor=gone[str(number)].successor
            )
            for number in must_go
            if str(number) in gone
        ]
        open_ = [number for number in must_go if str(number) not in gone]
        judged = [
            FateOfModel(release=number, learned=0, fate="not trained on the person")
            for number in plan.releases
            if number not in must_go
        ]
        if justification is not None:
            kept = [
                FateOfModel(
                    release=number,
                    learned=plan.releases[number],
                    fate="kept",
                    why=justification.why.strip(),
                    until=justification.until,
                )
                for number in open_
            ]
            return (*done, *kept, *judged)
        needs_training = champion in open_
        manifest = workspace.releases.read_manifest(champion) if needs_training and champion else {}
        made = _find_made(workspace, manifest, open_) if needs_training else None
    why = ""
    if needs_training and made is None:
        progress.stage("Retrain", f"in place of release {champion}")
        made, why = _train(folder, manifest, budget_s=budget_s, should_stop=should_stop, progress=progress, at=at)
    with Workspace.open(folder) as workspace, workspace.lock("erase"):
        if needs_training and made is not None:
            workspace.releases.verify(made)
            workspace.releases.promote(made)
        for number in open_:
            if number == champion and made is None:
                done.append(FateOfModel(release=number, learned=plan.releases[number], fate="open", why=why))
                continue
            successor = str(made) if number == champion and made else ""
            _bury(workspace, number, successor, person, at=at)
            done.append(FateOfModel(release=number, learned=plan.releases[number], fate="removed", successor=successor))
    return (*done, *judged)


def _find_made(workspace: Workspace, manifest: Mapping[str, Any], open_: Sequence[int]) -> int | None:
    """Return a release that was already trained on what is left, as by an erasure that was killed after it."""
    wanted = workspace.erasures.follow(str(manifest["dataset_sha256"]))
    gone = workspace.erasures.read().releases
    fit = [
        record.number
        for record in workspace.releases.list()
        if record.dataset_sha256 == wanted and record.number not in open_ and str(record.number) not in gone
    ]
    return fit[-1] if fit else None


def _train(
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    budget_s: float | None,
    should_stop: Callable[[], bool] | None,
    progress: Progress,
    at: Callable[[], str],
) -> tuple[int | None, str]:
    """Train and judge on what is left by the same question and gate; return the new release, or why there is none."""
    task = manifest["task"]
    wishes = Wishes(
        target=task["target"],
        time=task["time"],
        group=task["group"],
        positive=task["positive"],
        protected=tuple(task["protected"]),
        budget_s=budget_s,
    )
    try:
        train_in_workspace(
            folder, wishes, dataset=str(manifest["dataset_sha256"]), should_stop=should_stop, progress=progress, at=at
        )
        judged = evaluate_in_workspace(folder, may_release=True, progress=progress, at=at)
    except SkiffError as error:
        return None, f"No new model could be trained: {error.what}"
    if judged.story.release is None or judged.story.release.number is None:
        return None, "The new model does not meet its criteria; reports/report.html says by how much."
    return judged.story.release.number, ""


def _bury(workspace: Workspace, number: int, successor: str, person: Person, *, at: Callable[[], str]) -> None:
    files = workspace.releases.bury(
        number, successor=successor, keep=lambda path: not holds(path.read_bytes(), path.name, person.wanted)
    )
    root = workspace.reports.root
    for path in sorted(root.glob("handover-*.zip")) if root.is_dir() else ():
        match = BUNDLE.fullmatch(path.name)
        if match and int(match[1]) == number:
            destroy_file(path)
    workspace.ledger.append(
        "erase.release",
        subject=f"release {number}",
        result={"person": _call(person.hash), "files": files, "successor": successor or None},
        at=at(),
    )


# ---- the end ---------------------------------------------------------------------------------------------------------------


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
    searched = search_folders(_list_folders(workspace), person.wanted)
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
            Reached(place=place.name, unit=place.unit, found=plan.found[place.name], left=left[place.name])
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
        is_complete=not searched.hits and not is_open and not any(left.values()),
        beyond=_list_beyond(workspace),
        evidence=running.evidence,
    )
    files, sha256 = write_certificate(workspace, certificate)
    if not is_open:
        workspace.erasures.finish(person.hash, Subject(hash=person.hash, at=at(), column=person.named or ""))
    sidecars, missing = workspace.erasures.write_sidecars()
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
    noted = workspace.ledger.append(action, subject=_call(person.hash), result=told, at=at())
    notes = [f"Backup not found where it was written; its copy of the person stays: {name}" for name in missing]
    notes += [f"Tombstone left beside a backup: {path}" for path in sidecars]
    challenger = workspace.settings.serving.challenger
    if challenger is not None and any(item.release == challenger and item.fate == "removed" for item in models):
        notes.append(
            f"[serving] challenger names release {challenger}, which is gone: take that line out of skiff.toml."
        )
    return EraseOutcome(certificate=certificate, files=files, evidence=noted.id, notes=tuple(notes))


def _list_folders(workspace: Workspace) -> list[Path]:
    folders = [workspace.root]
    if not workspace.objects.root.is_relative_to(workspace.root):
        folders.append(workspace.objects.root)
    return folders


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


def _call(hashed: str) -> str:
    return f"person {hashed[:16]}"
