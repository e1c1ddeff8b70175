"""The processor's record of processing (GDPR Art. 30(2)), filled from what was run; what nobody said is called not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skiff.core.evidence import EvidenceRecord
from skiff.core.settings import Settings, Terms
from skiff.govern.mapping import list_statements
from skiff.govern.retention import tell_terms

NOT_ANSWERED = "not answered"
KINDS = {
    "data.add": "taking in and storing a table",
    "check": "checking a table",
    "train": "training a model",
    "evaluate": "judging a model",
    "compare": "comparing two releases",
    "release": "publishing a model",
    "monitor": "judging what was answered",
    "outcomes": "taking in what really happened",
    "retrain": "training again",
    "handover": "handing a model over",
    "backup": "writing a backup",
    "access": "gathering what is held on a person, for them",
    "erase": "erasing a person's data",
    "retention": "letting go of what was kept long enough",
}
"""Action to what it is in the words of a register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A part of the register: what the article asks, and what is on record."""

    title: str
    lines: tuple[str, ...]


def build_register(settings: Settings, records: Sequence[EvidenceRecord]) -> tuple[Chapter, ...]:
    """Return the register's chapters, in the order of Art. 30(2).

    Examples
    --------
    >>> build_register(Settings(), [])[0].lines[0]
    'Processor: not answered ([owner] name)'
    """
    owner, said = settings.owner, list_statements(records)
    moved = said.get("GDPR-30")
    return (
        Chapter(
            title="Processor and controller (a)",
            lines=(
                f"Processor: {owner.name or f'{NOT_ANSWERED} ([owner] name)'}{f', {owner.email}' if owner.email else ''}",
                f"Controller: {owner.client or f'{NOT_ANSWERED} ([owner] client)'}",
                f"Legal basis named by the controller: {owner.legal_basis or f'{NOT_ANSWERED} ([owner] legal_basis)'}",
            ),
        ),
        Chapter(title="What was done, for that controller (b)", lines=tuple(_list_kinds(records)) or ("Nothing yet.",)),
        Chapter(title="Data", lines=tuple(_list_data(records)) or ("No table was taken in.",)),
        Chapter(title="Given to", lines=tuple(_list_recipients(records)) or ("Nothing was handed over.",)),
        Chapter(
            title="Transfers to third countries (c)",
            lines=(
                "Skiff sends nothing to other machines by itself; those it may use are named in skiff.toml ([alerts], [store], [scale]).",
                f"Stated: “{moved.text}” ({moved.who}, {moved.at[:10]}, {moved.evidence})"
                if moved
                else f"Transfers by people: {NOT_ANSWERED} (skiff govern state GDPR-30)",
            ),
        ),
        Chapter(title="Security (d)", lines=tuple(_list_measures(settings, records))),
        Chapter(title="Why and how long, by table", lines=tuple(_list_terms(settings, records))),
        Chapter(title="How long, in the prediction log", lines=tuple(_list_retention(settings))),
    )


def _list_kinds(records: Sequence[EvidenceRecord]) -> list[str]:
    found = []
    for action, words in KINDS.items():
        own = [record for record in records if record.action == action]
        if own:
            span = own[0].at[:10] if own[0].at[:10] == own[-1].at[:10] else f"{own[0].at[:10]} to {own[-1].at[:10]}"
            found.append(
                f"{words[0].upper()}{words[1:]}: {len(own)} {'time' if len(own) == 1 else 'times'}, {span} ({own[-1].id})"
            )
    return found


def _list_data(records: Sequence[EvidenceRecord]) -> list[str]:
    found = [
        f"{record.result.get('name', 'a table')}: {record.result.get('rows', 0):,} rows, {record.result.get('columns', 0)} columns, "
        f"taken in on {record.at[:10]} ({record.id})"
        for record in records
        if record.action == "data.add"
    ]
    for record in records:
        checks = record.result.get("findings") if record.action == "check" else None
        for item in checks if isinstance(checks, list) else []:
            if isinstance(item, dict) and str(item.get("code", "")).startswith("privacy."):
                columns = item.get("columns")
                names = ", ".join(f"“{name}”" for name in columns) if isinstance(columns, list) else ""
                found.append(f"Columns that look personal ({item['code']}): {names} ({record.id})")
    return list(dict.fromkeys(found))


def _list_recipients(records: Sequence[EvidenceRecord]) -> list[str]:
    return [
        f"A bundle of {record.subject}, without rows of data, on {record.at[:10]} ({record.id})"
        for record in records
        if record.action == "handover"
    ]


def _list_measures(settings: Settings, records: Sequence[EvidenceRecord]) -> list[str]:
    done = {record.action: record for record in records}
    told = [
        "Files and folders are readable for their owner alone; releases are signed; every step is in a chained ledger."
    ]
    for action, words in {
        "keys.create": "Access to the server needs a key with a scope",
        "backup": "Backups with the hash of every file are written",
        "secure": "The model was attacked with published methods",
    }.items():
        told.append(
            f"{words} ({done[action].id})" if action in done else f"Not on record: {words[0].lower()}{words[1:]}"
        )
    kept = settings.serving.keep_inputs
    told.append(f"Inputs that the prediction log keeps: {kept if isinstance(kept, str) else ', '.join(kept)}")
    return told


def _list_terms(settings: Settings, records: Sequence[EvidenceRecord]) -> list[str]:
    names = dict.fromkeys(str(record.result.get("name", "")) for record in records if record.action == "data.add")
    owner = settings.owner
    told = [
        line
        for name in dict.fromkeys([*settings.terms, *names])
        if name
        for line in tell_terms(
            name, settings.terms.get(name, Terms()), purpose=owner.purpose, legal_basis=owner.legal_basis
        )
    ]
    return told or ["No table was taken in."]


def _list_retention(settings: Settings) -> list[str]:
    serving = settings.serving
    days = {
        "Inputs in the prediction log": (serving.keep_inputs_days, "keep_inputs_days"),
        "Names of persons in the prediction log": (serving.keep_subjects_days, "keep_subjects_days"),
        "Predictions": (serving.keep_predictions_days, "keep_predictions_days"),
    }
    return [
        f"{name}: {value:g} days" if value is not None else f"{name}: no limit was set ([serving] {key})"
        for name, (value, key) in days.items()
    ]
