"""Documents for those who ask by which rules a model stands, each sentence with its record."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from skiff.core.errors import SkiffError
from skiff.core.evidence import EvidenceRecord, Json
from skiff.flows.standing import refuse_none
from skiff.govern.frameworks import CHECKED, Framework, FrameworkName, parse_framework
from skiff.govern.mapping import STATE, WITHDRAW, find_provision, list_statements, map_framework, refuse_verdict
from skiff.govern.questions import ASK, RULES, Position, find_position, keep_known, refuse_answers
from skiff.govern.register import NOT_ANSWERED, build_register
from skiff.govern.rules import RuleChange, Touch, find_touches, parse_rules
from skiff.report.govern import Asked, render_lines, render_mapping, render_table
from skiff.report.pdf import render_pdf
from skiff.report.sheet import Sheet, SheetList, render_sheet
from skiff.store.assets import read_asset
from skiff.store.clock import now_utc
from skiff.store.files import explained, read_bytes
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.settings import read_settings
from skiff.store.workspace import CATALOG_FILE, Workspace

FRAMEWORKS: tuple[FrameworkName, ...] = get_args(FrameworkName)
PAPERS: Mapping[str, str] = {"card": "card.md", "datasheet": "datasheet.json"}
MOST_FOLDERS = 100_000
"""Looked through for workspaces before we give up: more is somebody's whole disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingOutcome:
    """A mapping that was written."""

    framework: str
    version: str
    counts: Mapping[str, int]
    open: tuple[str, ...]
    files: Mapping[str, str]
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceUpdate:
    """What changed rules mean for one workspace; `problem` where it could not be opened."""

    workspace: str
    risk: str
    touches: tuple[Touch, ...] = ()
    problem: str = ""


def load_framework(name: FrameworkName) -> Framework:
    """Return a framework from the tables that come with Skiff."""
    return parse_framework(name, read_asset("skiff.govern", f"tables/{name}.csv").decode())


def write_mapping(folder: Path, name: FrameworkName, *, at: Callable[[], str] = now_utc) -> MappingOutcome:
    """Set a framework against the ledger and write it as HTML, PDF and CSV among the reports.

    Raises
    ------
    SkiffError
        ``ledger_damaged``: evidence that was tampered with shows nothing.
    """
    with Workspace.open(folder) as workspace:
        records = _read_whole_ledger(workspace)
        mapped = map_framework(load_framework(name), records)
        asked, answers = _find_answers(records)
        page = render_mapping(
            mapped,
            title=workspace.root.name,
            created=at(),
            position=find_position(answers) if asked and name in {"gdpr", "aiact"} else None,
            asked=asked,
        )
        made = {"html": page.encode(), "pdf": render_pdf(page), "csv": render_table(mapped).encode()}
        files = {kind: str(workspace.write_report(f"govern-{name}.{kind}", data)) for kind, data in made.items()}
        counts = {str(standing): count for standing, count in mapped.count().items()}
        hashes: dict[str, Json] = {kind: hashlib.sha256(data).hexdigest() for kind, data in made.items()}
        noted = workspace.ledger.append(
            f"govern.{name}",
            subject=mapped.framework.about.version,
            result={**counts, "checked": CHECKED, "sha256": hashes},
            at=at(),
        )
    return MappingOutcome(
        framework=mapped.framework.about.title,
        version=mapped.framework.about.version,
        counts=counts,
        open=tuple(row.provision.id for row in mapped.rows if row.standing == "open"),
        files=files,
        evidence=noted.id,
    )


def write_paper(folder: Path, kind: Literal["card", "datasheet"], *, release: int | None = None) -> dict[str, Any]:
    """Copy a release's card or datasheet, checked against its hash, among the reports.

    Raises
    ------
    SkiffError
        ``no_release``, ``release_not_found``, ``release_damaged``.
    """
    with Workspace.open(folder) as workspace:
        number = release or refuse_none(workspace.releases.champion(), str(workspace.root))
        data = workspace.releases.read_file(number, PAPERS[kind])
        path = workspace.write_report(PAPERS[kind], data)
    return {"release": number, "file": str(path), "sha256": hashlib.sha256(data).hexdigest()}


