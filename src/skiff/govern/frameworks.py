"""The frameworks that Skiff maps to: their ids with our own paraphrases, their versions and the day they were last looked at."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

FrameworkName: TypeAlias = Literal["nist", "iso", "gdpr", "aiact"]
Sureness: TypeAlias = Literal["high", "medium", "low"]

CHECKED = "2026-11-23"
"""The day on which all tables were last compared with public sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One id of a framework.

    Parameters
    ----------
    id : str
        As the framework writes it; with a prefix where articles of two laws would be mixed up.
    group : str
        Under which heading it stands.
    topic : str
        Article and catchword; empty where the framework has none.
    asks : str
        What it asks for, in our words.
    who : str
        Whom it binds.
    applies_from : str
        Date, or dates with conditions.
    sureness : {"high", "medium", "low"}
        How sure we are of id, meaning and date.
    """

    id: str
    group: str
    topic: str
    asks: str
    who: str
    applies_from: str
    sureness: Sureness


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a mapping says of its framework.

    Parameters
    ----------
    title, version : str
    source : str
        What our table was made from, and what it is not.
    """

    title: str
    version: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework with its provisions, in its own order."""

    name: FrameworkName
    about: About
    provisions: tuple[Provision, ...]


ABOUT: Mapping[FrameworkName, About] = {
    "nist": About(
        title="NIST AI Risk Management Framework",
        version="AI RMF 1.0 (NIST AI 100-1, January 2023)",
        source="Ids as in the published text (72 subcategories); the wording is a paraphrase. NIST has said that it is revising 1.0, without a date.",
    ),
    "iso": About(
        title="ISO/IEC 42001, management of AI",
        version="ISO/IEC 42001:2023 (also EN ISO/IEC 42001:2026)",
        source="Clauses 4 to 10 and the 38 controls of Annex A, by id. The standard is sold and was not read: topics are paraphrased from public outlines. "
        "It is about an organisation, of which one workspace shows a part.",
    ),
    "gdpr": About(
        title="GDPR",
        version="Regulation (EU) 2016/679, unchanged by Regulation (EU) 2026/1744",
        source="A selection of articles that machine learning touches, paraphrased. No legal advice.",
    ),
    "aiact": About(
        title="EU AI Act",
        version="Regulation (EU) 2024/1689 as amended by Regulation (EU) 2026/1744 (in force 2026-07-27)",
        source="A selection of articles, paraphrased from public outlines; the Official Journal itself was not read. Rows of low sureness have a disputed start. "
        "No legal advice.",
    ),
}


def parse_framework(name: FrameworkName, text: str) -> Framework:
    r"""Return a framework from the text of its table.

    Examples
    --------
    >>> table = "id,group,topic,asks,who,applies_from,sureness\nMAP 2.1,MAP 2,,Tasks are defined,,2023-01-26,high\n"
    >>> parse_framework("nist", table).provisions[0].id
    'MAP 2.1'
    """
    rows = csv.DictReader(io.StringIO(text))
    return Framework(name=name, about=ABOUT[name], provisions=tuple(_build(row) for row in rows))


def _build(row: Mapping[str, str]) -> Provision:
    sureness: Sureness = "high" if row["sureness"] == "high" else "medium" if row["sureness"] == "medium" else "low"
    return Provision(
        id=row["id"],
        group=row["group"],
        topic=row["topic"],
        asks=row["asks"],
        who=row["who"],
        applies_from=row["applies_from"],
        sureness=sureness,
    )
