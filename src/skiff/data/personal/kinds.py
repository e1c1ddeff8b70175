"""The kinds of personal data, how near each leads to one person, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Risk: TypeAlias = Literal["direct", "quasi", "none"]

RISKS: dict[str, Risk] = {
    "PERSON": "direct",
    "EMAIL": "direct",
    "PHONE": "direct",
    "ADDRESS": "direct",
    "IBAN": "direct",
    "BANK_ACCOUNT": "direct",
    "CREDIT_CARD": "direct",
    "NATIONAL_ID": "direct",
    "IP": "direct",
    "DATE_OF_BIRTH": "direct",
    "USERNAME": "direct",
    "FREE_TEXT_WITH_PII": "direct",
    "CITY": "quasi",
    "POSTCODE": "quasi",
    "DEMOGRAPHIC": "quasi",
    "CUSTOMER_ID": "quasi",
}
"""Direct: names or reaches a person by itself (GDPR Art. 4(1): "a name, an identification number, location data, an online
identifier"). Quasi: only together with others (Sweeney 2000: sex, date of birth and postcode single out 87 % of the US)."""

MEANINGS = {
    "PERSON": "names of persons",
    "EMAIL": "e-mail addresses",
    "PHONE": "phone numbers",
    "ADDRESS": "street addresses",
    "IBAN": "bank account numbers",
    "BANK_ACCOUNT": "bank account numbers",
    "CREDIT_CARD": "payment card numbers",
    "NATIONAL_ID": "national identity, tax or passport numbers",
    "IP": "network addresses of devices",
    "DATE_OF_BIRTH": "dates of birth",
    "USERNAME": "user names",
    "FREE_TEXT_WITH_PII": "free text with names, addresses or numbers of persons in it",
    "CITY": "places where people live",
    "POSTCODE": "postcodes of people",
    "DEMOGRAPHIC": "traits of persons, such as sex, age or origin",
    "CUSTOMER_ID": "numbers that stand for one person",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalColumn:
    """What one column holds.

    Parameters
    ----------
    column : str
    type : str
        A key of `RISKS`, or empty.
    risk : {"direct", "quasi", "none"}
    share : float
        Share (0 to 1) of the different cells looked at that fit.
    reason : str
        Why, in one sentence; never a cell.

    Examples
    --------
    >>> PersonalColumn(column="mail", type="EMAIL", risk="direct", share=1.0, reason="").is_personal
    True
    """

    column: str
    type: str
    risk: Risk
    share: float
    reason: str

    @property
    def is_personal(self) -> bool:
        """Whether it is about persons."""
        return self.risk != "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalAnswers:
    """What a person has said of columns: ``[privacy]`` in ``skiff.toml``.

    Parameters
    ----------
    yes, no : tuple of str
        Columns that are personal, and columns that are not.
    """

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


NOBODY_ASKED = PersonalAnswers()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text, and what they are."""

    start: int
    end: int
    type: str
