"""What the cells of a column look like: an e-mail address, a phone number, an account, a share, an amount of money."""

from __future__ import annotations

import re

import polars as pl

from skiff.data.facts import ColumnFacts
from skiff.data.forms import FORMS, has_form, is_iban
from skiff.data.headers import IDENTIFIER, YEAR, says

SAMPLE = 500
"""Different cells looked at: with 500, a share of 90 % is known to ±3 points."""

MOST = 0.9
"""Share of the cells that must have the form."""

MONEY = frozenset({"price", "cost", "amount", "fee", "salary", "wage", "income", "revenue", "charge", "charges", "prix", "preis",
                   "betrag", "precio", "prezzo", "umsatz", "balance", "fare", "tip", "total"})  # fmt: skip
SHARE = frozenset({"pct", "percent", "percentage", "share", "rate", "ratio", "prozent", "anteil"})
POSTCODE = frozenset({"zip", "zipcode", "postcode", "postal", "plz", "cap", "cp"})


CURRENCIES = re.compile(r"[$€£¥₹₽₩₺₴฿]|[A-Z]{3}")
"""Signs and ISO 4217 codes of money that were taken off when the file was read."""


def guess_semantic(facts: ColumnFacts, *, unit: str = "") -> str:
    """Return what a column's cells mean beyond their kind, or an empty text.

    Parameters
    ----------
    facts : ColumnFacts
    unit : str
        Sign that was taken off when the file was read (``%``, ``EUR`` …), where there was one.

    Returns
    -------
    str
        ``email``, ``url``, ``uuid``, ``ip_address``, ``iban``, ``phone``, ``id``, ``postcode``, ``year``, ``latitude``,
        ``longitude``, ``percentage``, ``money`` or ``""``.

    Examples
    --------
    >>> from skiff.data.facts import gather_facts
    >>> made = gather_facts(pl.DataFrame({"contact": ["ada@example.org", "bo@example.com"], "price": [1.5, 2.0]}))
    >>> guess_semantic(made["contact"]), guess_semantic(made["price"])
    ('email', 'money')
    """
    if facts.kind in ("category", "text"):
        form = match_form(facts.series)
        if form:
            return form
        is_unique = facts.n_known > 1 and facts.n_distinct == facts.n_known
        if facts.kind == "category" and is_unique and says(facts.name, IDENTIFIER):
            return "id"
        return "postcode" if says(facts.name, POSTCODE) else ""
    if facts.kind != "number" or not facts.n_numbers:
        return ""
    if unit:
        return "percentage" if unit == "%" else "money" if CURRENCIES.fullmatch(unit) else _guess_number(facts)
    return _guess_number(facts)


def fits_form(cells: pl.Series, form: str) -> bool:
    """Whether every single cell of a String column has a form of `FORMS`, empty cells aside.

    Examples
    --------
    >>> fits_form(pl.Series(["ada@example.org", None]), "email"), fits_form(pl.Series(["ada@example.org", "?"]), "email")
    (True, False)
    """
    return all(has_form(cell, form) for cell in cells if cell is not None)


def match_form(column: pl.Series) -> str:
    """Return the form that nearly all the cells of a String column have, or an empty text.

    Examples
    --------
    >>> match_form(pl.Series(["+39 02 1234 567", "+44 20 7946 0958"]))
    'phone'
    """
    if column.dtype != pl.String:
        return ""
    cells = column.drop_nulls().head(20 * SAMPLE).unique(maintain_order=True).head(SAMPLE).to_list()
    if len(cells) < 2:  # noqa: PLR2004  one cell proves no form
        return ""
    for form, pattern in FORMS.items():
        n_fit = sum(pattern.fullmatch(cell.strip()) is not None for cell in cells)
        if n_fit >= MOST * len(cells) and (form != "iban" or _checks_out(cells)):
            return form
    return ""


def _checks_out(cells: list[str]) -> bool:
    return sum(is_iban(cell) for cell in cells) >= MOST * len(cells)


def _guess_number(facts: ColumnFacts) -> str:
    low, high = float(facts.runs[0][0]), float(facts.runs[0][-1])
    is_whole = bool((facts.runs[0] % 1 == 0).all())
    if is_whole and facts.n_distinct == facts.n_known > 1 and says(facts.name, IDENTIFIER):
        return "id"
    if says(facts.name, POSTCODE):
        return "postcode"
    if is_whole and says(facts.name, YEAR) and low >= 1800 and high <= 2200:  # noqa: PLR2004  years of records
        return "year"
    for words, meaning, bound in (
        (frozenset({"lat", "latitude"}), "latitude", 90),
        (frozenset({"lon", "lng", "long", "longitude"}), "longitude", 180),
    ):
        if says(facts.name, words) and -bound <= low and high <= bound:
            return meaning
    if says(facts.name, SHARE):
        return "percentage"
    return "money" if says(facts.name, MONEY) else ""
