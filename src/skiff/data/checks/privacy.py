"""Columns that point at one person by themselves: names, addresses, accounts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import polars as pl

from skiff.core.finding import Finding
from skiff.data.facts import ColumnFacts
from skiff.data.headers import split_header
from skiff.data.semantics import match_form
from skiff.data.sentences import count_rows

DIRECT_FORMS = {
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "iban": "bank account numbers",
}
"""Forms of `skiff.data.semantics.FORMS` that identify a person directly (GDPR Art. 4(1): name, identification number …)."""

NAME_HEADERS = frozenset({
    "firstname", "lastname", "surname", "forename", "givenname", "familyname", "fullname", "vorname", "nachname", "prenom",
    "apellido", "apellidos", "cognome", "achternaam", "voornaam", "customername", "patientname", "guestname", "clientname",
    "contactname", "passengername", "employeename", "username",
})  # fmt: skip
"""Headers, blanks and signs removed, that only a person's name has."""

THINGS = frozenset({
    "product", "item", "article", "company", "brand", "file", "event", "place", "city", "country", "street", "school", "team",
    "storm", "ship", "game", "movie", "song", "book", "shop", "store", "hotel", "model", "species", "project", "column",
})  # fmt: skip
"""Words beside ``name`` that say it is not a person's."""

TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Master|Dr|Prof|Herr|Frau|Mme|Mlle|Sig|Sig\.ra|Sr|Sra)\b\.?", re.IGNORECASE)
PROPER = re.compile(r"[A-ZÀ-Þ][\w'’.-]+,\s+[A-ZÀ-Þ]")
"""``Surname, First``."""

MIN_PERSON_SHARE = 0.5
"""Share of the cells under a plain ``name`` that must look like a person."""

MIN_DISTINCT_SHARE = 0.2
"""Share of different cells below which a column names groups rather than persons."""


def find_direct_identifiers(
    facts: Mapping[str, ColumnFacts], *, without: Collection[str] = (), keep: Collection[str] = ()
) -> list[Finding]:
    """Find columns that name or address a person; they are left out of the model.

    Light on purpose: whole cells of one form (e-mail, phone, account with right check digits), headers that only names
    have, and ``name`` columns whose cells carry titles or ``Surname, First``. Names inside free text are not looked for.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> guests = pl.DataFrame({"contact": [f"guest{number}@example.org" for number in range(30)]})
    >>> [(finding.columns, finding.action) for finding in find_direct_identifiers(gather_facts(guests))]
    [(('contact',), 'left_out')]
    """
    findings = []
    for name, fact in facts.items():
        if (
            name in without
            or fact.series.dtype != pl.String
            or fact.n_distinct < max(2, MIN_DISTINCT_SHARE * fact.n_known)
        ):
            continue
        meant = DIRECT_FORMS.get(match_form(fact.series)) or ("names of persons" if _names_persons(fact) else "")
        if meant:
            findings.append(_tell(fact, meant, is_kept=name in keep))
    return findings


def _names_persons(fact: ColumnFacts) -> bool:
    words = split_header(fact.name)
    if "".join(words) in NAME_HEADERS:
        return True
    if "name" not in words or not THINGS.isdisjoint(words):
        return False
    cells = fact.series.drop_nulls().head(500).to_list()
    n_persons = sum(bool(TITLE.search(cell) or PROPER.match(cell)) for cell in cells)
    return bool(cells) and n_persons >= MIN_PERSON_SHARE * len(cells)


def _tell(fact: ColumnFacts, meant: str, *, is_kept: bool) -> Finding:
    return Finding(
        code="privacy.direct_identifier",
        severity="warn",
        columns=(fact.name,),
        rows=fact.n_known,
        evidence={"kind": meant, "different_values": fact.n_distinct},
        what=f"'{fact.name}' holds {meant} in {count_rows(fact.n_known)}.",
        why_it_matters="It points at single persons, and a model does not need it to find a pattern.",
        remedy="It is kept, as you asked."
        if is_kept
        else "It is left out of the model. Do not hand the table on with it.",
        action="kept" if is_kept else "left_out",
        question=f"Is '{fact.name}' needed at all?",
    )
