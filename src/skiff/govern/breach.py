"""A worksheet for a personal data breach (GDPR Art. 33): what is on record, the clock, and what only people can say.

References
----------
GDPR Art. 33(1): to the supervisory authority "without undue delay and, where feasible, not later than 72 hours after having become
aware of it"; Art. 33(2): the processor tells the controller without undue delay; Art. 33(3)(a) to (d): what the notice holds;
Art. 33(5): every breach is documented; Art. 34: when the persons are told.
Regulation (EEC, Euratom) No 1182/71, Art. 3: a period of hours counts from the next full hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skiff.core.evidence import EvidenceRecord
from skiff.core.settings import Settings
from skiff.govern.register import Chapter

HOURS = 72
UNANSWERED = "unanswered"
QUESTIONS: Mapping[str, str] = {
    "nature": "What happened, and is it a loss of confidentiality, integrity or availability? (Art. 33(3)(a))",
    "contact": "Who answers questions: the data protection officer or another contact? (Art. 33(3)(b))",
    "consequences": "What are the likely consequences for the persons? (Art. 33(3)(c))",
    "measures": "What was done, and what is proposed, against it and its effects? (Art. 33(3)(d))",
}
"""What only people can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAtRisk:
    """One table as a breach would expose it.

    Parameters
    ----------
    id, name : str
    rows : int
    persons : int or None
        Different values in the column that tells persons apart best; None where there is no such column.
    kinds : mapping of str to str
        Column to what it holds of persons.
    """

    id: str
    name: str
    rows: int
    persons: int | None
    kinds: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """When the notice is owed."""

    known: str
    until: str
    left_hours: float | None

    @property
    def sentence(self) -> str:
        """Return it in words."""
        if self.left_hours is None:
            return f"Since when the controller is aware of it: {UNANSWERED} (--known-at). The 72 hours of Art. 33(1) begin then."
        state = (
            f"{self.left_hours:.0f} hours are left"
            if self.left_hours >= 0
            else f"that was {-self.left_hours:.0f} hours ago: a late notice gives the reasons for the delay"
        )
        return f"Known since {_say(self.known)}; the notice to the authority is owed by {_say(self.until)} (Art. 33(1)): {state}."


def build_clock(known: str, *, now: str) -> Clock:
    """Return when the notice is owed; hours count from the next full hour.

    Examples
    --------
    >>> build_clock("2026-03-02T09:30:00+00:00", now="2026-03-03T10:00:00+00:00").until
    '2026-03-05T10:00:00+00:00'
    """
    if not known:
        return Clock(known="", until="", left_hours=None)
    moment = dt.datetime.fromisoformat(known)
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    full = moment.replace(minute=0, second=0, microsecond=0)
    begin = full if full == moment else full + dt.timedelta(hours=1)
    until = begin + dt.timedelta(hours=HOURS)
    left = (until - dt.datetime.fromisoformat(now)).total_seconds() / 3600
    return Clock(known=moment.isoformat(), until=until.isoformat(), left_hours=left)


