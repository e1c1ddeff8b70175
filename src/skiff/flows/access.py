"""Gather all that a workspace holds on a person, for that person (GDPR Art. 15)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from skiff.core.errors import SkiffError
from skiff.core.evidence import EvidenceRecord, Json
from skiff.core.settings import Terms
from skiff.data.sentences import say_figure
from skiff.deploy.answers import rank_contributions
from skiff.flows.export import disarm_formulas
from skiff.flows.persons import Person, find_logged, find_person
from skiff.flows.places import PLACES
from skiff.flows.standing import open_standing
from skiff.report.access import HeldTable, render_access
from skiff.store.champion import ReleaseShelf
from skiff.store.clock import now_utc
from skiff.store.files import explained, make_folder, write_atomic
from skiff.store.layout import SKIFF_FOLDER
from skiff.store.predictions.keeping import read_kept
from skiff.store.workspace import Workspace

MOMENT = (1980, 1, 1, 0, 0, 0)
MOST_REASONS = 5
READABLE = 0o100600 << 16

RIGHTS = (
    "You may ask for wrong data to be corrected (Art. 16) and for data to be erased (Art. 17).",
    "You may ask for its use to be restricted (Art. 18), and object to it (Art. 21).",
    "You may complain to a supervisory authority (Art. 77).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOutcome:
    """What was gathered, and where it lies."""

    subject: str
    output: str
    files: tuple[str, ...]
    rows: Mapping[str, int]
    evidence: str

    def as_result(self) -> dict[str, object]:
        """Return the result that ``--json`` prints."""
        return asdict(self)


def give_access(
    folder: Path, subject: str, output: Path, *, column: str | None = None, at: Callable[[], str] = now_utc
) -> AccessOutcome:
    """Write everything on a person as JSON, as CSV and as a page to read.

    Parameters
    ----------
    folder : Path
        The workspace.
    subject : str
        The name or number as it stands in the data.
    output : Path
        A folder that is new or empty, or a ``.zip``.
    column : str, optional
        Look in this column only.

    Raises
    ------
    SkiffError
        ``subject_empty``, ``column_not_found``, ``folder_not_empty`` and what the disk says.

    Notes
    -----
    What was written holds the person's data: it is for that person. Rows in which others are named too are for a person to look
    at before they are handed out (Art. 15(4)).
    """
    is_zip = output.suffix.lower() == ".zip"
    if not is_zip:
        _refuse_full(output)
    with Workspace.open(folder) as workspace:
        person, _ = find_person(workspace, subject, column=column)
        tables: dict[str, pl.DataFrame] = {}
        counts: dict[str, int] = {}
        for place in PLACES:
            counts[place.name] = place.find(workspace, person)
            tables |= place.export(workspace, person)
        if "predictions" in tables:
            tables["predictions"] = tables["predictions"].hstack(_explain(workspace, person))
        told = _tell(workspace, tables, counts)
        files = _write(tables, told, title=workspace.root.name, created=at())
        if is_zip:
            write_atomic(output.absolute(), _pack(files))
        else:
            make_folder(output)
            for name, data in files.items():
                write_atomic(output.absolute() / name, data)
        result: dict[str, Json] = {
            "rows": {name: table.height for name, table in tables.items()},
            "places": dict(counts),
        }
        noted = workspace.ledger.append("access", subject=f"person {person.hash[:16]}", result=result, at=at())
    return AccessOutcome(
        subject=person.hash,
        output=str(output),
        files=tuple(sorted(files)),
        rows={name: table.height for name, table in tables.items()},
        evidence=noted.id,
    )


def _refuse_full(output: Path) -> None:
    with explained(output):
        if output.exists() and (not output.is_dir() or any(output.iterdir())):
            raise SkiffError(
                "folder_not_empty",
                what=f"{output} is there already and not an empty folder.",
                where={"folder": str(output)},
                fix="Name a new folder, or a .zip file; nothing was written.",
            )


def _explain(workspace: Workspace, person: Person) -> list[pl.Series]:
    """Return what moved each answer, asked again of the release that gave it; empty where the release or its inputs are gone."""
    shelf = ReleaseShelf(workspace.root / SKIFF_FOLDER, database=workspace.settings.store.database, box=workspace.box)
    rows = find_logged(workspace, person)
    said = [_explain_one(shelf, row.prediction.release, row.prediction.inputs) for row in rows]
    return [pl.Series("reasons", said, dtype=pl.String)]


def _explain_one(shelf: ReleaseShelf, release: int, inputs: str | None) -> str | None:
    if inputs is None:
        return None
    try:
        standing = open_standing(shelf, release, keep="none")
        found = standing.answer([read_kept(inputs)], reasons=True)
    except SkiffError:  # the release went, gives no reasons, or only a part of the inputs was kept
        return None
    if found.reasons is None:
        return None
    parts = list(rank_contributions(found.reasons, 0).items())[:MOST_REASONS]
    return "; ".join(f"{name} {say_figure(part, digits=3, is_signed=True)}" for name, part in parts)


def _tell(workspace: Workspace, tables: Mapping[str, pl.DataFrame], counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Return what Art. 15(1) and (2) ask beside the data, chapter by chapter; what nobody said is called not answered."""
    settings, records = workspace.settings, workspace.ledger.records()
    owner = settings.owner
    said: dict[str, list[str]] = {
        "What it is used for (Art. 15(1)(a))": [],
        "Who was given it (Art. 15(1)(c))": [],
        "How long it is kept (Art. 15(1)(d))": [],
        "Where it comes from (Art. 15(1)(g))": [],
    }
    for record in workspace.datasets.list():
        if f"dataset {record.id}" not in tables:
            continue
        terms = settings.terms.get(record.name, Terms())
        basis = terms.legal_basis or record.provenance.get("legal_basis") or owner.legal_basis
        said["What it is used for (Art. 15(1)(a))"].append(
            f"{record.name}: {terms.purpose or owner.purpose or 'not answered'}. Legal basis: {basis or 'not answered'}."
        )
        days = "not answered" if terms.keep_days is None else f"{terms.keep_days:g} days from {record.created[:10]}"
        said["How long it is kept (Art. 15(1)(d))"].append(f"{record.name}: {days}.")
        said["How long it is kept (Art. 15(1)(d))"] += [
            f"{record.name}, column “{name}”: {own.keep_days:g} days from {record.created[:10]}."
            for name, own in terms.columns.items()
            if own.keep_days is not None
        ]
        source, whose = record.provenance.get("source", "not answered"), record.provenance.get("owner", "not answered")
        said["Where it comes from (Art. 15(1)(g))"].append(
            f"{record.name}: {source}; whose data: {whose}; taken in on {record.created[:10]}."
        )
    if "predictions" in tables:
        days_log = settings.serving.keep_predictions_days
        said["How long it is kept (Art. 15(1)(d))"].append(
            "Predictions: " + ("no limit was set." if days_log is None else f"{days_log:g} days, each from its day.")
        )
    said["Who was given it (Art. 15(1)(c))"] = _list_recipients(records)
    said["What a model said of you (Art. 15(1)(h))"] = _tell_logic(workspace, tables)
    said["Copies in other places"] = [
        f"{name}: {count}" for name, count in counts.items() if count and name in {"records", "stored files", "reports"}
    ] or ["None was found."]
    said["What you may ask (Art. 15(1)(e, f))"] = list(RIGHTS)
    said["Who answers for it"] = [
        owner.client or "not answered",
        f"Questions to: {owner.name or 'not answered'} {owner.email}".strip(),
    ]
    return {name: lines or ["Nothing is on record."] for name, lines in said.items()}


