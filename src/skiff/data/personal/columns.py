"""Which columns of a table are about persons: the cells first, the header beside them, the rest of the table last."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from skiff.data.personal.addresses import has_address_shape, is_address
from skiff.data.personal.folding import fold
from skiff.data.personal.header_words import guess_kind, is_surely_person
from skiff.data.personal.kinds import MEANINGS, RISKS, PersonalColumn
from skiff.data.personal.names import load_names
from skiff.data.personal.numbers import EMAIL, SELF_PROVING, is_account, is_card, is_ean, is_ip, match_national
from skiff.data.personal.organisations import has_organisation_mark, joins_names
from skiff.data.personal.persons import Likeness, judge_name
from skiff.data.personal.phones import STARTS, has_phone_shape, share_of_phones
from skiff.data.personal.text import find_spans

SAMPLE = 200
"""Different cells looked at: a share of one half is then known to ±7 points (normal approximation, 95 %)."""

MOST = 0.8
"""Share of the cells that must have a form for the form to decide alone."""
HALF = 0.5
SOME = 0.2

TEXT_WORDS = 4
"""Mean words of a cell from which on a column is read as running text."""

TOPIC_TEXTS = 5
TOPIC_SHARE = 0.05
"""Texts in which one and the same single word must stand for it to be a topic ("Alexa", "Mercedes"), not somebody: our convention."""

PERSONAL_TEXT = 0.02
"""Share of texts with a name, address or number in them from which on the column is called personal; a proven number or an
e-mail address counts even once."""

BIRTH_YEARS = 30
"""Years that dates of birth span at least; dates of records rarely span as many."""

CLUES = frozenset(
    {
        "PERSON",
        "EMAIL",
        "PHONE",
        "NATIONAL_ID",
        "DATE_OF_BIRTH",
        "USERNAME",
        "CREDIT_CARD",
        "IBAN",
        "ADDRESS",
        "CUSTOMER_ID",
        "SEX",
    }
)
"""What says that a table's rows are persons."""

SEX = frozenset("m f male female man woman men women w d h x male/female mann frau maennlich weiblich mannlich divers homme femme masculin feminin hombre mujer masculino femenino feminino "
                "maschio femmina uomo donna m/f homem mulher vrouw kvinna kvinde kvinne mies nainen mezczyzna kobieta muz zena ferfi no erkek kadin 男 女 男性 女性 男性 여 남 여성 남성 мужской женский муж жен м ж unknown other diverse".split())  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cells:
    """One column as it is looked at: a sample of its different cells as text."""

    name: str
    dtype: pl.DataType
    texts: tuple[str, ...]
    n_known: int
    n_distinct: int

    @cached_property
    def kind(self) -> str:
        """What the header says."""
        return guess_kind(self.name)

    @property
    def is_number(self) -> bool:
        """Whether the column was read as a number."""
        return self.dtype.is_numeric()

    @cached_property
    def likeness(self) -> list[Likeness]:
        """How much each cell is like a name."""
        if self.is_number:
            return []
        numbered = (
            re.compile(r"(?<=[^\W\d_])\d+") if self.kind == "PERSON" else None
        )  # Smith2, to tell two Smiths apart
        return [judge_name(numbered.sub("", text.strip()) if numbered else text.strip()) for text in self.texts]

    @cached_property
    def words(self) -> float:
        """Mean number of words of a cell."""
        return sum(len(text.split()) for text in self.texts) / max(1, len(self.texts))

    def share(self, fits: object) -> float:
        """Return the share of the cells for which a function says yes."""
        return sum(bool(fits(text.strip())) for text in self.texts) / max(1, len(self.texts))  # type: ignore[operator]  # callables of one text


@dataclass(frozen=True, slots=True)
class Guess:
    """A kind, how many cells fit, and why."""

    type: str
    share: float
    reason: str