def build_breach(
    settings: Settings,
    records: Sequence[EvidenceRecord],
    data: Sequence[DataAtRisk],
    *,
    logged: int,
    keys: Sequence[str],
    answers: Mapping[str, str],
    clock: Clock,
    since: str = "",
) -> tuple[Chapter, ...]:
    """Return the worksheet's chapters.

    Parameters
    ----------
    settings : Settings
    records : sequence of EvidenceRecord
    data : sequence of DataAtRisk
    logged : int
        Rows of the prediction log.
    keys : sequence of str
        API keys in words.
    answers : mapping of str to str
        By the keys of `QUESTIONS`.
    clock : Clock
    since : str
        Only what was done from this day on.

    Examples
    --------
    >>> made = build_breach(Settings(), [], [], logged=0, keys=[], answers={}, clock=build_clock("", now="2026-03-02T09:30:00Z"))
    >>> made[0].lines[1]
    'What happened, and is it a loss of confidentiality, integrity or availability? (Art. 33(3)(a)) unanswered'
    """
    owner = settings.owner
    contact = answers.get("contact") or (f"{owner.name} {owner.email}".strip() if owner.email else "")
    said = {**answers, "contact": contact}
    chosen = [record for record in records if record.at >= since]
    return (
        Chapter(
            title="The notice (Art. 33)",
            lines=(
                clock.sentence,
                *(f"{text} {said.get(key) or UNANSWERED}" for key, text in QUESTIONS.items()),
                f"Controller, whom the processor tells without undue delay (Art. 33(2)): {owner.client or UNANSWERED}",
                f"Processor: {owner.name or UNANSWERED}",
            ),
        ),
        Chapter(
            title="Which data, about how many persons (Art. 33(3)(a))", lines=tuple(_tell_data(data, logged, settings))
        ),
        Chapter(title="Which releases", lines=tuple(_list_releases(records)) or ("No model was released.",)),
        Chapter(title="Who worked here, and what left this place", lines=tuple(_list_access(chosen, keys))),
        Chapter(title="What protected it", lines=tuple(_list_protection(settings, records))),
        Chapter(
            title="Whether the persons must be told (Art. 34)",
            lines=(
                f"Is a high risk to the persons likely? {UNANSWERED}",
                f"Was the data unreadable to whoever got it (Art. 34(3)(a))? {UNANSWERED}",
                f"When and how were the persons told? {UNANSWERED}",
            ),
        ),
    )


def _tell_data(data: Sequence[DataAtRisk], logged: int, settings: Settings) -> list[str]:
    told = []
    for item in data:
        kinds = "; ".join(f"“{column}”: {meaning}" for column, meaning in item.kinds.items())
        persons = (
            f"about {item.persons:,} different persons"
            if item.persons is not None
            else f"how many persons: {UNANSWERED} (no column tells them apart; at most one a row)"
        )
        told.append(
            f"{item.name} ({item.id}): {item.rows:,} rows, {persons}. Personal columns: {kinds or 'none was found'}."
        )
    kept = settings.serving.keep_inputs
    told.append(
        f"Prediction log: {logged:,} predictions; inputs kept: {kept if isinstance(kept, str) else ', '.join(kept)}."
    )
    return told


def _list_releases(records: Sequence[EvidenceRecord]) -> list[str]:
    told = [
        f"Release {record.result.get('number')}, made on {record.at[:10]} ({record.id})"
        for record in records
        if record.action == "release"
    ]
    told += [
        f"Attacked on {record.at[:10]}, {record.subject}: what strangers can learn from the model is in that record ({record.id})"
        for record in records
        if record.action == "secure"
    ]
    return told


def _list_access(records: Sequence[EvidenceRecord], keys: Sequence[str]) -> list[str]:
    told = []
    for actor in dict.fromkeys(record.actor for record in records):
        own = [record for record in records if record.actor == actor]
        told.append(f"{actor}: {len(own)} steps, {own[0].at[:10]} to {own[-1].at[:10]} ({own[0].id} to {own[-1].id})")
    words = {
        "backup": "A backup with all data was written",
        "handover": "A bundle with a model was handed over",
        "access": "A person's data was gathered for them",
        "keys.create": "An API key was made",
        "restore": "The workspace was put back from a backup",
    }
    told += [
        f"{words[record.action]} on {record.at[:16].replace('T', ' ')} UTC ({record.id})"
        for record in records
        if record.action in words
    ]
    told += [f"API key: {key}" for key in keys]
    return [*told, "Whoever read files past Skiff is not on record here; ask whoever looks after the machine."]


def _list_protection(settings: Settings, records: Sequence[EvidenceRecord]) -> list[str]:
    encrypts = getattr(settings.store, "encrypt", False)
    done = {record.action for record in records}
    return [
        "Files and folders are readable for their owner alone.",
        "Stored files are encrypted ([store] encrypt)."
        if encrypts
        else "Stored files are not encrypted by Skiff; the disk may be.",
        f"A chained ledger of {len(records)} records shows changes; check it with skiff ledger verify.",
        "Access to the server needs a key." if "keys.create" in done else "No API key was made.",
    ]


def _say(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC" if text.endswith("+00:00") else text