def _list_recipients(records: tuple[EvidenceRecord, ...]) -> list[str]:
    told = [
        f"A bundle with a model, without rows of data, was handed over on {record.at[:10]} ({record.id})."
        for record in records
        if record.action == "handover"
    ]
    told += [
        f"A backup with all data was written on {record.at[:10]} ({record.id})."
        for record in records
        if record.action == "backup"
    ]
    return told or ["None is on record here. Skiff sends nothing to others by itself."]


def _tell_logic(workspace: Workspace, tables: Mapping[str, pl.DataFrame]) -> list[str]:
    if "predictions" not in tables:
        return ["No prediction about this person is on record."]
    numbers = sorted(set(tables["predictions"]["release"].to_list()))
    told = []
    for number in numbers:
        try:
            manifest: dict[str, Any] = dict(workspace.releases.read_manifest(number))
        except SkiffError:
            told.append(f"Release {number} is not there any more.")
            continue
        names = ", ".join(column["name"] for column in manifest["inputs"])
        told.append(f"Release {number} predicts “{manifest['task']['target']}” from: {names}.")
    return [
        *told,
        "What moved each answer most stands beside it (column “reasons”); whether a person decided is for the controller to say.",
    ]


def _write(
    tables: Mapping[str, pl.DataFrame], told: Mapping[str, list[str]], *, title: str, created: str
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    held = []
    for name, table in tables.items():
        stream = io.BytesIO()
        disarm_formulas(table).write_csv(stream)
        files[f"{name.replace(' ', '-')}.csv"] = stream.getvalue()
        held.append(HeldTable(name=name, columns=tuple(table.columns), rows=tuple(table.iter_rows())))
    document = {
        "created": created,
        "held": {item.name: [dict(zip(item.columns, row, strict=True)) for row in item.rows] for item in held},
        "about": dict(told),
    }
    files["data.json"] = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    files["read-me.html"] = render_access(held, told, title=title, created=created).encode()
    return files


def _pack(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = READABLE
            archive.writestr(entry, files[name])
    return stream.getvalue()
