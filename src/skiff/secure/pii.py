"""Take persons out of a table: masks that forget, pseudonyms that a key can repeat, traits made coarse.

References
----------
GDPR Art. 4(5): pseudonymised data can be attributed to a person again "with the use of additional information" that is
"kept separately"; it stays personal data (recital 26).
ENISA (2019), Pseudonymisation techniques and best practices, §5.1.4: a keyed hash (HMAC) resists guessing as long as the key
stays secret; without a key, names and numbers are few enough to try them all.
45 CFR §164.514(b)(2)(i)(B, C) (HIPAA safe harbor): the first three digits of a postcode, the year of a date.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from skiff.data.personal import PersonalColumn, find_spans
from skiff.data.personal.header_words import read_header

KEEP_POSTCODE = 3
"""Characters of a postcode that stay (HIPAA safe harbor); two of those with five or fewer, whose areas are smaller."""

AGE_BAND = 10
"""Years in a band of ages."""

TOKEN_LETTERS = 12
"""Letters of a pseudonym: 60 bits, so that among a million persons two share one by chance in 1 of 2 million tables."""

YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """A table without its persons.

    Parameters
    ----------
    frame : polars.DataFrame
    changed : dict of str to str
        What was done to each column that was changed.
    """

    frame: pl.DataFrame
    changed: dict[str, str]


def mask_table(frame: pl.DataFrame, columns: Sequence[PersonalColumn]) -> Treated:
    """Replace what names persons by what it was (``[EMAIL]``), inside free text too, and make traits coarse.

    Examples
    --------
    >>> found = [PersonalColumn(column="mail", type="EMAIL", risk="direct", share=1.0, reason="")]
    >>> mask_table(pl.DataFrame({"mail": ["ada@example.org", None]}), found).frame["mail"].to_list()
    ['[EMAIL]', None]
    """
    return _treat(frame, columns, lambda kind, _: f"[{kind}]", done="masked")


def pseudonymise_table(frame: pl.DataFrame, columns: Sequence[PersonalColumn], *, key: bytes) -> Treated:
    """Replace what names persons by a token that the same key always gives the same value, in any table.

    Parameters
    ----------
    frame : polars.DataFrame
    columns : sequence of PersonalColumn
    key : bytes
        At least 16 random bytes, kept apart from the table.

    Examples
    --------
    >>> found = [PersonalColumn(column="guest", type="PERSON", risk="direct", share=1.0, reason="")]
    >>> made = pseudonymise_table(pl.DataFrame({"guest": ["Ada Rossi", "ADA  ROSSI "]}), found, key=b"k" * 32)
    >>> made.frame["guest"].n_unique()
    1
    """
    return _treat(frame, columns, lambda kind, text: make_token(kind, text, key=key), done="pseudonym")


def make_token(kind: str, text: str, *, key: bytes) -> str:
    """Return the pseudonym of one value: the form is kept where programs look at it, and no token can be anybody's.

    E-mail addresses end in ``.invalid`` (RFC 2606 §2), phone numbers begin with ``00999`` (country code 999 is
    not assigned, ITU-T E.164; a plus would be taken for a formula by spreadsheets), network
    addresses are of ``fd00::/8`` (RFC 4193), cards and accounts have digits that no check accepts.

    Examples
    --------
    >>> make_token("EMAIL", "Ada@Example.org", key=b"k" * 32) == make_token("EMAIL", " ada@example.org", key=b"k" * 32)
    True
    >>> make_token("EMAIL", "ada@example.org", key=b"k" * 32).endswith("@pseudonym.invalid")
    True
    """
    digest = hmac.digest(key, f"{kind}\x00{normalise(kind, text)}".encode(), hashlib.sha256)
    letters = base64.b32encode(digest).decode()[:TOKEN_LETTERS]
    digits = f"{int.from_bytes(digest[:16]):020d}"[-20:]
    forms = {
        "EMAIL": f"u{letters.lower()}@pseudonym.invalid",
        "PHONE": f"00999{digits[:12]}",
        "CREDIT_CARD": f"0000{digits[:12]}",
        "IBAN": f"XX00{digits[:16]}",
        "IP": f"fd00::{digest[:2].hex()}:{digest[2:4].hex()}:{digest[4:6].hex()}:{digest[6:8].hex()}",
        "USERNAME": f"user_{letters.lower()}",
    }
    return forms.get(kind, f"{kind.capitalize()}-{letters}")


def normalise(kind: str, text: str) -> str:
    """Return what two writings of the same value have in common: no case, single blanks; digits alone where they count.

    Examples
    --------
    >>> normalise("PERSON", "  Ada   ROSSI"), normalise("PHONE", "+39 02-123 45"), normalise("IBAN", "gb82 west")
    ('ada rossi', '390212345', 'GB82WEST')
    """
    plain = unicodedata.normalize("NFKC", text)
    if kind == "PHONE":
        return re.sub(r"\D", "", re.sub(r"^\s*00", "", plain))
    if kind in ("IBAN", "CREDIT_CARD", "NATIONAL_ID", "BANK_ACCOUNT"):
        return re.sub(r"[\s.\-/]", "", plain).upper()
    return " ".join(plain.casefold().split())


def mask_text(text: str, replace: Callable[[str, str], str]) -> str:
    """Return a text with everything found in it replaced by what `replace` gives for its kind and its characters.

    Examples
    --------
    >>> mask_text("Write to ada@example.org please", lambda kind, _: f"[{kind}]")
    'Write to [EMAIL] please'
    """
    pieces, at = [], 0
    for span in find_spans(text):
        pieces += [text[at : span.start], replace(span.type, text[span.start : span.end])]
        at = span.end
    return "".join([*pieces, text[at:]])


def _treat(
    frame: pl.DataFrame, columns: Sequence[PersonalColumn], replace: Callable[[str, str], str], *, done: str
) -> Treated:
    made, changed = [], {}
    for column in columns:
        if not column.is_personal:
            continue
        series = frame[column.column]
        new, said = _treat_column(series, column, replace, done=done)
        if new is not None:
            made.append(new)
            changed[column.column] = said
    return Treated(frame=frame.with_columns(made), changed=changed)


def _treat_column(
    series: pl.Series, column: PersonalColumn, replace: Callable[[str, str], str], *, done: str
) -> tuple[pl.Series | None, str]:
    kind = column.type
    if kind == "FREE_TEXT_WITH_PII":
        return _map(series, lambda text: mask_text(text, replace)), f"{done} inside the text"
    if kind == "DATE_OF_BIRTH":
        return _map(series, _keep_year), "only the year is left"
    if kind == "POSTCODE":
        return _map(series, _cut_postcode), "only its first characters are left"
    if kind == "DEMOGRAPHIC" and series.dtype.is_numeric() and _is_age(series.name):
        return _map(series, _band_age), f"in bands of {AGE_BAND} years"
    if kind in ("CITY", "DEMOGRAPHIC"):
        return None, ""
    return _map(series, lambda text: replace(kind, text)), done


def _is_age(name: str) -> bool:
    return not {"age", "alter", "edad", "eta", "idade", "leeftijd", "alder", "wiek", "vek"}.isdisjoint(
        read_header(name).split()
    )


def _map(series: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Change each different value once; empty cells stay empty."""
    if series.dtype.is_float() and bool((series.drop_nulls() % 1 == 0).all()):
        series = series.cast(pl.Int64, strict=False)
    texts = series.cast(pl.String)
    known = texts.drop_nulls().unique(maintain_order=True).to_list()
    news = {text: change(text) if text.strip() else text for text in known}
    return texts.replace_strict(list(news), list(news.values()), default=None, return_dtype=pl.String).alias(
        series.name
    )


def _keep_year(text: str) -> str:
    found = YEAR.search(text)
    return found[1] if found else "[DATE_OF_BIRTH]"


def _cut_postcode(text: str) -> str:
    bare = text.strip()
    kept = KEEP_POSTCODE if len(bare) > 5 else KEEP_POSTCODE - 1  # noqa: PLR2004  codes of five characters have small areas
    return bare[:kept] + "*" * max(0, len(bare) - kept)


def _band_age(text: str) -> str:
    low = int(float(text)) // AGE_BAND * AGE_BAND
    return f"{low}-{low + AGE_BAND - 1}"