def write_register(folder: Path, *, at: Callable[[], str] = now_utc) -> dict[str, Any]:
    """Write the processor's record of processing (GDPR Art. 30(2)) as HTML, PDF and CSV among the reports.

    Raises
    ------
    SkiffError
        ``ledger_damaged``.
    """
    with Workspace.open(folder) as workspace:
        chapters = build_register(workspace.settings, _read_whole_ledger(workspace))
        unsaid = sum(NOT_ANSWERED in line for chapter in chapters for line in chapter.lines)
        page = render_sheet(
            Sheet(
                kind="Skiff register",
                title=workspace.root.name,
                headline="Record of processing, GDPR Art. 30(2)",
                sentences=(
                    "Filled from what was run here and from skiff.toml; ids in brackets are records of the ledger.",
                    f"{unsaid} points were not answered by anybody." if unsaid else "Every point was answered.",
                ),
                lists=tuple(SheetList(title=chapter.title, sentences=chapter.lines) for chapter in chapters),
                closing="Whether a record is owed, and whether this one suffices, is for the processor to judge.",
                created=at(),
            )
        )
        table = render_lines([(chapter.title, line) for chapter in chapters for line in chapter.lines])
        made = {"html": page.encode(), "pdf": render_pdf(page), "csv": table.encode()}
        files = {kind: str(workspace.write_report(f"govern-register.{kind}", data)) for kind, data in made.items()}
        hashes: dict[str, Json] = {kind: hashlib.sha256(data).hexdigest() for kind, data in made.items()}
        noted = workspace.ledger.append(
            "govern.register", subject="GDPR-30", result={"not_answered": unsaid, "sha256": hashes}, at=at()
        )
    return {
        "chapters": [asdict(item) for item in chapters],
        "not_answered": unsaid,
        "files": files,
        "evidence": noted.id,
    }


def state(
    folder: Path, provision: str, text: str, *, who: str | None = None, at: Callable[[], str] = now_utc
) -> dict[str, Any]:
    """Keep a person's statement about a provision in the ledger.

    Raises
    ------
    SkiffError
        ``provision_not_found``; ``statement_refused`` for verdicts such as those that no document of Skiff prints.
    """
    _, found = find_provision(provision, [load_framework(name) for name in FRAMEWORKS])
    refuse_verdict(text)
    with Workspace.open(folder) as workspace:
        said = {"text": text.strip(), "who": who or workspace.settings.owner.name or workspace.actor}
        noted = workspace.ledger.append(STATE, subject=found.id, result=said, at=at())
    return {"id": found.id, "asks": found.asks, **said, "at": noted.at, "evidence": noted.id}


def withdraw(folder: Path, provision: str, *, at: Callable[[], str] = now_utc) -> dict[str, Any]:
    """Take a statement back; the ledger keeps that it was made and taken back.

    Raises
    ------
    SkiffError
        ``provision_not_found``, also where nothing was stated.
    """
    _, found = find_provision(provision, [load_framework(name) for name in FRAMEWORKS])
    with Workspace.open(folder) as workspace:
        if found.id not in list_statements(workspace.ledger.records()):
            raise SkiffError(
                "provision_not_found",
                what=f"Nothing was stated about {found.id}.",
                where={"provision": found.id},
                fix='State something with: skiff govern state ID "text"',
            )
        noted = workspace.ledger.append(WITHDRAW, subject=found.id, result={}, at=at())
    return {"id": found.id, "evidence": noted.id}


