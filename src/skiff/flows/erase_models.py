"""What becomes of the releases whose data held an erased person: trained again and removed, or kept for a written reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.core.progress import Progress
from skiff.flows.burial import bury_release
from skiff.flows.certificates import FateOfModel
from skiff.flows.erase_plan import ErasePlan, Justification, call_person, speaks
from skiff.flows.persons import Person
from skiff.flows.steps import evaluate_in_workspace, train_in_workspace
from skiff.flows.wishes import Wishes
from skiff.govern.mapping import refuse_verdict
from skiff.store.destroying import destroy_file
from skiff.store.erasures import Kept
from skiff.store.workspace import Workspace

BUNDLE = re.compile(r"handover-.*-(\d+)\.zip")


def refuse_unfit(justification: Justification, *, today: str) -> None:
    """Refuse a justification without a reason, or whose day has passed.

    Raises
    ------
    SkiffError
        ``justification_unfit``, ``statement_refused``.
    """
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


def refuse_speaking_models(workspace: Workspace, person: Person, plan: ErasePlan) -> None:
    """Refuse to keep a release in whose files the person's name itself stands."""
    for number in plan.releases:
        if speaks(workspace, workspace.releases.get(number).path, person):
            raise SkiffError(
                "justification_unfit",
                what=f"Release {number} holds a value that names the person, so it cannot stay for any reason. Nothing was erased.",
                where={"release": number},
                fix="Leave --justify away: a new model is then trained from the data that is left.",
            )


def keep_models(
    workspace: Workspace, person: Person, plan: ErasePlan, justification: Justification, *, at: Callable[[], str]
) -> None:
    """Note why the releases that learned from the person stay, and until when."""
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
            result={"person": call_person(person.hash), "why": kept.why, "until": kept.until, "who": kept.who},
            at=at(),
        )


def _list_learned(plan: ErasePlan) -> list[int]:
    return [number for number, rows in plan.releases.items() if rows]


def settle_models(
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
        speaking = {
            number for number in plan.releases if speaks(workspace, workspace.releases.get(number).path, person)
        }
        must_go = [number for number, rows in plan.releases.items() if rows or number in speaking]
        champion = workspace.releases.champion()
        done = [
            _tell_removed(workspace, number, plan.releases[number], gone[str(number)].successor)
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
            done.append(_tell_removed(workspace, number, plan.releases[number], successor))
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
    buried = bury_release(workspace, number, person, successor=successor)
    root = workspace.reports.root
    bundles: list[Json] = []
    for path in sorted(root.glob("handover-*.zip")) if root.is_dir() else ():
        match = BUNDLE.fullmatch(path.name)
        if match and int(match[1]) == number:
            destroy_file(path)
            bundles.append(path.name)
    told: dict[str, Json] = {
        "person": call_person(person.hash),
        "files": buried.files,
        "successor": successor or None,
        "reviews_waiting": buried.waiting,
        "reviews_undecided": buried.undecided,
        "bundles": bundles,
    }
    workspace.ledger.append("erase.release", subject=f"release {number}", result=told, at=at())


def _tell_removed(workspace: Workspace, number: int, learned: int, successor: str) -> FateOfModel:
    """Return what became of a release that is gone, with its bundles and the rows of the review queue, from the ledger."""
    found: Mapping[str, Json] = {}
    for record in workspace.ledger.records():
        if record.action == "erase.release" and record.subject == f"release {number}":
            found = record.result
    waiting, undecided = (int(str(found.get(name) or 0)) for name in ("reviews_waiting", "reviews_undecided"))
    bundles = found.get("bundles")
    return FateOfModel(
        release=number,
        learned=learned,
        fate="removed",
        successor=successor,
        waiting=waiting,
        undecided=undecided,
        bundles=tuple(map(str, bundles)) if isinstance(bundles, list) else (),
    )
