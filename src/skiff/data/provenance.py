"""Where a table comes from: five questions, asked once, and said openly where nobody answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

QUESTIONS: Mapping[str, str] = {
    "source": "Where does the table come from (system, export, survey)?",
    "owner": "Whose data is it?",
    "licence": "Under which terms may it be used?",
    "legal_basis": "If it is about people: on which legal basis may it be used?",
    "collected": "In which period was it collected?",
}
"""What is asked when a table is imported, by key; after Gebru et al. 2021, Datasheets for datasets, doi:10.1145/3458723
(motivation, collection, uses), and GDPR Art. 30(1) for the legal basis."""

UNANSWERED = "not answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question about the origin of a table, and what was said; an empty text is no answer."""

    key: str
    question: str
    text: str = ""

    @property
    def said(self) -> str:
        """What was said, or that nobody did."""
        return self.text or UNANSWERED


def list_answers(given: Mapping[str, str]) -> tuple[Answer, ...]:
    """Return all questions with their answers, in the order in which they are asked.

    Examples
    --------
    >>> [answer.said for answer in list_answers({"owner": "Example Hotels Ltd"})][:2]
    ['not answered', 'Example Hotels Ltd']
    """
    return tuple(
        Answer(key=key, question=question, text=given.get(key, "").strip()) for key, question in QUESTIONS.items()
    )


def list_unanswered(given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys that nobody answered.

    Examples
    --------
    >>> list_unanswered({"owner": "Example Hotels Ltd", "source": "booking system", "collected": "2024"})
    ('licence', 'legal_basis')
    """
    return tuple(answer.key for answer in list_answers(given) if not answer.text)