def find_personal_columns(
    frame: pl.DataFrame, *, personal: Collection[str] = (), not_personal: Collection[str] = ()
) -> list[PersonalColumn]:
    """Say of every column whether it is about persons, in the order of the table.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed, or all text.
    personal, not_personal : collection of str
        What a person has said; it wins.

    Notes
    -----
    Looks at up to `SAMPLE` different cells a column. No list has all names, and no rule all streets: a column of rare first
    names under a header that says nothing, in a table without any other clue, is not seen (docs/limits.md).

    Examples
    --------
    >>> table = pl.DataFrame({"k1": ["ada@example.org", "bo@example.org"], "nights": [1, 2]})
    >>> [(column.column, column.type, column.risk) for column in find_personal_columns(table)]
    [('k1', 'EMAIL', 'direct'), ('nights', '', 'none')]
    """
    columns = [_gather(frame[name]) for name in frame.columns]
    guesses = {cells.name: _judge_alone(cells) for cells in columns}
    for _ in range(2):  # what the first look finds is a clue for the second
        clues = {guess.type for guess in guesses.values() if guess} | {
            "SEX" for cells in columns if _is_sex(cells) and cells.kind == "DEMOGRAPHIC"
        }
        for cells in columns:
            if guesses[cells.name] is None:
                guesses[cells.name] = _judge_in_context(cells, clues & CLUES)
    return [_tell(cells, guesses[cells.name], personal, not_personal) for cells in columns]


