"""A framework set against the ledger and against what people stated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from skiff.core.errors import SkiffError
from skiff.core.evidence import EvidenceRecord
from skiff.govern.facts import Fact, find_latest, tell_fact, tell_ledger
from skiff.govern.frameworks import Framework, FrameworkName, Provision
from skiff.govern.proofs import LEDGER, PARTS, PROOFS
from skiff.govern.questions import ASK, QUESTIONS, SETTLES, keep_known

Standing: TypeAlias = Literal["shown", "stated", "open"]

STATE, WITHDRAW = "govern.state", "govern.withdraw"
VERDICTS = re.compile(r"\b(compliant|certified|fair|safe)\b", re.IGNORECASE)
"""Words that promise what no document of one project can: refused in statements, so that they stand in no document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a person said about a provision."""

    id: str
    text: str
    who: str
    at: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provision with what stands behind it.

    Parameters
    ----------
    provision : Provision
    standing : {"shown", "stated", "open"}
    facts : tuple of Fact
    part : str
        Which part the facts show, where the provision asks for more.
    statement : Statement or None
    """

    provision: Provision
    standing: Standing
    facts: tuple[Fact, ...] = ()
    part: str = ""
    statement: Statement | None = None

    @property
    def evidence(self) -> tuple[str, ...]:
        """Return the ids of all records behind it."""
        told = [record for fact in self.facts for record in fact.evidence]
        return tuple(dict.fromkeys([*told, *([self.statement.evidence] if self.statement else [])]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A whole framework, mapped; `records` are those that its rows name."""

    framework: Framework
    rows: tuple[Row, ...]
    records: tuple[EvidenceRecord, ...]

    def count(self) -> dict[Standing, int]:
        """Return how many provisions are shown, stated and open."""
        counts: dict[Standing, int] = {"shown": 0, "stated": 0, "open": 0}
        for row in self.rows:
            counts[row.standing] += 1
        return counts


def map_framework(framework: Framework, records: Sequence[EvidenceRecord]) -> Mapped:
    """Return each provision as shown by evidence, stated by a person, or open.

    Parameters
    ----------
    framework : Framework
    records : sequence of EvidenceRecord
        The whole ledger, oldest first.

    Notes
    -----
    "Shown" means that records exist which say something about the provision; it is not a judgement that the provision is met.
    The latest record of an action counts.
    """
    latest = find_latest(records)
    statements = list_statements(records)
    rows = tuple(_map_row(item, latest, tuple(records), statements.get(item.id)) for item in framework.provisions)
    named = {record for row in rows for record in row.evidence}
    return Mapped(framework=framework, rows=rows, records=tuple(item for item in records if item.id in named))


def _map_row(
    provision: Provision,
    latest: Mapping[str, EvidenceRecord],
    records: tuple[EvidenceRecord, ...],
    statement: Statement | None,
) -> Row:
    topics = PROOFS.get(provision.id, ())
    told = [tell_ledger(records) if topic == LEDGER else tell_fact(topic, latest) for topic in topics]
    facts = tuple(fact for fact in told if fact is not None)
    standing: Standing = "shown" if facts else "stated" if statement else "open"
    part = PARTS.get(provision.id, "") if facts else ""
    return Row(provision=provision, standing=standing, facts=facts, part=part, statement=statement)


def list_statements(records: Sequence[EvidenceRecord]) -> dict[str, Statement]:
    """Return the statements that stand, by provision: the latest of each, unless it was withdrawn.

    Answers of the questionnaire are statements too; what was said of a provision itself goes before them.
    """
    found = _list_answers(records)
    for record in records:
        if record.action == STATE:
            found[record.subject] = Statement(
                id=record.subject,
                text=str(record.result.get("text", "")),
                who=str(record.result.get("who") or record.actor),
                at=record.at,
                evidence=record.id,
            )
        elif record.action == WITHDRAW:
            found.pop(record.subject, None)
    return found


def _list_answers(records: Sequence[EvidenceRecord]) -> dict[str, Statement]:
    record = find_latest(records).get(ASK)
    given = record.result.get("answers") if record else None
    if record is None or not isinstance(given, dict):
        return {}
    known = keep_known(given)
    return {
        provision: Statement(
            id=provision,
            text=f"{question.text} {known[question.key]}",
            who=record.actor,
            at=record.at,
            evidence=record.id,
        )
        for question in QUESTIONS
        if question.key in known
        for provision in SETTLES.get(question.key, ())
    }


def find_provision(name: str, frameworks: Sequence[Framework]) -> tuple[FrameworkName, Provision]:
    """Return the provision that a person named, small letters and blanks forgiven.

    Raises
    ------
    SkiffError
        ``provision_not_found``, with the closest ids.
    """
    wanted = _simplify(name)
    for framework in frameworks:
        for provision in framework.provisions:
            if wanted == _simplify(provision.id):
                return framework.name, provision
    every = [provision.id for framework in frameworks for provision in framework.provisions]
    close = [item for item in every if _simplify(item).startswith(wanted[:4])][:8]
    raise SkiffError(
        "provision_not_found",
        what=f"There is no provision '{name}' in the tables.",
        where={"provision": name},
        fix=f"Ids look like: {', '.join(close or ('MEASURE 2.3', 'A.6.2.4', 'GDPR-30', 'AIA-14'))}.",
    )


def refuse_verdict(text: str) -> None:
    """Refuse a statement that gives a verdict in place of a fact, and one that says nothing.

    Raises
    ------
    SkiffError
        ``statement_refused``.

    Examples
    --------
    >>> refuse_verdict("The works council was told on 2026-03-01.")
    >>> refuse_verdict("We are fully compliant.")
    Traceback (most recent call last):
        ...
    skiff.core.errors.SkiffError: The statement says 'compliant', which is a verdict and not something that was done. Say what was done, by whom and when: those who read it judge for themselves.
    """
    found = VERDICTS.search(text)
    if found or not text.strip():
        raise SkiffError(
            "statement_refused",
            what=f"The statement says '{found[0].lower()}', which is a verdict and not something that was done."
            if found
            else "The statement is empty.",
            where={"statement": found[0] if found else ""},
            fix="Say what was done, by whom and when: those who read it judge for themselves.",
        )


def _simplify(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()
