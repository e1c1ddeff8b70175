"""One person in tables and texts: which rows are theirs, which values name them, and in which bytes those could stand.

A person is named by a value, compared exactly after trimming: nobody else's row may be taken for theirs. What is kept of the name
afterwards is a keyed hash (HMAC, RFC 2104), which tells nobody who it was without the key and a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

import polars as pl

from skiff.core.evidence import Json
from skiff.data.personal import PersonalColumn

IDENTIFYING = frozenset(
    {
        "PERSON",
        "EMAIL",
        "PHONE",
        "ADDRESS",
        "IBAN",
        "BANK_ACCOUNT",
        "CREDIT_CARD",
        "NATIONAL_ID",
        "IP",
        "USERNAME",
        "CUSTOMER_ID",
    }
)
"""Kinds of columns (`skiff.data.personal.kinds`) in which one cell stands for one person. Dates of birth and free text do not."""

MIN_BYTES = 6
"""Shortest value that is looked for as bytes: random bytes hold six given ones once in 2^48, so 100 MB hold them by chance in one
search of 2.8 million. A shorter one is looked for as a whole cell, and the certificate says so."""

MIN_DIGITS = 8
"""The same for a number: files are full of numbers of six or seven digits (sizes, counts, parts of decimals)."""

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")

BLANK = "[erased]"


def name_subject(value: str, *, key: bytes) -> str:
    """Return the keyed hash by which a person is named once their name may no longer stand anywhere.

    Examples
    --------
    >>> name_subject(" Ada Rossi ", key=b"k" * 32) == name_subject("Ada Rossi", key=b"k" * 32)
    True
    """
    return hmac.digest(key, b"subject\x00" + trim(value).encode(), hashlib.sha256).hex()


def encode_percent(value: str) -> bytes:
    """Return a value as it stands in an address (RFC 3986, 2.1): every byte that is not unreserved (nor a slash) as ``%XX``.

    Examples
    --------
    >>> encode_percent("Ada Røssi")
    b'Ada%20R%C3%B8ssi'
    """
    return b"".join(bytes([byte]) if byte in UNRESERVED else b"%%%02X" % byte for byte in value.encode())


def trim(value: str) -> str:
    """Return a value as it is compared: composed characters (Unicode NFC), no blanks around it.

    Examples
    --------
    >>> trim("  7590-VHVEG ")
    '7590-VHVEG'
    """
    return unicodedata.normalize("NFC", value).strip()


def to_texts(series: pl.Series) -> pl.Series:
    """Return the cells of a column as the texts that a person would type: whole numbers without a fraction.

    Examples
    --------
    >>> to_texts(pl.Series([1001.0, None])).to_list(), to_texts(pl.Series([" B7 "])).to_list()
    (['1001', None], ['B7'])
    """
    if series.dtype.is_float() and bool((series.drop_nulls().filter(series.drop_nulls().is_finite()) % 1 == 0).all()):
        series = series.cast(pl.Int64, strict=False)
    texts = series.cast(pl.String, strict=False)
    return texts.str.normalize("NFC").str.strip_chars()


def choose_columns(
    columns: Sequence[PersonalColumn], *, answered: Collection[str] = (), named: str | None = None
) -> tuple[str, ...]:
    """Return the columns in which a person is looked for: the one that was named, else those that stand for one person.

    Parameters
    ----------
    columns : sequence of PersonalColumn
        As `skiff.data.personal.find_personal_columns` gives them.
    answered : collection of str
        Columns that a person called personal.
    named : str, optional

    Examples
    --------
    >>> mail = PersonalColumn(column="mail", type="EMAIL", risk="direct", share=1.0, reason="")
    >>> choose_columns([mail]), choose_columns([mail], named="id")
    (('mail',), ('id',))
    """
    if named is not None:
        return (named,)
    return tuple(item.column for item in columns if item.type in IDENTIFYING or item.column in answered)


def mark_rows(frame: pl.DataFrame, columns: Iterable[str], value: str) -> pl.Series:
    """Return which rows hold the value, as a whole cell, in one of the columns.

    Examples
    --------
    >>> mark_rows(pl.DataFrame({"id": ["A1", " A1", "A11"]}), ["id"], "A1").to_list()
    [True, True, False]
    """
    wanted = trim(value)
    marked = pl.Series([False]).new_from_index(0, frame.height) if frame.height else pl.Series([], dtype=pl.Boolean)
    for name in columns:
        if name in frame.columns:
            marked |= (to_texts(frame[name]) == wanted).fill_null(value=False)
    return marked


def mark_hashed(frame: pl.DataFrame, columns: Iterable[str], hashes: Collection[str], *, key: bytes) -> dict[str, str]:
    """Return the values in the columns whose keyed hash is one of `hashes`, by hash: how a tombstone is applied to a backup.

    Examples
    --------
    >>> table = pl.DataFrame({"id": ["A1", "B2"]})
    >>> list(mark_hashed(table, ["id"], {name_subject("B2", key=b"k")}, key=b"k").values())
    ['B2']
    """
    found = {}
    for name in columns:
        if name in frame.columns:
            for text in to_texts(frame[name]).drop_nulls().unique().to_list():
                hashed = name_subject(text, key=key)
                if hashed in hashes:
                    found[hashed] = str(text)
    return found


def mark_copies(frame: pl.DataFrame, gone: pl.DataFrame) -> pl.Series:
    """Return which rows of a table without names are copies of a person's rows: as many as the person has, no more.

    Rows are compared in the columns that both tables have, as text. Where several rows are the same, nothing tells them apart, and
    it does not matter which of them goes: the first ones do.

    Examples
    --------
    >>> table = pl.DataFrame({"nights": [2, 2, 3], "city": ["Rome", "Rome", "Oslo"]})
    >>> mark_copies(table, pl.DataFrame({"nights": [2], "city": ["Rome"], "name": ["Ada"]})).to_list()
    [True, False, False]
    """
    shared = [name for name in frame.columns if name in gone.columns]
    if not shared or not gone.height or len(shared) < len(frame.columns):
        return pl.Series([False] * frame.height, dtype=pl.Boolean)
    own, theirs = _hash_rows(frame, shared), _hash_rows(gone, shared)
    counted = theirs.value_counts(name="copies")
    allowed = dict(zip(counted.to_series(0).to_list(), counted["copies"].to_list(), strict=True))
    nth = pl.DataFrame({"row": own}).select(pl.int_range(pl.len()).over("row")).to_series()
    most = own.replace_strict(allowed, default=0, return_dtype=pl.Int64)
    return nth < most


def _hash_rows(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """Return each row as one text, numbers written the same whichever width they were kept in."""
    made = []
    for name in sorted(columns):
        column = frame[name]
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            column = column.cast(pl.Float64)
        elif column.dtype == pl.Date:
            column = column.cast(pl.Datetime("us"))
        made.append(column.cast(pl.String, strict=False).fill_null("\x00").alias(name))
    return pl.DataFrame(made).select(pl.concat_str(pl.all(), separator="\x1f").alias("row")).to_series()


def collect_values(frame: pl.DataFrame, marked: pl.Series, columns: Iterable[str]) -> tuple[str, ...]:
    """Return the texts in a person's rows, of columns that stand for one person, that nobody else's row has.

    Examples
    --------
    >>> table = pl.DataFrame({"id": ["A1", "B2"], "mail": ["a@example.org", None], "firm": ["X", "X"]})
    >>> collect_values(table, pl.Series([True, False]), ["id", "mail", "firm"])
    ('A1', 'a@example.org')
    """
    found: list[str] = []
    for name in columns:
        if name in frame.columns and frame[name].dtype != pl.Boolean:
            texts = to_texts(frame[name])
            others = set(texts.filter(~marked).drop_nulls().to_list())
            mine = texts.filter(marked).drop_nulls().unique(maintain_order=True).to_list()
            found += [text for text in mine if text and text not in others]
    return tuple(dict.fromkeys(found))


def list_forms(value: str) -> tuple[bytes, ...]:
    """Return every run of bytes by which a value may stand in a file; none where it is too short to be told from chance.

    As UTF-8 and UTF-16, escaped for JSON, web pages, addresses and CSV, in small and capital letters.

    Examples
    --------
    >>> len(list_forms("7590-VHVEG")), list_forms("B7")
    (4, ())
    """
    if len(value.encode()) < (MIN_DIGITS if value.isdigit() else MIN_BYTES):
        return ()
    texts = {value, value.lower(), value.upper(), unicodedata.normalize("NFD", value)}
    forms = {text.encode() for text in texts}
    forms |= {value.encode("utf-16-le"), value.encode("utf-16-be")}
    forms |= {json.dumps(text, ensure_ascii=is_ascii)[1:-1].encode() for text in texts for is_ascii in (True, False)}
    forms |= {html.escape(value).encode(), html.escape(value, quote=False).encode(), encode_percent(value)}
    forms |= {html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;").encode()}  # as MarkupSafe writes
    forms |= {value.replace('"', '""').encode()}  # a cell of a CSV file
    return tuple(sorted(forms))


def blank_text(text: str, values: Iterable[str]) -> str:
    """Return a text, JSON or not, in which `BLANK` stands for each value.

    Examples
    --------
    >>> blank_text('{"seen": "Ada Rossi, Oslo"}', ["Ada Rossi"])
    '{"seen": "[erased], Oslo"}'
    """
    for value in sorted(values, key=len, reverse=True):
        for form in list_forms(value):
            if b"\x00" not in form:
                pattern = re.escape(form.decode())
                text = re.sub(rf"(?<![0-9.]){pattern}(?![0-9])" if value.isdigit() else pattern, BLANK, text)
    return text


def blank_json(value: Json, values: Collection[str]) -> Json:
    """Return a JSON value in which `BLANK` stands for each value in every text and name.

    Examples
    --------
    >>> blank_json({"levels": ["Ada Rossi", "Oslo"]}, ["Ada Rossi"])
    {'levels': ['[erased]', 'Oslo']}
    """
    if isinstance(value, str):
        return BLANK if trim(value) in values else blank_text(value, values)
    if isinstance(value, list):
        return [blank_json(item, values) for item in value]
    if isinstance(value, dict):
        return {str(blank_json(name, values)): blank_json(item, values) for name, item in value.items()}
    return value
