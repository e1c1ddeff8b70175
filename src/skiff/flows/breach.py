"""Write the worksheet for a personal data breach, filled from the ledger and from what is held."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from skiff.core.errors import SkiffError
from skiff.core.evidence import Json
from skiff.data.personal import MEANINGS, find_personal_columns
from skiff.flows.persons import read_frame
from skiff.flows.predictions import open_predictions
from skiff.govern.breach import UNANSWERED, DataAtRisk, build_breach, build_clock
from skiff.govern.register import Chapter
from skiff.report.sheet import Sheet, SheetList, render_sheet
from skiff.secure.subjects import IDENTIFYING
from skiff.store.clock import now_utc
from skiff.store.keys import KeyRing
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.workspace import Workspace


def write_breach(
    folder: Path,
    *,
    answers: Mapping[str, str],
    known_at: str = "",
    since: str = "",
    at: Callable[[], str] = now_utc,
) -> dict[str, Any]:
    """Write the worksheet as HTML and Markdown among the reports.

    Parameters
    ----------
    folder : Path
    answers : mapping of str to str
        By the keys of `skiff.govern.breach.QUESTIONS`. They stand in the worksheet alone, not in the ledger.
    known_at : str
        Since when the controller is aware of it, ISO 8601; UTC where no zone is given.
    since : str
        List only what was done from this day on.

    Raises
    ------
    SkiffError
        ``bad_time``.
    """
    _refuse_bad_time(known_at, "--known-at")
    _refuse_bad_time(since, "--since")
    with Workspace.open(folder) as workspace:
        with open_predictions(workspace) as reader:
            logged = reader.count()
        now = at()
        clock = build_clock(known_at, now=now)
        chapters = build_breach(
            workspace.settings,
            workspace.ledger.records(),
            _list_data(workspace),
            logged=logged,
            keys=_list_keys(workspace),
            answers=answers,
            clock=clock,
            since=since,
        )
        unsaid = sum(UNANSWERED in line for chapter in chapters for line in chapter.lines)
        page = render_sheet(
            Sheet(
                kind="Skiff breach worksheet",
                title=workspace.root.name,
                headline="Personal data breach, GDPR Art. 33",
                sentences=(
                    clock.sentence,
                    f"{unsaid} points are unanswered." if unsaid else "Every point was answered.",
                ),
                lists=tuple(SheetList(title=chapter.title, sentences=chapter.lines) for chapter in chapters),
                closing="Filled from what is on record here; whether a notice is owed, and to whom, is for people to judge.",
                created=now,
            )
        )
        made = {"html": page.encode(), "md": _write_markdown(workspace.root.name, chapters, now).encode()}
        files = {kind: str(workspace.write_report(f"govern-breach.{kind}", data)) for kind, data in made.items()}
        hashes: dict[str, Json] = {kind: hashlib.sha256(data).hexdigest() for kind, data in made.items()}
        noted = workspace.ledger.append(
            "govern.breach",
            subject="GDPR-33",
            result={"known": clock.known or None, "until": clock.until or None, "unanswered": unsaid, "sha256": hashes},
            at=now,
        )
    return {
        "clock": asdict(clock) | {"sentence": clock.sentence},
        "chapters": [asdict(item) for item in chapters],
        "unanswered": unsaid,
        "files": files,
        "evidence": noted.id,
    }


def _refuse_bad_time(text: str, option: str) -> None:
    try:
        if text:
            dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise SkiffError(
            "bad_time",
            what=f"The value of {option} is no date or time.",
            where={"option": option},
            fix="Write it as 2026-03-01 or 2026-03-01T06:00:00Z.",
        ) from error


def _list_data(workspace: Workspace) -> list[DataAtRisk]:
    said = workspace.settings.privacy
    found = []
    for record in workspace.datasets.list():
        frame = read_frame(workspace, record)
        columns = find_personal_columns(frame, personal=said.personal, not_personal=said.not_personal)
        telling = [frame[item.column].drop_nulls().n_unique() for item in columns if item.type in IDENTIFYING]
        kinds = {
            item.column: MEANINGS.get(item.type, "about persons, as you answered")
            for item in columns
            if item.is_personal
        }
        found.append(
            DataAtRisk(
                id=record.id, name=record.name, rows=record.rows, persons=max(telling, default=None), kinds=kinds
            )
        )
    return found


def _list_keys(workspace: Workspace) -> list[str]:
    return [
        f"{key.id} “{key.name}”, for {', '.join(key.scopes)}, made on {dt.datetime.fromtimestamp(key.created, tz=dt.UTC):%Y-%m-%d}"
        + (", revoked" if key.revoked is not None else "")
        for key in KeyRing(workspace.root / SKIFF_FOLDER, box=workspace.box).list()
    ]


def _write_markdown(title: str, chapters: tuple[Chapter, ...], created: str) -> str:
    parts = [
        f"# Personal data breach, GDPR Art. 33: {title}",
        "",
        f"Written on {created[:16].replace('T', ' ')} UTC.",
        "",
    ]
    for chapter in chapters:
        parts += [f"## {chapter.title}", "", *(f"- {line}" for line in chapter.lines), ""]
    return "\n".join(parts)