def ask(folder: Path, answers: Mapping[str, str], *, at: Callable[[], str] = now_utc) -> dict[str, Any]:
    """Keep answers of the questionnaire, with those given before, and return where the project stands.

    Raises
    ------
    SkiffError
        ``answer_unknown``.
    """
    refuse_answers(answers)
    with Workspace.open(folder) as workspace:
        _, before = _find_answers(workspace.ledger.records())
        known = {**before, **answers}
        position = find_position(known)
        noted = None
        if answers:
            result: dict[str, Json] = {"answers": dict(known), "rules": RULES, "risk": position.risk}
            noted = workspace.ledger.append(ASK, subject=workspace.root.name, result=result, at=at())
    return {**asdict(position), "answers": known, "evidence": noted.id if noted else None}


def read_answers(folder: Path) -> dict[str, str]:
    """Return what was answered so far."""
    with Workspace.open(folder) as workspace:
        return _find_answers(workspace.ledger.records())[1]


def find_updates(folder: Path, rules: Path | None = None) -> tuple[WorkspaceUpdate, ...]:
    """Return which workspaces in and below a folder are touched by changes of rules since they were last mapped.

    Parameters
    ----------
    folder : Path
    rules : Path, optional
        A dated rules file; by default the one that comes with Skiff.

    Raises
    ------
    SkiffError
        ``rules_unreadable``, ``too_many_folders``, and what the disk says.
    """
    text = read_asset("skiff.govern", "tables/rules.csv") if rules is None else read_bytes(rules)
    changes = parse_rules(text.decode("utf-8", errors="replace"), file=rules.name if rules else "rules.csv")
    return tuple(_update(place, changes) for place in _list_workspaces(folder))


def _update(place: Path, changes: tuple[RuleChange, ...]) -> WorkspaceUpdate:
    try:
        with Workspace.open(place) as workspace:
            records = workspace.ledger.records()
    except SkiffError as error:
        return WorkspaceUpdate(workspace=str(place), risk="unknown", problem=error.what)
    _, answers = _find_answers(records)
    position: Position = find_position(answers)
    mapped = {
        record.action.removeprefix("govern."): str(record.result.get("checked", record.at))
        for record in records
        if record.action.removeprefix("govern.") in FRAMEWORKS
    }
    touches = find_touches(changes, answers, position, mapped=mapped)
    return WorkspaceUpdate(workspace=str(place), risk=position.risk, touches=touches)


def _list_workspaces(folder: Path) -> list[Path]:
    found, seen, waiting = [], 0, [folder]
    while waiting:
        place = waiting.pop()
        seen += 1
        if seen > MOST_FOLDERS:
            raise SkiffError(
                "too_many_folders",
                what=f"There are more than {MOST_FOLDERS:,} folders below {folder}.",
                where={"folder": str(folder)},
                fix="Name a folder nearer to your workspaces.",
            )
        if _is_workspace(place):
            found.append(place)
        with explained(place):
            waiting += sorted(
                item for item in place.iterdir() if item.is_dir() and not item.is_symlink() and item.name[0] != "."
            )
    return sorted(found)


def _is_workspace(place: Path) -> bool:
    """Return whether a folder is one: that of a key or an answer of `skiff pii` alone is not, and must not be made one by looking."""
    own = place / SKIFF_FOLDER
    if not own.is_dir():
        return False
    try:
        return (own / CATALOG_FILE).exists() or bool(read_settings(place).store.database)
    except SkiffError:  # settings that cannot be read: opening it will say so
        return True


def _read_whole_ledger(workspace: Workspace) -> tuple[EvidenceRecord, ...]:
    check = workspace.ledger.verify()
    if not check.ok:
        raise SkiffError(
            "ledger_damaged",
            what=f"The ledger is not as it was written. {check.reason}",
            where={"workspace": str(workspace.root), "record": check.first_bad or 0},
            fix="See `skiff ledger verify`, and put the workspace back from a backup.",
        )
    return workspace.ledger.records()


def _find_answers(records: tuple[EvidenceRecord, ...]) -> tuple[Asked | None, dict[str, str]]:
    for record in reversed(records):
        given = record.result.get("answers")
        if record.action == ASK and isinstance(given, dict):
            asked = Asked(who=record.actor, at=record.at, evidence=record.id)
            return asked, keep_known(given)
    return None, {}