def _gather(column: pl.Series) -> Cells:
    known = column.drop_nulls().head(50 * SAMPLE)
    if column.dtype.is_float():
        known = known.filter(known.is_finite())
        if known.len() and bool((known % 1 == 0).all()) and known.abs().max() < 2**53:  # type: ignore[operator]  # numbers, by dtype
            known = known.cast(pl.Int64)
    if (
        column.dtype in (pl.Boolean, pl.Duration, pl.Time, pl.Null)
        or column.dtype.is_nested()
        or column.dtype == pl.Binary
    ):
        known = pl.Series(column.name, [], dtype=pl.String)
    n_known = known.len()
    distinct = known.unique(maintain_order=True)
    n_distinct = distinct.len()
    step = max(1, n_distinct // SAMPLE)
    texts = distinct.gather_every(step).head(SAMPLE).cast(pl.String, strict=False).to_list()
    texts = [text for text in texts if text and text.strip()]
    return Cells(name=column.name, dtype=column.dtype, texts=tuple(texts), n_known=n_known, n_distinct=n_distinct)


def _judge_alone(cells: Cells) -> Guess | None:
    """Judge what the cells prove by themselves or together with the header."""
    if not cells.texts or cells.dtype == pl.Boolean:
        return None
    if cells.dtype.is_temporal():
        return _judge_dates(cells)
    return (
        _judge_forms(cells)
        or _judge_ids(cells)
        or _judge_phones(cells)
        or _judge_addresses(cells)
        or _judge_persons(cells, clues=0)
        or _judge_header(cells)
        or _judge_text(cells)
    )


def _judge_forms(cells: Cells) -> Guess | None:
    for kind, fits in (("EMAIL", EMAIL.fullmatch), ("IBAN", is_account), ("IP", is_ip), ("CREDIT_CARD", is_card)):
        share = cells.share(fits)
        needed = SOME if cells.kind == kind else HALF if kind != "CREDIT_CARD" else MOST
        if share < needed or (kind == "CREDIT_CARD" and cells.share(is_ean) > MOST):
            continue
        if kind == "IP" and cells.kind != "IP" and not _has_large_octets(cells):
            continue  # 1.2.3.4 may be a version
        return Guess(kind, share, "the cells have the form and, where there is one, the right check digits")
    if (
        cells.kind == "CREDIT_CARD"
        and cells.share(re.compile(r"[\dXx*]{4}(?:[ -]?[\dXx*]{2,6}){2,4}").fullmatch) >= MOST
    ):
        return Guess("CREDIT_CARD", 1.0, "the header says so and the cells are as long as card numbers")
    if (
        cells.kind in ("IBAN", "BANK_ACCOUNT")
        and cells.share(re.compile(r"[A-Z]{0,2}[\d][\d A-Z./-]{5,33}").fullmatch) >= MOST
    ):
        return Guess(cells.kind, 1.0, "the header says so and the cells are numbers of accounts")
    return None


def _has_large_octets(cells: Cells) -> bool:
    return any(
        ":" in text or max(int(part) for part in text.split("/")[0].split(".") if part.isdigit()) > 30
        for text in cells.texts
        if is_ip(text.strip())
    )


def _judge_ids(cells: Cells) -> Guess | None:
    if cells.kind == "NOT" or cells.words > 3:
        return None
    has_header = cells.kind == "NATIONAL_ID"
    texts = [text.strip() for text in cells.texts]
    if not has_header and not all(any(letter.isdigit() for letter in text) for text in texts[:20]):
        return None
    name, share = match_national(texts)
    is_telling = sum(SELF_PROVING.fullmatch(text) is not None for text in texts) >= MOST * len(texts)
    if share >= (SOME if has_header else HALF if is_telling else 0.95) and (
        has_header or is_telling or len(texts) >= 10
    ):
        if (
            not has_header
            and not is_telling
            and (cells.kind or cells.share(is_ean) > HALF or cells.share(has_phone_shape) > MOST > share)
        ):
            return None
        if not has_header and not is_telling and len({len(text) for text in texts}) > 1:
            return None
        return Guess("NATIONAL_ID", share, f"the check digits are those of {name}" if name else "the form fits")
    if has_header and cells.share(re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 ./-]{4,20}").fullmatch) >= HALF:
        return Guess("NATIONAL_ID", share, "the header says so and the cells are codes")
    return None


def _judge_phones(cells: Cells) -> Guess | None:
    if cells.kind in ("NOT", "NATIONAL_ID", "CUSTOMER_ID", "DATE_OF_BIRTH", "POSTCODE") or cells.share(is_ean) > MOST:
        return None
    shape, marked, valid = share_of_phones([text.strip() for text in cells.texts])
    if cells.kind == "PHONE" and shape >= HALF:
        return Guess("PHONE", shape, "the header says so and the cells have the digits of phone numbers")
    if shape < MOST or cells.dtype.is_float():
        return None
    texts = [text.strip() for text in cells.texts]
    if all(text.isdecimal() for text in texts) and max(map(len, texts)) < 8:
        return None
    started = sum(STARTS.match(text) is not None for text in texts) / len(texts)
    is_written = not cells.is_number and started >= 0.6 and marked >= MOST and valid >= 0.05
    is_bare = sum(text.isdecimal() for text in texts) > HALF * len(texts)
    is_planned = valid >= (0.9 if is_bare and started < 0.3 else SOME if marked >= HALF and not is_bare else MOST)
    if is_written or (is_planned and not (cells.is_number and cells.kind)):
        if cells.is_number and cells.n_distinct < MOST * cells.n_known:
            return None
        return Guess("PHONE", shape, "the cells are written as phone numbers and a country's plan has them")
    return None


def _judge_addresses(cells: Cells) -> Guess | None:
    if cells.is_number or cells.kind in ("NOT", "PERSON", "DATE_OF_BIRTH"):
        return None
    proven, shaped = cells.share(is_address), cells.share(has_address_shape)
    organised = cells.share(has_organisation_mark)
    if cells.kind == "ADDRESS" and (shaped >= SOME or proven >= SOME or (cells.words >= 1.5 and cells.n_distinct > 2)):
        return Guess("ADDRESS", max(proven, shaped), "the header says so and the cells are no mere words")
    if cells.words > 14:
        return None
    if (proven >= HALF and organised < HALF) or (shaped >= MOST and proven >= SOME):
        return Guess("ADDRESS", max(proven, shaped), "the cells hold words for streets beside house numbers")
    return None


def _judge_persons(cells: Cells, *, clues: int) -> Guess | None:
    """Judge names; `clues` counts what else in the table speaks of persons."""
    if cells.is_number or not cells.likeness or cells.n_distinct < 2 or cells.kind not in ("", "PERSON", "USERNAME"):
        return None
    n = len(cells.texts)
    shape = sum(item.shape for item in cells.likeness) / n
    listed = sum(item.listed for item in cells.likeness) / n
    marked = sum(item.marked for item in cells.likeness) / n
    whole = sum(item.n_parts >= 2 for item in cells.likeness) / n
    organised = cells.share(has_organisation_mark)
    joined = cells.share(joins_names) - sum("-" in text and " " not in text for text in cells.texts) / n
    varied = cells.n_distinct / max(1, cells.n_known)
    if organised + max(0.0, joined) >= SOME:
        return None
    if is_surely_person(cells.name) and shape >= HALF - 0.1:
        return Guess("PERSON", shape, "the header is that of a name and the cells can be names")
    if marked >= 0.3 and shape >= HALF:
        return Guess("PERSON", shape, "titles or 'Surname, First' mark the cells as names")
    has_header = cells.kind == "PERSON"
    if whole >= HALF and shape >= 0.6:
        needed = (0.15 if clues else 0.25) if has_header else (0.3 if clues else 0.45)
        if listed >= needed and varied >= (0.02 if has_header else SOME):
            return Guess("PERSON", shape, "the cells are first and last names, of which the lists know many")
        if (
            shape >= 0.85
            and varied >= HALF
            and organised < 0.05
            and (has_header or clues)
            and whole >= MOST
            and _are_short(cells)
        ):
            return Guess(
                "PERSON",
                shape,
                "the cells are written as first and last names" + (", in a table about persons" if clues else ""),
            )
    if whole < HALF and clues and shape >= 0.7 and varied >= SOME and listed >= (SOME if has_header else 0.35):
        return Guess("PERSON", shape, "single names of which the lists know many, in a table about persons")
    if has_header and clues >= 2 and shape >= MOST and varied >= HALF:
        return Guess("PERSON", shape, "the header may be that of a name, in a table about persons")
    return None


def _are_short(cells: Cells) -> bool:
    words = load_names().words
    everyday = sum(any(word.lower() in words for word in text.split()) for text in cells.texts) / len(cells.texts)
    return cells.words <= 4 and everyday < SOME


def _judge_header(cells: Cells) -> Guess | None:
    """Judge kinds that only a header tells, where the cells can hold them."""
    if cells.kind == "CUSTOMER_ID":
        fits = cells.share(re.compile(r"[A-Za-z0-9][\w./ -]{0,40}").fullmatch)
        if fits >= MOST and cells.words <= 2 and cells.n_distinct > 2 and not _is_measured(cells):
            return Guess("CUSTOMER_ID", fits, "the header says whose number it is")
    if cells.kind == "USERNAME":
        fits = cells.share(re.compile(r"@?[\w.\-+]{2,40}").fullmatch)
        if fits >= MOST and not cells.is_number and cells.n_distinct >= max(3, SOME * cells.n_known):
            return Guess("USERNAME", fits, "the header says so and each cell is one word")
    if cells.kind == "DATE_OF_BIRTH":
        return _judge_dates(cells)
    if cells.kind == "DEMOGRAPHIC":
        return _judge_traits(cells)
    return None


def _is_measured(cells: Cells) -> bool:
    return cells.dtype.is_float() and any("." in text for text in cells.texts)


def _judge_traits(cells: Cells) -> Guess | None:
    if _is_sex(cells):
        return Guess("DEMOGRAPHIC", 1.0, "the header and the cells name sex")
    if cells.is_number:
        values = [float(text) for text in cells.texts]
        if min(values) >= 0 and max(values) <= 125 and cells.n_distinct >= 2:
            return Guess("DEMOGRAPHIC", 1.0, "the header says so and the numbers can be ages or groups")
        return None
    if cells.n_distinct <= max(60, SOME * cells.n_known) and cells.words <= 5:
        return Guess("DEMOGRAPHIC", 1.0, "the header names a trait of persons and the cells are groups")
    return None


def _is_sex(cells: Cells) -> bool:
    found = {text.strip().casefold().rstrip(".") for text in cells.texts}
    return 1 < len(found) <= 6 and len(found - SEX) == 0


YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")


def _judge_dates(cells: Cells) -> Guess | None:
    if cells.kind != "DATE_OF_BIRTH" or cells.dtype in (pl.Time, pl.Duration):
        return None
    dated = cells.share(
        re.compile(
            r".*\d{1,4}\s?[./-年년]\s?\d{1,2}.*|(?:1[89]|20)\d\d|\d{6}|\d{8}|.*\d{1,2}.*\d{4}.*", re.DOTALL
        ).fullmatch
    )
    if dated >= HALF:
        return Guess("DATE_OF_BIRTH", dated, "the header says so and the cells are dates")
    return None


def _judge_text(cells: Cells) -> Guess | None:
    """Judge running text: any proven number or e-mail address, or several names."""
    if cells.is_number or cells.words < TEXT_WORDS or cells.kind == "NOT":
        return None
    proven = likely = 0
    alone: list[set[str]] = []
    for text in cells.texts:
        spans = find_spans(text[:2000])
        types = {span.type for span in spans}
        alone.append({fold(text[span.start : span.end]) for span in spans if span.type == "PERSON"})
        proven += bool(types & {"EMAIL", "IBAN", "CREDIT_CARD", "NATIONAL_ID", "PHONE"})
        likely += bool(types & {"ADDRESS", "IP"}) or any(
            span.type == "PERSON" and " " in text[span.start : span.end] for span in spans
        )
    named = sum(bool(names) for names in _drop_topics(alone))
    share = max(proven, likely, named) / len(cells.texts)
    if not proven and cells.share(has_organisation_mark) >= HALF:
        return None
    if proven or likely >= max(2, PERSONAL_TEXT * len(cells.texts)) or named >= SOME * len(cells.texts):
        return Guess("FREE_TEXT_WITH_PII", share, "texts with names, addresses or numbers of persons in them")
    return None


def _drop_topics(names: Sequence[Collection[str]]) -> list[set[str]]:
    """Return the names found in each text without single words that stand in many of them: what the texts are about.

    Examples
    --------
    >>> _drop_topics([{"alexa"}, {"alexa", "tom"}, {"alexa", "ada rossi"}, {"alexa"}, {"alexa"}])
    [set(), {'tom'}, {'ada rossi'}, set(), set()]
    """
    counts = Counter(itertools.chain.from_iterable(names))
    least = max(TOPIC_TEXTS, TOPIC_SHARE * len(names))
    topics = {name for name, count in counts.items() if count >= least and " " not in name}
    return [set(found) - topics for found in names]


def _judge_in_context(cells: Cells, clues: Collection[str]) -> Guess | None:
    """Judge what is only personal in a table whose rows are persons."""
    if not clues or not cells.texts or cells.dtype == pl.Boolean:
        return None
    n_clues = len(clues)
    if cells.dtype.is_temporal() or (cells.kind == "" and _are_dates(cells)):
        return _judge_unnamed_births(cells) if cells.kind == "" and len(set(clues) - {"CUSTOMER_ID"}) else None
    found = _judge_persons(cells, clues=n_clues)
    if found:
        return found
    if (
        cells.kind == "CITY"
        and not cells.is_number
        and cells.words <= 4
        and cells.share(re.compile(r"[^\d@]{2,60}").fullmatch) >= MOST
    ):
        return Guess("CITY", 1.0, "the header says so, in a table about persons")
    if (
        cells.kind == "POSTCODE"
        and cells.share(re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 -]{1,10}|\d{2,9}").fullmatch) >= HALF
    ):
        return Guess("POSTCODE", 1.0, "the header says so, in a table about persons")
    if cells.kind == "" and not cells.is_number:
        shaped = cells.share(_ends_in_house_number)
        streets = {re.sub(r"[\d\W]+", "", text) for text in cells.texts}
        if shaped >= MOST and len(streets) >= 0.6 * len(cells.texts):
            return Guess("ADDRESS", shaped, "ever different words with a number behind them, in a table about persons")
        if _is_sex(cells):
            return Guess("DEMOGRAPHIC", 1.0, "the cells name sex, in a table about persons")
        share = cells.share(_is_login)
        if share >= 0.4 and cells.n_distinct >= HALF * cells.n_known:
            return Guess("USERNAME", share, "words made of names and digits, in a table about persons")
    return None


def _are_dates(cells: Cells) -> bool:
    return (
        not cells.is_number
        and cells.share(re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}年\d{1,2}月\d{1,2}日").fullmatch) >= MOST
    )


def _judge_unnamed_births(cells: Cells) -> Guess | None:
    """Judge dates without a telling header: births lie long ago and far apart, each without a time of day."""
    if cells.dtype.is_temporal() and cells.dtype not in (pl.Date, pl.Datetime):
        return None
    if any(re.search(r"\d:\d", text) and "00:00:00" not in text for text in cells.texts[:20]):
        return None
    years = sorted(int(found[1]) for text in cells.texts if (found := YEAR.search(text)))
    if len(years) < HALF * len(cells.texts) or len(years) < 10:
        return None
    low, high = years[len(years) // 20], years[-1 - len(years) // 20]
    if high - low >= BIRTH_YEARS and low < 1990 and high <= 2015 and cells.n_distinct >= HALF * cells.n_known:
        return Guess("DATE_OF_BIRTH", 1.0, "days that span decades and end years ago, in a table about persons")
    return None


_HOUSE = re.compile(r"[^\W\d_]{3}[^\d]*\s\d{1,4}(?:\s?[A-Za-z])?(?:[-/]\d{1,4})?")


def _ends_in_house_number(text: str) -> bool:
    return _HOUSE.fullmatch(unicodedata.normalize("NFC", text)) is not None and not has_organisation_mark(text)


_LOGIN = re.compile(r"@?[a-z][a-z0-9]*[._-]?[a-z0-9]+(?:[._-][a-z0-9]+)*\d*", re.IGNORECASE)


def _is_login(text: str) -> bool:
    if not 3 <= len(text) <= 30 or not _LOGIN.fullmatch(text) or text != text.lower():
        return False
    lists = load_names()
    parts = [part for part in re.split(r"[._\-\d@]+", text) if len(part) > 2]
    is_built = any(letter in "._-" or letter.isdigit() for letter in text)
    known = any(part in lists.first or part in lists.last or part[1:] in lists.last for part in parts)
    return (known and is_built) or any(_is_two_names(part) for part in parts)


def _is_two_names(word: str) -> bool:
    """Whether a word is a first and a last name run together, or an initial and a last name."""
    lists = load_names()
    if word in lists.words:
        return False
    both = any(
        (word[:at] in lists.first and word[at:] in lists.last) or (word[:at] in lists.last and word[at:] in lists.first)
        for at in range(3, len(word) - 2)
    )
    return both or (len(word) > 4 and word[1:] in lists.last)


def _tell(
    cells: Cells, guess: Guess | None, personal: Collection[str], not_personal: Collection[str]
) -> PersonalColumn:
    if cells.name in not_personal:
        return PersonalColumn(
            column=cells.name, type="", risk="none", share=0.0, reason="You said that it is not personal."
        )
    if guess is None and cells.name in personal:
        kind = cells.kind if cells.kind in RISKS else "CUSTOMER_ID"
        return PersonalColumn(
            column=cells.name, type=kind, risk="direct", share=1.0, reason="You said that it is personal."
        )
    if guess is None:
        return PersonalColumn(column=cells.name, type="", risk="none", share=0.0, reason="Nothing points at persons.")
    reason = f"{MEANINGS[guess.type][0].upper()}{MEANINGS[guess.type][1:]}: {guess.reason}."
    return PersonalColumn(
        column=cells.name, type=guess.type, risk=RISKS[guess.type], share=round(guess.share, 4), reason=reason
    )


def list_kinds() -> Sequence[str]:
    """Return the kinds that can be found.

    Examples
    --------
    >>> "PERSON" in list_kinds()
    True
    """
    return tuple(RISKS)
